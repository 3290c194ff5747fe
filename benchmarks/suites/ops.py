"""Single ops on four floats: recording forward, walking backward, and long chains."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib import import_module
from typing import Any

import numpy as np

from benchmarks import large
from benchmarks.case import OURS, Case, Job, Prepare, control

LIBRARIES = {OURS: "autograd_core", "torch": "torch"}

# The same expression serves every library, since ours has PyTorch's habits.
Expression = Callable[[Any, Any], Any]

X, W = [0.5, -1.5, 2.0, 0.25], [1.01, 0.99, 1.0, -1.0]
SQUARE = np.linspace(-1.0, 1.0, 16).reshape(4, 4).tolist()

EXPRESSIONS: dict[str, Expression] = {
    "x * y": lambda x, y: x * y,
    "x + y": lambda x, y: x + y,
    "x - y": lambda x, y: x - y,
    "x / y": lambda x, y: x / y,
    "tanh": lambda x, y: x.tanh(),
    "exp": lambda x, y: x.exp(),
    "relu": lambda x, y: x.relu(),
    "sum": lambda x, y: x.sum(),
    "reshape": lambda x, y: x.reshape(2, 2),
    "getitem": lambda x, y: x[1],
    "matmul 4x4": lambda x, y: x @ y,
}


def chain(length: int) -> Expression:
    def multiply(x: Any, y: Any) -> Any:
        for _ in range(length):
            x = x * y
        return x

    return multiply


def numbers(*arrays: Any) -> list[float]:
    """The elements of some tensors, one after the other."""
    return [number for array in arrays for number in array.detach().numpy().ravel().tolist()]


Parts = Callable[[Any, Expression, Sequence[Any]], Job]


def forward(library: Any, f: Expression, data: Sequence[Any]) -> Job:
    x, y = (library.tensor(values, requires_grad=True) for values in data)
    return Job(lambda: f(x, y), answer=lambda: numbers(f(x, y)))


def whole(library: Any, f: Expression, data: Sequence[Any]) -> Job:
    """Forward and backward into fresh gradients."""
    x, y = (library.tensor(values, requires_grad=True) for values in data)
    g = library.ones_like(f(x, y))

    def step() -> None:
        x.grad = y.grad = None
        f(x, y).backward(g)

    return Job(step, answer=lambda: numbers(*(w.grad for w in (x, y) if w.grad is not None)))


def backward(library: Any, f: Expression, data: Sequence[Any]) -> Job:
    """Forward and backward, less forward: dropping the graph is in both."""
    both, part = whole(library, f, data), forward(library, f, data)
    return Job(both.call, part.call, both.answer)


def sides(parts: Parts, f: Expression, data: Sequence[Any], *names: str) -> dict[str, Prepare]:
    def prepare(module: str) -> Prepare:
        return lambda: parts(import_module(module), f, data)

    return {name: prepare(LIBRARIES[name]) for name in names}


def bare() -> Job:
    """What NumPy alone takes for `x * y`: the rest of ours is recording."""
    x, y = np.array(X, np.float32), np.array(W, np.float32)
    return Job(lambda: x * y, answer=lambda: (x * y).tolist())


def op_case(name: str, parts: Parts, max_us: float | None = None) -> Case:
    data = (SQUARE, SQUARE) if name == "matmul 4x4" else (X, W)
    both = sides(parts, EXPRESSIONS[name], data, OURS, "torch")
    return Case(f"{name} {parts.__name__}", both, max_us=max_us)


def chain_case(parts: Parts, by: str = "a leaf", max_us: float | None = None) -> Case:
    """A chain of products by a leaf, whose gradient adds up at every step, or by plain data."""
    f = chain(100) if by == "a leaf" else lambda x, y: chain(100)(x, y.detach())
    both = sides(parts, f, (X, W), OURS, "torch")
    return Case(f"chain of 100 by {by}, {parts.__name__} per op", both, per=100, max_us=max_us)


def long_chain_case(length: int) -> Case:
    """Forward, backward and freeing: the same time per node at every length is what it shows."""
    ours = sides(whole, chain(length), (X, W), OURS)
    return Case(f"chain of {length:,}, all per node", ours, per=length, quick=length <= 10_000)


product = op_case("x * y", forward, max_us=1.0)

CASES = [
    control("torch", "numpy"),
    replace(product, sides={**product.sides, "numpy": bare}),
    *(op_case(name, forward) for name in EXPRESSIONS if name != "x * y"),
    *(op_case(name, backward) for name in EXPRESSIONS),
    chain_case(forward),
    chain_case(backward, max_us=1.5),
    chain_case(backward, by="data", max_us=1.5),
    *(long_chain_case(length) for length in (10_000, 100_000, 1_000_000)),
    *large.CASES,
]
