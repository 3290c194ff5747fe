"""Gauss-Newton for sums of squares: curvature from first derivatives alone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

import autograd_core as ag
from autograd_core import Tensor

from . import rates
from .optimizer import Array, Closure, Group
from .vector import Vector, VectorOptimizer, check_levenberg, differentiated, levenberg


class GaussNewton(VectorOptimizer):
    """w ← w + lr d  with the d that minimises |r + J d|² for the residuals r of the closure.

    The closure of `step` returns r, a tensor or several, and `step` the loss |r|² / 2 before it.
    J has one row for each residual and costs a walk for each. With damping λ > 0 d minimises
    |r + J d|² + λ |d|², and λ adapts so that the loss does not rise: the method of Levenberg and
    Marquardt. With damping=0 every step is taken, and of all d the shortest.
    Nocedal and Wright, section 10.3.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: Any = 1.0,
        damping: float = 0.0,
        *,
        increase: float = 10.0,
        decrease: float = 0.1,
        max_tries: int = 20,
    ) -> None:
        super().__init__(params, rates.given(locals()))

    def check(self, group: Group) -> None:
        rates.not_negative("GaussNewton", group, "lr", "damping")
        if group["damping"]:
            check_levenberg("GaussNewton", group)

    def step(self, closure: Closure | None = None) -> Any:
        vector, rate = self.vector(), self.plain()
        residuals = _listed(self.evaluate(closure))
        j = self._jacobian(vector, residuals)
        r = np.concatenate([x._array.reshape(-1) for x in residuals]).astype(np.float64)

        def direction(damping: float) -> Array:
            rows = np.concatenate([j, damping**0.5 * np.eye(j.shape[1])])
            return -np.linalg.lstsq(rows, np.concatenate([r, np.zeros(j.shape[1])]))[0]

        def loss_at(w: Array) -> float:
            vector.write(w)
            return _half_square(_listed(self.evaluate(closure)))

        value = _half_square(residuals)
        if rate["damping"]:
            levenberg(self, vector, value, direction, loss_at)
        else:
            vector.write(vector.read() + rate["lr"] * direction(0.0))
        return ag.tensor(value, dtype=vector.dtype)

    def _jacobian(self, vector: Vector, residuals: list[Tensor]) -> Array:
        rows: list[Array] = []
        for r in residuals:
            for i in range(r.numel()):
                unit = np.zeros_like(r._array)
                unit.reshape(-1)[i] = 1
                row = differentiated(self, vector, [r], [Tensor._wrap(unit)], retain_graph=True)
                rows.append(vector.joined([g._array for g in row]))
        return np.stack(rows).astype(np.float64)


def _listed(residuals: Any) -> list[Tensor]:
    found: list[Any] = [*residuals] if isinstance(residuals, (tuple, list)) else [residuals]
    if not found or not all(isinstance(r, Tensor) and r.numel() for r in found):
        raise TypeError(
            f"GaussNewton.step() got {residuals!r} from its closure: it needs the residuals, "
            "a tensor or several, not empty"
        )
    return found


def _half_square(residuals: list[Tensor]) -> float:
    return sum(float((r._array.astype(np.float64) ** 2).sum()) for r in residuals) / 2
