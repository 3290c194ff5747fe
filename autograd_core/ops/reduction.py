"""Sums, products, extremes and truths along axes and counts along axes."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ..errors import DtypeError, ShapeError
from ..kernel_sizes import SUMS, row_sums, suits
from ..op import aliased, linear, method, op, untracked, zeros_of
from ..recording import Traced
from ..versions import Array
from .comparison import eq, maximum, minimum, ne, where
from .joining import cat
from .picking import SINGLE, ValuesAndIndices, only
from .shape import add_reduce, cast, dim_of, dims_of, expand_reduced

__all__ = [
    "all", "amax", "amin", "aminmax", "any", "argmax", "argmin", "count_nonzero", "max", "mean",
    "min", "nanmean", "nansum", "prod", "sum",
]  # fmt: skip

max_reduce: Any = np.maximum.reduce
min_reduce: Any = np.minimum.reduce
multiply_reduce: Any = np.multiply.reduce
and_reduce: Any = np.logical_and.reduce
or_reduce: Any = np.logical_or.reduce

Dims = int | tuple[int, ...] | list[int] | None


def axes_of(x: Array, dim: Dims) -> Any:
    """Return `dim` as NumPy's reductions take it, after a check; None means all axes."""
    if dim is None or (dim.__class__ is int and -x.ndim <= dim < x.ndim):  # type: ignore[operator]
        return dim
    return dims_of(x.ndim, dim)


def count_of(shape: tuple[int, ...], dim: Dims) -> int:
    """Return how many elements a reduction makes one of."""
    if dim.__class__ is int and shape:
        return shape[dim]  # type: ignore[index]
    return math.prod(shape[axis] for axis in dims_of(len(shape), dim))


def _in_rows(x: Array, dim: Dims) -> Any:
    """Return the shape of what kernels make of the last axes, if it is they that `dim` names."""
    if dim is None:
        return ()
    if dim.__class__ is int:
        return x.shape[:-1] if dim in (-1, x.ndim - 1) else None
    dims = dims_of(x.ndim, dim)
    kept = x.ndim - len(dims)
    return x.shape[:kept] if sorted(dims) == list(range(kept, x.ndim)) else None


def _by_kernel(x: Array, dim: Dims, keepdim: bool, mean: bool) -> Array | None:
    """Return sums or means over the last axes of a large array; None where NumPy is to add."""
    shape = _in_rows(x, dim) if suits(x, SUMS) else None
    if shape is None:
        return None
    y = np.empty(shape, x.dtype)
    rows = x.reshape(y.size, -1)
    row_sums(rows, float(rows.shape[1]) if mean else 1.0, y.reshape(-1))
    return y.reshape(shape + (1,) * (x.ndim - len(shape))) if keepdim else y


def in_single(forward: Callable[..., Any], x: Array, *params: Any) -> Any:
    """Run a forward on float16 in float32, and round once."""
    return forward(x.astype(np.float32), *params).astype(np.float16)


@linear(
    vjp=[lambda g, shapes, dim, keepdim: expand_reduced(g, shapes[0], dim, keepdim)],
    method=True,
)
def sum(x: Array, dim: Dims = None, keepdim: bool = False, dtype: Any = None) -> Array:
    """Sum over the given axes, or over all; integers and bools add up as int64."""
    if dtype is None and x.dtype.char not in "fd":
        if x.dtype.char == "e":
            return in_single(sum.op.forward, x, dim, keepdim)
        dtype = np.int64 if x.dtype.kind in "iub" else None
    elif dtype is None and x.size >= SUMS:
        y = _by_kernel(x, dim, keepdim, mean=False)
        if y is not None:
            return y
    return add_reduce(x, dim if dim is None else axes_of(x, dim), dtype, None, keepdim)


@linear(
    vjp=[
        lambda g, shapes, dim, keepdim: expand_reduced(
            g / count_of(shapes[0], dim), shapes[0], dim, keepdim
        )
    ],
    method=True,
)
def mean(x: Array, dim: Dims = None, keepdim: bool = False, dtype: Any = None) -> Array:
    """Arithmetic mean over the given axes, or over all."""
    if dtype is None and x.dtype.char == "e":
        return in_single(mean.op.forward, x, dim, keepdim)
    if (x.dtype if dtype is None else np.dtype(dtype)).kind in "iub":
        raise TypeError("the mean needs a floating dtype; convert with .float() first")
    if dtype is None and x.size >= SUMS:
        y = _by_kernel(x, dim, keepdim, mean=True)
        if y is not None:
            return y
    total = add_reduce(x, axes_of(x, dim), dtype, None, keepdim)
    return total / float(x.size // (total.size or 1))


@method
@aliased
def nansum(x: Any, dim: Dims = None, keepdim: bool = False, dtype: Any = None) -> Any:
    """Sum that counts NaN as 0."""
    return sum(where(ne(x, x), 0, x), dim, keepdim, dtype)


@method
@aliased
def nanmean(x: Any, dim: Dims = None, keepdim: bool = False, dtype: Any = None) -> Any:
    """Arithmetic mean of what is not NaN."""
    if x.dtype.kind != "f":
        raise DtypeError(f"it needs a floating dtype, not {x.dtype}; use .float() first")
    total = nansum(x, dim, keepdim, dtype)
    return total / cast(sum(eq(x, x), dim, keepdim), total.dtype)


def _others(x: Any) -> Any:
    """Return, along the first axis, the product of all elements but the one at each place.

    Halves are multiplied with each other, the results again, and so on, and the products of the
    opposite halves come back down: no division, so zeros do no harm, at any order.
    """
    if x.shape[0] < 2:
        return zeros_of(x) + 1.0
    half = x.shape[0] // 2
    a, b, rest = x[:half], x[half : 2 * half], x[2 * half :]
    outside = _others(cat([a * b, rest]))
    inner = outside[:half]
    return cat([inner * b, inner * a, outside[half:]])


def _product_of_others(x: Any, dim: int | None) -> Any:
    if dim is None or not x.shape:
        return _others(x.reshape((-1,))).reshape(x.shape)
    return _others(x.swapaxes(0, dim)).swapaxes(0, dim)


@op(
    vjp=[
        lambda g, x, dim, keepdim: (
            expand_reduced(g, x.shape, dim, keepdim) * _product_of_others(x, dim)
        )
    ],
    jvp=[lambda t, x, dim, keepdim: sum(t * _product_of_others(x, dim), dim, keepdim)],
    method=True,
)
def prod(x: Array, dim: int | None = None, keepdim: bool = False, dtype: Any = None) -> Array:
    """Product over one axis, or over all; integers and bools multiply as int64."""
    if dim is not None:
        dim = dim_of(x.ndim, dim)
    if dtype is None and x.dtype.kind != "f":
        dtype = np.int64
    return multiply_reduce(x, dim, dtype, None, keepdim)


def _share(mask: Any, x: Any, dim: Dims) -> Any:
    """Return the mask in x's dtype, divided by the number of elements it marks in each row."""
    mask = cast(mask, x.dtype)
    return mask / sum(mask, dim, True)


def _extremes(x: Any, y: Any, dim: Dims, keepdim: bool) -> Any:
    return _share(eq(x, expand_reduced(y, x.shape, dim, keepdim)), x, dim)


def _to_extremes(g: Any, x: Any, y: Any, dim: Dims, keepdim: bool) -> Any:
    return _extremes(x, y, dim, keepdim) * expand_reduced(g, x.shape, dim, keepdim)


def _from_extremes(t: Any, x: Any, y: Any, dim: Dims, keepdim: bool) -> Any:
    return sum(_extremes(x, y, dim, keepdim) * t, dim, keepdim)


def _reduced(reduce: Any, x: Array, dim: Dims, keepdim: bool) -> Array:
    try:
        return reduce(x, axes_of(x, dim), None, None, keepdim)
    except ValueError:
        raise nothing(x, dim) from None


def nothing(x: Array, dim: Dims) -> Exception:
    """Return the error of a reduction without identity over no elements."""
    if dim is None:
        return ShapeError("there is none among no elements")
    empty = [axis for axis in dims_of(x.ndim, dim) if not x.shape[axis]]
    return IndexError(f"there is none along axis {empty[0]}, which has size 0")


@op(vjp=[_to_extremes], jvp=[_from_extremes], method=True)
def amax(x: Array, dim: Dims = None, keepdim: bool = False) -> Array:
    """Largest element over the given axes, or over all; ties share the gradient evenly."""
    return _reduced(max_reduce, x, dim, keepdim)


@op(vjp=[_to_extremes], jvp=[_from_extremes], method=True)
def amin(x: Array, dim: Dims = None, keepdim: bool = False) -> Array:
    """Smallest element over the given axes, or over all; ties share the gradient evenly."""
    return _reduced(min_reduce, x, dim, keepdim)


@untracked(arrays=2)
def same(a: Array, b: Array) -> Array:
    """a == b for each element, and NaN is the same as NaN."""
    if b.ndim == 0:
        return a != a if b != b else np.equal(a, b)
    return (a == b) | ((a != a) & (b != b))


def share_of_equals(x: Any, y: Any) -> Any:
    """Return 1 / n at the n elements of x that equal the number y, be it NaN; 0 elsewhere."""
    return _share(same(x, y), x, None)


# Facets of an op that picks one number among all elements.
PICKED: dict[str, Any] = {
    "vjp": [lambda g, x, y: g * share_of_equals(x, y)],
    "jvp": [lambda t, x, y: sum(t * share_of_equals(x, y))],
}


@op(**PICKED, label="max")
def max_all(x: Array) -> Array:
    """Largest of all elements; ties share the gradient evenly, NaNs too."""
    try:
        return max_reduce(x, None)
    except ValueError:
        raise nothing(x, None) from None


@op(**PICKED, label="min")
def min_all(x: Array) -> Array:
    """Smallest of all elements; ties share the gradient evenly, NaNs too."""
    try:
        return min_reduce(x, None)
    except ValueError:
        raise nothing(x, None) from None


def _extreme_along(reduce: Any, x: Array, dim: int, keepdim: bool) -> ValuesAndIndices:
    if x.ndim == 0:
        dim_of(0, dim)
        return only(x)
    values = _reduced(reduce, x, dim_of(x.ndim, dim), keepdim)
    find = x.argmax if reduce is max_reduce else x.argmin
    return ValuesAndIndices(values, find(dim, None, keepdims=keepdim))


@op(**SINGLE, label="max")
def max_along(x: Array, dim: int, keepdim: bool = False) -> ValuesAndIndices:
    """Largest element along one axis and its index; at a tie the first one counts."""
    return _extreme_along(max_reduce, x, dim, keepdim)


@op(**SINGLE, label="min")
def min_along(x: Array, dim: int, keepdim: bool = False) -> ValuesAndIndices:
    """Smallest element along one axis and its index; at a tie the first one counts."""
    return _extreme_along(min_reduce, x, dim, keepdim)


def _other(names: dict[str, Any], dim: Any) -> Any:
    return names.pop("other", names.pop("axis", dim))


@method
def max(x: Any, dim: Any = None, keepdim: bool = False, **names: Any) -> Any:
    """max(x): the largest element. max(x, dim): (values, indices). max(a, b): see maximum."""
    if names:
        dim = _other(names, dim)
    if dim is None:
        return max_all(x, **names)
    if isinstance(dim, (Traced, np.ndarray)):
        return maximum(x, dim)
    return max_along(x, dim, keepdim, **names)


@method
def min(x: Any, dim: Any = None, keepdim: bool = False, **names: Any) -> Any:
    """min(x): the smallest element. min(x, dim): (values, indices). min(a, b): see minimum."""
    if names:
        dim = _other(names, dim)
    if dim is None:
        return min_all(x, **names)
    if isinstance(dim, (Traced, np.ndarray)):
        return minimum(x, dim)
    return min_along(x, dim, keepdim, **names)


class MinAndMax(NamedTuple):
    """What aminmax returns."""

    min: Any
    max: Any


@method
@aliased
def aminmax(x: Any, *, dim: int | None = None, keepdim: bool = False) -> MinAndMax:
    """(min, max): amin and amax."""
    return MinAndMax(amin(x, dim, keepdim), amax(x, dim, keepdim))


def _place(find: Any, x: Array, dim: int | None, keepdim: bool) -> Array:
    try:
        return find(None if dim is None else dim_of(x.ndim, dim), None, keepdims=keepdim)
    except ValueError:
        raise nothing(x, dim) from None


@untracked(method=True)
def argmax(x: Array, dim: int | None = None, keepdim: bool = False) -> Array:
    """Index of the largest element, the first at a tie; of the flat array without dim."""
    return _place(x.argmax, x, dim, keepdim)


@untracked(method=True)
def argmin(x: Array, dim: int | None = None, keepdim: bool = False) -> Array:
    """Index of the smallest element, the first at a tie; of the flat array without dim."""
    return _place(x.argmin, x, dim, keepdim)


@untracked(method=True)
def all(x: Array, dim: Dims = None, keepdim: bool = False) -> Array:
    """Whether all elements are true."""
    y = and_reduce(x, axes_of(x, dim), None, None, keepdim)
    return y.astype(np.uint8) if x.dtype.char == "B" else y


@untracked(method=True)
def any(x: Array, dim: Dims = None, keepdim: bool = False) -> Array:
    """Whether any element is true."""
    y = or_reduce(x, axes_of(x, dim), None, None, keepdim)
    return y.astype(np.uint8) if x.dtype.char == "B" else y


@untracked(method=True)
def count_nonzero(x: Array, dim: Dims = None) -> Array:
    """How many elements are not zero."""
    return np.asarray(np.count_nonzero(x, axes_of(x, dim)), np.int64)
