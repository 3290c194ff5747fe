"""Parts of a tensor that share its memory: pieces along an axis, windows, diagonals' kin."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from ..errors import ShapeError
from ..op import aliased, linear, method
from ..recording import Traced
from ..versions import Array
from .indexing import index
from .joining import cat, stack
from .scatter import take
from .shape import Shape, dim_of, strided

__all__ = [
    "as_strided", "chunk", "dsplit", "hsplit", "narrow", "select", "split", "split_with_sizes",
    "tensor_split", "unbind", "unfold", "vsplit",
]  # fmt: skip


def _pieces(*pieces: Any) -> tuple[Any, ...]:
    return pieces


def _axis(x: Any, dim: int) -> int:
    """Return an axis counted from the front; a number has none to part."""
    if not len(x.shape):
        raise IndexError("a tensor without axes has no parts")
    return dim_of(len(x.shape), dim)


def _joined(g: Any, shapes: list[Shape], sizes: Shape, dim: int) -> Any:
    """Join the cotangents of pieces, zeros for those that nobody used."""
    shape, axis = shapes[0], dim % len(shapes[0])
    known = next(piece for piece in g if piece is not None)

    def blank(n: int) -> Array:
        return np.zeros((*shape[:axis], n, *shape[axis + 1 :]), known.dtype)

    pairs = zip(sizes, g, strict=True)
    return cat([blank(n) if piece is None else piece for n, piece in pairs], axis)


@linear(vjp=[_joined], view=True, results=_pieces, label="split")
def split_into(x: Array, sizes: Shape, dim: int = 0) -> tuple[Array, ...]:
    """Pieces of the given sizes along an axis; views."""
    axis, start, pieces = _axis(x, dim), 0, []
    before = (slice(None),) * axis
    for n in sizes:
        pieces.append(x[(*before, slice(start, start + n))])
        start += n
    return tuple(pieces)


def _stacked(g: Any, shapes: list[Shape], dim: int) -> Any:
    """Stack the cotangents of slices, zeros for those that nobody used."""
    axis = dim % len(shapes[0])
    known = next(piece for piece in g if piece is not None)
    blank = np.zeros(shapes[0][:axis] + shapes[0][axis + 1 :], known.dtype)
    return stack([blank if piece is None else piece for piece in g], axis)


@linear(vjp=[_stacked], view=True, results=_pieces, method=True)
def unbind(x: Array, dim: int = 0) -> tuple[Array, ...]:
    """The slices along an axis, without that axis; views."""
    before = (slice(None),) * _axis(x, dim)
    return tuple(x[(*before, i, ...)] for i in range(x.shape[len(before)]))


@method
@aliased
def split_with_sizes(x: Any, split_sizes: Sequence[int], dim: int = 0) -> tuple[Any, ...]:
    """Pieces of the given sizes along an axis, which they must fill; views."""
    sizes, size = tuple(split_sizes), x.shape[_axis(x, dim)]
    if min(sizes, default=0) < 0 or sum(sizes) != size:
        raise ShapeError(f"the sizes {sizes} must add up to {size}, its size along dim {dim}")
    return split_into(x, sizes, dim)


@method
@aliased
def split(x: Any, split_size_or_sections: Any, dim: int = 0) -> tuple[Any, ...]:
    """Pieces of one size along an axis (the last may be smaller), or of given sizes; views."""
    piece = split_size_or_sections
    if not isinstance(piece, (int, np.integer)):
        return split_with_sizes(x, piece, dim)
    size = x.shape[_axis(x, dim)]
    if piece < 0 or (piece == 0 and size):
        raise ShapeError(f"the size of a piece must be positive, got {piece}")
    whole, rest = divmod(size, piece) if piece else (1, 0)
    sizes = (piece,) * whole + (rest,) * (rest > 0)
    return split_into(x, sizes or (0,), dim)


@method
@aliased
def chunk(x: Any, chunks: int, dim: int = 0) -> tuple[Any, ...]:
    """At most so many pieces along an axis, all but the last of one size; views."""
    if chunks < 1:
        raise ShapeError(f"chunks must be at least 1, got {chunks}")
    size = x.shape[_axis(x, dim)]
    return split(x, -(-size // chunks), dim) if size else split_into(x, (0,) * chunks, dim)


@method
@aliased
def tensor_split(x: Any, indices_or_sections: Any, dim: int = 0) -> tuple[Any, ...]:
    """So many pieces along an axis, their sizes differing by at most 1; or cut at indices."""
    size = x.shape[_axis(x, dim)]
    cuts = indices_or_sections
    cuts = cuts.tolist() if isinstance(cuts, (Traced, np.ndarray)) else cuts
    if isinstance(cuts, (int, np.integer)):
        if cuts < 1:
            raise ShapeError(f"the number of sections must be at least 1, got {cuts}")
        whole, rest = divmod(size, cuts)
        return split_into(x, (whole + 1,) * rest + (whole,) * (cuts - rest), dim)
    bounds = [0, *[slice(0, i).indices(size)[1] for i in cuts], size]
    sizes = tuple(b - a for a, b in pairwise(bounds))
    if min(sizes) >= 0:
        return split_into(x, sizes, dim)
    pairs = pairwise(bounds)  # cuts that go back leave overlapping pieces
    return tuple(narrow(x, dim, a, max(b - a, 0)) for a, b in pairs)


def _cut(x: Any, indices_or_sections: Any, dim: int, least: int) -> tuple[Any, ...]:
    if len(x.shape) < least:
        raise ShapeError(f"it needs at least {least} axes")
    count = indices_or_sections
    if isinstance(count, (int, np.integer)) and count > 0 and x.shape[dim] % count:
        raise ShapeError(f"its size {x.shape[dim]} along dim {dim} is not divisible by {count}")
    return tensor_split(x, count, dim)


@method
@aliased
def hsplit(x: Any, indices_or_sections: Any) -> tuple[Any, ...]:
    """Pieces side by side: along the second axis, of a vector along its only one."""
    return _cut(x, indices_or_sections, 0 if len(x.shape) == 1 else 1, 1)


@method
@aliased
def vsplit(x: Any, indices_or_sections: Any) -> tuple[Any, ...]:
    """Pieces one below the other: along the first axis."""
    return _cut(x, indices_or_sections, 0, 2)


@method
@aliased
def dsplit(x: Any, indices_or_sections: Any) -> tuple[Any, ...]:
    """Pieces along the third axis."""
    return _cut(x, indices_or_sections, 2, 3)


@method
@aliased
def narrow(x: Any, dim: int, start: Any, length: int) -> Any:
    """x from `start` on along one axis, `length` long; a view."""
    axis = _axis(x, dim)
    size, start = x.shape[axis], int(start)
    first = start + size if start < 0 else start
    if not 0 <= first <= size:
        raise IndexError(f"start {start} is out of range, it must be in [{-size}, {size}]")
    if not 0 <= length <= size - first:
        raise ShapeError(f"length {length} must be in [0, {size - first}], from {start} on")
    return index(x, (slice(None),) * axis + (slice(first, first + int(length)),))


@method
@aliased
def select(x: Any, dim: int, index: int) -> Any:
    """The slice of x at one place of an axis, without that axis; a view."""
    axis, place = _axis(x, dim), int(index)
    size = x.shape[axis]
    if not -size <= place < size:
        raise IndexError(f"index {place} is out of range for dim {dim} of size {size}")
    return _at(x, (slice(None),) * axis + (place,))


_at = index  # under a name that no parameter of PyTorch's has


@linear(
    vjp=[lambda g, shapes, dimension, size, step: fold_back(g, shapes[0], dimension, size, step)],
    view=True,
    method=True,
)
def unfold(x: Array, dimension: int, size: int, step: int) -> Array:
    """Every `step`-th window of `size` neighbours along an axis, as a new last axis; read-only."""
    axis = dim_of(x.ndim, dimension)
    n = x.shape[axis] if x.ndim else 1
    if not (0 <= size <= n and step > 0):
        raise ShapeError(f"windows must fit into the axis of {n}, with a step above 0")
    if not x.ndim:
        return x.reshape(1)[:size]
    x = x if x.flags.forc else x.copy()
    count = (n - size) // step + 1
    shape = (*x.shape[:axis], count, *x.shape[axis + 1 :], size)
    move = x.strides[axis]
    return strided(x, shape, (*x.strides[:axis], move * step, *x.strides[axis + 1 :], move))


@linear(
    vjp=[lambda g, dimension, size, step: unfold(g, dimension, size, step)],
)
def fold_back(g: Array, shape: Shape, dimension: int, size: int, step: int) -> Array:
    """Add windows up where they were seen in `shape`: the adjoint of unfold."""
    if not shape:
        return g.sum(dtype=g.dtype)  # of one element or none
    x = np.zeros(shape, g.dtype)
    axis = dim_of(len(shape), dimension)
    count = g.shape[axis]
    for k in range(size):
        places = slice(k, k + (count - 1) * step + 1, step)
        x[(slice(None),) * axis + (places,)] += g[..., k]
    return x


@method
@aliased
def as_strided(
    x: Any, size: Sequence[int], stride: Sequence[int], storage_offset: int | None = None
) -> Any:
    """Elements of x, counted in its own order, at the given strides; a copy, not a view."""
    if len(size) != len(stride):
        raise ShapeError(f"size {tuple(size)} and stride {tuple(stride)} must be equally long")
    places = np.full(tuple(size), storage_offset or 0, np.int64)
    for axis, (n, step) in enumerate(zip(size, stride, strict=True)):
        places += (np.arange(n) * step).reshape((-1,) + (1,) * (len(size) - 1 - axis))
    return take(x, places)
