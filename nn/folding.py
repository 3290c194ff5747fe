"""Windows as columns, and columns as windows."""

from __future__ import annotations

from collections.abc import Sequence

from autograd_core import Tensor

from . import functional as F
from .module import Module

Count = int | Sequence[int]


class Unfold(Module):
    """What each window of x (N, C, H, W) or (C, H, W) sees, as a column: (N, C kh kw, windows)."""

    def __init__(
        self, kernel_size: Count, dilation: Count = 1, padding: Count = 0, stride: Count = 1
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.dilation = dilation
        self.padding = padding
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        return F.unfold(x, self.kernel_size, self.dilation, self.padding, self.stride)

    def extra_repr(self) -> str:
        return (
            f"kernel_size={self.kernel_size}, dilation={self.dilation}, padding={self.padding}, "
            f"stride={self.stride}"
        )


class Fold(Module):
    """Columns (N, C kh kw, windows) added into images (N, C, *output_size); see Unfold."""

    def __init__(
        self,
        output_size: Count,
        kernel_size: Count,
        dilation: Count = 1,
        padding: Count = 0,
        stride: Count = 1,
    ) -> None:
        super().__init__()
        self.output_size = output_size
        self.kernel_size = kernel_size
        self.dilation = dilation
        self.padding = padding
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        return F.fold(
            x, self.output_size, self.kernel_size, self.dilation, self.padding, self.stride
        )

    def extra_repr(self) -> str:
        return (
            f"output_size={self.output_size}, kernel_size={self.kernel_size}, "
            f"dilation={self.dilation}, padding={self.padding}, stride={self.stride}"
        )
