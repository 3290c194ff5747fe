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
from ..workspaces import workspace
from .reduction import max_reduce, min_reduce, sum
from .shape import Shape, add_reduce, expand_reduced
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
        raise _no_class(positions, tuple(wrong[0].tolist()), classes)
    share = valid * (1.0 if weight is None else weight[positions])
    if reduction == "mean":
        share = np.where(valid, share / np.add.reduce(share, None), 0.0)
    return positions, -share


def _no_class(target: Array, place: tuple[int, ...], classes: int) -> IndexError:
    where = place[0] if len(place) == 1 else place
    return IndexError(f"target {target[place]} at position {where} is not one of {classes} classes")


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


def _fusable(x: Any, target: Any, weight: Any = None) -> bool:
    """Tell whether a kernel goes from scores (n, classes) to losses, without the softmax."""
    return (
        suits(x, CROSS_ENTROPY)
        and x.ndim == 2
        and target.dtype.kind in "iu"
        and (weight is None or weight.dtype == x.dtype)
    )


def _of_logs(
    logs: Any, target: Array, weight: Any, reduction: str, ignored: int, smoothing: float
) -> Any:
    """Return the loss, which is linear in the log-probabilities."""
    loss = nll_loss(logs, target, weight, reduction, ignored)
    if not smoothing:
        return loss
    axis = 0 if len(logs.shape) == 1 else 1
    smooth = -sum(logs * _smooth_shares(target, weight, logs, reduction, ignored), axis)
    smooth = smooth if reduction == "none" else smooth.sum()
    return (1.0 - smoothing) * loss + (smoothing / logs.shape[axis]) * smooth


@np.errstate(all="ignore")
def _smooth_shares(target: Array, weight: Any, logs: Any, reduction: str, ignored: int) -> Array:
    """Return how much each class of each sample counts where all classes are targets."""
    axis = 0 if len(logs.shape) == 1 else 1
    valid = target != ignored
    share = valid.astype(logs.dtype)
    if reduction == "mean":
        counted = share if weight is None else share * weight[np.where(valid, target, 0)]
        share = np.where(valid, share / counted.sum(), share)
    share = np.expand_dims(share, axis)
    if weight is not None:
        share = share * weight.reshape((-1,) + (1,) * (len(logs.shape) - axis - 1))
    return share


def _work_of(x: Array) -> Array:
    """Return the work array of the kernels."""
    from kernels.cross_entropy import workspace as shape_of

    return workspace(x.dtype, shape_of(*x.shape))[0]


def _given(x: Array, target: Array, weight: Any, ignored: int, smoothing: float) -> tuple[Any, ...]:
    """Return what both kernels of class numbers begin with."""
    target = np.ascontiguousarray(target, np.int64)
    weight = np.empty(0, x.dtype) if weight is None else np.ascontiguousarray(weight)
    return x, target, weight, ignored, smoothing


def _pull_cross_entropy(
    g: Any, x: Any, target: Any, weight: Any, reduction: str, ignore_index: int,
    label_smoothing: float,
) -> Any:  # fmt: skip
    if isinstance(g, np.ndarray) and g.dtype == x.dtype and _fusable(x, target, weight):
        given = _given(x, target, weight, ignore_index, label_smoothing)
        y, g = np.empty_like(x), np.ascontiguousarray(g).reshape(-1)
        call.cross_entropy_vjp(*given, g, reduction == "mean", _work_of(x), y)
        return y
    shares = nll_input(g, target, weight, x.shape, reduction, ignore_index)
    if label_smoothing:
        smooth = _smooth_shares(_bare(target), _bare(weight), x, reduction, ignore_index)
        each = g.reshape((-1, 1)) if reduction == "none" else g
        e = label_smoothing
        shares = (1.0 - e) * shares - each * (smooth * (e / x.shape[1]))
    return shares - softmax(x, 1) * sum(shares, 1, True)


def _push_cross_entropy(
    t: Any, x: Any, target: Any, weight: Any, reduction: str, ignore_index: int,
    label_smoothing: float,
) -> Any:  # fmt: skip
    logs = t - sum(softmax(x, 1) * t, 1, True)
    return _of_logs(logs, _bare(target), _bare(weight), reduction, ignore_index, label_smoothing)


@op(
    vjp=[_pull_cross_entropy, None, None],
    jvp=[_push_cross_entropy, None, None],
    label="cross entropy",
)
def fused_cross_entropy(
    x: Array,
    target: Array,
    weight: Array | None = None,
    reduction: str = "mean",
    ignore_index: int = -100,
    label_smoothing: float = 0.0,
) -> Array:
    """-log softmax(x)[target] of scores x (n, classes), weighed and reduced as nll_loss does.

    The softmax is not kept: backward makes it again, in the pass that makes the gradient.
    """
    check_reduction(reduction)
    if target.shape != x.shape[:1]:
        raise ShapeError("target must have the shape of x without its axis of classes")
    _check_weight(weight, x.shape[1])
    if not _fusable(x, target, weight):
        logs = log_softmax(x, 1)
        return _of_logs(logs, target, weight, reduction, ignore_index, label_smoothing)
    given = _given(x, target, weight, ignore_index, label_smoothing)
    losses, totals = np.empty(len(x), x.dtype), np.empty(3)
    call.cross_entropy(*given, _work_of(x), losses, totals)
    total, counted, wrong = totals
    if wrong >= 0:
        raise _no_class(target, (int(wrong),), x.shape[1])
    if reduction == "none":
        return losses
    return x.dtype.type(total / counted if reduction == "mean" else total)


@op(
    vjp=[
        lambda g, x, p: _pull_soft(g, x, p),
        lambda g, x: expand_reduced(g, x.shape, 1, False) * -log_softmax(x, 1),
    ],
    jvp=[
        lambda t, x, p: sum(p * (sum(softmax(x, 1) * t, 1, True) - t), 1),
        lambda t, x: -sum(t * log_softmax(x, 1), 1),
    ],
    promotes=True,
    label="cross entropy",
)
def soft_cross_entropy(x: Array, p: Array) -> Array:
    """The sum of -p log softmax(x) over the classes: x and p (n, classes) -> (n)."""
    if not (suits(x, CROSS_ENTROPY) and suits(p, 0)):
        return -add_reduce(p * log_softmax(x, 1), 1)
    losses = np.empty(len(x), x.dtype)
    call.soft_cross_entropy(x, p, _work_of(x), losses)
    return losses


def _pull_soft(g: Any, x: Any, p: Any) -> Any:
    if suits(x, CROSS_ENTROPY) and suits(p, 0) and isinstance(g, np.ndarray):
        y = np.empty_like(x)
        call.soft_cross_entropy_vjp(np.ascontiguousarray(g), x, p, _work_of(x), y)
        return y
    return expand_reduced(g, x.shape, 1, False) * (softmax(x, 1) * sum(p, 1, True) - p)


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
    if is_floating(target.dtype):
        return _soft_cross_entropy(x, target, weight, reduction, label_smoothing)
    if _fusable(_bare(x), _bare(target), _bare(weight)):
        return fused_cross_entropy(x, target, weight, reduction, ignore_index, label_smoothing)
    logs = log_softmax(x, 0 if len(x.shape) == 1 else 1)
    given = _bare(target), _bare(weight)
    return _of_logs(logs, *given, reduction, ignore_index, label_smoothing)


def _soft_cross_entropy(x: Any, target: Any, weight: Any, reduction: str, smoothing: float) -> Any:
    if tuple(target.shape) != tuple(x.shape):
        raise ShapeError(
            f"cross_entropy got probabilities of shape {tuple(target.shape)} for x of shape "
            f"{tuple(x.shape)}: the shapes must be equal"
        )
    axis = 0 if len(x.shape) == 1 else 1
    _check_weight(weight, x.shape[axis])
    if smoothing:
        target = target * (1.0 - smoothing) + smoothing / x.shape[axis]
    if weight is not None:
        target = target * weight.reshape((-1,) + (1,) * (len(x.shape) - axis - 1))
    if len(x.shape) == 2:
        losses = soft_cross_entropy(x, target)
    else:
        losses = -sum(target * log_softmax(x, axis), axis)
    if reduction == "mean":  # over samples, not over weights
        return losses.sum() / max(1, _bare(losses).size)
    return reduce(losses, reduction)


def mse_loss(x: Any, target: Any, reduction: str = "mean") -> Any:
    """(x - target)², averaged over all elements."""
    difference = x - target
    return reduce(difference * difference, reduction)
