"""Joining tensors into a larger one, and repeating them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations as _combinations
from itertools import combinations_with_replacement
from typing import Any

import numpy as np

from ..errors import ShapeError
from ..op import aliased, linear, method
from ..recording import Traced
from ..versions import Array
from .arithmetic import mul
from .indexing import index
from .padding import pad_constant
from .scatter import index_select
from .shape import (
    Shape,
    broadcast_tensors,
    clone,
    dim_of,
    expand,
    ravel,
    reshape,
    sizes_of,
    sum_to,
    transpose,
)

__all__ = [
    "atleast_1d", "atleast_2d", "atleast_3d", "block_diag", "cartesian_prod", "cat",
    "column_stack", "combinations", "concat", "concatenate", "dstack", "hstack", "kron",
    "meshgrid", "repeat", "repeat_interleave", "row_stack", "stack", "tile", "vstack",
]  # fmt: skip


@linear(
    together=True,
    variadic=True,
    promotes=True,
    vjp=[lambda g, i, shapes, dim: _slice_of(g, i, shapes, dim)],
)
def cat(tensors: Sequence[Array], dim: int = 0) -> Array:
    """Join tensors along an axis that they have."""
    kept = [x for x in tensors if x.shape != (0,)] or tensors  # PyTorch lets empty vectors pass
    if kept[0].ndim == 0:
        raise ShapeError("a tensor without axes cannot be joined: see stack")
    return np.concatenate(kept, dim_of(kept[0].ndim, dim))


def _slice_of(g: Any, i: int, shapes: Any, dim: int) -> Any:
    if shapes[i] == (0,):
        return g.reshape((-1,))[:0]
    axis = dim % len(g.shape)
    start = shapes.starts(axis)[i]
    return index(g, (slice(None),) * axis + (slice(start, start + shapes[i][axis]),))


concat = concatenate = cat


@linear(
    together=True,
    variadic=True,
    promotes=True,
    vjp=[lambda g, i, dim: index(g, (slice(None),) * (dim % len(g.shape)) + (i,))],
)
def stack(tensors: Sequence[Array], dim: int = 0) -> Array:
    """Join tensors of one shape along a new axis."""
    return np.stack(tensors, dim_of(tensors[0].ndim + 1, dim))


def _each(tensors: tuple[Any, ...], function: Any) -> Any:
    """Return the function of the only tensor, or the tuple of it of several."""
    if len(tensors) == 1 and not isinstance(tensors[0], (tuple, list)):
        return function(tensors[0])
    return tuple(function(x) for x in sizes_of(tensors))


def _with_axes(x: Any, ndim: int) -> Any:
    """Return x with at least so many axes: new ones in front, the third one last."""
    shape = tuple(x.shape)
    if len(shape) >= ndim:
        return x
    front = (1,) * (min(ndim, 2) - len(shape))
    return reshape(x, (*front, *shape, *(1,) * (ndim - 2)))


def atleast_1d(*tensors: Any) -> Any:
    """The tensors with at least one axis."""
    return _each(tensors, lambda x: _with_axes(x, 1))


def atleast_2d(*tensors: Any) -> Any:
    """The tensors with at least two axes; new ones come first."""
    return _each(tensors, lambda x: _with_axes(x, 2))


def atleast_3d(*tensors: Any) -> Any:
    """The tensors with at least three axes; a vector becomes (1, n, 1), a matrix (m, n, 1)."""
    return _each(tensors, lambda x: _with_axes(x, 3))


@aliased
def hstack(tensors: Sequence[Any]) -> Any:
    """Join tensors side by side: along the second axis, vectors along their only one."""
    rows = [_with_axes(x, 1) for x in tensors]
    return cat(rows, 1 if rows and len(rows[0].shape) > 1 else 0)


@aliased
def vstack(tensors: Sequence[Any]) -> Any:
    """Join tensors on top of each other; vectors are rows."""
    return cat([_with_axes(x, 2) for x in tensors], 0)


row_stack = vstack


@aliased
def dstack(tensors: Sequence[Any]) -> Any:
    """Join tensors along the third axis."""
    return cat([_with_axes(x, 3) for x in tensors], 2)


@aliased
def column_stack(tensors: Sequence[Any]) -> Any:
    """Join tensors side by side; vectors are columns."""
    return cat([x if len(x.shape) > 1 else reshape(x, (-1, 1)) for x in tensors], 1)


def _tiled(x: Any, times: Shape) -> Any:
    """Repeat x as a whole: axis k of the result is axis k of x, times[k] times over."""
    if any(n < 0 for n in times):
        raise ShapeError(f"it cannot be repeated {times} times: none may be negative")
    shape = (1,) * (len(times) - len(x.shape)) + tuple(x.shape)
    if set(times) <= {1}:
        return clone(reshape(x, shape))
    parted = [size for n in shape for size in (1, n)]
    repeated = [size for pair in zip(times, shape, strict=True) for size in pair]
    whole = tuple(n * size for n, size in zip(times, shape, strict=True))
    return reshape(expand(reshape(x, tuple(parted)), tuple(repeated)), whole)


@method
@aliased
def repeat(x: Any, *repeats: Any) -> Any:
    """x.repeat(2, 3): x over and over, so many times along each axis; leading axes may be new."""
    times = sizes_of(repeats)
    if len(times) < len(x.shape):
        raise ShapeError(f"{times} must have a number for each of its {len(x.shape)} axes")
    return _tiled(x, times)


@method
@aliased
def tile(x: Any, *times: Any, dims: Any = None) -> Any:
    """x over and over, so many times along its last axes."""
    times = sizes_of(times if dims is None else (dims,))
    return _tiled(x, (1,) * (len(x.shape) - len(times)) + times)


def _added(g: Any, shape: Shape, repeats: int, axis: int) -> Any:
    """Add the cotangents of what was repeated."""
    before, (n, *after) = shape[:axis], shape[axis:]
    return sum_to(g.reshape((*before, n, repeats, *after)), (*before, n, 1, *after)).reshape(shape)


@linear(vjp=[lambda g, shapes, repeats, axis: _added(g, shapes[0], repeats, axis)])
def repeat_parts(x: Array, repeats: int, axis: int) -> Array:
    """Each part along an axis so many times in a row."""
    return x.repeat(repeats, axis)


@method
@aliased
def repeat_interleave(
    x: Any, repeats: Any = None, dim: int | None = None, *, output_size: int | None = None
) -> Any:
    """Each element, or each part along `dim`, so many times in a row.

    repeat_interleave(counts) alone gives each index so often as its count says.
    """
    if repeats is None:
        counts = x._array if isinstance(x, Traced) else np.asarray(x)
        places = np.repeat(np.arange(len(counts)), counts)
        return x._wrap(places) if isinstance(x, Traced) else places
    if dim is None:
        x, dim = ravel(x), 0
    axis = dim_of(len(x.shape), dim)
    counts = np.asarray(repeats._array if isinstance(repeats, Traced) else repeats)
    if counts.ndim > 1 or counts.size not in (1, x.shape[axis]) or counts.dtype.kind not in "iu":
        raise ShapeError(
            f"repeats of shape {counts.shape} must be one whole number, or one for each of the "
            f"{x.shape[axis]} parts along dim {dim}"
        )
    if counts.size and counts.min() < 0:
        raise ShapeError("no part can be repeated a negative number of times")
    if counts.size == 1:
        return repeat_parts(x, counts.item(), axis)
    return index_select(x, axis, np.repeat(np.arange(x.shape[axis]), counts))


def meshgrid(*tensors: Any, indexing: str = "ij") -> tuple[Any, ...]:
    """Vectors spread over a common grid, one axis for each; "xy" swaps the first two axes."""
    if indexing not in ("ij", "xy"):
        raise ValueError(f'meshgrid got indexing={indexing!r}: it must be "ij" or "xy"')
    vectors = [_with_axes(x, 1) for x in sizes_of(tensors)]
    if any(len(x.shape) > 1 for x in vectors):
        shapes = " and ".join(str(tuple(x.shape)) for x in vectors)
        raise ShapeError(f"meshgrid got shapes {shapes}: it needs vectors or numbers")
    count = len(vectors)
    lines = [reshape(x, (-1,) + (1,) * (count - 1 - k)) for k, x in enumerate(vectors)]
    grids = broadcast_tensors(*lines)
    if indexing == "xy" and count > 1:
        return tuple(transpose(x, 0, 1) for x in grids)
    return grids


def cartesian_prod(*tensors: Any) -> Any:
    """Every way to take one element of each vector, as rows."""
    vectors = sizes_of(tensors)
    if any(len(x.shape) != 1 for x in vectors):
        shapes = " and ".join(str(tuple(x.shape)) for x in vectors)
        raise ShapeError(f"cartesian_prod got shapes {shapes}: it needs vectors")
    if len(vectors) == 1:
        return vectors[0]
    return stack([ravel(x) for x in meshgrid(*vectors)], 1)


@aliased
def combinations(x: Any, r: int = 2, with_replacement: bool = False) -> Any:
    """Every way to take r elements of a vector, in its order, as rows."""
    if len(x.shape) != 1:
        raise ShapeError("it needs a vector")
    choose = combinations_with_replacement if with_replacement else _combinations
    rows = np.array(list(choose(range(x.shape[0]), r)), np.int64).reshape(-1, r)
    return index(x, (rows,))


@method
@aliased
def kron(a: Any, b: Any) -> Any:
    """The Kronecker product: every element of a times the whole of b."""
    ndim = max(len(a.shape), len(b.shape))
    tall = (1,) * (ndim - len(a.shape)) + tuple(a.shape)
    fine = (1,) * (ndim - len(b.shape)) + tuple(b.shape)
    blocks = reshape(a, tuple(size for n in tall for size in (n, 1)))
    inside = reshape(b, tuple(size for n in fine for size in (1, n)))
    return reshape(mul(blocks, inside), tuple(m * n for m, n in zip(tall, fine, strict=True)))


def block_diag(*tensors: Any) -> Any:
    """Matrices along the diagonal, zeros around them; vectors are rows."""
    blocks = [_with_axes(x, 2) for x in tensors]
    if any(len(x.shape) > 2 for x in blocks):
        shapes = " and ".join(str(tuple(x.shape)) for x in tensors)
        raise ShapeError(f"block_diag got shapes {shapes}: it needs matrices, vectors or numbers")
    width, start = sum(x.shape[1] for x in blocks), 0
    rows: list[Any] = []
    for x in blocks:
        after = width - start - x.shape[1]
        rows.append(pad_constant(x, ((0, 0), (start, after))))
        start += x.shape[1]
    return cat(rows, 0)
