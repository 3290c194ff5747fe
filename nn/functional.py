"""Layers without parameters of their own: thin names over ops, and the losses."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

from autograd_core import ShapeError, Tensor, ops
from autograd_core.ops import linear as linear
from autograd_core.ops import log_softmax as log_softmax
from autograd_core.ops import one_hot as one_hot
from autograd_core.ops import pad as pad
from autograd_core.ops import softmax as softmax

from .window import around, pair


def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """max(x, 0)."""
    return input.relu_() if inplace else ops.relu(input)


def conv2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: int | Sequence[int] = 1,
    padding: int | Sequence[int] | str = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> Tensor:
    """Slide `weight` (O, C / groups, h, w) over (N, C, H, W); padding may be "same" or "valid"."""
    if isinstance(padding, str):
        if weight.ndim != 4:
            raise ShapeError(
                f"conv2d got a weight of shape {tuple(weight.shape)}: "
                "it must have the axes (out, in / groups, height, width)"
            )
        kernel = (weight.shape[2], weight.shape[3])
        dilation = pair("conv2d", "dilation", dilation, least=1)
        (top, bottom), (left, right) = around(padding, kernel, dilation)
        padding = (min(top, bottom), min(left, right))
        if (top, left) != (bottom, right):
            input = pad(input, (0, right - left, 0, bottom - top))
    return ops.conv2d(input, weight, bias, stride, padding, dilation, groups)


def mse_loss(input: Tensor, target: Tensor, *, reduction: str = "mean") -> Tensor:
    """(x - y)², its mean or its sum; both of the same shape."""
    if tuple(input.shape) != tuple(target.shape):
        warnings.warn(
            f"mse_loss got input of shape {tuple(input.shape)} and target of shape "
            f"{tuple(target.shape)}: every pair of elements that broadcasting makes counts, "
            "so give both the same shape",
            stacklevel=2,
        )
    return ops.mse_loss(input, target, reduction)


def nll_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    *,
    ignore_index: int = -100,
    reduction: str = "mean",
) -> Tensor:
    """-x[y] for log-probabilities x (N, C, ...) or (C) and classes y (N, ...) or ()."""
    return ops.nll_loss(input, target, weight, reduction, ignore_index)


def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    *,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """-log softmax(x)[y] for scores x (N, C, ...) or (C) and classes y (N, ...) or ().

    A floating-point y of x's shape holds a probability of each class. `weight` (C) weighs the
    classes and the mean; label_smoothing mixes y with the uniform distribution.
    """
    return ops.cross_entropy(input, target, weight, ignore_index, reduction, label_smoothing)


__all__ = [
    "conv2d",
    "cross_entropy",
    "linear",
    "log_softmax",
    "mse_loss",
    "nll_loss",
    "one_hot",
    "pad",
    "relu",
    "softmax",
]
