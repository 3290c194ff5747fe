"""Rows as a table for people and as JSON for later comparison."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path

from benchmarks.environment import environment
from benchmarks.harness import Plan
from benchmarks.rows import Average, Row, Status, Summary

Limits = Mapping[str, float]  # of this machine, see benchmarks/limits.py; empty: not measured


@dataclass(frozen=True)
class Measured:
    """What came of one suite."""

    rows: Sequence[Row]
    averages: Sequence[Average]


HEADINGS = ("case", "ours", "of limit", "peer", "ratio [quartiles]", "bound", "result")
COLOURS = {Status.PASS: "green", Status.FAIL: "red", Status.ERROR: "red", Status.UNBOUND: ""}


def duration(us: float) -> str:
    """Three digits and a unit that suits the size."""
    for unit, size in (("s", 1e6), ("ms", 1e3), ("us", 1.0)):
        if abs(us) >= size:
            return f"{us / size:.3g} {unit}"
    return f"{us * 1e3:.3g} ns"


def quartiles(ratio: Summary) -> str:
    return f"{ratio.median:.3f} [{ratio.low:.3f}, {ratio.high:.3f}]"


def bounds(row: Row) -> str:
    case = row.case
    said: list[str] = []
    if case.max_us is not None:
        said.append(f"<= {duration(case.max_us)}")
    if (ratio := case.bound(row.peer)) is not None:
        said.append(f"<= {ratio:g}")
    if case.stretch is not None:
        said.append(f"stretch {case.stretch:g}")
    return ", ".join(said)


def cells(row: Row, limits: Limits) -> list[str]:
    share = row.share(limits)
    peer = row.note or (f"{duration(row.theirs.median)} {row.peer}" if row.theirs else "")
    return [
        row.case.name,
        duration(row.ours.median) if row.ours else "",
        f"{share:.0%}" if share else "",
        peer,
        quartiles(row.ratio) if row.ratio else "",
        bounds(row),
        row.status,
    ]


def mean_line(average: Average) -> str:
    """One line: which rows, their mean, the worst of them."""
    mean = average.mean
    return (
        f"{mean.group}: geometric mean of {average.rows} ratios against {mean.peer} "
        f"{average.ratio:.3f} (bound {mean.bound:g}, {average.status}), worst {average.worst:.2f}"
    )


def show(suite: str, rows: Sequence[Row], averages: Sequence[Average], limits: Limits) -> None:
    """Print a suite's table: with rich on a terminal that has it, else in plain columns."""
    if sys.stdout.isatty() and find_spec("rich"):
        show_rich(suite, rows, limits)
    else:
        print(plain(suite, rows, limits))
    for average in averages:
        print(mean_line(average))
    for row in rows:
        if row.error:
            print(f"{row.case.name}: {row.error}")


def plain(suite: str, rows: Sequence[Row], limits: Limits) -> str:
    table = [list(HEADINGS), *(cells(row, limits) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in table
    ]
    return "\n".join([suite, *lines])


def show_rich(suite: str, rows: Sequence[Row], limits: Limits) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*HEADINGS, title=suite)
    for row in rows:
        *said, status = cells(row, limits)
        # Text, not markup: the brackets of the quartiles are brackets.
        table.add_row(*map(Text, said), Text(status, style=COLOURS[row.status]))
    Console().print(table)


def progress(suite: str, done: int, total: int, name: str) -> None:
    """Keep one line at the bottom of a terminal; the last call clears it."""
    if sys.stderr.isatty():
        text = f"{suite} {done + 1}/{total}: {name}" if done < total else ""
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)


def as_data(row: Row, limits: Limits) -> dict[str, object]:
    """A row for JSON; times in microseconds."""
    case = row.case
    return {
        "case": case.name,
        "group": case.group,
        "peer": row.peer,
        "per": case.per,
        **{part: summary and asdict(summary) for part, summary in row.summaries().items()},
        "max_us": case.max_us,
        "max_ratio": case.bound(row.peer),
        "stretch": case.stretch,
        "flops": case.flops,
        "moved": case.moved,
        "share": row.share(limits),
        "status": row.status,
        "note": row.error or row.note,
    }


def write(path: Path, plan: Plan, suites: Mapping[str, Measured], limits: Limits) -> None:
    """Write the rows and means of some suites, with what is needed to judge them."""
    data = {
        "environment": environment(plan.threads),
        "limits": limits,
        "pairs": plan.pairs,
        "quick": plan.quick,
        "suites": {
            suite: [as_data(row, limits) for row in measured.rows]
            for suite, measured in suites.items()
        },
        "means": {
            suite: [asdict(average) | {"status": average.status} for average in measured.averages]
            for suite, measured in suites.items()
        },
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(data, indent=2) + "\n")
