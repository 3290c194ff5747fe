"""Losses of numbers as modules, and what all loss modules share; see `nn.functional`."""

from __future__ import annotations

from autograd_core import Tensor

from . import functional as F
from .functional.demands import check_reduction
from .module import Module


class Loss(Module):
    """A loss for every sample, and how they come together: reduction "mean", "sum" or "none"."""

    def __init__(
        self, size_average: None = None, reduce: None = None, reduction: str = "mean"
    ) -> None:
        super().__init__()
        check_reduction(type(self).__name__, "mean", size_average, reduce)
        self.reduction = reduction


class WeightedLoss(Loss):
    """A loss with a weight for each class, or for each element: a buffer."""

    weight: Tensor | None

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: None = None,
        reduce: None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.register_buffer("weight", weight)


class MSELoss(Loss):
    """(x - y)², both of the same shape."""

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.mse_loss(input, target, reduction=self.reduction)


class HalfMSELoss(Loss):
    """(x - y)² / 2, whose slope is x - y."""

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.half_mse_loss(input, target, self.reduction)


class L1Loss(Loss):
    """|x - y|."""

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.l1_loss(input, target, reduction=self.reduction)


class SmoothL1Loss(Loss):
    """d² / (2 beta) where d = |x - y| is below beta, d - beta / 2 beyond."""

    def __init__(
        self,
        size_average: None = None,
        reduce: None = None,
        reduction: str = "mean",
        beta: float = 1.0,
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.beta = beta

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.smooth_l1_loss(input, target, reduction=self.reduction, beta=self.beta)


class HuberLoss(Loss):
    """d² / 2 where d = |x - y| is below delta, delta (d - delta / 2) beyond."""

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        super().__init__(reduction=reduction)
        self.delta = delta

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.huber_loss(input, target, self.reduction, self.delta)
