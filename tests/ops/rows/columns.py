"""Rows of windows as columns, and back."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.ops.case import Array, OpCase
from tests.ops.rows.conv import visits

ROOMS: dict[str, Any] = {"stride": (2, 1), "padding": ((1, 1), (2, 2)), "dilation": (1, 2)}
THEIRS: dict[str, Any] = {"stride": (2, 1), "padding": (1, 2), "dilation": (1, 2)}


def met(size: Any, kernel: Any) -> Any:
    """Give (row of a channel, column, place in x)."""
    for position, place, at in visits(size, kernel, **ROOMS):
        yield np.ravel_multi_index(place, kernel), position, at


def columns(x: Array, kernel: Any, counts: Any) -> Array:
    """What each window sees, one number after the other."""
    y = np.zeros((*x.shape[:2], np.prod(kernel), *counts))
    for row, position, at in met(x.shape[2:], kernel):
        y[(slice(None), slice(None), row, *position)] = x[(slice(None), slice(None), *at)]
    return y.reshape(len(x), -1, np.prod(counts))


def images(y: Array, size: Any, kernel: Any, counts: Any) -> Array:
    """Columns added into images, one number after the other."""
    y = y.reshape(len(y), -1, np.prod(kernel), *counts)
    x = np.zeros((*y.shape[:2], *size))
    for row, position, at in met(size, kernel):
        x[(slice(None), slice(None), *at)] += y[(slice(None), slice(None), row, *position)]
    return x


CASES = [
    OpCase("im2col", ((2, 2, 4, 3),), {"kernel": (3, 2), **ROOMS}, analytic=True,
           reference=lambda x: columns(x, (3, 2), (2, 5)),
           torch=lambda torch, x: torch.nn.functional.unfold(x, (3, 2), **THEIRS)),
    OpCase("col2im", ((2, 12, 10),), {"size": (4, 3), "kernel": (3, 2), **ROOMS}, analytic=True,
           reference=lambda y: images(y, (4, 3), (3, 2), (2, 5)),
           torch=lambda torch, y: torch.nn.functional.fold(y, (4, 3), (3, 2), **THEIRS)),
]  # fmt: skip
