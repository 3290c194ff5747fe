"""Losses whose rule is simpler, or safer, than the sum of its parts."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dtypes import is_floating
from ..errors import ShapeError
from ..op import linear
from ..recording import Traced
from ..versions import Array
from .indexing import put_along_dim
from .reduction import log_softmax, sum

__all__ = ["cross_entropy", "mse_loss", "nll_loss"]

REDUCTIONS = ("mean", "sum", "none")


def reduce(x: Any, reduction: str) -> Any:
    """Return the mean, the sum, or all of the losses of single samples."""
    if reduction not in REDUCTIONS:
        raise ValueError(f"reduction is {reduction!r}, it must be one of {', '.join(REDUCTIONS)}")
    return x if reduction == "none" else getattr(x, reduction)()


def _bare(x: Any) -> Any:
    return x._array if isinstance(x, Traced) else x


def _picked(target: Any, weight: Any, shape: Any, reduction: str, ignore_index: int) -> Any:
    """Return the class axis, the positions along it, and minus each sample's share of the loss."""
    target, weight = _bare(target), _bare(weight)
    axis = 0 if len(shape) == 1 else 1
    valid = target != ignore_index
    positions = np.where(valid, target, 0)
    _check_classes(positions, shape[axis])
    share = valid * (1.0 if weight is None else weight[positions])
    if reduction == "mean":
        total = np.add.reduce(share, None)
        with np.errstate(all="ignore"):
            share = share / total
    return axis, np.expand_dims(positions, axis), -np.expand_dims(share, axis)


def _check_classes(positions: Array, classes: int) -> None:
    wrong = np.flatnonzero((positions < 0) | (positions >= classes))
    if wrong.size:
        row = int(wrong[0])
        found = positions.flat[row]
        raise IndexError(f"target {found} at position {row} is not one of {classes} classes")


def _nll_vjp(
    g: Any, shapes: Any, target: Any, weight: Any, reduction: str, ignore_index: int
) -> Any:
    axis, positions, share = _picked(target, weight, shapes[0], reduction, ignore_index)
    share = share.astype(g.dtype)
    if reduction == "none":
        g = g.reshape(share.shape)
    return put_along_dim(g * share, positions, shapes[0], axis)


@linear(vjp=[_nll_vjp, None, None])
def nll_loss(
    x: Array,
    target: Array,
    weight: Array | None = None,
    reduction: str = "mean",
    ignore_index: int = -100,
) -> Array:
    """Minus x at the target class; x holds log-probabilities (n, classes, ...) or (classes).

    mean: sum of weight[t] * -x[t] / sum of weight[t], over the targets not ignored.
    """
    if reduction not in REDUCTIONS:
        raise ValueError(f"reduction is {reduction!r}, it must be one of {', '.join(REDUCTIONS)}")
    if target.dtype.kind not in "iu":
        raise TypeError(f"the target must hold class numbers, not {target.dtype}")
    if x.ndim == 0 or target.shape != x.shape[:1] * (x.ndim > 1) + x.shape[2:]:
        raise ShapeError("target must have the shape of x without its axis of classes")
    axis, positions, share = _picked(target, weight, x.shape, reduction, ignore_index)
    losses = np.where(share == 0, 0.0, np.take_along_axis(x, positions, axis)) * share
    losses = losses.astype(x.dtype)
    if reduction == "none":
        return losses.squeeze(axis)
    total = np.add.reduce(losses, None)
    return total if share.any() or reduction == "sum" else total * np.nan


def cross_entropy(
    x: Any,
    target: Any,
    weight: Any = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Any:
    """-log softmax(x)[target]; x (n, classes, ...) or (classes).

    The target holds class numbers, or probabilities in the shape of x. Label smoothing e mixes
    in the uniform distribution: (1 - e) target + e / classes.
    """
    if not 0.0 <= label_smoothing <= 1.0:
        raise ValueError(f"cross_entropy got label_smoothing={label_smoothing}: not in [0, 1]")
    axis = 0 if len(x.shape) == 1 else 1
    logs = log_softmax(x, axis)
    if is_floating(target.dtype):
        return _soft_cross_entropy(logs, target, weight, axis, reduction, label_smoothing)
    loss = nll_loss(logs, target, weight, reduction, ignore_index)
    if not label_smoothing:
        return loss
    smooth = _smooth_loss(logs, _bare(target), _bare(weight), axis, reduction, ignore_index)
    return (1.0 - label_smoothing) * loss + (label_smoothing / x.shape[axis]) * smooth


def _smooth_loss(
    logs: Any, target: Array, weight: Any, axis: int, reduction: str, ignore_index: int
) -> Any:
    """Return minus the weighted sum of all classes' logs, averaged as nll_loss averages."""
    valid = target != ignore_index
    share = valid.astype(logs.dtype)
    if reduction == "mean":
        counted = share if weight is None else share * weight[np.where(valid, target, 0)]
        share = share / counted.sum()
    share = np.expand_dims(share, axis)
    if weight is not None:
        share = share * weight.reshape((-1,) + (1,) * (len(logs.shape) - axis - 1))
    losses = -(logs * share).sum(axis)
    return losses if reduction == "none" else losses.sum()


def _soft_cross_entropy(
    logs: Any, target: Any, weight: Any, axis: int, reduction: str, smoothing: float
) -> Any:
    if tuple(target.shape) != tuple(logs.shape):
        raise ShapeError(
            f"cross_entropy got probabilities of shape {tuple(target.shape)} for x of shape "
            f"{tuple(logs.shape)}: the shapes must be equal"
        )
    if smoothing:
        target = target * (1.0 - smoothing) + smoothing / logs.shape[axis]
    if weight is not None:
        target = target * weight.reshape((-1,) + (1,) * (len(logs.shape) - axis - 1))
    losses = -sum(target * logs, axis)
    if reduction == "mean":  # over samples, not over weights
        return losses.sum() / max(1, _bare(losses).size)
    return reduce(losses, reduction)


def mse_loss(x: Any, target: Any, reduction: str = "mean") -> Any:
    """(x - target)², averaged over all elements."""
    difference = x - target
    return reduce(difference * difference, reduction)
