"""Spectral normalisation: a weight divided by its largest singular value."""

from __future__ import annotations

import autograd_core as ag
from autograd_core import Tensor

from ..module import Module
from ..parameter import Parameter
from .recomputed import M, Recomputed, fix, recompute


def as_matrix(weight: Tensor, dim: int) -> Tensor:
    """Bring axis dim to the front and join the others."""
    front = weight.movedim(dim, 0) if dim else weight
    return front.reshape(front.shape[0], -1)


def unit(x: Tensor, eps: float) -> Tensor:
    """x / ‖x‖, or x / eps where x is shorter than that."""
    return x / ag.linalg.vector_norm(x).clamp(min=eps)


def power_iteration(matrix: Tensor, u: Tensor, v: Tensor, times: int, eps: float) -> None:
    """Turn u and v, in place, towards the singular vectors of the largest singular value."""
    with ag.no_grad():
        for _ in range(times):
            v.copy_(unit(matrix.mT @ u, eps))
            u.copy_(unit(matrix @ v, eps))


def largest(matrix: Tensor, u: Tensor, v: Tensor) -> Tensor:
    """uᵀ W v, with u and v constant: the largest singular value, and its gradient.

    Copies of u and v, because the next call turns them in place before this one's backward.
    """
    return u.detach().clone() @ (matrix @ v.detach().clone())


def usual_axis(module: Module) -> int:
    """Return the axis of a weight that stands for the outputs."""
    return 1 if type(module).__name__.startswith("ConvTranspose") else 0


class SpectralNorm(Recomputed):
    """weight = weight_orig / (uᵀ weight_orig v)."""

    called = "spectral_norm"

    def __init__(self, name: str, n_power_iterations: int, eps: float, dim: int) -> None:
        super().__init__(name)
        self.n_power_iterations = n_power_iterations
        self.eps = eps
        self.dim = dim

    def parts(self) -> tuple[str, ...]:
        return f"{self.name}_orig", f"{self.name}_u", f"{self.name}_v"

    def take_apart(self, module: Module, weight: Parameter) -> None:
        original, *vectors = self.parts()
        module.register_parameter(original, weight)
        for name, size in zip(vectors, as_matrix(weight, self.dim).shape, strict=True):
            module.register_buffer(name, unit(ag.randn(size, dtype=weight.dtype), self.eps))

    def compute(self, module: Module) -> Tensor:
        weight, u, v = (getattr(module, part) for part in self.parts())
        return weight / largest(as_matrix(weight, self.dim), u, v)

    def __call__(self, module: Module, args: object) -> None:
        if module.training:
            weight, u, v = (getattr(module, part) for part in self.parts())
            power_iteration(
                as_matrix(weight.detach(), self.dim), u, v, self.n_power_iterations, self.eps
            )
        super().__call__(module, args)


def check_iterations(n_power_iterations: int) -> None:
    """Refuse fewer than one iteration a call."""
    if n_power_iterations < 1:
        raise ValueError(
            f"spectral_norm got n_power_iterations={n_power_iterations}: it must be at least 1"
        )


def spectral_norm(
    module: M,
    name: str = "weight",
    n_power_iterations: int = 1,
    eps: float = 1e-12,
    dim: int | None = None,
) -> M:
    """Divide a parameter by its largest singular value, before every call.

    Found by power iteration, one step a call in training. Miyato et al., Spectral Normalization
    for Generative Adversarial Networks (2018), algorithm 1. parametrizations.spectral_norm is the
    newer form.
    """
    check_iterations(n_power_iterations)
    axis = usual_axis(module) if dim is None else dim
    return recompute(module, SpectralNorm(name, n_power_iterations, eps, axis))


def remove_spectral_norm(module: M, name: str = "weight") -> M:
    """Make the weight one parameter again, with the value it has."""
    return fix(module, SpectralNorm, name)
