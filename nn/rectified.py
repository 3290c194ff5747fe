"""A layer and the ReLU after it in one: what enters ReLU is neither written nor kept.

The names are those of torch.nn.intrinsic. Inside, the layer and the ReLU keep their names and
parameters; they are not called one by one, so hooks on them do not run.
"""

from __future__ import annotations

from functools import partial

from autograd_core import Tensor
from autograd_core.ops.rectified import convolve_relu, linear_relu

from .activation import ReLU
from .container import Sequential
from .conv import Conv1d, Conv2d, Conv3d
from .linear import Linear
from .module import Module


class _Rectified(Sequential):
    kind: type[Module]  # of the layer

    def __init__(self, layer: Module, relu: Module) -> None:
        if not isinstance(layer, self.kind) or not isinstance(relu, ReLU):
            got = f"a {type(layer).__name__} and a {type(relu).__name__}"
            needed = f"a {self.kind.__name__} and a ReLU"
            raise TypeError(f"{type(self).__name__} got {got}: it needs {needed}")
        super().__init__(layer, relu)


class LinearReLU(_Rectified):
    """y = max(x Wᵀ + b, 0), of a Linear and a ReLU; x of shape (..., in)."""

    kind = Linear

    def forward(self, input: Tensor) -> Tensor:
        linear = self[0]
        return linear_relu(input, linear.weight, linear.bias)


class ConvReLU1d(_Rectified):
    """y = max(x ⋆ w + b, 0), of a Conv1d and a ReLU; x of shape (N, C, L) or (C, L)."""

    kind = Conv1d

    def forward(self, input: Tensor) -> Tensor:
        conv = self[0]
        return conv.slid(partial(convolve_relu, conv.axes), input)


class ConvReLU2d(ConvReLU1d):
    """y = max(x ⋆ w + b, 0), of a Conv2d and a ReLU; x of shape (N, C, H, W) or (C, H, W)."""

    kind = Conv2d


class ConvReLU3d(ConvReLU1d):
    """y = max(x ⋆ w + b, 0), of a Conv3d and a ReLU; x (N, C, D, H, W) or (C, D, H, W)."""

    kind = Conv3d
