"""Rows of orders, selections and counts."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.ops.case import Array, OpCase

WHOLE = np.array([[2, 0, 2], [1, 2, 0]])
TIED = np.array([[2.0, 1.0, 2.0, 1.0], [0.0, 0.0, 3.0, -1.0]])
BOUNDS = np.array([-1.0, 0.5, 2.0])
ROWS = np.array([[-1.0, 0.5, 2.0], [0.0, 1.0, 1.5]])


def ordered(x: Array, dim: int = -1, descending: bool = False) -> Any:
    """Rows sorted by Python, which keeps equal elements in their order."""
    lines = x.swapaxes(dim, -1)
    order = np.zeros(lines.shape, np.int64)
    for row in np.ndindex(lines.shape[:-1]):
        places = range(lines.shape[-1])
        key = lines[row].tolist().__getitem__
        order[row] = sorted(places, key=key, reverse=descending)
    order = order.swapaxes(dim, -1)
    return np.take_along_axis(x, order, dim), order


CASES = [
    OpCase("sort", ((3, 4),), distinct=True, reference=ordered),
    OpCase("sort", ((4, 2, 3),), {"dim": 0, "descending": True}, distinct=True,
           reference=lambda x: ordered(x, 0, True)),
    OpCase("sort", (TIED,), keeps_dtype=False, reference=ordered),
    OpCase("sort", (TIED,), {"descending": True}, keeps_dtype=False,
           reference=lambda x: ordered(x, -1, True)),
    OpCase("sort", ((),), reference=lambda x: (x, np.array(0))),
    OpCase("sort", ((2, 0),), reference=lambda x: (x, np.zeros((2, 0), np.int64))),
    OpCase("argsort", (TIED,), {"dim": 1}, reference=lambda x: ordered(x)[1]),
    OpCase("argsort", ((4, 3),), {"dim": 0, "descending": True}, distinct=True,
           reference=lambda x: ordered(x, 0, True)[1]),
    OpCase("msort", ((4, 3),), distinct=True, reference=lambda x: ordered(x, 0)[0]),
    OpCase("topk", ((3, 5),), {"k": 2}, distinct=True,
           reference=lambda x: tuple(part[:, :2] for part in ordered(x, -1, True))),
    OpCase("topk", ((5, 3),), {"k": 3, "dim": 0, "largest": False}, distinct=True,
           reference=lambda x: tuple(part[:3] for part in ordered(x, 0))),
    OpCase("topk", ((3, 2),), {"k": 2}, distinct=True,
           reference=lambda x: ordered(x, -1, True)),
    OpCase("topk", ((3, 2),), {"k": 0},
           reference=lambda x: (x[:, :0], np.zeros((3, 0), np.int64))),
    OpCase("topk", ((),), {"k": 1}, reference=lambda x: (x, np.array(0))),
    OpCase("kthvalue", ((3, 4),), {"k": 3}, distinct=True,
           reference=lambda x: tuple(part[:, 2] for part in ordered(x))),
    OpCase("kthvalue", ((4, 3),), {"k": 1, "dim": 0, "keepdim": True}, distinct=True,
           reference=lambda x: tuple(part[:1] for part in ordered(x, 0))),
    OpCase("searchsorted", (BOUNDS, (3, 4), None), wrong=(ROWS, (3, 4), None),
           reference=lambda s, x, _: (x[..., None] > s).sum(-1),
           torch=lambda torch, s, x, _: torch.searchsorted(s.to(x.dtype), x)),
    OpCase("searchsorted", (ROWS, (2, 4), None), {"right": True},
           reference=lambda s, x, _: (x[..., None] >= s[:, None]).sum(-1),
           torch=lambda torch, s, x, _: torch.searchsorted(s.to(x.dtype), x, right=True)),
    OpCase("searchsorted", (BOUNDS[::-1].copy(), (3,), np.array([2, 1, 0])), {"side": "left"},
           reference=lambda s, x, _: (x[:, None] > s).sum(-1),
           torch=lambda torch, s, x, order: torch.searchsorted(
               s.to(x.dtype), x, side="left", sorter=order
           )),
    OpCase("bucketize", (TIED, BOUNDS), reference=lambda x, b: (x[..., None] > b).sum(-1)),
    OpCase("isin", (WHOLE, np.array([0, 5, 1])), reference=lambda x, _: x < 2),
    OpCase("isin", (WHOLE, 2), {"invert": True}, reference=lambda x, _: x != 2),
    OpCase("unique", (WHOLE,), reference=lambda x: np.array([0, 1, 2])),
    OpCase("unique", (TIED,), {"return_inverse": True, "return_counts": True}, keeps_dtype=False,
           reference=lambda x: (
               np.array([-1.0, 0.0, 1.0, 2.0, 3.0]),
               np.array([[3, 2, 3, 2], [1, 1, 4, 0]]), np.array([1, 2, 2, 2, 1]),
           )),
    OpCase("unique", (WHOLE,), {"return_inverse": True, "dim": 1},
           reference=lambda x: (np.array([[0, 2, 2], [2, 0, 1]]), np.array([2, 0, 1]))),
    OpCase("unique_consecutive", (np.array([1, 1, 2, 2, 2, 1]),), {"return_counts": True},
           reference=lambda x: (np.array([1, 2, 1]), np.array([2, 3, 1]))),
    OpCase("unique_consecutive", (np.array([[1, 1, 2], [3, 3, 2]]),),
           {"return_inverse": True, "dim": 1},
           reference=lambda x: (np.array([[1, 2], [3, 2]]), np.array([0, 0, 1]))),
    OpCase("bincount", (np.array([1, 4, 1]), None), {"minlength": 6},
           reference=lambda x, _: np.array([0, 2, 0, 0, 1, 0]), wrong=(WHOLE, None),
           torch=lambda torch, x, _: torch.bincount(x, minlength=6)),
    OpCase("histc", (TIED,), {"bins": 4, "min": -1.0, "max": 3.0}, keeps_dtype=False,
           reference=lambda x: np.array([1.0, 2.0, 2.0, 3.0])),
    OpCase("histogram", (TIED, 2), {"range": (-1.0, 3.0)}, keeps_dtype=False,
           reference=lambda x, n: (np.array([3.0, 5.0]), np.array([-1.0, 1.0, 3.0]))),
    OpCase("histogram", (TIED, BOUNDS), {"density": True}, keeps_dtype=False,
           reference=lambda x, edges: (np.array([3 / 10.5, 4 / 10.5]), edges)),
]  # fmt: skip
