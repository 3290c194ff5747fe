"""Stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from . import rates
from .optimizer import Array, Group, Optimizer, Slots, regularised


class SGD(Optimizer):
    """m ← μ m + (1 - τ) g,  w ← w - lr m;  with nesterov  w ← w - lr (g + μ m).

    μ is the momentum and τ the dampening. The first m is g itself; without momentum m is g.

    With velocity=True the rate stands inside the average, as in Sutskever et al. (2013), eq. 1-4:
    v ← μ v - lr (1 - τ) g,  w ← w + v;  with nesterov  w ← w + μ v - lr g.  At a constant rate
    v = -lr m and the path is the same; after a change of the rate v keeps the old one in its
    memory, while m is scaled at once. PyTorch has the first form only.
    """

    elementwise = True
    kernel = "sgd"

    def __init__(
        self,
        params: Iterable[Any],
        lr: Any = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
        fused: bool | None = None,
        velocity: bool = False,
    ) -> None:
        super().__init__(params, rates.given(locals()))

    def check(self, group: Group) -> None:
        rates.not_negative("SGD", group, "lr", "momentum", "weight_decay")
        if group["nesterov"] and (group["momentum"] <= 0 or group["dampening"] != 0):
            raise ValueError(
                f"SGD got nesterov=True with momentum={group['momentum']} and "
                f"dampening={group['dampening']}: it needs momentum above 0 and dampening 0"
            )

    def init(self, w: Array, group: Group) -> Slots:
        return {"momentum_buffer": None}

    def rule(self, w: Array, g: Array, s: Slots, group: Group) -> Array:
        w, g = regularised(w, g, group)
        lr, momentum, m = group["lr"], group["momentum"], s["momentum_buffer"]
        if not momentum:
            return w - lr * g
        if group["velocity"]:
            g = -lr * g
        s["momentum_buffer"] = m = g if m is None else momentum * m + (1 - group["dampening"]) * g
        d = g + momentum * m if group["nesterov"] else m
        return w + d if group["velocity"] else w - lr * d

    def columns(self, group: Group) -> Sequence[str] | None:
        if group["velocity"]:
            return None
        return ("momentum_buffer",) if group["momentum"] else ()

    def arguments(self, s: Slots, group: Group) -> tuple[float | bool, ...]:
        return (
            *(float(group[name]) for name in ("lr", "momentum", "dampening", "weight_decay")),
            bool(group["nesterov"]),
            bool(group["maximize"]),
        )
