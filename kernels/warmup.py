"""All kernels compiled and on disk, before they are needed."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import numpy as np

from . import FAMILIES
from .pair import PAIRS


def warmup(report: Callable[[int, int, str], None]) -> Path | None:
    """Compile every kernel for every dtype, or load it; return the folder that keeps them.

    `report` is told, before each one, how many are done, how many there are, and its name.
    """
    for family in FAMILIES:
        import_module(f".{family}", __package__)
    jobs = [(pair, np.dtype(str(dtype))) for pair in PAIRS.values() for dtype in pair.dtypes]
    for done, (pair, dtype) in enumerate(jobs):
        report(done, len(jobs), f"{pair.name} ({dtype})")
        pair.compile(dtype)
    stats = [getattr(pair.fast, "stats", None) for pair in PAIRS.values()]
    return next((Path(s.cache_path) for s in stats if s and s.cache_path), None)
