"""Stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from . import rates
from .optimizer import Array, Group, Optimizer, Slots


class SGD(Optimizer):
    """m ← μ m + (1 - τ) g,  w ← w - lr m;  with nesterov  w ← w - lr (g + μ m).

    μ is the momentum and τ the dampening. The first m is g itself; without momentum m is g.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "dampening": dampening,
            "weight_decay": weight_decay,
            "nesterov": nesterov,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def check(self, group: Group) -> None:
        rates.not_negative("SGD", group, "lr", "momentum", "weight_decay")
        if group["nesterov"] and (group["momentum"] <= 0 or group["dampening"] != 0):
            raise ValueError(
                f"SGD got nesterov=True with momentum={group['momentum']} and "
                f"dampening={group['dampening']}: it needs momentum above 0 and dampening 0"
            )

    def init(self, w: Array) -> Slots:
        return {"momentum_buffer": None}

    def rule(self, w: Array, g: Array, s: Slots, group: Group) -> Array:
        if group["maximize"]:
            g = -g
        if group["weight_decay"]:
            g = g + group["weight_decay"] * w
        if group["momentum"]:
            m = s["momentum_buffer"]
            m = +g if m is None else group["momentum"] * m + (1 - group["dampening"]) * g
            s["momentum_buffer"] = m
            g = g + group["momentum"] * m if group["nesterov"] else m
        return w - group["lr"] * g
