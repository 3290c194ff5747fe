"""LeNet-5 as it was in 1998.

LeCun, Bottou, Bengio and Haffner, Gradient-Based Learning Applied to Document Recognition (1998),
section II.B; initial values and the squashing function from appendix A.
"""

from __future__ import annotations

import numpy as np

import autograd_core as ag
from autograd_core import Generator, ShapeError, Tensor

from .. import functional as F
from .. import init
from ..connections import RadialBasis, Subsampling2d
from ..conv import Conv2d
from ..linear import Linear
from ..module import Module
from ..parameter import unset

# Table I: which of the six maps of S2 each of the sixteen maps of C3 sees.
C3 = (
    *((i, (i + 1) % 6, (i + 2) % 6) for i in range(6)),
    *((i, (i + 1) % 6, (i + 2) % 6, (i + 3) % 6) for i in range(6)),
    (0, 1, 3, 4),
    (1, 2, 4, 5),
    (0, 2, 3, 5),
    (0, 1, 2, 3, 4, 5),
)

# The codes of the output: digits on 7 x 12 pixels, black +1 and white -1, so that F6, which is
# trained to repeat them, is right only if all of its 84 units are. Figure 3 has the idea.
DIGITS = """
....... ....... ....... ....... ....... ....... ....... ....... ....... .......
..###.. ...##.. .#####. ####### ....##. ####### ..####. ####### .#####. .#####.
.#...#. ..###.. ##...## .....## ...###. ##..... .##.... .....## ##...## ##...##
##...## .####.. .....## ....##. ..####. ##..... ##..... .....## ##...## ##...##
##...## ...##.. .....## ...##.. .##.##. ######. ##..... ....##. ##...## ##...##
##...## ...##.. ....##. ..####. ##..##. .....## ######. ....##. .#####. ##...##
##...## ...##.. ...##.. .....## ####### .....## ##...## ...##.. ##...## .######
##...## ...##.. ..##... .....## ####### .....## ##...## ...##.. ##...## .....##
##...## ...##.. .##.... .....## ....##. .....## ##...## ..##... ##...## .....##
.#...#. ...##.. ##..... ##...## ....##. ##...## ##...## ..##... ##...## ....##.
..###.. .###### ####### .#####. ....##. .#####. .#####. ..##... .#####. .####..
....... ....... ....... ....... ....... ....... ....... ....... ....... .......
"""


def squash(x: Tensor) -> Tensor:
    """1.7159 tanh(2/3 x), which takes ±1 to ±1."""
    return 1.7159 * F.tanh(2.0 / 3.0 * x)


def digit_codes() -> np.ndarray:
    """Return the codes of the ten digits (10, 84), of -1 and 1."""
    black = np.array([list(row) for row in DIGITS.replace(" ", "").split()]) == "#"
    return np.where(black, 1.0, -1.0).reshape(12, 10, 7).swapaxes(0, 1).reshape(10, 84)


class PartialConv2d(Module):
    """y[o] = b[o] + Σ over the maps i that o sees of w[k] * x[i], k numbering the pairs (o, i).

    x (N, C, H, W); `table` has, for each output map, the input maps it sees.
    """

    table: Tensor

    def __init__(
        self,
        in_channels: int,
        table: tuple[tuple[int, ...], ...],
        kernel_size: int,
        *,
        generator: Generator | None = None,
    ) -> None:
        super().__init__()
        self.shape = (len(table), in_channels, kernel_size, kernel_size)
        pairs = [(o, i) for o, maps in enumerate(table) for i in maps]
        self.register_buffer("table", ag.tensor(pairs), persistent=False)
        self.weight = unset((len(pairs), kernel_size, kernel_size), None, None)
        self.bias = unset((len(table),), None, None)
        self.reset_parameters(generator)

    def reset_parameters(self, generator: Generator | None = None) -> None:
        """Draw each map's weights uniformly from ±2.4 / (how many numbers it sees)."""
        outputs = self.table.numpy()[:, 0]
        seen = np.bincount(outputs)[outputs] * self.shape[2] * self.shape[3]
        bound = ag.tensor(2.4 / seen, dtype=self.weight.dtype).reshape(-1, 1, 1)
        init.uniform_(self.weight, -1.0, 1.0, generator)
        with ag.no_grad():
            self.weight.mul_(bound)
        init.zeros_(self.bias)

    def forward(self, x: Tensor) -> Tensor:
        zeros = self.weight.new_zeros(self.shape)
        outputs, inputs = self.table.unbind(1)
        return F.conv2d(x, zeros.index_put((outputs, inputs), self.weight), self.bias)

    def extra_repr(self) -> str:
        outputs, inputs, size, _ = self.shape
        return f"{inputs}, {outputs}, kernel_size={size}, pairs={self.weight.shape[0]}"


class LeNet5(Module):
    """How far x (N, 1, 32, 32) is from each of ten digits (N, 10): the smallest names it.

    60,000 trainable parameters; the codes of the output stay as they are, as in the paper. Pixels
    are meant to be -0.1 where white and 1.175 where black.
    """

    def __init__(self, *, generator: Generator | None = None) -> None:
        super().__init__()
        self.c1 = Conv2d(1, 6, 5, generator=generator)
        self.s2 = Subsampling2d(6, generator=generator)
        self.c3 = PartialConv2d(6, C3, 5, generator=generator)
        self.s4 = Subsampling2d(16, generator=generator)
        self.c5 = Conv2d(16, 120, 5, generator=generator)
        self.f6 = Linear(120, 84, generator=generator)
        self.output = RadialBasis(84, 10)
        for name, seen in {"c1": 25, "s2": 4, "s4": 4, "c5": 400, "f6": 120}.items():
            module = self.get_submodule(name)
            init.uniform_(module.weight, -2.4 / seen, 2.4 / seen, generator)
            init.zeros_(module.bias)
        with ag.no_grad():
            self.output.weight.copy_(ag.tensor(digit_codes()))
        self.output.requires_grad_(False)

    def forward(self, x: Tensor) -> Tensor:
        if tuple(x.shape[1:]) != (1, 32, 32):
            raise ShapeError(f"got x of shape {tuple(x.shape)}: it must be (N, 1, 32, 32)")
        x = squash(self.s2(squash(self.c1(x))))
        x = squash(self.s4(squash(self.c3(x))))
        x = squash(self.c5(x)).flatten(1)
        return self.output(squash(self.f6(x)))

    def loss(self, distances: Tensor, target: Tensor) -> Tensor:
        """Return the mean distance from the right digit: equation (8), a squared error."""
        return distances.gather(1, target.unsqueeze(1)).mean()
