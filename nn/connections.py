"""Layers of the literature that PyTorch has not: other ways to connect inputs to outputs."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import autograd_core as ag
from autograd_core import Generator, ShapeError, Tensor
from autograd_core.random import source

from . import functional as F
from . import init
from .functional.dropouts import check_probability, kept
from .linear import Identity, Linear, misfit
from .module import Module
from .parameter import unset


class Residual(Module):
    """y = shortcut(x) + module(x); the shortcut is the identity unless one is given.

    He et al., Deep Residual Learning for Image Recognition (2016), equations (1) and (2).
    """

    def __init__(self, module: Module, shortcut: Module | None = None) -> None:
        super().__init__()
        self.module = module
        self.shortcut = Identity() if shortcut is None else shortcut

    def forward(self, input: Tensor) -> Tensor:
        y, x = self.module(input), self.shortcut(input)
        if y.shape != x.shape:
            raise ShapeError(
                f"Residual got {tuple(y.shape)} from its module and {tuple(x.shape)} from its "
                "shortcut: the shapes must be equal"
            )
        return x + y


class DropConnect(Linear):
    """y = x (W ∘ M)ᵀ / (1 - p) + b, where each weight has M = 0 with probability p, else 1.

    M is drawn anew at every call in training, and shared by the batch; at evaluation this is
    Linear. Leaving out all weights of an input is dropout, of which this is the general case.
    Wan et al., Regularization of Neural Networks using DropConnect (2013), section 3; scaled at
    training, as inverted dropout is.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        p: float = 0.5,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        generator: Generator | None = None,
    ) -> None:
        super().__init__(in_features, out_features, bias, device, dtype, generator=generator)
        check_probability("DropConnect", p)
        self.p = p

    def forward(self, input: Tensor) -> Tensor:
        if not (self.training and self.p):
            return super().forward(input)
        if input.shape[-1:] != (self.in_features,):
            raise misfit(input, self.in_features)
        mask = kept(self.weight.shape, self.p, self.weight)
        scale = 1.0 if self.p == 1.0 else 1.0 / (1.0 - self.p)
        return F.linear(input, self.weight * (mask * scale), self.bias)

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, p={self.p}"


class SparseLinear(Linear):
    """y = x (W ∘ M)ᵀ + b, where M, drawn once, lets each output see the same number of inputs.

    That number is (1 - sparsity) in_features, rounded, and at least 1; weights start within ±1/√
    of it. M is a buffer, so that it is saved.
    """

    mask: Tensor

    def __init__(
        self,
        in_features: int,
        out_features: int,
        sparsity: float = 0.5,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        generator: Generator | None = None,
    ) -> None:
        if not 0.0 <= sparsity < 1.0:
            raise ValueError(
                f"SparseLinear got sparsity={sparsity}: it is the share of zeros, 0 <= share < 1"
            )
        self.__dict__["sparsity"] = sparsity  # wanted when the weights are drawn
        super().__init__(in_features, out_features, bias, device, dtype, generator=generator)
        rank = source(generator).random((out_features, in_features)).argsort(1).argsort(1)
        seen = (rank < self._inputs).astype(self.weight.dtype)
        self.register_buffer("mask", ag.tensor(seen))

    @property
    def _inputs(self) -> int:
        return max(1, round((1.0 - self.sparsity) * self.in_features))

    def reset_parameters(self, generator: Generator | None = None) -> None:
        """Draw weight and bias uniformly from ±1/√(inputs that an output sees)."""
        bound = 1.0 / math.sqrt(self._inputs)
        for parameter in self.parameters():
            init.uniform_(parameter, -bound, bound, generator)

    def forward(self, input: Tensor) -> Tensor:
        if input.shape[-1:] != (self.in_features,):
            raise misfit(input, self.in_features)
        return F.linear(input, self.weight * self.mask, self.bias)

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, sparsity={self.sparsity}"


class Subsampling2d(Module):
    """y[c] = a[c] Σ x[c] + b[c], the sum over windows of k x k pixels that do not overlap.

    x of shape (N, C, H, W) or (C, H, W); rows and columns beyond the last whole window are left
    out. LeCun et al., Gradient-Based Learning Applied to Document Recognition (1998), II.B; the
    squashing function comes after it.
    """

    def __init__(
        self,
        channels: int,
        kernel_size: int = 2,
        device: Any = None,
        dtype: Any = None,
        *,
        generator: Generator | None = None,
    ) -> None:
        super().__init__()
        if kernel_size < 1:
            raise ValueError(f"Subsampling2d got kernel_size={kernel_size}: it must be >= 1")
        self.channels = channels
        self.kernel_size = kernel_size
        self.weight = unset((channels,), device, dtype)
        self.bias = unset((channels,), device, dtype)
        self.reset_parameters(generator)

    def reset_parameters(self, generator: Generator | None = None) -> None:
        """Draw a and b uniformly from ±1/k: one output sees k² pixels."""
        for parameter in (self.weight, self.bias):
            init.uniform_(parameter, -1.0 / self.kernel_size, 1.0 / self.kernel_size, generator)

    def forward(self, input: Tensor) -> Tensor:
        k = self.kernel_size
        *lead, height, width = input.shape if input.ndim in (3, 4) else (0, 0, 0)
        if lead[-1] != self.channels or min(height, width) < k:
            raise ShapeError(
                f"got x of shape {tuple(input.shape)}: it must be (N, C, H, W) or (C, H, W) with "
                f"{self.channels} channels of at least {k} x {k}"
            )
        rows, columns = height // k, width // k
        windows = input[..., : rows * k, : columns * k].reshape(*lead, rows, k, columns, k)
        a, b = (p.reshape(-1, 1, 1) for p in (self.weight, self.bias))
        return windows.sum((-3, -1)) * a + b

    def extra_repr(self) -> str:
        return f"{self.channels}, kernel_size={self.kernel_size}"


class RadialBasis(Module):
    """y[i] = Σ_j (x[j] - w[i, j])²: how far x (..., in_features) is from each of the codes w.

    The output layer of LeNet-5, the smallest y naming the class; y is (..., out_features).
    LeCun et al., Gradient-Based Learning Applied to Document Recognition (1998), equation (7).
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        device: Any = None,
        dtype: Any = None,
        *,
        generator: Generator | None = None,
    ) -> None:
        super().__init__()
        self.in_features = in_features
        self.out_features = out_features
        self.weight = unset((out_features, in_features), device, dtype)
        self.reset_parameters(generator)

    def reset_parameters(self, generator: Generator | None = None) -> None:
        """Draw every component as -1 or 1, both with probability 1/2."""
        signs = source(generator).integers(2, size=tuple(self.weight.shape)) * 2 - 1
        with ag.no_grad():
            self.weight.copy_(ag.tensor(signs.astype(np.float64)))

    def forward(self, input: Tensor) -> Tensor:
        if input.shape[-1:] != (self.in_features,):
            raise misfit(input, self.in_features)
        return F.squared_distances(input, self.weight)

    def extra_repr(self) -> str:
        return f"in_features={self.in_features}, out_features={self.out_features}"
