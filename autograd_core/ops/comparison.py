"""Comparisons, and choices that follow from them."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from ..op import elementwise, linear, untracked
from ..versions import Array

__all__ = ["clamp", "eq", "ge", "gt", "le", "lt", "maximum", "minimum", "ne", "where"]


@untracked(arrays=2, promotes=True, label="==", scalar=operator.eq, method=True)
def eq(a: Array, b: Array) -> Array:
    """a == b for each element."""
    return np.equal(a, b)


@untracked(arrays=2, promotes=True, label="!=", scalar=operator.ne, method=True)
def ne(a: Array, b: Array) -> Array:
    """a != b for each element."""
    return np.not_equal(a, b)


@untracked(arrays=2, promotes=True, label="<", scalar=operator.lt, method=True)
def lt(a: Array, b: Array) -> Array:
    """a < b for each element."""
    return np.less(a, b)


@untracked(arrays=2, promotes=True, label="<=", scalar=operator.le, method=True)
def le(a: Array, b: Array) -> Array:
    """a <= b for each element."""
    return np.less_equal(a, b)


@untracked(arrays=2, promotes=True, label=">", scalar=operator.gt, method=True)
def gt(a: Array, b: Array) -> Array:
    """a > b for each element."""
    return np.greater(a, b)


@untracked(arrays=2, promotes=True, label=">=", scalar=operator.ge, method=True)
def ge(a: Array, b: Array) -> Array:
    """a >= b for each element."""
    return np.greater_equal(a, b)


@linear(
    together=True,
    promotes=1,
    scalar=lambda condition, a, b: a if condition else b,
    vjp=[
        None,
        lambda g, condition: where(condition, g, 0.0),
        lambda g, condition: where(condition, 0.0, g),
    ],
)
def where(condition: Array, a: Array, b: Array) -> Array:
    """a where the condition holds, b elsewhere.

    Both branches are computed: a NaN in the branch not taken reaches the gradient through
    0 * NaN. Choose a safe operand first, as in where(x > 0, log(where(x > 0, x, 1)), 0).
    """
    return np.where(condition, a, b)


def _larger(g: Any, a: Any, b: Any) -> Any:
    """Pull back to a the cotangent of max(a, b): all, none, or half of it at a tie."""
    return where(a < b, 0.0, where(a == b, 0.5 * g, g))


@elementwise(
    scalar=lambda a, b: a if a >= b or a != a else b,
    vjp=[lambda g, a, b: _larger(g, a, b), lambda g, a, b: _larger(g, b, a)],
    method=True,
)
def maximum(a: Array, b: Array) -> Array:
    """The larger of two; a tie shares the gradient evenly, NaN wins."""
    return np.maximum(a, b)


@elementwise(
    scalar=lambda a, b: a if a <= b or a != a else b,
    vjp=[lambda g, a, b: _larger(g, -a, -b), lambda g, a, b: _larger(g, -b, -a)],
    method=True,
)
def minimum(a: Array, b: Array) -> Array:
    """The smaller of two; a tie shares the gradient evenly, NaN wins."""
    return np.minimum(a, b)


def _inside(g: Any, x: Any, min: Any, max: Any) -> Any:
    if min is not None:
        g = where(x >= min, g, 0.0)
    return g if max is None else where(x <= max, g, 0.0)


def _below(g: Any, x: Any, min: Any, max: Any) -> Any:
    g = where(x < min, g, 0.0)
    return g if max is None else where(min < max, g, 0.0)


def _above(g: Any, x: Any, min: Any, max: Any) -> Any:
    if min is None:
        return where(x > max, g, 0.0)
    return where(max < min, g, where(x > max, g, 0.0))


def _clamp_scalar(x: float, min: float | None, max: float | None) -> float:
    if min is not None and (x < min or min != min):
        x = min
    return max if max is not None and (x > max or max != max) else x


@elementwise(
    scalar=_clamp_scalar,
    vjp=[_inside, _below, _above],
    method=True,
)
def clamp(x: Array, min: Array | None = None, max: Array | None = None) -> Array:
    """x limited to [min, max]; at an edge the gradient goes to x."""
    if min is None and max is None:
        raise ValueError("at least one of min and max must be given")
    if min is not None:
        x = np.maximum(x, min)
    return x if max is None else np.minimum(x, max)
