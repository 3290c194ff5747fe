"""A scalar that remembers, in micrograd's style: each result holds a closure that pulls back.

The algorithm is micrograd's (a set of parents, a recursive topological sort); the code is ours.
"""

from __future__ import annotations

import math
from collections.abc import Callable


class Scalar:
    """A number, its gradient, the numbers it came from, and how to push its gradient to them."""

    def __init__(self, data: float, parents: tuple[Scalar, ...] = (), op: str = "") -> None:
        self.data = data
        self.grad = 0.0
        self.op = op
        self._parents = set(parents)
        self._pull: Callable[[], None] = lambda: None

    def __add__(self, other: Scalar | float) -> Scalar:
        other = other if isinstance(other, Scalar) else Scalar(other)
        y = Scalar(self.data + other.data, (self, other), "+")

        def pull() -> None:
            self.grad += y.grad
            other.grad += y.grad

        y._pull = pull
        return y

    def __mul__(self, other: Scalar | float) -> Scalar:
        other = other if isinstance(other, Scalar) else Scalar(other)
        y = Scalar(self.data * other.data, (self, other), "*")

        def pull() -> None:
            self.grad += other.data * y.grad
            other.grad += self.data * y.grad

        y._pull = pull
        return y

    def __pow__(self, n: float) -> Scalar:
        y = Scalar(self.data**n, (self,), f"**{n}")

        def pull() -> None:
            self.grad += n * self.data ** (n - 1) * y.grad

        y._pull = pull
        return y

    def _unary(self, data: float, slope: float, op: str) -> Scalar:
        y = Scalar(data, (self,), op)

        def pull() -> None:
            self.grad += slope * y.grad

        y._pull = pull
        return y

    def relu(self) -> Scalar:
        positive = self.data > 0
        return self._unary(self.data if positive else 0.0, 1.0 if positive else 0.0, "relu")

    def tanh(self) -> Scalar:
        t = math.tanh(self.data)
        return self._unary(t, 1.0 - t * t, "tanh")

    def exp(self) -> Scalar:
        e = math.exp(self.data)
        return self._unary(e, e, "exp")

    def log(self) -> Scalar:
        return self._unary(math.log(self.data), 1.0 / self.data, "log")

    def __neg__(self) -> Scalar:
        return self * -1.0

    def __sub__(self, other: Scalar | float) -> Scalar:
        return self + (-other)

    def __truediv__(self, other: Scalar | float) -> Scalar:
        return self * other**-1

    def __radd__(self, other: float) -> Scalar:
        return self + other

    def __rsub__(self, other: float) -> Scalar:
        return -self + other

    def __rmul__(self, other: float) -> Scalar:
        return self * other

    def __rtruediv__(self, other: float) -> Scalar:
        return self**-1 * other

    def backward(self) -> None:
        """Add d(self)/d(x) to the gradient of every x that self came from."""
        order: list[Scalar] = []
        seen: set[Scalar] = set()

        def visit(scalar: Scalar) -> None:
            if scalar not in seen:
                seen.add(scalar)
                for parent in scalar._parents:
                    visit(parent)
                order.append(scalar)

        visit(self)
        self.grad = 1.0
        for scalar in reversed(order):
            scalar._pull()
