"""Layers that widen the spatial axes of their input."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from autograd_core import ShapeError, Tensor

from . import functional as F
from .module import Module

Widths = int | Sequence[int]


class _Pad(Module):
    """Widen the last axes by `padding`: one number, or (before, after) of the last axis first."""

    axes: ClassVar[int]
    mode: ClassVar[str]
    value: float | None = None

    def __init__(self, padding: Widths) -> None:
        super().__init__()
        given = (padding,) * (2 * self.axes) if isinstance(padding, int) else tuple(padding)
        if len(given) != 2 * self.axes:
            raise ShapeError(
                f"{type(self).__name__} got padding={padding}: "
                f"it must be one number, or {2 * self.axes}"
            )
        self.padding = given

    def forward(self, x: Tensor) -> Tensor:
        if self.mode != "constant" and x.ndim not in (self.axes + 1, self.axes + 2):
            raise ShapeError(
                f"got x of shape {tuple(x.shape)}: it must have {self.axes + 1} axes, "
                f"or {self.axes + 2} with that of samples"
            )
        return F.pad(x, self.padding, self.mode, self.value)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class _ConstantPad(_Pad):
    mode = "constant"

    def __init__(self, padding: Widths, value: float) -> None:
        super().__init__(padding)
        self.value = value

    def extra_repr(self) -> str:
        return f"padding={self.padding}, value={self.value}"


class ConstantPad1d(_ConstantPad):
    """x (..., L) with `value` around it."""

    axes = 1


class ConstantPad2d(_ConstantPad):
    """x (..., H, W) with `value` around it."""

    axes = 2


class ConstantPad3d(_ConstantPad):
    """x (..., D, H, W) with `value` around it."""

    axes = 3


class _ZeroPad(_Pad):
    mode = "constant"
    value = 0.0


class ZeroPad1d(_ZeroPad):
    """x (..., L) with zeros around it."""

    axes = 1


class ZeroPad2d(_ZeroPad):
    """x (..., H, W) with zeros around it."""

    axes = 2


class ZeroPad3d(_ZeroPad):
    """x (..., D, H, W) with zeros around it."""

    axes = 3


class _ReflectionPad(_Pad):
    mode = "reflect"


class ReflectionPad1d(_ReflectionPad):
    """x (N, C, L) or (C, L), mirrored at its outermost elements."""

    axes = 1


class ReflectionPad2d(_ReflectionPad):
    """x (N, C, H, W) or (C, H, W), mirrored at its outermost elements."""

    axes = 2


class ReflectionPad3d(_ReflectionPad):
    """x (N, C, D, H, W) or (C, D, H, W), mirrored at its outermost elements."""

    axes = 3


class _ReplicationPad(_Pad):
    mode = "replicate"


class ReplicationPad1d(_ReplicationPad):
    """x (N, C, L) or (C, L), continued with its outermost elements."""

    axes = 1


class ReplicationPad2d(_ReplicationPad):
    """x (N, C, H, W) or (C, H, W), continued with its outermost elements."""

    axes = 2


class ReplicationPad3d(_ReplicationPad):
    """x (N, C, D, H, W) or (C, D, H, W), continued with its outermost elements."""

    axes = 3


class _CircularPad(_Pad):
    mode = "circular"


class CircularPad1d(_CircularPad):
    """x (N, C, L) or (C, L), continued from its other end."""

    axes = 1


class CircularPad2d(_CircularPad):
    """x (N, C, H, W) or (C, H, W), continued from its other end."""

    axes = 2


class CircularPad3d(_CircularPad):
    """x (N, C, D, H, W) or (C, D, H, W), continued from its other end."""

    axes = 3
