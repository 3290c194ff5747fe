"""Layers that multiply by a matrix, by two, or by none."""

from __future__ import annotations

import math
from typing import Any

from autograd_core import Generator, ShapeError, Tensor

from . import functional as F
from . import init
from .module import Module
from .parameter import unset


def misfit(x: Tensor, size: int) -> ShapeError:
    """Return the error for an input whose last axis has not this size."""
    return ShapeError(f"got x of shape {tuple(x.shape)}: its last axis must be {size}")


class Identity(Module):
    """y = x; arguments are taken and forgotten, so that it can stand for any layer."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()

    def forward(self, input: Tensor) -> Tensor:
        return input


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

    def forward(self, input: Tensor) -> Tensor:
        if input.shape[-1:] != (self.in_features,):
            raise misfit(input, self.in_features)
        return F.linear(input, self.weight, self.bias)

    def extra_repr(self) -> str:
        return (
            f"in_features={self.in_features}, out_features={self.out_features}, "
            f"bias={self.bias is not None}"
        )

    def _label(self) -> str:
        return f"{type(self).__name__}({self.in_features}, {self.out_features})"


class Bilinear(Module):
    """y[o] = Σ_ij x1[i] A[o, i, j] x2[j] + b[o]: linear in x1 (..., in1) and in x2 (..., in2)."""

    def __init__(
        self,
        in1_features: int,
        in2_features: int,
        out_features: int,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        generator: Generator | None = None,
    ) -> None:
        super().__init__()
        if in1_features < 1:
            raise ValueError(f"Bilinear got in1_features={in1_features}: it must be >= 1")
        self.in1_features = in1_features
        self.in2_features = in2_features
        self.out_features = out_features
        self.weight = unset((out_features, in1_features, in2_features), device, dtype)
        self.bias = unset((out_features,), device, dtype) if bias else None
        self.reset_parameters(generator)

    def reset_parameters(self, generator: Generator | None = None) -> None:
        """Draw weight and bias uniformly from ±1/√in1_features."""
        bound = 1.0 / math.sqrt(self.in1_features)
        for parameter in self.parameters():
            init.uniform_(parameter, -bound, bound, generator)

    def forward(self, input1: Tensor, input2: Tensor) -> Tensor:
        return F.bilinear(input1, input2, self.weight, self.bias)

    def extra_repr(self) -> str:
        return (
            f"in1_features={self.in1_features}, in2_features={self.in2_features}, "
            f"out_features={self.out_features}, bias={self.bias is not None}"
        )
