"""Normalization layers: mean 0 and variance 1, over a batch, a sample, a group or a layer."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, ClassVar

import autograd_core as ag
from autograd_core import ShapeError, Tensor

from . import functional as F
from . import init
from .module import Module
from .parameter import unset
from .window import AXES


class _Affine(Module):
    """What has a scale `weight` and a shift `bias`, each of which may be None."""

    weight: Tensor | None
    bias: Tensor | None

    def _scale_and_shift(
        self, shape: tuple[int, ...], affine: bool, bias: bool, device: Any, dtype: Any
    ) -> None:
        self.weight = unset(shape, device, dtype) if affine else None
        self.bias = unset(shape, device, dtype) if affine and bias else None

    def reset_parameters(self) -> None:
        """Set weight 1 and bias 0."""
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)


class _Tracking(_Affine):
    """What BatchNorm and InstanceNorm have: a scale, a shift, and statistics that may follow."""

    ranks: ClassVar[tuple[int, ...]]  # how many axes x may have

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.num_features = num_features
        self.eps = eps
        self.momentum = momentum
        self.affine = affine
        self.track_running_stats = track_running_stats
        shape = (num_features,)
        self._scale_and_shift(shape, affine, bias, device, dtype)
        tracked = track_running_stats
        mean, var = (ag.empty(shape, dtype=dtype, device=device) if tracked else None for _ in "mv")
        self.register_buffer("running_mean", mean)
        self.register_buffer("running_var", var)
        count = ag.zeros((), dtype=ag.int64, device=device) if tracked else None
        self.register_buffer("num_batches_tracked", count)
        self.reset_parameters()

    def reset_running_stats(self) -> None:
        """Forget the statistics of all batches."""
        if self.track_running_stats:
            init.zeros_(self.running_mean)
            init.ones_(self.running_var)
            self.num_batches_tracked.zero_()

    def reset_parameters(self) -> None:
        """Set weight 1, bias 0 and the statistics to mean 0, variance 1."""
        self.reset_running_stats()
        super().reset_parameters()

    def _check_axes(self, shape: tuple[int, ...], alone: bool) -> None:
        if len(shape) not in self.ranks:
            names = [AXES.get(rank - 2) for rank in self.ranks]
            batches = [f"(N, C, {axes})" if axes else "(N, C)" for axes in names]
            if alone:
                batches = [f"(N, C, {names[-1]})", f"(C, {names[-1]})"]
            raise ShapeError(f"got x of shape {shape}: it must be {' or '.join(batches)}")

    def extra_repr(self) -> str:
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, "
            f"affine={self.affine}, bias={self.bias is not None}, "
            f"track_running_stats={self.track_running_stats}"
        )


class _BatchNorm(_Tracking):
    def forward(self, x: Tensor) -> Tensor:
        self._check_axes(tuple(x.shape), alone=False)
        if x.shape[1] != self.num_features:
            raise ShapeError(
                f"got x of shape {tuple(x.shape)}: it must have {self.num_features} channels"
            )
        tracked = self.running_mean is not None or self.running_var is not None
        of_batch = self.training or not tracked
        known = not self.training or self.track_running_stats
        return F.batch_norm(
            x,
            self.running_mean if known else None,
            self.running_var if known else None,
            self.weight,
            self.bias,
            of_batch,
            self._momentum(),
            self.eps,
        )

    def _momentum(self) -> float:
        """Count the batch; return the share that its statistics get in the running ones."""
        if self.training and self.track_running_stats and self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)
            if self.momentum is None:  # the mean of all batches
                return 1.0 / self.num_batches_tracked.item()
        return self.momentum or 0.0


class BatchNorm1d(_BatchNorm):
    """y = (x - mean) / √(var + eps) · weight + bias, x (N, C) or (N, C, L); see BatchNorm2d."""

    ranks = (2, 3)


class BatchNorm2d(_BatchNorm):
    """y = (x - mean) / √(var + eps) · weight + bias for each channel, x (N, C, H, W).

    In training mean and var are those of the batch, and running_mean and running_var follow by
    `momentum`, or are the mean of all batches where it is None; in evaluation they serve.
    Ioffe and Szegedy, Batch Normalization (2015).
    """

    ranks = (4,)


class BatchNorm3d(_BatchNorm):
    """y = (x - mean) / √(var + eps) · weight + bias, x (N, C, D, H, W); see BatchNorm2d."""

    ranks = (5,)


class _InstanceNorm(_Tracking):
    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(
            num_features, eps, momentum, affine, track_running_stats, device, dtype, bias=bias
        )

    def forward(self, x: Tensor) -> Tensor:
        shape = tuple(x.shape)
        self._check_axes(shape, alone=True)
        alone = len(shape) == self.ranks[0]
        channels = shape[0 if alone else 1]
        if channels != self.num_features:
            self._complain(shape)
        y = F.instance_norm(
            x[None] if alone else x,
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            self.training or not self.track_running_stats,
            self.momentum or 0.0,
            self.eps,
        )
        return y[0] if alone else y

    def _complain(self, shape: tuple[int, ...]) -> None:
        """Say that the channels are not as announced, which does no harm if nothing has them."""
        message = f"got x of shape {shape}: it must have {self.num_features} channels"
        if self.affine or self.track_running_stats:
            raise ShapeError(message)
        warnings.warn(f"{self._label()} {message}", stacklevel=4)


class InstanceNorm1d(_InstanceNorm):
    """BatchNorm1d with statistics of each sample's own, x (N, C, L) or (C, L)."""

    ranks = (2, 3)


class InstanceNorm2d(_InstanceNorm):
    """BatchNorm2d with statistics of each sample's own, x (N, C, H, W) or (C, H, W).

    Ulyanov, Vedaldi and Lempitsky, Instance Normalization (2016).
    """

    ranks = (3, 4)


class InstanceNorm3d(_InstanceNorm):
    """BatchNorm3d with statistics of each sample's own, x (N, C, D, H, W) or (C, D, H, W)."""

    ranks = (4, 5)


def _as_shape(normalized_shape: int | Sequence[int]) -> tuple[int, ...]:
    if isinstance(normalized_shape, int):
        return (normalized_shape,)
    return tuple(normalized_shape)


class LayerNorm(_Affine):
    """y = (x - mean) / √(var + eps) · weight + bias over the last axes (*normalized_shape).

    Ba, Kiros and Hinton, Layer Normalization (2016).
    """

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.normalized_shape = _as_shape(normalized_shape)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        self._scale_and_shift(self.normalized_shape, elementwise_affine, bias, device, dtype)
        self.reset_parameters()

    def forward(self, x: Tensor) -> Tensor:
        return F.layer_norm(x, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.normalized_shape}, eps={self.eps}, "
            f"elementwise_affine={self.elementwise_affine}, bias={self.bias is not None}"
        )


class RMSNorm(Module):
    """y = x / √(mean x² + eps) · weight over the last axes (*normalized_shape).

    Without eps it is the distance from 1 to the next number of x's dtype. Zhang and Sennrich,
    Root Mean Square Layer Normalization (2019).
    """

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float | None = None,
        elementwise_affine: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.normalized_shape = _as_shape(normalized_shape)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        self.weight = unset(self.normalized_shape, device, dtype) if elementwise_affine else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Set weight 1."""
        if self.weight is not None:
            init.ones_(self.weight)

    def forward(self, x: Tensor) -> Tensor:
        return F.rms_norm(x, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"
        )


class GroupNorm(_Affine):
    """y = (x - mean) / √(var + eps) · weight + bias, statistics of each group of channels.

    x (N, C, ...), weight and bias (C). Wu and He, Group Normalization (2018).
    """

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        if num_groups < 1 or num_channels % num_groups:
            raise ValueError(
                f"GroupNorm got num_groups={num_groups} and num_channels={num_channels}: "
                "num_channels must be a multiple of num_groups"
            )
        self.num_groups = num_groups
        self.num_channels = num_channels
        self.eps = eps
        self.affine = affine
        self._scale_and_shift((num_channels,), affine, bias, device, dtype)
        self.reset_parameters()

    def forward(self, x: Tensor) -> Tensor:
        return F.group_norm(x, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}, "
            f"bias={self.bias is not None}"
        )


class LocalResponseNorm(Module):
    """y = x / (k + alpha mean x²)^beta, the mean over `size` neighbouring channels; x (N, C, ...).

    Krizhevsky, Sutskever and Hinton, ImageNet Classification (2012), section 3.3.
    """

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> None:
        super().__init__()
        self.size = size
        self.alpha = alpha
        self.beta = beta
        self.k = k

    def forward(self, x: Tensor) -> Tensor:
        return F.local_response_norm(x, self.size, self.alpha, self.beta, self.k)

    def extra_repr(self) -> str:
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"
