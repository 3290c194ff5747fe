"""Running sums, products and extremes along an axis; differences and areas between neighbours."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..errors import ShapeError
from ..op import aliased, linear, method, op
from ..versions import Array
from .arithmetic import sub
from .comparison import eq, ne, where
from .elementwise import exp
from .indexing import index
from .joining import cat
from .padding import pad_constant
from .picking import SEVERAL, ValuesAndIndices, only
from .reduction import sum
from .shape import dim_of

__all__ = [
    "cummax", "cummin", "cumprod", "cumsum", "cumulative_trapezoid", "diff", "logcumsumexp",
    "trapezoid", "trapz",
]  # fmt: skip


def sliced(x: Any, dim: int, start: int | None, stop: int | None, step: int = 1) -> Any:
    """Return x[start:stop:step] along one axis; unlike x[...], step may be negative."""
    axis = dim_of(len(x.shape), dim)
    return index(x, (slice(None),) * axis + (slice(start, stop, step),))


def _backwards(x: Any, dim: int) -> Any:
    return sliced(x, dim, None, None, -1) if x.shape else x


def _accumulated(accumulate: Any, x: Array, dim: int, dtype: Any) -> Array:
    axis = dim_of(x.ndim, dim)
    if dtype is None and x.dtype.kind != "f":
        dtype = np.int64
    if not x.ndim:
        return x.astype(dtype or x.dtype)
    if dtype is None and x.dtype.char == "e":
        return accumulate(x, axis, np.float32).astype(x.dtype)
    return accumulate(x, axis, dtype)


@linear(vjp=[lambda g, dim: _backwards(cumsum(_backwards(g, dim), dim), dim)], method=True)
def cumsum(x: Array, dim: int, dtype: Any = None) -> Array:
    """Sum of all elements up to each, along one axis."""
    return _accumulated(np.add.accumulate, x, dim, dtype)


def _shifted(x: Any, dim: int, value: float, back: bool = False) -> Any:
    """Return x moved on (or back) by one place along an axis, with a value where room becomes."""
    axis = dim_of(len(x.shape), dim)
    if not x.shape[axis]:
        return x
    step = (-1, 1) if back else (1, -1)
    return pad_constant(x, [step if k == axis else (0, 0) for k in range(len(x.shape))], value)


@op(
    vjp=[
        lambda g, a, y, dim, reverse: (
            recurrence(_shifted(a, dim, 0.0, not reverse), g, dim, not reverse)
            * _shifted(y, dim, 0.0, reverse)
        ),
        lambda g, a, dim, reverse: recurrence(
            _shifted(a, dim, 0.0, not reverse), g, dim, not reverse
        ),
    ],
    jvp=[
        lambda t, a, y, dim, reverse: recurrence(
            a, t * _shifted(y, dim, 0.0, reverse), dim, reverse
        ),
        lambda t, a, dim, reverse: recurrence(a, t, dim, reverse),
    ],
)
def recurrence(a: Array, b: Array, dim: int, reverse: bool = False) -> Array:
    """y[k] = a[k] y[k-1] + b[k] along one axis, or a[k] y[k+1] + b[k] in reverse.

    What running products and their like have for derivatives; no division, so zeros do no harm.
    """
    y = np.empty(b.shape, np.result_type(a, b))
    step = (slice(None, None, -1 if reverse else 1),)
    _solve(*(x.swapaxes(0, dim)[step] for x in (a, b, y)))
    return y


def _solve(a: Array, b: Array, y: Array) -> None:
    """Fill y along the first axis: pairs first, so that the steps are logarithmic in number."""
    n = len(b)
    y[:1] = b[:1]
    if n < 2:
        return
    even, odd = slice(0, n // 2 * 2, 2), slice(1, None, 2)
    _solve(a[odd] * a[even], a[odd] * b[even] + b[odd], y[odd])
    y[2::2] = a[2::2] * y[1 : n - 1 : 2] + b[2::2]


@op(
    vjp=[
        lambda g, x, y, dim: (
            _shifted(y, dim, 1.0) * recurrence(_shifted(x, dim, 0.0, True), g, dim, True)
            if x.shape
            else g
        )
    ],
    jvp=[
        lambda t, x, y, dim: recurrence(x, t * _shifted(y, dim, 1.0), dim) if x.shape else t,
    ],
    method=True,
)
def cumprod(x: Array, dim: int, dtype: Any = None) -> Array:
    """Product of all elements up to each, along one axis; zeros differentiate as they should."""
    return _accumulated(np.multiply.accumulate, x, dim, dtype)


def _ratio(x: Any, y: Any) -> Any:
    """Return exp(x - y), and 0 where both are -inf: there nothing was added yet."""
    nothing = eq(y, -math.inf)
    return where(nothing, 0.0, exp(x - where(nothing, 0.0, y)))


def _logcumsumexp_vjp(g: Any, x: Any, y: Any, dim: int) -> Any:
    """Pull back q[k] exp(x[k] - y[k]), with q[k] = g[k] + exp(y[k] - y[k+1]) q[k+1].

    Every exponent is at most 0: nothing overflows.
    """
    if not x.shape:
        return g
    later = _shifted(y, dim, math.inf, back=True)
    return _ratio(x, y) * recurrence(_ratio(y, later), g, dim, True)


def _logcumsumexp_jvp(t: Any, x: Any, y: Any, dim: int) -> Any:
    if not x.shape:
        return t
    return recurrence(_ratio(_shifted(y, dim, -math.inf), y), _ratio(x, y) * t, dim)


@op(promotes=True, floats_only=True, vjp=[_logcumsumexp_vjp], jvp=[_logcumsumexp_jvp], method=True)
def logcumsumexp(x: Array, dim: int) -> Array:
    """log of the sum of exp of all elements up to each, along one axis, without overflow."""
    return _accumulated(np.logaddexp.accumulate, x, dim, None)


def _running(extreme: Any, x: Array, dim: int) -> ValuesAndIndices:
    axis = dim_of(x.ndim, dim)
    if not x.ndim:
        return only(x)
    values = extreme.accumulate(x, axis)
    reached = x == values
    if x.dtype.kind == "f":
        reached |= np.isnan(x)
    count = np.arange(x.shape[axis]).reshape((-1,) + (1,) * (x.ndim - axis - 1))
    return ValuesAndIndices(values, np.maximum.accumulate(np.where(reached, count, 0), axis))


@op(**SEVERAL, method=True)
def cummax(x: Array, dim: int) -> ValuesAndIndices:
    """Largest element so far, along one axis, and its index: the latest at a tie."""
    return _running(np.maximum, x, dim)


@op(**SEVERAL, method=True)
def cummin(x: Array, dim: int) -> ValuesAndIndices:
    """Smallest element so far, along one axis, and its index: the latest at a tie."""
    return _running(np.minimum, x, dim)


@method
@aliased
def diff(x: Any, n: int = 1, dim: int = -1, prepend: Any = None, append: Any = None) -> Any:
    """Differences of neighbours along one axis, n times over; of truths, whether they differ."""
    if not x.shape:
        raise ShapeError("it needs at least one axis")
    axis = dim_of(len(x.shape), dim)
    if n < 0:
        raise ValueError(f"n is {n}, it must not be negative")
    if n and not (prepend is None and append is None):
        x = cat([part for part in (prepend, x, append) if part is not None], axis)
    minus = ne if x.dtype.kind == "b" else sub
    for _ in range(min(n, x.shape[axis])):
        x = minus(sliced(x, axis, 1, None), sliced(x, axis, None, -1))
    return x


def _areas(y: Any, x: Any, dx: Any, dim: int) -> Any:
    """Return the area of each trapezoid between neighbours, along the axis `dim`."""
    if not y.shape:
        raise ShapeError("y needs at least one axis")
    axis = dim_of(len(y.shape), dim)
    both = sliced(y, axis, 1, None) + sliced(y, axis, None, -1)
    if x is None:
        return both * (dx / 2)
    if len(x.shape) > 1:
        return both * diff(x, dim=axis - len(y.shape)) / 2
    if x.shape != (y.shape[axis],):
        raise ShapeError(f"x must have one point for each of the {y.shape[axis]} along axis {axis}")
    return both * diff(x).reshape((-1,) + (1,) * (len(y.shape) - axis - 1)) / 2


@aliased
def trapezoid(y: Any, x: Any = None, *, dx: Any = 1.0, dim: int = -1) -> Any:
    """Area under y by the trapezoidal rule: at the points x, or dx apart."""
    return sum(_areas(y, x, dx, dim), dim)


trapz = trapezoid


@aliased
def cumulative_trapezoid(y: Any, x: Any = None, *, dx: Any = 1.0, dim: int = -1) -> Any:
    """Area under y up to each point after the first, by the trapezoidal rule."""
    return cumsum(_areas(y, x, dx, dim), dim)
