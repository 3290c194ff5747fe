"""Normalizations: over which axes, then the op, a scale and a shift."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

import autograd_core as ag
from autograd_core import ShapeError, ops
from autograd_core.op import aliased
from autograd_core.ops.normalization import affine, standardize
from autograd_core.ops.pooling import avg_pool
from autograd_core.ops.windows import check_float

__all__ = [
    "batch_norm", "group_norm", "instance_norm", "layer_norm", "local_response_norm", "normalize",
    "rms_norm",
]  # fmt: skip


def _scaled(y: Any, weight: Any, bias: Any) -> Any:
    """Return weight y + bias, of which either may be absent."""
    if weight is None:
        return y if bias is None else y + bias
    return y * weight if bias is None else affine(y, weight, bias)


def _per_channel(x: Any, **vectors: Any) -> list[Any]:
    """Return vectors with one number a channel in the shape in which they meet x (n, c, ...)."""
    found: list[Any] = []
    for name, vector in vectors.items():
        if vector is not None and tuple(vector.shape) != (x.shape[1],):
            raise ShapeError(f"{name} has shape {tuple(vector.shape)}, it must be ({x.shape[1]},)")
        shape = (1, -1) + (1,) * (len(x.shape) - 2)
        found.append(None if vector is None else vector.reshape(shape))
    return found


def _follow(running_mean: Any, running_var: Any, mean: Any, var: Any, count: int,
            momentum: float) -> None:  # fmt: skip
    """Move the running statistics in place towards those of `count` numbers, if there are any.

    mean and var are (samples, c, 1, ...), and their means over the samples are meant; what
    follows is the unbiased variance.
    """
    if not count or 0 in mean.shape:
        return
    with ag.no_grad():
        unbiased = var * (count / (count - 1))
        for running, current in ((running_mean, mean), (running_var, unbiased)):
            if running is not None:
                running.mul_(1.0 - momentum).add_(current.mean(0).reshape(-1), alpha=momentum)


def _by_running(
    x: Any, running_mean: Any, running_var: Any, weight: Any, bias: Any, eps: float
) -> Any:
    """Return the normalization by statistics of other data, which are constants."""
    if running_mean is None or running_var is None:
        raise ShapeError("running_mean and running_var are needed where no batch gives statistics")
    middle, spread, weight, bias = _per_channel(
        x, running_mean=running_mean, running_var=running_var, weight=weight, bias=bias
    )
    scale = ops.rsqrt(spread + eps)
    return _scaled(x - middle, scale if weight is None else scale * weight, bias)


@aliased
def batch_norm(
    x: Any,
    running_mean: Any,
    running_var: Any,
    weight: Any = None,
    bias: Any = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Any:
    """(x - mean) / √(var + eps) weight + bias for each channel of x (n, c, ...).

    In training mean and var are those of x, and the running ones follow in place, the variance
    over n - 1; else the running ones serve. Ioffe and Szegedy (2015), algorithms 1 and 2.
    """
    check_float(x)
    if len(x.shape) < 2:
        raise ShapeError("it must have the axes (n, c, ...)")
    if not training:
        return _by_running(x, running_mean, running_var, weight, bias, eps)
    shape = tuple(x.shape)
    count = math.prod(shape) // max(shape[1], 1)
    _several(count, "value per channel", shape)
    _per_channel(x, running_mean=running_mean, running_var=running_var)
    weight, bias = _per_channel(x, weight=weight, bias=bias)
    y, mean, var = standardize(x, (0, *range(2, len(shape))), eps)
    _follow(running_mean, running_var, mean, var, count, momentum)
    return _scaled(y, weight, bias)


def _several(count: int, what: str, shape: tuple[int, ...]) -> None:
    """Raise as PyTorch does where the variance of one number would be needed."""
    if count == 1:
        raise ValueError(f"Expected more than 1 {what} when training, got input size {shape}")


@aliased
def instance_norm(
    x: Any,
    running_mean: Any = None,
    running_var: Any = None,
    weight: Any = None,
    bias: Any = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Any:
    """batch_norm with statistics of each sample's own: x (n, c, ...).

    The running ones follow the mean of all samples' statistics.
    """
    check_float(x)
    if len(x.shape) < 3:
        raise ShapeError("it must have the axes (n, c, ...), with at least one after c")
    if not use_input_stats:
        return _by_running(x, running_mean, running_var, weight, bias, eps)
    shape = tuple(x.shape)
    count = math.prod(shape[2:])
    _several(count, "spatial element", shape)
    _per_channel(x, running_mean=running_mean, running_var=running_var)
    weight, bias = _per_channel(x, weight=weight, bias=bias)
    y, mean, var = standardize(x, tuple(range(2, len(shape))), eps)
    _follow(running_mean, running_var, mean, var, count, momentum)
    return _scaled(y, weight, bias)


def _last(x: Any, normalized_shape: Sequence[int], **parameters: Any) -> tuple[int, ...]:
    """Return the last axes of x, after a check that they have the normalized shape."""
    check_float(x)
    shape = tuple(normalized_shape)
    if not shape or tuple(x.shape[-len(shape) :]) != shape:
        raise ShapeError(f"normalized_shape={shape}: it must be the shape of x's last axes")
    for name, parameter in parameters.items():
        if parameter is not None and tuple(parameter.shape) != shape:
            raise ShapeError(f"{name} has shape {tuple(parameter.shape)}, it must be {shape}")
    return tuple(range(len(x.shape) - len(shape), len(x.shape)))


@aliased
def layer_norm(
    x: Any,
    normalized_shape: Sequence[int],
    weight: Any = None,
    bias: Any = None,
    eps: float = 1e-5,
) -> Any:
    """(x - mean) / √(var + eps) weight + bias over the last axes (*normalized_shape).

    Ba, Kiros and Hinton, Layer Normalization (2016), section 3.
    """
    dims = _last(x, normalized_shape, weight=weight, bias=bias)
    return _scaled(standardize(x, dims, eps)[0], weight, bias)


@aliased
def rms_norm(
    x: Any, normalized_shape: Sequence[int], weight: Any = None, eps: float | None = None
) -> Any:
    """x / √(mean x² + eps) weight over the last axes (*normalized_shape).

    Without eps it is the distance from 1 to the next number of x's dtype. Zhang and Sennrich,
    Root Mean Square Layer Normalization (2019), section 3.
    """
    dims = _last(x, normalized_shape, weight=weight)
    eps = float(np.finfo(x.dtype).eps) if eps is None else eps
    return _scaled(standardize(x, dims, eps, center=False)[0], weight, None)


@aliased
def group_norm(
    x: Any, num_groups: int, weight: Any = None, bias: Any = None, eps: float = 1e-5
) -> Any:
    """layer_norm of each group of channels of x (n, c, ...), scaled for each channel.

    Wu and He, Group Normalization (2018), section 3.
    """
    check_float(x)
    shape = tuple(x.shape)
    if len(shape) < 2 or num_groups < 1 or shape[1] % num_groups:
        raise ShapeError(f"num_groups={num_groups} must divide the channels of x (n, c, ...)")
    if math.prod((*shape[:1], *shape[2:])) * (shape[1] // num_groups) == 1:
        _several(1, "value per channel", shape)
    weight, bias = _per_channel(x, weight=weight, bias=bias)
    groups = x.reshape((shape[0], num_groups, shape[1] // num_groups, *shape[2:]))
    y = standardize(groups, tuple(range(2, len(shape) + 1)), eps)[0]
    return _scaled(y.reshape(shape), weight, bias)


@aliased
def local_response_norm(
    x: Any, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0
) -> Any:
    """x / (k + alpha mean x²)^beta, the mean over `size` neighbouring channels of (n, c, ...).

    Channels beyond the first and the last count as 0. Krizhevsky et al. (2012), section 3.3.
    """
    check_float(x)
    if len(x.shape) < 3:
        raise ShapeError("it must have the axes (n, c, ...), with at least one after c")
    if size < 1:
        raise ShapeError(f"size={size}: it must be at least 1")
    lined = (x * x).reshape((x.shape[0], 1, x.shape[1], math.prod(x.shape[2:])))
    around = ((size // 2, (size - 1) // 2), (0, 0))
    means = avg_pool(lined, size, (size, 1), (1, 1), around).reshape(tuple(x.shape))
    return x / ops.pow(means * alpha + k, beta)


@aliased
def normalize(x: Any, p: float = 2.0, dim: Any = 1, eps: float = 1e-12) -> Any:
    """x / max(p-norm of x along `dim`, eps)."""
    return x / ops.clamp(ops.norm(x, p, dim, True), eps)
