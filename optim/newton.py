"""Newton's method: to the minimum of the quadratic that fits the loss at the parameters.

The closure of `step` returns the loss and leaves backward() to the optimiser. The Hessian of M
parameters takes M walks over the graph, M² numbers and O(M³) to solve: for small models.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from autograd_core.errors import LinAlgError

from . import rates
from .optimizer import Array, Closure, Group
from .vector import Expansion, VectorOptimizer, check_levenberg, levenberg


class Newton(VectorOptimizer):
    """w ← w - lr H⁻¹ g; with lr below 1 the lectures call it damped.

    It goes to the nearest stationary point, which is a minimum only where H is positive definite.
    """

    def __init__(self, params: Iterable[Any], lr: Any = 1.0) -> None:
        super().__init__(params, rates.given(locals()))

    def check(self, group: Group) -> None:
        rates.not_negative("Newton", group, "lr")

    def step(self, closure: Closure | None = None) -> Any:
        at = Expansion(self, closure)
        d = _solved("Newton", at.hessian(), at.g)
        at.vector.write(at.vector.read() - self.plain()["lr"] * d)
        return at.loss


class DampedNewton(VectorOptimizer):
    """w ← w - lr (H + λ I)⁻¹ g, with a damping λ that makes it go down.

    λ grows until H + λ I is positive definite and the loss does not rise, and shrinks after every
    step taken: between gradient descent with rate 1/λ and Newton's method.
    Levenberg, A method for the solution of certain non-linear problems (1944).
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: Any = 1.0,
        damping: float = 1e-3,
        *,
        increase: float = 10.0,
        decrease: float = 0.1,
        max_tries: int = 20,
    ) -> None:
        super().__init__(params, rates.given(locals()))

    def check(self, group: Group) -> None:
        check_levenberg("DampedNewton", group)

    def step(self, closure: Closure | None = None) -> Any:
        at = Expansion(self, closure)
        h = at.hessian().astype(np.float64, copy=False)

        def direction(damping: float) -> Array | None:
            damped = h + damping * np.eye(len(h))
            try:
                np.linalg.cholesky(damped)
            except np.linalg.LinAlgError:
                return None
            return -np.linalg.solve(damped, at.g)

        def loss_at(w: Array) -> float:
            return self.loss_at(closure, at.vector, w)

        levenberg(self, at.vector, at.value, direction, loss_at)
        return at.loss


class MiniBatchNewton(VectorOptimizer):
    """w ← w - lr (H̄ + λ I)⁻¹ g, where g and H are those of the batch that the closure looks at.

    H̄ ← b H̄ + (1 - b) H  with b = decay, divided by 1 - bᵗ at step t, averages over batches; with
    decay=0 it is the H of the batch. The damping λ makes it solvable where a batch says nothing.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: Any = 1.0,
        damping: float = 1e-3,
        decay: float = 0.9,
    ) -> None:
        super().__init__(params, rates.given(locals()))

    def check(self, group: Group) -> None:
        rates.not_negative("MiniBatchNewton", group, "lr", "damping")
        rates.two_decays("MiniBatchNewton", {"decay": (0, group["decay"])}, "decay")

    def step(self, closure: Closure | None = None) -> Any:
        at, rate, s = Expansion(self, closure), self.plain(), self.slots()
        b, h = rate["decay"], at.hessian()
        s["step"] = t = s.get("step", 0) + 1
        s["hessian"] = mean = b * s.get("hessian", 0.0) + (1 - b) * h
        damped = mean / (1 - b**t) + rate["damping"] * np.eye(len(h), dtype=h.dtype)
        d = _solved("MiniBatchNewton", damped, at.g)
        at.vector.write(at.vector.read() - rate["lr"] * d)
        return at.loss


def _solved(who: str, h: Array, g: Array) -> Array:
    """Return H⁻¹ g, in float64 whatever the parameters are."""
    try:
        return np.linalg.solve(h.astype(np.float64, copy=False), g)
    except np.linalg.LinAlgError as error:
        raise LinAlgError(
            f"{who} got a singular Hessian of shape {h.shape}: "
            "the loss does not depend on some direction; DampedNewton can go on there"
        ) from error
