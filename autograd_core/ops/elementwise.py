"""Functions of one number, applied to each element."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..kernel_sizes import SHARP, SMOOTH, forward, rule
from ..op import alias, elementwise
from ..versions import Array
from .arithmetic import sign
from .comparison import where
from .logic import isfinite

__all__ = [
    "abs", "absolute", "exp", "exp2", "expm1", "log", "log1p", "log2", "log10", "logaddexp",
    "logaddexp2", "logit", "nan_to_num", "relu", "rsqrt", "sigmoid", "sqrt", "square", "tanh",
    "xlogy",
]  # fmt: skip


def _sigmoid_slope(g: Any, y: Any) -> Any:
    return g * (y * (1.0 - y))


def _tanh_slope(g: Any, y: Any) -> Any:
    return g * (1.0 - y * y)


def _relu_slope(g: Any, y: Any) -> Any:
    return where(y <= 0, 0.0, g)


_exp = forward("exp", np.exp, SMOOTH)
_log = forward("log", np.log, SMOOTH)
_tanh = forward("tanh", np.tanh, SMOOTH)
_sigmoid = forward("sigmoid", lambda x: 1.0 / (1.0 + np.exp(-x)), SMOOTH)
_relu = forward("relu", lambda x: np.maximum(x, 0), SHARP)


@elementwise(
    scalar=math.exp,
    direct=_exp,
    floats_only=True,
    vjp=[lambda g, y: g * y],
    method=True,
)
def exp(x: Array) -> Array:
    """e to the power x."""
    return _exp(x)


@elementwise(
    scalar=math.exp2,
    direct=np.exp2,
    floats_only=True,
    vjp=[lambda g, y: g * (y * math.log(2.0))],
    method=True,
)
def exp2(x: Array) -> Array:
    """2 to the power x."""
    return np.exp2(x)


@elementwise(
    scalar=math.expm1,
    direct=np.expm1,
    floats_only=True,
    vjp=[lambda g, x: g * exp(x)],
    method=True,
)
def expm1(x: Array) -> Array:
    """exp(x) - 1, exact where that is small."""
    return np.expm1(x)


@elementwise(
    scalar=math.log,
    direct=_log,
    floats_only=True,
    vjp=[lambda g, x: g / x],
    method=True,
)
def log(x: Array) -> Array:
    """Natural logarithm; -inf at 0, NaN below."""
    return _log(x)


@elementwise(
    scalar=math.log2,
    direct=np.log2,
    floats_only=True,
    vjp=[lambda g, x: g / (x * math.log(2.0))],
    method=True,
)
def log2(x: Array) -> Array:
    """Logarithm to base 2."""
    return np.log2(x)


@elementwise(
    scalar=math.log10,
    direct=np.log10,
    floats_only=True,
    vjp=[lambda g, x: g / (x * math.log(10.0))],
    method=True,
)
def log10(x: Array) -> Array:
    """Logarithm to base 10."""
    return np.log10(x)


@elementwise(
    scalar=math.log1p,
    direct=np.log1p,
    floats_only=True,
    vjp=[lambda g, x: g / (x + 1.0)],
    method=True,
)
def log1p(x: Array) -> Array:
    """log(1 + x), exact where x is small."""
    return np.log1p(x)


def _logaddexp_scalar(a: float, b: float, exp: Any = math.exp, log_of_base: float = 1.0) -> float:
    if a == b:  # which may be infinite
        return a + math.log(2.0) / log_of_base
    return max(a, b) + math.log1p(exp(-math.fabs(a - b))) / log_of_base


@elementwise(
    scalar=_logaddexp_scalar,
    floats_only=True,
    vjp=[lambda g, a, b: g / (1.0 + exp(b - a)), lambda g, a, b: g / (1.0 + exp(a - b))],
    method=True,
)
def logaddexp(a: Array, b: Array) -> Array:
    """log(exp(a) + exp(b)), without overflow."""
    return np.logaddexp(a, b)


@elementwise(
    scalar=lambda a, b: _logaddexp_scalar(a, b, math.exp2, math.log(2.0)),
    floats_only=True,
    vjp=[lambda g, a, b: g / (1.0 + exp2(b - a)), lambda g, a, b: g / (1.0 + exp2(a - b))],
    method=True,
)
def logaddexp2(a: Array, b: Array) -> Array:
    """log2(2^a + 2^b), without overflow."""
    return np.logaddexp2(a, b)


def _xlogy_a(g: Any, a: Any, b: Any) -> Any:
    return where((a == 0) * (b <= 0), 0.0, xlogy(g, b))


@elementwise(
    scalar=lambda a, b: 0.0 if a == 0.0 and b == b else a * math.log(b),
    floats_only=True,
    vjp=[_xlogy_a, lambda g, a, b: g * a / b],
    method=True,
)
def xlogy(a: Array, b: Array) -> Array:
    """a log b, and 0 where a is 0 and b is a number."""
    return np.where(np.equal(a, 0) & np.equal(b, b), 0.0, a * np.log(b))


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
    scalar=lambda x: 1.0 / math.sqrt(x),
    floats_only=True,
    vjp=[lambda g, y: g * (-0.5 * y * y * y)],
    method=True,
)
def rsqrt(x: Array) -> Array:
    """1 / √x; inf at 0."""
    return 1.0 / np.sqrt(x)


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
    scalar_vjp=[_tanh_slope],
    direct=_tanh,
    floats_only=True,
    vjp=[rule("tanh_vjp", _tanh_slope, SHARP)],
    method=True,
)
def tanh(x: Array) -> Array:
    """Hyperbolic tangent."""
    return _tanh(x)


@elementwise(
    scalar=lambda x: 1.0 / (1.0 + math.exp(-x)),
    scalar_vjp=[_sigmoid_slope],
    direct=_sigmoid,
    floats_only=True,
    vjp=[rule("sigmoid_vjp", _sigmoid_slope, SHARP)],
    method=True,
)
def sigmoid(x: Array) -> Array:
    """1 / (1 + exp(-x)): exp may overflow to inf, which gives 0, the limit."""
    return _sigmoid(x)


def _logit_scalar(x: float, eps: float | None = None) -> float:
    x = x if eps is None else min(max(x, eps), 1.0 - eps)
    return math.log(x / (1.0 - x))


def _logit_slope(g: Any, x: Any, y: Any, eps: float | None) -> Any:
    slope = g / (abs(x) * (1.0 - x))  # so that -0 counts as 0
    if eps is None:
        return where(y != y, y, slope)
    return where(x < eps, 0.0, where(x > 1.0 - eps, 0.0, slope))


@elementwise(scalar=_logit_scalar, floats_only=True, vjp=[_logit_slope], method=True)
def logit(x: Array, eps: float | None = None) -> Array:
    """log(x / (1 - x)), the inverse of sigmoid; with eps, x is limited to [eps, 1 - eps] first."""
    x = x if eps is None else np.clip(x, eps, 1.0 - eps)
    return np.log(x / (1.0 - x))


@elementwise(
    scalar=lambda x: 0.0 if x <= 0.0 else x,
    scalar_vjp=[lambda g, y: 0.0 if y <= 0.0 else g],
    direct=_relu,
    vjp=[rule("relu_vjp", _relu_slope, SHARP)],
    method=True,
)
def relu(x: Array) -> Array:
    """max(x, 0); its derivative at 0 is 0."""
    return _relu(x)


@elementwise(
    scalar=abs,
    direct=np.absolute,
    vjp=[lambda g, x: g * sign(x)],
    method=True,
)
def abs(x: Array) -> Array:
    """Absolute value; its derivative at 0 is 0."""
    return np.absolute(x)


absolute = alias("absolute", abs)


def _finite(
    x: float, nan: float | None = 0.0, posinf: float | None = None, neginf: float | None = None
) -> float:
    return float(np.nan_to_num(x, nan=nan or 0.0, posinf=posinf, neginf=neginf))


@elementwise(scalar=_finite, vjp=[lambda g, x: where(isfinite(x), g, 0.0)], method=True)
def nan_to_num(
    x: Array, nan: float | None = 0.0, posinf: float | None = None, neginf: float | None = None
) -> Array:
    """x with other numbers for NaN, inf and -inf: the largest and least of its dtype."""
    return np.nan_to_num(x, nan=nan or 0.0, posinf=posinf, neginf=neginf)
