"""The pictures of a training: learning curves, and the images that were taken for others."""

# Of matplotlib's functions some are typed in part only.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from optim.figure_style import COLOURS, QUIET, blank
from optim.figure_style import STYLE as PLAIN

from .loop import Epoch

try:
    from matplotlib import rc_context
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator
except ImportError as error:
    message = 'pictures need matplotlib: pip install "autograd-core[demo]"'
    raise ImportError(message) from error

__all__ = ["discard", "learning_curves", "misclassified", "save"]

STYLE: Any = PLAIN | {"axes.grid": True, "grid.color": "#e4e4e4"}
FAULT = COLOURS[1]
COLUMNS, ROWS = 8, 3  # of the misclassified images


def save(figure: Figure, path: Path) -> None:
    """Write path.png and path.svg."""
    with rc_context(STYLE):
        figure.savefig(path.with_suffix(".png"), dpi=150)
        figure.savefig(path.with_suffix(".svg"), metadata={"Date": None})


def discard(path: Path) -> None:
    """Delete what `save` may have written there before."""
    for suffix in (".png", ".svg"):
        path.with_suffix(suffix).unlink(missing_ok=True)


def learning_curves(curves: Mapping[str, Sequence[Epoch]], title: str) -> Figure:
    """Loss and accuracy against epochs, one colour a network."""
    with rc_context(STYLE):
        figure = blank(11, 4.8, f"Learning curves, {title}")
        left, right = figure.subplots(1, 2)
        for colour, (name, epochs) in zip(COLOURS, curves.items(), strict=False):
            _draw_losses(left, name, epochs, colour)
            _draw_accuracies(right, name, epochs, colour)
        left.set(xlabel="epoch", ylabel="cross-entropy (log scale)", yscale="log")
        left.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        left.yaxis.set_major_formatter("{x:g}")
        left.yaxis.set_minor_locator(NullLocator())
        right.set(xlabel="epoch", ylabel="test accuracy (%)")
        for axes in (left, right):
            whole = MaxNLocator(integer=True, steps=[1, 2, 5, 10], min_n_ticks=1)
            axes.xaxis.set_major_locator(whole)
            axes.legend()
    return figure


def _draw_losses(axes: Axes, name: str, epochs: Sequence[Epoch], colour: str) -> None:
    numbers = [epoch.number for epoch in epochs]
    test, train = [e.test.loss for e in epochs], [e.train_loss for e in epochs]
    look: dict[str, Any] = {"color": colour, "marker": _marker(epochs)}
    axes.plot(numbers, test, label=f"{name}, test", **look)
    axes.plot(numbers, train, "--", label=f"{name}, training", markerfacecolor="white", **look)


def _draw_accuracies(axes: Axes, name: str, epochs: Sequence[Epoch], colour: str) -> None:
    numbers = [epoch.number for epoch in epochs]
    accuracies = [100 * epoch.test.accuracy for epoch in epochs]
    label = f"{name}, {accuracies[-1]:.1f} % at the end"
    axes.plot(numbers, accuracies, color=colour, marker=_marker(epochs), label=label)


def _marker(epochs: Sequence[Epoch]) -> str:
    """Dots on short curves: a curve of one epoch is nothing else."""
    return "o" if len(epochs) <= 10 else ""


def misclassified(
    images: NDArray[Any], labels: NDArray[Any], predictions: NDArray[Any], title: str
) -> Figure:
    """The first of the images (N, 1, H, W) whose prediction is not their label."""
    wrong = np.flatnonzero(labels != predictions)
    shown = wrong[: COLUMNS * ROWS]
    rows = max(1, -(-len(shown) // COLUMNS))
    with rc_context(STYLE):
        which = f"; the first {len(shown)}" if len(shown) < len(wrong) else ""
        heading = f"{title}: {len(wrong):,} of {len(labels):,} test images wrong{which}"
        figure = blank(11, 0.7 + 1.75 * rows, heading)
        cells = list(figure.subplots(rows, COLUMNS, squeeze=False).flat)
        for axes, index in zip(cells, shown, strict=False):
            _draw_image(axes, images[index, 0], int(labels[index]), int(predictions[index]))
        for axes in cells[len(shown) :]:
            axes.set_axis_off()
    return figure


def _draw_image(axes: Axes, image: NDArray[Any], label: int, prediction: int) -> None:
    axes.imshow(image, cmap="gray_r")
    axes.set_title(f"true {label}", fontsize=12)
    axes.set_xlabel(f"predicted {prediction}", fontsize=12, color=FAULT)
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set(visible=True, color=QUIET)
