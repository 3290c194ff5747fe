"""What excites a map of a convolutional network, drawn in the pixels of its input.

Zeiler and Fergus, Visualizing and Understanding Convolutional Networks (2014), section 2.1.
"""

from __future__ import annotations

from collections.abc import Iterable

import autograd_core as ag
from autograd_core import Tensor
from autograd_core.ops.conv import conv_transpose
from autograd_core.ops.pooling import unpool
from autograd_core.ops.windows import around

from .. import functional as F
from ..activation import ReLU
from ..conv import Conv2d
from ..module import Module
from ..pooling import MaxPool2d


def deconvolve(layers: Iterable[Module], x: Tensor, channel: int) -> Tensor:
    """Return an image for each of x (N, C, H, W): what the strongest unit of a map saw in it.

    The `layers` are Conv2d, ReLU and MaxPool2d. After them all units but that one are set to 0,
    and it goes back the way it came: maxima to where they were found, rectified, through
    transposed filters without bias.
    """
    way: list[tuple[Module, Tensor, Tensor | None]] = []
    with ag.no_grad():
        y = x
        for layer in layers:
            before, switches = y, None
            if isinstance(layer, MaxPool2d):
                y, switches = _pooled(layer, y)
            elif _has_transpose(layer):
                y = layer(y)
            else:
                raise TypeError(
                    f"deconvolve got {layer!r}: it goes back through Conv2d padded with zeros, "
                    "ReLU and MaxPool2d"
                )
            way.append((layer, before, switches))
        y = _strongest(y, channel)
        for layer, before, switches in reversed(way):
            y = _back(layer, y, before, switches)
    return y


def _has_transpose(layer: Module) -> bool:
    return isinstance(layer, ReLU) or (isinstance(layer, Conv2d) and layer.padding_mode == "zeros")


def _pooled(pool: MaxPool2d, x: Tensor) -> tuple[Tensor, Tensor]:
    """Return the maxima and where they were: the switches."""
    return F.max_pool2d(
        x, pool.kernel_size, pool.stride, pool.padding, pool.dilation, pool.ceil_mode, True
    )


def _strongest(y: Tensor, channel: int) -> Tensor:
    """Return y with all but the largest number of one channel, for each image, set to 0."""
    if y.ndim != 4 or not 0 <= channel < y.shape[1]:
        raise IndexError(
            f"deconvolve got channel {channel} for maps of shape {tuple(y.shape)}: "
            "it must be one of the second axis"
        )
    maps = y[:, channel].flatten(1)
    peak = F.one_hot(maps.argmax(1), maps.shape[1]) * maps
    kept = ag.zeros_like(y)
    kept[:, channel] = peak.reshape(y[:, channel].shape)
    return kept


def _back(layer: Module, y: Tensor, before: Tensor, switches: Tensor | None) -> Tensor:
    """Take y back through one layer, to the shape of what came before it."""
    size = tuple(before.shape[2:])
    if isinstance(layer, Conv2d):
        edges = around(layer.padding, layer.kernel_size, layer.dilation)
        return conv_transpose(
            y, layer.weight, None, size, layer.stride, edges, layer.dilation, layer.groups
        )
    return F.relu(y) if switches is None else unpool(y, switches, size)
