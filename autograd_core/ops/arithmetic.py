"""Arithmetic of two operands, and powers."""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np

from ..errors import DtypeError
from ..op import alias, constant, elementwise, linear, method, zeros_of
from ..versions import Array
from .comparison import where
from .rounding import floor_divide, trunc_divide

__all__ = [
    "add", "addcdiv", "addcmul", "copysign", "div", "divide", "float_power", "ldexp", "lerp",
    "mul", "multiply", "neg", "negative", "positive", "pow", "reciprocal", "rsub", "sgn", "sign",
    "sub", "subtract", "true_divide",
]  # fmt: skip


def _scaled(who: str, a: Any, b: Any, alpha: float) -> Any:
    """Return alpha b, as a summand beside a."""
    if isinstance(alpha, float) and not (_is_float(a) or _is_float(b)):
        raise DtypeError(f"{who} got alpha={alpha} for integers: convert them with .float() first")
    return b if alpha == 1 else mul(b, alpha)


def _is_float(x: Any) -> bool:
    dtype = getattr(x, "dtype", None)
    return isinstance(x, float) if dtype is None else dtype.kind == "f"


@elementwise(
    label="+",
    scalar=operator.add,
    direct=operator.add,
    extra=("alpha", lambda a, b, alpha: add(a, _scaled("add", a, b, alpha))),
    vjp=[lambda g: g, lambda g: g],
    method=True,
)
def add(a: Array, b: Array) -> Array:
    """a + alpha b, with broadcasting."""
    return np.add(a, b)


@elementwise(
    label="-",
    scalar=operator.sub,
    direct=operator.sub,
    extra=("alpha", lambda a, b, alpha: sub(a, _scaled("sub", a, b, alpha))),
    vjp=[lambda g: g, lambda g: -g],
    method=True,
)
def sub(a: Array, b: Array) -> Array:
    """a - alpha b, with broadcasting."""
    return np.subtract(a, b)


def rsub(a: Any, b: Any, *, alpha: float = 1) -> Any:
    """b - alpha a."""
    return sub(b, a, alpha=alpha)


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


def _rounded(a: Any, b: Any, rounding_mode: str) -> Any:
    """Return a / b, rounded down or towards 0; integers stay integers."""
    if rounding_mode not in ("floor", "trunc"):
        raise ValueError(
            f"div got rounding_mode={rounding_mode!r}: it needs None, 'floor' or 'trunc'"
        )
    return floor_divide(a, b) if rounding_mode == "floor" else trunc_divide(a, b)


@elementwise(
    label="/",
    scalar=operator.truediv,
    direct=operator.truediv,
    floats_only=True,
    extra=("rounding_mode", _rounded),
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


@elementwise(
    label="1/",
    scalar=lambda x: 1.0 / x,
    direct=np.reciprocal,
    floats_only=True,
    vjp=[lambda g, y: -g * (y * y)],
    method=True,
)
def reciprocal(x: Array) -> Array:
    """1 / x."""
    return np.reciprocal(x)


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


@method
def float_power(x: Any, exponent: Any) -> Any:
    """x to the power of the exponent, always in float64."""
    return pow(_double(x), _double(exponent))


def _double(x: Any) -> Any:
    """Return an array or tensor in float64; a number has that width anyway."""
    from .shape import cast

    return cast(x, np.dtype(np.float64)) if getattr(x, "ndim", None) is not None else x


@method
def ldexp(x: Any, other: Any) -> Any:
    """x times 2 to the power `other`."""
    return x * pow(2.0, other)


def _lerp_scalar(x: float, end: float, weight: float) -> float:
    # From the nearer end: so weights of 0 and 1 give exactly x and end.
    return x + weight * (end - x) if -0.5 < weight < 0.5 else end - (end - x) * (1.0 - weight)


@elementwise(
    scalar=_lerp_scalar,
    floats_only=True,
    vjp=[
        lambda g, weight: g * (1.0 - weight),
        lambda g, weight: g * weight,
        lambda g, x, end: g * (end - x),
    ],
    method=True,
)
def lerp(x: Array, end: Array, weight: Array) -> Array:
    """x + weight (end - x): from x at weight 0 to end at weight 1."""
    if isinstance(weight, (int, float)):
        return np.asarray(_lerp_scalar(x, end, weight))  # type: ignore[arg-type]
    way = np.subtract(end, x)
    return np.where(np.abs(weight) < 0.5, x + weight * way, end - way * (1.0 - weight))


@method
def addcmul(x: Any, tensor1: Any, tensor2: Any, *, value: float = 1) -> Any:
    """x + value tensor1 tensor2."""
    return add(x, mul(tensor1 if value == 1 else mul(tensor1, value), tensor2))


@method
def addcdiv(x: Any, tensor1: Any, tensor2: Any, *, value: float = 1) -> Any:
    """x + value tensor1 / tensor2."""
    return add(x, div(tensor1 if value == 1 else mul(tensor1, value), tensor2))


@constant(scalar=lambda x: float((x > 0.0) - (x < 0.0)), method=True)
def sign(x: Array) -> Array:
    """-1, 0 or 1; 0 for NaN."""
    return np.subtract(x > 0, x < 0, dtype=np.int8).astype(np.result_type(x))


@elementwise(
    scalar=math.copysign,
    floats_only=True,
    vjp=[lambda g, a, y: g * where(a == 0, 0.0, y / a), zeros_of],
    method=True,
)
def copysign(a: Array, b: Array) -> Array:
    """|a| with the sign of b, that of -0 too."""
    return np.copysign(a, b)


negative = alias("negative", neg)
subtract = alias("subtract", sub)
multiply = alias("multiply", mul)
divide = alias("divide", div)
true_divide = alias("true_divide", div)
sgn = alias("sgn", sign)
