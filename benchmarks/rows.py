"""What a row says: medians, quartiles, and whether a bound holds."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from benchmarks.case import Case, Mean


@dataclass(frozen=True)
class Summary:
    """Median, lower and upper quartile of some samples."""

    median: float
    low: float
    high: float
    samples: int

    @classmethod
    def of(cls, samples: Sequence[float]) -> Summary:
        low, median, high = statistics.quantiles(samples, n=4, method="inclusive")
        return cls(median, low, high, len(samples))


class Status(StrEnum):
    PASS = "PASS"
    FAIL = "FAIL"
    UNBOUND = "--"  # nothing to hold it to, or no peer to compare with
    ERROR = "ERROR"


@dataclass(frozen=True)
class Row:
    """A case against one peer: microseconds of each, and the ratio ours / peer, pair by pair."""

    case: Case
    peer: str | None = None
    ours: Summary | None = None
    theirs: Summary | None = None
    ratio: Summary | None = None
    note: str = ""
    error: str = ""

    @classmethod
    def paired(cls, case: Case, peer: str, pairs: Sequence[tuple[float, float]]) -> Row:
        """From samples taken in turns: each ratio is of two neighbours, which share the noise."""
        ours, theirs = zip(*pairs, strict=True)
        ratio = Summary.of([a / b for a, b in pairs])
        return cls(case, peer, Summary.of(ours), Summary.of(theirs), ratio)

    def summaries(self) -> dict[str, Summary | None]:
        return {"ours": self.ours, "theirs": self.theirs, "ratio": self.ratio}

    @property
    def status(self) -> Status:
        """A bound is broken when even the lower quartile exceeds it."""
        if self.error:
            return Status.ERROR
        held = [
            summary.low <= bound
            for summary, bound in (
                (self.ours, self.case.max_us),
                (self.ratio, self.case.bound(self.peer)),
            )
            if summary and bound is not None
        ]
        if not held:
            return Status.UNBOUND
        return Status.PASS if all(held) else Status.FAIL

    def share(self, limits: Mapping[str, float]) -> float | None:
        """Return ours as a share of what the machine could do at most; None where nobody knows.

        The time that it would take is that of the arithmetic or of the bytes, the longer one.
        """
        if not (self.ours and limits and (self.case.flops or self.case.moved)):
            return None
        arithmetic = self.case.flops / limits[f"GFLOP/s {self.case.dtype}"]
        return max(arithmetic, self.case.moved / limits["GB/s"]) / 1e3 / self.ours.median


@dataclass(frozen=True)
class Average:
    """The geometric mean of a group's ratios, and whether its bound holds."""

    mean: Mean
    ratio: float
    low: float  # of the rows' lower quartiles
    worst: float
    rows: int

    @classmethod
    def of(cls, mean: Mean, rows: Sequence[Row]) -> Average | None:
        ratios = [
            row.ratio
            for row in rows
            if row.ratio and row.peer == mean.peer and row.case.group.startswith(mean.group)
        ]
        if not ratios:
            return None
        middle, low = (
            statistics.geometric_mean(getattr(ratio, name) for ratio in ratios)
            for name in ("median", "low")
        )
        return cls(mean, middle, low, max(ratio.median for ratio in ratios), len(ratios))

    @property
    def status(self) -> Status:
        return Status.PASS if self.low <= self.mean.bound else Status.FAIL
