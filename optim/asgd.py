"""ASGD: gradient descent whose iterates are averaged."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from . import rates
from .optimizer import Array, Group, Optimizer, Slots, regularised


class ASGD(Optimizer):
    """w ← (1 - λ η) w - η g,  a ← a + μ (w - a)  with λ = lambd; then at step t
    η ← lr / (1 + λ lr t)^alpha  and  μ ← 1 / max(1, t - t0).

    The average a is in the state, as "ax": it follows w itself until step t0.
    Polyak and Juditsky, Acceleration of stochastic approximation by averaging (1992).
    """

    elementwise = True

    def __init__(
        self,
        params: Iterable[Any],
        lr: Any = 1e-2,
        lambd: float = 1e-4,
        alpha: float = 0.75,
        t0: float = 1e6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        super().__init__(params, rates.given(locals()))

    def check(self, group: Group) -> None:
        rates.not_negative("ASGD", group, "lr", "lambd", "alpha", "t0", "weight_decay")

    def init(self, w: Array, group: Group) -> Slots:
        return {"step": 0, "eta": float(group["lr"]), "mu": 1.0, "ax": np.zeros_like(w)}

    def rule(self, w: Array, g: Array, s: Slots, group: Group) -> Array:
        lr, lambd = group["lr"], group["lambd"]
        w, g = regularised(w, g, group)
        s["step"] = t = s["step"] + 1
        w = (1 - lambd * s["eta"]) * w - s["eta"] * g
        s["ax"] = w if s["mu"] == 1 else s["ax"] + s["mu"] * (w - s["ax"])
        s["eta"] = lr / (1 + lambd * lr * t) ** group["alpha"]
        s["mu"] = 1 / max(1, t - group["t0"])
        return w
