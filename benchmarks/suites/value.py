"""The scalar Value on the two moons: one full-batch step of a 2-16-16-1 network.

Loss: the mean of relu(1 - label * score), and 1e-4 times the sum of squared parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import pairwise
from operator import mul
from typing import Any

import numpy as np

from benchmarks.case import OURS, Case, Job, Prepare, control

SIZES = [2, 16, 16, 1]
DECAY = 1e-4

# Value, or the peer's Scalar: whatever turns a float into a number that remembers.
Number = Callable[[float], Any]


def moons(points: int, noise: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Two interleaved half circles: x of shape (points, 2), labels +1 and -1."""
    angle = np.linspace(0.0, np.pi, points // 2)
    upper = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    lower = np.array([1.0, 0.5]) - upper
    x = np.concatenate([upper, lower]) + rng.normal(0.0, noise, (2 * len(angle), 2))
    return x, np.repeat([-1.0, 1.0], len(angle))


def total(numbers: Iterable[Any], start: Any = 0.0) -> Any:
    return sum(numbers, start)


class Network:
    """ReLU neurons with a linear one at the end; weights uniform in [-1, 1], biases zero."""

    def __init__(self, number: Number, rng: np.random.Generator) -> None:
        self.layers = [
            [
                ([number(w) for w in rng.uniform(-1.0, 1.0, inputs).tolist()], number(0.0))
                for _ in range(outputs)
            ]
            for inputs, outputs in pairwise(SIZES)
        ]

    def parameters(self) -> list[Any]:
        return [p for layer in self.layers for weights, bias in layer for p in (*weights, bias)]

    def score(self, x: list[Any]) -> Any:
        for layer in self.layers:
            sums = [total(map(mul, weights, x), bias) for weights, bias in layer]
            x = sums if layer is self.layers[-1] else [s.relu() for s in sums]
        return x[0]


def step_on(number: Number, points: int) -> Job:
    rng = np.random.default_rng(0)
    data, labels = (array.tolist() for array in moons(points, 0.1, rng))
    network = Network(number, rng)
    parameters = network.parameters()

    def step() -> Any:
        scores = [network.score([number(a) for a in x]) for x in data]
        margins = [(1.0 + -y * s).relu() for y, s in zip(labels, scores, strict=True)]
        loss = total(margins) * (1.0 / points) + DECAY * total(p * p for p in parameters)
        for p in parameters:
            p.grad = 0.0
        loss.backward()
        return loss

    return Job(step, answer=lambda: [step().data, *(p.grad for p in parameters)])


def ours(points: int) -> Prepare:
    def prepare() -> Job:
        from autograd_core import Value

        return step_on(Value, points)

    return prepare


def micrograd(points: int) -> Prepare:
    def prepare() -> Job:
        from benchmarks.peers.scalar_closures import Scalar

        return step_on(Scalar, points)

    return prepare


def step_case(points: int, max_ratio: float | None = None, stretch: float | None = None) -> Case:
    return Case(
        f"step, {points} points",
        {OURS: ours(points), "micrograd": micrograd(points)},
        max_ratio=max_ratio,
        stretch=stretch,
        rtol=1e-9,
        quick=points <= 10,
    )


CASES = [
    control("micrograd"),
    step_case(10),
    step_case(100, max_ratio=0.7, stretch=0.5),
]
