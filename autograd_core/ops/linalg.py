"""Products of matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import op as declare
from ..errors import ShapeError
from ..recording import Traced
from ..versions import Array
from .reduction import sum
from .shape import transpose

__all__ = ["linear", "mT", "matmul"]


def mT(x: Any) -> Any:
    """x with its last two axes swapped."""
    return transpose(x, -2, -1) if isinstance(x, Traced) else np.swapaxes(x, -2, -1)


def _row(x: Any) -> Any:
    return x.unsqueeze(-2) if isinstance(x, Traced) else x[..., None, :]


def _column(x: Any) -> Any:
    return x.unsqueeze(-1) if isinstance(x, Traced) else x[..., None]


def _matmul_a(g: Any, b: Any, shapes: Any) -> Any:
    a_ndim, b_ndim = len(shapes[0]), len(shapes[1])
    if b_ndim == 1:
        return _column(g) * b if a_ndim > 1 else g * b
    if a_ndim == 1:
        return (_row(g) @ mT(b))[..., 0, :]
    return g @ mT(b)


def _matmul_b(g: Any, a: Any, shapes: Any) -> Any:
    a_ndim, b_ndim = len(shapes[0]), len(shapes[1])
    if a_ndim == 1:
        return _column(a) * _row(g) if b_ndim > 1 else g * a
    if b_ndim == 1:
        return (mT(a) @ _column(g))[..., 0]
    if b_ndim == 2 and a_ndim > 2:  # one product over the joined rows, not one for each batch
        return a.reshape((-1, shapes[0][-1])).T @ g.reshape((-1, shapes[1][-1]))
    return mT(a) @ g


@declare.linear(
    label="@",
    vjp=[_matmul_a, _matmul_b],
    method=True,
)
def matmul(a: Array, b: Array) -> Array:
    """Matrix product over the last two axes: (..., n, k) @ (..., k, m) -> (..., n, m)."""
    _same_dtype(a, b)
    if not a.ndim or not b.ndim:
        raise ShapeError("a matrix product needs at least one axis on each side")
    rows = b.shape[-2] if b.ndim > 1 else b.shape[0]
    if a.shape[-1] != rows:
        raise ShapeError(f"a has {a.shape[-1]} columns and b has {rows} rows: they must agree")
    return np.matmul(a, b)


def _same_dtype(*arrays: Array) -> None:
    if len({x.dtype for x in arrays}) > 1:
        names = " and ".join(str(x.dtype) for x in arrays)
        raise TypeError(f"dtypes {names} differ; convert one with .to(dtype)")


def _rows(x: Any, n: int) -> Any:
    return x if len(x.shape) == 2 else x.reshape((-1, n))


def _linear_weight(g: Any, x: Any, shapes: Any) -> Any:
    out, n = shapes[1]
    return _rows(g, out).T @ _rows(x, n)


@declare.op(
    vjp=[
        lambda g, weight: g @ weight,
        _linear_weight,
        lambda g, shapes: sum(_rows(g, shapes[1][0]), 0),
    ],
    jvp=[
        lambda t, weight: t @ weight.T,
        lambda t, x: x @ t.T,
        lambda t: t,
    ],
)
def linear(x: Array, weight: Array, bias: Array | None = None) -> Array:
    """y = x Wᵀ + b, with x (..., in), W (out, in), b (out) and y (..., out)."""
    _same_dtype(x, weight)
    if weight.ndim != 2 or not x.ndim or x.shape[-1] != weight.shape[1]:
        raise ShapeError(f"the last axis of x must be {weight.shape[-1]}, as in the weight")
    y = np.matmul(x, weight.T)
    if bias is not None:
        y += bias
    return y
