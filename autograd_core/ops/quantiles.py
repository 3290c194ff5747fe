"""Quantiles, and the most frequent element: what a sorted row tells."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import DtypeError, ShapeError
from ..op import aliased, method, op
from ..recording import Traced
from ..versions import Array
from .comparison import where
from .picking import SINGLE, ValuesAndIndices, only
from .reduction import nothing
from .scatter import take_along_dim
from .shape import cast, dim_of, movedim
from .sorting import sort

__all__ = ["mode", "nanquantile", "quantile"]


@op(**SINGLE, method=True)
def mode(x: Array, dim: int = -1, keepdim: bool = False) -> ValuesAndIndices:
    """Most frequent element along one axis, the smallest at a tie, and where it comes last."""
    axis = dim_of(x.ndim, dim)
    if not x.ndim:
        return only(x)
    if not x.shape[axis]:
        raise nothing(x, axis)
    rows = x.swapaxes(axis, -1)
    ordered = np.sort(rows, -1)
    places = np.arange(x.shape[axis])
    new = np.ones(rows.shape, bool)
    new[..., 1:] = ordered[..., 1:] != ordered[..., :-1]
    since = places - np.maximum.accumulate(np.where(new, places, 0), -1)  # its run began
    values = np.take_along_axis(ordered, since.argmax(-1, keepdims=True), -1)
    equal = (rows == values) | (values != values) & (rows != rows)
    indices = places[-1] - equal[..., ::-1].argmax(-1, keepdims=True)
    values, indices = values.swapaxes(axis, -1), indices.swapaxes(axis, -1)
    if keepdim:
        return ValuesAndIndices(values, indices)
    return ValuesAndIndices(values.squeeze(axis), indices.squeeze(axis))


_ROUND: dict[str, Any] = {
    "linear": None, "midpoint": None, "lower": np.floor, "higher": np.ceil, "nearest": np.rint,
}  # fmt: skip


def _levels(x: Any, q: Any, interpolation: str) -> Any:
    """Return q as an array or tensor, after a look at all arguments."""
    if x.dtype.kind != "f":
        raise DtypeError(f"it needs a floating dtype, not {x.dtype}; use .float() first")
    if 0 in x.shape:
        raise ShapeError("there is none among no elements")
    if interpolation not in _ROUND:
        raise ValueError(
            f"interpolation is {interpolation!r}, it must be one of {', '.join(_ROUND)}"
        )
    levels = _bare(q) if hasattr(q, "shape") else np.asarray(q, x.dtype)
    if levels.ndim > 1:
        raise ShapeError(f"q has shape {levels.shape}, it must have at most one axis")
    if not ((levels >= 0) & (levels <= 1)).all():
        raise ValueError(f"q is {levels.tolist()}, it must be in [0, 1]")
    return q if isinstance(q, Traced) else levels


def _bare(x: Any) -> Any:
    return x._array if isinstance(x, Traced) else x


def _ranks(ordered: Array, levels: Any, axis: int, skip_nan: bool) -> Any:
    """Return the place of each level in each sorted row; a NaN draws all to the end of its row."""
    last = ordered.shape[axis] - 1
    count = np.count_nonzero(ordered == ordered, axis, keepdims=True)
    levels = levels.reshape((-1,) + (1,) * (ordered.ndim - axis - 1))
    if skip_nan:
        return levels * np.maximum(count - 1, 0).astype(ordered.dtype)
    return where(count <= last, float(last), levels * float(last))


def _between(ordered: Any, ranks: Any, axis: int, interpolation: str) -> Any:
    """Return what lies at fractional places of sorted rows."""
    places = _bare(ranks)
    if _ROUND[interpolation]:
        return take_along_dim(ordered, _ROUND[interpolation](places).astype(np.int64), axis)
    low, high = np.floor(places), np.ceil(places)
    below = take_along_dim(ordered, low.astype(np.int64), axis)
    above = take_along_dim(ordered, high.astype(np.int64), axis)
    weight = ranks - low if interpolation == "linear" else np.where(high > low, 0.5, 0.0)
    return below + (above - below) * cast(weight, ordered.dtype)


def _quantile(
    x: Any, q: Any, dim: int | None, keepdim: bool, interpolation: str, skip_nan: bool
) -> Any:
    levels = _levels(x, q, interpolation)
    shape = tuple(x.shape)
    if dim is None or not shape:
        axis, rest = 0, (1,) * len(shape) * keepdim
        x = x.reshape((-1,))
    else:
        axis = dim_of(len(shape), dim)
        rest = (*shape[:axis], *(1,) * keepdim, *shape[axis + 1 :])
    ordered = sort(x, axis)[0]
    ranks = _ranks(_bare(ordered), levels, axis, skip_nan)
    y = movedim(_between(ordered, ranks, axis, interpolation), axis, 0)
    return y.reshape((*levels.shape, *rest))


@method
@aliased
def quantile(
    x: Any,
    q: Any,
    dim: int | None = None,
    keepdim: bool = False,
    *,
    interpolation: str = "linear",
) -> Any:
    """What a part q of the elements lies below; several q make a new first axis."""
    return _quantile(x, q, dim, keepdim, interpolation, skip_nan=False)


@method
@aliased
def nanquantile(
    x: Any,
    q: Any,
    dim: int | None = None,
    keepdim: bool = False,
    *,
    interpolation: str = "linear",
) -> Any:
    """As quantile, of what is not NaN."""
    return _quantile(x, q, dim, keepdim, interpolation, skip_nan=True)
