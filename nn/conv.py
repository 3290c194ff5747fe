"""Convolution layers, and those that turn convolutions round."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from autograd_core import Generator, ShapeError, Tensor
from autograd_core.ops.windows import Pairs, Sizes, around, positions, reach

from . import functional as F
from . import init
from .module import Module
from .parameter import unset
from .window import check_input, last_first, numbers

Count = int | Sequence[int]


class _Convolution(Module):
    """What all of them have: sizes, a weight, a bias."""

    axes: ClassVar[int]
    modes: ClassVar[tuple[str, ...]] = ("zeros", "reflect", "replicate", "circular")

    def _set_sizes(
        self, in_channels: int, out_channels: int, kernel_size: Count, stride: Count,
        padding: Count | str, dilation: Count, groups: int, padding_mode: str,
    ) -> None:  # fmt: skip
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = self._numbers("kernel_size", kernel_size, 1)
        self.stride = self._numbers("stride", stride, 1)
        self.padding = padding if isinstance(padding, str) else self._numbers("padding", padding, 0)
        self.dilation = self._numbers("dilation", dilation, 1)
        self.groups = groups
        self.padding_mode = padding_mode
        self._check()

    def _set_parameters(
        self, shape: tuple[int, ...], bias: bool, device: Any, dtype: Any,
        generator: Generator | None,
    ) -> None:  # fmt: skip
        self.weight = unset(shape, device, dtype)
        self.bias = unset((self.out_channels,), device, dtype) if bias else None
        self.reset_parameters(generator)

    def _numbers(self, name: str, value: Any, least: int) -> Sizes:
        return numbers(type(self).__name__, name, value, self.axes, least)

    def _check(self) -> None:
        who = type(self).__name__
        for name in ("in_channels", "out_channels"):
            channels = getattr(self, name)
            if self.groups < 1 or channels % self.groups:
                raise ValueError(
                    f"{who} got {name}={channels} and groups={self.groups}: "
                    f"{name} must be a multiple of groups"
                )
        if self.padding_mode not in self.modes:
            known = " or ".join(map(repr, self.modes))
            raise ValueError(f"{who} got padding_mode={self.padding_mode!r}: it must be {known}")
        if isinstance(self.padding, str) and self.padding not in ("same", "valid"):
            raise ValueError(
                f"{who} got padding={self.padding!r}: it must be a number, 'same' or 'valid'"
            )
        if self.padding == "same" and max(self.stride) > 1:
            raise ValueError(f"{who} got padding='same' and stride={self.stride}: it needs 1")

    def reset_parameters(self, generator: Generator | None = None) -> None:
        """Draw weight and bias uniformly from ±1/√(c · kernel), the weight (o, c, *kernel)."""
        init.fan_in_uniform_(self.weight, self.bias, generator)

    def extra_repr(self) -> str:
        options = (
            ("padding", self.padding, (0,) * self.axes),
            ("dilation", self.dilation, (1,) * self.axes),
            ("output_padding", vars(self).get("output_padding"), (0,) * self.axes),
            ("groups", self.groups, 1),
            ("bias", self.bias is not None, True),
            ("padding_mode", self.padding_mode, "zeros"),
        )
        parts = [str(self.in_channels), str(self.out_channels)]
        parts += [f"kernel_size={self.kernel_size}", f"stride={self.stride}"]
        parts += [f"{name}={value}" for name, value, usual in options if value not in (usual, None)]
        return ", ".join(parts)


class _Conv(_Convolution):
    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Count,
        stride: Count = 1,
        padding: Count | str = 0,
        dilation: Count = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
        *,
        generator: Generator | None = None,
    ) -> None:
        super().__init__()
        self._set_sizes(in_channels, out_channels, kernel_size, stride, padding, dilation, groups,
                        padding_mode)  # fmt: skip
        shape = (out_channels, in_channels // groups, *self.kernel_size)
        self._set_parameters(shape, bias, device, dtype, generator)

    def forward(self, x: Tensor) -> Tensor:
        return self.slid((F.conv1d, F.conv2d, F.conv3d)[self.axes - 1], x)

    def slid(self, convolve: Callable[..., Tensor], x: Tensor) -> Tensor:
        """Return x convolved by the given form of F.conv1d, F.conv2d or F.conv3d."""
        self._check_input(tuple(x.shape))
        padding: Any = self.padding
        if self.padding_mode != "zeros":
            x = F.pad(x, last_first(self._around()), mode=self.padding_mode)
            padding = 0
        return convolve(x, self.weight, self.bias, self.stride, padding, self.dilation, self.groups)

    def output_size(self, size: Sizes) -> Sizes:
        """Return the size of each spatial axis of the output for those of an input."""
        return positions(size, self.kernel_size, self.stride, self._around(), self.dilation)

    def _around(self) -> Pairs:
        return around(self.padding, self.kernel_size, self.dilation)

    def _check_input(self, shape: tuple[int, ...]) -> None:
        check_input(shape, self.axes, self.in_channels)
        if min(self.output_size(shape[-self.axes :])) < 1:
            least = " x ".join(map(str, reach(self.kernel_size, self.dilation)))
            raise ShapeError(
                f"got x of shape {shape}: with its padding it must be at least {least}"
            )


class Conv1d(_Conv):
    """y[n, o] = b[o] + Σ_c x[n, c] ⋆ w[o, c], x of shape (N, C, L) or (C, L); see Conv2d."""

    axes = 1


class Conv2d(_Conv):
    """y[n, o] = b[o] + Σ_c x[n, c] ⋆ w[o, c], x of shape (N, C, H, W) or (C, H, W).

    Each spatial axis of y has ⌊(size + 2 padding - dilation (kernel - 1) - 1) / stride⌋ + 1.
    """

    axes = 2


class Conv3d(_Conv):
    """y[n, o] = b[o] + Σ_c x[n, c] ⋆ w[o, c], x of shape (N, C, D, H, W) or (C, D, H, W)."""

    axes = 3


class _ConvTranspose(_Convolution):
    modes = ("zeros",)

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Count,
        stride: Count = 1,
        padding: Count = 0,
        output_padding: Count = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Count = 1,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
        *,
        generator: Generator | None = None,
    ) -> None:
        super().__init__()
        padding = self._numbers("padding", padding, 0)
        self._set_sizes(in_channels, out_channels, kernel_size, stride, padding, dilation, groups,
                        padding_mode)  # fmt: skip
        self.output_padding = self._numbers("output_padding", output_padding, 0)
        shape = (in_channels, out_channels // groups, *self.kernel_size)
        self._set_parameters(shape, bias, device, dtype, generator)

    def forward(self, x: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        shape = tuple(x.shape)
        check_input(shape, self.axes, self.in_channels)
        extra = self.output_padding
        if output_size is not None:
            extra = self._missing(shape[-self.axes :], tuple(output_size)[-self.axes :])
        turn = (F.conv_transpose1d, F.conv_transpose2d, F.conv_transpose3d)[self.axes - 1]
        return turn(
            x, self.weight, self.bias, self.stride, self.padding, extra, self.groups, self.dilation
        )

    def _missing(self, size: Sizes, wanted: Sizes) -> Sizes:
        """Return the output padding that makes the output as large as wanted."""
        assert not isinstance(self.padding, str)
        spans = reach(self.kernel_size, self.dilation)
        sides = zip(size, self.stride, self.padding, spans, strict=True)
        least = tuple((n - 1) * s - 2 * p + span for n, s, p, span in sides)
        most = tuple(n + s - 1 for n, s in zip(least, self.stride, strict=True))
        if len(wanted) != self.axes or not all(map(_between, least, wanted, most)):
            raise ShapeError(
                f"got output_size {wanted} for x of size {size}: it must be from {least} to {most}"
            )
        return tuple(map(int.__sub__, wanted, least))


def _between(low: int, n: int, high: int) -> bool:
    return low <= n <= high


class ConvTranspose1d(_ConvTranspose):
    """The adjoint of Conv1d in x, plus a bias: x (N, C, L) or (C, L); see ConvTranspose2d."""

    axes = 1


class ConvTranspose2d(_ConvTranspose):
    """The adjoint of Conv2d in x, plus a bias: x (N, C, H, W) or (C, H, W).

    Each spatial axis has (size - 1) stride - 2 padding + dilation (kernel - 1) + output_padding
    + 1 elements; `output_size` at the call chooses among the sizes that Conv2d rounds down.
    """

    axes = 2


class ConvTranspose3d(_ConvTranspose):
    """The adjoint of Conv3d in x, plus a bias: x (N, C, D, H, W) or (C, D, H, W)."""

    axes = 3
