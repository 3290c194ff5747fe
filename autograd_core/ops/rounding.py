"""Whole numbers near a number, and what is left over: all flat, or straight, between jumps."""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np

from ..op import alias, constant, elementwise
from ..versions import Array

__all__ = [
    "ceil", "fix", "floor", "floor_divide", "fmod", "frac", "remainder", "round", "trunc",
]  # fmt: skip


@constant(scalar=lambda x: float(math.floor(x)), direct=np.floor, method=True)
def floor(x: Array) -> Array:
    """The largest whole number that is at most x."""
    return np.floor(x)


@constant(scalar=lambda x: float(math.ceil(x)), direct=np.ceil, method=True)
def ceil(x: Array) -> Array:
    """The smallest whole number that is at least x."""
    return np.ceil(x)


@constant(scalar=lambda x: float(math.trunc(x)), direct=np.trunc, method=True)
def trunc(x: Array) -> Array:
    """The whole number next to x on the way to 0."""
    return np.trunc(x)


fix = alias("fix", trunc)


@constant(scalar=lambda x, decimals: float(np.round(x, decimals)), method=True)
def round(x: Array, decimals: int = 0) -> Array:
    """The nearest number with so many decimals; halves go to the even one."""
    return np.round(x, decimals)


@elementwise(scalar=lambda x: math.fmod(x, 1.0), floats_only=True, vjp=[lambda g: g], method=True)
def frac(x: Array) -> Array:
    """x - trunc(x), with the sign of x."""
    return x - np.trunc(x)


def _refuse_zero(a: Any, b: Any) -> None:
    if np.result_type(a, b).kind in "biu" and not np.all(b):
        raise TypeError("integers cannot be divided by 0; convert with .float() first")


@constant(arrays=2, label="//", scalar=operator.floordiv, method=True)
def floor_divide(a: Array, b: Array) -> Array:
    """floor(a / b)."""
    _refuse_zero(a, b)
    return np.floor_divide(a, b)


@constant(arrays=2, label="//", scalar=lambda a, b: float(math.trunc(a / b)))
def trunc_divide(a: Array, b: Array) -> Array:
    """trunc(a / b)."""
    _refuse_zero(a, b)
    if np.result_type(a, b).kind == "f":
        return np.trunc(np.divide(a, b))
    return np.floor_divide(a - np.fmod(a, b), b)


@elementwise(
    label="%",
    scalar=operator.mod,
    vjp=[lambda g: g, lambda g, a, b: -g * floor_divide(a, b)],
    method=True,
)
def remainder(a: Array, b: Array) -> Array:
    """a - b floor(a / b), with the sign of b."""
    _refuse_zero(a, b)
    return np.remainder(a, b)


@elementwise(
    scalar=math.fmod,
    vjp=[lambda g: g, lambda g, a, b: -g * trunc_divide(a, b)],
    method=True,
)
def fmod(a: Array, b: Array) -> Array:
    """a - b trunc(a / b), with the sign of a."""
    _refuse_zero(a, b)
    return np.fmod(a, b)
