"""Losses whose rule is simpler, or safer, than the sum of its parts."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernels import call

from ..dtypes import is_floating
from ..errors import ShapeError
from ..kernel_sizes import CROSS_ENTROPY, suits
from ..op import linear, op
from ..recording import Traced
from ..versions import Array
from .reduction import max_reduce, mean, min_reduce, sum
from .shape import Shape, add_reduce
from .softmaxes import log_softmax, softmax

__all__ = ["cross_entropy", "mse_loss", "nll_loss"]

REDUCTIONS = ("mean", "sum", "none")


def check_reduction(reduction: str) -> None:
    """Raise for what is no reduction."""
    if reduction not in REDUCTIONS:
        raise ValueError(f"reduction is {reduction!r}, it must be one of {', '.join(REDUCTIONS)}")


def reduce(x: Any, reduction: str) -> Any:
    """Return the mean, the sum, or all of the losses of single samples."""
    check_reduction(reduction)
    return x if reduction == "none" else getattr(x, reduction)()


def _bare(x: Any) -> Any:
    return x._array if isinstance(x, Traced) else x


def _shares(target: Array, weight: Any, classes: int, reduction: str, ignored: int) -> Any:
    """Return positions along the class axis, and minus each sample's share of the loss."""
    valid = target != ignored
    positions = np.where(valid, target, 0)
    wrong = np.argwhere((positions < 0) | (positions >= classes))
    if wrong.size:
        place = tuple(wrong[0].tolist())
        where = place[0] if len(place) == 1 else place
        raise IndexError(
            f"target {positions[place]} at position {where} is not one of {classes} classes"
        )
    share = valid * (1.0 if weight is None else weight[positions])
    if reduction == "mean":
        share = share / np.add.reduce(share, None)
    return positions, -share


def _check_weight(weight: Any, classes: int) -> None:
    if weight is not None and tuple(weight.shape) != (classes,):
        raise ShapeError(
            f"the weight of shape {tuple(weight.shape)} must have one number for each of the "
            f"{classes} classes"
        )


def _places(target: Array, weight: Any, shape: Any, reduction: str, ignored: int) -> Any:
    """Return where the picked elements of (n, classes) are if all samples count, and the same.

    This is the ordinary case; None says that it is another one.
    """
    if weight is not None or len(shape) != 2 or not target.size or reduction == "none":
        return None
    if 0 <= ignored < shape[1] or min_reduce(target) < 0 or max_reduce(target) >= shape[1]:
        return None
    return np.arange(target.size), target


def _pull_nll(
    g: Any, target: Any, weight: Any, shapes: Any, reduction: str, ignore_index: int
) -> Any:
    return nll_input(g, target, weight, shapes[0], reduction, ignore_index)


@linear(vjp=[_pull_nll, None, None])
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
    check_reduction(reduction)
    if target.dtype.kind not in "iu":
        raise TypeError(f"the target must hold class numbers, not {target.dtype}")
    if x.ndim == 0 or target.shape != x.shape[:1] * (x.ndim > 1) + x.shape[2:]:
        raise ShapeError("target must have the shape of x without its axis of classes")
    axis = 0 if x.ndim == 1 else 1
    _check_weight(weight, x.shape[axis])
    places = _places(target, weight, x.shape, reduction, ignore_index)
    if places is not None:
        return add_reduce(x[places]) / -(target.size if reduction == "mean" else 1.0)
    positions, share = _shares(target, weight, x.shape[axis], reduction, ignore_index)
    found = np.take_along_axis(x, np.expand_dims(positions, axis), axis).squeeze(axis)
    losses = (np.where(share == 0, 0.0, found) * share).astype(x.dtype)
    if reduction == "none":
        return losses
    total = add_reduce(losses, None)
    return total if share.any() or reduction == "sum" else total * np.nan


@linear(
    vjp=[
        lambda g, target, weight, reduction, ignore_index: nll_loss(
            g, target, weight, reduction, ignore_index
        ),
        None,
        None,
    ]
)
def nll_input(
    g: Array,
    target: Array,
    weight: Array | None,
    shape: Shape,
    reduction: str = "mean",
    ignore_index: int = -100,
) -> Array:
    """The adjoint of nll_loss: g, weighed as there, at the target classes of zeros of `shape`."""
    y = np.zeros(shape, g.dtype)
    places = _places(target, weight, shape, reduction, ignore_index)
    if places is not None:
        y[places] = g / -(target.size if reduction == "mean" else 1.0)
        return y
    axis = 0 if len(shape) == 1 else 1
    positions, share = _shares(target, weight, shape[axis], reduction, ignore_index)
    values = np.expand_dims(g * share, axis).astype(g.dtype)
    np.put_along_axis(y, np.expand_dims(positions, axis), values, axis)
    return y


def _fusable(x: Any, target: Any) -> bool:
    """Tell whether a kernel goes from scores (n, classes) to losses, without the softmax."""
    return suits(x, CROSS_ENTROPY) and x.ndim == 2 and target.dtype.kind in "iu"


def _smoothed(logs: Any, label_smoothing: float) -> Any:
    """Return (1 - e) logs + e times their mean over the classes."""
    if not label_smoothing:
        return logs
    return (1.0 - label_smoothing) * logs + label_smoothing * mean(logs, 1, True)


def _positions(target: Array, x: Array, reduction: str, ignored: int) -> tuple[Array, Array]:
    positions, share = _shares(target, None, x.shape[1], reduction, ignored)
    return positions.astype(np.int64, copy=False), share


def _pull_cross_entropy(
    g: Any, x: Any, target: Any, reduction: str, ignore_index: int, label_smoothing: float
) -> Any:
    if isinstance(g, np.ndarray) and g.dtype == x.dtype and _fusable(x, target):
        positions, share = _positions(target, x, reduction, ignore_index)
        y, work = np.empty_like(x), np.empty((2, len(x)), x.dtype)
        share = (g * -share).astype(x.dtype)
        call.cross_entropy_vjp(x, positions, label_smoothing, share, work, y)
        y[share == 0] = 0  # also where the row holds NaN
        return y
    shares = nll_input(g, target, None, x.shape, reduction, ignore_index)
    pulled = _smoothed(shares, label_smoothing)
    return pulled - softmax(x, 1) * sum(shares, 1, True)


def _push_cross_entropy(
    t: Any, x: Any, target: Any, reduction: str, ignore_index: int, label_smoothing: float
) -> Any:
    logs = t - sum(softmax(x, 1) * t, 1, True)
    return nll_loss(_smoothed(logs, label_smoothing), target, None, reduction, ignore_index)


@op(vjp=[_pull_cross_entropy, None], jvp=[_push_cross_entropy, None], label="cross entropy")
def fused_cross_entropy(
    x: Array,
    target: Array,
    reduction: str = "mean",
    ignore_index: int = -100,
    label_smoothing: float = 0.0,
) -> Array:
    """-log softmax(x)[target] of scores x (n, classes), reduced as nll_loss reduces.

    The softmax is not kept: backward makes it again, in the pass that makes the gradient.
    """
    check_reduction(reduction)
    if target.shape != x.shape[:1]:
        raise ShapeError("target must have the shape of x without its axis of classes")
    if not _fusable(x, target):
        logs = _smoothed(log_softmax(x, 1), label_smoothing)
        return nll_loss(logs, target, None, reduction, ignore_index)
    positions, share = _positions(target, x, reduction, ignore_index)
    losses = np.empty(len(x), x.dtype)
    work = np.empty((len(x), 2 + x.shape[1]), x.dtype)
    call.cross_entropy(x, positions, label_smoothing, work, losses)
    losses = (np.where(share == 0, 0.0, losses) * -share).astype(x.dtype)
    if reduction == "none":
        return losses
    total = add_reduce(losses, None)
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
    if weight is None and _fusable(_bare(x), _bare(target)):
        return fused_cross_entropy(x, target, reduction, ignore_index, label_smoothing)
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
    _check_weight(weight, logs.shape[axis])
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
