"""Adagrad: steps scaled by the sum of all squared gradients so far."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from autograd_core import ops

from . import rates
from .optimizer import Array, Group, Optimizer, Slots, regularised


class Adagrad(Optimizer):
    """G ← G + g²,  w ← w - lr / (1 + (t - 1) η) g / (√G + eps)  at step t, with η = lr_decay.

    Duchi, Hazan and Singer, Adaptive subgradient methods (2011). G starts, before the first step,
    at initial_accumulator_value.
    """

    elementwise = True
    kernel = "adagrad"

    def __init__(
        self,
        params: Iterable[Any],
        lr: Any = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        super().__init__(params, rates.given(locals()))
        for group in self.param_groups:
            for parameter in group["params"]:
                self._started(parameter, group)

    def check(self, group: Group) -> None:
        rates.not_negative(
            "Adagrad", group, "lr", "lr_decay", "weight_decay", "initial_accumulator_value", "eps"
        )

    def init(self, w: Array, group: Group) -> Slots:
        return {"step": 0, "sum": np.full_like(w, group["initial_accumulator_value"])}

    def rule(self, w: Array, g: Array, s: Slots, group: Group) -> Array:
        w, g = regularised(w, g, group)
        s["step"] = t = s["step"] + 1
        s["sum"] = total = s["sum"] + g * g
        lr = _rate(t, group)
        return w - lr * g / (ops.sqrt(total) + group["eps"])

    def columns(self, group: Group) -> Sequence[str] | None:
        return ("sum",)

    def arguments(self, s: Slots, group: Group) -> tuple[float | bool, ...]:
        s["step"] = t = s["step"] + 1
        eps, decay = float(group["eps"]), float(group["weight_decay"])
        return _rate(t, group), eps, decay, bool(group["maximize"])


def _rate(t: int, group: Group) -> float:
    return group["lr"] / (1 + (t - 1) * group["lr_decay"])
