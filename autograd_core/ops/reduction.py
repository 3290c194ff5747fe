"""Sums, means and extremes along axes."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from ..op import linear, method, op, untracked
from ..recording import Traced
from ..versions import Array
from .comparison import eq, maximum, minimum
from .elementwise import exp
from .indexing import put_along_dim, take_along_dim
from .shape import add_reduce, dims_of, expand_reduced

__all__ = [
    "all", "amax", "amin", "any", "argmax", "argmin", "log_softmax", "logsumexp", "max", "mean",
    "min", "softmax", "sum",
]  # fmt: skip

max_reduce: Any = np.maximum.reduce
min_reduce: Any = np.minimum.reduce
and_reduce: Any = np.logical_and.reduce
or_reduce: Any = np.logical_or.reduce

Dims = int | tuple[int, ...] | list[int] | None


@linear(
    vjp=[lambda g, shapes, dim, keepdim: expand_reduced(g, shapes[0], dim, keepdim)],
    method=True,
)
def sum(x: Array, dim: Dims = None, keepdim: bool = False, dtype: Any = None) -> Array:
    """Sum over the given axes, or over all; integers and bools add up as int64."""
    if dtype is None and x.dtype.kind != "f":
        dtype = np.int64
    return add_reduce(x, dims_of(x.ndim, dim), dtype, None, keepdim)


def _count(shape: tuple[int, ...], dim: Dims) -> int:
    return math.prod(shape[axis] for axis in dims_of(len(shape), dim))


@linear(
    vjp=[
        lambda g, shapes, dim, keepdim: expand_reduced(
            g / _count(shapes[0], dim), shapes[0], dim, keepdim
        )
    ],
    method=True,
)
def mean(x: Array, dim: Dims = None, keepdim: bool = False, dtype: Any = None) -> Array:
    """Arithmetic mean over the given axes, or over all."""
    if dtype is None and x.dtype.kind != "f":
        raise TypeError("the mean needs a floating dtype; convert with .float() first")
    total = add_reduce(x, dims_of(x.ndim, dim), dtype, None, keepdim)
    return total / total.dtype.type(_count(x.shape, dim))


def _extremes(x: Any, y: Any, dim: Dims, keepdim: bool) -> Any:
    """Return a mask of the elements that equal their row's extreme, divided by their number."""
    mask = eq(x, expand_reduced(y, x.shape, dim, keepdim))
    mask = mask.to(x.dtype) if isinstance(mask, Traced) else mask.astype(x.dtype)
    return mask / sum(mask, dim, True)


def _to_extremes(g: Any, x: Any, y: Any, dim: Dims, keepdim: bool) -> Any:
    return _extremes(x, y, dim, keepdim) * expand_reduced(g, x.shape, dim, keepdim)


def _from_extremes(t: Any, x: Any, y: Any, dim: Dims, keepdim: bool) -> Any:
    return sum(_extremes(x, y, dim, keepdim) * t, dim, keepdim)


@op(vjp=[_to_extremes], jvp=[_from_extremes], method=True)
def amax(x: Array, dim: Dims = None, keepdim: bool = False) -> Array:
    """Largest element over the given axes, or over all; ties share the gradient evenly."""
    return max_reduce(x, dims_of(x.ndim, dim), None, None, keepdim)


@op(vjp=[_to_extremes], jvp=[_from_extremes], method=True)
def amin(x: Array, dim: Dims = None, keepdim: bool = False) -> Array:
    """Smallest element over the given axes, or over all; ties share the gradient evenly."""
    return min_reduce(x, dims_of(x.ndim, dim), None, None, keepdim)


class ValuesAndIndices(NamedTuple):
    """What max and min along one axis return."""

    values: Any
    indices: Any


def _to_index(g: Any, y: Any, shapes: Any, dim: int, keepdim: bool) -> Any:
    values, indices = g[0], y[1]
    if not keepdim and len(shapes[0]):
        values, indices = _unsqueeze(values, dim), _unsqueeze(indices, dim)
    return put_along_dim(values, indices, shapes[0], dim)


def _at_index(t: Any, y: Any, shapes: Any, dim: int, keepdim: bool) -> Any:
    indices = y[1] if keepdim or not shapes[0] else _unsqueeze(y[1], dim)
    picked = take_along_dim(t, indices, dim)
    values = picked if keepdim or not shapes[0] else picked.squeeze(dim)
    return ValuesAndIndices(values, None)


def _unsqueeze(x: Any, dim: int) -> Any:
    return x.unsqueeze(dim) if isinstance(x, Traced) else np.expand_dims(x, dim)


def _extreme_along(arg: Any, x: Array, dim: int, keepdim: bool) -> ValuesAndIndices:
    if x.ndim == 0:
        return ValuesAndIndices(x.copy(), np.zeros((), np.int64))
    indices = arg(x, axis=dim, keepdims=True)
    values = np.take_along_axis(x, indices, dim)
    if not keepdim:
        values, indices = values.squeeze(dim), indices.squeeze(dim)
    return ValuesAndIndices(values, indices)


@op(vjp=[_to_index], jvp=[_at_index], results=ValuesAndIndices)
def max_along(x: Array, dim: int, keepdim: bool = False) -> ValuesAndIndices:
    """Largest element along one axis and its index; at a tie the first one counts."""
    return _extreme_along(np.argmax, x, dim, keepdim)


@op(vjp=[_to_index], jvp=[_at_index], results=ValuesAndIndices)
def min_along(x: Array, dim: int, keepdim: bool = False) -> ValuesAndIndices:
    """Smallest element along one axis and its index; at a tie the first one counts."""
    return _extreme_along(np.argmin, x, dim, keepdim)


@method
def max(x: Any, dim: Any = None, keepdim: bool = False, **names: Any) -> Any:
    """max(x): the largest element. max(x, dim): (values, indices). max(a, b): see maximum."""
    dim = names.pop("axis", dim)
    if dim is None:
        return amax(x, **names)
    if isinstance(dim, (Traced, np.ndarray)):
        return maximum(x, dim)
    return max_along(x, dim, keepdim, **names)


@method
def min(x: Any, dim: Any = None, keepdim: bool = False, **names: Any) -> Any:
    """min(x): the smallest element. min(x, dim): (values, indices). min(a, b): see minimum."""
    dim = names.pop("axis", dim)
    if dim is None:
        return amin(x, **names)
    if isinstance(dim, (Traced, np.ndarray)):
        return minimum(x, dim)
    return min_along(x, dim, keepdim, **names)


@untracked(method=True)
def argmax(x: Array, dim: int | None = None, keepdim: bool = False) -> Array:
    """Index of the largest element, the first at a tie; of the flat array without dim."""
    return np.argmax(x, axis=dim, keepdims=keepdim)


@untracked(method=True)
def argmin(x: Array, dim: int | None = None, keepdim: bool = False) -> Array:
    """Index of the smallest element, the first at a tie; of the flat array without dim."""
    return np.argmin(x, axis=dim, keepdims=keepdim)


@untracked(method=True)
def all(x: Array, dim: Dims = None, keepdim: bool = False) -> Array:
    """Whether all elements are true."""
    return and_reduce(x, dims_of(x.ndim, dim), None, None, keepdim)


@untracked(method=True)
def any(x: Array, dim: Dims = None, keepdim: bool = False) -> Array:
    """Whether any element is true."""
    return or_reduce(x, dims_of(x.ndim, dim), None, None, keepdim)


def _softmax_of(x: Any, y: Any, dim: Dims, keepdim: bool) -> Any:
    return exp(x - expand_reduced(y, x.shape, dim, keepdim))


@op(
    floats_only=True,
    vjp=[
        lambda g, x, y, dim, keepdim: (
            expand_reduced(g, x.shape, dim, keepdim) * _softmax_of(x, y, dim, keepdim)
        )
    ],
    jvp=[lambda t, x, y, dim, keepdim: sum(t * _softmax_of(x, y, dim, keepdim), dim, keepdim)],
    method=True,
)
def logsumexp(x: Array, dim: Dims, keepdim: bool = False) -> Array:
    """log of the sum of exp, over the given axes, without overflow."""
    dims = dims_of(x.ndim, dim)
    top = max_reduce(x, dims, None, None, True)
    top = np.where(np.isfinite(top), top, x.dtype.type(0))
    y = np.log(add_reduce(np.exp(x - top), dims, None, None, True)) + top
    return y if keepdim else y.squeeze(dims)


@op(
    floats_only=True,
    vjp=[lambda g, y, dim: y * (g - sum(g * y, dim, True))],
    jvp=[lambda t, y, dim: y * (t - sum(t * y, dim, True))],
    method=True,
)
def softmax(x: Array, dim: int = -1, dtype: Any = None) -> Array:
    """exp(x) / sum of exp(x) along one axis, without overflow."""
    e = np.exp(np.subtract(x, max_reduce(x, dim, None, None, True), dtype=dtype))
    e /= add_reduce(e, dim, None, None, True)
    return e


@op(
    floats_only=True,
    vjp=[lambda g, y, dim: g - exp(y) * sum(g, dim, True)],
    jvp=[lambda t, y, dim: t - sum(exp(y) * t, dim, True)],
    method=True,
)
def log_softmax(x: Array, dim: int = -1, dtype: Any = None) -> Array:
    """log of the softmax along one axis, without overflow."""
    y = np.subtract(x, max_reduce(x, dim, None, None, True), dtype=dtype)
    y -= np.log(add_reduce(np.exp(y), dim, None, None, True))
    return y
