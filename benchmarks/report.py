"""Rows as a table for people and as JSON for later comparison."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path

from benchmarks.environment import environment
from benchmarks.harness import Plan
from benchmarks.rows import Row, Status, Summary

HEADINGS = ("case", "ours", "peer", "ratio [quartiles]", "bound", "result")
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
    if case.max_ratio is not None:
        said.append(f"<= {case.max_ratio:g}")
    if case.stretch is not None:
        said.append(f"stretch {case.stretch:g}")
    return ", ".join(said)


def cells(row: Row) -> list[str]:
    peer = row.note or (f"{duration(row.theirs.median)} {row.peer}" if row.theirs else "")
    return [
        row.case.name,
        duration(row.ours.median) if row.ours else "",
        peer,
        quartiles(row.ratio) if row.ratio else "",
        bounds(row),
        row.status,
    ]


def show(suite: str, rows: Sequence[Row]) -> None:
    """Print a suite's table: with rich on a terminal that has it, else in plain columns."""
    if sys.stdout.isatty() and find_spec("rich"):
        show_rich(suite, rows)
    else:
        print(plain(suite, rows))
    for row in rows:
        if row.error:
            print(f"{row.case.name}: {row.error}")


def plain(suite: str, rows: Sequence[Row]) -> str:
    table = [list(HEADINGS), *(cells(row) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in table
    ]
    return "\n".join([suite, *lines])


def show_rich(suite: str, rows: Sequence[Row]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*HEADINGS, title=suite)
    for row in rows:
        *said, status = cells(row)
        # Text, not markup: the brackets of the quartiles are brackets.
        table.add_row(*map(Text, said), Text(status, style=COLOURS[row.status]))
    Console().print(table)


def progress(suite: str, done: int, total: int, name: str) -> None:
    """Keep one line at the bottom of a terminal; the last call clears it."""
    if sys.stderr.isatty():
        text = f"{suite} {done + 1}/{total}: {name}" if done < total else ""
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)


def as_data(row: Row) -> dict[str, object]:
    """A row for JSON; times in microseconds."""
    case = row.case
    return {
        "case": case.name,
        "peer": row.peer,
        "per": case.per,
        **{part: summary and asdict(summary) for part, summary in row.summaries().items()},
        "max_us": case.max_us,
        "max_ratio": case.max_ratio,
        "stretch": case.stretch,
        "status": row.status,
        "note": row.error or row.note,
    }


def write(path: Path, plan: Plan, suites: Mapping[str, Sequence[Row]]) -> None:
    """Write the rows of some suites, with what is needed to judge them."""
    data = {
        "environment": environment(plan.threads),
        "pairs": plan.pairs,
        "quick": plan.quick,
        "suites": {suite: [as_data(row) for row in rows] for suite, rows in suites.items()},
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(data, indent=2) + "\n")
