"""Convolution (cross-correlation) along one, two or three axes, and its adjoints.

With w (out, c / groups, *kernel) each of three ops is linear in two arrays, and pulls a cotangent
back by the other two:

    conv            y = x ⋆ w + b     (n, c, *size)   -> (n, out, *positions)
    conv_transpose  x = wᵀ y + b      (n, out, *positions) -> (n, c, *size)
    conv_weight     w = x ⋆ y         summed over samples and positions

The work on arrays is in conv_arrays.py.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ..errors import DtypeError, ShapeError
from ..op import aliased, linear, op
from ..versions import Array
from . import conv_arrays
from .shape import expand
from .windows import Pairs, Sizes, around, batched, check_fit, numbers, reach

__all__ = [
    "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d",
]  # fmt: skip


def _channels(bias: Any, axes: int) -> Any:
    return bias.reshape((1, -1) + (1,) * axes)


@linear(vjp=[lambda g, shapes: expand(_channels(g, len(shapes[0]) - 2), shapes[0])])
def channel_sum(x: Array) -> Array:
    """Sum over samples and positions: (n, c, *size) -> (c)."""
    return conv_arrays.bias_gradient(x)


@op(
    label=lambda stride: f"conv{len(stride)}d",
    multiply_adds=lambda shapes, y, params: math.prod(y) * math.prod(shapes[1][1:]),
    vjp=[
        lambda g, weight, shapes, stride, padding, dilation, groups: conv_transpose(
            g, weight, None, shapes[0][2:], stride, padding, dilation, groups
        ),
        lambda g, x, shapes, stride, padding, dilation, groups: conv_weight(
            x, g, shapes[1][2:], stride, padding, dilation, groups
        ),
        lambda g: channel_sum(g),
    ],
    jvp=[
        lambda t, weight, stride, padding, dilation, groups: conv(
            t, weight, None, stride, padding, dilation, groups
        ),
        lambda t, x, stride, padding, dilation, groups: conv(
            x, t, None, stride, padding, dilation, groups
        ),
        lambda t, stride: _channels(t, len(stride)),
    ],
)
def conv(x: Array, weight: Array, bias: Array | None, stride: Sizes, padding: Pairs,
         dilation: Sizes, groups: int) -> Array:  # fmt: skip
    """Slide the weight over x, and add the bias."""
    return conv_arrays.forward(x, weight, bias, stride, padding, dilation, groups)


@op(
    label=lambda stride: f"conv_transpose{len(stride)}d",
    multiply_adds=lambda shapes, y, params: math.prod(shapes[0]) * math.prod(shapes[1][1:]),
    vjp=[
        lambda g, weight, stride, padding, dilation, groups: conv(
            g, weight, None, stride, padding, dilation, groups
        ),
        lambda g, y_bar, shapes, stride, padding, dilation, groups: conv_weight(
            g, y_bar, shapes[1][2:], stride, padding, dilation, groups
        ),
        lambda g: channel_sum(g),
    ],
    jvp=[
        lambda t, weight, size, stride, padding, dilation, groups: conv_transpose(
            t, weight, None, size, stride, padding, dilation, groups
        ),
        lambda t, y_bar, size, stride, padding, dilation, groups: conv_transpose(
            y_bar, t, None, size, stride, padding, dilation, groups
        ),
        lambda t, stride: _channels(t, len(stride)),
    ],
)
def conv_transpose(y_bar: Array, weight: Array, bias: Array | None, size: Sizes, stride: Sizes,
                   padding: Pairs, dilation: Sizes, groups: int) -> Array:  # fmt: skip
    """Add the weight, times each element of y_bar, where conv saw it; and add the bias."""
    return conv_arrays.transposed(y_bar, weight, bias, size, stride, padding, dilation, groups)


@linear(
    label=lambda stride: f"conv{len(stride)}d weight",
    multiply_adds=lambda shapes, y, params: math.prod(shapes[1]) * math.prod(y[1:]),
    vjp=[
        lambda g, y_bar, shapes, stride, padding, dilation, groups: conv_transpose(
            y_bar, g, None, shapes[0][2:], stride, padding, dilation, groups
        ),
        lambda g, x, stride, padding, dilation, groups: conv(
            x, g, None, stride, padding, dilation, groups
        ),
    ],
)
def conv_weight(x: Array, y_bar: Array, kernel: Sizes, stride: Sizes, padding: Pairs,
                dilation: Sizes, groups: int) -> Array:  # fmt: skip
    """Sum, for each place in the kernel, what conv saw there times what became of it."""
    return conv_arrays.weight_gradient(x, y_bar, kernel, stride, padding, dilation, groups)


def _check(x: Any, weight: Any, bias: Any, axes: int, groups: int, transposed: bool) -> None:
    """Raise where channels, groups and dtypes of a convolution do not fit together."""
    sides = ("in", "out / groups") if transposed else ("out", "in / groups")
    if len(weight.shape) != axes + 2 or 0 in weight.shape[2:]:
        names = {1: "width", 2: "height, width", 3: "depth, height, width"}[axes]
        raise ShapeError(
            f"a weight of shape {tuple(weight.shape)}: it must have the axes "
            f"({sides[0]}, {sides[1]}, {names}), the kernel's none of size 0"
        )
    if groups < 1 or weight.shape[0] % groups or x.shape[1] % groups:
        raise ShapeError(f"groups={groups} must divide the channels of x and of the weight")
    needed = weight.shape[0] if transposed else weight.shape[1] * groups
    if x.shape[1] != needed:
        raise ShapeError(f"x has {x.shape[1]} channels, it must have {needed}")
    if weight.dtype != x.dtype:
        raise DtypeError(f"a weight of {weight.dtype} for x of {x.dtype}: convert one with .to()")
    if bias is None:
        return
    if bias.dtype != x.dtype:
        raise DtypeError(f"a bias of {bias.dtype} for x of {x.dtype}: convert one with .to(dtype)")
    channels = weight.shape[1] * groups if transposed else weight.shape[0]
    if tuple(bias.shape) != (channels,):
        raise ShapeError(f"a bias of shape {tuple(bias.shape)}: it must have shape ({channels},)")


def convolve(x: Any, weight: Any, bias: Any, axes: int, stride: Any, padding: Any, dilation: Any,
             groups: int, slide: Any = conv) -> Any:  # fmt: skip
    """Bring what a user says of a convolution along so many axes into the op's form, and run it."""
    x, alone = batched(x, axes)
    _check(x, weight, bias, axes, groups, transposed=False)
    kernel = tuple(weight.shape[2:])
    stride = numbers("stride", stride, axes, 1)
    dilation = numbers("dilation", dilation, axes, 1)
    if padding == "same" and max(stride) > 1:
        raise ShapeError(f"padding='same' and stride={stride}: it needs stride 1")
    pairs = around(padding, kernel, dilation)
    check_fit(x.shape[2:], kernel, pairs, dilation)
    y = slide(x, weight, bias, stride, pairs, dilation, groups)
    return y[0] if alone else y


def _transpose(x: Any, weight: Any, bias: Any, axes: int, stride: Any, padding: Any,
               output_padding: Any, groups: int, dilation: Any) -> Any:  # fmt: skip
    x, alone = batched(x, axes)
    _check(x, weight, bias, axes, groups, transposed=True)
    stride = numbers("stride", stride, axes, 1)
    dilation = numbers("dilation", dilation, axes, 1)
    extra = numbers("output_padding", output_padding, axes, 0)
    if any(e >= max(s, d) for e, s, d in zip(extra, stride, dilation, strict=True)):
        raise ShapeError(f"output_padding={output_padding}: it must be below stride or dilation")
    pairs = tuple(
        (p, p - e) for p, e in zip(numbers("padding", padding, axes, 0), extra, strict=True)
    )
    spans = zip(x.shape[2:], stride, reach(tuple(weight.shape[2:]), dilation), pairs, strict=True)
    size = tuple((m - 1) * s + span - low - high for m, s, span, (low, high) in spans)
    if min(size) < 1:
        raise ShapeError(f"the output would have the size {size}: x is too small")
    y = conv_transpose(x, weight, bias, size, stride, pairs, dilation, groups)
    return y[0] if alone else y


Count = int | Sequence[int]


@aliased
def conv1d(x: Any, weight: Any, bias: Any = None, stride: Count = 1, padding: Count | str = 0,
           dilation: Count = 1, groups: int = 1) -> Any:  # fmt: skip
    """conv2d along one axis: x (n, c, l) or (c, l), weight (out, c / groups, k)."""
    return convolve(x, weight, bias, 1, stride, padding, dilation, groups)


@aliased
def conv2d(x: Any, weight: Any, bias: Any = None, stride: Count = 1, padding: Count | str = 0,
           dilation: Count = 1, groups: int = 1) -> Any:  # fmt: skip
    """y[n, o] = b[o] + sum over c of weight[o, c] slid over x[n, c] (cross-correlation).

    x (n, c, h, w) or (c, h, w), weight (out, c / groups, kh, kw), bias (out). Padding "same"
    keeps the size, "valid" adds nothing.
    """
    return convolve(x, weight, bias, 2, stride, padding, dilation, groups)


@aliased
def conv3d(x: Any, weight: Any, bias: Any = None, stride: Count = 1, padding: Count | str = 0,
           dilation: Count = 1, groups: int = 1) -> Any:  # fmt: skip
    """conv2d along three axes: x (n, c, d, h, w) or (c, d, h, w)."""
    return convolve(x, weight, bias, 3, stride, padding, dilation, groups)


@aliased
def conv_transpose1d(x: Any, weight: Any, bias: Any = None, stride: Count = 1, padding: Count = 0,
                     output_padding: Count = 0, groups: int = 1,
                     dilation: Count = 1) -> Any:  # fmt: skip
    """conv_transpose2d along one axis: x (n, c, l) or (c, l), weight (c, out / groups, k)."""
    return _transpose(x, weight, bias, 1, stride, padding, output_padding, groups, dilation)


@aliased
def conv_transpose2d(x: Any, weight: Any, bias: Any = None, stride: Count = 1, padding: Count = 0,
                     output_padding: Count = 0, groups: int = 1,
                     dilation: Count = 1) -> Any:  # fmt: skip
    """The adjoint of conv2d in x, plus a bias: x (n, c, h, w), weight (c, out / groups, kh, kw).

    Each axis has (size - 1) stride - 2 padding + dilation (k - 1) + output_padding + 1 elements.
    """
    return _transpose(x, weight, bias, 2, stride, padding, output_padding, groups, dilation)


@aliased
def conv_transpose3d(x: Any, weight: Any, bias: Any = None, stride: Count = 1, padding: Count = 0,
                     output_padding: Count = 0, groups: int = 1,
                     dilation: Count = 1) -> Any:  # fmt: skip
    """conv_transpose2d along three axes: x (n, c, d, h, w) or (c, d, h, w)."""
    return _transpose(x, weight, bias, 3, stride, padding, output_padding, groups, dilation)
