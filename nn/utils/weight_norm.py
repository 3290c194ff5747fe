"""Weight normalisation: the length of a weight and its direction as parameters of their own."""

from __future__ import annotations

import autograd_core as ag
from autograd_core import Tensor

from ..module import Module
from ..parameter import Parameter
from .recomputed import M, Recomputed, fix, recompute


def length(v: Tensor, dim: int | None) -> Tensor:
    """‖v‖ for each position of axis dim, with the other axes kept as 1; over all without dim."""
    if dim is None or dim == -1:
        return ag.linalg.vector_norm(v)
    others = tuple(axis for axis in range(v.ndim) if axis != dim % v.ndim)
    return ag.linalg.vector_norm(v, dim=others, keepdim=True)


def scaled(g: Tensor, v: Tensor, dim: int | None) -> Tensor:
    """g v / ‖v‖. Salimans and Kingma, Weight Normalization (2016), equation (2)."""
    return v * (g / length(v, dim))


class WeightNorm(Recomputed):
    """weight = weight_g weight_v / ‖weight_v‖."""

    called = "weight_norm"

    def __init__(self, name: str, dim: int | None) -> None:
        super().__init__(name)
        self.dim = dim

    def parts(self) -> tuple[str, ...]:
        return f"{self.name}_g", f"{self.name}_v"

    def take_apart(self, module: Module, weight: Parameter) -> None:
        g, v = self.parts()
        module.register_parameter(g, Parameter(length(weight.detach(), self.dim)))
        module.register_parameter(v, Parameter(weight.detach()))

    def compute(self, module: Module) -> Tensor:
        g, v = (getattr(module, part) for part in self.parts())
        return scaled(g, v, self.dim)


def weight_norm(module: M, name: str = "weight", dim: int | None = 0) -> M:
    """Replace a parameter by weight_g, its lengths along dim, and weight_v, its direction.

    The weight is computed from them before every call; parametrizations.weight_norm is the newer
    form, which computes it whenever it is read.
    """
    return recompute(module, WeightNorm(name, dim))


def remove_weight_norm(module: M, name: str = "weight") -> M:
    """Make the weight one parameter again."""
    return fix(module, WeightNorm, name)
