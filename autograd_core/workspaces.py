"""Memory that kernels work in: kept from call to call, because fresh pages cost time.

Each thread of Python has one block for each dtype, of at most KEPT bytes; a larger one lives for
its call only.
"""

from __future__ import annotations

import threading
from itertools import accumulate
from typing import Any

import numpy as np

from .versions import Array

KEPT = 1 << 25
REMEMBERED = 256  # geometries


class Own(threading.local):
    """The blocks of one thread, and the arrays that were cut from them."""

    def __init__(self) -> None:
        self.blocks: dict[Any, Array] = {}
        self.cut: dict[Any, list[Array]] = {}


_own = Own()


def workspace(dtype: Any, *shapes: tuple[int, int]) -> list[Array]:
    """Return arrays of these shapes, side by side, that hold anything; until the next call."""
    cut = _own.cut.get((dtype, shapes))
    return cut or _cut(dtype, shapes)


def _cut(dtype: Any, shapes: tuple[tuple[int, int], ...]) -> list[Array]:
    sizes = [a * b for a, b in shapes]
    block = _own.blocks.get(dtype)
    larger = block is None or block.size < sum(sizes)
    if block is None or larger:
        block = np.empty(sum(sizes), dtype)
    parts = [
        block[end - size : end].reshape(shape)
        for end, size, shape in zip(accumulate(sizes), sizes, shapes, strict=True)
    ]
    if block.nbytes > KEPT:
        return parts
    if larger or len(_own.cut) == REMEMBERED:
        _own.blocks[dtype] = block
        _own.cut.clear()  # they hold on to the block before
    _own.cut[dtype, shapes] = parts
    return parts
