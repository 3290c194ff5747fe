"""Truths: logical and bitwise combinations, and what kind of number a number is."""

from __future__ import annotations

import math
import operator

import numpy as np

from ..op import untracked
from ..versions import Array

__all__ = [
    "bitwise_and", "bitwise_left_shift", "bitwise_not", "bitwise_or", "bitwise_right_shift",
    "bitwise_xor", "isfinite", "isinf", "isnan", "isneginf", "isposinf", "isreal", "logical_and",
    "logical_not", "logical_or", "logical_xor", "signbit",
]  # fmt: skip


@untracked(
    arrays=2,
    promotes=True,
    label="and",
    scalar=lambda a, b: bool(a and b),
    direct=np.logical_and,
    method=True,
)
def logical_and(a: Array, b: Array) -> Array:
    """Whether both are other than 0."""
    return np.logical_and(a, b)


@untracked(
    arrays=2,
    promotes=True,
    label="or",
    scalar=lambda a, b: bool(a or b),
    direct=np.logical_or,
    method=True,
)
def logical_or(a: Array, b: Array) -> Array:
    """Whether one or both are other than 0."""
    return np.logical_or(a, b)


@untracked(
    arrays=2,
    promotes=True,
    label="xor",
    scalar=lambda a, b: bool(a) != bool(b),
    direct=np.logical_xor,
    method=True,
)
def logical_xor(a: Array, b: Array) -> Array:
    """Whether exactly one is other than 0."""
    return np.logical_xor(a, b)


@untracked(promotes=True, label="not", scalar=operator.not_, direct=np.logical_not, method=True)
def logical_not(x: Array) -> Array:
    """Whether x is 0."""
    return np.logical_not(x)


def _refuse(kinds: str, *arrays: Array) -> None:
    kind = np.result_type(*arrays).kind
    if kind not in kinds:
        needed = "integers or truths" if "b" in kinds else "integers"
        raise TypeError(f"it needs {needed}")


@untracked(arrays=2, promotes=True, label="&", method=True)
def bitwise_and(a: Array, b: Array) -> Array:
    """The bits that both integers have; of truths: whether both hold."""
    _refuse("biu", a, b)
    return np.bitwise_and(a, b)


@untracked(arrays=2, promotes=True, label="|", method=True)
def bitwise_or(a: Array, b: Array) -> Array:
    """The bits that one of the integers has; of truths: whether one holds."""
    _refuse("biu", a, b)
    return np.bitwise_or(a, b)


@untracked(arrays=2, promotes=True, label="^", method=True)
def bitwise_xor(a: Array, b: Array) -> Array:
    """The bits in which the integers differ; of truths: whether exactly one holds."""
    _refuse("biu", a, b)
    return np.bitwise_xor(a, b)


@untracked(promotes=True, label="~", method=True)
def bitwise_not(x: Array) -> Array:
    """All bits turned over; of truths: whether x does not hold."""
    _refuse("biu", x)
    return np.invert(x)


@untracked(arrays=2, promotes=True, label="<<", method=True)
def bitwise_left_shift(a: Array, b: Array) -> Array:
    """a 2^b."""
    _refuse("iu", a, b)
    return np.left_shift(a, b)


@untracked(arrays=2, promotes=True, label=">>", method=True)
def bitwise_right_shift(a: Array, b: Array) -> Array:
    """floor(a / 2^b)."""
    _refuse("iu", a, b)
    return np.right_shift(a, b)


@untracked(scalar=math.isnan, direct=np.isnan, method=True)
def isnan(x: Array) -> Array:
    """Whether x is not a number."""
    return np.isnan(x)


@untracked(scalar=math.isinf, direct=np.isinf, method=True)
def isinf(x: Array) -> Array:
    """Whether x is inf or -inf."""
    return np.isinf(x)


@untracked(scalar=math.isfinite, direct=np.isfinite, method=True)
def isfinite(x: Array) -> Array:
    """Whether x is neither infinite nor NaN."""
    return np.isfinite(x)


@untracked(scalar=lambda x: x == math.inf, method=True)
def isposinf(x: Array) -> Array:
    """Whether x is inf."""
    return np.equal(x, math.inf)


@untracked(scalar=lambda x: x == -math.inf, method=True)
def isneginf(x: Array) -> Array:
    """Whether x is -inf."""
    return np.equal(x, -math.inf)


@untracked(scalar=lambda x: True, method=True)
def isreal(x: Array) -> Array:
    """True: no number here has an imaginary part."""
    return np.ones(np.shape(x), bool)


@untracked(scalar=lambda x: math.copysign(1.0, x) < 0.0, method=True)
def signbit(x: Array) -> Array:
    """Whether the sign is minus, that of -0 too."""
    return np.signbit(x) if np.result_type(x).kind == "f" else np.less(x, 0)
