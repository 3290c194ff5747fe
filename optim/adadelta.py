"""Adadelta: steps in the units of the parameters."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from autograd_core import ops

from . import rates
from .optimizer import Array, Group, Optimizer, Slots, regularised


class Adadelta(Optimizer):
    """v ← ρ v + (1 - ρ) g²,  d = √(u + eps) / √(v + eps) g,  u ← ρ u + (1 - ρ) d²,  w ← w - lr d.

    Zeiler, ADADELTA (2012), algorithm 1.
    """

    elementwise = True

    def __init__(
        self,
        params: Iterable[Any],
        lr: Any = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        capturable: bool = False,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        super().__init__(params, rates.given(locals()))

    def check(self, group: Group) -> None:
        rates.not_negative("Adadelta", group, "lr", "eps", "weight_decay")
        rates.share("Adadelta", group, "rho")

    def init(self, w: Array, group: Group) -> Slots:
        return {"step": 0, "square_avg": np.zeros_like(w), "acc_delta": np.zeros_like(w)}

    def rule(self, w: Array, g: Array, s: Slots, group: Group) -> Array:
        rho, eps = group["rho"], group["eps"]
        w, g = regularised(w, g, group)
        s["step"] += 1
        s["square_avg"] = v = rho * s["square_avg"] + (1 - rho) * g * g
        d = ops.sqrt(s["acc_delta"] + eps) / ops.sqrt(v + eps) * g
        s["acc_delta"] = rho * s["acc_delta"] + (1 - rho) * d * d
        return w - group["lr"] * d
