"""Windows as the columns of matrices, and columns added back into images."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..op import linear
from ..versions import Array
from .windows import Pairs, Sizes, add_windows, cropped, padded, positions, single, windows

__all__: list[str] = []


@linear(
    vjp=[
        lambda g, shapes, kernel, stride, padding, dilation: col2im(
            g, shapes[0][2:], kernel, stride, padding, dilation
        )
    ]
)
def im2col(x: Array, kernel: Sizes, stride: Sizes, padding: Pairs, dilation: Sizes) -> Array:
    """What each window of x (n, c, *size) sees, as a column: (n, c k, positions)."""
    seen = windows(padded(x, padding), kernel, stride, dilation)
    rows = x.shape[1] * math.prod(kernel)
    return seen.reshape(len(x), rows, math.prod(seen.shape[2 + len(kernel) :])).copy()


@linear(
    vjp=[lambda g, kernel, stride, padding, dilation: im2col(g, kernel, stride, padding, dilation)]
)
def col2im(columns: Array, size: Sizes, kernel: Sizes, stride: Sizes, padding: Pairs,
           dilation: Sizes) -> Array:  # fmt: skip
    """Zeros (n, c, *size) with each column added in where im2col saw it; the adjoint of im2col."""
    if columns.dtype.char == "e":
        forward: Any = col2im.op.forward
        return single(forward, columns, size, kernel, stride, padding, dilation)
    counts = positions(size, kernel, stride, padding, dilation)
    wide = (n + low + high for n, (low, high) in zip(size, padding, strict=True))
    channels = columns.shape[1] // math.prod(kernel)
    x = np.zeros((len(columns), channels, *wide), columns.dtype)
    add_windows(x, columns.reshape(len(x), channels, *kernel, *counts), stride, dilation)
    return cropped(x, padding)
