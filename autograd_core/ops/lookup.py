"""Rows of a table taken by number, and gradients added to the rows they came from.

Kernels take and add rows of float32 and float64 from WORTH elements on; else NumPy does.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from kernels import call

from ..op import linear, op
from ..versions import Array

__all__: list[str] = []

WORTH = 1 << 13  # elements that are taken, or added
FLOATS = (np.dtype(np.float32), np.dtype(np.float64))


def _suits(x: Array, index: Array, size: int, rows: int) -> bool:
    """Tell whether a kernel takes it; what is out of range is left to NumPy, which says so."""
    solid = x.dtype in FLOATS and x.flags.c_contiguous and x.flags.aligned
    return solid and size >= WORTH and index.min() >= 0 and index.max() < rows


def _numbers(index: Array) -> Array:
    return np.ascontiguousarray(index, np.int64).reshape(-1)


def _without(t: Any, skip: int) -> Any:
    """Return t with zeros in row `skip`, if there is one."""
    if skip < 0:
        return t
    kept = np.ones((t.shape[0], 1), t.dtype)
    kept[skip] = 0.0
    return t * kept


@op(
    vjp=[
        lambda g, index, shapes, skip: embedding_input(g, index, shapes[0][0], skip),
        None,
    ],
    jvp=[lambda t, index, skip: embedding(_without(t, skip), index), None],
)
def embedding(weight: Array, index: Array, skip: int = -1) -> Array:
    """weight[index] of a table (rows, d); row `skip` counts as a constant."""
    if weight.ndim != 2 or not _suits(weight, index, index.size * weight.shape[1], len(weight)):
        return weight[index]
    y = np.empty((*index.shape, weight.shape[1]), weight.dtype)
    call.embedding(weight, _numbers(index), y.reshape(-1, weight.shape[1]))
    return y


@linear(vjp=[lambda g, index, skip: embedding(_without(g, skip), index), None])
def embedding_input(g: Array, index: Array, rows: int, skip: int = -1) -> Array:
    """Zeros (rows, d) with g (..., d) added in to row index; what is for row `skip` is left out."""
    d = g.shape[-1]
    x, g = np.zeros((rows, d), g.dtype), np.ascontiguousarray(g).reshape(index.size, d)
    if _suits(g, index, g.size, rows):
        call.embedding_vjp(g, _numbers(index), skip, x)
        return x
    kept = index.reshape(-1) != skip
    numbers, g = index.reshape(-1)[kept], g[kept]
    # In one dimension ufunc.at is compiled for the dtype: five times faster than in two.
    np.add.at(x.reshape(-1), (numbers[:, None] * d + np.arange(d)).reshape(-1), g.reshape(-1))
    return x
