"""Images brought to another size, axis by axis: each new element is a weighted sum of old ones.

Which elements with which weights is a table for each axis, (taps, new size): one tap for the
nearest element, two for a line between neighbours, four for a cubic.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ..op import linear
from ..versions import Array
from .windows import Sizes, single

__all__: list[str] = []

Scales = tuple[float | None, ...]  # new size / old size where it was given, for each axis


class Taps(NamedTuple):
    """For each new element along an axis the places (taps, new) of old ones, and weights."""

    places: Array
    weights: Array | None  # None: 1


def _centers(new: int, old: int, aligned: bool, scale: float | None) -> Array:
    """Return the old coordinate of each new element; 0 is the middle of the first one.

    Aligned, the middles of the outermost elements meet; otherwise their outer edges do.
    """
    if aligned:
        return np.arange(new) * ((old - 1) / (new - 1) if new > 1 else 0.0)
    ratio = old / new if scale is None else 1.0 / scale
    return (np.arange(new) + 0.5) * ratio - 0.5


def _nearest(new: int, old: int, aligned: bool, scale: float | None) -> Taps:
    """The element that holds the left edge.

    The ratio is in single precision, as in PyTorch, so that both round to the same element.
    """
    ratio = np.float32(old / new if scale is None else 1.0 / scale)
    return _holding(np.arange(new, dtype=np.float32) * ratio, old)


def _nearest_exact(new: int, old: int, aligned: bool, scale: float | None) -> Taps:
    """The element that holds the middle."""
    ratio = np.float32(old / new if scale is None else 1.0 / scale)
    return _holding((np.arange(new, dtype=np.float32) + np.float32(0.5)) * ratio, old)


def _holding(at: Array, old: int) -> Taps:
    return Taps(np.minimum(np.floor(at).astype(np.int64), old - 1)[None], None)


def _line(new: int, old: int, aligned: bool, scale: float | None) -> Taps:
    """The two neighbours of the middle, by their distance."""
    at = np.maximum(_centers(new, old, aligned, scale), 0.0)
    left = np.minimum(at.astype(np.int64), old - 1)
    t = np.minimum(at - left, 1.0)
    return Taps(np.stack([left, np.minimum(left + 1, old - 1)]), np.stack([1.0 - t, t]))


def _cubic(new: int, old: int, aligned: bool, scale: float | None) -> Taps:
    """Four neighbours, by the cubic convolution of Keys (1981), equation (4), with a = -0.75."""
    a = -0.75
    at = _centers(new, old, aligned, scale)
    left = np.floor(at).astype(np.int64)
    t = at - left
    inner = [((a + 2) * d - (a + 3)) * d * d + 1 for d in (t, 1 - t)]
    outer = [((a * d - 5 * a) * d + 8 * a) * d - 4 * a for d in (t + 1, 2 - t)]
    places = np.clip(left + np.arange(-1, 3)[:, None], 0, old - 1)
    return Taps(places, np.stack([outer[0], *inner, outer[1]]))


MODES: dict[str, Callable[[int, int, bool, float | None], Taps]] = {
    "nearest": _nearest,
    "nearest-exact": _nearest_exact,
    "linear": _line,
    "cubic": _cubic,
}


def _tables(old: Sizes, new: Sizes, mode: str, aligned: bool, scales: Scales) -> list[Taps | None]:
    """Return the taps of each axis; None where the axis stays as it is.

    A line through an axis that keeps its size leaves it alone, whatever the scale, as in PyTorch.
    """
    return [
        None
        if m == n and (mode == "linear" or scale in (None, 1.0))
        else MODES[mode](m, n, aligned, scale)
        for n, m, scale in zip(old, new, scales, strict=True)
    ]


def _shaped(weights: Array, ndim: int, axis: int, dtype: Any) -> Array:
    return weights.astype(dtype).reshape((-1,) + (1,) * (ndim - 1 - axis))


@linear(
    label=lambda mode: f"resize {mode}",
    vjp=[
        lambda g, shapes, mode, aligned, scales: resize_input(
            g, shapes[0][2:], mode, aligned, scales
        )
    ],
)
def resize(x: Array, size: Sizes, mode: str, aligned: bool, scales: Scales) -> Array:
    """x (n, c, *old) as (n, c, *size)."""
    if x.dtype.char == "e":
        return single(resize.op.forward, x, size, mode, aligned, scales)
    y = x
    for axis, taps in enumerate(_tables(x.shape[2:], size, mode, aligned, scales), start=2):
        if taps is None:
            continue
        seen = [y.take(places, axis) for places in taps.places]
        if taps.weights is not None:
            for part, weights in zip(seen, taps.weights, strict=True):
                part *= _shaped(weights, y.ndim, axis, y.dtype)
        y = seen[0]
        for part in seen[1:]:
            y += part
    return y.copy() if y is x else y


@linear(
    vjp=[lambda g, shapes, mode, aligned, scales: resize(g, shapes[0][2:], mode, aligned, scales)]
)
def resize_input(y: Array, size: Sizes, mode: str, aligned: bool, scales: Scales) -> Array:
    """Zeros (n, c, *size) with y added in where resize took it from: its adjoint."""
    if y.dtype.char == "e":
        return single(resize_input.op.forward, y, size, mode, aligned, scales)
    x = y
    for axis, taps in enumerate(_tables(size, y.shape[2:], mode, aligned, scales), start=2):
        if taps is None:
            continue
        wide = np.zeros((*x.shape[:axis], size[axis - 2], *x.shape[axis + 1 :]), x.dtype)
        for k, places in enumerate(taps.places):
            weights = None if taps.weights is None else taps.weights[k]
            part = x if weights is None else x * _shaped(weights, x.ndim, axis, x.dtype)
            # Places never fall, so equal ones stand together.
            starts = np.flatnonzero(np.diff(places, prepend=-1))
            where = (slice(None),) * axis + (places[starts],)
            wide[where] += np.add.reduceat(part, starts, axis)
        x = wide
    return x.copy() if x is y else x
