"""SAM: the gradient of the worst loss nearby, for another optimiser to follow."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from autograd_core import Tensor, versions

from . import rates
from .optimizer import Array, Closure, Group, Optimizer, Slots

TINY = 1e-12  # beside |g|, so that no gradient is no step


class SAM(Optimizer):
    """e = rho g / |g|;  a step of the base optimiser from w, by the gradient at w + e.

    |g| is over all parameters. With adaptive=True  e = rho w² g / |w g|, which does not mind the
    scale of a parameter (Kwon et al., ASAM, 2021). Foret et al., Sharpness-aware minimization
    (2021), algorithm 1.

    `step(closure)` calls the closure twice, or two of them: step(closure, second). It computes
    the loss and calls backward(). Without closures: backward(), first_step(), zero_grad(),
    backward(), second_step().
    """

    def __init__(
        self,
        params: Iterable[Any],
        base_optimizer: type[Optimizer],
        rho: float = 0.05,
        adaptive: bool = False,
        **rates_of_base: Any,
    ) -> None:
        if not isinstance(base_optimizer, type) or not issubclass(base_optimizer, Optimizer):
            raise TypeError(
                f"SAM got base_optimizer={base_optimizer!r}: it needs a class, such as optim.SGD"
            )
        self.base = base_optimizer(params, **rates_of_base)
        self._places: dict[Tensor, Array] = {}  # where parameters were before first_step
        own = {"rho": rho, "adaptive": adaptive}
        super().__init__(self.base.param_groups, self.base.defaults | own)
        self.base.param_groups, self.base.state = self.param_groups, self.state

    def check(self, group: Group) -> None:
        rates.not_negative("SAM", group, "rho")
        self.base.check(group)

    def init(self, w: Array, group: Group) -> Slots:
        return self.base.init(w, group)

    def step(self, closure: Closure | None = None, second: Closure | None = None) -> Any:
        loss = self.evaluate(closure)
        self.first_step()
        try:
            self.zero_grad()
            self.evaluate(second or closure)
        except BaseException:
            self._return()
            raise
        self.second_step()
        return loss

    def first_step(self, zero_grad: bool = False) -> None:
        """Go from w to w + e, by the gradients that stand in `.grad`."""
        if self._places:
            raise RuntimeError("SAM.first_step() was called twice: second_step() comes after it")
        pulls = [
            (p, p._array * p._array if group["adaptive"] else None, group["rho"])
            for group in self.param_groups
            for p in group["params"]
            if p._grad is not None
        ]
        with np.errstate(all="ignore"):
            size = sum(_square(p, weight) for p, weight, _ in pulls) ** 0.5
            for p, weight, rho in pulls:
                self._places[p] = p._array.copy()
                pull = p._grad._array if weight is None else weight * p._grad._array
                p._array[...] += rho / (size + TINY) * pull
                versions.touch(p._array)
        if zero_grad:
            self.zero_grad()

    def second_step(self, zero_grad: bool = False) -> None:
        """Go back to w and let the base optimiser step by the gradients of w + e."""
        if not self._places and any(p._grad is not None for p in self._all()):
            raise RuntimeError("SAM.second_step() needs a first_step() before it")
        self._return()
        self.base.step()
        if zero_grad:
            self.zero_grad()

    def _all(self) -> list[Any]:
        return [p for group in self.param_groups for p in group["params"]]

    def _return(self) -> None:
        for p, w in self._places.items():
            p._array[...] = w
            versions.touch(p._array)
        self._places.clear()


def _square(p: Any, weight: Array | None) -> float:
    """Return |g|² of one parameter, or |w g|² where it is weighted."""
    g = p._grad._array.astype(np.float64)
    return float((g * g).sum() if weight is None else (weight * g * g).sum())
