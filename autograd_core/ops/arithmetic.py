"""Arithmetic of two operands, and powers."""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np

from ..op import constant, elementwise, linear, zeros_of
from ..versions import Array
from .comparison import where

__all__ = ["add", "div", "mul", "neg", "positive", "pow", "sign", "sub"]


@elementwise(
    label="+",
    scalar=operator.add,
    direct=operator.add,
    vjp=[lambda g: g, lambda g: g],
    method=True,
)
def add(a: Array, b: Array) -> Array:
    """a + b, with broadcasting."""
    return np.add(a, b)


@elementwise(
    label="-",
    scalar=operator.sub,
    direct=operator.sub,
    vjp=[lambda g: g, lambda g: -g],
    method=True,
)
def sub(a: Array, b: Array) -> Array:
    """a - b, with broadcasting."""
    return np.subtract(a, b)


@elementwise(
    label="*",
    scalar=operator.mul,
    direct=operator.mul,
    vjp=[lambda g, b: g * b, lambda g, a: g * a],
    method=True,
)
def mul(a: Array, b: Array) -> Array:
    """a * b, with broadcasting."""
    return np.multiply(a, b)


@elementwise(
    label="/",
    scalar=operator.truediv,
    direct=operator.truediv,
    floats_only=True,
    vjp=[lambda g, b: g / b, lambda g, b, y: -g * (y / b)],
    method=True,
)
def div(a: Array, b: Array) -> Array:
    """a / b, with broadcasting; integers become the default dtype."""
    return np.divide(a, b)


@linear(
    label="-",
    promotes=True,
    elementwise=True,
    scalar=operator.neg,
    direct=np.negative,
    vjp=[lambda g: -g],
    method=True,
)
def neg(x: Array) -> Array:
    """-x."""
    return np.negative(x)


@linear(promotes=True, elementwise=True, scalar=operator.pos, vjp=[lambda g: g], method=True)
def positive(x: Array) -> Array:
    """+x."""
    return np.positive(x)


def _pow_base(g: Any, a: Any, b: Any) -> Any:
    """Pull back to the base: b a^(b - 1), and 0 where b is 0, even at a = 0."""
    if isinstance(b, (int, float)):
        return zeros_of(g) if b == 0 else g * (b * a ** (b - 1))
    return where(b == 0, 0.0, g * (b * a ** (b - 1)))


def _pow_exponent(g: Any, a: Any, b: Any, y: Any) -> Any:
    """Pull back to the exponent: y log a, and 0 where a is 0 and b is not negative."""
    from .elementwise import log

    if isinstance(a, (int, float)):
        slope = y * (math.log(a) if a > 0 else -math.inf if a == 0 else math.nan)
        return where(b >= 0, 0.0 * g, g * slope) if a == 0 else g * slope
    flat = (a == 0) * (b >= 0)
    return where(flat, 0.0, g * (y * log(where(flat, 1.0, a))))


def _pow_scalar(a: float, b: float) -> float:
    y = a**b
    return y if isinstance(y, (int, float)) else math.nan  # a negative base gives a complex number


@elementwise(
    label="**",
    scalar=_pow_scalar,
    vjp=[_pow_base, _pow_exponent],
    method=True,
)
def pow(a: Array, b: Array) -> Array:
    """a to the power b; 0 ** 0 is 1, and its derivative with respect to a is 0."""
    return a**b


@constant(scalar=lambda x: float((x > 0.0) - (x < 0.0)), method=True)
def sign(x: Array) -> Array:
    """-1, 0 or 1; 0 for NaN."""
    return np.subtract(x > 0, x < 0, dtype=np.int8).astype(np.result_type(x))
