"""Reductions and indexing of a large array, ours and NumPy's own: what recording adds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.case import OURS, Case, Job, Prepare

SIDE = 1000
Call = Callable[[Any, Any, Any], Any]

# name, ours on (x, rows, mask), NumPy's on the same arrays
PAIRS: list[tuple[str, Call, Call]] = [
    ("sum(1)", lambda x, r, m: x.sum(1), lambda x, r, m: x.sum(1)),
    ("sum()", lambda x, r, m: x.sum(), lambda x, r, m: x.sum()),
    ("mean(0)", lambda x, r, m: x.mean(0), lambda x, r, m: x.mean(0)),
    ("amax(1)", lambda x, r, m: x.amax(1), lambda x, r, m: x.max(1)),
    ("argmax(1)", lambda x, r, m: x.argmax(1), lambda x, r, m: x.argmax(1)),
    ("prod(1)", lambda x, r, m: x.prod(1), lambda x, r, m: x.prod(1)),
    ("var(1)", lambda x, r, m: x.var(1), lambda x, r, m: x.var(1, ddof=1)),
    ("cumsum(1)", lambda x, r, m: x.cumsum(1), lambda x, r, m: x.cumsum(1)),
    ("cummax(1)", lambda x, r, m: x.cummax(1).values, lambda x, r, m: np.maximum.accumulate(x, 1)),
    ("sort(1)", lambda x, r, m: x.sort(1).indices, lambda x, r, m: x.argsort(1, "stable")),
    ("x[rows]", lambda x, r, m: x[r], lambda x, r, m: x[r]),
    ("x[:, rows]", lambda x, r, m: x[:, r], lambda x, r, m: x[:, r]),
    ("x[mask]", lambda x, r, m: x[m], lambda x, r, m: x[m]),
    ("index_select(0)", lambda x, r, m: x.index_select(0, r), lambda x, r, m: x.take(r, 0)),
    ("flip(1)", lambda x, r, m: x.flip(1), lambda x, r, m: np.flip(x, 1).copy()),
]  # fmt: skip


def arrays() -> tuple[Any, Any, Any]:
    rng = np.random.default_rng(0)
    x = rng.uniform(0.9, 1.1, (SIDE, SIDE)).astype(np.float32)
    return x, rng.integers(0, SIDE, SIDE), x > 1.0


def ours(call: Call) -> Prepare:
    def prepare() -> Job:
        import autograd_core as ag

        x, rows, mask = (ag.tensor(array) for array in arrays())
        x.requires_grad_()
        return Job(lambda: call(x, rows, mask))

    return prepare


def numpys(call: Call) -> Prepare:
    def prepare() -> Job:
        x, rows, mask = arrays()
        return Job(lambda: call(x, rows, mask))

    return prepare


CASES = [
    Case(
        f"{name}, {SIDE} x {SIDE}",
        {OURS: ours(mine), "numpy": numpys(theirs)},
        max_ratio=1.2,
        quick=False,
    )
    for name, mine, theirs in PAIRS
]
