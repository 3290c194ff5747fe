"""RAdam: Adam that waits until its average of squares can be trusted."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from autograd_core import ops

from . import rates
from .optimizer import Array, Group, Optimizer, Slots, regularised


class RAdam(Optimizer):
    """w ← w - lr r m̂ / √v̂  with Adam's m̂ and v̂ at step t, and  w ← w - lr m̂  while ρₜ ≤ 5.

    ρ∞ = 2 / (1 - b2) - 1,  ρₜ = ρ∞ - 2 t b2ᵗ / (1 - b2ᵗ)  and
    r² = (ρₜ - 4) (ρₜ - 2) ρ∞ / ((ρ∞ - 4) (ρ∞ - 2) ρₜ).  eps is added to the root of v, before
    its correction.  Liu et al., On the variance of the adaptive learning rate (2020), algorithm 2.
    """

    elementwise = True

    def __init__(
        self,
        params: Iterable[Any],
        lr: Any = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        super().__init__(params, rates.given(locals()))

    def check(self, group: Group) -> None:
        rates.not_negative("RAdam", group, "lr", "eps", "weight_decay")
        rates.two_decays("RAdam", group, "betas")

    def init(self, w: Array, group: Group) -> Slots:
        return {"step": 0, "exp_avg": np.zeros_like(w), "exp_avg_sq": np.zeros_like(w)}

    def rule(self, w: Array, g: Array, s: Slots, group: Group) -> Array:
        b1, b2 = group["betas"]
        w, g = regularised(w, g, group)
        s["step"] = t = s["step"] + 1
        s["exp_avg"] = m = b1 * s["exp_avg"] + (1 - b1) * g
        s["exp_avg_sq"] = v = b2 * s["exp_avg_sq"] + (1 - b2) * g * g
        d = group["lr"] / (1 - b1**t) * m
        end = 2 / (1 - b2) - 1
        rho = end - 2 * t * b2**t / (1 - b2**t)
        if rho > 5:
            r = ((rho - 4) * (rho - 2) * end / ((end - 4) * (end - 2) * rho)) ** 0.5
            d = r * (1 - b2**t) ** 0.5 * d / (ops.sqrt(v) + group["eps"])
        return w - d
