"""Random masks: single elements, or whole channels, left out at training."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence

import numpy as np

from autograd_core import ShapeError, Tensor
from autograd_core.inplace import update
from autograd_core.kernel_sizes import DROPOUT
from autograd_core.ops.masks import keyed_dropout
from autograd_core.random import source
from autograd_core.recording import wrap

__all__ = [
    "alpha_dropout", "dropout", "dropout1d", "dropout2d", "dropout3d", "feature_alpha_dropout",
    "vanilla_dropout",
]  # fmt: skip

SELU_FLOOR = -1.7580993408473766  # -λα: what selu gives far below zero


def check_probability(who: str, p: float) -> None:
    """Refuse a p that is no probability."""
    if not 0.0 <= p <= 1.0:
        raise ValueError(f"{who} got p={p}: a probability is between 0 and 1")


def kept(shape: Sequence[int], p: float, like: Tensor) -> Tensor:
    """Return a 1 with probability 1 - p, else 0, for each element, in the dtype of `like`."""
    draws = source(None).random(tuple(shape), dtype=np.float32 if p > 1e-4 else np.float64)
    return wrap((draws >= p).astype(like.dtype))


def _inverted(input: Tensor, shape: Sequence[int], p: float, inplace: bool) -> Tensor:
    """Leave out with probability p, and make up for it: x m / (1 - p).

    Where the mask is large and of the shape of x, it is not stored: a key stands for it.
    """
    if input.shape == shape and input.numel() >= DROPOUT:
        key = int(source(None).integers(2**64, dtype=np.uint64))
        if inplace:
            return update("dropout_", keyed_dropout, input, p, key)
        return keyed_dropout(input, p, key)
    mask = kept(shape, p, input)
    if p < 1.0:
        mask = mask.div_(1.0 - p)
    return input.mul_(mask) if inplace else input * mask


def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """x m / (1 - p), where m is 0 with probability p and else 1, drawn anew at every call.

    The mean stays that of x. Srivastava et al., Dropout (JMLR 2014), section 10.
    """
    check_probability("dropout", p)
    return _inverted(input, input.shape, p, inplace) if training and p else input


def vanilla_dropout(input: Tensor, p: float = 0.5, training: bool = True) -> Tensor:
    """x m at training, x (1 - p) at test: the mean of what training saw.

    p is the probability of 0, as everywhere here; some texts call p what is 1 - p here.
    """
    check_probability("vanilla_dropout", p)
    return input * kept(input.shape, p, input) if training else input * (1.0 - p)


def _channels(shape: Sequence[int], batched: bool) -> tuple[int, ...]:
    """Return the shape of a mask with one element for each channel."""
    lead = 2 if batched else 1
    return (*shape[:lead], *(1 for _ in shape[lead:]))


def _by_channel(
    who: str, axes: int, input: Tensor, p: float, training: bool, inplace: bool
) -> Tensor:
    check_probability(who, p)
    if input.ndim not in (axes + 1, axes + 2):
        raise ShapeError(
            f"{who} got input of shape {tuple(input.shape)}: it must have {axes} axes after the "
            "channels, and may have a batch axis before them"
        )
    if not (training and p):
        return input
    return _inverted(input, _channels(input.shape, input.ndim == axes + 2), p, inplace)


def dropout1d(
    input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Tensor:
    """Dropout of whole channels of (N, C, L) or (C, L)."""
    return _by_channel("dropout1d", 1, input, p, training, inplace)


def dropout2d(
    input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Tensor:
    """Dropout of whole channels of (N, C, H, W).

    Three axes are read as (N, C, L), as in PyTorch, and not as an image without batch.
    Tompson et al., Efficient Object Localization Using Convolutional Networks (2015), 3.2.
    """
    if input.ndim == 3:
        warnings.warn(
            "dropout2d got three axes and reads them as (N, C, L): dropout1d says so itself",
            stacklevel=2,
        )
        return dropout1d(input, p, training, inplace)
    return _by_channel("dropout2d", 2, input, p, training, inplace)


def dropout3d(
    input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Tensor:
    """Dropout of whole channels of (N, C, D, H, W) or (C, D, H, W)."""
    return _by_channel("dropout3d", 3, input, p, training, inplace)


def _alpha(input: Tensor, shape: Sequence[int], p: float, inplace: bool) -> Tensor:
    """Put selu's floor in place of what is left out, then restore mean 0 and variance 1."""
    mask = kept(shape, p, input)
    if p == 1.0:
        return input.mul_(mask) if inplace else input * mask
    scale = 1.0 / math.sqrt((SELU_FLOOR**2 * p + 1.0) * (1.0 - p))
    shift = -scale * SELU_FLOOR * p
    floor = (1.0 - mask) * (SELU_FLOOR * scale) + shift
    return input.mul_(mask * scale).add_(floor) if inplace else input * (mask * scale) + floor


def alpha_dropout(
    input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False
) -> Tensor:
    """Dropout to the floor of selu, then an affine map that keeps mean 0 and variance 1.

    Klambauer et al., Self-Normalizing Neural Networks (2017), section 2.
    """
    check_probability("alpha_dropout", p)
    return _alpha(input, input.shape, p, inplace) if training and p else input


def feature_alpha_dropout(
    input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False
) -> Tensor:
    """Alpha dropout of whole channels of (N, C, ...)."""
    check_probability("feature_alpha_dropout", p)
    if not (training and p):
        return input
    if input.ndim < 2:
        raise ShapeError(
            f"feature_alpha_dropout got input of shape {tuple(input.shape)}: it must be (N, C, ...)"
        )
    return _alpha(input, _channels(input.shape, True), p, inplace)
