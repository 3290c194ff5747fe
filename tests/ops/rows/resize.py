"""Rows of images brought to another size."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from tests.ops.case import Array, OpCase


def nearest(d: float) -> float:
    """The share of an element whose left edge is d before the new one's."""
    return float(0.0 <= d < 1.0)


def line(d: float) -> float:
    """The share of an element at distance d by straight lines."""
    return max(0.0, 1.0 - abs(d))


def cubic(d: float) -> float:
    """The same by cubics: Keys (1981), equation (4), a = -3/4."""
    a, d = -0.75, abs(d)
    if d <= 1:
        return (a + 2) * d**3 - (a + 3) * d**2 + 1
    return a * d**3 - 5 * a * d**2 + 8 * a * d - 4 * a if d < 2 else 0.0


def matrix(
    new: int, old: int, share: Callable[[float], float], at: Callable[[int], float]
) -> Array:
    """The matrix of one axis; what lies beyond the edges counts as the outermost element."""
    rows = np.zeros((new, old))
    for i in range(new):
        for j in range(-3, old + 3):
            rows[i, min(max(j, 0), old - 1)] += share(at(i) - j)
    return rows


SIZE, OLD = (4, 7), (3, 5)
LINES = [matrix(m, n, line, lambda i, m=m, n=n: i * (n - 1) / (m - 1))
         for m, n in zip(SIZE, OLD, strict=True)]  # fmt: skip
CUBICS = [matrix(m, n, cubic, lambda i, m=m, n=n: (i + 0.5) * n / m - 0.5)
          for m, n in zip(SIZE, OLD, strict=True)]  # fmt: skip
NEAREST = matrix(7, 5, nearest, lambda i: math.floor(i * 5 / 7))
FREE = (None, None)


def theirs(mode: str, **options: Any) -> Any:
    """Return PyTorch's interpolation to a size or by a factor."""
    return lambda torch, x: torch.nn.functional.interpolate(x, mode=mode, **options)


def row(mode: str, aligned: bool, name: str, matrices: list[Array]) -> list[OpCase]:
    """Return rows of a mode and of its adjoint."""
    rows, columns = matrices
    settings: dict[str, Any] = {"mode": mode, "aligned": aligned, "scales": FREE}
    return [
        OpCase("resize", ((1, 2, *OLD),), {"size": SIZE, **settings}, analytic=mode != "cubic",
               reference=lambda x: rows @ x @ columns.T,
               torch=theirs(name, size=SIZE, align_corners=aligned)),
        OpCase("resize_input", ((1, 2, *SIZE),), {"size": OLD, **settings}, torch=None,
               reference=lambda y: rows.T @ y @ columns),
    ]  # fmt: skip


CASES = [
    *row("linear", True, "bilinear", LINES),
    *row("cubic", False, "bicubic", CUBICS),
    OpCase("resize", ((2, 1, 5),), {"size": (7,), "mode": "nearest", "aligned": False,
           "scales": (None,)}, reference=lambda x: x @ NEAREST.T, torch=theirs("nearest", size=7)),
    OpCase("resize", ((2, 1, 5),), {"size": (7,), "mode": "nearest-exact", "aligned": False,
           "scales": (1.5,)}, torch=theirs("nearest-exact", scale_factor=1.5),
           reference=lambda x: x[..., [0, 1, 1, 2, 3, 3, 4]]),
    OpCase("resize", ((1, 2, 4),), {"size": (4,), "mode": "linear", "aligned": False,
           "scales": (1.2,)}, torch=theirs("linear", scale_factor=1.2), reference=lambda x: x),
]  # fmt: skip
