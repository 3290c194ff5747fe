"""Rows of reductions, running totals and statistics."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tests.ops.case import Array, OpCase

MASK = np.array([[True, False, True, False], [False, False, True, True], [True, True, True, True]])
SOME_ZERO = np.array([[0.0, 2.0, 0.0, 0.0], [0.0, -1.0, 0.5, 0.0]])
SOME_NAN = np.array([[1.0, math.nan, 4.0], [math.nan, math.nan, 2.5], [0.5, 3.0, -1.0]])
CLASSES = np.array([2, 0, 1, 2])
PIXELS = np.array([[0, 2], [1, 1]])
WEIGHTS = np.array([0.5, 2.0, 1.5])
INTERPOLATIONS: Any = ("lower", "higher", "nearest", "midpoint")
LEVELS = np.array([0.1, 0.5, 0.9])


def products(x: Array) -> Array:
    """Running products along the last axis, one after the other."""
    return np.array([[math.prod(row[: k + 1]) for k in range(len(row))] for row in x.tolist()])


def recurrence(a: Array, b: Array, dim: int, reverse: bool = False) -> Array:
    """The definition, along the last axis."""
    y = np.zeros(b.shape)
    n = b.shape[-1]
    for k in reversed(range(n)) if reverse else range(n):
        before = k + 1 if reverse else k - 1
        y[..., k] = b[..., k] + (a[..., k] * y[..., before] if 0 <= before < n else 0.0)
    return y


def spread(x: Array, dim: Any = None, correction: float = 1, keepdim: bool = False) -> Array:
    """The variance as it is defined."""
    n = x.size if dim is None else math.prod(np.take(x.shape, dim).flat)
    total = ((x - x.mean(dim, keepdims=True)) ** 2).sum(dim, keepdims=keepdim)
    return total / (n - correction)


def size(x: Array, p: float = 2.0, dim: Any = None, keepdim: bool = False) -> Array:
    """The p-norm as it is defined, for p other than 0 and infinities."""
    return (np.abs(x) ** p).sum(dim, keepdims=keepdim) ** (1 / p)


def row_median(x: Array) -> Any:
    """Lower median of each row, and its place."""
    order = np.argsort(x)[:, (x.shape[1] - 1) // 2]
    return np.array([row[k] for row, k in zip(x, order, strict=True)]), order


SUMS = [
    OpCase("nansum", ((3, 4),), {"dim": 1}, reference=lambda x: x.sum(1)),
    OpCase("nansum", (SOME_NAN,), {"dim": 0, "keepdim": True}, keeps_dtype=False,
           reference=lambda x: np.array([[1.5, 3.0, 5.5]]),
           torch=lambda torch, x: torch.nansum(x, 0, True)),
    OpCase("nanmean", ((3, 4),), {"dim": (0, 1)}, reference=lambda x: x.sum() / 12),
    OpCase("nanmean", (SOME_NAN,), {"dim": 1}, keeps_dtype=False,
           reference=lambda x: np.array([2.5, 2.5, 2.5 / 3])),
    OpCase("count_nonzero", (SOME_ZERO,), {"dim": 1}, reference=lambda x: np.array([1, 2])),
    OpCase("count_nonzero", (MASK,), reference=lambda x: np.array(8)),
    OpCase("all", (MASK,), {"dim": -1, "keepdim": True},
           reference=lambda x: np.array([[False], [False], [True]])),
    OpCase("any", (MASK,), reference=lambda x: np.array(True)),
]  # fmt: skip

PRODUCTS = [
    OpCase("prod", ((3, 4),), reference=lambda x: np.array(math.prod(x.ravel().tolist()))),
    OpCase("prod", ((2, 5, 3),), {"dim": 1, "keepdim": True},
           reference=lambda x: (x[:, 0] * x[:, 1] * x[:, 2] * x[:, 3] * x[:, 4])[:, None]),
    OpCase("prod", ((3,),), {"dim": -1}, reference=lambda x: x[0] * x[1] * x[2]),
    OpCase("prod", ((1, 2),), {"dim": 0}, reference=lambda x: x[0]),
    OpCase("prod", ((0, 2),), {"dim": 0}, reference=lambda x: np.ones(2)),
    OpCase("prod", ((),), reference=lambda x: x),
]  # fmt: skip

EXTREMES = [
    OpCase("amax", ((),), {"dim": 0}, reference=lambda x: x),
    OpCase("aminmax", ((3, 4),), {"dim": 1}, distinct=True,
           reference=lambda x: (np.sort(x)[:, 0], np.sort(x)[:, -1])),
    OpCase("aminmax", ((3, 4),), distinct=True,
           reference=lambda x: (np.sort(x.ravel())[0], np.sort(x.ravel())[-1])),
    OpCase("max_all", ((3, 4),), distinct=True, reference=lambda x: np.sort(x.ravel())[-1],
           torch="max"),
    OpCase("min_all", ((3, 4),), distinct=True, reference=lambda x: np.sort(x.ravel())[0],
           torch="min"),
    OpCase("same", (SOME_NAN, SOME_NAN), torch=None, reference=lambda a, b: np.ones((3, 3), bool)),
    OpCase("same", (SOME_NAN, np.array(math.nan)), torch=None, reference=lambda a, _: np.isnan(a)),
    OpCase("same", ((3, 4), ()), distinct=True, torch=None, reference=lambda a, b: a == b),
    OpCase("argmax", ((3, 4),), {"keepdim": True}, distinct=True,
           reference=lambda x: np.argsort(x.ravel())[-1:, None]),
]  # fmt: skip

SOFTMAXES = [
    OpCase("softmax", ((),), {"dim": 0}, reference=np.ones_like),
    OpCase("softmax", ((0, 3),), {"dim": 0}, reference=lambda x: x),
    OpCase("log_softmax", ((),), {"dim": -1}, reference=np.zeros_like),
    OpCase("logsumexp", ((),), {"dim": 0}, reference=lambda x: x),
    OpCase("softmin", ((3, 4),), {"dim": 1},
           reference=lambda x: np.exp(-x) / np.exp(-x).sum(1, keepdims=True)),
]  # fmt: skip

RUNNING = [
    OpCase("cumsum", ((2, 3, 4),), {"dim": 1},
           reference=lambda x: np.stack([x[:, 0], x[:, 0] + x[:, 1], x.sum(1)], 1)),
    OpCase("cumsum", ((),), {"dim": 0}, reference=lambda x: x),
    OpCase("cumsum", ((3, 0),), {"dim": 1}, reference=lambda x: x),
    OpCase("cumprod", ((3, 5),), {"dim": 1}, reference=products),
    OpCase("cumprod", ((4, 2, 2),), {"dim": 0}),
    OpCase("cumprod", ((),), {"dim": 0}, reference=lambda x: x),
    OpCase("cumprod", ((0, 2),), {"dim": 0}, reference=lambda x: x),
    OpCase("recurrence", ((3, 5), (3, 5)), {"dim": 1}, reference=lambda a, b: recurrence(a, b, 1),
           torch=None),
    OpCase("recurrence", ((2, 6), (2, 6)), {"dim": -1, "reverse": True},
           reference=lambda a, b: recurrence(a, b, 1, True), torch=None),
    OpCase("logcumsumexp", ((3, 5),), {"dim": 1},
           reference=lambda x: np.log([np.exp(x[:, : k + 1]).sum(1) for k in range(5)]).T),
    OpCase("logcumsumexp", ((3, 2),), {"dim": 0}),
    OpCase("logcumsumexp", ((),), {"dim": 0}, reference=lambda x: x),
    OpCase("cummax", ((3, 5),), {"dim": 1}, distinct=True,
           reference=lambda x: (
               np.array([x[:, : k + 1].max(1) for k in range(5)]).T,
               np.array([x[:, : k + 1].argmax(1) for k in range(5)]).T,
           )),
    OpCase("cummax", ((),), {"dim": 0}, reference=lambda x: (x, np.array(0))),
    OpCase("cummin", ((4, 3),), {"dim": 0}, distinct=True,
           reference=lambda x: (
               np.array([x[: k + 1].min(0) for k in range(4)]),
               np.array([x[: k + 1].argmin(0) for k in range(4)]),
           )),
]  # fmt: skip

NEIGHBOURS = [
    OpCase("diff", ((3, 5),), reference=lambda x: x[:, 1:] - x[:, :-1]),
    OpCase("diff", ((5, 3),), {"n": 2, "dim": 0},
           reference=lambda x: x[2:] - 2 * x[1:-1] + x[:-2]),
    OpCase("diff", ((3, 2), 1, -1, (3, 1), (3, 2)),
           reference=lambda x, n, dim, a, b: np.diff(np.hstack([a, x, b]))),
    OpCase("diff", (MASK,), reference=lambda x: x[:, 1:] != x[:, :-1]),
    OpCase("trapezoid", ((3, 5),), {"dx": 0.5},
           reference=lambda y: 0.25 * (y[:, :-1] + y[:, 1:]).sum(1)),
    OpCase("trapezoid", ((3, 5), (3,)), {"dim": 0}, wrong=((3, 5), (4,)),
           reference=lambda y, x: ((y[:-1] + y[1:]) * np.diff(x)[:, None] / 2).sum(0)),
    OpCase("trapz", ((3, 5), (3, 5)),
           reference=lambda y, x: ((y[:, :-1] + y[:, 1:]) * np.diff(x) / 2).sum(1)),
    OpCase("cumulative_trapezoid", ((2, 4), (4,)), wrong=((2, 4), (2,)),
           reference=lambda y, x: np.cumsum((y[:, :-1] + y[:, 1:]) * np.diff(x) / 2, 1)),
]  # fmt: skip

SPREAD = [
    OpCase("var", ((3, 4),), reference=spread),
    OpCase("var", ((2, 3, 4),), {"dim": (0, 2), "correction": 0, "keepdim": True},
           reference=lambda x: spread(x, (0, 2), 0, True)),
    OpCase("var", ((2, 5),), {"dim": 1, "correction": 2.5}, reference=lambda x: spread(x, 1, 2.5)),
    OpCase("std", ((3, 4),), {"dim": -1}, reference=lambda x: spread(x, -1) ** 0.5),
    OpCase("std", ((3, 4),), {"correction": 0}, reference=lambda x: spread(x, None, 0) ** 0.5),
    OpCase("var_mean", ((3, 4),), {"dim": 0},
           reference=lambda x: (spread(x, 0), x.sum(0) / 3)),
    OpCase("std_mean", ((3, 4), False),
           reference=lambda x, unbiased: (spread(x, None, 0) ** 0.5, x.sum() / 12)),
]  # fmt: skip

NORMS = [
    *(
        OpCase("norm", ((3, 4),), {"p": p, "dim": 1}, away=(0.0,),
               reference=lambda x, p=p: size(x, p, 1))
        for p in (0.5, 1.0, 1.5, 2.0, 3.0, -1.0)
    ),
    OpCase("norm", ((2, 3, 4),), {"dim": (0, -1), "keepdim": True},
           reference=lambda x: size(x, 2.0, (0, 2), True)),
    OpCase("norm", ((3, 4),), {"p": 0.0}, away=(0.0,), reference=lambda x: np.array(12.0)),
    OpCase("norm", ((3, 4),), {"p": math.inf, "dim": 0}, distinct=True, low=0.1,
           reference=lambda x: x.max(0)),
    OpCase("norm", ((3, 4),), {"p": -math.inf}, distinct=True, low=-3.0, high=-0.1,
           reference=lambda x: -x.max()),
    OpCase("norm", ((),), away=(0.0,), reference=np.abs),
    OpCase("dist", ((3, 4), (4,)), {"p": 3.0}, reference=lambda a, b: size(a - b, 3.0)),
    OpCase("renorm", ((3, 4), 2.0, 0, 1.5),
           reference=lambda x, p, dim, limit: x * np.where(
               size(x, 2, 1, True) > limit, limit / (size(x, 2, 1, True) + 1e-7), 1.0
           )),
]  # fmt: skip

MIDDLES = [
    OpCase("median", ((3, 4),), distinct=True, reference=lambda x: np.sort(x.ravel())[5]),
    OpCase("median", ((3, 5),), {"dim": 1}, distinct=True, reference=row_median),
    OpCase("median_all", ((7,),), distinct=True, reference=lambda x: np.sort(x)[3], torch="median"),
    OpCase("median_along", ((3, 4),), {"dim": -1}, distinct=True, reference=row_median,
           torch=lambda torch, x: torch.median(x, -1)),
    OpCase("median_along", ((),), {"dim": 0}, reference=lambda x: (x, np.array(0)),
           torch=lambda torch, x: torch.median(x, 0)),
    OpCase("nanmedian", ((3, 5),), {"dim": 1, "keepdim": True}, distinct=True,
           reference=lambda x: tuple(part[:, None] for part in row_median(x))),
    OpCase("nanmedian", (SOME_NAN,), keeps_dtype=False, reference=lambda x: np.array(1.0)),
    OpCase("nanmedian_all", ((4,),), distinct=True, reference=lambda x: np.sort(x)[1],
           torch="nanmedian"),
    OpCase("nanmedian_along", ((3, 4),), {"dim": 1}, distinct=True, reference=row_median,
           torch=lambda torch, x: torch.nanmedian(x, 1)),
    OpCase("mode", (np.array([[3, 1, 3, 1], [2, 2, 5, 0]]),),
           reference=lambda x: (np.array([1, 2]), np.array([3, 1]))),
    OpCase("mode", ((3, 4),), {"dim": 0, "keepdim": True}, distinct=True,
           reference=lambda x: (x.min(0, keepdims=True), x.argmin(0)[None])),
    OpCase("quantile", ((3, 4), 0.3), distinct=True, reference=lambda x, q: np.quantile(x, q)),
    OpCase("quantile", ((3, 4), LEVELS), {"dim": 0, "keepdim": True}, distinct=True,
           keeps_dtype=False, reference=lambda x, q: np.quantile(x, q, 0, keepdims=True)),
    *(
        OpCase("quantile", ((2, 5), 0.3), {"dim": 1, "interpolation": kind}, distinct=True,
               reference=lambda x, q, kind=kind: np.quantile(x, q, 1, method=kind))
        for kind in INTERPOLATIONS
    ),
    OpCase("quantile", ((3, 4), (3,)), {"dim": 1}, low=0.01, high=0.97, distinct=True,
           reference=lambda x, q: np.quantile(x, q, 1)),
    OpCase("nanquantile", ((3, 4), ()), low=0.01, high=0.91, distinct=True,
           reference=lambda x, q: np.quantile(x, q)),
    OpCase("nanquantile", ((3, 4), 0.6, 1), distinct=True,
           reference=lambda x, q, dim: np.quantile(x, q, 1)),
    OpCase("nanquantile", (SOME_NAN, 0.5, 1), keeps_dtype=False,
           reference=lambda x, q, dim: np.array([2.5, 2.5, 0.5])),
]  # fmt: skip

LOSSES = [
    OpCase("nll_input", ((), CLASSES, None), {"shape": (4, 3)}, torch=None,
           reference=lambda g, at, _: -0.25 * g * np.eye(3)[at]),
    OpCase("nll_input", ((), CLASSES, WEIGHTS), {"shape": (4, 3), "ignore_index": 1}, torch=None,
           reference=lambda g, at, w: (
               -g * np.eye(3)[at] * [0.5, 0, 1.5] / (w[at] * (at != 1)).sum()
           )),
    OpCase("nll_input", ((2, 2), PIXELS, None), {"shape": (2, 3, 2), "reduction": "none"},
           torch=None, reference=lambda g, at, _: -g[:, None] * np.eye(3)[at].swapaxes(1, 2)),
]  # fmt: skip

CASES = [
    *SUMS, *PRODUCTS, *EXTREMES, *SOFTMAXES, *RUNNING, *NEIGHBOURS, *SPREAD, *NORMS, *MIDDLES,
    *LOSSES,
]  # fmt: skip
