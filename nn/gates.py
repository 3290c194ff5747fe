"""Activations of several elements at once: softmaxes and the gated linear unit."""

from __future__ import annotations

from autograd_core import ShapeError, Tensor

from . import functional as F
from .module import Module


class _AlongAxis(Module):
    """A layer that works along the axis dim."""

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class Softmax(_AlongAxis):
    """y = exp(x) / sum of exp(x) along an axis."""

    def forward(self, x: Tensor) -> Tensor:
        return F.softmax(x, self.dim, 5)


class LogSoftmax(_AlongAxis):
    """y = log of the softmax along an axis, without overflow."""

    def forward(self, x: Tensor) -> Tensor:
        return F.log_softmax(x, self.dim, 5)


class Softmin(_AlongAxis):
    """y = softmax(-x) along an axis."""

    def forward(self, x: Tensor) -> Tensor:
        return F.softmin(x, self.dim, 5)


class Softmax2d(Module):
    """y = softmax over the channels at each place of images (N, C, H, W) or (C, H, W)."""

    def forward(self, x: Tensor) -> Tensor:
        if x.ndim not in (3, 4):
            raise ShapeError(
                f"got x of shape {tuple(x.shape)}: it must be (N, C, H, W) or (C, H, W)"
            )
        return F.softmax(x, -3)


class GLU(Module):
    """y = a σ(b), where a and b are the halves of x along an axis."""

    def __init__(self, dim: int = -1) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, x: Tensor) -> Tensor:
        return F.glu(x, self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"
