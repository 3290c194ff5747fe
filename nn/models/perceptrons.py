"""Networks of linear layers: plain, with batch norm, with shortcuts, of any depth."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import autograd_core as ag
from autograd_core import Generator, Tensor

from .. import functional as F
from ..activation import ReLU
from ..connections import Residual
from ..container import Sequential
from ..flatten import Flatten
from ..linear import Linear
from ..module import Module
from ..norm import BatchNorm1d
from ..parameter import Parameter


def mlp(
    *widths: int,
    activation: Callable[[], Module] = ReLU,
    norm: Callable[[int], Module] | None = None,
    residual: bool = False,
    generator: Generator | None = None,
) -> Sequential:
    """Return z ← a(norm(W z + b)) from width to width, and W z + b at the end.

    The first width is that of the input, the last that of the output. With `residual` a layer
    that keeps its width is z ← z + a(norm(W z + b)); a norm takes the place of the bias.
    """
    if len(widths) < 2 or min(widths) < 1:
        raise ValueError(f"mlp got widths {widths}: it needs two or more, none below 1")
    *hidden, last = pairwise(widths)
    layers: list[Module] = []
    for m, n in hidden:
        block: list[Module] = [Linear(m, n, bias=norm is None, generator=generator)]
        block += [] if norm is None else [norm(n)]
        block += [activation()]
        layers += [Residual(Sequential(*block))] if residual and m == n else block
    return Sequential(*layers, Linear(*last, generator=generator))


def fc_net(inputs: int = 28 * 28, *, generator: Generator | None = None) -> Sequential:
    """Three hidden layers of 100; x of any shape (N, ...) with `inputs` numbers an example."""
    return Sequential(Flatten(), *mlp(inputs, 100, 100, 100, 10, generator=generator))


def batch_norm_mlp(
    input_dim: int, output_dim: int, middle_dim: int = 500, *, generator: Generator | None = None
) -> Sequential:
    """Four hidden layers fc1, bn1, relu1, ... and fc5: batch norm before each activation."""
    widths = [input_dim, *[middle_dim] * 4, output_dim]
    layers = mlp(*widths, norm=BatchNorm1d, generator=generator)
    names = [f"{kind}{i}" for i in range(1, 5) for kind in ("fc", "bn", "relu")] + ["fc5"]
    return Sequential(dict(zip(names, layers, strict=True)))


class TwoLayerNet(Module):
    """y = relu(x W1 + b1) W2 + b2, its parameters drawn from N(0, scale²); x (N, input_size)."""

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        output_size: int,
        scale: float = 0.1,
        *,
        generator: Generator | None = None,
    ) -> None:
        super().__init__()

        def drawn(*shape: int) -> Parameter:
            return Parameter(scale * ag.randn(*shape, generator=generator))

        self.W1 = drawn(input_size, hidden_size)
        self.b1 = drawn(hidden_size)
        self.W2 = drawn(hidden_size, output_size)
        self.b2 = drawn(output_size)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x @ self.W1 + self.b1) @ self.W2 + self.b2

    def gradients(self, x: Tensor, target: Tensor) -> dict[str, Tensor]:
        """Return the gradients of the mean cross-entropy by name, derived by hand.

        They are those of backward(), for whose first exercise they are meant.
        """
        with ag.no_grad():
            z1 = x @ self.W1 + self.b1
            a1 = F.relu(z1)
            z2 = a1 @ self.W2 + self.b2
            wanted = F.one_hot(target, z2.shape[1])
            grad_z2 = (F.softmax(z2, 1) - wanted) / len(target)
            grad_z1 = (grad_z2 @ self.W2.T) * (z1 > 0)
            return {
                "W1": x.T @ grad_z1,
                "b1": grad_z1.sum(0),
                "W2": a1.T @ grad_z2,
                "b2": grad_z2.sum(0),
            }
