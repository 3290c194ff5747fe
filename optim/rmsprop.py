"""RMSprop: steps scaled by a running average of the squared gradient."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from autograd_core import ops

from . import rates
from .optimizer import Array, Group, Optimizer, Slots, regularised


class RMSprop(Optimizer):
    """v ← α v + (1 - α) g²,  d = g / (√v + eps),  w ← w - lr d.

    With momentum μ  b ← μ b + d  takes the place of d. With centered the running variance v - a²
    takes the place of v, where  a ← α a + (1 - α) g.  Hinton's lectures (2012), 6e; Graves,
    Generating sequences (2013), eq. 38-41.
    """

    elementwise = True
    kernel = "rmsprop"

    def __init__(
        self,
        params: Iterable[Any],
        lr: Any = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        super().__init__(params, rates.given(locals()))

    def check(self, group: Group) -> None:
        rates.not_negative("RMSprop", group, "lr", "alpha", "eps", "weight_decay", "momentum")

    def init(self, w: Array, group: Group) -> Slots:
        return {
            "step": 0,
            "square_avg": np.zeros_like(w),
            "momentum_buffer": np.zeros_like(w) if group["momentum"] else None,
            "grad_avg": np.zeros_like(w) if group["centered"] else None,
        }

    def rule(self, w: Array, g: Array, s: Slots, group: Group) -> Array:
        alpha, momentum = group["alpha"], group["momentum"]
        w, g = regularised(w, g, group)
        s["step"] += 1
        s["square_avg"] = v = alpha * s["square_avg"] + (1 - alpha) * g * g
        if group["centered"]:
            a = 0.0 if s["grad_avg"] is None else s["grad_avg"]
            s["grad_avg"] = a = alpha * a + (1 - alpha) * g
            v = v - a * a
        d = g / (ops.sqrt(v) + group["eps"])
        if momentum:
            b = s["momentum_buffer"]
            s["momentum_buffer"] = d = d if b is None else momentum * b + d
        return w - group["lr"] * d

    def columns(self, group: Group) -> Sequence[str] | None:
        mean = "grad_avg" if group["centered"] else ""
        return "square_avg", mean, "momentum_buffer" if group["momentum"] else ""

    def arguments(self, s: Slots, group: Group) -> tuple[float | bool, ...]:
        s["step"] += 1
        return (
            *(float(group[name]) for name in ("lr", "alpha", "eps", "weight_decay", "momentum")),
            bool(group["centered"]),
            bool(group["maximize"]),
        )
