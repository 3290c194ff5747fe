"""Where and on what a run was measured."""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from benchmarks.process import ROOT

LIBRARIES = ("numpy", "numba", "torch")


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def cpu_model() -> str:
    """The processor's name as the system tells it."""
    table = Path("/proc/cpuinfo")
    if table.exists():
        for line in table.read_text().splitlines():
            key, _, value = line.partition(":")
            if key.strip() == "model name":
                return value.strip()
    return platform.processor() or platform.machine()


def git(*arguments: str) -> str | None:
    """What git prints; None outside a repository, before the first commit, or without git."""
    try:
        done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True)
    except FileNotFoundError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def installed(library: str) -> str | None:
    try:
        return version(library)
    except PackageNotFoundError:
        return None


def environment(threads: int) -> dict[str, object]:
    # Results are written by the run itself, so they do not make a tree dirty.
    changes = git("status", "--porcelain", "--", ".", ":(exclude)benchmarks/results")
    return {
        "commit": git("rev-parse", "--verify", "HEAD"),
        "dirty": None if changes is None else bool(changes),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "cpu": cpu_model(),
        "cores": cores(),
        "threads": threads,
        "python": platform.python_version(),
        **{library: installed(library) for library in LIBRARIES},
    }
