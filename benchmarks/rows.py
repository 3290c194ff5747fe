"""What a row says: medians, quartiles, and whether a bound holds."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from benchmarks.case import Case


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
                (self.ratio, self.case.max_ratio),
            )
            if summary and bound is not None
        ]
        if not held:
            return Status.UNBOUND
        return Status.PASS if all(held) else Status.FAIL
