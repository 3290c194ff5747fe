"""Surfaces over the plane, and the paths that optimisers take down them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

import autograd_core as ag
from autograd_core import Tensor

from .optimizer import Optimizer

Array = NDArray[np.float64]
Make = Callable[[list[Tensor]], Optimizer]


@dataclass(frozen=True)
class Surface:
    """A function of two numbers, and the part of the plane that shows it.

    `function` takes x and y, arrays or tensors, and is written in operators and ops.
    """

    name: str
    function: Callable[[Any, Any], Any]
    start: tuple[float, float]
    minima: tuple[tuple[float, float], ...]  # none: a saddle falls for ever
    x_range: tuple[float, float]
    y_range: tuple[float, float]

    def grid(self, points: int = 241) -> tuple[Array, Array, Array]:
        """Return x (points,), y (points,) and heights (points, points), rows along y."""
        x, y = np.linspace(*self.x_range, points), np.linspace(*self.y_range, points)
        return x, y, np.asarray(self.function(*np.meshgrid(x, y)), np.float64)

    def at(self, w: Tensor) -> Tensor:
        """Return the height at a point w of shape (2,)."""
        return self.function(w[0], w[1])

    def hessian(self, point: tuple[float, float] | None = None) -> Array:
        """Return the matrix (2, 2) of second derivatives at a point, or at the start."""
        w = ag.tensor(self.start if point is None else point, dtype=ag.float64)
        return np.array(ag.func.hessian(self.at)(w).numpy())

    def condition(self, point: tuple[float, float] | None = None) -> float:
        """Return the largest over the smallest absolute eigenvalue of the Hessian there."""
        sizes = np.abs(np.linalg.eigvalsh(self.hessian(point)))
        return float(sizes.max() / sizes.min()) if sizes.min() else float("inf")


@dataclass(frozen=True)
class Path:
    """Where an optimiser was: at the start, and after each step."""

    name: str
    points: Array  # (steps + 1, 2)
    heights: Array  # (steps + 1,)


def path(
    surface: Surface,
    make: Make,
    steps: int = 100,
    start: tuple[float, float] | None = None,
    name: str | None = None,
) -> Path:
    """Let the optimiser of make([w]) take steps down a surface, w of shape (2,) in float64."""
    w = ag.tensor(surface.start if start is None else start, dtype=ag.float64, requires_grad=True)
    optimizer = make([w])

    def closure() -> Tensor:
        optimizer.zero_grad()
        height = surface.at(w)
        if height.requires_grad:  # Newton's methods also ask for nothing but the height,
            height.backward(retain_graph=True)  # and differentiate it once more
        return height

    points = [np.array(w.detach().numpy())]
    for _ in range(steps):
        optimizer.step(closure)
        points.append(np.array(w.detach().numpy()))
    visited = np.array(points)
    heights = np.asarray(surface.function(visited[:, 0], visited[:, 1]), np.float64)
    return Path(name or type(optimizer).__name__, visited, heights)


def paths(surface: Surface, makes: Mapping[str, Make], steps: int = 100) -> list[Path]:
    """Let several optimisers go down the same surface from the same start."""
    return [path(surface, make, steps, name=name) for name, make in makes.items()]


# The surfaces


def quadratic(condition: float = 10.0) -> Surface:
    """Return (x² + κ y²) / 2, a ravine along x with the eigenvalues 1 and κ."""
    if not condition > 0:
        raise ValueError(f"quadratic got condition={condition}: it must be positive")
    return Surface(
        name=f"Quadratic, condition {condition:g}",
        function=lambda x, y: 0.5 * (x * x + condition * (y * y)),
        start=(-4.0, 1.5),
        minima=((0.0, 0.0),),
        x_range=(-5.0, 5.0),
        y_range=(-2.5, 2.5),
    )


def rosenbrock() -> Surface:
    """Return (1 - x)² + 100 (y - x²)², a bent ravine (Rosenbrock 1960)."""
    return Surface(
        name="Rosenbrock",
        function=lambda x, y: (1 - x) ** 2 + 100 * (y - x * x) ** 2,
        start=(-1.2, 1.0),
        minima=((1.0, 1.0),),
        x_range=(-2.0, 2.0),
        y_range=(-1.0, 3.0),
    )


def beale() -> Surface:
    """Return Beale's function (1958): plains, steep walls, one minimum."""
    return Surface(
        name="Beale",
        function=lambda x, y: (
            (1.5 - x + x * y) ** 2 + (2.25 - x + x * y * y) ** 2 + (2.625 - x + x * y * y * y) ** 2
        ),
        start=(1.0, 1.5),
        minima=((3.0, 0.5),),
        x_range=(-1.0, 4.5),
        y_range=(-2.5, 2.5),
    )


def saddle() -> Surface:
    """Return (x² - y²) / 2; the start lies a little beside the line that ends in the saddle."""
    return Surface(
        name="Saddle",
        function=lambda x, y: 0.5 * (x * x - y * y),
        start=(-1.5, 1e-3),
        minima=(),
        x_range=(-2.0, 2.0),
        y_range=(-2.0, 2.0),
    )


def squared_error(
    name: str, inputs: Sequence[Sequence[float]], targets: Sequence[float]
) -> Surface:
    """Return |X w - t|² / 2 over w = (x, y), the error of a neuron with two weights.

    Its Hessian is Xᵀ X: of inputs far from zero, or on unlike scales, a ravine. Shown are the
    minimum and all around it that is at most two away.
    """
    X, t = np.asarray(inputs, np.float64), np.asarray(targets, np.float64)
    if X.ndim != 2 or X.shape[1] != 2 or t.shape != X.shape[:1]:
        raise ag.ShapeError(
            f"squared_error got inputs of shape {X.shape} and targets of shape {t.shape}: "
            "it needs (samples, 2) and (samples,)"
        )
    rows = [(float(a), float(b), float(target)) for (a, b), target in zip(X, t, strict=True)]
    x, y = (float(weight) for weight in np.linalg.lstsq(X, t)[0])

    def function(u: Any, v: Any) -> Any:
        return 0.5 * sum((a * u + b * v - target) ** 2 for a, b, target in rows)

    return Surface(
        name=name,
        function=function,
        start=(x - 1.5, y + 1.0),
        minima=((x, y),),
        x_range=(x - 2.0, x + 2.0),
        y_range=(y - 2.0, y + 2.0),
    )


# Two samples before and after a change of their inputs (means of zero; one scale), targets 2 and 2.
ERROR_SURFACES: dict[str, Surface] = {
    name: squared_error(name, inputs, (2.0, 2.0))
    for name, inputs in {
        "far from zero": ((101.0, 101.0), (101.0, 99.0)),
        "centred": ((1.0, 1.0), (1.0, -1.0)),
        "unlike scales": ((0.1, 10.0), (0.1, -10.0)),
        "one scale": ((1.0, 1.0), (1.0, -1.0)),
    }.items()
}
