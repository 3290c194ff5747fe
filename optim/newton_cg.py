"""Newton's method by products with the Hessian: no matrix, so also for larger models."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import inf, isfinite, sqrt
from typing import Any, NamedTuple

import numpy as np

from . import rates
from .linesearch import backtracking
from .optimizer import Array, Closure, Group
from .vector import Expansion, VectorOptimizer

ACCEPT, POOR, GOOD = 1e-4, 0.25, 0.75  # of the fall of the loss that the quadratic foretells


class NewtonCG(VectorOptimizer):
    """w ← w + d, where d goes towards the minimum of  g·d + d·H d / 2  by conjugate gradients.

    search="trust_region" keeps |d| within a radius that follows how well the quadratic foretells
    the loss, and goes to its edge along directions of negative curvature (Steihaug 1983; Nocedal
    and Wright, algorithms 4.1 and 7.2). search="line_search" takes d as far as it goes before
    negative curvature and halves it, from lr d on, until the loss falls enough (algorithm 7.1).

    Conjugate gradients stop at a residual of min(tolerance, √|g|) |g|, or after max_iter products
    (as many as parameters by default). The closure of `step` returns the loss and leaves
    backward() to the optimiser.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: Any = 1.0,
        max_iter: int | None = None,
        tolerance: float = 0.5,
        *,
        search: str = "trust_region",
        radius: float = 1.0,
        max_radius: float = 100.0,
        max_tries: int = 20,
    ) -> None:
        super().__init__(params, rates.given(locals()))

    def check(self, group: Group) -> None:
        rates.not_negative("NewtonCG", group, "lr", "tolerance", "max_tries")
        rates.positive("NewtonCG", group, "radius", "max_radius")
        rates.one_of("NewtonCG", group, "search", "trust_region", "line_search")
        if group["max_iter"] is not None:
            rates.positive("NewtonCG", group, "max_iter")

    def step(self, closure: Closure | None = None) -> Any:
        at, rate = Expansion(self, closure), self.plain()
        start = at.vector.read()

        def loss_at(w: Array) -> float:
            return self.loss_at(closure, at.vector, w)

        if not at.g.any() or not isfinite(at.value):  # nowhere to go, or nothing to compare with
            return at.loss
        if rate["search"] == "line_search":
            d = self._towards(at, rate, inf).d
            slope = float(at.g @ d)
            t = backtracking(
                lambda t: loss_at(start + t * d), at.value, slope, rate["lr"], rate["max_tries"]
            )
            at.vector.write(start + t * d)
        elif not self._within_region(at, rate, start, loss_at):
            at.vector.write(start)
        return at.loss

    def _towards(self, at: Expansion, rate: Group, radius: float) -> Found:
        size = float(np.linalg.norm(at.g))
        enough = min(rate["tolerance"], sqrt(size)) * size
        return conjugate_gradients(at.product, at.g, enough, rate["max_iter"] or len(at.g), radius)

    def _within_region(
        self, at: Expansion, rate: Group, start: Array, loss_at: Callable[[Array], float]
    ) -> bool:
        """Shrink the region until a step in it lowers the loss as foretold; tell whether one does.

        Far inside the region the radius stays; at its edge, after a good step, it doubles.
        """
        radius = rate["radius"]
        for _ in range(rate["max_tries"]):
            found = self._towards(at, rate, radius)
            foretold = -found.value
            ratio = (at.value - loss_at(start + found.d)) / foretold if foretold > 0 else 0.0
            if not ratio >= POOR:  # nan is poor as well
                radius = float(np.linalg.norm(found.d)) / 4
            elif ratio > GOOD and found.at_edge:
                radius = min(2 * radius, rate["max_radius"])
            self.group["radius"] = radius = max(radius, float(np.finfo(float).tiny))
            if ratio > ACCEPT:
                return True
        return False


class Found(NamedTuple):
    """A step, what the quadratic is there, and whether it ends at the edge of the region."""

    d: Array
    value: float
    at_edge: bool


def conjugate_gradients(
    product: Callable[[Array], Array], g: Array, enough: float, max_iter: int, radius: float = inf
) -> Found:
    """Minimise  g·d + d·H d / 2  in |d| ≤ radius until the residual H d + g is small enough.

    Without a region and with negative curvature in the first direction the step is -g.
    """
    d, curved = np.zeros_like(g), np.zeros_like(g)  # curved is H d
    r, p = g, -g
    for i in range(max_iter):
        hp = product(p)
        curvature, square = float(p @ hp), float(r @ r)
        if curvature <= 0 and radius == inf:
            d, curved = (p, hp) if i == 0 else (d, curved)
            break
        alpha = square / curvature if curvature > 0 else inf
        if curvature <= 0 or float(np.linalg.norm(d + alpha * p)) >= radius:
            tau = _to_edge(d, p, radius)
            d, curved = d + tau * p, curved + tau * hp
            return Found(d, float(g @ d + d @ curved / 2), at_edge=True)
        d, curved, r = d + alpha * p, curved + alpha * hp, r + alpha * hp
        new = float(r @ r)
        if sqrt(new) <= enough:
            break
        p = new / square * p - r
    return Found(d, float(g @ d + d @ curved / 2), at_edge=False)


def _to_edge(d: Array, p: Array, radius: float) -> float:
    """Return the τ ≥ 0 with |d + τ p| = radius."""
    a, b, c = float(p @ p), float(d @ p), float(d @ d) - radius * radius
    return (sqrt(max(b * b - a * c, 0.0)) - b) / a
