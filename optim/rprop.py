"""Rprop: steps whose size depends on the signs of the gradient alone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from autograd_core import ops

from . import rates
from .optimizer import Array, Group, Optimizer, Slots


class Rprop(Optimizer):
    """w ← w - η sign(g), with a step size η of its own for every element.

    η grows by etas[1] where g keeps its sign and shrinks by etas[0] where it changes, within
    step_sizes; where it changes, this step is left out and the next knows of no sign.
    Riedmiller and Braun, RPROP (1993), in the form of Igel and Hüsken (2000), without weight
    backtracking. lr is the first η.
    """

    elementwise = True

    def __init__(
        self,
        params: Iterable[Any],
        lr: Any = 1e-2,
        etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50),
        *,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        super().__init__(params, rates.given(locals()))

    def check(self, group: Group) -> None:
        rates.not_negative("Rprop", group, "lr")
        shrink, grow = rates.pair("Rprop", group, "etas")
        if not 0 < shrink < 1 < grow:
            raise ValueError(
                f"Rprop got etas={group['etas']}: it needs one in (0, 1) and one above 1"
            )
        smallest, largest = rates.pair("Rprop", group, "step_sizes")
        if not 0 <= smallest <= largest:
            raise ValueError(
                f"Rprop got step_sizes={group['step_sizes']}: it needs the smallest, from 0 on, "
                "and the largest"
            )

    def init(self, w: Array, group: Group) -> Slots:
        return {"step": 0, "prev": np.zeros_like(w), "step_size": np.full_like(w, group["lr"])}

    def rule(self, w: Array, g: Array, s: Slots, group: Group) -> Array:
        shrink, grow = group["etas"]
        if group["maximize"]:
            g = -g
        s["step"] += 1
        same = g * s["prev"]
        eta = s["step_size"] * ops.where(same > 0, grow, ops.where(same < 0, shrink, 1.0))
        s["step_size"] = eta = ops.clamp(eta, *group["step_sizes"])
        s["prev"] = g = ops.where(same < 0, 0.0, g)
        return w - eta * ops.sign(g)
