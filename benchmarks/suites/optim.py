"""One step of an optimiser: on many small parameters, on one large, and on the vector of all."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np

from benchmarks.case import OURS, Case, Job, Prepare, control

LIBRARIES = {OURS: ("autograd_core", "optim"), "torch": ("torch", "torch.optim")}
SMALL, LARGE = [(4, 4)] * 50, [(1000, 1000)]

Build = Callable[[str], Job]  # from the side to its job


def parameters(side: str, shapes: list[tuple[int, ...]]) -> list[Any]:
    library = import_module(LIBRARIES[side][0])
    rng = np.random.default_rng(0)

    def draw(shape: tuple[int, ...]) -> Any:
        return library.from_numpy(rng.standard_normal(shape, np.float32)).clone()

    drawn = [(draw(shape).requires_grad_(), draw(shape)) for shape in shapes]
    for p, g in drawn:
        p.grad = g
    return [p for p, _ in drawn]


def step(name: str, shapes: list[tuple[int, ...]], **rates: Any) -> Build:
    """A step by gradients that stay the same."""

    def build(side: str) -> Job:
        params = parameters(side, shapes)
        if side == "torch":
            rates["foreach"] = True  # its quickest loop over many
        optimizer = getattr(import_module(LIBRARIES[side][1]), name)(params, **rates)

        def answer() -> list[float]:
            for _ in range(3):
                optimizer.step()
            return [float(p.detach().sum()) for p in params]

        return Job(optimizer.step, answer=answer)

    return build


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


def sides(build: Build, *names: str) -> dict[str, Prepare]:
    def prepare(side: str) -> Prepare:
        return lambda: build(side)

    return {name: prepare(name) for name in names}


RULES: list[tuple[str, dict[str, Any]]] = [
    ("SGD", {}),
    ("SGD", {"momentum": 0.9}),
    ("Adam", {}),
    ("AdamW", {}),
    ("RMSprop", {}),
    ("Adagrad", {}),
]


def rule_case(
    name: str, rates: dict[str, Any], shapes: list[tuple[int, ...]], what: str, **bounds: Any
) -> Case:
    shown = " ".join([name, *rates])
    build = step(name, shapes, lr=1e-3, **rates)
    return Case(f"{shown}, {what}", sides(build, OURS, "torch"), rtol=1e-3, **bounds)


CASES = [
    control("torch"),
    *(rule_case(*rule, SMALL, "50 parameters of 4x4", max_ratio=1.0) for rule in RULES),
    *(rule_case(*rule, LARGE, "1 of 1000x1000", stretch=1.0) for rule in RULES),
    Case("LBFGS", sides(minimise("LBFGS"), OURS, "torch"), max_ratio=1.0),
    Case("Newton, 100 numbers", sides(minimise("Newton"), OURS)),
    Case("NewtonCG, 100 numbers", sides(minimise("NewtonCG"), OURS)),
]
