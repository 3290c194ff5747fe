"""How far numbers are from their targets."""

from __future__ import annotations

from autograd_core import ShapeError, Tensor, ops

from .demands import averaged, check_reduction, combined, same_shape, warn_of_pairs

__all__ = ["half_mse_loss", "huber_loss", "l1_loss", "mse_loss", "smooth_l1_loss"]


def mse_loss(
    input: Tensor,
    target: Tensor,
    size_average: None = None,
    reduce: None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """(x - y)², both of the same shape, and a weight for each if given."""
    check_reduction("mse_loss", reduction, size_average, reduce)
    warn_of_pairs("mse_loss", input, target)
    return averaged("mse_loss", ops.mse_loss(input, target, "none"), weight, reduction)


def half_mse_loss(input: Tensor, target: Tensor, reduction: str = "mean") -> Tensor:
    """(x - y)² / 2, whose slope is x - y."""
    check_reduction("half_mse_loss", reduction)
    warn_of_pairs("half_mse_loss", input, target)
    return 0.5 * combined(ops.mse_loss(input, target, "none"), reduction)


def l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: None = None,
    reduce: None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """|x - y|, and a weight for each if given; its slope at 0 is 0."""
    check_reduction("l1_loss", reduction, size_average, reduce)
    warn_of_pairs("l1_loss", input, target)
    return averaged("l1_loss", ops.abs(input - target), weight, reduction)


def smooth_l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: None = None,
    reduce: None = None,
    reduction: str = "mean",
    beta: float = 1.0,
) -> Tensor:
    """d² / (2 beta) where d = |x - y| is below beta, d - beta / 2 beyond (Girshick 2015)."""
    check_reduction("smooth_l1_loss", reduction, size_average, reduce)
    if beta < 0:
        raise ShapeError(f"smooth_l1_loss got beta={beta}: it must not be negative")
    if beta == 0:
        return l1_loss(input, target, reduction=reduction)
    warn_of_pairs("smooth_l1_loss", input, target)
    return combined(_rounded(input - target, beta) / beta, reduction)


def huber_loss(
    input: Tensor,
    target: Tensor,
    reduction: str = "mean",
    delta: float = 1.0,
    weight: Tensor | None = None,
) -> Tensor:
    """d² / 2 where d = |x - y| is below delta, delta (d - delta / 2) beyond (Huber 1964).

    With a weight for each, their mean still counts every one as 1.
    """
    check_reduction("huber_loss", reduction)
    if not delta > 0:
        raise ShapeError(f"huber_loss got delta={delta}: it must be positive")
    warn_of_pairs("huber_loss", input, target)
    losses = _rounded(input - target, delta)
    if weight is not None:
        same_shape("huber_loss", input=input, weight=weight)
        losses = losses * weight
    return combined(losses, reduction)


def _rounded(d: Tensor, bend: float) -> Tensor:
    """Return bend |d|, made a parabola where |d| is below the bend."""
    size = ops.abs(d)
    return ops.where(size < bend, 0.5 * d * d, bend * (size - 0.5 * bend))
