"""Poolings: which windows there are, then the op."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd_core import ShapeError, ops
from autograd_core.op import aliased
from autograd_core.ops import pooling
from autograd_core.ops.windows import Pairs, Sizes, batched, check_float, numbers, positions, reach
from autograd_core.recording import Traced

__all__ = [
    "adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d", "adaptive_max_pool1d",
    "adaptive_max_pool2d", "adaptive_max_pool3d", "avg_pool1d", "avg_pool2d", "avg_pool3d",
    "lp_pool1d", "lp_pool2d", "lp_pool3d", "max_pool1d", "max_pool2d", "max_pool3d",
    "max_unpool1d", "max_unpool2d", "max_unpool3d",
]  # fmt: skip

Count = int | Sequence[int]


def _images(x: Any, axes: int) -> tuple[Any, bool]:
    """Return x with an axis of samples, which alone may be empty, and whether it was missing."""
    if 0 in x.shape[-axes - 1 :]:
        raise ShapeError("only the axis of samples may have size 0")
    return batched(x, axes)


def _strides(stride: Any, kernel: Sizes) -> Sizes:
    """Return the stride of each axis: the kernel's size unless given."""
    if stride is None or (not isinstance(stride, int) and not len(stride)):
        return kernel
    return numbers("stride", stride, len(kernel), 1)


def _around(
    size: Sizes, kernel: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes, ceil_mode: bool
) -> Pairs:
    """Return the padding that makes the last window end where the padded axis ends.

    With `ceil_mode` a last window may reach beyond it, if it starts before.
    """
    pairs: list[tuple[int, int]] = []
    spans = reach(kernel, dilation)
    for n, k, span, s, p in zip(size, kernel, spans, stride, padding, strict=True):
        if 2 * p > span:
            raise ShapeError(f"padding={p}: it must be at most half of the kernel's {k}")
        rest = n + 2 * p - span
        count = (-(-rest // s) if ceil_mode else rest // s) + 1
        if ceil_mode and (count - 1) * s >= n + p:
            count -= 1
        if count < 1:
            raise ShapeError(f"the kernel spans {span} elements, the padded input has {n + 2 * p}")
        pairs.append((p, (count - 1) * s + span - n - p))
    return tuple(pairs)


def _max_pool(x: Any, axes: int, kernel_size: Count, stride: Any, padding: Count, dilation: Count,
              ceil_mode: bool, return_indices: bool) -> Any:  # fmt: skip
    x, alone = _images(x, axes)
    kernel = numbers("kernel_size", kernel_size, axes, 1)
    steps, dilation = _strides(stride, kernel), numbers("dilation", dilation, axes, 1)
    edges = numbers("padding", padding, axes, 0)
    pairs = _around(tuple(x.shape[2:]), kernel, steps, edges, dilation, ceil_mode)
    return _results(pooling.max_pool(x, kernel, steps, pairs, dilation), alone, return_indices)


def _results(pooled: Any, alone: bool, return_indices: bool) -> Any:
    values, indices = (part[0] for part in pooled) if alone else pooled
    return (values, indices) if return_indices else values


def _divisor(size: Sizes, kernel: Sizes, stride: Sizes, padding: Sizes, pairs: Pairs,
             count_include_pad: bool) -> Any:  # fmt: skip
    """Return how many elements count in each window: one number if all agree, else (*positions)."""
    total = np.ones((), np.int64)
    counts = positions(size, kernel, stride, pairs, (1,) * len(kernel))
    for n, k, s, p, m in zip(size, kernel, stride, padding, counts, strict=True):
        edge = p if count_include_pad else 0
        start = np.arange(m) * s - p
        along = np.minimum(start + k, n + edge) - np.maximum(start, -edge)
        total = total[..., None] * along
    return int(total.flat[0]) if (total == total.flat[0]).all() else total


def _avg_pool(x: Any, axes: int, kernel_size: Count, stride: Any, padding: Count, ceil_mode: bool,
              count_include_pad: bool, divisor_override: int | None) -> Any:  # fmt: skip
    x, alone = _images(x, axes)
    check_float(x)
    kernel = numbers("kernel_size", kernel_size, axes, 1)
    steps, edges = _strides(stride, kernel), numbers("padding", padding, axes, 0)
    size = tuple(x.shape[2:])
    pairs = _around(size, kernel, steps, edges, (1,) * axes, ceil_mode)
    if divisor_override == 0:
        raise ShapeError("divisor_override=0: it must not be 0")
    divisor = divisor_override or _divisor(size, kernel, steps, edges, pairs, count_include_pad)
    y = pooling.avg_pool(x, divisor, kernel, steps, pairs)
    return y[0] if alone else y


def _lp_pool(x: Any, axes: int, norm_type: float, kernel_size: Count, stride: Any,
             ceil_mode: bool) -> Any:  # fmt: skip
    kernel = numbers("kernel_size", kernel_size, axes, 1)
    p = float(norm_type)
    means = _avg_pool(ops.pow(x, p), axes, kernel, stride, 0, ceil_mode, True, None)
    return ops.pow(means * math.prod(kernel), 1.0 / p)


def _output(x: Any, output_size: Any) -> Sizes:
    """Return the wanted size of each axis; None keeps that of x."""
    size = tuple(x.shape[2:])
    if not all(size):
        raise ShapeError("it needs spatial axes with at least one element")
    if isinstance(output_size, int) or len(output_size) == 1:
        return numbers("output_size", output_size, len(size), 0)
    if len(output_size) != len(size):
        raise ShapeError(f"output_size={output_size}: it must be one number, or {len(size)}")
    wanted = [n if m is None else m for n, m in zip(size, output_size, strict=True)]
    return numbers("output_size", wanted, len(size), 0)


def _even(size: Sizes, output: Sizes) -> Sizes | None:
    """Return the window's size if all windows are equal and do not overlap, else None."""
    if not all(output) or any(n % m for n, m in zip(size, output, strict=True)):
        return None
    return tuple(n // m for n, m in zip(size, output, strict=True))


def _adaptive_avg(x: Any, axes: int, output_size: Any) -> Any:
    x, alone = batched(x, axes)
    check_float(x)
    output = _output(x, output_size)
    kernel = _even(tuple(x.shape[2:]), output)
    if kernel:
        y = pooling.avg_pool(x, math.prod(kernel), kernel, kernel, ((0, 0),) * axes)
    else:
        y = pooling.adaptive_avg_pool(x, output)
    return y[0] if alone else y


def _adaptive_max(x: Any, axes: int, output_size: Any, return_indices: bool) -> Any:
    x, alone = batched(x, axes)
    output = _output(x, output_size)
    kernel = _even(tuple(x.shape[2:]), output)
    # One op goes place by place within the windows, the other window by window.
    if kernel and math.prod(kernel) < math.prod(output):
        pooled = pooling.max_pool(x, kernel, kernel, ((0, 0),) * axes, (1,) * axes)
    else:
        pooled = pooling.adaptive_max_pool(x, output)
    return _results(pooled, alone, return_indices)


def _unpool(x: Any, indices: Any, axes: int, kernel_size: Count, stride: Any, padding: Count,
            output_size: Any) -> Any:  # fmt: skip
    if tuple(x.shape) != tuple(indices.shape):
        raise ShapeError("it needs as many indices as values, in the same shape")
    x, alone = batched(x, axes)
    places = indices._array if isinstance(indices, Traced) else np.asarray(indices)
    kernel = numbers("kernel_size", kernel_size, axes, 1)
    steps, edges = _strides(stride, kernel), numbers("padding", padding, axes, 0)
    sides = zip(x.shape[2:], steps, kernel, edges, strict=True)
    size = tuple((m - 1) * s + k - 2 * p for m, s, k, p in sides)
    if output_size is not None:
        size = _near(size, steps, tuple(output_size))
    planes, length = math.prod(x.shape[:2]), math.prod(size)
    wrong = places[(places < 0) | (places >= length)]
    if wrong.size:
        raise IndexError(f"index {wrong[0]} is out of range for an output of size {size}")
    flat = places.reshape(planes, -1) + np.arange(0, planes * length, length)[:, None]
    y = ops.put(np.zeros((*x.shape[:2], *size), x.dtype), flat.reshape(x.shape), x)
    return y[0] if alone else y


def _near(size: Sizes, stride: Sizes, wanted: Sizes) -> Sizes:
    """Return the wanted size, which may differ from the usual one by less than the stride."""
    wanted = wanted[-len(size) :]
    if len(wanted) < len(size) or any(
        abs(n - m) >= s for n, m, s in zip(size, wanted, stride, strict=True)
    ):
        raise ShapeError(
            f"output_size={wanted}: it must differ from {size} by less than the stride {stride}"
        )
    return wanted


@aliased
def max_pool1d(x: Any, kernel_size: Count, stride: Any = None, padding: Count = 0,
               dilation: Count = 1, ceil_mode: bool = False,
               return_indices: bool = False) -> Any:  # fmt: skip
    """Largest element of each window of x (n, c, l) or (c, l)."""
    return _max_pool(x, 1, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


@aliased
def max_pool2d(x: Any, kernel_size: Count, stride: Any = None, padding: Count = 0,
               dilation: Count = 1, ceil_mode: bool = False,
               return_indices: bool = False) -> Any:  # fmt: skip
    """Largest element of each window of x (n, c, h, w) or (c, h, w)."""
    return _max_pool(x, 2, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


@aliased
def max_pool3d(x: Any, kernel_size: Count, stride: Any = None, padding: Count = 0,
               dilation: Count = 1, ceil_mode: bool = False,
               return_indices: bool = False) -> Any:  # fmt: skip
    """Largest element of each window of x (n, c, d, h, w) or (c, d, h, w)."""
    return _max_pool(x, 3, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


@aliased
def avg_pool1d(x: Any, kernel_size: Count, stride: Any = None, padding: Count = 0,
               ceil_mode: bool = False, count_include_pad: bool = True) -> Any:  # fmt: skip
    """Mean of each window of x (n, c, l) or (c, l)."""
    return _avg_pool(x, 1, kernel_size, stride, padding, ceil_mode, count_include_pad, None)


@aliased
def avg_pool2d(x: Any, kernel_size: Count, stride: Any = None, padding: Count = 0,
               ceil_mode: bool = False, count_include_pad: bool = True,
               divisor_override: int | None = None) -> Any:  # fmt: skip
    """Mean of each window of x (n, c, h, w) or (c, h, w)."""
    return _avg_pool(
        x, 2, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override
    )


@aliased
def avg_pool3d(x: Any, kernel_size: Count, stride: Any = None, padding: Count = 0,
               ceil_mode: bool = False, count_include_pad: bool = True,
               divisor_override: int | None = None) -> Any:  # fmt: skip
    """Mean of each window of x (n, c, d, h, w) or (c, d, h, w)."""
    return _avg_pool(
        x, 3, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override
    )


@aliased
def lp_pool1d(x: Any, norm_type: float, kernel_size: Count, stride: Any = None,
              ceil_mode: bool = False) -> Any:  # fmt: skip
    """(sum of x^p)^(1/p) over each window of x (n, c, l) or (c, l), p = norm_type."""
    return _lp_pool(x, 1, norm_type, kernel_size, stride, ceil_mode)


@aliased
def lp_pool2d(x: Any, norm_type: float, kernel_size: Count, stride: Any = None,
              ceil_mode: bool = False) -> Any:  # fmt: skip
    """(sum of x^p)^(1/p) over each window of x (n, c, h, w) or (c, h, w), p = norm_type."""
    return _lp_pool(x, 2, norm_type, kernel_size, stride, ceil_mode)


@aliased
def lp_pool3d(x: Any, norm_type: float, kernel_size: Count, stride: Any = None,
              ceil_mode: bool = False) -> Any:  # fmt: skip
    """(sum of x^p)^(1/p) over each window of x (n, c, d, h, w) or (c, d, h, w), p = norm_type."""
    return _lp_pool(x, 3, norm_type, kernel_size, stride, ceil_mode)


@aliased
def adaptive_avg_pool1d(x: Any, output_size: Any) -> Any:
    """Mean of each of output_size windows of x (n, c, l) or (c, l)."""
    return _adaptive_avg(x, 1, output_size)


@aliased
def adaptive_avg_pool2d(x: Any, output_size: Any) -> Any:
    """Mean of each of output_size windows of x (n, c, h, w) or (c, h, w)."""
    return _adaptive_avg(x, 2, output_size)


@aliased
def adaptive_avg_pool3d(x: Any, output_size: Any) -> Any:
    """Mean of each of output_size windows of x (n, c, d, h, w) or (c, d, h, w)."""
    return _adaptive_avg(x, 3, output_size)


@aliased
def adaptive_max_pool1d(x: Any, output_size: Any, return_indices: bool = False) -> Any:
    """Largest element of each of output_size windows of x (n, c, l) or (c, l)."""
    return _adaptive_max(x, 1, output_size, return_indices)


@aliased
def adaptive_max_pool2d(x: Any, output_size: Any, return_indices: bool = False) -> Any:
    """Largest element of each of output_size windows of x (n, c, h, w) or (c, h, w)."""
    return _adaptive_max(x, 2, output_size, return_indices)


@aliased
def adaptive_max_pool3d(x: Any, output_size: Any, return_indices: bool = False) -> Any:
    """Largest element of each of output_size windows of x (n, c, d, h, w) or (c, d, h, w)."""
    return _adaptive_max(x, 3, output_size, return_indices)


@aliased
def max_unpool1d(x: Any, indices: Any, kernel_size: Count, stride: Any = None,
                 padding: Count = 0, output_size: Any = None) -> Any:  # fmt: skip
    """Zeros with x (n, c, l) or (c, l) put where max_pool1d found it."""
    return _unpool(x, indices, 1, kernel_size, stride, padding, output_size)


@aliased
def max_unpool2d(x: Any, indices: Any, kernel_size: Count, stride: Any = None,
                 padding: Count = 0, output_size: Any = None) -> Any:  # fmt: skip
    """Zeros with x (n, c, h, w) or (c, h, w) put where max_pool2d found it."""
    return _unpool(x, indices, 2, kernel_size, stride, padding, output_size)


@aliased
def max_unpool3d(x: Any, indices: Any, kernel_size: Count, stride: Any = None,
                 padding: Count = 0, output_size: Any = None) -> Any:  # fmt: skip
    """Zeros with x (n, c, d, h, w) or (c, d, h, w) put where max_pool3d found it."""
    return _unpool(x, indices, 3, kernel_size, stride, padding, output_size)
