"""Ops that pick elements along one axis: what they return, and their rules.

The values carry gradients; the indices say where they were, and a gradient goes back there.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..versions import Array
from .scatter import put_along_dim, take_along_dim
from .shape import squeeze, unsqueeze

__all__: list[str] = []


class ValuesAndIndices(NamedTuple):
    """What such an op returns."""

    values: Any
    indices: Any


def _put_back(g: Any, y: Any, shapes: Any, dim: int) -> Any:
    return put_along_dim(g[0], y[1], shapes[0], dim)


def _pick(t: Any, y: Any, dim: int) -> Any:
    return ValuesAndIndices(take_along_dim(t, y[1], dim), None)


def _put_one_back(g: Any, y: Any, shapes: Any, dim: int, keepdim: bool) -> Any:
    values, indices = g[0], y[1]
    if not keepdim and shapes[0]:
        values, indices = unsqueeze(values, dim), unsqueeze(indices, dim)
    return put_along_dim(values, indices, shapes[0], dim)


def _pick_one(t: Any, y: Any, shapes: Any, dim: int, keepdim: bool) -> Any:
    if keepdim or not shapes[0]:
        return _pick(t, y, dim)
    values = take_along_dim(t, unsqueeze(y[1], dim), dim)
    return ValuesAndIndices(squeeze(values, dim), None)


# Facets of an op that picks several elements along the axis `dim`, and of one that picks a single
# one and drops the axis unless `keepdim` is set.
_BOTH: dict[str, Any] = {"results": ValuesAndIndices, "keeps": (1,)}  # the values may be changed
SEVERAL: dict[str, Any] = {"vjp": [_put_back], "jvp": [_pick], **_BOTH}
SINGLE: dict[str, Any] = {"vjp": [_put_one_back], "jvp": [_pick_one], **_BOTH}


def only(x: Array) -> ValuesAndIndices:
    """Return the pick among one element: itself."""
    return ValuesAndIndices(x.copy(), np.zeros((), np.int64))


def first_equal(x: Array, values: Array, axis: int, keepdim: bool) -> ValuesAndIndices:
    """Return the values, which keep the axis, and where each is found first; NaN finds NaN."""
    equal = x == values
    if x.dtype.kind == "f":
        equal |= np.isnan(x) & np.isnan(values)
    indices = equal.argmax(axis, keepdims=True)
    if keepdim:
        return ValuesAndIndices(values, indices)
    return ValuesAndIndices(values.squeeze(axis), indices.squeeze(axis))
