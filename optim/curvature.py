"""How a loss bends: extreme eigenvalues of its Hessian, the largest stable rate, sharpness.

A loss is given as a closure without arguments and the parameters that it depends on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import inf, prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

import autograd_core as ag
from autograd_core import Generator, Tensor
from autograd_core.random import default_generator

from .vector import Vector

Array = NDArray[np.float64]
Closure = Callable[[], Tensor]


@dataclass(frozen=True)
class Eigenvalue:
    """An eigenvalue of a Hessian, as far as it is known."""

    value: float
    residual: float  # |H v - value v|: some eigenvalue is no farther than this
    vector: Array  # v, of length 1, over all parameters in their order
    steps: int  # products H v that it took


def lambda_max(
    closure: Closure,
    params: Iterable[Tensor],
    max_steps: int = 100,
    tolerance: float = 1e-6,
    generator: Generator | None = None,
) -> Eigenvalue:
    """Return the largest eigenvalue of the Hessian, by Lanczos's method.

    Stops as soon as the residual is at most `tolerance` times the largest absolute eigenvalue
    seen. The residual says how good the result is; that no eigenvalue is larger it does not say.
    """
    return _extreme(closure, params, max_steps, tolerance, generator, largest=True)


def lambda_min(
    closure: Closure,
    params: Iterable[Tensor],
    max_steps: int = 100,
    tolerance: float = 1e-6,
    generator: Generator | None = None,
) -> Eigenvalue:
    """Return the smallest (most negative) eigenvalue of the Hessian; see `lambda_max`."""
    return _extreme(closure, params, max_steps, tolerance, generator, largest=False)


def max_stable_rate(
    closure: Closure,
    params: Iterable[Tensor],
    max_steps: int = 100,
    tolerance: float = 1e-6,
    generator: Generator | None = None,
) -> float:
    """Return 2 / lambda_max: above it gradient descent on this quadratic diverges.

    Along an eigenvector the distance to the minimum is multiplied by 1 - lr lambda in each step.
    Where the loss bends upward nowhere there is no limit, and the result is inf.
    """
    largest = lambda_max(closure, params, max_steps, tolerance, generator).value
    return 2.0 / largest if largest > 0 else inf


def hessian_product(closure: Closure, params: Iterable[Tensor]) -> Callable[[Array], Array]:
    """Return v -> H v, over all parameters in their order; the gradient is recorded once."""
    vector = _vector(params)
    gradient = _gradient(closure, vector, create_graph=True)[1]
    return lambda v: vector.hessian_product(gradient, v).astype(np.float64)


def _extreme(
    closure: Closure,
    params: Iterable[Tensor],
    max_steps: int,
    tolerance: float,
    generator: Generator | None,
    largest: bool,
) -> Eigenvalue:
    if max_steps < 1:
        raise ValueError(f"Lanczos got max_steps={max_steps}: it needs at least one")
    params = list(params)
    product = hessian_product(closure, params)
    start = _normal(sum(p.numel() for p in params), generator)
    return _lanczos(product, start / np.linalg.norm(start), max_steps, tolerance, largest)


def _lanczos(
    product: Callable[[Array], Array], q: Array, max_steps: int, tolerance: float, largest: bool
) -> Eigenvalue:
    """Golub and Van Loan, Matrix Computations, section 10.1; residual: Parlett, section 13.2.

    H Q = Q T + β q eᵀ with T tridiagonal; an eigenvector s of T gives Q s, with residual β |s_k|.
    """
    basis: list[Array] = []
    diagonal: list[float] = []
    beside: list[float] = []
    while True:
        basis.append(q)
        z = product(q)
        if not np.isfinite(z).all():
            raise ValueError("the Hessian of this loss has entries that are not finite")
        diagonal.append(float(q @ z))
        Q = np.array(basis)
        for _ in range(2):  # once is not enough where z is almost within the basis
            z = z - Q.T @ (Q @ z)
        beta = float(np.linalg.norm(z))
        T = np.diag(diagonal) + np.diag(beside, 1) + np.diag(beside, -1)
        values, vectors = np.linalg.eigh(T)
        at = -1 if largest else 0
        residual, size = beta * abs(float(vectors[-1, at])), float(np.abs(values).max())
        if residual <= tolerance * size or len(basis) >= min(max_steps, q.size):
            return Eigenvalue(float(values[at]), residual, Q.T @ vectors[:, at], len(basis))
        beside.append(beta)
        q = z / beta


def sharpness(
    closure: Closure,
    params: Iterable[Tensor],
    epsilon: float = 1e-3,
    dimension: int | None = None,
    steps: int = 20,
    starts: int = 3,
    generator: Generator | None = None,
) -> float:
    """Return by how many percent the loss f can rise in a small box around the parameters x:

        100 (max f(x + A z) - f(x)) / (1 + f(x)),  |z_i| <= epsilon (|(A⁺ x)_i| + 1).

    A is the identity, or with `dimension` a random matrix (parameters, dimension). Keskar et al.,
    On Large-Batch Training (2017), metric 2.1. The maximum is the best that projected gradient
    ascent found from some random points of the box, so the true one may be larger.
    """
    _check_positive(epsilon=epsilon, dimension=dimension, steps=steps, starts=starts)
    vector = _vector(params)
    x = vector.read().astype(np.float64)
    shape = None if dimension is None else (x.size, dimension)
    A = None if shape is None else _normal(prod(shape), generator).reshape(shape)
    inside = x if A is None else np.linalg.lstsq(A, x)[0]
    half = epsilon * (np.abs(inside) + 1)  # of the box, along each axis

    def rise(u: Array) -> tuple[float, Array]:
        """Loss and gradient at the point u of the cube [-1, 1]ⁿ."""
        z = half * u
        vector.write(x + (z if A is None else A @ z))
        value, gradient = _gradient(closure, vector)
        g = _joined(vector, gradient)
        return value, half * (g if A is None else A.T @ g)

    try:
        low, _ = rise(np.zeros_like(half))
        tops = [_climb(rise, np.sign(_normal(half.size, generator)), steps) for _ in range(starts)]
    finally:
        vector.write(x)
    return 100.0 * (max(low, *tops) - low) / (1.0 + low)


def _check_positive(**options: float | None) -> None:
    for name, value in options.items():
        if value is not None and not value > 0:
            raise ValueError(f"sharpness got {name}={value}: it must be positive")


def _climb(rise: Callable[[Array], tuple[float, Array]], u: Array, steps: int) -> float:
    """Projected gradient ascent in the cube [-1, 1]ⁿ; a step that fails is cut to a quarter."""
    value, g = rise(u)
    length = 1.0
    for _ in range(steps):
        size = np.abs(g).max()
        if not size > 0:
            break
        # The longest steps end in the corner that the gradient points to.
        tried = np.clip(u + length * g / size, -1.0, 1.0)
        higher, slope = rise(tried)
        if higher > value:
            u, value, g, length = tried, higher, slope, 2 * length
        else:
            length /= 4
    return value


def _vector(params: Iterable[Tensor]) -> Vector:
    params = list(params)
    if not params:
        raise ValueError("the curvature of a loss needs parameters, got none")
    return Vector(params)


def _gradient(
    closure: Closure, vector: Vector, create_graph: bool = False
) -> tuple[float, Sequence[Any]]:
    """Return the loss, and its gradient by parameters."""
    with ag.enable_grad():
        loss = closure()
    if loss.numel() != 1:
        raise ag.ShapeError(
            f"the closure must return a scalar, it returned shape {tuple(loss.shape)}"
        )
    found = ag.autograd.grad(loss, vector.params, create_graph=create_graph, materialize_grads=True)
    return loss.item(), found


def _joined(vector: Vector, tensors: Iterable[Any]) -> Array:
    """Return tensors as one vector in float64, whatever the parameters are."""
    return vector.joined([t._array for t in tensors]).astype(np.float64)


def _normal(count: int, generator: Generator | None) -> Array:
    drawn = ag.randn(count, dtype=ag.float64, generator=generator or default_generator)
    return np.array(drawn.numpy())
