"""ResNet-20 on CIFAR-10 from nothing: `AUTOGRAD_CORE_DATA=FOLDER python -m benchmarks.cifar`.

FOLDER/cifar10-12k holds the binary files of CIFAR-10, all of them or a part. Crops and flips, SGD
with momentum and a rate that rises and falls once (Smith and Topin, Super-Convergence, 2018).
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from time import perf_counter
from typing import Any

from benchmarks.environment import cores, environment
from benchmarks.process import ROOT

EPOCHS, BATCH, RATE, SEED = 20, 128, 0.1, 0
ENOUGH = 0.6  # of the test images
OUT = ROOT / "benchmarks" / "results" / "cifar_resnet20.json"
MEAN, STD = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)  # of the training images' colours


def epochs(folder: Path) -> Iterator[dict[str, float]]:
    """Train, and give what came of each epoch."""
    import autograd_core as ag
    import nn.functional as F
    from nn.models import cifar_resnet
    from optim import SGD
    from optim.lr_scheduler import OneCycleLR
    from training.data import DataLoader
    from training.datasets import CIFAR10
    from training.loop import evaluate
    from training.transforms import Compose, Normalize, RandomCrop, RandomHorizontalFlip, ToTensor

    ag.manual_seed(SEED)
    plain = [ToTensor(), Normalize(MEAN, STD)]
    changed = Compose([*plain, RandomCrop(32, padding=4), RandomHorizontalFlip()])
    train = DataLoader(CIFAR10(folder, True, changed), BATCH, shuffle=True, drop_last=True)
    test = DataLoader(CIFAR10(folder, False, Compose(plain)), 500)
    model = cifar_resnet(20)
    optimizer = SGD(model.parameters(), RATE, momentum=0.9, weight_decay=5e-4, nesterov=True)
    schedule = OneCycleLR(optimizer, RATE, epochs=EPOCHS, steps_per_epoch=len(train))
    for number in range(1, EPOCHS + 1):
        start, total = perf_counter(), 0.0
        model.train()
        for images, labels in train:
            optimizer.zero_grad()
            loss = F.cross_entropy(model(images), labels)
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item()
        seconds = perf_counter() - start
        found = evaluate(model, test)
        yield {
            "epoch": number, "train_loss": total / len(train), "test_loss": found.loss,
            "test_accuracy": found.accuracy, "seconds": seconds,
        }  # fmt: skip


def page(run: Mapping[str, Any]) -> str:
    """The chapter of RESULTS.md."""
    rows = run["training"]
    best = max(row["test_accuracy"] for row in rows)
    verdict = "PASS" if best >= ENOUGH else "FAIL"
    lines = [
        "## ResNet-20 on CIFAR-10", "",
        f"{run['images']} training images, {len(rows)} epochs, batch {BATCH}, crops and flips, one "
        f"cycle up to a rate of {RATE}: {best:.1%} of {run['test_images']} test images "
        f"(bound {ENOUGH:.0%}: {verdict}).", "",
        f"![curves](results/{OUT.stem}.svg)", "",
        "| epoch | training loss | test loss | test accuracy | seconds |", "|---|---|---|---|---|",
    ]  # fmt: skip
    lines += [
        f"| {row['epoch']} | {row['train_loss']:.3f} | {row['test_loss']:.3f} "
        f"| {row['test_accuracy']:.1%} | {row['seconds']:.0f} |"
        for row in rows
    ]
    return "\n".join([*lines, ""])


def draw(rows: list[dict[str, float]]) -> None:
    """Write the curves beside the numbers."""
    import numpy as np

    from training import figures
    from training.loop import Epoch, Evaluation

    none = np.zeros(0, np.int64)
    curve = [
        Epoch(int(row["epoch"]), row["train_loss"],
              Evaluation(row["test_loss"], row["test_accuracy"], none), row["seconds"])
        for row in rows
    ]  # fmt: skip
    figure = figures.learning_curves({"ResNet-20": curve}, "CIFAR-10")
    figures.save(figure, OUT.with_suffix(""))
    OUT.with_suffix(".png").unlink()


def main() -> int:
    root = os.environ.get("AUTOGRAD_CORE_DATA")
    if not root:
        print(
            "set AUTOGRAD_CORE_DATA=FOLDER, with the files in FOLDER/cifar10-12k", file=sys.stderr
        )
        return 2
    from training.datasets import CIFAR10

    folder = Path(root, "cifar10-12k")
    rows: list[dict[str, float]] = []
    for row in epochs(folder):
        rows.append(row)
        print(
            f"epoch {row['epoch']:2}  training loss {row['train_loss']:.3f}  "
            f"test accuracy {row['test_accuracy']:.1%}  {row['seconds']:.0f} s",
            flush=True,
        )
    found = {
        "environment": environment(cores()), "images": len(CIFAR10(folder, True)),
        "test_images": len(CIFAR10(folder, False)), "training": rows,
    }  # fmt: skip
    OUT.write_text(json.dumps(found, indent=2))
    draw(rows)
    return 0 if max(row["test_accuracy"] for row in rows) >= ENOUGH else 1


if __name__ == "__main__":
    raise SystemExit(main())
