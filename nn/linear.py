"""Affine layers."""

from __future__ import annotations

from typing import Any

from autograd_core import Generator, ShapeError, Tensor

from . import functional as F
from . import init
from .module import Module
from .parameter import unset


class Linear(Module):
    """y = x Wᵀ + b, with x of shape (..., in_features) and y of shape (..., out_features)."""

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        generator: Generator | None = None,
    ) -> None:
        super().__init__()
        self.in_features = in_features
        self.out_features = out_features
        self.weight = unset((out_features, in_features), device, dtype)
        self.bias = unset((out_features,), device, dtype) if bias else None
        self.reset_parameters(generator)

    def reset_parameters(self, generator: Generator | None = None) -> None:
        """Draw weight and bias uniformly from ±1/√in_features."""
        init.fan_in_uniform_(self.weight, self.bias, generator)

    def forward(self, x: Tensor) -> Tensor:
        if x.shape[-1:] != (self.in_features,):
            raise ShapeError(
                f"got x of shape {tuple(x.shape)}: its last axis must be {self.in_features}"
            )
        return F.linear(x, self.weight, self.bias)

    def extra_repr(self) -> str:
        return (
            f"in_features={self.in_features}, out_features={self.out_features}, "
            f"bias={self.bias is not None}"
        )

    def _label(self) -> str:
        return f"{type(self).__name__}({self.in_features}, {self.out_features})"
