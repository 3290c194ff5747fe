"""The two networks that the lectures compare on handwritten digits."""

from __future__ import annotations

from autograd_core import Generator

from .activation import ReLU
from .container import Sequential
from .conv import Conv2d
from .flatten import Flatten
from .linear import Linear


def fc_net(inputs: int = 28 * 28, *, generator: Generator | None = None) -> Sequential:
    """Three hidden layers of 100; x of any shape (N, ...) with `inputs` numbers an example."""
    return Sequential(
        Flatten(),
        Linear(inputs, 100, generator=generator),
        ReLU(),
        Linear(100, 100, generator=generator),
        ReLU(),
        Linear(100, 100, generator=generator),
        ReLU(),
        Linear(100, 10, generator=generator),
    )


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
