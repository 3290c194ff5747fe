"""Rules of ops that treat each element alone."""

from __future__ import annotations

import math
from typing import Any

from autograd_core import dtypes

from ..edges import Edge, NoForm


def _both(kind: str) -> Any:
    """Return the rule of a logical op: numbers count as True unless they are 0."""
    return lambda a, b: a.cast(dtypes.bool).do(kind, b.cast(dtypes.bool))


def _compared(kind: str) -> Any:
    return lambda a, b: a.do(kind, b, dtype=dtypes.bool)


def select(condition: Edge, a: Edge, b: Any) -> Edge:
    """Return a where the condition holds, else b."""
    b = a.like(b) if isinstance(b, (int, float)) else b
    return condition.do("Where", a, b, dtype=a.dtype)


def truncated(x: Edge) -> Edge:
    return x.do("Sign") * x.do("Abs").do("Floor")


def gelu(x: Edge, approximate: str) -> Edge:
    if approximate == "sigmoid":
        return x * (x * 1.702).do("Sigmoid")
    return x.do("Gelu", approximate=approximate)


def elu(x: Edge, alpha: float, scale: float, input_scale: float) -> Edge:
    below = ((x * input_scale).do("Exp") - 1.0) * alpha
    return select(x.do("Greater", 0.0), x, below) * scale


def softplus(x: Edge, beta: float, threshold: float) -> Edge:
    scaled = x * beta
    return select(scaled.do("Greater", threshold), x, scaled.do("Softplus") / beta)


def clamp(x: Edge, min: Edge | None, max: Edge | None) -> Edge:
    x = x if min is None else x.do("Max", min)
    return x if max is None else x.do("Min", max)


def logaddexp(a: Edge, b: Edge) -> Edge:
    return a.do("Max", b) + (-(a - b).do("Abs")).do("Softplus")


def rounded(x: Edge, decimals: int) -> Edge:
    if decimals:
        raise NoForm(f"it rounds to {decimals} decimals, not to whole numbers")
    return x.do("Round")


RULES: dict[str, Any] = {
    **{name.lower(): name for name in (
        "Add", "Sub", "Mul", "Div", "Neg", "Exp", "Log", "Sqrt", "Reciprocal", "Abs", "Sign",
        "Floor", "Ceil", "Pow", "Erf", "Relu", "Sigmoid", "Sin", "Cos", "Tan", "Asin", "Acos",
        "Atan", "Sinh", "Cosh", "Tanh", "Asinh", "Acosh", "Atanh", "Where",
    )},
    "maximum": "Max",
    "minimum": "Min",
    "isnan": lambda x: x.do("IsNaN", dtype=dtypes.bool),
    "isinf": lambda x: x.do("IsInf", dtype=dtypes.bool),
    "positive": lambda x: x,
    "clone": lambda x: x,
    "cast": lambda x, y: x.cast(y.dtype),
    "eq": _compared("Equal"),
    "lt": _compared("Less"),
    "le": _compared("LessOrEqual"),
    "gt": _compared("Greater"),
    "ge": _compared("GreaterOrEqual"),
    "ne": lambda a, b: a.do("Equal", b, dtype=dtypes.bool).do("Not"),
    "logical_and": _both("And"),
    "logical_or": _both("Or"),
    "logical_xor": _both("Xor"),
    "logical_not": lambda x: x.cast(dtypes.bool).do("Not"),
    "square": lambda x: x * x,
    "rsqrt": lambda x: x.do("Sqrt").do("Reciprocal"),
    "exp2": lambda x: (x * math.log(2.0)).do("Exp"),
    "expm1": lambda x: x.do("Exp") - 1.0,
    "log1p": lambda x: (x + 1.0).do("Log"),
    "log2": lambda x: x.do("Log") / math.log(2.0),
    "log10": lambda x: x.do("Log") / math.log(10.0),
    "erfc": lambda x: -x.do("Erf") + 1.0,
    "hypot": lambda a, b: (a * a + b * b).do("Sqrt"),
    "logaddexp": logaddexp,
    "lerp": lambda x, end, weight: x + weight * (end - x),
    "trunc": truncated,
    "frac": lambda x: x - truncated(x),
    "round": rounded,
    "floor_divide": lambda a, b: (a / b).do("Floor"),
    "remainder": lambda a, b: a - b * (a / b).do("Floor"),
    "fmod": lambda a, b: a.do("Mod", b, fmod=1),
    "deg2rad": lambda x: x * (math.pi / 180.0),
    "rad2deg": lambda x: x * (180.0 / math.pi),
    "clamp": clamp,
    "gelu": gelu,
    "silu": lambda x: x * x.do("Sigmoid"),
    "softplus": softplus,
    "elu": elu,
    "leaky_relu": lambda x, negative_slope: x.do("LeakyRelu", alpha=float(negative_slope)),
    "hardtanh": lambda x, min_val, max_val: x.do("Max", min_val).do("Min", max_val),
    "threshold": lambda x, threshold, value: select(x.do("Greater", threshold), x, value),
}  # fmt: skip
