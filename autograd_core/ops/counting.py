"""Counts: distinct elements, and how many elements there are of each kind."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ..errors import DtypeError, ShapeError
from ..op import aliased, method, untracked
from ..recording import Traced, wrap
from ..versions import Array
from .shape import dim_of

__all__ = ["bincount", "histc", "histogram", "unique", "unique_consecutive"]


def _bare(x: Any) -> Any:
    return x._array if isinstance(x, Traced) else x


def _asked(x: Any, found: Sequence[Any], wanted: Sequence[bool]) -> Any:
    """Return the results that are asked for, one or a tuple; as tensors where x is one."""
    kept = [np.asarray(y) for y, asked in zip(found, wanted, strict=True) if asked]
    if isinstance(x, Traced):
        kept = [wrap(y) for y in kept]
    return kept[0] if len(kept) == 1 else tuple(kept)


@method
@aliased
def unique(
    x: Any,
    sorted: bool = True,
    return_inverse: bool = False,
    return_counts: bool = False,
    dim: int | None = None,
) -> Any:
    """Distinct elements (or slices along dim), sorted; where each went, and how many of each.

    The results have no gradient. A NaN equals nothing, not even another NaN.
    """
    array = _bare(x)
    axis = None if dim is None else dim_of(array.ndim, dim)
    if not (return_inverse or return_counts):
        return _asked(x, [np.unique(array, axis=axis, equal_nan=False)], [True])
    values, inverse, counts = np.unique(
        array, return_inverse=True, return_counts=True, axis=axis, equal_nan=False
    )
    inverse = inverse.reshape(array.shape if axis is None else -1)
    return _asked(x, (values, inverse, counts), (True, return_inverse, return_counts))


@method
@aliased
def unique_consecutive(
    x: Any, return_inverse: bool = False, return_counts: bool = False, dim: int | None = None
) -> Any:
    """The first of each run of equal elements (or slices along dim); as unique otherwise."""
    array = _bare(x)
    rows = array.reshape(-1) if dim is None else np.moveaxis(array, dim_of(array.ndim, dim), 0)
    new = np.ones(len(rows), bool)
    new[1:] = (rows[1:] != rows[:-1]).any(tuple(range(1, rows.ndim)))
    values = rows[new] if dim is None else np.moveaxis(rows[new], 0, dim)
    inverse = new.cumsum() - 1
    counts = np.diff(np.append(new.nonzero()[0], len(rows)))
    inverse = inverse.reshape(array.shape) if dim is None else inverse
    return _asked(x, (values, inverse, counts), (True, return_inverse, return_counts))


@untracked(arrays=2, method=True)
def bincount(x: Array, weights: Array | None = None, minlength: int = 0) -> Array:
    """How often 0, 1, 2, ... occur, or the sum of their weights."""
    if x.ndim != 1 or x.dtype.kind not in "iu" or (x.size and x.min() < 0):
        raise ShapeError("it needs whole numbers, none negative, along a single axis")
    if weights is not None and weights.shape != x.shape:
        raise ShapeError("there must be one weight for each number")
    if minlength < 0:
        raise ValueError(f"minlength is {minlength}, it must not be negative")
    counts = np.bincount(x, weights, minlength)
    single = weights is not None and weights.dtype == np.float32
    return counts.astype(np.float32) if single else counts


def _ends(x: Array, bins: int, low: float, high: float, margin: float) -> tuple[float, float]:
    """Return where the first bin begins and the last ends; low = high: at the extremes of x.

    Where those are equal too, a margin is left on both sides.
    """
    if x.dtype.kind != "f":
        raise DtypeError(f"it needs a floating dtype, not {x.dtype}; use .float() first")
    if bins <= 0:
        raise ValueError(f"bins is {bins}, it must be positive")
    if high < low:
        raise ValueError(f"max is {high}, it must not be below min, which is {low}")
    if low == high and x.size:
        low, high = x.min().item(), x.max().item()
    if not np.isfinite([low, high]).all():
        raise ValueError(f"the range from {low} to {high} must be finite")
    return (low - margin, high + margin) if low == high else (low, high)


@method
@aliased
def histc(x: Any, bins: int = 100, min: float = 0, max: float = 0) -> Any:
    """How many elements each of the bins between min and max holds; min = max: of all x."""
    array = _bare(x)
    heights = np.histogram(array, bins, _ends(array, bins, min, max, 1.0))[0]
    return _asked(x, [heights.astype(array.dtype)], [True])


class Histogram(NamedTuple):
    """What histogram returns."""

    hist: Any
    bin_edges: Any


@method
@aliased
def histogram(
    x: Any,
    bins: Any,
    *,
    range: tuple[float, float] | None = None,
    weight: Any = None,
    density: bool = False,
) -> Histogram:
    """(hist, bin_edges): elements, or their weight, in each bin; the bins' number or edges."""
    array, edges, weights = _bare(x), _bare(bins), _bare(weight)
    low, high = (0.0, 0.0) if range is None else range
    if isinstance(edges, int):
        low, high = (0.0, 1.0) if low == high and not array.size else (low, high)
        ends = _ends(array, edges, low, high, 0.5)
        edges = np.linspace(*ends, edges + 1, dtype=array.dtype)
    with np.errstate(invalid="ignore"):  # the density of nothing is NaN
        heights = np.histogram(array, edges, weights=weights, density=density)[0]
    return Histogram(*_asked(x, (heights.astype(array.dtype), edges), (True, True)))
