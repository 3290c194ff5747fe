"""Pooling of windows along the last axes of x (n, c, *size): their largest element, their mean.

A pooling of means is linear, and the op after it its adjoint. The largest elements come with
their places in the flattened spatial axes, to which a gradient goes back.
"""

from __future__ import annotations

import math
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from ..errors import ShapeError
from ..op import linear, op
from ..versions import Array
from .shape import add_reduce
from .windows import Pairs, Sizes, cropped, padded, positions, single, steps

__all__: list[str] = []

Divisor = Array | float


class Pooled(NamedTuple):
    """Largest elements, and where they are in the flattened spatial axes."""

    values: Any
    indices: Any


@linear(vjp=[lambda g, indices: pick(g, indices), None])
def unpool(y: Array, indices: Array, size: Sizes) -> Array:
    """Zeros (n, c, *size) with y (n, c, *positions) added in at flat spatial places."""
    planes, length = math.prod(y.shape[:2]), math.prod(size)
    places = indices.reshape(planes, -1) + np.arange(0, planes * length, length)[:, None]
    x = np.zeros(planes * length, y.dtype)
    np.add.at(x, places.reshape(-1), y.reshape(-1))
    return x.reshape(*y.shape[:2], *size)


@linear(vjp=[lambda g, indices, shapes: unpool(g, indices, shapes[0][2:]), None])
def pick(x: Array, indices: Array) -> Array:
    """The elements of x (n, c, *size) at flat spatial places (n, c, *positions)."""
    flat = x.reshape(*x.shape[:2], -1)
    found = np.take_along_axis(flat, indices.reshape(*x.shape[:2], -1), 2)
    return found.reshape(indices.shape)


# Facets of an op that picks elements of x.
_PICKED: dict[str, Any] = {
    "vjp": [lambda g, y, shapes: unpool(g[0], y[1], shapes[0][2:])],
    "jvp": [lambda t, y: Pooled(pick(t, y[1]), None)],
    "results": Pooled,
}


def _flat(places: Any, size: Sizes) -> Array:
    """Return the flat place of every combination of places along the axes."""
    total: Any = 0
    for axis, along in enumerate(places):
        after = len(size) - 1 - axis
        total = total + (along * math.prod(size[axis + 1 :])).reshape((-1,) + (1,) * after)
    return total


def _lowest(dtype: Any) -> Any:
    return -np.inf if dtype.kind == "f" else np.iinfo(dtype).min


@op(label=lambda kernel: f"max_pool{len(kernel)}d", **_PICKED)
def max_pool(x: Array, kernel: Sizes, stride: Sizes, padding: Pairs, dilation: Sizes) -> Pooled:
    """Largest element of each window: the first of equal ones; NaN where there is one, the last.

    Padding never is the largest.
    """
    size: Any = x.shape[2:]
    counts = positions(size, kernel, stride, padding, dilation)
    wide = padded(x, padding, _lowest(x.dtype))
    nans = x.dtype.kind == "f" and np.isnan(np.max(x, initial=0.0))
    starts = [
        np.arange(m) * s - low for m, s, (low, _) in zip(counts, stride, padding, strict=True)
    ]
    inside = [np.where(at < 0, at % d, at) for at, d in zip(starts, dilation, strict=True)]
    if any(at.max() >= n for at, n in zip(inside, size, strict=True)):
        raise ShapeError("a window sees nothing but padding")
    values = np.full((*x.shape[:2], *counts), _lowest(x.dtype), x.dtype)
    indices = np.empty(values.shape, np.int64)
    indices[:] = _flat(inside, size)
    for place, index in steps(kernel, counts, stride, dilation):
        seen = wide[index]
        better = seen > values
        if nans:
            better |= np.isnan(seen)
        np.copyto(values, seen, where=better)
        at = [first + i * d for first, i, d in zip(starts, place, dilation, strict=True)]
        np.copyto(indices, _flat(at, size), where=better)
    return Pooled(values, indices)


def parts(n: int, count: int) -> list[slice]:
    """Cut n elements into `count` windows of nearly one size, which overlap where they must."""
    return [slice(i * n // count, -(-(i + 1) * n // count)) for i in range(count)]


@op(label=lambda output: f"adaptive_max_pool{len(output)}d", **_PICKED)
def adaptive_max_pool(x: Array, output: Sizes) -> Pooled:
    """Largest element of each of as many windows along each axis as the output has elements."""
    size: Any = x.shape[2:]
    values = np.empty((*x.shape[:2], *output), x.dtype)
    indices = np.empty(values.shape, np.int64)
    flat = np.arange(math.prod(size)).reshape(size)
    cuts = [list(enumerate(parts(n, count))) for n, count in zip(size, output, strict=True)]
    for combination in product(*cuts):
        place, window = zip(*combination, strict=True)
        seen = x[(..., *window)].reshape(*x.shape[:2], -1)
        best = _first_largest(seen)
        values[(..., *place)] = np.take_along_axis(seen, best[..., None], 2)[..., 0]
        indices[(..., *place)] = flat[window].reshape(-1)[best]
    return Pooled(values, indices)


def _first_largest(x: Array) -> Array:
    """Return where the first of the largest elements is along the last axis, or the last NaN."""
    best = x.argmax(-1)
    if x.dtype.kind == "f":
        nan = np.isnan(x)
        if nan.any():
            best = np.where(nan.any(-1), x.shape[-1] - 1 - nan[..., ::-1].argmax(-1), best)
    return best


def _slices(count: int, kernel: int, stride: int) -> list[slice]:
    """Return what all windows along an axis see at each place in the kernel."""
    return [slice(i, i + stride * (count - 1) + 1, stride) for i in range(kernel)]


@linear(
    label=lambda kernel: f"avg_pool{len(kernel)}d",
    vjp=[
        lambda g, divisor, shapes, kernel, stride, padding: avg_pool_input(
            g, divisor, shapes[0][2:], kernel, stride, padding
        ),
        None,
    ],
)
def avg_pool(x: Array, divisor: Divisor, kernel: Sizes, stride: Sizes, padding: Pairs) -> Array:
    """Sum of each window over `divisor`, a number or one for each position; axis by axis."""
    if x.dtype.char == "e":
        return single(avg_pool.op.forward, x, divisor, kernel, stride, padding)
    counts = positions(x.shape[2:], kernel, stride, padding, (1,) * len(kernel))
    y = padded(x, padding)
    for axis, (count, k, s) in enumerate(zip(counts, kernel, stride, strict=True), start=2):
        before = (slice(None),) * axis
        first, *others = _slices(count, k, s)
        if count == 1:
            y = add_reduce(y[(*before, slice(k))], axis, None, None, True)
            continue
        total = y[(*before, first)].copy()
        for other in others:
            total += y[(*before, other)]
        y = total
    return y / np.asarray(divisor, x.dtype)


@linear(
    vjp=[
        lambda g, divisor, kernel, stride, padding: avg_pool(g, divisor, kernel, stride, padding),
        None,
    ]
)
def avg_pool_input(y: Array, divisor: Divisor, size: Sizes, kernel: Sizes, stride: Sizes,
                   padding: Pairs) -> Array:  # fmt: skip
    """Zeros (n, c, *size) with y over `divisor` added in to each window: its adjoint."""
    if y.dtype.char == "e":
        return single(avg_pool_input.op.forward, y, divisor, size, kernel, stride, padding)
    x: Array = y / np.asarray(divisor, y.dtype)
    for axis in reversed(range(2, y.ndim)):
        low, high = padding[axis - 2]
        wide = np.zeros(
            (*x.shape[:axis], size[axis - 2] + low + high, *x.shape[axis + 1 :]), x.dtype
        )
        for part in _slices(x.shape[axis], kernel[axis - 2], stride[axis - 2]):
            wide[(slice(None),) * axis + (part,)] += x
        x = wide
    return cropped(x, padding)


@linear(
    label=lambda output: f"adaptive_avg_pool{len(output)}d",
    vjp=[lambda g, shapes: adaptive_avg_pool_input(g, shapes[0][2:])],
)
def adaptive_avg_pool(x: Array, output: Sizes) -> Array:
    """Mean of each of as many windows along each axis as the output has elements."""
    if x.dtype.char == "e":
        return single(adaptive_avg_pool.op.forward, x, output)
    for axis, count in enumerate(output, start=2):
        before = (slice(None),) * axis
        y = np.empty((*x.shape[:axis], count, *x.shape[axis + 1 :]), x.dtype)
        for i, part in enumerate(parts(x.shape[axis], count)):
            total = add_reduce(x[(*before, part)], axis)
            y[(*before, i)] = total / (part.stop - part.start)
        x = y
    return x


@linear(vjp=[lambda g, shapes: adaptive_avg_pool(g, shapes[0][2:])])
def adaptive_avg_pool_input(y: Array, size: Sizes) -> Array:
    """Zeros (n, c, *size) with each window's share of y added in: the adjoint of the pooling."""
    if y.dtype.char == "e":
        return single(adaptive_avg_pool_input.op.forward, y, size)
    for axis, n in enumerate(size, start=2):
        before = (slice(None),) * axis
        x = np.zeros((*y.shape[:axis], n, *y.shape[axis + 1 :]), y.dtype)
        for i, part in enumerate(parts(n, y.shape[axis])):
            x[(*before, part)] += y[(*before, slice(i, i + 1))] / (part.stop - part.start)
        y = x
    return y
