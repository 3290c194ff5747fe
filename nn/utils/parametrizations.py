"""Weight and spectral normalisation as parametrizations."""

from __future__ import annotations

import autograd_core as ag
from autograd_core import Tensor

from ..module import Module
from .parametrize import M, register_parametrization
from .spectral_norm import (
    as_matrix,
    check_iterations,
    largest,
    power_iteration,
    unit,
    usual_axis,
)
from .weight_norm import length, scaled


class _WeightNorm(Module):
    """g v / ‖v‖; original0 is g, original1 is v."""

    def __init__(self, dim: int | None) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, g: Tensor, v: Tensor) -> Tensor:
        return scaled(g, v, self.dim)

    def right_inverse(self, weight: Tensor) -> tuple[Tensor, Tensor]:
        """Return the lengths of a weight, and a copy of it."""
        return length(weight, self.dim), weight.clone()


def weight_norm(module: M, name: str = "weight", dim: int | None = 0) -> M:
    """Let a parameter be g v / ‖v‖, of lengths g along dim and a direction v."""
    return register_parametrization(module, name, _WeightNorm(dim), unsafe=True)


class _SpectralNorm(Module):
    """W / (uᵀ W v); u and v take n_power_iterations steps at every reading in training."""

    _u: Tensor
    _v: Tensor

    def __init__(self, weight: Tensor, n_power_iterations: int, dim: int, eps: float) -> None:
        super().__init__()
        check_iterations(n_power_iterations)
        self.n_power_iterations = n_power_iterations
        self.dim = dim
        self.eps = eps
        if weight.ndim > 1:
            matrix = as_matrix(weight.detach(), dim)
            for name, size in zip(("_u", "_v"), matrix.shape, strict=True):
                self.register_buffer(name, unit(ag.randn(size, dtype=weight.dtype), eps))
            self._turn(matrix, 15)

    def forward(self, weight: Tensor) -> Tensor:
        if weight.ndim == 1:
            return unit(weight, self.eps)
        matrix = as_matrix(weight, self.dim)
        if self.training:
            self._turn(matrix.detach(), self.n_power_iterations)
        return weight / largest(matrix, self._u, self._v)

    def _turn(self, matrix: Tensor, times: int) -> None:
        # Here u goes first, and in the older form v, as in PyTorch.
        power_iteration(matrix.mT, self._v, self._u, times, self.eps)

    def right_inverse(self, value: Tensor) -> Tensor:
        """Return the value: which W it came from cannot be known."""
        return value


def spectral_norm(
    module: M,
    name: str = "weight",
    n_power_iterations: int = 1,
    eps: float = 1e-12,
    dim: int | None = None,
) -> M:
    """Let a parameter be divided by its largest singular value; see nn.utils.spectral_norm."""
    weight = module.get_parameter(name)
    axis = usual_axis(module) if dim is None else dim
    return register_parametrization(
        module, name, _SpectralNorm(weight, n_power_iterations, axis, eps)
    )
