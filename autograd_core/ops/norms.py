"""Norms of vectors and matrices, and condition numbers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..errors import LinAlgError, ShapeError
from ..op import aliased
from ..recording import Traced
from .comparison import where
from .decompositions import svdvals
from .elementwise import abs
from .reduction import amax, amin, sum
from .shape import cast, dims_of, permute, reshape
from .solving import failing, inv
from .statistics import norm_

__all__ = ["cond", "matrix_norm", "norm", "vector_norm"]  # linalg's, not the package's own

Order = float | str | None


@aliased
def vector_norm(
    x: Any, ord: float = 2, dim: Any = None, keepdim: bool = False, *, dtype: Any = None
) -> Any:
    """(sum of |x|^ord)^(1/ord) over the given axes, or over all; inf, -inf and 0 as limits."""
    x = x if dtype is None else cast(x, dtype)
    if not isinstance(ord, (int, float)):
        raise TypeError(f"ord must be a number, not {ord!r}; see linalg.matrix_norm")
    return norm_(x, float(ord), dim, keepdim)


def _of_sums(x: Any, ord: float, rows: bool) -> Any:
    """Return the largest sum of |x| over the rows, or columns; the least, of a negative ord."""
    sums = sum(abs(x), -2 if rows else -1)
    return amax(sums, -1) if ord > 0 else amin(sums, -1)


def _by_order(x: Any, ord: Order) -> Any:
    """Return the norms of the matrices along the last two axes."""
    if ord == "fro":
        return norm_(x, 2.0, (-2, -1), False)
    if ord == "nuc":
        return sum(svdvals(x), -1)
    if ord in (1, -1, math.inf, -math.inf):
        return _of_sums(x, float(ord), ord in (1, -1))  # pyright: ignore[reportArgumentType]
    if ord in (2, -2):
        return amax(svdvals(x), -1) if ord == 2 else amin(svdvals(x), -1)
    raise ValueError(f"ord must be 'fro', 'nuc', inf, -inf, 1, -1, 2 or -2, not {ord!r}")


@aliased
def matrix_norm(
    A: Any, ord: Order = "fro", dim: Any = (-2, -1), keepdim: bool = False, *, dtype: Any = None
) -> Any:
    """Norms of the matrices along two axes.

    "fro": root of the sum of squares; "nuc": sum of the singular values; 2 and -2: the largest
    and the least of them; 1 and -1: of the sums of |A| over the rows; inf, -inf: over the columns.
    """
    if dtype is not None:
        return matrix_norm(cast(A, dtype), ord, dim, keepdim)
    ndim = len(A.shape)
    if ndim < 2 or isinstance(dim, int) or len(dim) != 2:
        raise ShapeError("it needs matrices along two axes, dim=(rows, columns)")
    rows, columns = dims_of(ndim, dim)
    kept = [axis for axis in range(ndim) if axis not in (rows, columns)]
    inside = (rows, columns) == (ndim - 2, ndim - 1)
    y = _by_order(A if inside else permute(A, (*kept, rows, columns)), ord)
    if keepdim:
        y = reshape(y, tuple(A.shape[axis] if axis in kept else 1 for axis in range(ndim)))
    return y


@aliased
def norm(
    A: Any, ord: Order = None, dim: Any = None, keepdim: bool = False, *, dtype: Any = None
) -> Any:
    """vector_norm along one axis, matrix_norm along two; without ord the 2-norm of all along dim.

    Without dim, an ord needs a vector or a matrix.
    """
    if ord is None:
        return vector_norm(A, 2, dim, keepdim, dtype=dtype)
    axes: Any = tuple(range(len(A.shape))) if dim is None else dim
    if dim is None and len(axes) not in (1, 2):
        raise ShapeError("it needs 1 or 2 axes where ord is given and dim is not")
    along_one = isinstance(axes, int) or len(axes) == 1
    return (vector_norm if along_one else matrix_norm)(A, ord, axes, keepdim, dtype=dtype)


@aliased
def cond(A: Any, p: Order = None) -> Any:
    """Condition numbers, norm(A, p) norm(A⁻¹, p); with p = None or 2, of any matrices.

    Infinite for a singular matrix.
    """
    if p in (None, 2, -2):
        values = svdvals(A)
        first, last = values[..., 0], values[..., -1]
        return last / first if p == -2 else first / last
    try:
        return matrix_norm(A, p) * matrix_norm(inv(A), p)
    except LinAlgError:
        singular = failing(np.linalg.inv, A._array if isinstance(A, Traced) else A)
    eye = np.eye(A.shape[-1], dtype=A.dtype)
    return where(singular, math.inf, cond(where(singular[..., None, None], eye, A), p))
