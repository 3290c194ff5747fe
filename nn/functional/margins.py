"""Losses that vanish as soon as a margin is kept."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from autograd_core import ShapeError, Tensor, ops

from .demands import (
    check_reduction,
    classes,
    combined,
    same_axes,
    same_shape,
    signs,
    warn_of_pairs,
)
from .distances import pairwise_distance

__all__ = [
    "cosine_embedding_loss", "hinge_embedding_loss", "hinge_loss", "margin_ranking_loss",
    "multi_margin_loss", "multilabel_margin_loss", "multilabel_soft_margin_loss",
    "soft_margin_loss", "triplet_margin_loss", "triplet_margin_with_distance_loss",
]  # fmt: skip


# Two classes, 1 and -1


def hinge_loss(input: Tensor, target: Tensor, reduction: str = "mean") -> Tensor:
    """max(0, 1 - y x) for y in {1, -1}: the loss of the support vector machine."""
    check_reduction("hinge_loss", reduction)
    same_shape("hinge_loss", input=input, target=target)
    signs("hinge_loss", target)
    return combined(ops.relu(1.0 - target * input), reduction)


def soft_margin_loss(
    input: Tensor,
    target: Tensor,
    size_average: None = None,
    reduce: None = None,
    reduction: str = "mean",
) -> Tensor:
    """log(1 + exp(-y x)) for y in {1, -1}."""
    check_reduction("soft_margin_loss", reduction, size_average, reduce)
    warn_of_pairs("soft_margin_loss", input, target)
    return combined(ops.logaddexp(-target * input, 0.0), reduction)


def hinge_embedding_loss(
    input: Tensor,
    target: Tensor,
    margin: float = 1.0,
    size_average: None = None,
    reduce: None = None,
    reduction: str = "mean",
) -> Tensor:
    """x where y = 1, max(0, margin - x) where y = -1; x is a distance."""
    check_reduction("hinge_embedding_loss", reduction, size_average, reduce)
    warn_of_pairs("hinge_embedding_loss", input, target)
    signs("hinge_embedding_loss", target)
    losses = ops.where(target == 1, input, ops.clamp(margin - input, 0.0))
    return combined(losses, reduction)


def cosine_embedding_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0.0,
    size_average: None = None,
    reduce: None = None,
    reduction: str = "mean",
) -> Tensor:
    """1 - c where y = 1, max(0, c - margin) where y = -1, c the cosine between rows of (N, D)."""
    who = "cosine_embedding_loss"
    check_reduction(who, reduction, size_average, reduce)
    same_axes(who, input1=input1, input2=input2)
    if input1.ndim not in (1, 2) or target.ndim != input1.ndim - 1:
        raise ShapeError(
            f"{who} got inputs of {input1.ndim} axes and a target of {target.ndim}: "
            "it needs (N, D), (N, D) and (N), or (D), (D) and ()"
        )
    signs(who, target)
    tiny = 1e-12  # as in PyTorch, where this is not cosine_similarity
    squares = [(x * x).sum(-1) + tiny for x in (input1, input2)]
    cosine = (input1 * input2).sum(-1) / ops.sqrt(squares[0] * squares[1])
    losses = ops.where(target == 1, 1.0 - cosine, ops.clamp(cosine - margin, 0.0))
    return combined(losses, reduction)


# Many classes


def multi_margin_loss(
    input: Tensor,
    target: Tensor,
    p: int = 1,
    margin: float = 1.0,
    weight: Tensor | None = None,
    size_average: None = None,
    reduce: None = None,
    reduction: str = "mean",
) -> Tensor:
    """w[y] Σ_{j ≠ y} max(0, margin - x[y] + x[j])^p / C for x (N, C) or (C), p = 1 or 2."""
    who = "multi_margin_loss"
    check_reduction(who, reduction, size_average, reduce)
    if p not in (1, 2):
        raise ValueError(f"{who} got p={p}: it must be 1 or 2")
    x = input if input.ndim else input.reshape(1)
    fits = [tuple(x.shape[:-1])] if x.ndim > 1 else [(), (1,)]
    if x.ndim > 2 or tuple(target.shape) not in fits:
        raise ShapeError(
            f"{who} got input of shape {tuple(input.shape)} and target of shape "
            f"{tuple(target.shape)}: it needs (N, C) and (N), or (C) and ()"
        )
    count = x.shape[-1]
    if weight is not None and tuple(weight.shape) != (count,):
        raise ShapeError(
            f"{who} got a weight of shape {tuple(weight.shape)}: it needs {count} numbers"
        )
    numbers = classes(who, target, count).reshape(x.shape[:-1])
    right = np.arange(count) == numbers[..., None]
    own = ops.where(right, x, 0.0).sum(-1, keepdim=True)
    short = ops.where(right, 0.0, ops.relu(margin - own + x)) ** p
    if weight is not None:
        short = short * weight[numbers][..., None]
    return combined(short.sum(-1) / count, reduction)


def multilabel_margin_loss(
    input: Tensor,
    target: Tensor,
    size_average: None = None,
    reduce: None = None,
    reduction: str = "mean",
) -> Tensor:
    """Σ_{y, j} max(0, 1 - x[y] + x[j]) / C over classes y of a sample and j not of it.

    x is (N, C) or (C), and y of the same shape: the classes, then -1 after the last one.
    """
    who = "multilabel_margin_loss"
    check_reduction(who, reduction, size_average, reduce)
    same_shape(who, input=input, target=target)
    if input.ndim > 2:
        raise ShapeError(f"{who} got input of shape {tuple(input.shape)}: it needs (N, C) or (C)")
    x = input if input.ndim else input.reshape(1)
    count = x.shape[-1]
    numbers = classes(who, target, count, least=-1).reshape(x.shape)
    given = np.logical_and.accumulate(numbers >= 0, -1)[..., None]
    named = given & (numbers[..., None] == np.arange(count))  # (..., number, class)
    own = ops.where(named, x[..., None, :], 0.0).sum(-1, keepdim=True)
    pairs = given & ~named.any(-2, keepdims=True)
    short = ops.where(pairs, ops.relu(1.0 - own + x[..., None, :]), 0.0)
    return combined(short.sum((-2, -1)) / count, reduction)


def multilabel_soft_margin_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: None = None,
    reduce: None = None,
    reduction: str = "mean",
) -> Tensor:
    """-(y log σ(x) + (1 - y) log σ(-x)), averaged over the classes (last axis) of a sample."""
    who = "multilabel_soft_margin_loss"
    check_reduction(who, reduction, size_average, reduce)
    warn_of_pairs(who, input, target)
    losses = ops.logaddexp(-input, 0.0) + (1.0 - target) * input
    if weight is not None:
        losses = losses * weight
    return combined(losses.mean(-1), reduction)


# Comparisons


def margin_ranking_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0.0,
    size_average: None = None,
    reduce: None = None,
    reduction: str = "mean",
) -> Tensor:
    """max(0, margin - y (x1 - x2)); y = 1 says that x1 should be the larger, -1 that x2."""
    check_reduction("margin_ranking_loss", reduction, size_average, reduce)
    same_axes("margin_ranking_loss", input1=input1, input2=input2, target=target)
    losses = ops.clamp(margin - target * (input1 - input2), 0.0)
    return combined(losses, reduction)


def triplet_margin_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    margin: float = 1.0,
    p: float = 2.0,
    eps: float = 1e-6,
    swap: bool = False,
    size_average: None = None,
    reduce: None = None,
    reduction: str = "mean",
) -> Tensor:
    """max(0, margin + |a - p| - |a - n|) with p-norms over the last axis.

    `swap` takes |p - n| in place of |a - n| where it is smaller (Balntas et al. 2016).
    """
    check_reduction("triplet_margin_loss", reduction, size_average, reduce)
    return triplet_margin_with_distance_loss(
        anchor,
        positive,
        negative,
        distance_function=lambda a, b: pairwise_distance(a, b, p, eps),
        margin=margin,
        swap=swap,
        reduction=reduction,
    )


def triplet_margin_with_distance_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    *,
    distance_function: Callable[[Tensor, Tensor], Tensor] | None = None,
    margin: float = 1.0,
    swap: bool = False,
    reduction: str = "mean",
) -> Tensor:
    """max(0, margin + d(a, p) - d(a, n)); d is the Euclidean distance of rows if not given."""
    check_reduction("triplet_margin_loss", reduction)
    if not margin > 0:
        raise ValueError(f"triplet_margin_loss got margin={margin}: it must be positive")
    same_axes("triplet_margin_loss", anchor=anchor, positive=positive, negative=negative)
    distance = distance_function or pairwise_distance
    apart = distance(anchor, negative)
    if swap:
        apart = ops.minimum(apart, distance(positive, negative))
    losses = ops.clamp(margin + distance(anchor, positive) - apart, 0.0)
    return combined(losses, reduction)
