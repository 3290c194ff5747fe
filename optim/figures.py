"""The pictures of optimisation: the range test of a rate, paths down a surface."""

# Of matplotlib's functions some are typed in part only.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Sequence
from math import log

import numpy as np
from numpy.typing import NDArray

from .figure_style import COLOURS, QUIET, STYLE, blank
from .lr_finder import RangeTest
from .paths import Path, Surface

try:
    from matplotlib import rc_context
    from matplotlib.axes import Axes
    from matplotlib.colors import BoundaryNorm
    from matplotlib.figure import Figure
except ImportError as error:
    message = 'pictures need matplotlib: pip install "autograd-core[demo]"'
    raise ImportError(message) from error

__all__ = ["contours", "range_test"]

LEVELS = 24


def contours(surface: Surface, paths: Sequence[Path] = ()) -> Figure:
    """Lines of equal height, the minima as stars, and each path from the start on."""
    x, y, height = surface.grid()
    levels = _levels(height)
    with rc_context(STYLE):
        width, height_shown = np.ptp(surface.x_range), np.ptp(surface.y_range)
        figure = blank(8.0, 1.5 + 6.5 * float(height_shown / width))
        axes = figure.subplots()
        shades = BoundaryNorm(levels, 256)
        axes.contourf(x, y, height, levels, cmap="Greys", norm=shades, alpha=0.5)
        axes.contour(x, y, height, levels, colors=QUIET, linewidths=0.6, linestyles="solid")
        for number, one in enumerate(paths):
            _draw_path(axes, one, surface, COLOURS[number % len(COLOURS)])
        for place in surface.minima:
            axes.plot(*place, "*", color="white", markeredgecolor="black", markersize=16, zorder=5)
        axes.set(title=surface.name, xlabel="$x$", ylabel="$y$", aspect="equal")
        axes.set(xlim=surface.x_range, ylim=surface.y_range)
        if paths:
            figure.legend(loc="outside lower center", ncols=min(2, len(paths)))
    return figure


def _levels(height: NDArray[np.float64]) -> NDArray[np.float64]:
    """Space the levels evenly in a power of the height, of which the middle parts the area in two.

    So the floor of a steep valley has lines as well as its walls.
    """
    floor, range_ = float(height.min()), float(np.ptp(height)) or 1.0
    middle = (float(np.median(height)) - floor) / range_
    power = log(0.5) / log(middle) if 0 < middle < 1 else 1.0
    return floor + range_ * np.linspace(0.0, 1.0, LEVELS + 1) ** (1 / power)


def _draw_path(axes: Axes, path: Path, surface: Surface, colour: str) -> None:
    shown = np.array([surface.x_range, surface.y_range])
    inside = ((path.points >= shown[:, 0]) & (path.points <= shown[:, 1])).all(1)
    # What has left the picture for good is not followed any farther.
    x, y = path.points[: np.flatnonzero(inside).max(initial=0) + 2].T
    label = f"{path.name}, {path.heights[-1]:.2g} after {len(path.points) - 1} steps"
    axes.plot(x, y, color="white", linewidth=4.0, zorder=2)
    axes.plot(x, y, ".-", color=colour, linewidth=1.8, markersize=6, zorder=3, label=label)
    axes.plot(x[0], y[0], "o", color="black", markersize=8, zorder=4)


def range_test(test: RangeTest) -> Figure:
    """The loss against the rate, as measured and smoothed, and where it falls most steeply."""
    with rc_context(STYLE):
        figure = blank(8.0, 5.0)
        axes = figure.subplots()
        axes.plot(test.rates, test.losses, color=QUIET, linewidth=1.0, label="each batch")
        axes.plot(test.rates, test.smoothed, color=COLOURS[0], label="smoothed")
        try:
            rate = test.suggestion()
        except ValueError:  # it never fell, and that is what the picture shows
            pass
        else:
            label = f"steepest fall, {rate:.2g}"
            axes.axvline(rate, color=COLOURS[1], linestyle="--", label=label)
        axes.set(xscale="log", xlabel="learning rate (log scale)", ylabel="loss")
        axes.set_ylim(*_loss_range(test))
        axes.set_title("Range test" + (", ended by divergence" if test.diverged else ""))
        figure.legend(loc="outside lower center", ncols=3)
    return figure


def _loss_range(test: RangeTest) -> tuple[float, float]:
    """Return what to show of the losses, from 0: all up to the lowest, and so where they rise."""
    shown = np.asarray(test.losses[: test.lowest() + 1])
    low, high = (f(shown[np.isfinite(shown)], initial=0.0) for f in (np.min, np.max))
    room = 0.05 * (high - low) or 1.0
    return float(low - room), float(high + room)
