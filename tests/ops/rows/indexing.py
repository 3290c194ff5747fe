"""Rows of the ops that pick elements by places and masks, and put them there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tests.ops.case import Array, OpCase

MASK = np.array([[True, False, True, False], [False, False, True, True], [True, True, True, False]])
ROW_MASK = np.array([True, False, True])
PLACES = np.array([[0, 2, 1, 0], [1, 1, 0, 2]])  # along axis 0 of three rows
TWICE = np.array([[0, 2, 1, 0], [0, 1, 1, 2]])  # where two meet in two places
FLAT = np.array([[0, 11], [-2, 5]])
SOME = np.array([5, 0, 5, 11])
LINES = np.array([2, 0])
REPEATED = np.array([2, 0, 2])
NUMBERS = np.array([[1, 0], [3, 2]])
AT_LINES: Any = [LINES]  # as index_put takes them
AT_REPEATED: Any = [REPEATED]
AT_MASK: Any = [MASK]


def scattered(x: Array, at: Array, source: Any, change: Callable[[Any, Any], Any]) -> Array:
    """Change x along axis 0, one element after the other."""
    y, source = np.array(x), np.broadcast_to(source, at.shape)
    for i, j in np.ndindex(at.shape):
        y[at[i, j], j] = change(y[at[i, j], j], source[i, j])
    return y


def grouped(x: Array, at: Array, source: Array, reduce: Callable[..., Any], own: bool) -> Array:
    """Reduce what meets in each place of axis 0, with the element that was there or without."""
    y = np.array(x)
    for i, j in np.ndindex(x.shape):
        there = [source[k, j] for k in range(len(at)) if at[k, j] == i]
        y[i, j] = reduce([x[i, j]] * (own or not there) + there)
    return y


def along_rows(x: Array, index: Array, source: Any, change: Callable[[Any, Any], Any]) -> Array:
    """Change whole rows of x, one after the other."""
    y, source = np.array(x), np.broadcast_to(source, (len(index), *x.shape[1:]))
    for k, row in zip(index, source, strict=True):
        y[k] = change(y[k], row)
    return y


def new(_: Any, later: Any) -> Any:
    return later


def total(known: Any, later: Any) -> Any:
    return known + later


def written(x: Array, places: Array, source: Any, change: Callable[[Any, Any], Any]) -> Array:
    """Change x at flat places, one after the other."""
    flat, source = x.reshape(-1).copy(), np.broadcast_to(source, places.shape)
    for k, v in zip(places.ravel(), source.ravel(), strict=True):
        flat[k] = change(flat[k], v)
    return flat.reshape(x.shape)


READ = [
    OpCase("index", ((3, 4),), {"key": (MASK,)}, analytic=True,
           reference=lambda x: np.array([x[at] for at in zip(*MASK.nonzero(), strict=True)]),
           torch=lambda torch, x: x[torch.tensor(MASK)]),
    OpCase("getitem", ((3, 4), 1), reference=lambda x, i: x[1], torch=lambda torch, x, i: x[i]),
    OpCase("getitem", ((2, 3, 4),), {"key": (0, slice(None), [0, 1, 1])},
           reference=lambda x: x[0][:, [0, 1, 1]], torch=lambda torch, x: x[0, :, [0, 1, 1]]),
    OpCase("getitem", ((3, 4),), {"key": (ROW_MASK, slice(1, None, 2))}, wrong=((2, 4),),
           reference=lambda x: x[[0, 2], 1::2], torch=lambda torch, x: x[ROW_MASK.tolist(), 1::2]),
    OpCase("getitem", ((2, 3),), {"key": True}, reference=lambda x: x[None],
           torch=lambda torch, x: x[True]),
    OpCase("take", ((3, 4), FLAT), wrong=((3, 3), FLAT), analytic=True,
           reference=lambda x, at: x.ravel()[[[0, 11], [10, 5]]]),
    OpCase("place", ((2, 2), FLAT), {"shape": (3, 4)}, wrong=((2, 1), FLAT), torch=None,
           reference=lambda v, at: written(np.zeros((3, 4)), at, v, total)),
    OpCase("gather", ((3, 4), 0, PLACES), wrong=((2, 4), 0, PLACES),
           reference=lambda x, dim, at: np.take_along_axis(x, at, 0)),
    OpCase("gather", ((4, 5, 3), 1, PLACES[..., None]),
           reference=lambda x, dim, at: np.take_along_axis(x[:2, :, :1], at, 1)),
    OpCase("gather", ((),), {"dim": 0, "index": np.array(0)}, reference=lambda x: x,
           torch=lambda torch, x: x.gather(0, torch.tensor(0))),
    OpCase("take_along_dim", ((3, 1), PLACES, 0), wrong=((3, 2), PLACES, 0),
           reference=lambda x, at, dim: np.take_along_axis(np.broadcast_to(x, (3, 4)), at, 0)),
    OpCase("take_along_dim", ((3, 4), FLAT % 12), reference=lambda x, at: x.ravel()[at.ravel()]),
    OpCase("select_along", ((2, 3, 2), REPEATED), {"dim": 1},
           reference=lambda x, at: x[:, [2, 0, 2]],
           torch=lambda torch, x, at: x.index_select(1, at)),
    OpCase("index_select", ((2, 3), 1, REPEATED), reference=lambda x, dim, at: x[:, [2, 0, 2]],
           wrong=((2, 2), 1, REPEATED)),
    OpCase("masked_select", ((3, 4), MASK), wrong=((3, 3), MASK),
           reference=lambda x, mask: np.array([x[at] for at in zip(*mask.nonzero(), strict=True)])),
    OpCase("masked_select", ((4,), MASK), reference=lambda x, mask: np.tile(x, (3, 1))[mask]),
    OpCase("argwhere", (MASK,), reference=lambda x: np.array([(i, j) for i in range(3)
                                                              for j in range(4) if x[i, j]])),
    OpCase("nonzero", (MASK,), reference=lambda x: np.stack(x.nonzero(), 1)),
    OpCase("nonzero", (MASK,), {"as_tuple": True}, reference=lambda x: x.nonzero()),
    OpCase("one_hot", (NUMBERS,), reference=lambda x: np.eye(4, dtype=np.int64)[x]),
    OpCase("one_hot", (NUMBERS,), {"num_classes": 5},
           reference=lambda x: np.eye(5, dtype=np.int64)[x]),
    OpCase("lasting", (SOME,), {"size": 12}, torch=None,
           reference=lambda at: np.array([False, True, True, True])),
]  # fmt: skip

WRITTEN = [
    OpCase("assign", ((4, 5), (2,)), {"key": (slice(1, 3), 0)}, wrong=((4, 5), (3,)),
           reference=lambda x, v: np.column_stack([[x[0, 0], *v, x[3, 0]], x[:, 1:]]),
           torch=lambda torch, x, v: torch.select_scatter(
               x, torch.cat([x[:1, 0], v, x[3:, 0]]), 1, 0
           )),
    OpCase("assign", ((3, 4), (3, 4)), {"key": (REPEATED,)}, torch=None,
           reference=lambda x, v: np.stack([v[1], x[1], v[2]])),
    OpCase("assign", ((3, 4), (7,)), {"key": (MASK,)}, wrong=((3, 4), (6,)), torch=None,
           reference=lambda x, v: written(x, np.flatnonzero(MASK), v, new)),
    OpCase("index_put", ((3, 4), AT_LINES, (2, 1)), wrong=((3, 4), AT_LINES, (3, 1)),
           reference=lambda x, at, v: along_rows(x, at[0], v, new),
           torch=lambda torch, x, at, v: x.index_put(tuple(map(torch.tensor, at)), v)),
    OpCase("index_put", ((3, 4), AT_REPEATED, (4,), True), wrong=((3, 4), AT_REPEATED, (3,), True),
           reference=lambda x, at, v, _: along_rows(x, at[0], v, total),
           torch=lambda torch, x, at, v, _: x.index_put(tuple(map(torch.tensor, at)), v, True)),
    OpCase("index_put", ((3, 4), AT_MASK, (7,)),
           reference=lambda x, at, v: written(x, np.flatnonzero(MASK), v, new),
           torch=lambda torch, x, at, v: x.index_put(tuple(map(torch.tensor, at)), v)),
    OpCase("put", ((3, 4), FLAT, (2, 2)), wrong=((3, 4), FLAT, (3,)),
           reference=lambda x, at, v: written(x, at, v, new),
           torch=lambda torch, x, at, v: x.put(at, v)),
    OpCase("put", ((3, 4), SOME, (4,)), torch=None,
           reference=lambda x, at, v: written(x, at, v, new)),
    OpCase("put", ((3, 4), SOME, (2, 2)), {"accumulate": True},
           reference=lambda x, at, v: written(x, at, v.ravel(), total),
           torch=lambda torch, x, at, v: x.put(at, v, True)),
    OpCase("put", ((3, 4), SOME, ()), torch=None,
           reference=lambda x, at, v: written(x, at, v, new)),
    OpCase("put_along_dim", ((2, 4), TWICE), {"shape": (3, 4), "dim": 0}, wrong=((2, 3), TWICE),
           reference=lambda v, at: scattered(np.zeros((3, 4)), at, v, total),
           torch=lambda torch, v, at: v.new_zeros(3, 4).scatter_add(0, at, v)),
    OpCase("scatter", ((3, 4), 0, PLACES, (2, 4)), wrong=((3, 4), 0, PLACES, (2, 3)),
           reference=lambda x, dim, at, v: scattered(x, at, v, new)),
    OpCase("scatter", ((3, 4), 0, PLACES, (3, 5)), torch=None,  # there only where shapes are equal
           reference=lambda x, dim, at, v: scattered(x, at, v[:2, :4], new)),
    OpCase("scatter", ((3, 4), 0, PLACES), {"value": 0.5},
           reference=lambda x, dim, at: scattered(x, at, 0.5, new)),
    OpCase("scatter", ((3, 4), 0, TWICE, (2, 4)), {"reduce": "add"}, torch=None,
           reference=lambda x, dim, at, v: scattered(x, at, v, total)),
    OpCase("scatter", ((3, 4), 0, TWICE, (2, 4)), {"reduce": "multiply"}, torch=None,
           reference=lambda x, dim, at, v: scattered(x, at, v, np.multiply)),
    OpCase("scatter", ((3, 4), 0, TWICE, 3.0), {"reduce": "multiply"}, torch=None,
           reference=lambda x, dim, at, v: scattered(x, at, v, np.multiply)),
    OpCase("scatter_add", ((3, 4), 0, TWICE, (2, 4)), wrong=((2, 4), 0, TWICE, (2, 4)),
           reference=lambda x, dim, at, v: scattered(x, at, v, total)),
    OpCase("scatter_add", ((4, 3), 1, TWICE.T, (4, 2)),
           reference=lambda x, dim, at, v: scattered(x.T, at.T, v.T, total).T),
    OpCase("index_add", ((3, 4), 0, REPEATED, (3, 4)), {"alpha": 1.5},
           reference=lambda x, dim, at, v: along_rows(x, at, 1.5 * v, total),
           wrong=((3, 4), 0, REPEATED, (2, 4))),
    OpCase("index_add", ((2, 3, 2), 1, LINES, (2, 2, 2)),
           reference=lambda x, dim, at, v: np.stack([x[:, 0] + v[:, 1], x[:, 1], x[:, 2] + v[:, 0]],
                                                    1)),
    OpCase("index_copy", ((3, 4), 0, LINES, (2, 4)), wrong=((3, 4), 0, LINES, (3, 4)),
           reference=lambda x, dim, at, v: along_rows(x, at, v, new)),
    OpCase("index_fill", ((3, 4), 0, LINES, 0.5), wrong=((2, 4), 0, LINES, 0.5),
           reference=lambda x, dim, at, v: along_rows(x, at, v, new)),
    OpCase("index_fill", ((3, 4), 0, REPEATED, ()), wrong=((3, 4), 0, REPEATED, (2,)),
           reference=lambda x, dim, at, v: along_rows(x, at, v, new)),
    OpCase("masked_fill", ((3, 4), MASK, 0.5), wrong=((3, 5), MASK, 0.5),
           reference=lambda x, mask, v: x * ~mask + v * mask),
    OpCase("masked_fill", ((3, 1), MASK, ()), reference=lambda x, mask, v: x * ~mask + v * mask),
    OpCase("masked_scatter", ((3, 4), MASK, (2, 4)), wrong=((3, 4), MASK, (6,)),
           reference=lambda x, mask, v: written(x, np.flatnonzero(mask), v.ravel()[:7], new)),
]  # fmt: skip


def reducing(
    reduce: str, function: Callable[..., Any], own: bool = True, wrong: Any = None
) -> OpCase:
    """Return a row of scatter_reduce."""
    return OpCase(
        "scatter_reduce",
        ((3, 4), 0, TWICE, (2, 4)),
        {"reduce": reduce, "include_self": own},
        distinct=True,
        wrong=wrong,
        reference=lambda x, dim, at, v: grouped(x, at, v, function, own),
    )


REDUCED = [
    *(
        reducing(name, function, own)
        for name, function in {
            "sum": np.sum, "prod": np.prod, "mean": np.mean, "amax": np.max, "amin": np.min,
        }.items()
        for own in (True, False)
    ),
    reducing("sum", np.sum, wrong=((2, 4), 0, TWICE, (2, 4))),
    OpCase("amax_at", ((3, 4), SOME, (4,)), distinct=True, torch=None,
           reference=lambda x, at, v: written(x, at, v, max)),
    OpCase("amin_at", ((3, 4), SOME, (4,)), distinct=True, torch=None,
           reference=lambda x, at, v: written(x, at, v, min)),
    OpCase("ties", (np.array([1, 2, 3]), np.array([0, 0, 2]), np.array([1, 1, 5]),
                    np.array([1, 2, 5])), torch=None,
           reference=lambda x, at, v, y: np.array([3, 1, 1])),
]  # fmt: skip

CASES = [*READ, *WRITTEN, *REDUCED]
