"""Activations, softmaxes, cross entropy and dropout: forward, and the cotangent of the input.

The same calls on either side, on tensors that need no gradient for forward; a cotangent is pulled
through a graph that is kept.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np

from benchmarks.case import OURS, Case, Job, Mean, Prepare

LIBRARIES = {OURS: ("autograd_core", "nn.functional"), "torch": ("torch", "torch.nn.functional")}
TARGETS = [Mean(group, "torch", 0.7) for group in ("activations", "softmax")]

Shape = tuple[int, ...]
Function = Callable[[Any, Any], Any]  # of nn.functional and x
SIZES: dict[str, Shape] = {"16 Ki": (1 << 14,), "1 Mi": (1 << 20,), "16 Mi": (1 << 24,)}
LARGEST = {"relu", "silu"}  # that are measured at the largest size
ROWS: list[Shape] = [(64, 10), (128, 1000), (32, 50000), (1024, 100)]
FLOAT = 4  # bytes
QUICK = 1 << 18  # elements

ELEMENTWISE: dict[str, Function] = {
    "relu": lambda F, x: F.relu(x),
    "tanh": lambda F, x: x.tanh(),
    "sigmoid": lambda F, x: x.sigmoid(),
    "gelu": lambda F, x: F.gelu(x),
    "gelu tanh": lambda F, x: F.gelu(x, approximate="tanh"),
    "silu": lambda F, x: F.silu(x),
    "softplus": lambda F, x: F.softplus(x),
    "elu": lambda F, x: F.elu(x),
    "exp": lambda F, x: x.exp(),
    "log": lambda F, x: x.log(),
}
SOFTMAXES: dict[str, Function] = {
    "softmax": lambda F, x: F.softmax(x, 1),
    "log_softmax": lambda F, x: F.log_softmax(x, 1),
}


def numbers(y: Any) -> list[float]:
    y = np.asarray(y.detach().numpy(), np.float64)
    return [float(y.flat[0]), float(y.flat[-1]), float(np.abs(y).sum())]


def draw(library: Any, shape: Shape, function: Function | None = None) -> list[Any]:
    """x, of either sign unless it is for a logarithm, and a cotangent."""
    rng = np.random.default_rng(0)
    x, g = (rng.standard_normal(shape, np.float32) for _ in "xg")
    x = np.exp(x) if function is ELEMENTWISE["log"] else x
    return [library.from_numpy(a).clone() for a in (x, g)]


def forward(library: Any, F: Any, function: Function, shape: Shape) -> Job:
    x, _ = draw(library, shape, function)
    return Job(lambda: function(F, x), answer=lambda: numbers(function(F, x)))


def vjp(library: Any, F: Any, function: Function, shape: Shape) -> Job:
    x, g = draw(library, shape, function)
    x.requires_grad_()
    y, grad = function(F, x), library.autograd.grad

    def call() -> Any:
        return grad(y, [x], [g], retain_graph=True)[0]

    return Job(call, answer=lambda: numbers(call()))


def cross_entropy(library: Any, F: Any, _: Function | None, shape: Shape) -> Job:
    """Forward and backward."""
    x, grad = draw(library, shape)[0].requires_grad_(), library.autograd.grad
    target = library.from_numpy(np.random.default_rng(1).integers(0, shape[1], shape[0]))

    def call() -> Any:
        return grad(F.cross_entropy(x, target), [x])[0]

    return Job(call, answer=lambda: numbers(call()))


def dropout(library: Any, F: Any, _: Function | None, shape: Shape) -> Job:
    """Forward; the masks differ, and what an element may be multiplied by does not."""
    x, _ = draw(library, shape)

    def answer() -> list[float]:
        return np.unique((F.dropout(x, 0.5, True) / x).numpy()).tolist()

    return Job(lambda: F.dropout(x, 0.5, True), answer=answer)


def case(
    name: str, build: Callable[..., Job], function: Function | None, shape: Shape, arrays: int,
    group: str,
) -> Case:  # fmt: skip
    """The row of a job that reads and writes so many arrays of this shape in all."""

    def prepare(side: str) -> Prepare:
        return lambda: build(*map(import_module, LIBRARIES[side]), function, shape)

    elements = math.prod(shape)
    return Case(
        name,
        {side: prepare(side) for side in LIBRARIES},
        max_ratio={"torch": 1.0},
        rtol=1e-4,
        quick=elements <= QUICK,
        moved=float(FLOAT * arrays * elements),
        group=group,
    )


CASES = [
    *(
        case(f"{name} {build.__name__}, {size}", build, f, shape, arrays, "activations")
        for name, f in ELEMENTWISE.items()
        for size, shape in SIZES.items()
        for build, arrays in ((forward, 2), (vjp, 3))
        if size != "16 Mi" or name in LARGEST
    ),
    case("dropout forward, 1 Mi", dropout, None, SIZES["1 Mi"], 2, "activations"),
    *(
        case(f"{name} {build.__name__}, {shape[0]}x{shape[1]}", build, f, shape, arrays, "softmax")
        for name, f in SOFTMAXES.items()
        for shape in ROWS
        for build, arrays in ((forward, 2), (vjp, 3))
    ),
    *(case(f"cross_entropy, {n}x{c}", cross_entropy, None, (n, c), 3, "softmax") for n, c in ROWS),
]
