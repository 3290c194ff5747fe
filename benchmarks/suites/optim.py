"""Steps of optimisers that call their closure: LBFGS and Newton's methods on a quadratic."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from benchmarks.case import OURS, Case, Job, control
from benchmarks.updates import LIBRARIES, Build, parameters, sides


def minimise(name: str, **rates: Any) -> Build:
    """A step that calls its closure, on a quadratic of 100 numbers in 10 parameters."""

    def build(side: str) -> Job:
        params = parameters(side, [(10,)] * 10)
        optimizer = getattr(import_module(LIBRARIES[side][1]), name)(params, **rates)

        def loss() -> Any:
            return sum(((i + 1) * p * p).sum() for i, p in enumerate(params))

        def closure() -> Any:
            value = loss()
            if name == "LBFGS":
                optimizer.zero_grad()
                value.backward()
            return value

        start = [p.detach().clone() for p in params]

        def again() -> None:
            for p, w in zip(params, start, strict=True):
                p.data.copy_(w)
            optimizer.state.clear()
            optimizer.step(closure)

        return Job(again)

    return build


CASES = [
    control("torch"),
    Case("LBFGS", sides(minimise("LBFGS"), OURS, "torch"), max_ratio=1.0),
    Case("Newton, 100 numbers", sides(minimise("Newton"), OURS)),
    Case("NewtonCG, 100 numbers", sides(minimise("NewtonCG"), OURS)),
]
