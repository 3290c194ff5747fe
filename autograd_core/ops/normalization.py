"""Numbers brought to mean 0 and mean square 1 over some axes: what every norm layer rests on."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from ..op import elementwise, op
from ..versions import Array
from .elementwise import rsqrt
from .reduction import mean, sum
from .shape import Shape, add_reduce, expand

__all__: list[str] = []


class Standardized(NamedTuple):
    """Standardized numbers, and the mean and variance that they had; both keep their axes."""

    values: Any
    mean: Any
    var: Any


def _pull(g: Any, y: Any, shapes: Any, dims: Shape, eps: float, center: bool) -> Any:
    count = math.prod(shapes[0][d] for d in dims)
    scale = rsqrt(y[2] + eps)
    pulled: list[Any] = []
    if g[0] is not None:
        pulled.append(standardize_input(g[0], y[0], scale, dims, center))
    if g[1] is not None:
        pulled.append(expand(g[1] / count if center else 0.0 * g[1], shapes[0]))
    if g[2] is not None:
        pulled.append(y[0] * (g[2] * (2.0 / count) / scale))
    total = pulled[0]
    for more in pulled[1:]:
        total = total + more
    return total


def _push(t: Any, y: Any, dims: Shape, eps: float, center: bool) -> Any:
    scale = rsqrt(y[2] + eps)
    middle = mean(t, dims, True)
    return Standardized(
        standardize_input(t, y[0], scale, dims, center),
        middle if center else 0.0 * middle,
        2.0 * mean(t * y[0], dims, True) / scale,
    )


@op(vjp=[_pull], jvp=[_push], results=Standardized)
def standardize(x: Array, dims: Shape, eps: float, center: bool = True) -> Standardized:
    """(x - mean) / √(var + eps) over `dims`; without `center` the mean counts as 0.

    One element of each group is taken off before the mean of the rest is, so that digits survive
    beside a large mean; the variance is the mean of squared deviations, in a second pass.
    """
    if x.dtype.char == "e":
        wide = standardize.op.forward(x.astype(np.float32), dims, eps, center)
        return Standardized(*(part.astype(np.float16) for part in wide))
    kept = [1 if d in dims else n for d, n in enumerate(x.shape)]
    if not x.size:
        return Standardized(x.copy(), np.zeros(kept, x.dtype), np.zeros(kept, x.dtype))
    count = math.prod(x.shape[d] for d in dims)
    if center:
        first = x[tuple(slice(1) if d in dims else slice(None) for d in range(x.ndim))]
        y = x - first
        rest = add_reduce(y, dims, None, None, True) / x.dtype.type(count)
        y -= rest
        middle = first + rest
    else:
        y = x.copy()
        middle = np.zeros(kept, x.dtype)
    var = _products(y, y, dims) / x.dtype.type(count)
    y *= 1.0 / np.sqrt(var + x.dtype.type(eps))
    return Standardized(y, middle, var)


def _products(a: Array, b: Array, dims: Shape) -> Array:
    """Return the sum of a b over `dims`, which stay as axes of one element, without a copy."""
    axes = list(range(a.ndim))
    kept = [axis for axis in axes if axis not in dims]
    sums = np.einsum(a, axes, b, axes, kept)
    return sums.reshape([1 if axis in dims else n for axis, n in enumerate(a.shape)])


def _along(a: Any, b: Any, dims: Shape) -> Any:
    return mean(a * b, dims, True)


@op(
    vjp=[
        lambda g, unit, scale, dims, center: standardize_input(g, unit, scale, dims, center),
        lambda g, y_bar, unit, scale, dims: (
            -scale * (g * _along(y_bar, unit, dims) + y_bar * _along(g, unit, dims))
        ),
        lambda g, y, scale, dims: sum(g * y, dims, True) / scale,
    ],
    jvp=[
        lambda t, unit, scale, dims, center: standardize_input(t, unit, scale, dims, center),
        lambda t, y_bar, unit, scale, dims: (
            -scale * (t * _along(y_bar, unit, dims) + unit * _along(y_bar, t, dims))
        ),
        lambda t, y, scale: t * y / scale,
    ],
)
def standardize_input(
    y_bar: Array, unit: Array, scale: Array, dims: Shape, center: bool = True
) -> Array:
    """scale (ȳ - mean ȳ - u mean(ȳ u)): pull ȳ back through u = standardize(x).

    It is its own adjoint in ȳ, so it pushes a tangent forward as well.
    """
    if unit.dtype.char == "e":
        wide = (a.astype(np.float32) for a in (y_bar, unit, scale))
        return standardize_input.op.forward(*wide, dims, center).astype(np.float16)
    count = max(1, math.prod(unit.shape[d] for d in dims))
    x = unit * (_products(y_bar, unit, dims) / unit.dtype.type(-count))
    x += y_bar
    if center:
        x -= add_reduce(y_bar, dims, None, None, True) / unit.dtype.type(count)
    x *= scale
    return x


@elementwise(
    scalar=lambda x, w, b: x * w + b,
    vjp=[lambda g, w: g * w, lambda g, x: g * x, lambda g: g],
)
def affine(x: Array, w: Array, b: Array) -> Array:
    """x w + b, with broadcasting; the sum takes the place of the product where it fits."""
    y = np.multiply(x, w)
    fits = isinstance(y, np.ndarray) and y.shape == np.broadcast_shapes(y.shape, np.shape(b))
    return np.add(y, b, y if fits else None)
