"""Random masks that nobody stores: a key says what they are."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernels import call

from ..kernel_sizes import FLOATS
from ..op import linear
from ..versions import Array

__all__: list[str] = []  # nn.functional calls it; users call dropout


@linear(
    elementwise=True,
    floats_only=True,
    vjp=[lambda g, p, key: keyed_dropout(g, p, key)],
)
def keyed_dropout(x: Array, p: float, key: int) -> Array:
    """x m / (1 - p), with m = 0 with probability p: a function of the place and of key < 2^64.

    The same key gives the same mask, so the gradient makes it again instead of keeping it.
    """
    if not 0.0 <= p <= 1.0:
        raise ValueError(f"p is {p}: a probability is between 0 and 1")
    below = round(p * 2**32)
    if below == 2**32:
        return x * x.dtype.type(0)
    wide = x.astype(np.float32 if x.dtype not in FLOATS else x.dtype, order="C", copy=False)
    y = np.empty(wide.shape, wide.dtype)
    flat: Any = np.require(wide, requirements="A").reshape(-1)
    call.dropout(flat, np.uint64(key), np.uint64(0), 1.0 / (1.0 - p), below, y.reshape(-1))
    return y.astype(x.dtype, copy=False)
