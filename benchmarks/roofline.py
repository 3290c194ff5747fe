"""The roofline of a run: what each kernel reaches, under what arithmetic and memory allow.

Williams, Waterman and Patterson, Roofline (2009).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from optim.figure_style import COLOURS

MARKS = "osDv^P*"


def points(run: Mapping[str, Any]) -> dict[str, list[tuple[float, float]]]:
    """Return flops a byte and GFLOP/s of ours, by group, of the rows that count both."""
    found: dict[str, list[tuple[float, float]]] = {}
    for rows in run["suites"].values():
        for row in rows:
            if row["ours"] and row["flops"] and row["moved"]:
                speed = row["flops"] / row["ours"]["median"] / 1e3
                place = (row["flops"] / row["moved"], speed)
                found.setdefault(row["group"] or "other", []).append(place)
    return found


def draw(run: Mapping[str, Any], path: Path) -> None:
    """Write the picture as SVG; needs matplotlib, of the extra `demo`."""
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot as plt

    groups = points(run)
    peak, bandwidth = run["limits"]["GFLOP/s float32"], run["limits"]["GB/s"]
    reach = [place for places in groups.values() for place, _ in places]
    figure, axes = plt.subplots(figsize=(7, 4.5), layout="constrained")
    low, high = min([*reach, 0.1]) / 2, max([*reach, 10.0]) * 2
    ridge = peak / bandwidth
    axes.plot([low, ridge, high], [low * bandwidth, peak, peak], color="#555555", lw=1.5)
    axes.annotate(f"{peak:.0f} GFLOP/s", (high, peak), (-4, 4), textcoords="offset points",
                  ha="right")  # fmt: skip
    axes.annotate(f"{bandwidth:.0f} GB/s", (low * 2, low * 2 * bandwidth), (10, -8),
                  textcoords="offset points")  # fmt: skip
    for i, (group, places) in enumerate(sorted(groups.items())):
        x, y = zip(*places, strict=True)
        colour, mark = COLOURS[i % len(COLOURS)], MARKS[i % len(MARKS)]
        axes.scatter(x, y, s=14, color=colour, marker=mark, label=group, alpha=0.8)
    axes.set(xscale="log", yscale="log", xlabel="flops a byte", ylabel="GFLOP/s")
    threads = run["environment"]["threads"]
    axes.set_title(f"Kernels under the roofline, {threads} thread{'s' if threads > 1 else ''}")
    axes.legend(fontsize=8, frameon=False, loc="lower right")
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)
