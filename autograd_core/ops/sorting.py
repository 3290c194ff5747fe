"""Order: sorted elements and their places, the k largest, and where elements would go."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from ..errors import ShapeError
from ..op import aliased, method, op, untracked
from ..versions import Array
from .picking import SEVERAL, SINGLE, ValuesAndIndices, first_equal, only
from .shape import dim_of

__all__ = ["argsort", "bucketize", "isin", "kthvalue", "msort", "searchsorted", "sort", "topk"]


def _ascending(x: Array) -> Array:
    """Return the order of the elements along the last axis: stable, NaN last.

    NumPy's stable sort is several times slower than its quick one, and differs from it only in
    rows where elements are equal.
    """
    if x.dtype.kind != "f":
        return np.argsort(x, -1, kind="stable")
    order = np.argsort(x, -1)
    values = np.take_along_axis(x, order, -1)
    tied = ~(values[..., :-1] < values[..., 1:]).all(-1)
    if tied.any():
        order[tied] = np.argsort(x[tied], -1, kind="stable")
    return order


def _order(x: Array, dim: int, descending: bool) -> Array:
    """Return the stable order along one axis, from the smallest or from the largest."""
    axis = dim_of(x.ndim, dim)
    if not x.ndim:
        return np.zeros((), np.int64)
    x = x.swapaxes(axis, -1)
    if not descending:
        return _ascending(x).swapaxes(axis, -1)
    # The reverse of the order of the reverse: equal elements keep theirs.
    order = x.shape[-1] - 1 - _ascending(x[..., ::-1])[..., ::-1]
    return order.swapaxes(axis, -1)


def _taken(x: Array, order: Array, dim: int) -> Array:
    return np.take_along_axis(x, order, dim) if x.ndim else x.copy()


@op(**SEVERAL, method=True)
def sort(
    x: Array, dim: int = -1, descending: bool = False, stable: bool = False
) -> ValuesAndIndices:
    """Elements in order along one axis, and where they were; equal ones keep their order."""
    order = _order(x, dim, descending)
    return ValuesAndIndices(_taken(x, order, dim), order)


@untracked(method=True)
def argsort(x: Array, dim: int = -1, descending: bool = False, stable: bool = False) -> Array:
    """Where the elements in order are, along one axis; equal ones keep their order."""
    return _order(x, dim, descending)


@method
@aliased
def msort(x: Any) -> Any:
    """Elements in order along the first axis."""
    return sort(x, 0)[0]


def _check_rank(x: Array, k: int, low: int, dim: int) -> int:
    """Return the axis counted from the front; k must be a rank in it."""
    axis = dim_of(x.ndim, dim)
    size = x.shape[axis] if x.ndim else 1
    if not low <= k <= size:
        raise ValueError(f"k is out of range, it must be in [{low}, {size}]")
    return axis


def _largest(x: Array, k: int) -> Array:
    """Return where the k largest along the last axis are, in no order."""
    n = x.shape[-1]
    return np.argpartition(x, n - k, -1)[..., n - k :]


def _smallest(x: Array, k: int) -> Array:
    return np.argpartition(x, k - 1, -1)[..., :k]


@op(**SEVERAL, method=True)
def topk(
    x: Array, k: int, dim: int = -1, largest: bool = True, sorted: bool = True
) -> ValuesAndIndices:
    """The k largest (or smallest) elements along one axis, in order, and where they were."""
    axis = _check_rank(x, k, 0 if x.ndim else 1, dim)
    if not x.ndim:
        return only(x)
    rows = x.swapaxes(axis, -1)
    if 0 < k < rows.shape[-1]:
        # Sorted by place first, so that equal elements keep their order.
        found = np.sort((_largest if largest else _smallest)(rows, k), -1)
        order = _order(np.take_along_axis(rows, found, -1), -1, largest)
        order = np.take_along_axis(found, order, -1)
    else:
        order = _order(rows, -1, largest)[..., :k]
    order = order.swapaxes(axis, -1)
    return ValuesAndIndices(np.take_along_axis(x, order, axis), order)


@op(**SINGLE, method=True)
def kthvalue(x: Array, k: int, dim: int = -1, keepdim: bool = False) -> ValuesAndIndices:
    """The k-th smallest element along one axis, k from 1, and where it is found first."""
    axis = _check_rank(x, k, 1, dim)
    if not x.ndim:
        return only(x)
    values = np.partition(x, k - 1, axis).take([k - 1], axis)
    return first_equal(x, values, axis, keepdim)


def _side(right: bool, side: str | None) -> Literal["left", "right"]:
    if side not in (None, "left", "right"):
        raise ValueError(f"side is {side!r}, it must be 'left' or 'right'")
    if side == "left" and right:
        raise ValueError("side 'left' contradicts right=True")
    return "right" if right or side == "right" else "left"


@untracked(arrays=3)
def searchsorted(
    sorted_sequence: Array,
    input: Array,
    sorter: Array | None = None,
    out_int32: bool = False,
    right: bool = False,
    side: str | None = None,
) -> Array:
    """Where in the sorted sequence each element would go: before its equals, or after (right).

    A sequence with several axes is searched row by row, for the same rows of the input.
    """
    edge = _side(right, side)
    rows, wanted = sorted_sequence, np.asarray(input)
    if sorter is not None:
        rows = np.take_along_axis(rows, sorter, -1)
    if rows.ndim == 1:
        places = np.searchsorted(rows, wanted, edge)
    elif rows.ndim and rows.shape[:-1] == wanted.shape[:-1]:
        places = np.empty(wanted.shape, np.int64)
        for row in np.ndindex(wanted.shape[:-1]):
            places[row] = np.searchsorted(rows[row], wanted[row], edge)
    else:
        raise ShapeError("the sequence must have one axis, or all axes but the last as the input")
    return np.asarray(places, np.int32 if out_int32 else np.int64)


def bucketize(x: Any, boundaries: Any, *, out_int32: bool = False, right: bool = False) -> Any:
    """Which bucket between the sorted boundaries each element is in."""
    return searchsorted(boundaries, x, None, out_int32, right)


@untracked(arrays=2)
def isin(
    elements: Array, test_elements: Array, assume_unique: bool = False, invert: bool = False
) -> Array:
    """Whether each element is one of the test elements."""
    return np.isin(elements, test_elements, assume_unique=assume_unique, invert=invert)
