"""Peak memory of a step, each library in a process of its own: `python -m benchmarks.memory`.

What is reported is how far the resident set rises, during ten steps, above what it was when the
arrays were ready: Linux only.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.conv import SHAPES, arrays
from benchmarks.environment import cores, environment
from benchmarks.process import ROOT, THREAD_VARIABLES

STEPS = 10
LIBRARIES = {"ours": "autograd_core", "torch": "torch"}
OUT = ROOT / "benchmarks" / "results" / "memory.json"


def conv_step(library: str, name: str) -> Callable[[], object]:
    """Forward and backward of conv2d with a bias, all three gradients."""
    shape = next(each[1:] for each in SHAPES if each[0] == name)
    *_, stride, padding = shape
    x, w, g = arrays(*shape)
    bias = np.zeros(len(w), np.float32)
    lib: Any = import_module(LIBRARIES[library])
    F: Any = import_module("torch.nn.functional" if library == "torch" else "nn.functional")
    leaves = [lib.tensor(a, requires_grad=True) for a in (x, w, bias)]
    cotangent = lib.tensor(g)
    del x, w, g

    def step() -> None:
        for leaf in leaves:
            leaf.grad = None
        F.conv2d(*leaves, stride=stride, padding=padding).backward(cotangent)

    # What is loaded and compiled once is not what a step takes.
    small = [lib.tensor(np.ones(s, np.float32), requires_grad=True) for s in ((8, 8, 16, 16),
             (8, 8, 3, 3), (8,))]  # fmt: skip
    F.conv2d(*small).sum().backward()
    return step


def status(key: str) -> int:
    """Return a number of this process's status, in bytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{key}:"):
            return int(line.split()[1]) * 1024
    raise KeyError(key)


def rise(library: str, name: str) -> int:
    """Return how far the resident set rises during some steps."""
    step = conv_step(library, name)
    before = status("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak so far
    for _ in range(STEPS):
        step()
    return status("VmHWM") - before


def measured(library: str, name: str, threads: int) -> int:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.memory", library, name],
        cwd=ROOT, capture_output=True, text=True, check=True,
        env=os.environ | dict.fromkeys(THREAD_VARIABLES, str(threads)),
    )  # fmt: skip
    return int(done.stdout)


def table(rows: list[Mapping[str, Any]]) -> list[str]:
    """The rows for readers."""
    lines = ["| step | ours | PyTorch | ratio |", "|---|---|---|---|"]
    for row in rows:
        ours, theirs = row["ours"] / 1e6, row["torch"] / 1e6
        lines.append(f"| {row['case']} | {ours:.1f} MB | {theirs:.1f} MB | {row['ratio']:.2f} |")
    return lines


def page(rows: list[Mapping[str, Any]]) -> list[str]:
    """The chapter of RESULTS.md."""
    what = "How far the resident set rises in ten steps, above what it was when arrays were ready."
    return ["## Peak memory", "", what, "", *table(rows), ""]


def main(arguments: list[str]) -> None:
    if arguments:
        print(rise(*arguments))
        return
    rows: list[Mapping[str, Any]] = []
    for name, *_ in SHAPES:
        ours, theirs = (measured(library, name, cores()) for library in LIBRARIES)
        case = f"conv2d forward and backward {name}"
        rows.append({"case": case, "ours": ours, "torch": theirs, "ratio": ours / theirs})
    print("\n".join(table(rows)))
    OUT.write_text(json.dumps({"environment": environment(cores()), "memory": rows}, indent=2))


if __name__ == "__main__":
    main(sys.argv[1:])
