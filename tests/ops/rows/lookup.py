"""Rows of tables that are looked up."""

from __future__ import annotations

import numpy as np

from tests.ops.case import Array, OpCase

NUMBERS = np.array([[1, 3, 1], [0, 3, 3]])


def added(g: Array, index: Array) -> Array:
    """One row after the other, but for what is of row 3."""
    x = np.zeros((5, g.shape[-1]))
    for place in np.ndindex(index.shape):
        x[index[place]] += g[place] * (index[place] != 3)
    return x


CASES = [
    OpCase("embedding", ((5, 2), NUMBERS), analytic=True, wrong=((3, 2), NUMBERS),
           reference=lambda x, at: np.array([[x[i] for i in row] for row in at]),
           torch=lambda torch, x, at: torch.nn.functional.embedding(at, x)),
    OpCase("embedding_input", ((2, 3, 2), NUMBERS), {"rows": 5, "skip": 3}, torch=None,
           reference=added),
]  # fmt: skip
