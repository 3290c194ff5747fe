"""Rules of ops that move elements: shapes, orders, parts, joins, picks, edges."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd_core import dtypes

from ..compared import Batch
from ..edges import Edge, NoForm

END = np.iinfo(np.int64).max  # the end of any axis


def permuted(x: Edge, dims: Sequence[int]) -> Edge:
    return x.do("Transpose", perm=[x.axis(d) for d in dims])


def swapped(x: Edge, dim0: int, dim1: int) -> Edge:
    order = list(range(x.ndim))
    first, second = x.axis(dim0), x.axis(dim1)
    if order:
        order[first], order[second] = second, first
    return permuted(x, order)


def stacked(tensors: list[Edge], dim: int, y: Edge) -> Edge:
    axis = y.axis(dim)
    first, *rest = [x.do("Unsqueeze", x.ints(axis)) for x in tensors]
    return first.do("Concat", *rest, axis=axis)


def joined(tensors: list[Edge], dim: int, y: Edge) -> Edge:
    # As in PyTorch, a vector of no elements may stand among tensors of any shape.
    first, *rest = [x for x in tensors if x.ndim == y.ndim]
    return first.do("Concat", *rest, axis=y.axis(dim))


def slices(x: Edge, dim: int) -> list[Edge]:
    count = x.shape[x.axis(dim)]
    if isinstance(count, Batch):
        raise NoForm("it gives as many results as the batch has elements")
    return [picked(x, i, x.axis(dim)) for i in range(count)]


def pieces(x: Edge, sizes: Sequence[int], dim: int) -> Any:
    if len(sizes) == 1:
        return [x]
    return x.do("Split", x.ints(*sizes), axis=x.axis(dim), outputs=len(sizes))


def picked(x: Edge, place: int, axis: int) -> Edge:
    """Return what stands at one place of an axis, without the axis."""
    return x.do("Gather", x.graph.constant(np.array(place, np.int64)), axis=axis)


def part(x: Edge, axis: int, start: Any, stop: Any, step: int = 1) -> Edge:
    """Return a slice along one axis."""
    g = x.ints
    return x.do("Slice", g(start), g(stop), g(axis), g(step))


def index(x: Edge, key: tuple[Any, ...], y: Edge) -> Edge:
    """Slices one axis after the other, then gives the result's shape: ints and None change that."""
    arrays = [k for k in key if isinstance(k, np.ndarray)]
    if len(arrays) > 1 or any(k.dtype.kind == "b" for k in arrays):
        raise NoForm("its index has masks, or several arrays")
    named = sum(k is not None and k is not Ellipsis for k in key)
    axis = 0
    for k in key:
        if k is Ellipsis:
            axis += x.ndim - named
            continue
        if k is None:
            continue
        x = _along(x, axis, k)
        axis += 1
    return x if arrays else x.reshape(y.shape)


def _along(x: Edge, axis: int, k: Any) -> Edge:
    """Apply one part of an index, and keep the axis."""
    if isinstance(k, np.ndarray):
        if k.ndim != 1:
            raise NoForm("its index has an array that is no vector")
        return x.shaped(x.do("Gather", x.graph.constant(k), axis=axis))
    if isinstance(k, int):
        return x.shaped(part(x, axis, k, k + 1 or END))
    if (k.start, k.stop, k.step) in ((None, None, None), (None, x.shape[axis], None)):
        return x
    stop = END if k.stop is None else k.stop
    return x.shaped(part(x, axis, k.start or 0, stop, k.step or 1))


def padded(x: Edge, widths: Sequence[tuple[int, int]], kind: str, value: Any = None) -> Edge:
    ends = [n for side in (0, 1) for n in (pair[side] for pair in widths)]
    given = [] if value is None else [x.like(value)]
    return x.do("Pad", x.ints(*ends), *given, mode=kind)


EDGES = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}


def flipped(x: Edge, dims: Any) -> Edge:
    for d in [dims] if isinstance(dims, int) else dims:
        x = x.shaped(part(x, x.axis(d), -1, -END, -1))
    return x


def rolled(x: Edge, shifts: Any, dims: Any) -> Edge:
    if dims is None or (isinstance(dims, tuple) and not dims):
        raise NoForm("it rolls the flattened tensor; give it dims")
    pairs = zip(*((v,) if isinstance(v, int) else v for v in (shifts, dims)), strict=True)
    for shift, d in pairs:
        axis = x.axis(d)
        size = x.shape[axis]
        if isinstance(size, Batch):
            raise NoForm("it rolls along the batch")
        cut = -shift % size if size else 0
        behind, front = part(x, axis, 0, cut), part(x, axis, cut, END)
        x = x.shaped(front.do("Concat", behind, axis=axis))
    return x


def one_hot(x: Edge, num_classes: int) -> Edge:
    if num_classes < 0:
        raise NoForm("num_classes comes from the data; give it")
    ends = x.graph.constant(np.array([0, 1], np.int64))
    return x.do("OneHot", x.ints(num_classes), ends, axis=-1, dtype=dtypes.int64)


def triangle(upper: int) -> Any:
    return lambda x, diagonal: x.do(
        "Trilu", x.graph.constant(np.array(diagonal, np.int64)), upper=upper
    )


RULES: dict[str, Any] = {
    **dict.fromkeys(
        ("reshape", "view", "flatten", "squeeze", "unsqueeze"), lambda x, y: x.reshape(y.shape)
    ),
    "transpose": swapped,
    "permute": permuted,
    "expand": lambda x, y: x.do("Expand", x.ints(*y.shape)),
    "cat": joined,
    "stack": stacked,
    "unbind": slices,
    "split_into": pieces,
    "index": index,
    "flip": flipped,
    "roll": rolled,
    "tril": triangle(0),
    "triu": triangle(1),
    "one_hot": one_hot,
    "take": lambda x, index: x.reshape((-1,)).do("Gather", index, axis=0),
    "select_along": lambda x, index, dim: x.do("Gather", index, axis=x.axis(dim)),
    "embedding": lambda weight, index: weight.do("Gather", index, axis=0),
    "pad_constant": lambda x, widths, value: padded(x, widths, "constant", value),
    "pad_edges": lambda x, widths, mode: padded(x, widths, EDGES[mode]),
}
