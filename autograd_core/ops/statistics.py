"""Spread, middle and size: variances, medians, norms."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..errors import ShapeError
from ..op import aliased, method, op, zeros_of
from ..recording import Traced
from ..versions import Array
from .arithmetic import sign
from .comparison import eq, where
from .elementwise import abs
from .picking import SINGLE, ValuesAndIndices, first_equal, only
from .reduction import (
    PICKED,
    Dims,
    axes_of,
    count_of,
    in_single,
    max_reduce,
    mean,
    min_reduce,
    nothing,
    sum,
)
from .shape import add_reduce, cast, dim_of, dims_of, expand_reduced

__all__ = [
    "dist", "median", "nanmedian", "norm", "renorm", "std", "std_mean", "var", "var_mean",
]  # fmt: skip


def _bare(x: Any) -> Any:
    return x._array if isinstance(x, Traced) else x


def _deviations(x: Any, dim: Dims) -> Any:
    """Return x minus its mean.

    Each row's first element is taken off before, as a constant that the mean gives back: digits
    survive beside a large mean, and equal elements deviate by exactly 0.
    """
    dims = dims_of(len(x.shape), dim)
    first = tuple(slice(0, 1) if axis in dims else slice(None) for axis in range(len(x.shape)))
    x = x - _bare(x)[first]
    center = mean(x, dim, True)
    if isinstance(x, Traced):
        return x - center
    x -= center  # in place: x is a fresh array by now
    return x


def _freedom(shape: tuple[int, ...], dim: Dims, correction: float) -> float:
    n = count_of(shape, dim)
    return n - correction if n > correction else 0.0


def _steepness(shape: tuple[int, ...], dim: Dims, correction: float) -> float:
    """Return d variance / d (deviation²) as a number, inf where no freedom is left."""
    freedom = _freedom(shape, dim, correction)
    return 1.0 / freedom if freedom else math.inf


def _var_slope(x: Any, dim: Dims, correction: float) -> Any:
    return _deviations(x, dim) * (2.0 * _steepness(x.shape, dim, correction))


@op(
    vjp=[
        lambda g, x, dim, correction, keepdim: (
            expand_reduced(g, x.shape, dim, keepdim) * _var_slope(x, dim, correction)
        )
    ],
    jvp=[
        lambda t, x, dim, correction, keepdim: sum(t * _var_slope(x, dim, correction), dim, keepdim)
    ],
)
def var_(x: Array, dim: Dims = None, correction: float = 1, keepdim: bool = False) -> Array:
    """Sum of the squares of x - mean, over n - correction."""
    if x.dtype.char == "e":
        return in_single(var_.op.forward, x, dim, correction, keepdim)
    if x.dtype.kind != "f":
        raise TypeError("it needs a floating dtype; convert with .float() first")
    axes = axes_of(x, dim)
    d = _deviations(x, dim)
    d *= d
    return add_reduce(d, axes, None, None, keepdim) / _freedom(x.shape, dim, correction)


def _std_slope(x: Any, y: Any, dim: Dims, correction: float, keepdim: bool) -> Any:
    """Return dy/dx; 0 where all elements are equal."""
    y = expand_reduced(y, x.shape, dim, keepdim)
    flat = eq(y, 0.0)
    steps = _deviations(x, dim) * _steepness(x.shape, dim, correction)
    return where(flat, 0.0, steps / where(flat, 1.0, y))


@op(
    vjp=[
        lambda g, x, y, dim, correction, keepdim: (
            expand_reduced(g, x.shape, dim, keepdim) * _std_slope(x, y, dim, correction, keepdim)
        )
    ],
    jvp=[
        lambda t, x, y, dim, correction, keepdim: sum(
            t * _std_slope(x, y, dim, correction, keepdim), dim, keepdim
        )
    ],
)
def std_(x: Array, dim: Dims = None, correction: float = 1, keepdim: bool = False) -> Array:
    """Square root of the variance."""
    return np.sqrt(var_.op.forward(x, dim, correction, keepdim))


def _spread(
    compute: Any, x: Any, dim: Any, unbiased: bool | None, keepdim: bool, correction: float | None
) -> Any:
    """Call var_ or std_: x.var(False) and x.var(0, False) set `unbiased`, PyTorch's older way."""
    if isinstance(dim, bool):
        dim, unbiased = None, dim
    if unbiased is not None:
        if correction is not None:
            raise TypeError("unbiased and correction say the same: give one")
        correction = int(unbiased)
    return compute(x, dim, 1 if correction is None else correction, keepdim)


@method
@aliased
def var(
    x: Any,
    dim: Any = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> Any:
    """Variance: sum of (x - mean)² over n - correction, which is 1 unless given."""
    return _spread(var_, x, dim, unbiased, keepdim, correction)


@method
@aliased
def std(
    x: Any,
    dim: Any = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> Any:
    """Standard deviation, the root of var; its gradient is 0 where all elements are equal."""
    return _spread(std_, x, dim, unbiased, keepdim, correction)


@aliased
def var_mean(
    x: Any,
    dim: Any = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> tuple[Any, Any]:
    """(var, mean)."""
    axes = None if isinstance(dim, bool) else dim
    return _spread(var_, x, dim, unbiased, keepdim, correction), mean(x, axes, keepdim)


@aliased
def std_mean(
    x: Any,
    dim: Any = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> tuple[Any, Any]:
    """(std, mean)."""
    axes = None if isinstance(dim, bool) else dim
    return _spread(std_, x, dim, unbiased, keepdim, correction), mean(x, axes, keepdim)


def _slope(x: Any, y: Any, p: float, dim: Dims, keepdim: bool) -> Any:
    """Return d|x|/dx = sign(x) (|x| / |x|_p)^(p - 1), and 0 where an element or the norm is 0."""
    y = expand_reduced(y, x.shape, dim, keepdim)
    if p == 0:
        return zeros_of(x)
    if math.isinf(p):
        reached = cast(eq(abs(x), y), x.dtype)
        return sign(x) * (reached / sum(reached, dim, True))
    flat = eq(y, 0.0)
    unit = x / where(flat, 1.0, y)
    if p == 2:
        return unit
    power = where(eq(x, 0.0), 1.0, abs(unit)) ** (p - 1.0)
    return where(flat, 0.0, sign(x) * power)


@op(
    vjp=[
        lambda g, x, y, p, dim, keepdim: (
            expand_reduced(g, x.shape, dim, keepdim) * _slope(x, y, p, dim, keepdim)
        )
    ],
    jvp=[lambda t, x, y, p, dim, keepdim: sum(t * _slope(x, y, p, dim, keepdim), dim, keepdim)],
)
def norm_(x: Array, p: float = 2.0, dim: Dims = None, keepdim: bool = False) -> Array:
    """p-norm over the given axes, or over all; p = 0 counts what is not 0."""
    if x.dtype.char == "e":
        return in_single(norm_.op.forward, x, p, dim, keepdim)
    if x.dtype.kind != "f":
        raise TypeError("it needs a floating dtype; convert with .float() first")
    axes = axes_of(x, dim)
    if (p < 0 or p == math.inf) and not count_of(x.shape, dim):
        raise nothing(x, dim)
    if p == 2:
        return np.sqrt(add_reduce(x * x, axes, None, None, keepdim))
    if p == 0:
        return add_reduce(x != 0, axes, x.dtype, None, keepdim)
    if math.isinf(p):
        reduce = max_reduce if p > 0 else min_reduce
        return reduce(np.absolute(x), axes, None, None, keepdim)
    powers = np.absolute(x) if p == 1 else np.absolute(x) ** p
    return add_reduce(powers, axes, None, None, keepdim) ** (1.0 / p)


@method
@aliased
def norm(
    x: Any, p: float | str = "fro", dim: Dims = None, keepdim: bool = False, dtype: Any = None
) -> Any:
    """(sum of |x|^p)^(1/p) over the given axes, or over all; "fro" is p = 2."""
    if isinstance(p, str) and p != "fro":
        if p != "nuc":
            raise ValueError(f"p is {p!r}, it must be a number, 'fro' or 'nuc'")
        from .norms import matrix_norm  # which is made of this one

        return matrix_norm(x, "nuc", (-2, -1) if dim is None else dim, keepdim, dtype=dtype)
    if dtype is not None:
        x = cast(x, dtype)
    return norm_(x, 2.0 if isinstance(p, str) else float(p), dim, keepdim)


@method
@aliased
def dist(x: Any, other: Any, p: float = 2.0) -> Any:
    """p-norm of x - other."""
    return norm_(x - other, float(p))


@method
@aliased
def renorm(x: Any, p: float, dim: int, maxnorm: float) -> Any:
    """x with every slice along `dim` whose p-norm exceeds maxnorm scaled down to it."""
    if len(x.shape) < 2:
        raise ShapeError("it needs at least two axes")
    if maxnorm < 0:
        raise ValueError(f"maxnorm is {maxnorm}, it must not be negative")
    axis = dim_of(len(x.shape), dim)
    size = norm_(x, float(p), tuple(k for k in range(len(x.shape)) if k != axis), True)
    return x * where(size > maxnorm, maxnorm / (size + 1e-7), 1.0)


def _middle(x: Array, axis: int) -> Array:
    """Return the lower median along one axis, which stays; NaN where there is one."""
    last = x.shape[axis] - 1
    if x.dtype.kind != "f":
        return np.partition(x, last // 2, axis).take([last // 2], axis)
    ordered = np.partition(x, [last // 2, last], axis)
    top = ordered.take([last], axis)
    return np.where(np.isnan(top), top, ordered.take([last // 2], axis))


def _middle_of_numbers(x: Array, axis: int) -> Array:
    """Return the lower median of what is not NaN along one axis, which stays."""
    count = np.count_nonzero(x == x, axis, keepdims=True)
    return np.take_along_axis(np.sort(x, axis), np.maximum(count - 1, 0) // 2, axis)


def _median_of_all(middle: Any, x: Array) -> Array:
    if not x.size:
        if x.dtype.kind != "f":
            raise nothing(x, None)
        return np.asarray(math.nan, x.dtype)
    return middle(x.reshape(-1), 0).reshape(())


def _median_along(middle: Any, x: Array, dim: int, keepdim: bool) -> ValuesAndIndices:
    axis = dim_of(x.ndim, dim)
    if not x.ndim:
        return only(x)
    if not x.shape[axis]:
        raise nothing(x, axis)
    return first_equal(x, middle(x, axis), axis, keepdim)


@op(**PICKED, label="median")
def median_all(x: Array) -> Array:
    """Lower median of all elements; equal ones share the gradient evenly."""
    return _median_of_all(_middle, x)


@op(**PICKED, label="nanmedian")
def nanmedian_all(x: Array) -> Array:
    """Lower median of all elements that are not NaN; equal ones share the gradient evenly."""
    return _median_of_all(_middle_of_numbers, x)


@op(**SINGLE, label="median")
def median_along(x: Array, dim: int, keepdim: bool = False) -> ValuesAndIndices:
    """Lower median along one axis, and where it is found first."""
    return _median_along(_middle, x, dim, keepdim)


@op(**SINGLE, label="nanmedian")
def nanmedian_along(x: Array, dim: int, keepdim: bool = False) -> ValuesAndIndices:
    """Lower median of what is not NaN along one axis, and where it is found first."""
    return _median_along(_middle_of_numbers, x, dim, keepdim)


@method
@aliased
def median(x: Any, dim: int | None = None, keepdim: bool = False) -> Any:
    """median(x): the lower of the middle elements. median(x, dim): (values, indices)."""
    return median_all(x) if dim is None else median_along(x, dim, keepdim)


@method
@aliased
def nanmedian(x: Any, dim: int | None = None, keepdim: bool = False) -> Any:
    """As median, of what is not NaN."""
    return nanmedian_all(x) if dim is None else nanmedian_along(x, dim, keepdim)
