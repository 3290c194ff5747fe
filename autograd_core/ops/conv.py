"""Convolution (cross-correlation) in two dimensions, and its two adjoints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import op as declare
from ..errors import DtypeError, ShapeError
from ..versions import Array
from .shape import Shape

__all__ = ["conv2d", "conv2d_input", "conv2d_weight"]

Pair = tuple[int, int]


def output_size(n: int, kernel: int, stride: int, padding: int, dilation: int) -> int:
    """Return how many positions a kernel has along an axis of n elements."""
    return (n + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1


def _windows(x: Array, kernel: Pair, stride: Pair, padding: Pair, dilation: Pair) -> Array:
    """Return a view (n, c, kh, kw, oh, ow) of the patches of x (n, c, h, w), zeros around it."""
    if any(padding):
        (ph, pw) = padding
        x = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    n, c, h, w = x.shape
    sizes = [
        output_size(size, k, s, 0, d)
        for size, k, s, d in zip((h, w), kernel, stride, dilation, strict=True)
    ]
    sn, sc, sh, sw = x.strides
    return np.lib.stride_tricks.as_strided(
        x,
        (n, c, *kernel, *sizes),
        (sn, sc, sh * dilation[0], sw * dilation[1], sh * stride[0], sw * stride[1]),
        writeable=False,
    )


def im2col(x: Array, kernel: Pair, stride: Pair, padding: Pair, dilation: Pair) -> Array:
    """Return the patches of x as the columns of a matrix (c kh kw, n oh ow)."""
    patches = _windows(x, kernel, stride, padding, dilation).transpose(1, 2, 3, 0, 4, 5)
    c, kh, kw, n, oh, ow = patches.shape
    return patches.reshape(c * kh * kw, n * oh * ow)


def col2im(columns: Array, shape: Shape, kernel: Pair, stride: Pair, padding: Pair,
           dilation: Pair) -> Array:  # fmt: skip
    """Add columns back into an image of `shape` (n, c, h, w): the adjoint of im2col."""
    n, c, h, w = shape
    (kh, kw), (ph, pw) = kernel, padding
    oh = output_size(h, kh, stride[0], ph, dilation[0])
    ow = output_size(w, kw, stride[1], pw, dilation[1])
    patches = columns.reshape(c, kh, kw, n, oh, ow)
    x = np.zeros((c, n, h + 2 * ph, w + 2 * pw), columns.dtype)
    for i in range(kh):
        rows = slice(i * dilation[0], i * dilation[0] + stride[0] * (oh - 1) + 1, stride[0])
        for j in range(kw):
            cols = slice(j * dilation[1], j * dilation[1] + stride[1] * (ow - 1) + 1, stride[1])
            x[:, :, rows, cols] += patches[:, i, j]
    return np.ascontiguousarray(x[:, :, ph : ph + h, pw : pw + w].transpose(1, 0, 2, 3))


def _by_group(g: Array, groups: int) -> Array:
    """Return (n, c, h, w) as (groups, c / groups, n h w)."""
    n, c, h, w = g.shape
    return g.transpose(1, 0, 2, 3).reshape(groups, c // groups, n * h * w)


def _check(x: Array, weight: Array, stride: Pair, padding: Pair, dilation: Pair,
           groups: int) -> None:  # fmt: skip
    if x.ndim != 4 or weight.ndim != 4:
        raise ShapeError("x must have the axes (n, c, h, w), the weight (out, c / groups, kh, kw)")
    if groups < 1 or x.shape[1] % groups or weight.shape[0] % groups:
        raise ShapeError(f"groups={groups} must divide the channels of x and of the weight")
    if x.shape[1] != weight.shape[1] * groups:
        raise ShapeError(f"x has {x.shape[1]} channels, it must have {weight.shape[1] * groups}")
    if min(stride) < 1 or min(dilation) < 1 or min(padding) < 0:
        raise ShapeError(f"stride {stride}, dilation {dilation} and padding {padding} cannot be")
    for size, k, p, d in zip(x.shape[2:], weight.shape[2:], padding, dilation, strict=True):
        if size + 2 * p < d * (k - 1) + 1:
            raise ShapeError(f"the kernel spans {d * (k - 1) + 1}, the padded input {size + 2 * p}")
    if x.dtype != weight.dtype:
        raise TypeError(f"dtypes {x.dtype} and {weight.dtype} differ; convert one with .to(dtype)")


@declare.linear(
    label="conv2d",
    vjp=[
        lambda g, weight, shapes, stride, padding, dilation, groups: conv2d_input(
            g, weight, shapes[0], stride, padding, dilation, groups
        ),
        lambda g, x, shapes, stride, padding, dilation, groups: conv2d_weight(
            g, x, shapes[1], stride, padding, dilation, groups
        ),
    ],
)
def conv2d_product(
    x: Array, weight: Array, stride: Pair, padding: Pair, dilation: Pair, groups: int
) -> Array:
    """Slide the weight over x: (n, c, h, w) and (out, c / groups, kh, kw) -> (n, out, oh, ow)."""
    _check(x, weight, stride, padding, dilation, groups)
    out, _, *kernel = weight.shape
    columns = im2col(x, (kernel[0], kernel[1]), stride, padding, dilation)
    y = weight.reshape(groups, out // groups, -1) @ columns.reshape(groups, -1, columns.shape[1])
    oh, ow = (
        output_size(*sizes)
        for sizes in zip(x.shape[2:], kernel, stride, padding, dilation, strict=True)
    )
    return np.ascontiguousarray(y.reshape(out, x.shape[0], oh, ow).transpose(1, 0, 2, 3))


@declare.linear(
    vjp=[
        lambda g, weight, stride, padding, dilation, groups: conv2d_product(
            g, weight, stride, padding, dilation, groups
        ),
        lambda g, y_bar, shapes, stride, padding, dilation, groups: conv2d_weight(
            y_bar, g, shapes[1], stride, padding, dilation, groups
        ),
    ],
)
def conv2d_input(y_bar: Array, weight: Array, shape: Shape, stride: Pair, padding: Pair,
                 dilation: Pair, groups: int) -> Array:  # fmt: skip
    """Pull a cotangent of the output back to the input of `shape`."""
    out, _, *kernel = weight.shape
    flat = weight.reshape(groups, out // groups, -1)
    columns = flat.transpose(0, 2, 1) @ _by_group(y_bar, groups)
    return col2im(columns, shape, (kernel[0], kernel[1]), stride, padding, dilation)


@declare.linear(
    vjp=[
        lambda g, x, stride, padding, dilation, groups: conv2d_product(
            x, g, stride, padding, dilation, groups
        ),
        lambda g, y_bar, shapes, stride, padding, dilation, groups: conv2d_input(
            y_bar, g, shapes[1], stride, padding, dilation, groups
        ),
    ],
)
def conv2d_weight(y_bar: Array, x: Array, shape: Shape, stride: Pair, padding: Pair,
                  dilation: Pair, groups: int) -> Array:  # fmt: skip
    """Pull a cotangent of the output back to the weight of `shape`."""
    columns = im2col(x, (shape[2], shape[3]), stride, padding, dilation)
    columns = columns.reshape(groups, -1, columns.shape[1])
    return (_by_group(y_bar, groups) @ columns.transpose(0, 2, 1)).reshape(shape)


def conv2d(
    x: Any,
    weight: Any,
    bias: Any = None,
    stride: int | Sequence[int] = 1,
    padding: int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> Any:
    """y[n, o] = b[o] + sum over c of weight[o, c] slid over x[n, c] (cross-correlation).

    x (n, c, h, w) or (c, h, w), weight (out, c / groups, kh, kw), bias (out).
    """
    if len(x.shape) == 3:
        return conv2d(x[None], weight, bias, stride, padding, dilation, groups)[0]
    pairs = (_pair("stride", stride), _pair("padding", padding), _pair("dilation", dilation))
    y = conv2d_product(x, weight, *pairs, groups)
    if bias is None:
        return y
    if bias.dtype != y.dtype:
        raise DtypeError(
            f"conv2d got a bias of {bias.dtype} for x of {y.dtype}: convert one with .to(dtype)"
        )
    return y + bias.reshape((1, -1, 1, 1))


def _pair(name: str, n: Any) -> Pair:
    numbers = (n,) if isinstance(n, int) else tuple(n)
    if len(numbers) not in (1, 2):
        raise ShapeError(f"conv2d got {name}={n}: it must be one or two numbers")
    return numbers[0], numbers[-1]
