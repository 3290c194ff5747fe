"""Linear maps with ReLU after them, in one pass over the result: y = max(w x + b, 0).

What enters ReLU is never kept: where y is 0 no cotangent goes on, elsewhere all of it.
"""

from __future__ import annotations

from typing import Any

from kernels.follow import RELU

from ..matrices import affine
from ..op import op
from ..versions import Array
from . import conv_arrays
from .conv import conv, convolve
from .elementwise import relu
from .products import check_linear, linear
from .shape import expand
from .windows import Pairs, Sizes

__all__: list[str] = []

_through: Any = relu.op.vjp[0]  # (g, y): what ReLU lets pass, of cotangents and of tangents
_linear_vjp, _linear_jvp = linear.op.vjp, linear.op.jvp
_conv_vjp, _conv_jvp = conv.op.vjp, conv.op.jvp


def _pull_linear(g: Any, y: Any, x: Any, weight: Any, shapes: Any, wanted: Any) -> list[Any]:
    g = _through(g, y)
    return [
        _linear_vjp[0](g, weight) if wanted[0] else None,
        _linear_vjp[1](g, x, shapes) if wanted[1] else None,
        _linear_vjp[2](g, shapes) if wanted[2] else None,
    ]


@op(
    label="linear relu",
    multiply_adds=linear.op.multiply_adds,
    joint=True,
    vjp=[_pull_linear] * 3,
    jvp=[
        lambda t, y, weight: _through(_linear_jvp[0](t, weight), y),
        lambda t, y, x: _through(_linear_jvp[1](t, x), y),
        lambda t, y: _through(expand(t, y.shape), y),
    ],
)
def linear_relu(x: Array, weight: Array, bias: Array | None = None) -> Array:
    """y = max(x Wᵀ + b, 0), with x (..., in), W (out, in), b (out) and y (..., out)."""
    check_linear(x, weight, bias)
    return affine(x, weight, bias, RELU)


def _pull_conv(
    g: Any, y: Any, x: Any, weight: Any, shapes: Any, wanted: Any,
    stride: Any, padding: Any, dilation: Any, groups: Any,
) -> list[Any]:  # fmt: skip
    g, rest = _through(g, y), (stride, padding, dilation, groups)
    return [
        _conv_vjp[0](g, weight, shapes, *rest) if wanted[0] else None,
        _conv_vjp[1](g, x, shapes, *rest) if wanted[1] else None,
        _conv_vjp[2](g) if wanted[2] else None,
    ]


@op(
    label=lambda stride: f"conv{len(stride)}d relu",
    multiply_adds=conv.op.multiply_adds,
    joint=True,
    vjp=[_pull_conv] * 3,
    jvp=[
        lambda t, y, weight, stride, padding, dilation, groups: _through(
            _conv_jvp[0](t, weight, stride, padding, dilation, groups), y
        ),
        lambda t, y, x, stride, padding, dilation, groups: _through(
            _conv_jvp[1](t, x, stride, padding, dilation, groups), y
        ),
        lambda t, y, stride: _through(expand(_conv_jvp[2](t, stride), y.shape), y),
    ],
)
def conv_relu(x: Array, weight: Array, bias: Array | None, stride: Sizes, padding: Pairs,
              dilation: Sizes, groups: int) -> Array:  # fmt: skip
    """Slide the weight over x, add the bias, and let nothing below 0 pass."""
    return conv_arrays.forward(x, weight, bias, stride, padding, dilation, groups, RELU)


def convolve_relu(axes: int, x: Any, weight: Any, bias: Any, *rest: Any) -> Any:
    """conv1d, conv2d or conv3d, by their axes, with ReLU after; the rest as there."""
    return convolve(x, weight, bias, axes, *rest, slide=conv_relu)
