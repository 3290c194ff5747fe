"""Adamax: Adam with the largest gradient in place of the mean square."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from autograd_core import ops

from . import rates
from .optimizer import Array, Group, Optimizer, Slots, regularised


class Adamax(Optimizer):
    """m ← b1 m + (1 - b1) g,  u ← max(b2 u, |g| + eps),  w ← w - lr / (1 - b1ᵗ) m / u  at step t.

    Kingma and Ba, Adam (2015), algorithm 2.
    """

    elementwise = True

    def __init__(
        self,
        params: Iterable[Any],
        lr: Any = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        super().__init__(params, rates.given(locals()))

    def check(self, group: Group) -> None:
        rates.not_negative("Adamax", group, "lr", "eps", "weight_decay")
        rates.two_decays("Adamax", group, "betas")

    def init(self, w: Array, group: Group) -> Slots:
        return {"step": 0, "exp_avg": np.zeros_like(w), "exp_inf": np.zeros_like(w)}

    def rule(self, w: Array, g: Array, s: Slots, group: Group) -> Array:
        b1, b2 = group["betas"]
        w, g = regularised(w, g, group)
        s["step"] = t = s["step"] + 1
        s["exp_avg"] = m = b1 * s["exp_avg"] + (1 - b1) * g
        s["exp_inf"] = u = ops.maximum(b2 * s["exp_inf"], ops.abs(g) + group["eps"])
        return w - group["lr"] / (1 - b1**t) * m / u
