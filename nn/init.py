"""Initial values, written into a tensor without recording."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import autograd_core as ag
from autograd_core import Generator, ShapeError, Tensor
from autograd_core.random import source

_GAINS = {
    "linear": 1.0,
    "conv1d": 1.0,
    "conv2d": 1.0,
    "conv3d": 1.0,
    "conv_transpose1d": 1.0,
    "conv_transpose2d": 1.0,
    "conv_transpose3d": 1.0,
    "sigmoid": 1.0,
    "tanh": 5.0 / 3.0,
    "relu": math.sqrt(2.0),
    "selu": 3.0 / 4.0,
}


def uniform_(
    tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Generator | None = None
) -> Tensor:
    """Draw from the uniform distribution on [a, b)."""
    with ag.no_grad():
        return tensor.uniform_(a, b, generator=generator)


def normal_(
    tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Generator | None = None
) -> Tensor:
    """Draw from the normal distribution."""
    with ag.no_grad():
        drawn = ag.randn(*tensor.shape, dtype=tensor.dtype, generator=generator)
        return tensor.copy_(drawn * std + mean)


def constant_(tensor: Tensor, val: float) -> Tensor:
    """Set every element to `val`."""
    with ag.no_grad():
        return tensor.fill_(val)


def ones_(tensor: Tensor) -> Tensor:
    """Set every element to 1."""
    return constant_(tensor, 1.0)


def zeros_(tensor: Tensor) -> Tensor:
    """Set every element to 0."""
    return constant_(tensor, 0.0)


def eye_(tensor: Tensor) -> Tensor:
    """Set a matrix to the identity, as far as it goes."""
    _needs_axes("eye_", tensor, 2)
    return _set(tensor, np.eye(tensor.shape[0], tensor.shape[1]))


def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """Set a convolution's weight (out, in / groups, *kernel) so that it passes channels on."""
    _needs_axes("dirac_", tensor, 3, 4, 5)
    if groups < 1 or tensor.shape[0] % groups:
        raise ValueError(
            f"dirac_ got a weight of shape {tuple(tensor.shape)} and groups={groups}: "
            "the first axis must be a multiple of groups"
        )
    weight = np.zeros(tuple(tensor.shape))
    centre = tuple(n // 2 for n in weight.shape[2:])
    each = weight.shape[0] // groups
    channel = np.arange(min(each, weight.shape[1]))
    for first in range(0, weight.shape[0], each):
        weight[(first + channel, channel, *centre)] = 1.0
    return _set(tensor, weight)


def xavier_uniform_(
    tensor: Tensor, gain: float = 1.0, generator: Generator | None = None
) -> Tensor:
    """Draw from ±gain √(6 / (fan_in + fan_out)), a compromise between forward and backward.

    Glorot and Bengio, Understanding the Difficulty of Training Deep Feedforward Neural Networks
    (2010), equation (16).
    """
    bound = gain * math.sqrt(6.0 / sum(_calculate_fan_in_and_fan_out(tensor)))
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Draw from the normal distribution of variance gain² 2 / (fan_in + fan_out)."""
    std = gain * math.sqrt(2.0 / sum(_calculate_fan_in_and_fan_out(tensor)))
    return normal_(tensor, 0.0, std, generator)


def kaiming_uniform_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:
    """Draw from ±gain √(3 / fan), so that the variance is kept through the layers.

    `a` is the slope of leaky_relu below 0. He et al., Delving Deep into Rectifiers (2015),
    section 2.2.
    """
    bound = math.sqrt(3.0) * _kaiming_std("kaiming_uniform_", tensor, a, mode, nonlinearity)
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:
    """Draw from the normal distribution of deviation gain / √fan; see kaiming_uniform_."""
    std = _kaiming_std("kaiming_normal_", tensor, a, mode, nonlinearity)
    return normal_(tensor, 0.0, std, generator)


def _kaiming_std(who: str, tensor: Tensor, a: float, mode: str, nonlinearity: str) -> float:
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(f"{who} got mode={mode!r}: it must be 'fan_in' or 'fan_out'")
    if 0 in tensor.shape:
        return 0.0  # nothing will be drawn
    fan_in, fan_out = _calculate_fan_in_and_fan_out(tensor)
    return calculate_gain(nonlinearity, a) / math.sqrt(fan_in if mode == "fan_in" else fan_out)


def trunc_normal_(
    tensor: Tensor,
    mean: float = 0.0,
    std: float = 1.0,
    a: float = -2.0,
    b: float = 2.0,
    generator: Generator | None = None,
) -> Tensor:
    """Draw from the normal distribution on the condition that a <= x <= b."""
    if not (std > 0 and a <= b):
        raise ValueError(f"trunc_normal_ got std={std}, a={a}, b={b}: it needs std > 0 and a <= b")
    rng = source(generator)
    drawn = _truncated(tensor.numel(), (a - mean) / std, (b - mean) / std, rng)
    return _set(tensor, np.clip(mean + std * drawn, a, b).reshape(tuple(tensor.shape)))


def _truncated(count: int, low: float, high: float, rng: Any) -> np.ndarray:
    """Draw standard normal numbers within [low, high], by rejection.

    Candidates are normal where many of those fall inside, and else uniform, accepted in the ratio
    of the density to its peak. Robert, Simulation of Truncated Normal Variables (1995), section 2.
    """
    inside = (math.erf(high / math.sqrt(2.0)) - math.erf(low / math.sqrt(2.0))) / 2.0
    peak = min(max(0.0, low), high)
    reach = math.hypot(peak, 9.0)  # beyond it the density is below exp(-40) of the peak
    drawn, waiting = np.empty(count), np.arange(count)
    while waiting.size:
        if inside > 0.3:
            x = rng.standard_normal(waiting.size)
            good = (x >= low) & (x <= high)
        else:
            x = rng.uniform(max(low, -reach), min(high, reach), waiting.size)
            good = rng.random(waiting.size) <= np.exp((peak**2 - x**2) / 2.0)
        drawn[waiting[good]] = x[good]
        waiting = waiting[~good]
    return drawn


def orthogonal_(tensor: Tensor, gain: float = 1, generator: Generator | None = None) -> Tensor:
    """Set to gain Q with orthonormal rows, or columns where there are fewer of them.

    All axes but the first count as one. The signs of R's diagonal make Q uniform: Mezzadri, How to
    Generate Random Matrices from the Classical Compact Groups (2007), section 5. Saxe et al.,
    Exact Solutions to the Nonlinear Dynamics of Learning (2014).
    """
    if tensor.ndim < 2:
        raise ShapeError(f"orthogonal_ got shape {tuple(tensor.shape)}: it needs at least 2 axes")
    if tensor.numel() == 0:
        return tensor
    rows = tensor.shape[0]
    shape = (rows, tensor.numel() // rows)
    drawn = source(generator).standard_normal((max(shape), min(shape)))
    q, r = np.linalg.qr(drawn)
    q = q * np.sign(np.diagonal(r)) * gain
    return _set(tensor, (q if q.shape == shape else q.T).reshape(tuple(tensor.shape)))


def sparse_(
    tensor: Tensor, sparsity: float, std: float = 0.01, generator: Generator | None = None
) -> Tensor:
    """Draw a matrix (out, in) from the normal distribution; in each column a share is 0.

    Martens, Deep Learning via Hessian-free Optimization (2010), section 5.
    """
    _needs_axes("sparse_", tensor, 2)
    if not 0.0 <= sparsity <= 1.0:
        raise ValueError(f"sparse_ got sparsity={sparsity}: it is the share of zeros, 0 to 1")
    rng, shape = source(generator), tuple(tensor.shape)
    rank = rng.random(shape).argsort(0).argsort(0)
    drawn = rng.standard_normal(shape) * std
    return _set(tensor, np.where(rank < math.ceil(sparsity * shape[0]), 0.0, drawn))


def _set(tensor: Tensor, values: np.ndarray) -> Tensor:
    with ag.no_grad():
        return tensor.copy_(ag.tensor(values))


def _needs_axes(who: str, tensor: Tensor, *counts: int) -> None:
    if tensor.ndim not in counts:
        wanted = " or ".join(map(str, counts))
        raise ShapeError(f"{who} got shape {tuple(tensor.shape)}: it needs {wanted} axes")


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """Return the factor that makes up for what a nonlinearity takes from the variance."""
    if nonlinearity == "leaky_relu":
        slope = 0.01 if param is None else param
        return math.sqrt(2.0 / (1.0 + slope**2))
    if nonlinearity not in _GAINS:
        known = ", ".join([*_GAINS, "leaky_relu"])
        raise ValueError(f"calculate_gain got {nonlinearity!r}: it knows {known}")
    return _GAINS[nonlinearity]


def fan_in_uniform_(weight: Tensor, bias: Tensor | None, generator: Generator | None) -> None:
    """Draw weight and bias from ±1/√fan_in, the default of linear and convolution layers."""
    kaiming_uniform_(weight, a=math.sqrt(5), generator=generator)  # √5 makes the bound 1/√fan_in
    if bias is not None:
        fan_in, _ = _calculate_fan_in_and_fan_out(weight)
        bound = 1.0 / math.sqrt(fan_in) if fan_in > 0 else 0.0
        uniform_(bias, -bound, bound, generator)


def _calculate_fan_in_and_fan_out(tensor: Tensor) -> tuple[int, int]:
    """Return how many inputs an output sees, and how many outputs an input reaches.

    The weight has shape (outputs, inputs, *kernel).
    """
    if tensor.ndim < 2:
        raise ShapeError(
            f"the fans of a weight of shape {tuple(tensor.shape)} are not defined: "
            "it needs at least 2 axes"
        )
    outputs, inputs, *kernel = tensor.shape
    return inputs * math.prod(kernel), outputs * math.prod(kernel)
