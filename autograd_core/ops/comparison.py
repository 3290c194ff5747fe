"""Comparisons, and choices that follow from them."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from ..op import alias, elementwise, linear, method, untracked, zeros_of
from ..versions import Array

__all__ = [
    "allclose", "clamp", "clamp_max", "clamp_min", "clip", "eq", "equal", "fmax", "fmin", "ge",
    "greater", "greater_equal", "gt", "heaviside", "isclose", "le", "less", "less_equal", "lt",
    "maximum", "minimum", "ne", "not_equal", "where",
]  # fmt: skip


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


greater = alias("greater", gt)
greater_equal = alias("greater_equal", ge)
less = alias("less", lt)
less_equal = alias("less_equal", le)
not_equal = alias("not_equal", ne)


def _close(
    a: float, b: float, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False
) -> bool:
    return bool(np.isclose(a, b, rtol, atol, equal_nan))


@untracked(arrays=2, promotes=True, label="≈", scalar=_close, method=True)
def isclose(
    a: Array, b: Array, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False
) -> Array:
    """|a - b| <= atol + rtol |b|, for each element; equal infinities are close."""
    if rtol < 0 or atol < 0:
        raise ValueError("rtol and atol must not be negative")
    return np.isclose(a, b, rtol, atol, equal_nan)


@method
def allclose(
    input: Any, other: Any, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False
) -> bool:
    """Whether all elements are close, as `isclose` has it."""
    return bool(np.all(_bare(isclose(input, other, rtol, atol, equal_nan))))


@method
def equal(input: Any, other: Any) -> bool:
    """Whether shapes and all elements are equal."""
    return np.array_equal(_bare(input), _bare(other))


def _bare(x: Any) -> Any:
    return x.detach().numpy() if hasattr(x, "detach") else x


@linear(
    together=True,
    promotes=1,
    scalar=lambda condition, a, b: a if condition else b,
    vjp=[
        None,
        lambda g, condition: where_(condition, g, 0.0),
        lambda g, condition: where_(condition, 0.0, g),
    ],
)
def where_(condition: Array, a: Array, b: Array) -> Array:
    """a where the condition holds, b elsewhere."""
    return np.where(condition, a, b)


def where(condition: Any, input: Any = None, other: Any = None) -> Any:
    """`input` where the condition holds, `other` elsewhere; without both, the places it holds at.

    Both branches are computed: a NaN in the branch not taken reaches the gradient through
    0 * NaN. Choose a safe operand first, as in where(x > 0, log(where(x > 0, x, 1)), 0).
    """
    if input is None and other is None:
        from .indexing import nonzero  # which is made of choices

        return nonzero(condition, as_tuple=True)
    return where_(condition, input, other)


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


@elementwise(
    scalar=lambda a, b: a if a >= b or b != b else b,
    vjp=[
        lambda g, a, b: where(b != b, g, where(a >= b, g, 0.0)),
        lambda g, a, b: where(b != b, 0.0, where(a >= b, 0.0, g)),
    ],
    method=True,
)
def fmax(a: Array, b: Array) -> Array:
    """The larger of two; a tie goes to a, NaN loses."""
    return np.fmax(a, b)


@elementwise(
    scalar=lambda a, b: a if a <= b or b != b else b,
    vjp=[
        lambda g, a, b: where(b != b, g, where(a <= b, g, 0.0)),
        lambda g, a, b: where(b != b, 0.0, where(a <= b, 0.0, g)),
    ],
    method=True,
)
def fmin(a: Array, b: Array) -> Array:
    """The smaller of two; a tie goes to a, NaN loses."""
    return np.fmin(a, b)


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


clip = alias("clip", clamp)


@method
def clamp_min(x: Any, min: Any) -> Any:
    """x, or min where that is larger."""
    return clamp(x, min, None)


@method
def clamp_max(x: Any, max: Any) -> Any:
    """x, or max where that is smaller."""
    return clamp(x, None, max)


@elementwise(
    scalar=lambda x, values: values if x == 0.0 else float(x > 0.0),
    vjp=[zeros_of, lambda g, x: where(x == 0, g, 0.0)],
    method=True,
)
def heaviside(x: Array, values: Array) -> Array:
    """0 below 0, 1 above, `values` at 0; 0 for NaN."""
    step = np.where(np.equal(x, 0), values, np.greater(x, 0))
    return step.astype(np.result_type(x, values), copy=False)
