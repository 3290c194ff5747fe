"""Minus the logarithm of how likely targets are; divergences of distributions."""

from __future__ import annotations

import math
import warnings

from autograd_core import ShapeError, Tensor, ops

from .demands import (
    REDUCTIONS,
    bare,
    broadcasting,
    check_reduction,
    combined,
    floats,
    refuse_where,
    same_shape,
    warn_of_pairs,
)
from .straight_through import straight_through

__all__ = [
    "binary_cross_entropy", "binary_cross_entropy_with_logits", "cross_entropy",
    "gaussian_nll_loss", "kl_div", "nll_loss", "poisson_nll_loss",
]  # fmt: skip


def nll_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: None = None,
    ignore_index: int = -100,
    reduce: None = None,
    reduction: str = "mean",
) -> Tensor:
    """-x[y] for log-probabilities x (N, C, ...) or (C) and classes y (N, ...) or ().

    `weight` (C) weighs the classes and the mean.
    """
    check_reduction("nll_loss", reduction, size_average, reduce)
    return ops.nll_loss(input, target, weight, reduction, ignore_index)


def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: None = None,
    ignore_index: int = -100,
    reduce: None = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """-log softmax(x)[y] for scores x (N, C, ...) or (C) and classes y (N, ...) or ().

    A floating-point y of x's shape holds a probability of each class. `weight` (C) weighs the
    classes and the mean; label_smoothing mixes y with the uniform distribution.
    """
    check_reduction("cross_entropy", reduction, size_average, reduce)
    return ops.cross_entropy(input, target, weight, ignore_index, reduction, label_smoothing)


def binary_cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: None = None,
    reduce: None = None,
    reduction: str = "mean",
) -> Tensor:
    """-(y log x + (1 - y) log(1 - x)) for probabilities x and y of one shape.

    A logarithm is at least -100, and its slope at most 1e12, so that a certain answer that is
    wrong costs, and pulls, a finite amount.
    """
    who = "binary_cross_entropy"
    check_reduction(who, reduction, size_average, reduce)
    floats(who, input=input, target=target)
    same_shape(who, input=input, target=target)
    numbers = bare(input)
    refuse_where(who, "input", numbers, ~((numbers >= 0) & (numbers <= 1)), "between 0 and 1")
    losses = -(target * _bounded_log(input) + (1.0 - target) * _bounded_log(1.0 - input))
    return combined(_weighed(who, losses, weight), reduction)


def _bounded_log(p: Tensor) -> Tensor:
    """Return log p, at least -100, with the slope 1 / max(p, 1e-12)."""
    value = ops.clamp(ops.log(p.detach()), -100.0)
    return straight_through(value, ops.log(straight_through(p.detach().clamp(1e-12), p)))


def _weighed(who: str, losses: Tensor, weight: Tensor | None) -> Tensor:
    if weight is None:
        return losses
    if broadcasting(who, input=losses, weight=weight) != tuple(losses.shape):
        raise ShapeError(
            f"{who} got a weight of shape {tuple(weight.shape)} for input of shape "
            f"{tuple(losses.shape)}: it must broadcast to that shape"
        )
    return losses * weight


def binary_cross_entropy_with_logits(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: None = None,
    reduce: None = None,
    reduction: str = "mean",
    pos_weight: Tensor | None = None,
) -> Tensor:
    """-(w y log σ(x) + (1 - y) log(1 - σ(x))), w = pos_weight or 1, without overflow."""
    who = "binary_cross_entropy_with_logits"
    check_reduction(who, reduction, size_average, reduce)
    same_shape(who, input=input, target=target)
    miss = ops.logaddexp(-input, 0.0)  # -log σ(x), and x more for -log(1 - σ(x))
    if pos_weight is not None:
        broadcasting(who, input=input, pos_weight=pos_weight)
        miss = miss * (1.0 + (pos_weight - 1.0) * target)
    return combined(_weighed(who, (1.0 - target) * input + miss, weight), reduction)


def kl_div(
    input: Tensor,
    target: Tensor,
    size_average: None = None,
    reduce: None = None,
    reduction: str = "mean",
    log_target: bool = False,
) -> Tensor:
    """y (log y - x) for log-probabilities x and probabilities y, or y = exp(t) with log_target.

    "batchmean", the sum divided by the size of the first axis, is the divergence of whole
    distributions; "mean" divides by the number of all elements.
    """
    among = (*REDUCTIONS, "batchmean")
    check_reduction("kl_div", reduction, size_average, reduce, among)
    broadcasting("kl_div", input=input, target=target)
    if log_target:
        losses = ops.exp(target) * (target - input)
    else:
        losses = ops.xlogy(target, target) - target * input
    if reduction == "batchmean":
        return losses.sum() / (input.shape[0] if input.ndim else 1)
    if reduction == "mean":
        warnings.warn(
            "kl_div got reduction='mean', which divides by the number of all elements: "
            "'batchmean' gives the divergence, averaged over samples",
            stacklevel=2,
        )
    return combined(losses, reduction)


def gaussian_nll_loss(
    input: Tensor,
    target: Tensor,
    var: Tensor | float,
    full: bool = False,
    eps: float = 1e-6,
    reduction: str = "mean",
) -> Tensor:
    """(log v + (x - y)² / v) / 2 with v = max(var, eps); `full` adds log(2π) / 2.

    var has x's shape, or 1 or nothing in place of one axis of it. The gradient ignores eps.
    """
    check_reduction("gaussian_nll_loss", reduction)
    v = _variance(input, var)
    v = straight_through(v.detach().clamp(eps), v)
    apart = input - target
    losses = 0.5 * (ops.log(v) + apart * apart / v)
    if full:
        losses = losses + 0.5 * math.log(2.0 * math.pi)
    return combined(losses, reduction)


def _variance(x: Tensor, var: Tensor | float) -> Tensor:
    """Return var as a tensor that broadcasts to x and is not negative."""
    who = "gaussian_nll_loss"
    v = var if isinstance(var, Tensor) else x.new_ones(x.shape) * float(var)
    refuse_where(who, "var", bare(v), bare(v) < 0, "0 or more")
    shape, given = tuple(x.shape), tuple(v.shape)
    if given == shape[:-1] and given != shape:
        return v.unsqueeze(-1)
    others = [m for n, m in zip(shape, given, strict=False) if m != n]
    if len(given) != len(shape) or others not in ([], [1]):
        raise ShapeError(
            f"{who} got var of shape {given} for input of shape {shape}: it must have that shape, "
            "1 in place of one axis, or no last axis"
        )
    return v


def poisson_nll_loss(
    input: Tensor,
    target: Tensor,
    log_input: bool = True,
    full: bool = False,
    size_average: None = None,
    eps: float = 1e-8,
    reduce: None = None,
    reduction: str = "mean",
) -> Tensor:
    """exp(x) - y x for x the log of the rate, or x - y log(x + eps) for the rate x itself.

    `full` adds Stirling's formula for log y!, y log y - y + log(2πy) / 2, where y > 1.
    """
    check_reduction("poisson_nll_loss", reduction, size_average, reduce)
    warn_of_pairs("poisson_nll_loss", input, target)
    rate, log_rate = (ops.exp(input), input) if log_input else (input, ops.log(input + eps))
    losses = rate - target * log_rate
    if full:
        y = ops.where(target > 1, target, 1.0)
        stirling = y * ops.log(y) - y + 0.5 * ops.log(2.0 * math.pi * y)
        losses = losses + ops.where(target > 1, stirling, 0.0)
    return combined(losses, reduction)
