"""Rows of the ops that see, join, part, widen and turn tensors."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

import autograd_core as ag
from tests.ops.case import Array, OpCase


@dataclass(frozen=True, eq=False)
class JoinCase(OpCase):
    """A row of a function that takes one sequence of tensors, as PyTorch's and NumPy's do."""

    def call(self, operands: list[Any]) -> Any:
        """Run it on tensors or bare arrays."""
        return getattr(ag, self.name)(operands, **self.params)


@dataclass(frozen=True, eq=False)
class SeveralCase(OpCase):
    """A row of a function whose results belong to one operand each: seen as one, stacked."""

    def call(self, operands: list[Any]) -> Any:
        """Run it on tensors or bare arrays."""
        return ag.stack(getattr(ag, self.name)(*operands, **self.params))


def joining(name: str, *shapes: tuple[int, ...]) -> JoinCase:
    """Return a row of a function that NumPy and PyTorch have under one name."""
    return JoinCase(
        name,
        shapes,
        reference=lambda *xs: getattr(np, name)(xs),
        torch=lambda torch, *xs: getattr(torch, name)(xs),
    )


COUNTS = np.array([2, 0, 3])
LIKE = np.zeros((2, 6))


def blocks(*matrices: Array) -> Array:
    """Matrices along a diagonal, each put where the one before ends."""
    y = np.zeros(np.sum([m.shape for m in matrices], 0))
    row = column = 0
    for m in matrices:
        y[row : row + m.shape[0], column : column + m.shape[1]] = m
        row, column = row + m.shape[0], column + m.shape[1]
    return y


def on_diagonal(x: Array, shape: tuple[int, ...], offset: int) -> Array:
    """Zeros with the rows of x on the diagonal of the last two axes, place by place."""
    y = np.zeros(shape)
    for k in range(x.shape[-1]):
        y[..., k + max(-offset, 0), k + max(offset, 0)] = x[..., k]
    return y


def windows_of(x: Array, size: int, step: int) -> Array:
    """The windows along axis 1 of a matrix, one after the other."""
    starts = range(0, x.shape[1] - size + 1, step)
    return np.stack([x[:, i : i + size] for i in starts], 1)


def added_windows(g: Array, width: int, step: int) -> Array:
    """Windows added up where they were seen along axis 1."""
    y = np.zeros((len(g), width))
    for i in range(g.shape[1]):
        y[:, i * step : i * step + g.shape[2]] += g[:, i]
    return y


def by_sources(g: Array, n: int, sources: list[int]) -> Array:
    """The columns of g added up at the places they were taken from."""
    return np.stack([sum((g[:, j] for j, s in enumerate(sources) if s == k), 0 * g[:, 0])
                     for k in range(n)], 1)  # fmt: skip


SEEN = [
    OpCase("unflatten", ((2, 6),), {"dim": 1, "sizes": (3, -1)}, wrong=((2, 5),),
           reference=lambda x: x.reshape(2, 3, 2)),
    OpCase("swapdims", ((2, 3, 4), 0, -1), reference=lambda x, *_: np.einsum("ijk->kji", x)),
    OpCase("view_as", ((3, 4), LIKE), reference=lambda x, _: x.reshape(2, 6), strided=False,
           torch=lambda torch, x, other: x.view_as(other)),
    OpCase("reshape_as", ((3, 4), LIKE), reference=lambda x, _: x.reshape(2, 6),
           torch=lambda torch, x, other: x.reshape_as(other)),
    OpCase("expand_as", ((2, 1), LIKE), reference=lambda x, _: np.repeat(x, 6, 1),
           torch=lambda torch, x, other: x.expand_as(other)),
    SeveralCase("broadcast_tensors", ((3, 1), (2, 1, 4)), wrong=((3, 2), (3, 4)),
                reference=lambda *xs: np.stack(np.broadcast_arrays(*xs)),
                torch=lambda torch, *xs: torch.stack(torch.broadcast_tensors(*xs))),
    OpCase("expand", ((),), {"shape": (2, 3)}, reference=lambda x: np.full((2, 3), x),
           torch=lambda torch, x: x.expand(2, 3)),
    OpCase("flatten", ((2, 3, 2, 2),), {"start_dim": 1, "end_dim": -2}, analytic=True,
           reference=lambda x: x.reshape(2, 6, 2)),
]  # fmt: skip

JOINED = [
    joining("concatenate", (2, 3), (1, 3)),
    joining("hstack", (2, 3), (2, 1)),
    joining("hstack", (3,), ()),
    joining("vstack", (3,), (2, 3)),
    JoinCase("row_stack", ((3,), (2, 3)), reference=lambda *xs: np.vstack(xs),
             torch=lambda torch, *xs: torch.vstack(xs)),
    joining("dstack", (3,), (1, 3)),
    joining("dstack", (2, 3, 1), (2, 3, 2)),
    joining("column_stack", (3,), (3, 2)),
]  # fmt: skip

REPEATED = [
    OpCase("repeat", ((2, 3), 2, 1, 2), reference=lambda x, *n: np.tile(x, n),
           wrong=((2, 3, 1, 1), 2, 1, 2),
           torch=lambda torch, x, *n: x.repeat(*n)),
    OpCase("repeat", ((2, 3), 0, 2), reference=lambda x, *n: np.zeros((0, 6)),
           torch=lambda torch, x, *n: x.repeat(*n)),
    OpCase("tile", ((2, 3),), {"dims": (2,)}, reference=lambda x: np.tile(x, 2)),
    OpCase("tile", ((3,),), {"dims": (2, 2)}, reference=lambda x: np.tile(x, (2, 2))),
    OpCase("repeat_parts", ((2, 3),), {"repeats": 2, "axis": 0}, analytic=True,
           reference=lambda x: x[[0, 0, 1, 1]],
           torch=lambda torch, x: x.repeat_interleave(2, 0)),
    OpCase("repeat_interleave", ((2, 3), 2), {"dim": 1}, reference=lambda x, n: np.repeat(x, n, 1)),
    OpCase("repeat_interleave", ((3, 2), COUNTS), {"dim": 0}, wrong=((2, 2), COUNTS),
           reference=lambda x, n: np.repeat(x, n, 0)),
    OpCase("repeat_interleave", ((2, 2), 3), reference=np.repeat),
    OpCase("repeat_interleave", (COUNTS,), reference=lambda n: np.array([0, 0, 2, 2, 2])),
    SeveralCase("meshgrid", ((2,), (3,)), {"indexing": "xy"}, wrong=((2, 1), (3,)),
                reference=lambda *xs: np.stack(np.meshgrid(*xs)),
                torch=lambda torch, *xs: torch.stack(torch.meshgrid(*xs, indexing="xy"))),
    SeveralCase("meshgrid", ((2,), (3,), ()), {"indexing": "ij"},
                reference=lambda *xs: np.stack(np.meshgrid(*xs, indexing="ij")),
                torch=lambda torch, *xs: torch.stack(torch.meshgrid(*xs, indexing="ij"))),
    OpCase("cartesian_prod", ((2,), (3,)),
           reference=lambda *xs: np.array(list(product(*xs)))),
    OpCase("combinations", ((4,),), {"r": 3},
           reference=lambda x: x[[[0, 1, 2], [0, 1, 3], [0, 2, 3], [1, 2, 3]]], wrong=((2, 2),)),
    OpCase("combinations", ((2,),), {"with_replacement": True},
           reference=lambda x: x[[[0, 0], [0, 1], [1, 1]]]),
    OpCase("kron", ((2, 3), (3,)), reference=np.kron),
    OpCase("kron", ((2,), (2, 3, 1)), reference=np.kron),
    OpCase("block_diag", ((2, 3), (1, 2), (2, 1)), reference=blocks),
    OpCase("block_diag", ((3,), ()), wrong=((2, 2, 2), ()),
           reference=lambda a, b: blocks(a[None], b.reshape(1, 1))),
    OpCase("atleast_1d", ((),), reference=np.atleast_1d),
    OpCase("atleast_2d", ((3,),), reference=np.atleast_2d),
    OpCase("atleast_3d", ((3,),), reference=np.atleast_3d),
]  # fmt: skip

PARTED = [
    OpCase("split_into", ((2, 5),), {"sizes": (1, 3, 1), "dim": 1},
           reference=lambda x: tuple(np.split(x, [1, 4], 1)),
           torch=lambda torch, x: torch.split(x, [1, 3, 1], 1)),
    OpCase("unbind", ((2, 3),), {"dim": -1}, reference=lambda x: tuple(x.T)),
    OpCase("split", ((5, 2), 2), reference=lambda x, n: (x[:2], x[2:4], x[4:])),
    OpCase("split", ((2, 5),), {"split_size_or_sections": [2, 3], "dim": 1}, wrong=((2, 4),),
           reference=lambda x: (x[:, :2], x[:, 2:]), torch=lambda torch, x: x.split([2, 3], 1)),
    OpCase("split_with_sizes", ((5,),), {"split_sizes": (2, 0, 3)}, wrong=((4,),),
           reference=lambda x: (x[:2], x[:0], x[2:]),
           torch=lambda torch, x: x.split([2, 0, 3])),
    OpCase("chunk", ((5, 2), 3), reference=lambda x, n: (x[:2], x[2:4], x[4:])),
    OpCase("tensor_split", ((5, 2), 3), reference=lambda x, n: (x[:2], x[2:4], x[4:])),
    OpCase("tensor_split", ((2, 5),), {"indices_or_sections": (1, -1), "dim": 1},
           reference=lambda x: (x[:, :1], x[:, 1:4], x[:, 4:]),
           torch=lambda torch, x: torch.tensor_split(x, (1, -1), 1)),
    OpCase("tensor_split", ((5,),), {"indices_or_sections": (3, 1)},
           reference=lambda x: (x[:3], x[:0], x[1:]),
           torch=lambda torch, x: torch.tensor_split(x, (3, 1))),
    OpCase("hsplit", ((2, 4), 2), reference=lambda x, n: (x[:, :2], x[:, 2:]), wrong=((2, 3), 2)),
    OpCase("vsplit", ((4, 2), 2), wrong=((4,), 2), reference=lambda x, n: (x[:2], x[2:])),
    OpCase("dsplit", ((1, 2, 4), 2), wrong=((4, 2), 2),
           reference=lambda x, n: (x[..., :2], x[..., 2:])),
    OpCase("narrow", ((2, 5), 1, -3, 2), wrong=((2, 2), 1, 1, 2),
           reference=lambda x, *_: x[:, 2:4]),
    OpCase("select", ((2, 5), 1, -1), reference=lambda x, *_: x[:, 4], wrong=((2, 0), 1, -1)),
    OpCase("unfold", ((2, 7),), {"dimension": 1, "size": 3, "step": 2}, wrong=((2, 2),),
           reference=lambda x: windows_of(x, 3, 2), torch=lambda torch, x: x.unfold(1, 3, 2)),
    OpCase("fold_back", ((2, 3, 3),), {"shape": (2, 8), "dimension": 1, "size": 3, "step": 2},
           reference=lambda g: added_windows(g, 8, 2), torch=None),
    OpCase("as_strided", ((3, 4),), {"size": (2, 3), "stride": (5, 1), "storage_offset": 1},
           reference=lambda x: x.ravel()[[[1, 2, 3], [6, 7, 8]]]),
]  # fmt: skip

DIAGONALS = [
    OpCase("diagonal", ((2, 3, 4),), {"offset": 1, "dim1": 2, "dim2": 0}, analytic=True,
           reference=lambda x: np.stack([x[1, :, 0]], 1)),
    OpCase("diagonal", ((3, 4),), {"offset": 1}, reference=lambda x: x[[0, 1, 2], [1, 2, 3]],
           wrong=((3,),)),
    OpCase("put_diagonal", ((2, 3),), {"shape": (2, 4, 3), "offset": -1, "dim1": 1, "dim2": 2},
           reference=lambda v: on_diagonal(v, (2, 4, 3), -1), wrong=((2, 2),), torch=None),
    OpCase("diag_embed", ((2, 3),), {"offset": 1},
           reference=lambda x: on_diagonal(x, (2, 4, 4), 1)),
    OpCase("diag_embed", ((2, 3),), {"dim1": 0, "dim2": 2},
           reference=lambda x: np.moveaxis(on_diagonal(x, (2, 3, 3), 0), 0, 1)),
    OpCase("diag", ((3,), -1), reference=np.diag),
    OpCase("diag", ((3, 4), 1), reference=np.diag, wrong=((2, 2, 2), 1)),
    OpCase("diagflat", ((2, 2), 1), reference=np.diagflat),
    OpCase("tril", ((2, 3, 4),), {"diagonal": 1}, analytic=True, wrong=((3,),),
           reference=lambda x: x * (np.arange(4) <= np.arange(3)[:, None] + 1)),
    OpCase("triu", ((3, 4),), {"diagonal": -1}, analytic=True, wrong=((3,),),
           reference=lambda x: x * (np.arange(4) >= np.arange(3)[:, None] - 1)),
]  # fmt: skip

TURNED = [
    OpCase("flip", ((2, 3, 4),), {"dims": (0, -1)}, reference=lambda x: x[::-1, :, ::-1],
           analytic=True),
    OpCase("flip", ((2, 3),), {"dims": ()}, reference=lambda x: x),
    OpCase("fliplr", ((2, 3),), reference=np.fliplr, wrong=((3,),)),
    OpCase("flipud", ((3,),), reference=np.flipud),
    OpCase("roll", ((2, 3),), {"shifts": 1}, reference=lambda x: np.roll(x, 1), analytic=True),
    OpCase("roll", ((3, 4),), {"shifts": (1, -1), "dims": (0, 1)}, analytic=True,
           reference=lambda x: np.take(np.take(x, [2, 0, 1], 0), [1, 2, 3, 0], 1)),
    *(
        OpCase("rot90", ((2, 3),), {"k": k}, reference=lambda x, k=k: np.rot90(x, k))
        for k in range(4)
    ),
    OpCase("rot90", ((2, 3, 2),), {"k": -1, "dims": (2, 0)}, wrong=((3,),),
           reference=lambda x: np.rot90(x, -1, (2, 0))),
]  # fmt: skip

PADDED = [
    OpCase("pad_edges", ((2, 4),), {"widths": ((1, 0), (3, 2)), "mode": "reflect"},
           reference=lambda x: x[np.ix_([1, 0, 1], [3, 2, 1, 0, 1, 2, 3, 2, 1])],
           wrong=((1, 4),), torch=lambda torch, x: torch.nn.functional.pad(
               x[None, None], (3, 2, 1, 0), "reflect")[0, 0]),
    OpCase("pad_edges", ((2, 3),), {"widths": ((0, 1), (2, 4)), "mode": "replicate"},
           reference=lambda x: x[np.ix_([0, 1, 1], [0, 0, 0, 1, 2, 2, 2, 2, 2])],
           torch=lambda torch, x: torch.nn.functional.pad(
               x[None, None], (2, 4, 0, 1), "replicate")[0, 0]),
    OpCase("pad_edges", ((2, 3),), {"widths": ((1, 0), (2, 3)), "mode": "circular"},
           reference=lambda x: x[np.ix_([1, 0, 1], [1, 2, 0, 1, 2, 0, 1, 2])],
           torch=lambda torch, x: torch.nn.functional.pad(
               x[None, None], (2, 3, 1, 0), "circular")[0, 0]),
    OpCase("fold_edges", ((2, 6),), {"widths": ((0, 0), (2, 1)), "mode": "reflect"}, torch=None,
           reference=lambda g: by_sources(g, 3, [2, 1, 0, 1, 2, 1])),
    OpCase("fold_edges", ((2, 6),), {"widths": ((0, 0), (2, 1)), "mode": "replicate"}, torch=None,
           reference=lambda g: by_sources(g, 3, [0, 0, 0, 1, 2, 2])),
    OpCase("fold_edges", ((2, 6),), {"widths": ((0, 0), (2, 1)), "mode": "circular"}, torch=None,
           reference=lambda g: by_sources(g, 3, [1, 2, 0, 1, 2, 0])),
    OpCase("pad", ((2, 3),), {"pad": (1, -1, 0, 2), "value": 1.5}, wrong=((3,),),
           reference=lambda x: np.pad(x[:, :-1], ((0, 2), (1, 0)), constant_values=1.5)),
    OpCase("pad", ((1, 2, 3),), {"pad": (-1, 2), "mode": "reflect"},
           reference=lambda x: x[..., [1, 2, 1, 0]]),
    OpCase("pad", ((1, 2, 3),), {"pad": (-1, 2), "mode": "circular"},
           reference=lambda x: x[..., [1, 2, 1, 2]]),
    OpCase("pad", ((1, 2, 3),), {"pad": (2, -1), "mode": "replicate"},
           reference=lambda x: x[..., [0, 0, 0, 1]]),
]  # fmt: skip

CASES: list[Any] = [
    *SEEN, *JOINED, *REPEATED, *PARTED, *DIAGONALS, *TURNED, *PADDED,
]  # fmt: skip
