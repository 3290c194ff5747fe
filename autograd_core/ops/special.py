"""Error and gamma functions, on compiled kernels."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from kernels import call

from ..kernel_sizes import FEW
from ..op import elementwise
from ..versions import Array
from .elementwise import exp

__all__ = ["digamma", "erf", "erfc", "erfinv", "lgamma", "polygamma"]


def each(kernel: Callable[..., None], x: Any, *params: int) -> Array:
    """Run a kernel on every element; float16 is computed in float32."""
    x = np.asarray(x)
    flat = np.ascontiguousarray(x, np.promote_types(x.dtype, np.float32)).reshape(-1)
    y = np.empty_like(flat)
    kernel(flat, *params, y)
    return y.astype(x.dtype, copy=False).reshape(x.shape)


def few_or_each(scalar: Callable[[float], float], name: str, x: Any) -> Array:
    """Run Python's function on few elements, which does not load Numba, or else the kernel."""
    x = np.asarray(x)
    if x.size > FEW:
        return each(getattr(call, name), x)
    return np.fromiter(map(scalar, x.ravel().tolist()), x.dtype, x.size).reshape(x.shape)


@elementwise(
    scalar=math.erf,
    floats_only=True,
    vjp=[lambda g, x: g * (2.0 / math.sqrt(math.pi) * exp(-x * x))],
    method=True,
)
def erf(x: Array) -> Array:
    """2/√π times the integral of exp(-t²) from 0 to x."""
    return few_or_each(math.erf, "erf", x)


@elementwise(
    scalar=math.erfc,
    floats_only=True,
    vjp=[lambda g, x: -g * (2.0 / math.sqrt(math.pi) * exp(-x * x))],
    method=True,
)
def erfc(x: Array) -> Array:
    """1 - erf(x), exact where that is small."""
    return few_or_each(math.erfc, "erfc", x)


@elementwise(
    scalar=lambda x: float(each(call.erfinv, x)),
    floats_only=True,
    vjp=[lambda g, y: g * (0.5 * math.sqrt(math.pi) * exp(y * y))],
    method=True,
)
def erfinv(x: Array) -> Array:
    """The y with erf(y) = x; infinite at -1 and 1, NaN beyond."""
    return each(call.erfinv, x)


@elementwise(
    scalar=lambda x: float(each(call.lgamma, x)),
    floats_only=True,
    vjp=[lambda g, x: g * digamma(x)],
    method=True,
)
def lgamma(x: Array) -> Array:
    """log |Γ(x)|; inf at 0, -1, -2, ..."""
    return each(call.lgamma, x)


@elementwise(
    scalar=lambda x: float(each(call.digamma, x)),
    floats_only=True,
    vjp=[lambda g, x: g * polygamma(1, x)],
    method=True,
)
def digamma(x: Array) -> Array:
    """The derivative of lgamma; -inf at 0, NaN at -1, -2, ..."""
    return each(call.digamma, x)


def _polygamma(x: Any, n: int) -> Array:
    if n < 0:
        raise ValueError("n must not be negative")
    return each(call.polygamma, x, n) if n else each(call.digamma, x)


# The method is x.polygamma(n) and the function polygamma(n, x), as in PyTorch.
@elementwise(
    label=lambda n: f"polygamma {n}",
    scalar=lambda x, n: float(_polygamma(x, n)),
    floats_only=True,
    vjp=[lambda g, x, n: g * polygamma(n + 1, x)],
    method=True,
)
def polygamma_(x: Array, n: int = 1) -> Array:
    """Derivative n of digamma."""
    return _polygamma(x, n)


def polygamma(n: int, x: Any) -> Any:
    """Derivative n of digamma; infinite at 0, -1, -2, ..."""
    return polygamma_(x, n)
