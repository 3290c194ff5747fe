"""Normalizations: over which axes, then the op, a scale and a shift."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

import autograd_core as ag
from autograd_core import ShapeError, Tensor, ops
from autograd_core.op import aliased
from autograd_core.ops.normalization import standardize
from autograd_core.ops.normalization_arrays import Form, by_channels, by_groups, by_rows
from autograd_core.ops.pooling import avg_pool
from autograd_core.ops.windows import check_float

__all__ = [
    "batch_norm", "group_norm", "instance_norm", "layer_norm", "local_response_norm", "normalize",
    "rms_norm",
]  # fmt: skip


def _check_channels(x: Any, **vectors: Any) -> None:
    """Raise where a vector has not one number for each channel of x (n, c, ...)."""
    for name, vector in vectors.items():
        if vector is not None and tuple(vector.shape) != (x.shape[1],):
            raise ShapeError(f"{name} has shape {tuple(vector.shape)}, it must be ({x.shape[1]},)")


def _follow(running_mean: Any, running_var: Any, mean: Any, rstd: Any, count: int, momentum: float,
            eps: float) -> None:  # fmt: skip
    """Move the running statistics in place towards those of `count` numbers, if there are any.

    mean and rstd = 1/√(var + eps) are (samples, c, 1, ...), and means over the samples are meant;
    what follows is the unbiased variance.
    """
    if not count or 0 in mean.shape:
        return
    mean, rstd = (a._array if isinstance(a, Tensor) else a for a in (mean, rstd))
    var = np.maximum(rstd**-2.0 - eps, 0.0) * (count / (count - 1))
    with ag.no_grad():
        for running, current in ((running_mean, mean), (running_var, var)):
            if running is not None:
                step = momentum * (np.add.reduce(current, 0) / len(current)).reshape(-1)
                known = (1.0 - momentum) * running._array
                running.copy_(ag.tensor((known + step).astype(running.dtype)))


def _by_running(
    x: Any, running_mean: Any, running_var: Any, weight: Any, bias: Any, eps: float
) -> Any:
    """Return the normalization by statistics of other data, which are constants."""
    if running_mean is None or running_var is None:
        raise ShapeError("running_mean and running_var are needed where no batch gives statistics")
    _check_channels(x, running_mean=running_mean, running_var=running_var, weight=weight, bias=bias)
    form = by_channels(tuple(x.shape), known=True)
    return standardize(x, weight, bias, running_mean, running_var, form, eps)[0]


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
    _check_channels(x, running_mean=running_mean, running_var=running_var, weight=weight, bias=bias)
    y, mean, rstd = standardize(x, weight, bias, None, None, by_channels(shape), eps)
    _follow(running_mean, running_var, mean, rstd, count, momentum, eps)
    return y


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
    _check_channels(x, running_mean=running_mean, running_var=running_var, weight=weight, bias=bias)
    form = by_groups("instance_norm", shape, shape[1])
    y, mean, rstd = standardize(x, weight, bias, None, None, form, eps)
    _follow(running_mean, running_var, mean, rstd, count, momentum, eps)
    return y


def _last(kind: str, x: Any, normalized_shape: Sequence[int], **parameters: Any) -> Form:
    """Return the form of a norm over the last axes, after a check that they have that shape."""
    check_float(x)
    shape = tuple(normalized_shape)
    if not shape or tuple(x.shape[-len(shape) :]) != shape:
        raise ShapeError(f"normalized_shape={shape}: it must be the shape of x's last axes")
    for name, parameter in parameters.items():
        if parameter is not None and tuple(parameter.shape) != shape:
            raise ShapeError(f"{name} has shape {tuple(parameter.shape)}, it must be {shape}")
    return by_rows(kind, tuple(x.shape), len(shape))


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
    form = _last("layer_norm", x, normalized_shape, weight=weight, bias=bias)
    return standardize(x, weight, bias, None, None, form, eps)[0]


@aliased
def rms_norm(
    x: Any, normalized_shape: Sequence[int], weight: Any = None, eps: float | None = None
) -> Any:
    """x / √(mean x² + eps) weight over the last axes (*normalized_shape).

    Without eps it is the distance from 1 to the next number of x's dtype. Zhang and Sennrich,
    Root Mean Square Layer Normalization (2019), section 3.
    """
    form = _last("rms_norm", x, normalized_shape, weight=weight)
    eps = float(np.finfo(x.dtype).eps) if eps is None else eps
    return standardize(x, weight, None, None, None, form, eps)[0]


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
    _check_channels(x, weight=weight, bias=bias)
    form = by_groups("group_norm", shape, num_groups)
    return standardize(x, weight, bias, None, None, form, eps)[0]


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
