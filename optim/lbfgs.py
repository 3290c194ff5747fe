"""L-BFGS: Newton's direction from the last few changes of the gradient."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from . import rates
from .linesearch import Point, strong_wolfe
from .optimizer import Array, Closure, Group, Slots
from .vector import Vector, VectorOptimizer

CURVED = 1e-10  # y·s above which a pair says something about the curvature


class LBFGS(VectorOptimizer):
    """w ← w + t d,  d = -B g,  where B maps each change y of the gradient to its step s.

    The pairs (y, s) of the last history_size steps make B, by two loops over them (Nocedal and
    Wright, algorithm 7.4). t is lr, or found by line_search_fn="strong_wolfe"; the very first t
    is shortened to 1/|g|₁. One call of `step` goes on for up to max_iter iterations and about
    max_eval calls of the closure, which computes the loss and calls backward().
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: Any = 1,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:
        if max_eval is None:
            max_eval = max_iter * 5 // 4
        super().__init__(params, rates.given(locals()))

    def check(self, group: Group) -> None:
        rates.not_negative("LBFGS", group, "lr", "max_iter", "max_eval", "history_size")
        rates.one_of("LBFGS", group, "line_search_fn", None, "strong_wolfe")

    def step(self, closure: Closure | None = None) -> Any:
        rate, s, vector = self.plain(), self.slots(), self.vector()
        first = self.evaluate(closure)
        here, evaluations, iteration = Point(0.0, float(first), vector.grads(), 0.0), 1, 0
        s["n_iter"], s["func_evals"] = s.get("n_iter", 0), s.get("func_evals", 0) + 1
        done = _largest(here.g) <= rate["tolerance_grad"]
        while not done and iteration < rate["max_iter"]:
            iteration, s["n_iter"] = iteration + 1, s["n_iter"] + 1
            remember(s, here.g, rate["history_size"])
            s["d"] = d = direction(s, here.g)
            s["t"] = rate["lr"]
            if s["n_iter"] == 1:
                s["t"] = rate["lr"] * min(1.0, 1.0 / float(np.abs(here.g).sum()))
            s["prev_flat_grad"], s["prev_loss"] = here.g, here.loss
            here = here._replace(t=0.0, slope=float(here.g @ d))
            if here.slope > -rate["tolerance_change"]:
                break
            last, left = iteration == rate["max_iter"], rate["max_eval"] - evaluations
            here, used = self._moved(closure, vector, here, s, rate, last, left)
            evaluations, s["func_evals"] = evaluations + used, s["func_evals"] + used
            done = (
                evaluations >= rate["max_eval"]
                or _largest(here.g) <= rate["tolerance_grad"]
                or _largest(s["t"] * d) <= rate["tolerance_change"]
                or abs(here.loss - s["prev_loss"]) < rate["tolerance_change"]
            )
        return first

    def _moved(
        self,
        closure: Closure | None,
        vector: Vector,
        here: Point,
        s: Slots,
        rate: Group,
        last: bool,
        left: int,
    ) -> tuple[Point, int]:
        """Go along d; return what is found there and how often the closure was called."""
        start, d = vector.read(), s["d"]

        def at(t: float) -> Point:
            vector.write(start + t * d)
            loss = float(self.evaluate(closure))
            g = vector.grads()
            return Point(t, loss, g, float(g @ d))

        if rate["line_search_fn"] is None:
            if last:  # nobody will ask for the loss there
                vector.write(start + s["t"] * d)
                return here, 0
            return at(s["t"]), 1
        change = rate["tolerance_change"]
        found, used = strong_wolfe(at, here, s["t"], _largest(d), change, left)
        vector.write(start + found.t * d)
        s["t"] = found.t
        return found, used


def remember(s: Slots, g: Array, size: int) -> None:
    """Add the last step and the change of the gradient over it to the history."""
    if "d" not in s:
        s["old_dirs"], s["old_stps"], s["ro"], s["H_diag"] = [], [], [], 1.0
        return
    y, step = g - s["prev_flat_grad"], s["d"] * s["t"]
    curvature = float(y @ step)
    if curvature > CURVED:
        for name, new in (("old_dirs", y), ("old_stps", step), ("ro", 1.0 / curvature)):
            s[name] = [*s[name], new][-size:] if size else []
        s["H_diag"] = curvature / float(y @ y)


def direction(s: Slots, g: Array) -> Array:
    """Return -B g by the two loops, from a multiple of the identity."""
    pairs: list[tuple[Array, Array, float]] = list(
        zip(s["old_dirs"], s["old_stps"], s["ro"], strict=True)
    )
    d, shares = -g, list[float]()
    for y, step, ro in reversed(pairs):
        shares.append(ro * float(step @ d))
        d = d - shares[-1] * y
    d = s["H_diag"] * d
    for (y, step, ro), share in zip(pairs, reversed(shares), strict=True):
        d = d + (share - ro * float(y @ d)) * step
    return d


def _largest(x: Array) -> float:
    return float(np.abs(x).max(initial=0.0))
