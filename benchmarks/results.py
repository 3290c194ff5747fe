"""What runs have left in benchmarks/results: a page for readers, and a comparison of two runs."""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmarks import cifar, demo, memory, roofline
from benchmarks.environment import cores
from benchmarks.process import ROOT
from benchmarks.report import Measured, duration

FOLDER = ROOT / "benchmarks" / "results"
PAGE = ROOT / "benchmarks" / "RESULTS.md"
MOVED = 1.1  # a change of less than a tenth is noise

HEAD = """# Results

Made by `python -m benchmarks` from the files in `benchmarks/results`; do not edit. Times are
medians; a ratio is ours / peer, the median of pairs timed in turns, each library in a process of
its own. A row fails when even the lower quartile of its ratios exceeds the bound. "Of limit" is
the time that the arithmetic or the bytes alone would take on this machine, as a share of ours.
"""


def path_of(suite: str, threads: int) -> Path:
    """Return the file of a suite: a run on fewer threads than there are cores has its own."""
    return FOLDER / (f"{suite}.json" if threads == cores() else f"{suite}-{threads}.json")


def regenerate() -> None:
    """Write the page, and the rooflines, from all files that a full run has left."""
    pages: list[str] = []
    for path in sorted(FOLDER.glob("*.json")):
        run = json.loads(path.read_text())
        if "memory" in run:
            pages.append(memory.page(run["memory"]))
        if "nets" in run:
            pages.append(demo.page(run))
        if "training" in run:
            pages.append(cifar.page(run))
        if "suites" not in run or run["quick"]:
            continue
        picture = path.with_name(f"{path.stem}-roofline.svg")
        if run.get("limits") and roofline.points(run) and find_spec("matplotlib"):
            roofline.draw(run, picture)
        pages.append(page(run))
        if picture.exists():
            pages.append(f"![roofline](results/{picture.name})\n")
    PAGE.write_text("\n".join([HEAD, *pages]))


def page(run: Mapping[str, Any]) -> str:
    """Return the chapter of one run: where, the means, where we lose, all rows."""
    place = run["environment"]
    where = (
        f"{place['cpu']}, {place['threads']} of {place['cores']} threads, Python {place['python']}"
        + "".join(f", {name} {place[name]}" for name in ("numpy", "numba", "torch") if place[name])
        + f"; {place['date'][:10]}, commit {(place['commit'] or 'none')[:9]}"
        + (" with changes" if place["dirty"] else "")
    )
    lines: list[str] = []
    for suite, rows in run["suites"].items():
        lines += [f"## {suite}, {threads(place['threads'])}", "", where + ".", ""]
        if run.get("limits"):
            lines += [limits_line(run["limits"]), ""]
        lines += [mean_line(mean) for mean in run.get("means", {}).get(suite, [])]
        lines += ["", *losses(rows), "", *table(rows), ""]
    return "\n".join(lines)


def threads(n: int) -> str:
    return "1 thread" if n == 1 else f"{n} threads"


def limits_line(limits: Mapping[str, float]) -> str:
    each = ", ".join(f"{value:.0f} {name}" for name, value in limits.items())
    return f"This machine, measured in the same run: {each}."


def mean_line(average: Mapping[str, Any]) -> str:
    mean = average["mean"]
    return (
        f"* {mean['group']} against {mean['peer']}: geometric mean {average['ratio']:.2f} "
        f"of {average['rows']} rows (bound {mean['bound']:g}: {average['status']}), "
        f"worst {average['worst']:.2f}"
    )


def losses(rows: list[dict[str, Any]]) -> list[str]:
    """Name the rows in which the peer is faster, the worst first."""
    slower = [row for row in rows if row["ratio"] and row["ratio"]["low"] > 1.0]
    slower.sort(key=lambda row: -row["ratio"]["median"])
    if not slower:
        return ["No peer is faster in any row."]
    each = (f"{row['case']} {row['ratio']['median']:.2f} ({row['peer']})" for row in slower)
    return [f"Where the peer is faster: {', '.join(each)}."]


def table(rows: list[dict[str, Any]]) -> list[str]:
    lines = [
        "| case | ours | of limit | peer | ratio | quartiles | bound | result |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        ours, theirs, ratio = row["ours"], row["theirs"], row["ratio"]
        share = row.get("share")
        said = [
            row["case"],
            duration(ours["median"]) if ours else "",
            f"{share:.0%}" if share else "",
            f"{row['peer']} {duration(theirs['median'])}" if theirs else row["note"],
            f"{ratio['median']:.2f}" if ratio else "",
            f"{ratio['low']:.2f} to {ratio['high']:.2f}" if ratio else "",
            bound(row),
            row["status"],
        ]
        lines.append("| " + " | ".join(text.replace("|", "/") for text in said) + " |")
    return lines


def bound(row: Mapping[str, Any]) -> str:
    said = [duration(row["max_us"])] if row["max_us"] is not None else []
    if row["max_ratio"] is not None:
        said.append(f"{row['max_ratio']:g}")
    return ", ".join(said)


def compared(old: Path, measured: Mapping[str, Measured]) -> str:
    """Say which ratios moved by a tenth or more since an older run, and the mean of all.

    Ratios to a peer are compared where there is one: the machine may have had a bad day.
    """
    before = {
        (suite, row["case"], row["peer"]): row
        for suite, rows in json.loads(old.read_text())["suites"].items()
        for row in rows
    }
    moves: list[tuple[float, str]] = []
    for suite, found in measured.items():
        for row in found.rows:
            known = before.get((suite, row.case.name, row.peer))
            part = "ratio" if row.ratio else "ours"
            now = getattr(row, part)
            if known and known[part] and now:
                move = now.median / known[part]["median"]
                moves.append((move, f"{suite}: {row.case.name} ({row.peer or 'alone'})"))
    if not moves:
        return f"no row of this run is in {old}"
    lines = [
        f"  {move:.2f} {name}" for move, name in sorted(moves) if move >= MOVED or move <= 1 / MOVED
    ]
    mean = statistics.geometric_mean(move for move, _ in moves)
    return "\n".join([f"{len(moves)} rows, {mean:.3f} of {old} in the mean; moved:", *lines])
