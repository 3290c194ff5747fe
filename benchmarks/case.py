"""What is timed: a case, its sides, and the job that each side makes ready."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module

import numpy as np

OURS = "ours"
PACKAGE = "benchmarks.suites"

Call = Callable[[], object]


@dataclass(frozen=True)
class Job:
    """One side of a case, ready to run.

    The time of `minus` is taken off that of `call` (forward and backward, less forward).
    `answer` gives numbers on which ours and the peer must agree before anything is timed.
    """

    call: Call
    minus: Call | None = None
    answer: Callable[[], Sequence[float]] | None = None


Prepare = Callable[[], Job]


@dataclass(frozen=True)
class Case:
    """A row of a suite for each peer among its sides.

    Times are reported for one of the `per` equal parts of a call. `max_us` bounds ours,
    `max_ratio` bounds ours / peer, for all peers or by name; `stretch` is a ratio to aim at, shown
    but never failed. `flops` and `moved`, bytes to and from memory, are those of a call: they give
    the share of what the machine can do. Rows of a `group` have a bounded mean, see Mean.
    """

    name: str
    sides: Mapping[str, Prepare]
    per: int = 1
    max_us: float | None = None
    max_ratio: float | Mapping[str, float] | None = None
    stretch: float | None = None
    rtol: float = 1e-5
    quick: bool = True  # False: too large for a run that only shows liveness
    flops: float = 0.0
    moved: float = 0.0
    dtype: str = "float32"
    group: str = ""

    @property
    def peers(self) -> list[str]:
        return [side for side in self.sides if side != OURS]

    def bound(self, peer: str | None) -> float | None:
        """Return the largest ratio that is allowed against a peer."""
        if isinstance(self.max_ratio, Mapping):
            return self.max_ratio.get(peer or "")
        return self.max_ratio


@dataclass(frozen=True)
class Mean:
    """A bound on the geometric mean of ratios against one peer, of groups that begin so."""

    group: str
    peer: str
    bound: float


def means_of(module: str) -> Sequence[Mean]:
    """The means that a suite's module bounds."""
    return getattr(import_module(module), "MEANS", ())


def control(*peers: str) -> Case:
    """The same small NumPy product on every side: its ratio shows the noise of the machine."""

    def product() -> Job:
        a, b = np.full(4, 1.5), np.full(4, 0.5)
        return Job(lambda: np.multiply(a, b))

    return Case("np.multiply (control)", dict.fromkeys((OURS, *peers), product))


def suite_names() -> list[str]:
    return sorted(module.name for module in pkgutil.iter_modules(import_module(PACKAGE).__path__))


def cases_of(module: str) -> dict[str, Case]:
    """The cases of a suite's module by name, in order."""
    cases = {}
    for case in import_module(module).CASES:
        if case.name in cases:
            raise ValueError(f"{module} has two cases named {case.name!r}; rename one of them")
        if OURS not in case.sides:
            raise ValueError(f"{module}: case {case.name!r} has no side {OURS!r}; add it")
        cases[case.name] = case
    return cases
