"""Derivatives of functions, checkpoints and observing, each beside what it is measured by."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from itertools import pairwise
from typing import Any

import numpy as np

from benchmarks.case import OURS, Case, Job, Prepare, control

LIBRARIES = {OURS: "autograd_core", "torch": "torch"}
SIZES, BATCH = [64, 256, 256, 10], 64
WIDE = [784, 512, 512, 10], 128

Build = Callable[[Any], Job]  # from the library to a side of a case


class Network:
    """A tanh network and the mean square of its outputs: the same code for every library."""

    def __init__(self, library: Any, sizes: list[int] = SIZES, batch: int = BATCH) -> None:
        rng = np.random.default_rng(0)
        shapes = [shape for i, o in pairwise(sizes) for shape in ((i, o), (o,))]

        def draw(shape: tuple[int, ...], scale: float) -> Any:
            return library.tensor((scale * rng.standard_normal(shape)).tolist())

        self.parameters = tuple(draw(shape, shape[0] ** -0.5) for shape in shapes)
        self.directions = tuple(draw(shape, 1.0) for shape in shapes)
        self.x = draw((batch, sizes[0]), 1.0)

    def outputs(self, parameters: Any, x: Any) -> Any:
        *hidden, last = zip(parameters[::2], parameters[1::2], strict=True)
        for w, b in hidden:
            x = (x @ w + b).tanh()
        return x @ last[0] + last[1]

    def loss(self, *parameters: Any) -> Any:
        return (self.outputs(parameters, self.x) ** 2).mean()


def numbers(tensors: Any) -> list[float]:
    """The sum of each tensor: enough to see that two sides do the same."""
    return [float(t.sum()) for t in tensors]


def gradient(library: Any, sizes: list[int] = SIZES, batch: int = BATCH) -> Job:
    net = Network(library, sizes, batch)
    every = tuple(range(len(net.parameters)))
    call = library.func.grad(net.loss, argnums=every)
    return Job(lambda: call(*net.parameters), answer=lambda: numbers(call(*net.parameters)))


def hessian_product(library: Any, sizes: list[int] = SIZES, batch: int = BATCH) -> Job:
    """Forward over reverse, as it is written by hand where there is no hvp."""
    net = Network(library, sizes, batch)
    call = library.func.grad(net.loss, argnums=tuple(range(len(net.parameters))))

    def product() -> Any:
        if hasattr(library.func, "hvp"):
            return library.func.hvp(net.loss, net.parameters, net.directions)[1]
        return library.func.jvp(call, net.parameters, net.directions)[1]

    return Job(product, answer=lambda: numbers(product()))


def bare_gradient(library: Any) -> Job:
    return Job(gradient(library).call)


def jacobian(name: str) -> Build:
    def build(library: Any) -> Job:
        net = Network(library, [32, 64, 32], batch=1)
        call = getattr(library.func, name)(lambda x: net.outputs(net.parameters, x))
        return Job(lambda: call(net.x), answer=lambda: call(net.x).flatten().tolist())

    return build


def per_sample(library: Any) -> Job:
    net = Network(library, [16, 32, 4], batch=32)

    def one(parameters: Any, x: Any) -> Any:
        return (net.outputs(parameters, x) ** 2).sum()

    call = library.func.vmap(library.func.grad(one), in_dims=(None, 0))
    return Job(
        lambda: call(net.parameters, net.x), answer=lambda: numbers(call(net.parameters, net.x))
    )


DEPTH, ROOT, WIDTH = 64, 8, 32_768


def deep(segments: int) -> Build:
    """Forward and backward through a chain of tanh layers, cut into checkpointed segments."""

    def build(library: Any) -> Job:
        checkpoint = import_module("autograd_core.checkpoint")
        x = library.ones(WIDTH, requires_grad=True)
        layers = [lambda x: x.tanh()] * DEPTH

        def step() -> None:
            x.grad = None
            checkpoint.checkpoint_sequential(layers, segments, x).sum().backward()

        return Job(step)

    return build


def watched(watch: str) -> Build:
    """A chain of 100 products recorded inside observe() or detect_anomaly(), less outside."""

    def build(library: Any) -> Job:
        x = library.tensor([0.5, -1.5, 2.0, 0.25], requires_grad=True)
        w = library.tensor([1.0, 1.0, -1.0, 1.0])

        def chain() -> Any:
            y = x
            for _ in range(100):
                y = y * w
            return y

        enter = getattr(library.autograd, watch, None) or getattr(library, watch)

        def inside() -> Any:
            with enter():
                return chain()

        return Job(inside, chain)

    return build


def sides(build: Build, *names: str, **others: Build) -> dict[str, Prepare]:
    """The same job in each library; `others` are jobs of ours that it is compared with."""

    def prepare(module: str, build: Build) -> Prepare:
        return lambda: build(import_module(module))

    same = {name: prepare(LIBRARIES[name], build) for name in names}
    return same | {name: prepare(LIBRARIES[OURS], other) for name, other in others.items()}


CASES = [
    control("torch", "gradient", "plain"),
    Case("grad of an MLP", sides(gradient, OURS, "torch"), rtol=1e-4),
    Case(
        "hvp of an MLP in gradients",
        sides(hessian_product, OURS, gradient=bare_gradient),
        max_ratio=4.0,
    ),
    Case(
        "hvp of a wide MLP in gradients",
        sides(lambda ag: hessian_product(ag, *WIDE), OURS, gradient=lambda ag: Job(
            gradient(ag, *WIDE).call
        )),
        max_ratio=4.0,
        quick=False,
    ),
    Case("hvp of an MLP", sides(hessian_product, OURS, "torch"), rtol=1e-3),
    *(Case(f"{name} 32 to 32", sides(jacobian(name), OURS, "torch"), rtol=1e-4)
      for name in ("jacrev", "jacfwd")),
    Case("per-sample gradients of 32", sides(per_sample, OURS, "torch"), rtol=1e-4),
    # One forward more: of the three parts of a step (forward, and backward at twice that) a third.
    Case(
        f"{DEPTH} layers in {ROOT} segments",
        sides(deep(ROOT), OURS, plain=deep(1)),
        max_ratio=2.0,
    ),
    Case("observe(), more per op", sides(watched("observe"), OURS), per=100, max_us=1.0),
    Case("detect_anomaly(), more per op", sides(watched("detect_anomaly"), OURS), per=100),
]  # fmt: skip
