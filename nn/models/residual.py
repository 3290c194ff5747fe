"""Residual networks (He et al., 2016) and their plain counterparts.

He et al., Deep Residual Learning for Image Recognition (2016): table 1 for ImageNet, section 4.2
for CIFAR-10. Names, and the stride of a bottleneck on its 3x3 convolution, are torchvision's.

A shortcut where the shape changes is a projection ("B": 1x1 convolution and norm), or has no
parameters ("A": every other pixel, zeros for the new channels); a plain net has none at all (None).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from autograd_core import Generator, Tensor

from .. import functional as F
from .. import init
from ..activation import ReLU
from ..container import Sequential
from ..conv import Conv2d
from ..linear import Identity, Linear
from ..module import Module
from ..norm import BatchNorm2d
from ..pooling import AdaptiveAvgPool2d, MaxPool2d

SHORTCUTS = ("A", "B", None)


class PaddedShortcut(Module):
    """Every stride-th pixel of x (N, C, H, W), with zeros for the channels that x has not."""

    def __init__(self, more: int, stride: int) -> None:
        super().__init__()
        self.more = more
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        x = x[:, :, :: self.stride, :: self.stride]
        return F.pad(x, (0, 0, 0, 0, 0, self.more))

    def extra_repr(self) -> str:
        return f"more={self.more}, stride={self.stride}"


def conv(
    inputs: int, outputs: int, size: int, stride: int = 1, *, generator: Generator | None = None
) -> Conv2d:
    """Return a convolution without bias that keeps the image's size but for the stride."""
    return Conv2d(inputs, outputs, size, stride, padding=size // 2, bias=False, generator=generator)


def _shortcut(
    kind: str | None, inputs: int, outputs: int, stride: int, generator: Generator | None
) -> Module | None:
    """Return what x passes through beside the block; None in a plain net."""
    if kind is None:
        return None
    if stride == 1 and inputs == outputs:
        return Identity()
    if kind == "A":
        return PaddedShortcut(outputs - inputs, stride)
    projection = conv(inputs, outputs, 1, stride, generator=generator)
    return Sequential(projection, BatchNorm2d(outputs))


class Block(Module):
    """y = relu(F(x) + shortcut(x)), where F ends with a norm; a plain one is y = relu(F(x))."""

    expansion: ClassVar[int]  # channels that come out, for each one of the block's width

    downsample: Module | None

    def forward(self, x: Tensor) -> Tensor:
        y = self.residual(x)
        return self.relu(y if self.downsample is None else y + self.downsample(x))

    def residual(self, x: Tensor) -> Tensor:
        """Return F(x)."""
        raise NotImplementedError


class BasicBlock(Block):
    """Two 3x3 convolutions."""

    expansion = 1

    def __init__(
        self,
        inputs: int,
        width: int,
        stride: int = 1,
        shortcut: str | None = "B",
        *,
        generator: Generator | None = None,
    ) -> None:
        super().__init__()
        self.conv1 = conv(inputs, width, 3, stride, generator=generator)
        self.bn1 = BatchNorm2d(width)
        self.relu = ReLU()
        self.conv2 = conv(width, width, 3, generator=generator)
        self.bn2 = BatchNorm2d(width)
        self.downsample = _shortcut(shortcut, inputs, width, stride, generator)

    @property
    def scale(self) -> Tensor:
        """What F is multiplied by at its end."""
        return self.get_parameter("bn2.weight")

    def residual(self, x: Tensor) -> Tensor:
        x = self.relu(self.bn1(self.conv1(x)))
        return self.bn2(self.conv2(x))


class Bottleneck(Block):
    """1x1 to the block's width, 3x3, 1x1 to four times the width."""

    expansion = 4

    def __init__(
        self,
        inputs: int,
        width: int,
        stride: int = 1,
        shortcut: str | None = "B",
        *,
        generator: Generator | None = None,
    ) -> None:
        super().__init__()
        outputs = self.expansion * width
        self.conv1 = conv(inputs, width, 1, generator=generator)
        self.bn1 = BatchNorm2d(width)
        self.conv2 = conv(width, width, 3, stride, generator=generator)
        self.bn2 = BatchNorm2d(width)
        self.conv3 = conv(width, outputs, 1, generator=generator)
        self.bn3 = BatchNorm2d(outputs)
        self.relu = ReLU()
        self.downsample = _shortcut(shortcut, inputs, outputs, stride, generator)

    @property
    def scale(self) -> Tensor:
        """What F is multiplied by at its end."""
        return self.get_parameter("bn3.weight")

    def residual(self, x: Tensor) -> Tensor:
        x = self.relu(self.bn1(self.conv1(x)))
        x = self.relu(self.bn2(self.conv2(x)))
        return self.bn3(self.conv3(x))


class ResNet(Module):
    """Stages of `layers` blocks each, from one to the next half as large and twice as wide.

    x (N, 3, H, W), usually 224 x 224, to (N, num_classes). For small images the first convolution
    is 3x3 and keeps their size, and no pooling follows. `zero_init_residual` starts every block as
    its shortcut: Goyal et al., Accurate, Large Minibatch SGD (2017), section 5.1.
    """

    def __init__(
        self,
        block: type[BasicBlock | Bottleneck],
        layers: Sequence[int],
        num_classes: int = 1000,
        zero_init_residual: bool = False,
        *,
        shortcut: str | None = "B",
        width: int = 64,
        small_images: bool = False,
        generator: Generator | None = None,
    ) -> None:
        super().__init__()
        if shortcut not in SHORTCUTS:
            raise ValueError(f"ResNet got shortcut={shortcut!r}: it must be 'A', 'B' or None")
        size, stride = (3, 1) if small_images else (7, 2)
        self.conv1 = conv(3, width, size, stride, generator=generator)
        self.bn1 = BatchNorm2d(width)
        self.relu = ReLU()
        self.maxpool = Identity() if small_images else MaxPool2d(3, 2, padding=1)
        self.stages = [f"layer{i}" for i in range(1, len(layers) + 1)]
        channels = width
        for i, (stage, count) in enumerate(zip(self.stages, layers, strict=True)):
            blocks: list[Module] = []
            for k in range(count):
                step = 2 if i and not k else 1
                blocks.append(block(channels, width << i, step, shortcut, generator=generator))
                channels = (width << i) * block.expansion
            setattr(self, stage, Sequential(*blocks))
        self.avgpool = AdaptiveAvgPool2d(1)
        self.fc = Linear(channels, num_classes, generator=generator)
        self._draw(zero_init_residual, generator)

    def _draw(self, zero_init_residual: bool, generator: Generator | None) -> None:
        """Draw convolutions from N(0, 2 / fan_out); He et al., Delving Deep into Rectifiers."""
        for module in self.modules():
            if isinstance(module, Conv2d):
                init.kaiming_normal_(
                    module.weight, mode="fan_out", nonlinearity="relu", generator=generator
                )
            elif zero_init_residual and isinstance(module, (BasicBlock, Bottleneck)):
                init.zeros_(module.scale)

    def forward(self, x: Tensor) -> Tensor:
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        for stage in self.stages:
            x = getattr(self, stage)(x)
        return self.fc(self.avgpool(x).flatten(1))


def resnet18(**options: Any) -> ResNet:
    """18 layers, 11,689,512 parameters; the options are those of ResNet."""
    return ResNet(BasicBlock, (2, 2, 2, 2), **options)


def resnet34(**options: Any) -> ResNet:
    """34 layers, 21,797,672 parameters; the options are those of ResNet."""
    return ResNet(BasicBlock, (3, 4, 6, 3), **options)


def resnet50(**options: Any) -> ResNet:
    """50 layers, 25,557,032 parameters; the options are those of ResNet."""
    return ResNet(Bottleneck, (3, 4, 6, 3), **options)


def resnet101(**options: Any) -> ResNet:
    """101 layers, 44,549,160 parameters; the options are those of ResNet."""
    return ResNet(Bottleneck, (3, 4, 23, 3), **options)


def resnet152(**options: Any) -> ResNet:
    """152 layers, 60,192,808 parameters; the options are those of ResNet."""
    return ResNet(Bottleneck, (3, 8, 36, 3), **options)


def cifar_resnet(depth: int, num_classes: int = 10, **options: Any) -> ResNet:
    """6 n + 2 layers of 16, 32 and 64 channels, shortcuts without parameters; x (N, 3, 32, 32)."""
    if depth < 8 or depth % 6 != 2:
        raise ValueError(
            f"cifar_resnet got depth={depth}: it must be 6 n + 2, such as 20, 56 or 110"
        )
    options = {"shortcut": "A", "width": 16, "small_images": True} | options
    return ResNet(BasicBlock, [depth // 6] * 3, num_classes, **options)
