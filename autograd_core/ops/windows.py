"""Windows that slide over the last axes of an array (n, c, *sizes): where they fit, what they see.

Convolution, pooling, im2col and col2im are made of this. Along each axis a kernel of k elements,
`dilation` apart, moves by `stride` over n elements with `padding` = (before, after) around them,
where a negative number crops.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import product
from typing import Any

import numpy as np

from ..errors import DtypeError, ShapeError
from ..versions import Array
from .padding import pad_constant

__all__: list[str] = []

Sizes = tuple[int, ...]  # a number for each axis that windows slide along
Pairs = tuple[tuple[int, int], ...]  # two for each

_COUNT = {1: "one number", 2: "one or two numbers", 3: "one or three numbers"}


def numbers(name: str, value: Any, axes: int, least: int) -> Sizes:
    """Return what is one number for all axes, or one for each, as a number for each."""
    given = tuple(value) if isinstance(value, Iterable) else (value,)
    whole = all(isinstance(n, (int, np.integer)) for n in given)
    if len(given) not in (1, axes) or not whole or min(given) < least:
        raise ShapeError(f"{name}={value}: it must be {_COUNT[axes]} >= {least}")
    return tuple(int(n) for n in given) * (axes // len(given))


def reach(kernel: Sizes, dilation: Sizes) -> Sizes:
    """Return how many elements the dilated kernel spans along each axis."""
    return tuple(d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True))


def around(padding: Any, kernel: Sizes, dilation: Sizes) -> Pairs:
    """Return the padding of each axis; where "same" is odd, the one more goes after."""
    if not isinstance(padding, str):
        return tuple((p, p) for p in numbers("padding", padding, len(kernel), 0))
    if padding not in ("same", "valid"):
        raise ShapeError(f"padding={padding!r}: it must be a number, 'same' or 'valid'")
    wide = (n - 1 if padding == "same" else 0 for n in reach(kernel, dilation))
    return tuple((n // 2, n - n // 2) for n in wide)


def positions(size: Sizes, kernel: Sizes, stride: Sizes, padding: Pairs, dilation: Sizes) -> Sizes:
    """Return how many places the kernel has along each axis; below 1 where it does not fit."""
    spans = zip(size, reach(kernel, dilation), stride, padding, strict=True)
    return tuple((n + low + high - span) // s + 1 for n, span, s, (low, high) in spans)


def padded(x: Array, padding: Pairs, value: float = 0.0) -> Array:
    """Return x, without gaps, with `value` around its last axes."""
    if any(low or high for low, high in padding):
        return pad_constant.op.forward(x, ((0, 0), (0, 0), *padding), value)
    return np.ascontiguousarray(x)


def windows(x: Array, kernel: Sizes, stride: Sizes, dilation: Sizes) -> Array:
    """Return a view (n, c, *kernel, *positions) of x (n, c, *sizes), which has no gaps."""
    counts = positions(x.shape[2:], kernel, stride, ((0, 0),) * len(kernel), dilation)
    inside = [step * d for step, d in zip(x.strides[2:], dilation, strict=True)]
    between = [step * s for step, s in zip(x.strides[2:], stride, strict=True)]
    shape = (*x.shape[:2], *kernel, *counts)
    return np.ndarray(shape, x.dtype, x, 0, (*x.strides[:2], *inside, *between))


def steps(
    kernel: Sizes, counts: Sizes, stride: Sizes, dilation: Sizes
) -> Iterator[tuple[Sizes, tuple[Any, ...]]]:
    """Give each place inside the kernel, and the index of what all windows see there."""
    for place in product(*map(range, kernel)):
        parts = zip(place, counts, stride, dilation, strict=True)
        yield place, (..., *(slice(i * d, i * d + s * (m - 1) + 1, s) for i, m, s, d in parts))


def add_windows(x: Array, seen: Array, stride: Sizes, dilation: Sizes) -> None:
    """Add `seen` (n, c, *kernel, *positions) to x where it was seen: the adjoint of windows."""
    axes = len(stride)
    kernel, counts = seen.shape[2 : 2 + axes], seen.shape[2 + axes :]
    for place, index in steps(kernel, counts, stride, dilation):
        x[index] += seen[(slice(None), slice(None), *place)]


def cropped(x: Array, padding: Pairs) -> Array:
    """Return x, without gaps, without the padding around its last axes."""
    return padded(x, tuple((-low, -high) for low, high in padding))


def blocks(count: int, nbytes: int, most: int = 1 << 22) -> Iterator[slice]:
    """Part `count` samples into runs of at most `most` bytes, at `nbytes` a sample."""
    length = max(1, most // max(nbytes, 1))
    for start in range(0, count, length):
        yield slice(start, start + length)


def batched(x: Any, axes: int) -> tuple[Any, bool]:
    """Return x with an axis of samples in front, and whether it was missing.

    Raises ShapeError unless x is (n, c, *sizes) or (c, *sizes).
    """
    if len(x.shape) not in (axes + 1, axes + 2):
        names = ", ".join(("d", "h", "w")[3 - axes :]) if axes > 1 else "l"
        raise ShapeError(f"it must have the axes (n, c, {names}) or (c, {names})")
    alone = len(x.shape) == axes + 1
    return (x[None] if alone else x), alone


def check_float(x: Any) -> None:
    """Raise where a mean would have to be of whole numbers."""
    if x.dtype.kind != "f":
        raise DtypeError(f"it needs a floating dtype, not {x.dtype}; convert with .float() first")


def check_fit(size: Sizes, kernel: Sizes, padding: Pairs, dilation: Sizes) -> None:
    """Raise where the kernel is longer than the padded input."""
    for n, span, (low, high) in zip(size, reach(kernel, dilation), padding, strict=True):
        if span > n + low + high:
            raise ShapeError(
                f"the kernel spans {span} elements, the padded input has {n + low + high}"
            )


def single(forward: Any, *arguments: Any) -> Any:
    """Run a forward on float16 in float32, and round once."""
    wide = (a.astype(np.float32) if isinstance(a, np.ndarray) else a for a in arguments)
    return forward(*wide).astype(np.float16)
