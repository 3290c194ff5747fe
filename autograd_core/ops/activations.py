"""Activations as one op each, so that either direction is one pass over memory.

Of large arrays: small ones go the way of the definitions here, which also are what is
differentiated again.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..kernel_sizes import SHARP, SMOOTH, forward, rule
from ..op import elementwise
from ..versions import Array
from .comparison import where
from .elementwise import exp, sigmoid, tanh
from .special import erfc, few_or_each

__all__ = ["elu", "gelu", "hardtanh", "leaky_relu", "silu", "softplus", "threshold"]

GELU_SIGMOID = 1.702  # Hendrycks and Gimpel, Gaussian error linear units (2016), section 2
TANH_SCALE, TANH_CUBE = math.sqrt(2.0 / math.pi), 0.044715


def _gelu_tanh_slope(g: Any, x: Any) -> Any:
    y = tanh(TANH_SCALE * (x + TANH_CUBE * (x * x * x)))
    slope = TANH_SCALE * (1.0 + 3.0 * TANH_CUBE * (x * x))
    return g * (0.5 * (1.0 + y) + 0.5 * x * ((1.0 - y * y) * slope))


def _gelu_slope(g: Any, x: Any) -> Any:
    bell = exp(-0.5 * (x * x)) / math.sqrt(2.0 * math.pi)
    return g * (0.5 * erfc(x * -math.sqrt(0.5)) + x * bell)


def _silu_slope(g: Any, x: Any, a: float) -> Any:
    y = sigmoid(a * x)
    return g * (y * (1.0 + (a * x) * (1.0 - y)))


_silu = forward("silu", lambda x, a: x / (1.0 + np.exp(-a * x)), SMOOTH)
_pull_silu = rule("silu_vjp", _silu_slope, SMOOTH)
_pull_gelu = rule("gelu_vjp", _gelu_slope, SMOOTH)
_pull_gelu_tanh = rule("gelu_tanh_vjp", _gelu_tanh_slope, SMOOTH)


def _gelu_scalar(x: float, approximate: str = "none") -> float:
    if approximate == "none":
        return x * (0.5 * math.erfc(-x * math.sqrt(0.5)))
    if approximate == "tanh":
        return 0.5 * x * (1.0 + math.tanh(TANH_SCALE * (x + TANH_CUBE * x**3)))
    return x / (1.0 + math.exp(-GELU_SIGMOID * x))


def _pull_any_gelu(g: Any, x: Any, approximate: str) -> Any:
    if approximate == "none":
        return _pull_gelu(g, x)
    return _pull_gelu_tanh(g, x) if approximate == "tanh" else _pull_silu(g, x, GELU_SIGMOID)


@elementwise(
    label=lambda approximate: "gelu" if approximate == "none" else f"gelu {approximate}",
    scalar=_gelu_scalar,
    floats_only=True,
    vjp=[_pull_any_gelu],
)
def gelu(x: Array, approximate: str = "none") -> Array:
    """x Φ(x), or x (1 + tanh(√(2/π) (x + 0.044715 x³))) / 2, or x σ(1.702 x).

    For approximate "none", "tanh" and "sigmoid" (Hendrycks and Gimpel 2016, section 2).
    """
    if approximate == "none":
        return few_or_each(_gelu_scalar, "gelu", x)
    if approximate == "tanh":
        return _gelu_tanh(x)
    if approximate == "sigmoid":
        return _silu(x, GELU_SIGMOID)
    raise ValueError(f"approximate is {approximate!r}: it must be 'none', 'tanh' or 'sigmoid'")


_gelu_tanh = forward(
    "gelu_tanh",
    lambda x: 0.5 * x * (1.0 + np.tanh(TANH_SCALE * (x + TANH_CUBE * (x * x * x)))),
    SMOOTH,
)


@elementwise(
    scalar=lambda x: x / (1.0 + math.exp(-x)),
    floats_only=True,
    vjp=[rule("silu_vjp", lambda g, x: _silu_slope(g, x, 1.0), SMOOTH, 1.0)],
)
def silu(x: Array) -> Array:
    """x σ(x)."""
    return _silu(x, 1.0)


def _softplus_scalar(x: float, beta: float = 1.0, threshold: float = 20.0) -> float:
    z = beta * x
    return x if z > threshold else (max(z, 0.0) + math.log1p(math.exp(-abs(z)))) / beta


def _softplus_slope(g: Any, x: Any, beta: float, threshold: float) -> Any:
    return where(x * beta > threshold, g, g * sigmoid(x * beta))


_softplus = forward(
    "softplus",
    lambda x, beta, threshold: np.where(
        x * beta > threshold, x, np.logaddexp(x * beta, x.dtype.type(0)) / beta
    ),
    SMOOTH,
)


@elementwise(
    scalar=_softplus_scalar,
    floats_only=True,
    vjp=[rule("softplus_vjp", _softplus_slope, SMOOTH)],
)
def softplus(x: Array, beta: float = 1.0, threshold: float = 20.0) -> Array:
    """log(1 + exp(beta x)) / beta, and x itself where beta x is above the threshold."""
    return _softplus(x, beta, threshold)


def _elu_scalar(
    x: float, alpha: float = 1.0, scale: float = 1.0, input_scale: float = 1.0
) -> float:
    return scale * (alpha * math.expm1(input_scale * x) if x <= 0.0 else x)


def _elu_slope(g: Any, x: Any, alpha: float, scale: float, input_scale: float) -> Any:
    below = (alpha * input_scale) * exp(input_scale * where(x <= 0, x, 0.0))
    return scale * where(x <= 0, g * below, g)


def _plain_elu(x: Array, alpha: float, scale: float, input_scale: float) -> Array:
    return scale * np.where(x <= 0, alpha * np.expm1(input_scale * np.minimum(x, 0)), x)


_elu = forward("elu", _plain_elu, SMOOTH)


@elementwise(
    scalar=_elu_scalar,
    floats_only=True,
    vjp=[rule("elu_vjp", _elu_slope, SMOOTH)],
)
def elu(x: Array, alpha: float = 1.0, scale: float = 1.0, input_scale: float = 1.0) -> Array:
    """scale x above 0, scale alpha (exp(input_scale x) - 1) below: ELU, SELU and CELU."""
    # The kernel's exp(x) - 1 is not for large x, which a negative scale makes of x below 0.
    return (_elu if input_scale >= 0.0 else _plain_elu)(x, alpha, scale, input_scale)


def _leaky_slope(g: Any, x: Any, negative_slope: float) -> Any:
    return where(x > 0, g, g * negative_slope)


_leaky_relu = forward("leaky_relu", lambda x, slope: np.where(x > 0, x, x * slope), SHARP)


@elementwise(
    scalar=lambda x, negative_slope=0.01: x if x > 0.0 else negative_slope * x,
    floats_only=True,
    vjp=[rule("leaky_relu_vjp", _leaky_slope, SHARP)],
)
def leaky_relu(x: Array, negative_slope: float = 0.01) -> Array:
    """x above 0, negative_slope x below; at 0 its derivative is that of below."""
    return _leaky_relu(x, negative_slope)


def _hardtanh_slope(g: Any, x: Any, min_val: float, max_val: float) -> Any:
    return where((x > min_val) & (x < max_val), g, 0.0)


def _in_kind(x: Array, number: float) -> Any:
    """Return the number as x can hold it, so that whole numbers stay whole."""
    try:
        return x.dtype.type(number if x.dtype.kind == "f" else int(number))
    except OverflowError:
        raise ValueError(f"{number} does not fit into {x.dtype}") from None


def _clip(x: Array, low: float, high: float) -> Array:
    return np.clip(x, _in_kind(x, low), _in_kind(x, high))


_hardtanh = forward("hardtanh", _clip, SHARP)


@elementwise(
    scalar=lambda x, min_val=-1.0, max_val=1.0: min(max(x, min_val), max_val),
    vjp=[rule("hardtanh_vjp", _hardtanh_slope, SHARP)],
)
def hardtanh(x: Array, min_val: float = -1.0, max_val: float = 1.0) -> Array:
    """x limited to [min_val, max_val]; flat at both edges already."""
    return _hardtanh(x, min_val, max_val)


def _threshold_slope(g: Any, x: Any, threshold: float) -> Any:
    return where(x <= threshold, 0.0, g)


_threshold = forward(
    "threshold",
    lambda x, threshold, value: np.where(x <= threshold, _in_kind(x, value), x),
    SHARP,
)


@elementwise(
    scalar=lambda x, threshold, value: value if x <= threshold else x,
    vjp=[rule("threshold_vjp", _threshold_slope, SHARP)],
)
def threshold(x: Array, threshold: float, value: float) -> Array:
    """x above the threshold, value elsewhere."""
    return _threshold(x, threshold, value)
