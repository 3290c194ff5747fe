"""Adam: steps scaled by running averages of the gradient and of its square."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from autograd_core import ops

from . import rates
from .optimizer import Array, Group, Optimizer, Slots, regularised


class Adam(Optimizer):
    """m ← b1 m + (1 - b1) g,  v ← b2 v + (1 - b2) g²,  w ← w - lr m̂ / (√v̂ + eps).

    m̂ = m / (1 - b1ᵗ) and v̂ = v / (1 - b2ᵗ) at step t; with amsgrad v̂ comes from the largest v.
    Kingma and Ba, Adam (2015), algorithm 1; Reddi et al., On the convergence of Adam (2018).
    """

    elementwise = True
    kernel = "adam"

    def __init__(
        self,
        params: Iterable[Any],
        lr: Any = 1e-3,
        betas: tuple[Any, Any] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        decoupled_weight_decay: bool = False,
    ) -> None:
        super().__init__(params, rates.given(locals()))

    def check(self, group: Group) -> None:
        who = type(self).__name__
        rates.not_negative(who, group, "lr", "eps", "weight_decay")
        rates.two_decays(who, group, "betas")

    def init(self, w: Array, group: Group) -> Slots:
        return {
            "step": 0,
            "exp_avg": np.zeros_like(w),
            "exp_avg_sq": np.zeros_like(w),
            "max_exp_avg_sq": np.zeros_like(w) if group["amsgrad"] else None,
        }

    def rule(self, w: Array, g: Array, s: Slots, group: Group) -> Array:
        b1, b2 = group["betas"]
        w, g = regularised(w, g, group)
        s["step"] = t = s["step"] + 1
        s["exp_avg"] = m = b1 * s["exp_avg"] + (1 - b1) * g
        s["exp_avg_sq"] = v = b2 * s["exp_avg_sq"] + (1 - b2) * g * g
        if group["amsgrad"]:
            largest = s["max_exp_avg_sq"]
            s["max_exp_avg_sq"] = v = v if largest is None else ops.maximum(largest, v)
        rate, c = _corrected(t, group)
        return w - rate * m / (ops.sqrt(v) / c + group["eps"])

    def columns(self, group: Group) -> Sequence[str] | None:
        return "exp_avg", "exp_avg_sq", "max_exp_avg_sq" if group["amsgrad"] else ""

    def arguments(self, s: Slots, group: Group) -> tuple[float | bool, ...]:
        s["step"] = t = s["step"] + 1
        (b1, b2), decay = group["betas"], float(group["weight_decay"])
        decoupled = bool(group["decoupled_weight_decay"])
        return (
            *(*_corrected(t, group), float(b1), float(b2), float(group["eps"])),
            0.0 if decoupled else decay,
            group["lr"] * decay if decoupled else 0.0,
            bool(group["amsgrad"]),
            bool(group["maximize"]),
        )


def _corrected(t: int, group: Group) -> tuple[float, float]:
    """Return lr / (1 - b1ᵗ) and √(1 - b2ᵗ): m and √v with their bias at step t."""
    b1, b2 = group["betas"]
    return group["lr"] / (1 - b1**t), (1 - b2**t) ** 0.5
