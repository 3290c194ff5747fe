"""Losses of single samples, their mean or their sum."""

from __future__ import annotations

import warnings

from autograd_core import Tensor, ops

__all__ = ["cross_entropy", "mse_loss", "nll_loss"]


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
