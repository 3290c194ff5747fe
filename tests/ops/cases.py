"""One row per op, or more: how it is called, where it is smooth, and what it has to give."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from autograd_core.op import REGISTRY
from tests.ops.case import Array, OpCase

ROWS = np.array([2, 0, 2])
COLUMNS = np.array([1, -1, 3])
MASK = np.array([[True, False, True, False], [False, False, True, True], [True, True, True, False]])
PLACES = np.array([[0, 2, 1, 0], [1, 1, 0, 2]])
CLASSES = np.array([2, 0, 1, 2])
SOME_IGNORED = np.array([2, -100, 1, 2])
PIXEL_CLASSES = np.array([[[0, 2], [1, 1]], [[2, 2], [0, 1]]])
WEIGHTS = np.array([0.5, 2.0, 1.5])
STEPS = ((REGISTRY["transpose"], (0, 1), None), (REGISTRY["index"], ((slice(1, 3),),), None))


def softmax_of(x: Array, dim: int = -1) -> Array:
    """The definition, for numbers of moderate size."""
    return np.exp(x) / np.exp(x).sum(dim, keepdims=True)


def class_losses(x: Array, target: Array, weight: Any = None, reduction: str = "mean",
                 ignore_index: int = -100) -> Any:  # fmt: skip
    """Minus x at the target, sample by sample."""
    losses, shares = np.zeros(target.shape), np.zeros(target.shape)
    for place in np.ndindex(target.shape):
        c = target[place]
        if c != ignore_index:
            shares[place] = 1.0 if weight is None else weight[c]
            losses[place] = -shares[place] * x[(*place[:1], c, *place[1:])]
    totals = {"none": losses, "sum": losses.sum(), "mean": losses.sum() / shares.sum()}
    return totals[reduction]


ARITHMETIC = [
    OpCase("add", ((3, 4), (4,)), analytic=True),
    OpCase("add", ((3, 1), (1, 4)), analytic=True),
    OpCase("sub", ((3, 4), ()), analytic=True),
    OpCase("sub", (1.5, (3, 4)), analytic=True),
    OpCase("mul", ((3, 4), (2, 1, 4)), analytic=True),
    OpCase("mul", ((3,), 2), analytic=True),
    OpCase("div", ((3, 4), (4,)), low=0.5, analytic=True),
    OpCase("div", (1, (3, 4)), low=0.5, analytic=True),
    OpCase("neg", ((3, 4),), analytic=True),
    OpCase("positive", ((3, 4),), analytic=True),
    OpCase("pow", ((3, 4), (4,)), low=0.5, analytic=True),
    OpCase("pow", ((3, 4), 3), analytic=True),
    OpCase("pow", ((3, 4), 0), analytic=True),
    OpCase("pow", (2.0, (3, 4)), analytic=True),
    OpCase("sign", ((3, 4),), away=(0.0,)),
]

ELEMENTWISE = [
    OpCase("exp", ((3, 4),), analytic=True),
    OpCase("log", ((3, 4),), low=0.5, analytic=True),
    OpCase("sqrt", ((3, 4),), low=0.5, analytic=True),
    OpCase("square", ((3, 4),), analytic=True),
    OpCase("tanh", ((3, 4),), analytic=True),
    OpCase("sigmoid", ((3, 4),), low=-4.0, high=4.0, analytic=True),
    OpCase("relu", ((3, 4),), away=(0.0,)),
    OpCase("abs", ((3, 4),), away=(0.0,)),
]

COMPARISON = [
    *(OpCase(name, ((3, 4), (4,)), distinct=True) for name in ("eq", "ne", "lt", "le", "gt", "ge")),
    OpCase("where", (MASK, (3, 4), (4,)), analytic=True, wrong=(MASK, (3, 4), (3,))),
    OpCase("where", (MASK, 0.5, (3, 4)), analytic=True),
    OpCase("maximum", ((3, 4), (4,)), distinct=True),
    OpCase("minimum", ((3, 4), (3, 1)), distinct=True),
    OpCase("clamp", ((3, 4), -1.0, 1.0), away=(-1.0, 1.0)),
    OpCase("clamp", ((3, 4), None, 0.5), away=(0.5,)),
    OpCase("clamp", ((3, 4), (4,), (3, 1)), distinct=True),
]

VIEWS = [
    OpCase("reshape", ((3, 4),), {"shape": (2, -1)}, reference=lambda x: x.reshape(2, 6),
           wrong=((3, 3),), analytic=True),
    OpCase("transpose", ((2, 3, 4),), {"dim0": 0, "dim1": -1},
           reference=lambda x: np.einsum("ijk->kji", x), analytic=True),
    OpCase("permute", ((2, 3, 4),), {"dims": (2, 0, -2)}, wrong=((3, 4),),
           reference=lambda x: np.einsum("ijk->kij", x), analytic=True),
    OpCase("squeeze", ((1, 3, 1),), {}, reference=lambda x: x[0, :, 0], analytic=True),
    OpCase("squeeze", ((1, 3, 1),), {"dim": -1}, reference=lambda x: x[..., 0]),
    OpCase("squeeze", ((1, 3, 1),), {"dim": (0, 1)}, reference=lambda x: x[0]),
    OpCase("unsqueeze", ((3, 4),), {"dim": -2}, reference=lambda x: x[:, None], analytic=True),
    OpCase("expand", ((3, 1),), {"shape": (2, -1, 4)}, wrong=((3, 2),),
           reference=lambda x: np.broadcast_to(x, (2, 3, 4)),
           torch=lambda torch, x: x.expand(2, -1, 4)),
    OpCase("index", ((4, 5),), {"key": (slice(None, None, 2), None, -1)}, analytic=True,
           reference=lambda x: x[::2, None, -1], torch=lambda torch, x: x[::2, None, -1]),
    OpCase("index", ((4, 5),), {"key": (ROWS, COLUMNS)}, analytic=True,
           reference=lambda x: np.array([x[2, 1], x[0, 4], x[2, 3]]),
           torch=lambda torch, x: x[ROWS.tolist(), COLUMNS.tolist()]),
    OpCase("index", ((0, 5),), {"key": (slice(None), 1)}, reference=lambda x: x[:, 1],
           torch=lambda torch, x: x[:, 1]),
]  # fmt: skip

JOINING = [
    OpCase("cat", ((2, 3), (1, 3), (4, 3)), analytic=True, wrong=((2, 3), (2, 4)),
           reference=lambda *xs: np.vstack(xs), torch=lambda torch, *xs: torch.cat(xs)),
    OpCase("cat", ((2, 3), (0,), (2, 0)), {"dim": -1}, reference=lambda a, b, c: a,
           torch=lambda torch, *xs: torch.cat(xs, -1)),
    OpCase("stack", ((2, 3), (2, 3)), {"dim": -1}, wrong=((2, 3), (3, 2)),
           reference=lambda *xs: np.dstack(xs), torch=lambda torch, *xs: torch.stack(xs, -1)),
    OpCase("pad_constant", ((3, 4),), {"widths": ((1, 0), (-1, 2)), "value": 0.5},
           reference=lambda x: np.pad(x[:, 1:], ((1, 0), (0, 2)), constant_values=0.5),
           torch=lambda torch, x: torch.nn.functional.pad(x, (-1, 2, 1, 0), value=0.5)),
    OpCase("sum_to", ((2, 3, 4),), {"shape": (3, 1)}, analytic=True, torch=None,
           reference=lambda x: np.einsum("ijk->j", x)[:, None]),
    OpCase("cast", ((3, 4),), {"dtype": np.float64}, keeps_dtype=False,
           reference=lambda x: x, torch=lambda torch, x: x.to(torch.float64)),
    OpCase("clone", ((3, 4),), analytic=True, reference=lambda x: x),
]  # fmt: skip

INDEXING = [
    OpCase("putitem", ((3, 4),), {"shape": (5, 4), "key": (slice(1, 4),)}, torch=None,
           reference=lambda g: np.pad(g, ((1, 1), (0, 0))), wrong=((2, 4),)),
    OpCase("putitem", ((3,),), {"shape": (3, 4), "key": (np.array([2, 0, 2]), 1)}, torch=None,
           reference=lambda g: np.array([[0, g[1], 0, 0], [0] * 4, [0, g[0] + g[2], 0, 0]])),
    OpCase("put_along_dim", ((2, 4), PLACES), {"shape": (3, 4), "dim": 0}, wrong=((2, 3), PLACES),
           reference=lambda v, at: sum(
               np.where((np.arange(3)[:, None] == at[i]), v[i], 0.0) for i in (0, 1)
           ),
           torch=lambda torch, v, at: v.new_zeros(3, 4).scatter_add(0, at, v)),
    OpCase("write", ((3, 4), (2, 3)), {"steps": STEPS}, wrong=((3, 4), (4, 3)),
           reference=lambda x, v: np.column_stack([x[:, 0], v[0], v[1], x[:, 3]]),
           torch=lambda torch, x, v: torch.slice_scatter(x, v.t(), 1, 1, 3)),
]  # fmt: skip

REDUCTION = [
    OpCase("sum", ((3, 4),), reference=lambda x: np.einsum("ij->", x)),
    OpCase("sum", ((2, 3, 4),), {"dim": (0, -1), "keepdim": True},
           reference=lambda x: np.einsum("ijk->j", x)[None, :, None]),
    OpCase("sum", ((),), reference=lambda x: x),
    OpCase("sum", ((0, 3),), {"dim": 0}, reference=lambda x: np.zeros(3)),
    OpCase("mean", ((2, 3, 4),), {"dim": (1,)},
           reference=lambda x: np.einsum("ijk->ik", x) / 3),
    OpCase("mean", ((3, 4),), reference=lambda x: np.einsum("ij->", x) / 12),
    OpCase("amax", ((3, 4),), {"dim": 1}, distinct=True, reference=lambda x: np.sort(x)[:, -1]),
    OpCase("amax", ((2, 3, 4),), {"dim": (0, 2), "keepdim": True}, distinct=True,
           reference=lambda x: np.sort(x.transpose(1, 0, 2).reshape(3, 8))[None, :, -1:]),
    OpCase("amin", ((3, 4),), distinct=True, reference=lambda x: np.sort(x.ravel())[0]),
    OpCase("max_along", ((3, 4),), {"dim": 1}, distinct=True,
           reference=lambda x: (np.sort(x)[:, -1], np.argsort(x)[:, -1]),
           torch=lambda torch, x: torch.max(x, 1)),
    OpCase("max_along", ((),), {"dim": 0}, reference=lambda x: (x, np.array(0)),
           torch=lambda torch, x: torch.max(x, 0)),
    OpCase("min_along", ((3, 4),), {"dim": 0, "keepdim": True}, distinct=True,
           reference=lambda x: (np.sort(x, 0)[:1], np.argsort(x, 0)[:1]),
           torch=lambda torch, x: torch.min(x, 0, True)),
    OpCase("argmax", ((3, 4),), {"dim": 0}, distinct=True,
           reference=lambda x: np.argsort(x, 0)[-1]),
    OpCase("argmin", ((3, 4),), distinct=True, reference=lambda x: np.argsort(x.ravel())[0]),
    OpCase("all", (MASK,), {"dim": 0}, reference=lambda x: np.prod(x, 0) > 0),
    OpCase("any", (MASK,), {"dim": (0, 1)}, reference=lambda x: x.sum() > 0),
    OpCase("logsumexp", ((3, 4),), {"dim": -1},
           reference=lambda x: np.log(np.exp(x).sum(-1))),
    OpCase("logsumexp", ((2, 3, 4),), {"dim": (0, 1), "keepdim": True},
           reference=lambda x: np.log(np.exp(x).sum((0, 1), keepdims=True))),
    OpCase("softmax", ((3, 4),), {"dim": 0}, reference=lambda x: softmax_of(x, 0)),
    OpCase("softmax", ((2, 3, 4),), {"dim": -1}, reference=softmax_of),
    OpCase("log_softmax", ((3, 4),), {"dim": -1}, reference=lambda x: np.log(softmax_of(x))),
    OpCase("log_softmax", ((2, 3, 4),), {"dim": 1}, reference=lambda x: np.log(softmax_of(x, 1))),
]  # fmt: skip

LOSSES = [
    OpCase("nll_loss", ((4, 3), CLASSES, None), wrong=((3, 3), CLASSES, None),
           reference=class_losses,
           torch=lambda torch, x, t, w: torch.nn.functional.nll_loss(x, t)),
    OpCase("nll_loss", ((4, 3), SOME_IGNORED, WEIGHTS), reference=class_losses,
           torch=lambda torch, x, t, w: torch.nn.functional.nll_loss(x, t, w)),
    OpCase("nll_loss", ((2, 3, 2, 2), PIXEL_CLASSES, WEIGHTS), {"reduction": "none"},
           reference=lambda x, t, w: class_losses(x, t, w, "none"),
           torch=lambda torch, x, t, w: torch.nn.functional.nll_loss(x, t, w, reduction="none")),
    OpCase("cross_entropy", ((4, 3), CLASSES), wrong=((3, 3), CLASSES),
           reference=lambda x, t: class_losses(np.log(softmax_of(x)), t)),
    OpCase("cross_entropy", ((2, 3, 2, 2), PIXEL_CLASSES), {"reduction": "sum"},
           reference=lambda x, t: class_losses(np.log(softmax_of(x, 1)), t, None, "sum")),
    OpCase("cross_entropy", ((4, 3), SOME_IGNORED), {"label_smoothing": 0.1}),
    OpCase("cross_entropy", ((4, 3), (4, 3)), {"label_smoothing": 0.1}, low=0.1,
           wrong=((4, 3), (4, 2))),
    OpCase("mse_loss", ((3, 4), (3, 4)), reference=lambda x, t: ((x - t) ** 2).sum() / 12),
    OpCase("mse_loss", ((3, 4), (3, 4)), {"reduction": "none"},
           reference=lambda x, t: (x - t) ** 2),
]  # fmt: skip

COMPOSITIONS = [
    OpCase("max", ((3, 4),), distinct=True, reference=lambda x: np.sort(x.ravel())[-1]),
    OpCase("max", ((3, 4), 1), distinct=True,
           reference=lambda x, dim: (np.sort(x)[:, -1], np.argsort(x)[:, -1])),
    OpCase("max", ((3, 4), (4,)), distinct=True, wrong=((3, 4), (3,)),
           reference=lambda a, b: np.where(a > b, a, b),
           torch=lambda torch, a, b: torch.max(a, b)),
    OpCase("min", ((3, 4),), distinct=True, reference=lambda x: np.sort(x.ravel())[0]),
    OpCase("min", ((3, 4), 0, True), distinct=True,
           reference=lambda x, dim, keepdim: (np.sort(x, 0)[:1], np.argsort(x, 0)[:1])),
    OpCase("flatten", ((2, 3, 2, 2),), {"start_dim": 1, "end_dim": -2},
           reference=lambda x: x.reshape(2, 6, 2)),
    OpCase("flatten", ((),), reference=lambda x: x.reshape(1)),
    OpCase("view", ((3, 4), 2, -1), reference=lambda x, *_: x.reshape(2, 6), strided=False,
           torch=lambda torch, x, *shape: x.view(*shape)),
    OpCase("ravel", ((3, 4),), reference=lambda x: x.reshape(12)),
    OpCase("movedim", ((2, 3, 4),), {"source": (0, 2), "destination": (-1, 0)},
           reference=lambda x: np.einsum("ijk->kji", x)),
    OpCase("moveaxis", ((2, 3, 4), 0, 1), reference=lambda x, *_: np.einsum("ijk->jik", x)),
    OpCase("swapaxes", ((2, 3, 4), 0, 1), reference=lambda x, *_: np.einsum("ijk->jik", x)),
    OpCase("t", ((3, 4),), reference=lambda x: np.einsum("ij->ji", x), wrong=((2, 3, 4),)),
    OpCase("broadcast_to", ((3, 1),), {"shape": (2, 3, 4)}, wrong=((3, 2),),
           reference=lambda x: np.broadcast_to(x, (2, 3, 4)),
           torch=lambda torch, x: torch.broadcast_to(x, (2, 3, 4))),
    OpCase("getitem", ((3, 4),), {"key": (MASK,)}, reference=lambda x: x.ravel()[MASK.ravel()],
           torch=lambda torch, x: x[torch.tensor(MASK)]),
    OpCase("getitem", ((3, 4),), {"key": (..., None, [0, 1, 0])},
           reference=lambda x: np.stack([x[:, 0], x[:, 1], x[:, 0]], 1)[:, None],
           torch=lambda torch, x: x[..., None, [0, 1, 0]]),
]  # fmt: skip

# The rows of the other families are in files of their own.
_FAMILIES = sorted((Path(__file__).parent / "rows").glob("*.py"))
CASES: list[OpCase] = [
    *(row for file in _FAMILIES for row in import_module(f"tests.ops.rows.{file.stem}").CASES),
    *ARITHMETIC, *ELEMENTWISE, *COMPARISON, *VIEWS, *JOINING, *INDEXING, *REDUCTION,
    *LOSSES, *COMPOSITIONS,
]  # fmt: skip
