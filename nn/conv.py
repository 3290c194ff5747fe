"""Convolution layers."""

from __future__ import annotations

from typing import Any

from autograd_core import Generator, ShapeError, Tensor

from . import functional as F
from . import init
from .module import Module
from .parameter import unset
from .window import Pair, around, pair, positions, reach


class Conv2d(Module):
    """y[n, o] = b[o] + Σ_c x[n, c] ⋆ w[o, c], x of shape (N, C, H, W) or (C, H, W).

    Each spatial axis of y has ⌊(size + 2 padding - dilation (kernel - 1) - 1) / stride⌋ + 1.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | Pair,
        stride: int | Pair = 1,
        padding: int | Pair | str = 0,
        dilation: int | Pair = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
        *,
        generator: Generator | None = None,
    ) -> None:
        super().__init__()
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = pair("Conv2d", "kernel_size", kernel_size, least=1)
        self.stride = pair("Conv2d", "stride", stride, least=1)
        self.dilation = pair("Conv2d", "dilation", dilation, least=1)
        self.padding = (
            padding if isinstance(padding, str) else pair("Conv2d", "padding", padding, least=0)
        )
        self.groups = groups
        self.padding_mode = padding_mode
        self._check()
        shape = (out_channels, in_channels // groups, *self.kernel_size)
        self.weight = unset(shape, device, dtype)
        self.bias = unset((out_channels,), device, dtype) if bias else None
        self.reset_parameters(generator)

    def _check(self) -> None:
        for name in ("in_channels", "out_channels"):
            channels = getattr(self, name)
            if self.groups < 1 or channels % self.groups:
                raise ValueError(
                    f"Conv2d got {name}={channels} and groups={self.groups}: "
                    f"{name} must be a multiple of groups"
                )
        if self.padding_mode not in ("zeros", "reflect", "replicate", "circular"):
            raise ValueError(
                f"Conv2d got padding_mode={self.padding_mode!r}: "
                "it must be 'zeros', 'reflect', 'replicate' or 'circular'"
            )
        if isinstance(self.padding, str) and self.padding not in ("same", "valid"):
            raise ValueError(
                f"Conv2d got padding={self.padding!r}: it must be a number, 'same' or 'valid'"
            )
        if self.padding == "same" and self.stride != (1, 1):
            raise ValueError(f"Conv2d got padding='same' and stride={self.stride}: it needs 1")

    def reset_parameters(self, generator: Generator | None = None) -> None:
        """Draw weight and bias uniformly from ±1/√(inputs of one output)."""
        init.fan_in_uniform_(self.weight, self.bias, generator)

    def forward(self, x: Tensor) -> Tensor:
        self._check_input(tuple(x.shape))
        padding = self.padding
        if self.padding_mode != "zeros":
            (top, bottom), (left, right) = around(padding, self.kernel_size, self.dilation)
            x = F.pad(x, (left, right, top, bottom), mode=self.padding_mode)
            padding = 0
        return F.conv2d(x, self.weight, self.bias, self.stride, padding, self.dilation, self.groups)

    def output_size(self, size: Pair) -> Pair:
        """Return the height and width of the output for those of an input."""
        return positions(size, self.kernel_size, self.stride, self.padding, self.dilation)

    def _check_input(self, shape: tuple[int, ...]) -> None:
        if len(shape) not in (3, 4):
            raise ShapeError(f"got x of shape {shape}: it must be (N, C, H, W) or (C, H, W)")
        if shape[-3] != self.in_channels:
            raise ShapeError(f"got x of shape {shape}: it must have {self.in_channels} channels")
        if min(self.output_size((shape[-2], shape[-1]))) < 1:
            height, width = reach(self.kernel_size, self.dilation)
            raise ShapeError(
                f"got x of shape {shape}: with its padding it must be at least {height} x {width}"
            )

    def extra_repr(self) -> str:
        options = (
            ("padding", self.padding, (0, 0)),
            ("dilation", self.dilation, (1, 1)),
            ("groups", self.groups, 1),
            ("bias", self.bias is not None, True),
            ("padding_mode", self.padding_mode, "zeros"),
        )
        parts = [str(self.in_channels), str(self.out_channels)]
        parts += [f"kernel_size={self.kernel_size}", f"stride={self.stride}"]
        parts += [f"{name}={value}" for name, value, usual in options if value != usual]
        return ", ".join(parts)
