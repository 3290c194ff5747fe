"""Connectionist temporal classification: labels whose places in time are not known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd_core import DtypeError, ShapeError, Tensor, ops

from .demands import bare, check_reduction, combined, refuse_where

__all__ = ["ctc_loss"]

NEVER = -1e30  # the log of no probability: finite, so that a difference of two is no NaN

Lengths = Tensor | Sequence[int]


def ctc_loss(
    log_probs: Tensor,
    targets: Tensor,
    input_lengths: Lengths,
    target_lengths: Lengths,
    blank: int = 0,
    reduction: str = "mean",
    zero_infinity: bool = False,
) -> Tensor:
    """-log of the probability of all ways to spread the labels over time (Graves et al. 2006).

    log_probs is (T, N, C) or (T, C); targets (N, S), or all labels in one row. "mean" divides
    each loss by its number of labels first. A target that is too long for its input has
    probability 0: the loss is inf and the gradient not finite, or both are 0 with zero_infinity.
    """
    check_reduction("ctc_loss", reduction)
    x = log_probs.unsqueeze(1) if log_probs.ndim == 2 else log_probs
    if x.ndim != 3:
        raise ShapeError(
            f"ctc_loss got log_probs of shape {tuple(log_probs.shape)}: "
            "it needs (T, N, C) or (T, C)"
        )
    if x.dtype.kind != "f" or x.dtype.itemsize < 4:
        raise DtypeError(f"ctc_loss got log_probs of {x.dtype}: it needs float32 or float64")
    steps, count, labels = x.shape
    if not 0 <= blank < labels:
        raise ShapeError(f"ctc_loss got blank={blank}: it must be in [0, {labels})")
    times = _lengths("input_lengths", input_lengths, count, steps)
    sizes = _lengths("target_lengths", target_lengths, count, None)
    path = _path(_rows(targets, sizes, labels, blank), blank)
    log_likelihood = _forward(x, path, times, sizes, blank)
    never = log_likelihood < NEVER / 2
    if zero_infinity:
        losses = ops.where(never, 0.0, -log_likelihood)
    else:
        losses = -log_likelihood * ops.where(never, np.inf, 1.0).to(x.dtype)
    if reduction == "mean":
        losses = losses / np.maximum(sizes, 1).astype(x.dtype)
    return combined(losses if log_probs.ndim == 3 else losses[0], reduction)


def _lengths(name: str, lengths: Lengths, count: int, most: int | None) -> Any:
    """Return one length for each sample, as an array."""
    numbers = np.atleast_1d(bare(lengths))
    if numbers.dtype.kind not in "iu":
        raise DtypeError(f"ctc_loss got {name} of {numbers.dtype}: they must be integers")
    if numbers.shape != (count,):
        raise ShapeError(
            f"ctc_loss got {name} of shape {numbers.shape}: it needs one for each of the "
            f"{count} samples"
        )
    wrong = (numbers < 0) | (numbers > (numbers if most is None else most))
    needs = "0 or more" if most is None else f"in [0, {most}], the number of time steps"
    refuse_where("ctc_loss", name, numbers, wrong, needs)
    return numbers


def _rows(targets: Tensor, sizes: Any, labels: int, blank: int) -> Any:
    """Return the labels as an array with a row for each sample, blank after its last one."""
    if targets.dtype.kind not in "iu":
        raise DtypeError(f"ctc_loss got targets of {targets.dtype}: they must be class numbers")
    given = bare(targets)
    longest = int(sizes.max(initial=0))
    inside = np.arange(longest) < sizes[:, None]
    if given.ndim == 2 and (len(given) != len(sizes) or given.shape[1] < longest):
        raise ShapeError(
            f"ctc_loss got targets of shape {given.shape}: it needs {len(sizes)} rows, the "
            f"longest of {longest} labels"
        )
    alone = given.ndim == 1 and len(sizes) == 1 and len(given) >= longest
    if given.ndim != 2 and not alone and given.shape != (sizes.sum(),):
        raise ShapeError(
            f"ctc_loss got targets of shape {given.shape}: in one row it needs all "
            f"{sizes.sum()} labels"
        )
    rows = np.full(inside.shape, blank)
    rows[inside] = given[:, :longest][inside] if given.ndim == 2 else given[: sizes.sum()]
    wrong = inside & ((rows < 0) | (rows >= labels) | (rows == blank))
    needs = f"in [0, {labels}) and not the blank, {blank}"
    refuse_where("ctc_loss", "target", rows, wrong, needs, IndexError)
    return rows


def _path(rows: Any, blank: int) -> Any:
    """Return the labels with a blank before, between and after them: (N, 2 S + 1)."""
    path = np.full((len(rows), 2 * rows.shape[1] + 1), blank)
    path[:, 1::2] = rows
    return path


def _forward(x: Tensor, path: Any, times: Any, sizes: Any, blank: int) -> Tensor:
    """Return the log-likelihoods (N), by the sums of section 4.1 over places on the path.

    α(s) ← (α(s) + α(s - 1) + α(s - 2)) p(path[s]), the last term where it skips a blank between
    two labels that differ. Before the first step all probability is at the first place.
    """
    steps, count, _ = x.shape
    places = path.shape[1]
    skips = np.zeros(path.shape, bool)
    skips[:, 2:] = (path[:, 2:] != blank) & (path[:, 2:] != path[:, :-2])
    emitted = ops.clamp(x, NEVER).gather(2, np.broadcast_to(path, (steps, count, places)))
    alpha: Any = np.full(path.shape, NEVER, x.dtype)
    alpha[:, 0] = 0.0
    for t in range(steps):
        before = ops.pad(alpha, (2, 0), value=NEVER)
        two = ops.where(skips, before[:, :-2], NEVER)
        arriving = ops.logsumexp(ops.stack([before[:, 2:], before[:, 1:-1], two]), 0)
        alpha = ops.where(t < times[:, None], arriving + emitted[t], alpha)
    ends = np.stack([2 * sizes, np.maximum(2 * sizes - 1, 0)], 1)
    last = ops.gather(alpha, 1, ends)
    reached = np.stack([sizes >= 0, sizes > 0], 1)  # without labels there is one end only
    return ops.logsumexp(ops.where(reached, last, NEVER), 1)
