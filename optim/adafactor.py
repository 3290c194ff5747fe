"""Adafactor: Adam's second average as an outer product of rows and columns."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from autograd_core import ops

from . import rates
from .optimizer import Array, Group, Optimizer, Slots


class Adafactor(Optimizer):
    """w ← w - α u / max(1, rms(u) / d)  with u = g / √v̂, at step t.

    α = min(lr, 1/√t) max(eps[1], rms(w)). A matrix keeps averages of g² over its columns, r, and
    over its rows, c, and v̂ = r c / mean(r); a vector keeps v itself. Each average moves by the
    share t^beta2_decay. w first shrinks by (1 - lr weight_decay). eps[0] bounds √v̂ and mean(r)
    from below; None is the precision of the dtype.
    Shazeer and Stern, Adafactor (2018), algorithm 4, 5.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: Any = 1e-2,
        beta2_decay: float = -0.8,
        eps: tuple[float | None, float] = (None, 1e-3),
        d: float = 1.0,
        weight_decay: float = 0.0,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, rates.given(locals()))

    def check(self, group: Group) -> None:
        rates.not_negative("Adafactor", group, "lr", "weight_decay")
        if not group["beta2_decay"] <= 0:
            raise ValueError(
                f"Adafactor got beta2_decay={group['beta2_decay']}: it must be 0 or less"
            )
        if not group["d"] >= 1:
            raise ValueError(f"Adafactor got d={group['d']}: it must be 1 or more")
        first, second = rates.pair("Adafactor", group, "eps")
        if not ((first is None or first >= 0) and second >= 0):
            raise ValueError(f"Adafactor got eps={group['eps']}: both must be 0 or more")

    def init(self, w: Array, group: Group) -> Slots:
        if w.ndim < 2:
            return {"step": 0, "variance": np.zeros_like(w)}
        return {
            "step": 0,
            "row_var": np.zeros_like(w[..., :1]),
            "col_var": np.zeros_like(w[..., :1, :]),
        }

    def rule(self, w: Array, g: Array, s: Slots, group: Group) -> Array:
        eps, lr = group["eps"], group["lr"]
        smallest = float(np.finfo(w.dtype).eps) if eps[0] is None else eps[0]
        if group["maximize"]:
            g = -g
        s["step"] = t = s["step"] + 1
        share = t ** group["beta2_decay"]
        alpha = min(lr, t**-0.5) * max(eps[1], _rms(w))
        if w.ndim < 2:
            s["variance"] = v = s["variance"] + share * (g * g - s["variance"])
        else:
            square = g * g
            s["row_var"] = r = _moved(s["row_var"], ops.mean(square, -1, keepdim=True), share)
            s["col_var"] = c = _moved(s["col_var"], ops.mean(square, -2, keepdim=True), share)
            v = r * c / ops.clamp_min(ops.mean(r, -2, keepdim=True), smallest)
        u = g / ops.sqrt(ops.clamp_min(v, smallest * smallest))
        w = (1 - lr * group["weight_decay"]) * w
        return w - alpha / max(1.0, _rms(u) / group["d"]) * u


def _moved(average: Array, new: Array, share: float) -> Array:
    return average + share * (new - average)


def _rms(x: Array) -> float:
    """The root of the mean square; 0 of nothing."""
    return float(ops.mean(x * x)) ** 0.5 if x.size else 0.0
