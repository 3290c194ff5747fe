"""Rows of the ops that treat each element alone."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from tests.ops.case import Array, OpCase

ONE = ((3, 4),)
TWO = ((3, 4), (4,))
HALVES = (-1.5, -0.5, 0.5, 1.5)
WHOLE = (-2.0, -1.0, 0.0, 1.0, 2.0)
INTEGERS = np.array([[5, -3, 0, 12], [7, 1, -8, 2]])
OTHERS = np.array([3, 6, -1, 4])
SHIFTS = np.array([0, 3, 1, 2])
TRUTHS = np.array([[True, False], [False, False]])
MIXED = np.array([[0.0, -1.5, math.inf], [math.nan, 2.0, -math.inf]])

ROUNDING = [
    *(OpCase(name, ONE, away=WHOLE) for name in ("floor", "ceil", "trunc", "frac")),
    OpCase("round", ONE, away=HALVES),
    OpCase("round", ONE, {"decimals": 1}, low=0.12, high=0.14,
           torch=lambda torch, x: torch.round(x, decimals=1)),
    OpCase("floor_divide", ((3, 4), ()), low=5.2, high=5.8,
           torch=lambda torch, a, b: torch.div(a, b, rounding_mode="floor")),
    OpCase("trunc_divide", ((3, 4), -3.0), low=3.2, high=5.8,
           torch=lambda torch, a, b: torch.div(a, b, rounding_mode="trunc")),
    OpCase("remainder", ((3, 4), 0.75), low=0.8, high=1.4),
    OpCase("remainder", (-2.0, (3, 4)), low=0.7, high=0.9,
           torch=lambda torch, a, b: torch.remainder(torch.full_like(b, a), b)),
    OpCase("remainder", ((3, 4), ()), low=5.0, high=5.9, distinct=True),
    OpCase("fmod", ((3, 4), -0.75), low=0.8, high=1.4),
    OpCase("fmod", ((3, 4), ()), low=5.0, high=5.9, distinct=True),
]  # fmt: skip

ANGLES = [
    *(OpCase(name, ONE, analytic=True) for name in ("sin", "cos", "sinh", "cosh")),
    OpCase("tan", ONE, low=-1.3, high=1.3, analytic=True),
    *(OpCase(name, ONE, low=-0.9, high=0.9, analytic=True) for name in ("asin", "acos", "atanh")),
    *(OpCase(name, ONE, analytic=True) for name in ("atan", "asinh")),
    OpCase("acosh", ONE, low=1.2, high=4.0, analytic=True),
    OpCase("atan2", TWO, away=(0.0,)),
    OpCase("hypot", TWO, away=(0.0,)),
    OpCase("sinc", ONE),
    OpCase("sinc", ONE, low=-0.15, high=0.15),
    OpCase("deg2rad", ONE, low=-360.0, high=360.0),
    OpCase("rad2deg", ONE),
]

POWERS = [
    *(OpCase(name, ONE, analytic=True) for name in ("exp2", "expm1")),
    *(OpCase(name, ONE, low=0.5, analytic=True) for name in ("log2", "log10", "rsqrt")),
    OpCase("log1p", ONE, low=-0.5, analytic=True),
    OpCase("reciprocal", ONE, low=0.5, analytic=True),
    OpCase("logaddexp", TWO),
    OpCase("logaddexp2", TWO),
    OpCase("xlogy", TWO, low=0.5),
    OpCase("logit", ONE, low=0.1, high=0.9),
    OpCase("logit", ONE, {"eps": 0.3}, low=0.05, high=0.95, away=(0.3, 0.7)),
    OpCase("nan_to_num", ONE),
    OpCase("nan_to_num", ONE, {"nan": 1.5, "posinf": 2.5, "neginf": -3.0}),
    OpCase("float_power", ((3, 4), (4,)), low=0.5, keeps_dtype=False,
           reference=lambda a, b: np.exp(b * np.log(a))),
    OpCase("ldexp", ((3, 4), SHIFTS), reference=lambda x, n: np.ldexp(x, n)),
]  # fmt: skip


def _scaled_sum(x: Array, a: Array, b: Array) -> Array:
    return x + 0.5 * a * b


ARITHMETIC = [
    OpCase("rsub", TWO, {"alpha": 3}, reference=lambda a, b: b - 3 * a),
    OpCase("lerp", ((3, 4), (4,), ()), low=-1.0, high=2.0),
    OpCase("lerp", ((3, 4), (4,), 0.3)),
    OpCase("lerp", ((3, 4), (4,), 0.7)),
    OpCase("addcmul", ((3, 4), (4,), (3, 1)), {"value": 0.5}, reference=_scaled_sum),
    OpCase("addcmul", ((3, 4), (4,), (3, 1)), reference=lambda x, a, b: x + a * b),
    OpCase("addcdiv", ((3, 4), (4,), (3, 1)), {"value": 0.5}, low=0.5,
           reference=lambda x, a, b: _scaled_sum(x, a, 1 / b)),
    OpCase("addcdiv", ((3, 4), (4,), (3, 1)), low=0.5, reference=lambda x, a, b: x + a / b),
    OpCase("copysign", TWO, away=(0.0,)),
    OpCase("heaviside", TWO, away=(0.0,), torch=None),
]  # fmt: skip

CHOICES = [
    OpCase("fmax", TWO, distinct=True),
    OpCase("fmin", ((3, 4), (3, 1)), distinct=True),
    OpCase("clamp_min", (*ONE, 0.5), away=(0.5,), reference=np.maximum),
    OpCase("clamp_min", TWO, distinct=True, reference=np.maximum),
    OpCase("clamp_max", (*ONE, 0.5), away=(0.5,), reference=np.minimum),
    OpCase("isclose", TWO),
    OpCase("isclose", TWO, {"rtol": 0.1, "atol": 0.5, "equal_nan": True}),
]

SPECIAL = [
    OpCase("erf", ONE),
    OpCase("erfc", ONE),
    OpCase("erfinv", ONE, low=-0.9, high=0.9),
    OpCase("lgamma", ONE, low=0.5, high=5.0),
    OpCase("lgamma", ONE, low=-1.9, high=-1.1),
    # PyTorch's trigamma has ten digits.
    OpCase("digamma", ONE, low=0.5, high=5.0, torch=None),
    OpCase("digamma", ONE, low=-1.8, high=-1.2, torch=None),
    *(OpCase("polygamma", ONE, {"n": n}, low=1.0, high=5.0, torch=None) for n in (0, 1, 2, 3)),
    OpCase("polygamma", ONE, low=-1.8, high=-1.2, torch=None),
]

LOGIC = [
    *(OpCase(f"logical_{name}", TWO, distinct=True) for name in ("and", "or", "xor")),
    OpCase("logical_not", ONE),
    *(OpCase(name, ONE) for name in ("isnan", "isinf", "isfinite", "isposinf", "isneginf")),
    *(OpCase(name, ONE) for name in ("isreal", "signbit")),
]


def _bits(name: str, function: Any) -> list[OpCase]:
    """Rows of an op on bits: of integers and, unless it shifts, of truths."""
    shift = name.endswith("shift")
    rows = [OpCase(name, (INTEGERS, SHIFTS if shift else OTHERS), reference=function)]
    return rows if shift else [*rows, OpCase(name, (TRUTHS, TRUTHS[0]), reference=function)]


BITS = [
    *_bits("bitwise_and", lambda a, b: a & b),
    *_bits("bitwise_or", lambda a, b: a | b),
    *_bits("bitwise_xor", lambda a, b: a ^ b),
    *_bits("bitwise_left_shift", lambda a, b: a * 2**b),
    *_bits("bitwise_right_shift", lambda a, b: np.floor(a / 2**b)),
    OpCase("bitwise_not", (INTEGERS,), reference=lambda x: -x - 1),
    OpCase("bitwise_not", (TRUTHS,), reference=lambda x: x == 0),
]

# Second names, each with a row like that of the first.
ALIASES = {
    "absolute": OpCase("abs", ONE, away=(0.0,), reference=np.abs),
    "negative": OpCase("neg", ONE, reference=np.negative),
    "subtract": OpCase("sub", TWO, reference=np.subtract),
    "multiply": OpCase("mul", TWO, reference=np.multiply),
    "divide": OpCase("div", TWO, low=0.5, reference=np.divide),
    "true_divide": OpCase("div", TWO, low=0.5, reference=np.divide),
    "sgn": OpCase("sign", ONE, away=(0.0,), reference=np.sign, torch="sign"),
    "fix": OpCase("trunc", ONE, away=WHOLE, reference=np.trunc),
    "clip": OpCase("clamp", (*ONE, -1.0, 1.0), away=(-1.0, 1.0), reference=np.clip),
    "arcsin": OpCase("asin", ONE, low=-0.9, high=0.9, reference=np.arcsin),
    "arccos": OpCase("acos", ONE, low=-0.9, high=0.9, reference=np.arccos),
    "arctan": OpCase("atan", ONE, reference=np.arctan),
    "arctan2": OpCase("atan2", TWO, away=(0.0,), reference=np.arctan2),
    "arcsinh": OpCase("asinh", ONE, reference=np.arcsinh),
    "arccosh": OpCase("acosh", ONE, low=1.2, high=4.0, reference=np.arccosh),
    "arctanh": OpCase("atanh", ONE, low=-0.9, high=0.9, reference=np.arctanh),
    "greater": OpCase("gt", (MIXED, MIXED[0]), reference=np.greater),
    "greater_equal": OpCase("ge", (MIXED, MIXED[0]), reference=np.greater_equal),
    "less": OpCase("lt", (MIXED, MIXED[0]), reference=np.less),
    "less_equal": OpCase("le", (MIXED, MIXED[0]), reference=np.less_equal),
    "not_equal": OpCase("ne", (MIXED, MIXED[0]), reference=np.not_equal),
}

CASES = [
    *ROUNDING, *ANGLES, *POWERS, *ARITHMETIC, *CHOICES, *SPECIAL, *LOGIC, *BITS,
    *(replace(case, name=name) for name, case in ALIASES.items()),
]  # fmt: skip
