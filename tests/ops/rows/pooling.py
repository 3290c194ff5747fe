"""Rows of poolings."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.ops.case import Array, OpCase
from tests.ops.rows.conv import visits

PLACES = np.array([[[[3, 0], [7, 5]], [[2, 2], [1, 0]]]])
COUNTS = np.array([[1.0, 2.0, 4.0], [2.0, 3.0, 6.0]])
WINDOWS: dict[str, Any] = {
    "kernel": (3, 2), "stride": (2, 1), "padding": ((1, 0), (0, 1)), "dilation": (1, 2),
}  # fmt: skip
LINE: dict[str, Any] = {"kernel": (3,), "stride": (2,), "padding": ((1, 1),), "dilation": (1,)}
MEANS: dict[str, Any] = {"kernel": (3, 2), "stride": (2, 1), "padding": ((1, 1), (0, 0))}


def largest(x: Array, kernel: Any, stride: Any, padding: Any, dilation: Any) -> Any:
    """Go through all windows, one number after the other."""
    size = x.shape[2:]
    found: dict[Any, list[Any]] = {}
    for position, _, at in visits(size, kernel, stride, padding, dilation):
        found.setdefault(position, []).append(at)
    counts = tuple(int(n) for n in np.max(list(found), 0) + 1)
    values, indices = np.zeros((*x.shape[:2], *counts)), np.zeros((*x.shape[:2], *counts), np.int64)
    for n, c in np.ndindex(*x.shape[:2]):
        for position, places in found.items():
            best = max(places, key=lambda at: x[(n, c, *at)])
            values[(n, c, *position)] = x[(n, c, *best)]
            indices[(n, c, *position)] = np.ravel_multi_index(best, size)
    return values, indices


def summed(x: Array, divisor: Any, kernel: Any, stride: Any, padding: Any) -> Array:
    """Add up all windows, one number after the other."""
    met = list(visits(x.shape[2:], kernel, stride, padding, (1,) * len(kernel)))
    counts = np.max([position for position, _, _ in met], 0) + 1
    y = np.zeros((*x.shape[:2], *counts))
    for position, _, at in met:
        y[(..., *position)] += x[(..., *at)]
    return y / divisor


def spread(y: Array, divisor: Any, size: Any, kernel: Any, stride: Any, padding: Any) -> Array:
    """Add each number to its window, one element after the other."""
    y = y / divisor
    x = np.zeros((*y.shape[:2], *size))
    for position, _, at in visits(size, kernel, stride, padding, (1,) * len(kernel)):
        x[(..., *at)] += y[(..., *position)]
    return x


def shares(n: int, m: int) -> Array:
    """The matrix that makes means of m windows out of n elements."""
    rows = np.zeros((m, n))
    for i in range(m):
        rows[i, int(np.floor(i * n / m)) : int(np.ceil((i + 1) * n / m))] = 1.0
    return rows / rows.sum(1, keepdims=True)


def mean_pool(torch: Any, x: Any, _: Any) -> Any:
    """PyTorch's pooling of the same windows as MEANS."""
    return torch.nn.functional.avg_pool2d(x, (3, 2), (2, 1), (1, 0))


CASES = [
    OpCase("max_pool", ((2, 2, 4, 4),), WINDOWS, distinct=True, torch=None,
           reference=lambda x: largest(x, **WINDOWS)),
    OpCase("max_pool", ((2, 3, 6),), LINE, distinct=True,
           reference=lambda x: largest(x, **LINE),
           torch=lambda torch, x: torch.nn.functional.max_pool1d(
               x, 3, 2, 1, return_indices=True)),
    OpCase("max_pool", ((1, 2, 2, 3, 4),),
           {"kernel": (1, 2, 2), "stride": (1, 1, 2), "padding": ((0, 0),) * 3,
            "dilation": (1, 1, 1)}, distinct=True,
           reference=lambda x: largest(x, (1, 2, 2), (1, 1, 2), ((0, 0),) * 3, (1,) * 3),
           torch=lambda torch, x: torch.nn.functional.max_pool3d(
               x, (1, 2, 2), (1, 1, 2), return_indices=True)),
    OpCase("adaptive_max_pool", ((2, 2, 5, 4),), {"output": (3, 2)}, distinct=True,
           torch=lambda torch, x: torch.nn.functional.adaptive_max_pool2d(x, (3, 2), True),
           reference=lambda x: (
               np.array([[[[x[n, c, i : j, k : m].max() for k, m in ((0, 2), (2, 4))]
                           for i, j in ((0, 2), (1, 4), (3, 5))] for c in (0, 1)] for n in (0, 1)]),
               np.array([[[[np.flatnonzero(x[n, c] == x[n, c, i : j, k : m].max())[0]
                            for k, m in ((0, 2), (2, 4))]
                           for i, j in ((0, 2), (1, 4), (3, 5))] for c in (0, 1)] for n in (0, 1)]),
           )),
    OpCase("pick", ((1, 2, 2, 4), PLACES), analytic=True, wrong=((1, 2, 2, 2), PLACES),
           reference=lambda x, at: np.stack([x[0, 0].ravel()[at[0, 0]], x[0, 1].ravel()[at[0, 1]]]
                                            )[None],
           torch=lambda torch, x, at: x.flatten(2).gather(2, at.flatten(2)).view(1, 2, 2, 2)),
    OpCase("unpool", ((1, 2, 2, 2), PLACES), {"size": (2, 4)}, analytic=True,
           wrong=((1, 2, 2, 3), PLACES),
           reference=lambda y, at: np.stack([
               np.bincount(at[0, c].ravel(), y[0, c].ravel(), 8).reshape(2, 4) for c in (0, 1)
           ])[None],
           torch=lambda torch, y, at: y.new_zeros(1, 2, 8).scatter_add(
               2, at.flatten(2), y.flatten(2)).view(1, 2, 2, 4)),
    OpCase("avg_pool", ((2, 2, 5, 4), 6), MEANS, analytic=True, torch=mean_pool,
           reference=lambda x, d: summed(x, d, **MEANS)),
    OpCase("avg_pool", ((1, 2, 3, 4), COUNTS), {**MEANS, "padding": ((1, 1), (0, 0))},
           reference=lambda x, d: summed(x, d, **MEANS),
           torch=lambda torch, x, d: mean_pool(torch, x, d) * 6 / d),
    OpCase("avg_pool_input", ((1, 2, 2, 3), COUNTS), {"size": (3, 4), **MEANS}, torch=None,
           reference=lambda y, d: spread(y, d, (3, 4), **MEANS)),
    OpCase("adaptive_avg_pool", ((2, 2, 5, 4),), {"output": (3, 6)}, analytic=True,
           reference=lambda x: shares(5, 3) @ x @ shares(4, 6).T,
           torch=lambda torch, x: torch.nn.functional.adaptive_avg_pool2d(x, (3, 6))),
    OpCase("adaptive_avg_pool_input", ((2, 2, 3, 6),), {"size": (5, 4)}, torch=None,
           reference=lambda y: shares(5, 3).T @ y @ shares(4, 6)),
]  # fmt: skip
