"""Angles: circular and hyperbolic functions, their inverses, degrees."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..op import alias, elementwise, linear
from ..versions import Array
from .comparison import where
from .elementwise import sqrt

__all__ = [
    "acos", "acosh", "arccos", "arccosh", "arcsin", "arcsinh", "arctan", "arctan2", "arctanh",
    "asin", "asinh", "atan", "atan2", "atanh", "cos", "cosh", "deg2rad", "hypot", "rad2deg", "sin",
    "sinc", "sinh", "tan",
]  # fmt: skip


@elementwise(
    scalar=math.sin,
    direct=np.sin,
    floats_only=True,
    vjp=[lambda g, x: g * cos(x)],
    method=True,
)
def sin(x: Array) -> Array:
    """Sine of an angle in radians."""
    return np.sin(x)


@elementwise(
    scalar=math.cos,
    direct=np.cos,
    floats_only=True,
    vjp=[lambda g, x: -g * sin(x)],
    method=True,
)
def cos(x: Array) -> Array:
    """Cosine of an angle in radians."""
    return np.cos(x)


@elementwise(
    scalar=math.tan,
    direct=np.tan,
    floats_only=True,
    vjp=[lambda g, y: g * (1.0 + y * y)],
    method=True,
)
def tan(x: Array) -> Array:
    """Tangent of an angle in radians."""
    return np.tan(x)


@elementwise(
    scalar=math.asin,
    direct=np.arcsin,
    floats_only=True,
    vjp=[lambda g, x: g / sqrt((1.0 - x) * (1.0 + x))],
    method=True,
)
def asin(x: Array) -> Array:
    """The angle in [-π/2, π/2] with sine x."""
    return np.arcsin(x)


@elementwise(
    scalar=math.acos,
    direct=np.arccos,
    floats_only=True,
    vjp=[lambda g, x: -g / sqrt((1.0 - x) * (1.0 + x))],
    method=True,
)
def acos(x: Array) -> Array:
    """The angle in [0, π] with cosine x."""
    return np.arccos(x)


@elementwise(
    scalar=math.atan,
    direct=np.arctan,
    floats_only=True,
    vjp=[lambda g, x: g / (1.0 + x * x)],
    method=True,
)
def atan(x: Array) -> Array:
    """The angle in [-π/2, π/2] with tangent x."""
    return np.arctan(x)


@elementwise(
    scalar=math.sinh,
    direct=np.sinh,
    floats_only=True,
    vjp=[lambda g, x: g * cosh(x)],
    method=True,
)
def sinh(x: Array) -> Array:
    """(exp(x) - exp(-x)) / 2."""
    return np.sinh(x)


@elementwise(
    scalar=math.cosh,
    direct=np.cosh,
    floats_only=True,
    vjp=[lambda g, x: g * sinh(x)],
    method=True,
)
def cosh(x: Array) -> Array:
    """(exp(x) + exp(-x)) / 2."""
    return np.cosh(x)


@elementwise(
    scalar=math.asinh,
    direct=np.arcsinh,
    floats_only=True,
    vjp=[lambda g, x: g / sqrt(x * x + 1.0)],
    method=True,
)
def asinh(x: Array) -> Array:
    """The inverse of sinh."""
    return np.arcsinh(x)


@elementwise(
    scalar=math.acosh,
    direct=np.arccosh,
    floats_only=True,
    vjp=[lambda g, x: g / sqrt((x - 1.0) * (x + 1.0))],
    method=True,
)
def acosh(x: Array) -> Array:
    """The inverse of cosh, not negative; NaN below 1."""
    return np.arccosh(x)


@elementwise(
    scalar=math.atanh,
    direct=np.arctanh,
    floats_only=True,
    vjp=[lambda g, x: g / ((1.0 - x) * (1.0 + x))],
    method=True,
)
def atanh(x: Array) -> Array:
    """The inverse of tanh; infinite at -1 and 1, NaN beyond."""
    return np.arctanh(x)


def _turn(g: Any, a: Any, b: Any) -> Any:
    """Return g a / (a² + b²), and 0 at the origin."""
    square = a * a + b * b
    return where(square == 0, 0.0, g * (a * (1.0 / square)))


@elementwise(
    scalar=math.atan2,
    direct=np.arctan2,
    floats_only=True,
    vjp=[lambda g, a, b: _turn(g, b, a), lambda g, a, b: _turn(-g, a, b)],
    method=True,
)
def atan2(a: Array, b: Array) -> Array:
    """The angle of the point (b, a) in [-π, π]."""
    return np.arctan2(a, b)


@elementwise(
    scalar=math.hypot,
    direct=np.hypot,
    floats_only=True,
    vjp=[lambda g, a, y: g * (a / y), lambda g, b, y: g * (b / y)],
    method=True,
)
def hypot(a: Array, b: Array) -> Array:
    """√(a² + b²), where the squares may overflow."""
    return np.hypot(a, b)


# Of (cos z - sinc z) / z in powers of z²: (-1)^k 2k / (2k + 1)! for z^(2k - 1).
_SINC_SLOPE = [(-1) ** k * 2 * k / math.factorial(2 * k + 1) for k in range(1, 9)]


def _sinc_slope(g: Any, x: Any) -> Any:
    """Pull back to x; by a power series near 0, where cos z - sinc z cancels."""
    z = math.pi * x
    near = (z > -0.5) * (z < 0.5)
    small, large = where(near, z, 0.0), where(near, 1.0, z)
    series = 0.0
    for c in reversed(_SINC_SLOPE):
        series = series * (small * small) + c
    return g * where(near, math.pi * (series * small), _far_slope(large))


def _far_slope(z: Any) -> Any:
    return math.pi * ((cos(z) - sin(z) / z) / z)


@elementwise(
    scalar=lambda x: math.sin(math.pi * x) / (math.pi * x) if x else 1.0,
    floats_only=True,
    vjp=[_sinc_slope],
    method=True,
)
def sinc(x: Array) -> Array:
    """sin(πx) / (πx), and 1 at 0."""
    z = math.pi * x
    return np.where(x == 0, 1.0, np.sin(z) / z)


@linear(
    promotes=True,
    elementwise=True,
    floats_only=True,
    scalar=math.radians,
    direct=np.deg2rad,
    vjp=[lambda g: g * (math.pi / 180.0)],
    method=True,
)
def deg2rad(x: Array) -> Array:
    """Degrees to radians."""
    return np.deg2rad(x)


@linear(
    promotes=True,
    elementwise=True,
    floats_only=True,
    scalar=math.degrees,
    direct=np.rad2deg,
    vjp=[lambda g: g * (180.0 / math.pi)],
    method=True,
)
def rad2deg(x: Array) -> Array:
    """Radians to degrees."""
    return np.rad2deg(x)


arcsin = alias("arcsin", asin)
arccos = alias("arccos", acos)
arctan = alias("arctan", atan)
arctan2 = alias("arctan2", atan2)
arcsinh = alias("arcsinh", asinh)
arccosh = alias("arccosh", acosh)
arctanh = alias("arctanh", atanh)
