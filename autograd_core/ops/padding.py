"""Widening tensors at their edges: with a constant, or with elements of their own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..errors import ShapeError
from ..op import linear, op
from ..versions import Array

__all__ = ["pad", "pad_constant"]

Widths = Sequence[tuple[int, int]]  # (before, after) for each axis

_MODES: dict[str, Any] = {
    "reflect": "reflect",
    "replicate": "edge",
    "circular": "wrap",
}  # and NumPy's words


def _negated(widths: Widths) -> Widths:
    return tuple((-low, -high) for low, high in widths)


def _split(widths: Widths) -> tuple[Widths, Widths]:
    """Return what is to be added, and what is to be cut off."""
    added = tuple((max(low, 0), max(high, 0)) for low, high in widths)
    return added, tuple((max(-low, 0), max(-high, 0)) for low, high in widths)


def _cropped(x: Array, widths: Widths) -> Array:
    sizes = zip(x.shape, widths, strict=True)
    return x[tuple(slice(low, n - high) for n, (low, high) in sizes)]


@op(
    vjp=[lambda g, widths: pad_constant(g, _negated(widths))],
    jvp=[lambda t, widths: pad_constant(t, widths)],
    label="pad",
)
def pad_constant(x: Array, widths: Widths, value: float = 0.0) -> Array:
    """x with `value` around it; negative widths crop."""
    sizes = [n + low + high for n, (low, high) in zip(x.shape, widths, strict=True)]
    if min(sizes, default=0) < 0:
        raise ShapeError(f"padding {list(widths)} crops more than there is")
    added, cut = _split(widths)
    x = _cropped(x, cut)
    y = np.full(sizes, value, x.dtype) if value else np.zeros(sizes, x.dtype)
    places = zip(x.shape, added, strict=True)
    y[tuple(slice(low, low + n) for n, (low, _) in places)] = x
    return y


@linear(vjp=[lambda g, widths, mode: fold_edges(g, widths, mode)], label=lambda mode: f"pad {mode}")
def pad_edges(x: Array, widths: Widths, mode: str) -> Array:
    """x continued over its edges: mirrored, with its outermost elements, or from its other end."""
    for n, pair in zip(x.shape, widths, strict=True):
        if not any(pair):
            continue  # as it is, even of no elements
        most = {"reflect": n - 1, "circular": n}.get(mode, max(pair))
        if not 0 <= min(pair) <= max(pair) <= most or (max(pair) and not n):
            raise ShapeError(f"{pair} for an axis of {n}: it must be between 0 and {most}")
    return np.pad(x, widths, _MODES[mode])


@linear(vjp=[lambda g, widths, mode: pad_edges(g, widths, mode)], label="fold")
def fold_edges(g: Array, widths: Widths, mode: str) -> Array:
    """Add what lies over the edges to the elements it was taken from; the adjoint of pad_edges."""
    for axis, (low, high) in enumerate(widths):
        if not low and not high:
            continue
        columns = np.moveaxis(g, axis, 0)
        n = len(columns) - low - high
        before, after = columns[:low], columns[low + n :]
        inside = columns[low : low + n].copy()
        if mode == "reflect":
            inside[1 : low + 1] += before[::-1]
            inside[n - 1 - high : n - 1] += after[::-1]
        elif mode == "circular":
            inside[n - low :] += before
            inside[:high] += after
        else:
            inside[0] += before.sum(0)
            inside[-1] += after.sum(0)
        g = np.moveaxis(inside, 0, axis)
    return np.ascontiguousarray(g)


def pad(input: Any, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> Any:
    """Widen the last axes by pad = (before, after) of the last, of the one before it, ..."""
    x, ndim = input, len(input.shape)
    if len(pad) % 2 or len(pad) > 2 * ndim:
        raise ShapeError(
            f"pad got pad={tuple(pad)} for shape {tuple(x.shape)}: "
            "it needs two numbers for each axis, the last one first"
        )
    pairs = [(pad[i], pad[i + 1]) for i in range(0, len(pad), 2)]
    widths = ((0, 0),) * (ndim - len(pairs)) + tuple(pairs[::-1])
    if mode == "constant":
        return pad_constant(x, widths, value or 0)
    if mode not in _MODES:
        known = ", ".join(["constant", *_MODES])
        raise ValueError(f"pad got mode={mode!r}: it must be one of {known}")
    if value is not None:
        raise ValueError(f"pad got value={value} for mode={mode!r}: only a constant takes one")
    added, cut = _split(widths)
    crop = any(low or high for low, high in cut)
    if crop and mode == "circular":  # a mirror still sees what is cut off, a circle does not
        x, crop = pad_constant(x, _negated(cut)), False
    if any(low or high for low, high in added):
        x = pad_edges(x, added, mode)
    return pad_constant(x, _negated(cut)) if crop else x
