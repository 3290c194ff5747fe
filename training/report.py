"""What a run of the demo says in words and numbers: heading, table and metrics.json."""

from __future__ import annotations

import json
import platform
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autograd_core import __version__, get_num_threads

from .loop import Epoch

if TYPE_CHECKING:
    from .demo import Job, Training

LIBRARIES = ("numpy", "numba", "matplotlib", "scikit-learn")


def heading(job: Job) -> str:
    """What is about to be done, and with which settings."""
    plan = settings(job)
    return (
        f"{job.recipe.title}: {len(job.train):,} training and {len(job.test):,} test images; "
        f"{plan['epochs']} epochs of {plan['optimizer']}, lr {plan['lr']:g}, "
        f"batches of {plan['batch_size']}, seed {plan['seed']}, {plan['threads']} threads"
    )


def table(trainings: Sequence[Training]) -> str:
    """The networks compared; a dash where no epoch was completed."""
    rows = [("net", "parameters", "epochs", "test accuracy", "training time")]
    for training in trainings:
        done, last = len(training.epochs), training.epochs[-1:]
        accuracy = next((f"{epoch.test.accuracy:.2%}" for epoch in last), "-")
        time = f"{training.seconds:.1f} s"
        rows.append((training.name, f"{training.parameters:,}", str(done), accuracy, time))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "   ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]) for row in rows
    ]
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]])


def write(path: Path, job: Job, trainings: Sequence[Training], finished: bool) -> None:
    """Everything that was measured, with what is needed to do it again."""
    metrics = {
        "finished": finished,
        "settings": settings(job),
        "versions": versions(),
        "machine": f"{platform.system()} {platform.machine()}",
        "nets": {
            training.name: {
                "parameters": training.parameters,
                "train_seconds": training.seconds,
                "epochs": [_numbers(epoch) for epoch in training.epochs],
            }
            for training in trainings
        },
    }
    path.write_text(json.dumps(metrics, indent=2) + "\n", encoding="utf-8")


def settings(job: Job) -> dict[str, Any]:
    """What the numbers depend on; the threads are those in force now."""
    return {
        "data": job.settings.data,
        "optimizer": "Adam",
        "lr": job.recipe.lr,
        "batch_size": job.recipe.batch_size,
        "epochs": job.epochs,
        "seed": job.settings.seed,
        "threads": get_num_threads(),
    }


def versions() -> dict[str, str | None]:
    """Of Python, of this project and of the libraries under it."""
    ours = {"python": platform.python_version(), "autograd-core": __version__}
    return ours | {library: _installed(library) for library in LIBRARIES}


def _installed(library: str) -> str | None:
    try:
        return version(library)
    except PackageNotFoundError:
        return None


def _numbers(epoch: Epoch) -> dict[str, float]:
    return {
        "epoch": epoch.number,
        "train_loss": epoch.train_loss,
        "test_loss": epoch.test.loss,
        "test_accuracy": epoch.test.accuracy,
        "train_seconds": epoch.seconds,
    }
