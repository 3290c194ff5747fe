"""Pooling layers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from autograd_core import Tensor

from . import functional as F
from .module import Module
from .window import check_input, numbers

Count = int | Sequence[int]


class _Windows(Module):
    """A module whose work is done by a function, and that shows some of its attributes."""

    axes: ClassVar[int]
    shown: ClassVar[tuple[str, ...]]
    function: ClassVar[Callable[..., Any]]

    def extra_repr(self) -> str:
        return ", ".join(f"{name}={getattr(self, name)}" for name in self.shown)


class _Pool(_Windows):
    """What pools x: the function is given some of the attributes."""

    given: ClassVar[tuple[str, ...]]

    def _set_window(self, kernel_size: Count, stride: Count | None, padding: Count) -> None:
        who = type(self).__name__
        numbers(who, "kernel_size", kernel_size, self.axes, 1)
        if stride is not None:
            numbers(who, "stride", stride, self.axes, 1)
        numbers(who, "padding", padding, self.axes, 0)
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding

    def forward(self, x: Tensor) -> Tensor:
        check_input(tuple(x.shape), self.axes)
        return type(self).function(x, *[getattr(self, name) for name in self.given])


class _MaxPool(_Pool):
    shown = ("kernel_size", "stride", "padding", "dilation", "ceil_mode")
    given = (*shown, "return_indices")

    def __init__(
        self,
        kernel_size: Count,
        stride: Count | None = None,
        padding: Count = 0,
        dilation: Count = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        self._set_window(kernel_size, stride, padding)
        numbers(type(self).__name__, "dilation", dilation, self.axes, 1)
        self.dilation = dilation
        self.return_indices = return_indices
        self.ceil_mode = ceil_mode

    def forward(self, x: Tensor) -> Any:  # with return_indices a pair
        return super().forward(x)


class MaxPool1d(_MaxPool):
    """Largest element of each window of x (N, C, L) or (C, L)."""

    axes = 1
    function = F.max_pool1d


class MaxPool2d(_MaxPool):
    """Largest element of each window of x (N, C, H, W) or (C, H, W).

    Each axis has ⌊(size + 2 padding - dilation (kernel - 1) - 1) / stride⌋ + 1 windows; with
    ceil_mode rounded up, as long as the last window starts within the padded axis.
    """

    axes = 2
    function = F.max_pool2d


class MaxPool3d(_MaxPool):
    """Largest element of each window of x (N, C, D, H, W) or (C, D, H, W)."""

    axes = 3
    function = F.max_pool3d


class _AvgPool(_Pool):
    shown = ("kernel_size", "stride", "padding")
    given = (*shown, "ceil_mode", "count_include_pad", "divisor_override")

    def __init__(
        self,
        kernel_size: Count,
        stride: Count | None = None,
        padding: Count = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:
        super().__init__()
        self._set_window(kernel_size, stride, padding)
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad
        self.divisor_override = divisor_override


class AvgPool1d(_AvgPool):
    """Mean of each window of x (N, C, L) or (C, L)."""

    axes = 1
    function = F.avg_pool1d
    given = (*_AvgPool.shown, "ceil_mode", "count_include_pad")

    def __init__(
        self,
        kernel_size: Count,
        stride: Count | None = None,
        padding: Count = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:
        super().__init__(kernel_size, stride, padding, ceil_mode, count_include_pad)
        who = type(self).__name__
        self.kernel_size = numbers(who, "kernel_size", self.kernel_size, 1, 1)
        self.stride = numbers(who, "stride", self.stride, 1, 1)
        self.padding = numbers(who, "padding", self.padding, 1, 0)


class AvgPool2d(_AvgPool):
    """Mean of each window of x (N, C, H, W) or (C, H, W).

    Padding counts as zeros, or with count_include_pad=False not at all.
    """

    axes = 2
    function = F.avg_pool2d


class AvgPool3d(_AvgPool):
    """Mean of each window of x (N, C, D, H, W) or (C, D, H, W)."""

    axes = 3
    function = F.avg_pool3d


class _LPPool(_Pool):
    shown = given = ("norm_type", "kernel_size", "stride", "ceil_mode")

    def __init__(
        self,
        norm_type: float,
        kernel_size: Count,
        stride: Count | None = None,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        self._set_window(kernel_size, stride, 0)
        self.norm_type = norm_type
        self.stride = stride
        self.ceil_mode = ceil_mode


class LPPool1d(_LPPool):
    """(Σ x^p)^(1/p) over each window of x (N, C, L) or (C, L), p = norm_type."""

    axes = 1
    function = F.lp_pool1d


class LPPool2d(_LPPool):
    """(Σ x^p)^(1/p) over each window of x (N, C, H, W) or (C, H, W), p = norm_type."""

    axes = 2
    function = F.lp_pool2d


class LPPool3d(_LPPool):
    """(Σ x^p)^(1/p) over each window of x (N, C, D, H, W) or (C, D, H, W), p = norm_type."""

    axes = 3
    function = F.lp_pool3d


class _MaxUnpool(_Windows):
    shown = ("kernel_size", "stride", "padding")

    def __init__(self, kernel_size: Count, stride: Count | None = None, padding: Count = 0) -> None:
        super().__init__()
        who = type(self).__name__
        self.kernel_size = numbers(who, "kernel_size", kernel_size, self.axes, 1)
        given = self.kernel_size if stride is None else stride
        self.stride = numbers(who, "stride", given, self.axes, 1)
        self.padding = numbers(who, "padding", padding, self.axes, 0)

    def forward(
        self, x: Tensor, indices: Tensor, output_size: Sequence[int] | None = None
    ) -> Tensor:
        check_input(tuple(x.shape), self.axes)
        return type(self).function(
            x, indices, self.kernel_size, self.stride, self.padding, output_size
        )


class MaxUnpool1d(_MaxUnpool):
    """Zeros with x (N, C, L) put where MaxPool1d found it; the inverse as far as there is one."""

    axes = 1
    function = F.max_unpool1d


class MaxUnpool2d(_MaxUnpool):
    """Zeros with x (N, C, H, W) put where MaxPool2d found it.

    Each axis has (size - 1) stride - 2 padding + kernel elements, unless output_size says better.
    """

    axes = 2
    function = F.max_unpool2d


class MaxUnpool3d(_MaxUnpool):
    """Zeros with x (N, C, D, H, W) put where MaxPool3d found it."""

    axes = 3
    function = F.max_unpool3d


class _AdaptiveAvgPool(_Pool):
    shown = given = ("output_size",)

    def __init__(self, output_size: Any) -> None:
        super().__init__()
        self.output_size = output_size


class AdaptiveAvgPool1d(_AdaptiveAvgPool):
    """Mean of each of output_size windows of x (N, C, L) or (C, L)."""

    axes = 1
    function = F.adaptive_avg_pool1d


class AdaptiveAvgPool2d(_AdaptiveAvgPool):
    """Mean of each of output_size windows of x (N, C, H, W) or (C, H, W); None keeps a size.

    Window i of m along n elements is from ⌊i n / m⌋ up to ⌈(i + 1) n / m⌉.
    """

    axes = 2
    function = F.adaptive_avg_pool2d


class AdaptiveAvgPool3d(_AdaptiveAvgPool):
    """Mean of each of output_size windows of x (N, C, D, H, W) or (C, D, H, W)."""

    axes = 3
    function = F.adaptive_avg_pool3d


class _AdaptiveMaxPool(_Pool):
    shown = ("output_size",)
    given = ("output_size", "return_indices")

    def __init__(self, output_size: Any, return_indices: bool = False) -> None:
        super().__init__()
        self.output_size = output_size
        self.return_indices = return_indices

    def forward(self, x: Tensor) -> Any:  # with return_indices a pair
        return super().forward(x)


class AdaptiveMaxPool1d(_AdaptiveMaxPool):
    """Largest element of each of output_size windows of x (N, C, L) or (C, L)."""

    axes = 1
    function = F.adaptive_max_pool1d


class AdaptiveMaxPool2d(_AdaptiveMaxPool):
    """Largest element of each of output_size windows of x (N, C, H, W) or (C, H, W)."""

    axes = 2
    function = F.adaptive_max_pool2d


class AdaptiveMaxPool3d(_AdaptiveMaxPool):
    """Largest element of each of output_size windows of x (N, C, D, H, W) or (C, D, H, W)."""

    axes = 3
    function = F.adaptive_max_pool3d
