"""NAdam: Adam with Nesterov's momentum."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from autograd_core import ops

from . import rates
from .optimizer import Array, Group, Optimizer, Slots, regularised


class NAdam(Optimizer):
    """w ← w - lr ((1 - μₜ) g / (1 - Πₜ) + μₜ₊₁ m / (1 - Πₜ₊₁)) / (√v̂ + eps)  at step t.

    m, v and v̂ are Adam's; μₜ = b1 (1 - 0.96^(t ψ) / 2) with ψ = momentum_decay, and Πₜ is the
    product μ₁ ... μₜ.  Dozat, Incorporating Nesterov momentum into Adam (2016), algorithm 8.
    """

    elementwise = True

    def __init__(
        self,
        params: Iterable[Any],
        lr: Any = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        super().__init__(params, rates.given(locals()))

    def check(self, group: Group) -> None:
        rates.not_negative("NAdam", group, "lr", "eps", "weight_decay", "momentum_decay")
        rates.two_decays("NAdam", group, "betas")

    def init(self, w: Array, group: Group) -> Slots:
        return {
            "step": 0,
            "mu_product": 1.0,
            "exp_avg": np.zeros_like(w),
            "exp_avg_sq": np.zeros_like(w),
        }

    def rule(self, w: Array, g: Array, s: Slots, group: Group) -> Array:
        b1, b2 = group["betas"]
        w, g = regularised(w, g, group)
        s["step"] = t = s["step"] + 1
        mu = b1 * (1 - 0.5 * 0.96 ** (t * group["momentum_decay"]))
        mu_next = b1 * (1 - 0.5 * 0.96 ** ((t + 1) * group["momentum_decay"]))
        s["mu_product"] = product = s["mu_product"] * mu
        s["exp_avg"] = m = b1 * s["exp_avg"] + (1 - b1) * g
        s["exp_avg_sq"] = v = b2 * s["exp_avg_sq"] + (1 - b2) * g * g
        ahead = (1 - mu) / (1 - product) * g + mu_next / (1 - product * mu_next) * m
        return w - group["lr"] * ahead / (ops.sqrt(v / (1 - b2**t)) + group["eps"])
