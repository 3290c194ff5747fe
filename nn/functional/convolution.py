"""Convolutions: padding by name, then the op."""

from __future__ import annotations

from collections.abc import Sequence

from autograd_core import ShapeError, Tensor, ops

from ..window import around, pair

__all__ = ["conv2d"]


def conv2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: int | Sequence[int] = 1,
    padding: int | Sequence[int] | str = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> Tensor:
    """Slide `weight` (O, C / groups, h, w) over (N, C, H, W); padding may be "same" or "valid"."""
    if isinstance(padding, str):
        if weight.ndim != 4:
            raise ShapeError(
                f"conv2d got a weight of shape {tuple(weight.shape)}: "
                "it must have the axes (out, in / groups, height, width)"
            )
        kernel = (weight.shape[2], weight.shape[3])
        dilation = pair("conv2d", "dilation", dilation, least=1)
        (top, bottom), (left, right) = around(padding, kernel, dilation)
        padding = (min(top, bottom), min(left, right))
        if (top, left) != (bottom, right):
            input = ops.pad(input, (0, right - left, 0, bottom - top))
    return ops.conv2d(input, weight, bias, stride, padding, dilation, groups)
