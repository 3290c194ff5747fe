"""Reducing what is scattered to one place: its sum, product, mean or extreme."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import DtypeError
from ..op import aliased, method, op, untracked
from ..versions import Array
from .arithmetic import div, mul
from .comparison import eq, where
from .joining import cat
from .scatter import along, fitting, integers, place, put, take

__all__ = ["scatter_reduce"]


@untracked(arrays=4)
def ties(x: Array, index: Array, source: Array, y: Array) -> Array:
    """How many elements share the extreme y: of x, and of the source at flat places."""
    counts, places = np.array(x == y, np.int64), index.reshape(-1)
    np.add.at(counts.reshape(-1), places, source.reshape(-1) == y.take(places))
    return counts


def _share_of_x(g: Any, x: Any, index: Any, source: Any, y: Any) -> Any:
    return where(eq(x, y), g / ties(x, index, source, y), 0.0)


def _share_of_source(g: Any, x: Any, index: Any, source: Any, y: Any) -> Any:
    share = take(g / ties(x, index, source, y), index)
    return where(eq(source, take(y, index)), share, 0.0)


def _from_source(t: Any, x: Any, index: Any, source: Any, y: Any) -> Any:
    kept = where(eq(source, take(y, index)), t, 0.0)
    return place(kept, index, tuple(x.shape)) / ties(x, index, source, y)


_VJP = [_share_of_x, None, _share_of_source]
_JVP = [_share_of_x, None, _from_source]


@op(vjp=_VJP, jvp=_JVP)
def amax_at(x: Array, index: Array, source: Array) -> Array:
    """The largest of x and what the source has for flat places; ties share the gradient evenly."""
    y = np.array(x, order="C")
    np.maximum.at(y.reshape(-1), index.reshape(-1), source.reshape(-1))
    return y


@op(vjp=_VJP, jvp=_JVP)
def amin_at(x: Array, index: Array, source: Array) -> Array:
    """The smallest of x and what the source has for flat places; ties share the gradient evenly."""
    y = np.array(x, order="C")
    np.minimum.at(y.reshape(-1), index.reshape(-1), source.reshape(-1))
    return y


def multiply_at(x: Any, places: Array, source: Any) -> Any:
    """Multiply x at flat places by the source, pair by pair: exact where factors are 0."""
    order = np.argsort(places, axis=None, kind="stable")
    group = places.reshape(-1)[order]
    number = not getattr(source, "shape", ())
    values = mul(np.ones(order.size, x.dtype), source) if number else take(source, order)
    while True:
        # Sorted, the factors of one place are neighbours: halve their number again and again.
        count = np.arange(group.size)
        first = np.append(True, group[1:] != group[:-1])[: group.size]
        rank = count - np.maximum.accumulate(np.where(first, count, 0))
        if not rank.any():
            return put(x, group, mul(take(x, group), values))
        left = np.flatnonzero(rank % 2 == 0)
        paired = np.isin(left + 1, np.flatnonzero(rank % 2))
        right = np.where(paired, left + 1, group.size)  # beyond the end stands a 1
        factors = cat([values, np.ones(1, x.dtype)])
        values, group = mul(take(values, left), take(factors, right)), group[left]


def _identity(reduce: str, dtype: Any) -> Any:
    """Return what leaves every number unchanged under a reduction."""
    if dtype.kind == "b":
        return reduce in ("amin", "prod")
    if reduce in ("amax", "amin"):
        lowest, highest = (
            (-np.inf, np.inf) if dtype.kind == "f" else (np.iinfo(dtype).min, np.iinfo(dtype).max)
        )
        return lowest if reduce == "amax" else highest
    return 1 if reduce == "prod" else 0


def _mean_at(x: Any, places: Array, source: Any, include_self: bool) -> Any:
    if x.dtype.kind != "f":
        raise DtypeError(f"the mean needs a floating dtype, got {x.dtype}")
    counts = np.bincount(places.reshape(-1), minlength=int(np.prod(x.shape)))
    counts = counts + 1 if include_self else np.maximum(counts, 1)
    return div(put(x, places, source, True), counts.reshape(x.shape).astype(x.dtype))


@method
@aliased
def scatter_reduce(
    x: Any, dim: int, index: Any, src: Any, reduce: str, *, include_self: bool = True
) -> Any:
    """x reduced with what src has for the same place: "sum", "prod", "mean", "amax", "amin"."""
    if reduce not in ("sum", "prod", "mean", "amax", "amin"):
        raise ValueError(f"reduce={reduce!r} must be one of sum, prod, mean, amax, amin")
    index = integers(index)
    places, src = along(index, dim, tuple(x.shape)), fitting(src, index)
    if not include_self:
        x = put(x, places, _identity(reduce, x.dtype))
    if reduce == "sum":
        return put(x, places, src, True)
    if reduce == "mean":
        return _mean_at(x, places, src, include_self)
    if reduce == "prod":
        return multiply_at(x, places, src)
    return (amax_at if reduce == "amax" else amin_at)(x, places, src)
