"""Elementwise nonlinearities, gates and softmaxes."""

from __future__ import annotations

import math
import warnings
from typing import Any

from autograd_core import Generator, ShapeError, Tensor, ops
from autograd_core.inplace import update
from autograd_core.random import source

from .straight_through import straight_through

__all__ = [
    "celu", "elu", "gelu", "glu", "gumbel_softmax", "hardshrink", "hardsigmoid", "hardswish",
    "hardtanh", "leaky_relu", "log_softmax", "logsigmoid", "mish", "prelu", "relu", "relu6",
    "rrelu", "selu", "sigmoid", "silu", "softmax", "softmin", "softplus", "softshrink", "softsign",
    "tanh", "tanhshrink", "threshold",
]  # fmt: skip

# Klambauer et al. 2017, equation 14: they keep mean 0 and variance 1.
SELU_ALPHA = 1.6732632423543772
SELU_SCALE = 1.0507009873554805

sigmoid = ops.sigmoid
tanh = ops.tanh


# Zero, or cut off, on one side


def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """max(x, 0)."""
    return input.relu_() if inplace else ops.relu(input)


def threshold(input: Tensor, threshold: float, value: float, inplace: bool = False) -> Tensor:
    """x above the threshold, `value` elsewhere."""
    if inplace:
        return update("threshold_", ops.threshold, input, threshold, value)
    return ops.threshold(input, threshold, value)


def hardtanh(
    input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False
) -> Tensor:
    """x limited to [min_val, max_val]; flat at both edges already."""
    if min_val > max_val:
        raise ValueError(
            f"hardtanh got min_val={min_val} and max_val={max_val}: it needs min_val <= max_val"
        )
    if inplace:
        return update("hardtanh_", ops.hardtanh, input, min_val, max_val)
    return ops.hardtanh(input, min_val, max_val)


def relu6(input: Tensor, inplace: bool = False) -> Tensor:
    """min(max(x, 0), 6)."""
    return hardtanh(input, 0.0, 6.0, inplace)


def hardsigmoid(input: Tensor, inplace: bool = False) -> Tensor:
    """relu6(x + 3) / 6."""
    if inplace:
        return update("hardsigmoid_", hardsigmoid, input)
    return relu6(input + 3.0) / 6.0


def hardswish(input: Tensor, inplace: bool = False) -> Tensor:
    """x relu6(x + 3) / 6."""
    return update("hardswish_", hardswish, input) if inplace else input * hardsigmoid(input)


def hardshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """x where |x| > lambd, 0 elsewhere."""
    return ops.where((input >= -lambd) & (input <= lambd), 0.0, input)


def softshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """x, brought towards 0 by lambd, and not across it."""
    if lambd < 0:
        raise ShapeError(f"softshrink got lambd={lambd}: it must not be negative")
    above = ops.where(input > lambd, input - lambd, input * 0.0)  # which keeps NaN
    return ops.where(input < -lambd, input + lambd, above)


# A slope on the other side


def _below(x: Tensor) -> Tensor:
    """Return min(x, 0); at 0 its slope is 1."""
    return ops.where(x > 0, 0.0, x)


def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """x above 0, negative_slope x below."""
    if inplace:
        return update("leaky_relu_", ops.leaky_relu, input, negative_slope)
    return ops.leaky_relu(input, negative_slope)


def prelu(input: Tensor, weight: Tensor) -> Tensor:
    """x above 0, w x below, with one w for all or one for each channel (axis 1)."""
    channels = input.shape[1] if input.ndim > 1 else 1
    if weight.ndim > 1 or weight.numel() not in (1, channels):
        raise ShapeError(
            f"prelu got a weight of shape {tuple(weight.shape)} for x of shape "
            f"{tuple(input.shape)}: it needs 1 or {channels} numbers"
        )
    weight = (
        weight.reshape(-1, *[1] * (input.ndim - 2)) if weight.numel() > 1 else weight.reshape(())
    )
    # The sides are added, so that an infinite x on one side leaves the slope of w alone.
    return ops.relu(input) + weight * _below(input)


def rrelu(
    input: Tensor,
    lower: float = 1.0 / 8.0,
    upper: float = 1.0 / 3.0,
    training: bool = False,
    inplace: bool = False,
    *,
    generator: Generator | None = None,
) -> Tensor:
    """x above 0, a x below; a is drawn from [lower, upper] in training, else their middle."""
    if not lower <= upper:
        raise ShapeError(f"rrelu got lower={lower} and upper={upper}: it needs lower <= upper")
    if inplace:
        return update("rrelu_", rrelu, input, lower, upper, training, generator=generator)
    if not training:
        return leaky_relu(input, (lower + upper) / 2.0)
    slopes = source(generator).uniform(lower, upper, tuple(input.shape)).astype(input.dtype)
    return ops.where(input > 0, input, input * slopes)


# Smooth


def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """x above 0, alpha (exp(x) - 1) below."""
    return update("elu_", ops.elu, input, alpha) if inplace else ops.elu(input, alpha)


def selu(input: Tensor, inplace: bool = False) -> Tensor:
    """s elu(x, a), with the a and s that keep mean 0 and variance 1 through the layers."""
    return update("selu_", selu, input) if inplace else ops.elu(input, SELU_ALPHA, SELU_SCALE)


def celu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """x above 0, alpha (exp(x / alpha) - 1) below: its slope is continuous for every alpha."""
    if alpha == 0:
        raise ShapeError("celu got alpha=0: it must not be 0")
    if inplace:
        return update("celu_", celu, input, alpha)
    return ops.elu(input, alpha, 1.0, 1.0 / alpha)


def gelu(input: Tensor, approximate: str = "none") -> Tensor:
    """x Φ(x) with the normal distribution function Φ (Hendrycks and Gimpel 2016, section 2).

    Their approximations: "tanh" is x (1 + tanh(√(2/π) (x + 0.044715 x³))) / 2, "sigmoid" is
    x σ(1.702 x).
    """
    return ops.gelu(input, approximate)


def silu(input: Tensor, inplace: bool = False) -> Tensor:
    """x σ(x)."""
    return update("silu_", ops.silu, input) if inplace else ops.silu(input)


def softplus(input: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """log(1 + exp(beta x)) / beta, and x itself where beta x is above the threshold."""
    return ops.softplus(input, beta, threshold)


def mish(input: Tensor, inplace: bool = False) -> Tensor:
    """x tanh(log(1 + exp(x)))."""
    if inplace:
        return update("mish_", mish, input)
    return input * ops.tanh(ops.softplus(input))


def logsigmoid(input: Tensor) -> Tensor:
    """log σ(x) = -log(1 + exp(-x)), without overflow."""
    return -ops.softplus(-input, 1.0, math.inf)


def softsign(input: Tensor) -> Tensor:
    """x / (1 + |x|)."""
    return input / (1.0 + ops.abs(input))


def tanhshrink(input: Tensor) -> Tensor:
    """x - tanh(x)."""
    return input - ops.tanh(input)


# Several elements at once


def glu(input: Tensor, dim: int = -1) -> Tensor:
    """a σ(b), where a and b are the halves of x along one axis (Dauphin et al. 2017)."""
    size = input.size(dim) if input.ndim else 1
    if size % 2:
        raise ShapeError(
            f"glu got x of shape {tuple(input.shape)}: its axis {dim} has {size} elements, "
            "which cannot be halved"
        )
    value, gate = ops.narrow(input, dim, 0, size // 2), ops.narrow(input, dim, size // 2, size // 2)
    return value * ops.sigmoid(gate)


def softmax(
    input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None
) -> Tensor:
    """exp(x) / sum of exp(x) along one axis."""
    return ops.softmax(input, _axis("softmax", input, dim, _stacklevel), dtype)


def log_softmax(
    input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None
) -> Tensor:
    """log of the softmax along one axis, without overflow."""
    return ops.log_softmax(input, _axis("log_softmax", input, dim, _stacklevel), dtype)


def softmin(
    input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None
) -> Tensor:
    """softmax(-x)."""
    return ops.softmin(input, _axis("softmin", input, dim, _stacklevel), dtype)


def _axis(who: str, x: Tensor, dim: int | None, stacklevel: int) -> int:
    """Return dim; without one PyTorch takes axis 0 of 0, 1 or 3 axes, and else axis 1."""
    if dim is not None:
        return dim
    dim = 0 if x.ndim in (0, 1, 3) else 1
    warnings.warn(
        f"{who} got no dim and took {dim} for x of shape {tuple(x.shape)}: say which it is",
        stacklevel=stacklevel,
    )
    return dim


def gumbel_softmax(
    logits: Tensor,
    tau: float = 1.0,
    hard: bool = False,
    eps: float = 1e-10,
    dim: int = -1,
    *,
    generator: Generator | None = None,
) -> Tensor:
    """Draw from the softmax in a way that has a gradient: softmax((x + Gumbel noise) / tau).

    `hard` rounds each to the nearest corner, and leaves it the gradient of the soft one (Jang et
    al. 2017, section 2.2). `eps` is unused, as in PyTorch.
    """
    if not tau > 0:
        raise ValueError(f"gumbel_softmax got tau={tau}: it must be positive")
    draws = source(generator).standard_exponential(tuple(logits.shape))
    noise = -ops.log(draws).astype(logits.dtype)
    soft = ops.softmax((logits + noise) / tau, dim)
    if not hard:
        return soft
    corner = ops.one_hot(soft.detach().argmax(dim), soft.size(dim)).movedim(-1, dim)
    return straight_through(corner.to(soft.dtype), soft)
