"""Peak memory and the first step: `python -m benchmarks.memory`.

Each library has a process of its own. What is reported is how far the resident set rises, during
ten steps, above what it was when the arrays were ready (Linux with glibc only), and for networks
how much longer the first step takes than the following ones, with kernels compiled before.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from autograd_core import workspaces
from benchmarks.conv import SHAPES, arrays
from benchmarks.environment import cores, environment
from benchmarks.networks import NETWORKS, training_step
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


def net_step(library: str, name: str) -> Callable[[], object]:
    """A training step of a network."""
    training_step(name, library)()  # loads what is loaded once
    workspaces._own.blocks.clear()  # what kernels work in counts as well
    workspaces._own.cut.clear()
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    return training_step(name, library)


def status(key: str) -> int:
    """Return a number of this process's status, in bytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{key}:"):
            return int(line.split()[1]) * 1024
    raise KeyError(key)


def rise(library: str, name: str) -> int:
    """Return how far the resident set rises during some steps."""
    step = net_step(library, name) if name in NETWORKS else conv_step(library, name)
    before = status("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak so far
    for _ in range(STEPS):
        step()
    return status("VmHWM") - before


def delay(library: str, name: str) -> float:
    """Return how many seconds longer the first step takes than those that follow."""
    step = training_step(name, library)
    times: list[float] = []
    for _ in range(STEPS):
        start = perf_counter()
        step()
        times.append(perf_counter() - start)
    return times[0] - statistics.median(times[1:])


WHAT: dict[str, Callable[[str, str], float]] = {"rise": rise, "delay": delay}


def measured(what: str, library: str, name: str, threads: int) -> float:
    # Bytecode is kept, as an installation does.
    kept = {key: x for key, x in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.memory", what, library, name],
        cwd=ROOT, capture_output=True, text=True, check=True,
        env=kept | dict.fromkeys(THREAD_VARIABLES, str(threads)),
    )  # fmt: skip
    return float(done.stdout)


def table(rows: list[Mapping[str, Any]]) -> list[str]:
    """The rows for readers."""
    lines = [
        "| step | ours | PyTorch | ratio | first step, ours | PyTorch |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        ours, theirs = row["ours"] / 1e6, row["torch"] / 1e6
        later = [f"+{row[key]:.2f} s" if key in row else "" for key in ("first", "torch first")]
        lines.append(
            f"| {row['case']} | {ours:.1f} MB | {theirs:.1f} MB | {row['ratio']:.2f} "
            f"| {' | '.join(later)} |"
        )
    return lines


def page(rows: list[Mapping[str, Any]]) -> str:
    """The chapter of RESULTS.md."""
    what = (
        "How far the resident set rises in ten steps, above what it was when arrays were ready; "
        "for networks, how much longer the first step takes than the following ones, with kernels "
        "that were compiled before (bound 0.5 s)."
    )
    return "\n".join(["## Peak memory and the first step", "", what, "", *table(rows), ""])


def row(case: str, name: str) -> dict[str, Any]:
    """Measure both libraries."""
    ours, theirs = (measured("rise", library, name, cores()) for library in LIBRARIES)
    found: dict[str, Any] = {"case": case, "ours": ours, "torch": theirs, "ratio": ours / theirs}
    if name in NETWORKS:
        found["first"], found["torch first"] = (
            min(measured("delay", library, name, cores()) for _ in range(3))
            for library in LIBRARIES
        )
    return found


def main(arguments: list[str]) -> None:
    if arguments:
        what, *rest = arguments
        print(WHAT[what](*rest))
        return
    rows: list[Mapping[str, Any]] = []
    rows += [row(f"conv2d forward and backward {name}", name) for name, *_ in SHAPES]
    rows += [row(name, name) for name in NETWORKS]
    print("\n".join(table(rows)))
    OUT.write_text(json.dumps({"environment": environment(cores()), "memory": rows}, indent=2))


if __name__ == "__main__":
    main(sys.argv[1:])
