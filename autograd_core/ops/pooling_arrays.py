"""Poolings of bare arrays, and which of them the kernels compute.

| x (n, c, *size)           | who                | why                                            |
|---------------------------|--------------------|------------------------------------------------|
| float16                   | NumPy              | a mean is taken in float32 and rounds once     |
| fewer than WORTH elements | NumPy              | the first kernel takes 0.4 s to load           |
| means of whole planes     | kernels/sums.py    | sums of rows                                   |
| float32, float64          | kernels/*_pool.py  | one pass; NumPy takes one for each place in    |
|                           |                    | the window                                     |
| anything else             | NumPy              | whole numbers                                  |

Kernels see three spatial axes, and samples and channels as one.
"""

from __future__ import annotations

import math
from itertools import product
from typing import Any

import numpy as np

from kernels import call

from ..errors import ShapeError
from ..kernel_sizes import row_sums
from ..versions import Array
from ..workspaces import workspace
from .shape import add_reduce
from .windows import Pairs, Sizes, cropped, padded, positions, single, steps

__all__: list[str] = []

WORTH = 1 << 12  # elements of x
FLOATS = (np.dtype(np.float32), np.dtype(np.float64))

Divisor = Array | float
ADAPTIVE = np.array([[0] * 3, [1] * 3, [0] * 3, [1] * 3])  # the window of adaptive poolings


def _suits(x: Array, size: int) -> bool:
    return size >= WORTH and x.dtype in FLOATS and x.flags.aligned


def _three(sizes: Sizes, filler: int = 1) -> Sizes:
    """Return three sizes, the missing ones in front."""
    return (filler,) * (3 - len(sizes)) + tuple(sizes)


def _planes(x: Array) -> Array:
    """Return x as the kernels see it: (n c, d, h, w), without gaps."""
    return np.ascontiguousarray(x).reshape(x.shape[0] * x.shape[1], *_three(x.shape[2:]))


def _window(kernel: Sizes, stride: Sizes, padding: Pairs, dilation: Sizes) -> Array:
    low = tuple(pair[0] for pair in padding)
    return np.array([_three(kernel), _three(stride), _three(low, 0), _three(dilation)])


def _largest(x: Array, window: Array, counts: Sizes) -> tuple[Array, Array]:
    """Run the kernel of the largest elements and their places."""
    from kernels.max_pool import max_maps
    from kernels.pool_windows import table_shape

    y = np.empty((*x.shape[:2], *counts), x.dtype)
    at = np.empty(y.shape, np.int64)
    source, target = _planes(x), _planes(y)
    sizes = source.shape[1:], target.shape[1:]
    table = np.empty(table_shape(sizes[1]), np.int64)
    maps = np.empty(max_maps(window, *sizes), np.int64)
    call.max_pool(source, window, target, at.reshape(target.shape), table, maps)
    return y, at


def _sums(x: Array, window: Array, counts: Sizes, divisor: int) -> Array:
    """Run the kernel of means; a divisor of 0 is the number of elements in each window."""
    from kernels.average_pool import average_maps, average_work
    from kernels.pool_windows import table_shape

    y = np.empty((*x.shape[:2], *counts), x.dtype)
    source, target = _planes(x), _planes(y)
    sizes = source.shape[1:], target.shape[1:]
    table = np.empty(table_shape(sizes[1]), np.int64)
    maps = np.empty(average_maps(window, *sizes), np.int64)
    (work,) = workspace(x.dtype, average_work(window, *sizes))
    call.average_pool(source, window, True, divisor, target, table, work, maps)
    return y


def _shares(y: Array, window: Array, size: Sizes, divisor: int) -> Array:
    """Run the kernel of the adjoint of means."""
    from kernels.average_pool import average_vjp_maps, average_work
    from kernels.pool_windows import table_shape

    x = np.empty((*y.shape[:2], *size), y.dtype)
    source, target = _planes(y), _planes(x)
    sizes = target.shape[1:], source.shape[1:]
    table = np.empty(table_shape(sizes[1]), np.int64)
    maps = np.empty(average_vjp_maps(window, *sizes), np.int64)
    (work,) = workspace(y.dtype, average_work(window, *sizes))
    call.average_pool_vjp(source, window, True, divisor, target, table, work, maps)
    return x


def max_pool(
    x: Array, kernel: Sizes, stride: Sizes, padding: Pairs, dilation: Sizes
) -> tuple[Array, Array]:
    """Return the largest element of each window, and its place in the plane."""
    counts = positions(x.shape[2:], kernel, stride, padding, dilation)
    starts = [
        np.arange(m) * s - low for m, s, (low, _) in zip(counts, stride, padding, strict=True)
    ]
    inside = [np.where(at < 0, at % d, at) for at, d in zip(starts, dilation, strict=True)]
    if any(at.max() >= n for at, n in zip(inside, x.shape[2:], strict=True)):
        raise ShapeError("a window sees nothing but padding")
    if _suits(x, x.size):
        return _largest(x, _window(kernel, stride, padding, dilation), counts)
    values = np.full((*x.shape[:2], *counts), _lowest(x.dtype), x.dtype)
    indices = np.empty(values.shape, np.int64)
    indices[:] = _flat(inside, x.shape[2:])
    wide = padded(x, padding, _lowest(x.dtype))
    nans = x.dtype.kind == "f" and np.isnan(np.max(x, initial=0.0))
    for place, index in steps(kernel, counts, stride, dilation):
        seen = wide[index]
        better = seen > values
        if nans:
            better |= np.isnan(seen)
        np.copyto(values, seen, where=better)
        at = [first + i * d for first, i, d in zip(starts, place, dilation, strict=True)]
        np.copyto(indices, _flat(at, x.shape[2:]), where=better)
    return values, indices


def _flat(places: Any, size: Sizes) -> Array:
    """Return the flat place of every combination of places along the axes."""
    total: Any = 0
    for axis, along in enumerate(places):
        after = len(size) - 1 - axis
        total = total + (along * math.prod(size[axis + 1 :])).reshape((-1,) + (1,) * after)
    return total


def _lowest(dtype: Any) -> Any:
    return -np.inf if dtype.kind == "f" else np.iinfo(dtype).min


def unpool(y: Array, indices: Array, size: Sizes) -> Array:
    """Return zeros (n, c, *size) with y added in at flat spatial places."""
    planes, length = math.prod(y.shape[:2]), math.prod(size)
    places, y_flat = indices.reshape(planes, -1), y.reshape(planes, -1)
    if _suits(y, planes * length) and places.shape == y_flat.shape:
        x = np.empty((*y.shape[:2], *size), y.dtype)
        solid = np.ascontiguousarray(places)
        call.max_pool_vjp(np.ascontiguousarray(y_flat), solid, x.reshape(planes, length))
        return x
    x = np.zeros(planes * length, y.dtype)
    places = places + np.arange(0, planes * length, length)[:, None]
    np.add.at(x, places.reshape(-1), y.reshape(-1))
    return x.reshape(*y.shape[:2], *size)


def parts(n: int, count: int) -> list[slice]:
    """Cut n elements into `count` windows of nearly one size, which overlap where they must."""
    return [slice(i * n // count, -(-(i + 1) * n // count)) for i in range(count)]


def adaptive_max_pool(x: Array, output: Sizes) -> tuple[Array, Array]:
    """Return the largest element of each window, and its place in the plane."""
    if _suits(x, x.size):
        return _largest(x, ADAPTIVE, output)
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
    return values, indices


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


def _one(divisor: Divisor) -> tuple[int, bool]:
    """Return a divisor that the kernels take, and whether it is all there is to divide by."""
    whole = np.ndim(divisor) == 0 and float(divisor).is_integer() and divisor > 0
    return (int(divisor), True) if whole else (1, False)


def _whole(size: Sizes, kernel: Sizes, padding: Pairs) -> bool:
    """Tell whether the one window is the plane."""
    return tuple(size) == tuple(kernel) and not any(map(any, padding))


def _plane_means(x: Array, divisor: Divisor) -> Array:
    """Return the sum of each plane over the divisor."""
    rows = np.ascontiguousarray(x).reshape(math.prod(x.shape[:2]), -1)
    y = np.empty(x.shape[:2] + (1,) * (x.ndim - 2), x.dtype)
    if _suits(x, x.size):
        row_sums(rows, float(np.reshape(divisor, ())), y.reshape(-1))
        return y
    # A product with ones is three times as fast as a sum.
    y[...] = rows.dot(np.ones(rows.shape[1], x.dtype)).reshape(y.shape)
    return y / np.asarray(divisor, x.dtype)


def _plane_shares(y: Array, divisor: Divisor, size: Sizes) -> Array:
    """Return planes that hold everywhere what belongs to them over the divisor."""
    planes, width = math.prod(y.shape[:2]), math.prod(size)
    x = np.empty((*y.shape[:2], *size), y.dtype)
    if _suits(y, planes * width):
        flat = np.ascontiguousarray(y).reshape(-1)
        call.row_spread(flat, float(np.reshape(divisor, ())), x.reshape(planes, width))
    else:
        x.reshape(planes, width)[...] = (y / np.asarray(divisor, y.dtype)).reshape(-1, 1)
    return x


def avg_pool(x: Array, divisor: Divisor, kernel: Sizes, stride: Sizes, padding: Pairs) -> Array:
    """Return the sum of each window over `divisor`, a number or one for each position."""
    if x.dtype.char == "e":
        return single(avg_pool, x, divisor, kernel, stride, padding)
    if _whole(x.shape[2:], kernel, padding):
        return _plane_means(x, divisor)
    ones = (1,) * len(kernel)
    counts = positions(x.shape[2:], kernel, stride, padding, ones)
    if _suits(x, x.size):
        number, alone = _one(divisor)
        y = _sums(x, _window(kernel, stride, padding, ones), counts, number)
        if not alone:
            y /= np.asarray(divisor, x.dtype)
        return y
    y = padded(x, padding)
    for axis, (count, k, s) in enumerate(zip(counts, kernel, stride, strict=True), start=2):
        before = (slice(None),) * axis
        first, *others = _slices(count, k, s)
        total = y[(*before, first)].copy()
        for other in others:
            total += y[(*before, other)]
        y = total
    return y / np.asarray(divisor, x.dtype)


def avg_pool_input(y: Array, divisor: Divisor, size: Sizes, kernel: Sizes, stride: Sizes,
                   padding: Pairs) -> Array:  # fmt: skip
    """Return zeros (n, c, *size) with y over `divisor` added in to each window."""
    if y.dtype.char == "e":
        return single(avg_pool_input, y, divisor, size, kernel, stride, padding)
    if _whole(size, kernel, padding):
        return _plane_shares(y, divisor, size)
    if _suits(y, math.prod(y.shape[:2]) * math.prod(size)):
        number, alone = _one(divisor)
        y = y if alone else y / np.asarray(divisor, y.dtype)
        return _shares(y, _window(kernel, stride, padding, (1,) * len(kernel)), size, number)
    x = y / np.asarray(divisor, y.dtype)
    for axis in reversed(range(2, y.ndim)):
        low, high = padding[axis - 2]
        wide = np.zeros(
            (*x.shape[:axis], size[axis - 2] + low + high, *x.shape[axis + 1 :]), x.dtype
        )
        for part in _slices(x.shape[axis], kernel[axis - 2], stride[axis - 2]):
            wide[(slice(None),) * axis + (part,)] += x
        x = wide
    return cropped(x, padding)


def adaptive_avg_pool(x: Array, output: Sizes) -> Array:
    """Return the mean of each of as many windows along each axis as the output has elements."""
    if x.dtype.char == "e":
        return single(adaptive_avg_pool, x, output)
    if _suits(x, x.size):
        if math.prod(output) == 1:
            return _plane_means(x, math.prod(x.shape[2:]))
        return _sums(x, ADAPTIVE, output, 0)
    for axis, count in enumerate(output, start=2):
        before = (slice(None),) * axis
        y = np.empty((*x.shape[:axis], count, *x.shape[axis + 1 :]), x.dtype)
        for i, part in enumerate(parts(x.shape[axis], count)):
            total = add_reduce(x[(*before, part)], axis)
            y[(*before, i)] = total / (part.stop - part.start)
        x = y
    return x


def adaptive_avg_pool_input(y: Array, size: Sizes) -> Array:
    """Return zeros (n, c, *size) with each window's share of y added in."""
    if y.dtype.char == "e":
        return single(adaptive_avg_pool_input, y, size)
    wide = math.prod(y.shape[:2]) * math.prod(size)
    if _suits(y, wide):
        if math.prod(y.shape[2:]) == 1:
            return _plane_shares(y, math.prod(size), size)
        return _shares(y, ADAPTIVE, size, 0)
    for axis, n in enumerate(size, start=2):
        before = (slice(None),) * axis
        x = np.zeros((*y.shape[:axis], n, *y.shape[axis + 1 :]), y.dtype)
        for i, part in enumerate(parts(n, y.shape[axis])):
            x[(*before, part)] += y[(*before, slice(i, i + 1))] / (part.stop - part.start)
        y = x
    return y
