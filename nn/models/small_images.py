"""Two small convolutional networks: one for digits, one for CIFAR-10."""

from __future__ import annotations

from autograd_core import Generator, Tensor

from .. import functional as F
from ..activation import ReLU
from ..container import Sequential
from ..conv import Conv2d
from ..flatten import Flatten
from ..linear import Linear
from ..module import Module
from ..pooling import MaxPool2d


def conv_net(padding: int = 0, *, size: int = 28, generator: Generator | None = None) -> Sequential:
    """Two 5x5 convolutions of stride 2; x of shape (N, 1, size, size)."""
    first = Conv2d(1, 32, 5, stride=2, padding=padding, generator=generator)
    second = Conv2d(32, 32, 5, stride=2, padding=padding, generator=generator)
    height, width = second.output_size(first.output_size((size, size)))
    return Sequential(
        first,
        ReLU(),
        second,
        ReLU(),
        Flatten(),
        Linear(32 * height * width, 10, generator=generator),
    )


class CifarNet(Module):
    """Two convolutions with pooling, three linear layers; x (N, 3, 32, 32), 62,006 parameters.

    The network of PyTorch's tutorial on training a classifier, under its names.
    """

    def __init__(self, *, generator: Generator | None = None) -> None:
        super().__init__()
        self.conv1 = Conv2d(3, 6, 5, generator=generator)
        self.pool = MaxPool2d(2, 2)
        self.conv2 = Conv2d(6, 16, 5, generator=generator)
        self.fc1 = Linear(16 * 5 * 5, 120, generator=generator)
        self.fc2 = Linear(120, 84, generator=generator)
        self.fc3 = Linear(84, 10, generator=generator)

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool(F.relu(self.conv1(x)))
        x = self.pool(F.relu(self.conv2(x)))
        x = x.flatten(1)
        x = F.relu(self.fc1(x))
        x = F.relu(self.fc2(x))
        return self.fc3(x)
