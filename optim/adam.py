"""Adam: steps scaled by running averages of the gradient and of its square."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from autograd_core import ops

from . import rates
from .optimizer import Array, Group, Optimizer, Slots


class Adam(Optimizer):
    """m ← b1 m + (1 - b1) g,  v ← b2 v + (1 - b2) g²,  w ← w - lr m̂ / (√v̂ + eps).

    m̂ = m / (1 - b1ᵗ) and v̂ = v / (1 - b2ᵗ) at step t; with amsgrad v̂ comes from the largest v.
    Kingma and Ba, Adam (2015), algorithm 1.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "amsgrad": amsgrad,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def check(self, group: Group) -> None:
        rates.not_negative("Adam", group, "lr", "eps", "weight_decay")
        rates.two_decays("Adam", group, "betas")

    def init(self, w: Array) -> Slots:
        return {
            "step": 0,
            "exp_avg": np.zeros_like(w),
            "exp_avg_sq": np.zeros_like(w),
            "max_exp_avg_sq": None,
        }

    def rule(self, w: Array, g: Array, s: Slots, group: Group) -> Array:
        b1, b2 = group["betas"]
        if group["maximize"]:
            g = -g
        if group["weight_decay"]:
            g = g + group["weight_decay"] * w
        s["step"] = t = s["step"] + 1
        s["exp_avg"] = m = b1 * s["exp_avg"] + (1 - b1) * g
        s["exp_avg_sq"] = v = b2 * s["exp_avg_sq"] + (1 - b2) * g * g
        if group["amsgrad"]:
            largest = s["max_exp_avg_sq"]
            s["max_exp_avg_sq"] = v = v if largest is None else ops.maximum(largest, v)
        root = ops.sqrt(v) / (1 - b2**t) ** 0.5
        return w - group["lr"] / (1 - b1**t) * m / (root + group["eps"])
