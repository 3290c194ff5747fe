"""Diagonals: seen, built, and the triangles beside them."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import ShapeError
from ..op import aliased, linear, method
from ..versions import Array
from .shape import Shape, clone, dim_of, ravel

__all__ = ["diag", "diag_embed", "diagflat", "diagonal", "tril", "triu"]


@linear(
    vjp=[lambda g, shapes, offset, dim1, dim2: put_diagonal(g, shapes[0], offset, dim1, dim2)],
    view=True,
    method=True,
)
def diagonal(x: Array, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Array:
    """The elements whose places along two axes differ by `offset`, as the last axis; a view."""
    axes = dim_of(x.ndim, dim1), dim_of(x.ndim, dim2)
    if axes[0] == axes[1] or x.ndim < 2:
        raise ShapeError("it needs two different axes")
    y = x.diagonal(offset, *axes)
    if x.flags.writeable:  # NumPy gives a read-only view
        y.flags.writeable = True
    return y


@linear(vjp=[lambda g, offset, dim1, dim2: diagonal(g, offset, dim1, dim2)])
def put_diagonal(values: Array, shape: Shape, offset: int, dim1: int, dim2: int) -> Array:
    """Zeros of `shape` with the values on a diagonal: the adjoint of diagonal."""
    x = np.zeros(shape, values.dtype)
    place = x.diagonal(offset, dim1, dim2)
    place.flags.writeable = True
    place[...] = values
    return x


@method
@aliased
def diag_embed(x: Any, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Any:
    """Matrices, along two axes of the result, with the last axis of x on a diagonal."""
    ndim = len(x.shape) + 1
    first, second = dim_of(ndim, dim1), dim_of(ndim, dim2)
    if first == second or ndim < 2:
        raise ShapeError(f"dim1={dim1} and dim2={dim2} must be two different axes of the result")
    side = x.shape[-1] + abs(offset)
    shape = list(x.shape[:-1])
    for axis in sorted((first, second)):
        shape.insert(axis, side)
    return put_diagonal(x, tuple(shape), offset, first, second)


@method
@aliased
def diag(x: Any, diagonal: int = 0) -> Any:
    """The diagonal of a matrix, copied; or the matrix that has a vector as its diagonal."""
    if len(x.shape) == 1:
        return diag_embed(x, diagonal)
    if len(x.shape) != 2:
        raise ShapeError("it needs a vector or a matrix")
    return clone(_seen(x, diagonal))


_seen = diagonal  # under a name that no parameter of PyTorch's has


@method
@aliased
def diagflat(x: Any, offset: int = 0) -> Any:
    """The matrix that has all elements of x as its diagonal."""
    return diag_embed(ravel(x), offset)


def _matrices(x: Array) -> Array:
    if x.ndim < 2:
        raise ShapeError("it needs at least two axes")
    return x


@linear(vjp=[lambda g, diagonal: tril(g, diagonal)], method=True)
def tril(x: Array, diagonal: int = 0) -> Array:
    """The lower triangles of matrices, up to the given diagonal; zeros elsewhere."""
    return np.tril(_matrices(x), diagonal)


@linear(vjp=[lambda g, diagonal: triu(g, diagonal)], method=True)
def triu(x: Array, diagonal: int = 0) -> Array:
    """The upper triangles of matrices, from the given diagonal on; zeros elsewhere."""
    return np.triu(_matrices(x), diagonal)
