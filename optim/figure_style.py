"""How pictures look, those of optimisation and those of training."""

# Of matplotlib's functions some are typed in part only.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Okabe and Ito's palette, which people see alike whatever colours they see.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
QUIET = "#8a8a8a"

STYLE: Any = {
    "font.size": 13,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "lines.linewidth": 2.2,
    "legend.frameon": False,
    # The same numbers give the same file.
    "svg.hashsalt": "autograd-core",
}


def blank(width: float, height: float, title: str | None = None) -> Figure:
    """Return a figure of so many inches that finds room for whatever is put into it."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height))
    figure.set_layout_engine("constrained", w_pad=0.12, h_pad=0.08)
    if title is not None:
        figure.suptitle(title)
    return figure
