"""The same elements in another order: turned back to front, rolled, rotated."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..errors import ShapeError
from ..op import aliased, linear, method
from ..versions import Array
from .shape import clone, dim_of, dims_of, transpose

__all__ = ["flip", "fliplr", "flipud", "roll", "rot90"]


@linear(vjp=[lambda g, dims: flip(g, dims)], collect=True, method=True)
def flip(x: Array, dims: Any) -> Array:
    """x with the given axes back to front; a copy."""
    axes = dims_of(x.ndim, dims) if isinstance(dims, int) or len(dims) else ()
    return x[tuple(slice(None, None, -1 if d in axes else 1) for d in range(x.ndim))].copy()


@method
@aliased
def fliplr(x: Any) -> Any:
    """x with its second axis back to front."""
    if len(x.shape) < 2:
        raise ShapeError("it needs at least two axes")
    return flip(x, (1,))


@method
@aliased
def flipud(x: Any) -> Any:
    """x with its first axis back to front."""
    if len(x.shape) < 1:
        raise ShapeError("it needs at least one axis")
    return flip(x, (0,))


def _back(shifts: int | Sequence[int]) -> int | tuple[int, ...]:
    return -shifts if isinstance(shifts, (int, np.integer)) else tuple(-n for n in shifts)


@linear(vjp=[lambda g, shifts, dims: roll(g, _back(shifts), dims)], method=True)
def roll(x: Array, shifts: int | Sequence[int], dims: int | Sequence[int] | None = None) -> Array:
    """x moved along axes, what leaves at one end coming in at the other; flattened without dims."""
    if dims is None:
        if not isinstance(shifts, (int, np.integer)) and len(shifts) != 1:
            raise ShapeError("several shifts need as many dims")
        return np.roll(x, shifts)
    pair = [(n,) if isinstance(n, (int, np.integer)) else tuple(n) for n in (shifts, dims)]
    if len(pair[0]) != len(pair[1]):
        raise ShapeError(f"{len(pair[0])} shifts do not fit {len(pair[1])} dims")
    return np.roll(x, pair[0], tuple(dim_of(x.ndim, d) for d in pair[1]))


@method
@aliased
def rot90(x: Any, k: int = 1, dims: Sequence[int] = (0, 1)) -> Any:
    """x turned by k quarters in the plane of two axes, from the first towards the second."""
    first, second = dims_of(len(x.shape), tuple(dims))
    quarters = k % 4
    if quarters == 0:
        return clone(x)
    if quarters == 2:
        return flip(x, (first, second))
    if quarters == 1:
        return flip(transpose(x, first, second), (first,))
    return transpose(flip(x, (first,)), first, second)
