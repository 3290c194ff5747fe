"""All parameters as one vector, for optimisers that look at them together."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from math import isfinite
from typing import Any

import numpy as np

import autograd_core as ag
from autograd_core import Tensor, versions

from . import rates
from .optimizer import Array, Closure, Group, Optimizer, Slots


class Vector:
    """The parameters end to end, in the widest of their dtypes."""

    def __init__(self, params: Sequence[Tensor]) -> None:
        self.params = list(params)
        self.dtype = np.result_type(*[p._array for p in self.params])

    def joined(self, arrays: Iterable[Array]) -> Array:
        """Return arrays in the shapes of the parameters as one vector, a copy."""
        return np.concatenate([x.reshape(-1) for x in arrays]).astype(self.dtype, copy=False)

    def split(self, v: Array) -> list[Array]:
        """Return the parts of a vector in the shapes and dtypes of the parameters."""
        parts = np.split(v, np.cumsum([p._array.size for p in self.params])[:-1])
        return [
            part.reshape(p._array.shape).astype(p._array.dtype, copy=False)
            for part, p in zip(parts, self.params, strict=True)
        ]

    def read(self) -> Array:
        """Return the values of the parameters, a copy."""
        return self.joined([p._array for p in self.params])

    def write(self, w: Array) -> None:
        """Set the parameters in place."""
        for p, part in zip(self.params, self.split(w), strict=True):
            p._array[...] = part
            versions.touch(p._array)

    @contextmanager
    def copied(self) -> Generator[None]:
        """Put copies in the place of the parameters, so that what is recorded outlives a write."""
        held = [p._array for p in self.params]
        for p, w in zip(self.params, held, strict=True):
            p._array = w.copy()
        try:
            yield
        finally:
            for p, w in zip(self.params, held, strict=True):
                p._array = w

    def hessian_product(self, gradient: Sequence[Tensor], v: Array) -> Array:
        """Return H v by one walk over the recorded graph of the gradient (Pearlmutter 1994)."""
        parts = zip(gradient, self.split(v), strict=True)
        curved = [(g, Tensor._wrap(part)) for g, part in parts if g.requires_grad]
        if not curved:  # the loss is linear
            return np.zeros_like(v)
        found = ag.autograd.grad(
            [g for g, _ in curved],
            self.params,
            [part for _, part in curved],
            retain_graph=True,
            materialize_grads=True,
        )
        return self.joined([x._array for x in found if x is not None])

    def grads(self) -> Array:
        """Return what stands in `.grad`, zeros where nothing does."""
        return self.joined(
            [np.zeros_like(p._array) if p._grad is None else p._grad._array for p in self.params]
        )


class VectorOptimizer(Optimizer):
    """An optimiser with one group, whose `step` calls a closure; state is kept by the first."""

    def add_param_group(self, param_group: Group) -> None:
        if self.param_groups:
            raise ValueError(
                f"{type(self).__name__} got a second group: it treats all parameters as one "
                "vector, so it has one group only"
            )
        super().add_param_group(param_group)

    @property
    def group(self) -> Group:
        """The only group."""
        return self.param_groups[0]

    def plain(self) -> Group:
        """Return the rates as Python numbers."""
        return rates.plain(type(self).__name__, self.group)

    def vector(self) -> Vector:
        """Return the parameters that require grad as a vector."""
        params = [p for p in self.group["params"] if p.requires_grad]
        if not params:
            raise ag.GraphError(f"{type(self).__name__}.step(): no parameter requires grad")
        return Vector(params)

    def slots(self) -> Slots:
        """Return the state of the vector, kept under the first parameter."""
        first: Tensor = self.group["params"][0]
        return self.state.setdefault(first, {})

    def loss_at(self, closure: Closure | None, vector: Vector, w: Array) -> float:
        """Set the parameters and return the loss there."""
        vector.write(w)
        with ag.no_grad():
            return float(closure())  # pyright: ignore[reportOptionalCall]


class Expansion:
    """The loss at the parameters and its first two derivatives: the terms of its Taylor series."""

    def __init__(self, optimizer: VectorOptimizer, closure: Closure | None) -> None:
        self.vector = optimizer.vector()
        with self.vector.copied():
            self.loss: Any = optimizer.evaluate(closure)
        self._grads = differentiated(optimizer, self.vector, [self.loss], create_graph=True)
        self.value = float(self.loss)
        self.g = self.vector.joined([g._array for g in self._grads])

    def product(self, v: Array) -> Array:
        """Return H v."""
        return self.vector.hessian_product(self._grads, v)

    def hessian(self) -> Array:
        """Return H, one product for each parameter."""
        h = np.stack([self.product(unit) for unit in np.eye(len(self.g), dtype=self.g.dtype)])
        return (h + h.T) / 2


def differentiated(
    optimizer: Optimizer,
    vector: Vector,
    outputs: Sequence[Any],
    grad_outputs: Sequence[Any] | None = None,
    *,
    retain_graph: bool | None = None,
    create_graph: bool = False,
) -> list[Tensor]:
    """Return the gradients of what a closure returned with respect to the parameters."""
    try:
        found = ag.autograd.grad(
            outputs,
            vector.params,
            grad_outputs,
            retain_graph=retain_graph,
            create_graph=create_graph,
            materialize_grads=True,
        )
    except (ag.GraphError, ag.ShapeError, TypeError) as error:
        raise ag.GraphError(
            f"{type(optimizer).__name__}.step() cannot differentiate what its closure returned: "
            "it must be computed from the parameters, and the closure must leave backward() to "
            f"the optimiser ({error})"
        ) from error
    return [g for g in found if g is not None]


Direction = Callable[[float], Array | None]


def levenberg(
    optimizer: VectorOptimizer,
    vector: Vector,
    value: float,
    direction: Direction,
    loss_at: Callable[[Array], float],
) -> None:
    """Take lr times a direction that does not raise the loss, by a damping that adapts to it.

    `direction` gives the step for a damping, None where there is none. The damping shrinks by
    `decrease` after a step that is taken and grows by `increase` after one that is not
    (Levenberg 1944; Marquardt 1963). After `max_tries`, and where there is no loss to compare
    with because it is nan or infinite, the parameters stay where they are.
    """
    group, rate, start = optimizer.group, optimizer.plain(), vector.read()
    if not isfinite(value):
        return
    damping = rate["damping"]
    for _ in range(rate["max_tries"]):
        d = direction(damping)
        if d is not None and loss_at(start + rate["lr"] * d) <= value:
            group["damping"] = damping * rate["decrease"]
            return
        damping *= rate["increase"]
    vector.write(start)
    group["damping"] = damping


def check_levenberg(who: str, group: Group) -> None:
    """Refuse rates with which `levenberg` cannot adapt."""
    rates.not_negative(who, group, "lr", "max_tries")
    rates.positive(who, group, "damping", "decrease")
    if not group["decrease"] <= 1 < group["increase"]:
        raise ValueError(
            f"{who} got decrease={group['decrease']} and increase={group['increase']}: "
            "the damping must not grow by the first and must grow by the second"
        )
