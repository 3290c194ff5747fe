"""Functions of one number, applied to each element."""

from __future__ import annotations

import math

import numpy as np

from ..op import elementwise
from ..versions import Array
from .arithmetic import sign
from .comparison import where

__all__ = ["abs", "exp", "log", "relu", "sigmoid", "sqrt", "square", "tanh"]


@elementwise(
    scalar=math.exp,
    direct=np.exp,
    floats_only=True,
    vjp=[lambda g, y: g * y],
    method=True,
)
def exp(x: Array) -> Array:
    """e to the power x."""
    return np.exp(x)


@elementwise(
    scalar=math.log,
    direct=np.log,
    floats_only=True,
    vjp=[lambda g, x: g / x],
    method=True,
)
def log(x: Array) -> Array:
    """Natural logarithm; -inf at 0, NaN below."""
    return np.log(x)


@elementwise(
    scalar=math.sqrt,
    direct=np.sqrt,
    floats_only=True,
    vjp=[lambda g, y: g / (2.0 * y)],
    method=True,
)
def sqrt(x: Array) -> Array:
    """Square root; its derivative at 0 is inf."""
    return np.sqrt(x)


@elementwise(
    scalar=lambda x: x * x,
    direct=np.square,
    vjp=[lambda g, x: g * (2.0 * x)],
    method=True,
)
def square(x: Array) -> Array:
    """x times x."""
    return np.square(x)


@elementwise(
    scalar=math.tanh,
    direct=np.tanh,
    floats_only=True,
    vjp=[lambda g, y: g * (1.0 - y * y)],
    method=True,
)
def tanh(x: Array) -> Array:
    """Hyperbolic tangent."""
    return np.tanh(x)


@elementwise(
    scalar=lambda x: 1.0 / (1.0 + math.exp(-x)),
    floats_only=True,
    vjp=[lambda g, y: g * (y * (1.0 - y))],
    method=True,
)
def sigmoid(x: Array) -> Array:
    """1 / (1 + exp(-x)): exp may overflow to inf, which gives 0, the limit."""
    return 1.0 / (1.0 + np.exp(-x))


@elementwise(
    scalar=lambda x: 0.0 if x <= 0.0 else x,
    scalar_vjp=[lambda g, y: 0.0 if y <= 0.0 else g],
    vjp=[lambda g, y: where(y <= 0, 0.0, g)],
    method=True,
)
def relu(x: Array) -> Array:
    """max(x, 0); its derivative at 0 is 0."""
    return np.maximum(x, 0)


@elementwise(
    scalar=abs,
    direct=np.absolute,
    vjp=[lambda g, x: g * sign(x)],
    method=True,
)
def abs(x: Array) -> Array:
    """Absolute value; its derivative at 0 is 0."""
    return np.absolute(x)
