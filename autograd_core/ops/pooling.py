"""Pooling of windows along the last axes of x (n, c, *size): their largest element, their mean.

A pooling of means is linear, and the op after it its adjoint. The largest elements come with
their places in the flattened spatial axes, to which a gradient goes back. The work on arrays is in
pooling_arrays.py.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..op import linear, op
from ..versions import Array
from . import pooling_arrays
from .pooling_arrays import Divisor
from .windows import Pairs, Sizes

__all__: list[str] = []


class Pooled(NamedTuple):
    """Largest elements, and where they are in the flattened spatial axes."""

    values: Any
    indices: Any


@linear(vjp=[lambda g, indices: pick(g, indices), None])
def unpool(y: Array, indices: Array, size: Sizes) -> Array:
    """Zeros (n, c, *size) with y (n, c, *positions) added in at flat spatial places."""
    return pooling_arrays.unpool(y, indices, size)


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
    "keeps": (1,),  # the values may be changed in place
}


@op(label=lambda kernel: f"max_pool{len(kernel)}d", **_PICKED)
def max_pool(x: Array, kernel: Sizes, stride: Sizes, padding: Pairs, dilation: Sizes) -> Pooled:
    """Largest element of each window: the first of equal ones; NaN where there is one, the last.

    Padding never is the largest.
    """
    return Pooled(*pooling_arrays.max_pool(x, kernel, stride, padding, dilation))


@op(label=lambda output: f"adaptive_max_pool{len(output)}d", **_PICKED)
def adaptive_max_pool(x: Array, output: Sizes) -> Pooled:
    """Largest element of each of as many windows along each axis as the output has elements."""
    return Pooled(*pooling_arrays.adaptive_max_pool(x, output))


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
    """Sum of each window over `divisor`, a number or one for each position."""
    return pooling_arrays.avg_pool(x, divisor, kernel, stride, padding)


@linear(
    vjp=[
        lambda g, divisor, kernel, stride, padding: avg_pool(g, divisor, kernel, stride, padding),
        None,
    ]
)
def avg_pool_input(y: Array, divisor: Divisor, size: Sizes, kernel: Sizes, stride: Sizes,
                   padding: Pairs) -> Array:  # fmt: skip
    """Zeros (n, c, *size) with y over `divisor` added in to each window: its adjoint."""
    return pooling_arrays.avg_pool_input(y, divisor, size, kernel, stride, padding)


@linear(
    label=lambda output: f"adaptive_avg_pool{len(output)}d",
    vjp=[lambda g, shapes: adaptive_avg_pool_input(g, shapes[0][2:])],
)
def adaptive_avg_pool(x: Array, output: Sizes) -> Array:
    """Mean of each of as many windows along each axis as the output has elements."""
    return pooling_arrays.adaptive_avg_pool(x, output)


@linear(vjp=[lambda g, shapes: adaptive_avg_pool(g, shapes[0][2:])])
def adaptive_avg_pool_input(y: Array, size: Sizes) -> Array:
    """Zeros (n, c, *size) with each window's share of y added in: the adjoint of the pooling."""
    return pooling_arrays.adaptive_avg_pool_input(y, size)
