"""The pictures of a training: learning curves, and the images that were taken for others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .loop import Epoch

try:
    from matplotlib import rc_context
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator, PercentFormatter
except ImportError as error:
    message = 'pictures need matplotlib: pip install "autograd-core[demo]"'
    raise ImportError(message) from error

__all__ = ["discard", "learning_curves", "misclassified", "save"]

# Okabe and Ito's palette, which people see alike whatever colours they see.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
FAULT = COLOURS[1]
QUIET = "#8a8a8a"
COLUMNS, ROWS = 8, 3  # of the misclassified images

STYLE: dict[str, Any] = {
    "font.size": 13,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#e4e4e4",
    "lines.linewidth": 2.2,
    "legend.frameon": False,
    # The same numbers give the same file.
    "svg.hashsalt": "autograd-core",
}


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
        figure = Figure(figsize=(11, 4.8), layout="constrained")
        figure.suptitle(title)
        left, right = figure.subplots(1, 2)
        for colour, (name, epochs) in zip(COLOURS, curves.items(), strict=False):
            if epochs:
                _draw_losses(left, name, epochs, colour)
                _draw_accuracies(right, name, epochs, colour)
        left.set(xlabel="epoch", ylabel="cross-entropy (log scale)", title="loss", yscale="log")
        right.set(xlabel="epoch", ylabel="right answers", title="accuracy on test images")
        right.yaxis.set_major_formatter(PercentFormatter(xmax=1))
        for axes in (left, right):
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
            axes.legend()
    return figure


def _draw_losses(axes: Axes, name: str, epochs: Sequence[Epoch], colour: str) -> None:
    numbers = [epoch.number for epoch in epochs]
    test, train = [e.test.loss for e in epochs], [e.train_loss for e in epochs]
    look: dict[str, Any] = {"color": colour, "marker": _marker(epochs)}
    axes.plot(numbers, test, label=f"{name}, test", **look)
    axes.plot(numbers, train, label=f"{name}, training", linestyle="--", **look)


def _draw_accuracies(axes: Axes, name: str, epochs: Sequence[Epoch], colour: str) -> None:
    numbers, accuracies = zip(*((e.number, e.test.accuracy) for e in epochs), strict=True)
    label = f"{name}: {accuracies[-1]:.1%} at the end"
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
        figure = Figure(figsize=(11, 1.2 + 1.75 * rows), layout="constrained")
        which = f"; the first {len(shown)}" if len(shown) < len(wrong) else ""
        figure.suptitle(f"{title}: {len(wrong):,} of {len(labels):,} test images wrong{which}")
        cells = list(figure.subplots(rows, COLUMNS, squeeze=False).flat)
        for axes, index in zip(cells, shown, strict=False):
            _draw_image(axes, images[index, 0], labels[index], predictions[index])
        for axes in cells[len(shown) :]:
            axes.set_axis_off()
    return figure


def _draw_image(axes: Axes, image: NDArray[Any], label: int, prediction: int) -> None:
    axes.imshow(image, cmap="gray_r")
    axes.set_title(f"true {label}", fontsize=12)
    axes.set_xlabel(f"predicted {prediction}", fontsize=12, color=FAULT)
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set(visible=True, color=QUIET)
