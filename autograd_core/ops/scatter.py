"""Taking elements from places and putting them there, counted through the flattened tensor.

`take`, `place` (its adjoint) and `put` are the ops; whatever picks or scatters along an axis
says which places it means, and leaves the rest to them.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..errors import DtypeError, ShapeError
from ..op import aliased, linear, method, untracked
from ..recording import Traced
from ..versions import Array
from .arithmetic import mul
from .comparison import where
from .shape import Shape, dim_of, expand, ravel

__all__ = [
    "gather", "index_add", "index_copy", "index_fill", "index_select", "put", "put_along_dim",
    "scatter", "scatter_add", "take", "take_along_dim",
]  # fmt: skip


@linear(vjp=[lambda g, index, shapes: place(g, index, shapes[0]), None], method=True)
def take(x: Array, index: Array) -> Array:
    """The elements of the flattened x at the given places; negative ones count from the end."""
    return x.reshape(-1).take(index)


@linear(vjp=[lambda g, index: take(g, index), None])
def place(values: Array, index: Array, shape: Shape) -> Array:
    """Zeros of `shape` with the values added in at the given flat places; the adjoint of take."""
    x = np.zeros(math.prod(shape), values.dtype)
    # In one dimension ufunc.at is compiled for the dtype: five times faster than in two.
    np.add.at(x, index.reshape(-1), values.reshape(-1))
    return x.reshape(shape)


def _from_put(g: Any, index: Any, shapes: Any, accumulate: bool) -> Any:
    """Pull back to the source: what other writes came after never reaches the result."""
    taken = take(g, index)
    if not accumulate:
        taken = where(lasting(index, math.prod(shapes[0])), taken, 0.0)
    return taken if shapes[2] == () else taken.reshape(shapes[2])


@linear(
    together=True,
    vjp=[
        lambda g, index, accumulate: g if accumulate else put(g, index, 0.0),
        None,
        _from_put,
    ],
    method=True,
)
def put(x: Array, index: Array, source: Array, accumulate: bool = False) -> Array:
    """A copy of x with the source written, or added, at flat places; the last of several stays."""
    number = not isinstance(source, np.ndarray) or source.ndim == 0
    if not number and source.size != index.size:
        raise ShapeError(f"the source has {source.size} elements for {index.size} places")
    y = np.array(x, order="C")
    flat, places = y.reshape(-1), index.reshape(-1)
    values = source if number else source.reshape(-1)
    if accumulate:
        np.add.at(flat, places, values)
    else:
        flat[places] = values
    return y


@untracked()
def lasting(index: Array, size: int) -> Array:
    """Whether each write to one of `size` flat places is the last one there."""
    writer, order = np.empty(size, np.int64), np.arange(index.size)
    writer[index.reshape(-1)] = order
    return (writer[index.reshape(-1)] == order).reshape(index.shape)


def integers(index: Any) -> Array:
    """Return an index as a bare array of whole numbers."""
    array = index._array if isinstance(index, Traced) else np.asarray(index)
    if array.dtype.kind not in "iu" and array.size:
        raise DtypeError(f"an index must be made of whole numbers, got {array.dtype}")
    return array.astype(np.int64, copy=False)


def _within(index: Array, size: int, dim: int) -> None:
    """Raise where an index is not in [0, size)."""
    if index.size and (index.min() < 0 or index.max() >= size):
        wrong = index[(index < 0) | (index >= size)].flat[0]
        raise IndexError(f"index {wrong} is out of range for dim {dim} of size {size}")


def along(index: Any, dim: int, shape: Shape) -> Array:
    """Return the flat places in `shape` that positions along one axis mean."""
    index, axis = integers(index), dim_of(len(shape), dim)
    if not index.size:
        return index  # of any shape, as in PyTorch
    ndim, sizes = max(len(shape), 1), shape or (1,)
    kept = index.shape or (1,)
    if len(kept) != ndim:
        raise ShapeError(f"the index of shape {index.shape} must have {len(shape)} axes")
    if any(m > n for d, (m, n) in enumerate(zip(kept, sizes, strict=True)) if d != axis):
        raise ShapeError(
            f"the index of shape {index.shape} is larger than {shape} beside dim {dim}"
        )
    _within(index, sizes[axis], dim)
    steps = [math.prod(sizes[d + 1 :]) for d in range(ndim)]
    origin: Any = 0
    for d in reversed(range(ndim)):
        if d != axis:
            origin = origin + (np.arange(kept[d]) * steps[d]).reshape((-1,) + (1,) * (ndim - 1 - d))
    places = index.reshape(kept) * steps[axis]
    places += origin
    return places.reshape(index.shape)


@method
@aliased
def gather(x: Any, dim: int, index: Any, *, sparse_grad: bool = False) -> Any:
    """y[i][j] = x[index[i][j]][j] for dim 0, and so on; the index may be smaller than x."""
    return take(x, along(index, dim, tuple(x.shape)))


@method
@aliased
def take_along_dim(x: Any, indices: Any, dim: int | None = None) -> Any:
    """x's elements at the given positions of one axis; the other axes broadcast."""
    index = integers(indices)
    if dim is None:
        return take(x, index.reshape(-1))
    shape = tuple(x.shape)
    axis = dim_of(len(shape), dim)
    if index.ndim != len(shape):
        raise ShapeError(f"indices of shape {index.shape} must have {len(shape)} axes")
    index = np.where(index < 0, index + (shape[axis] if shape else 1), index)
    if shape:
        sides = [(*s[:axis], 1, *s[axis + 1 :]) for s in (shape, index.shape)]
        common = np.broadcast_shapes(*sides)
        wide, picked = (
            (*common[:axis], s[axis], *common[axis + 1 :]) for s in (shape, index.shape)
        )
        index = np.broadcast_to(index, picked)
        x, shape = (x if wide == shape else expand(x, wide)), wide
    return take(x, along(index, axis, shape))


def put_along_dim(values: Any, indices: Any, shape: Shape, dim: int) -> Any:
    """Zeros of `shape` with the values added in at positions of one axis."""
    index = integers(indices)
    if tuple(values.shape) != index.shape:
        raise ShapeError(
            f"put_along_dim got values of shape {tuple(values.shape)} and indices of shape "
            f"{index.shape}: they must have one shape"
        )
    return place(values, along(index, dim, shape), shape)


def fitting(src: Any, index: Array) -> Any:
    """Return the part of src that belongs to the index, or the number that it is."""
    if not hasattr(src, "shape") or tuple(src.shape) == index.shape:
        return src
    if not index.size:
        return ravel(src)[:0]
    shape = tuple(src.shape)
    if shape == () and index.size == 1:
        return src
    if len(shape) != index.ndim or any(m > n for m, n in zip(index.shape, shape, strict=True)):
        raise ShapeError(f"the index of shape {index.shape} is larger than src of shape {shape}")
    return src[tuple(slice(n) for n in index.shape)]


_NOTHING: Any = object()


@method
@aliased
def scatter(
    x: Any, dim: int, index: Any, src: Any = _NOTHING, *, value: Any = _NOTHING, reduce: Any = None
) -> Any:
    """A copy of x with src, or one value, written at positions of one axis; see gather."""
    src = value if src is _NOTHING else src
    if src is _NOTHING:
        raise TypeError("it needs src or value")
    index = integers(index)
    if isinstance(src, float) and x.dtype.kind in "iu":
        src = int(src)
    places, src = along(index, dim, tuple(x.shape)), fitting(src, index)
    if reduce is None:
        return put(x, places, src)
    if reduce == "add":
        return put(x, places, src, True)
    if reduce != "multiply":
        raise ValueError(f'reduce must be "add" or "multiply", got {reduce!r}')
    from .scatter_reduce import multiply_at

    return multiply_at(x, places, src)


@method
@aliased
def scatter_add(x: Any, dim: int, index: Any, src: Any) -> Any:
    """A copy of x with src added in at positions of one axis; see gather."""
    index = integers(index)
    return put(x, along(index, dim, tuple(x.shape)), fitting(src, index), True)


@linear(vjp=[lambda g, index, shapes, dim: place_along(g, index, shapes[0], dim), None])
def select_along(x: Array, index: Array, dim: int) -> Array:
    """The parts of x at the given places of one axis."""
    return x.take(index, dim) if x.ndim else x.reshape(1).take(index).reshape(())


def _vector(index: Any) -> Array:
    """Return an index that has to be a vector, or a number for a vector of one."""
    array = integers(index)
    if array.ndim > 1:
        raise ShapeError(f"the index of shape {array.shape} must be a vector")
    return array.reshape(-1)


def _parts(index: Any, dim: int, shape: Shape) -> Array:
    """Return the flat places in `shape` of whole parts along one axis."""
    index = _vector(index)
    axis, sizes = dim_of(len(shape), dim), shape or (1,)
    _within(index, sizes[axis], dim)
    inner, size = math.prod(sizes[axis + 1 :]), sizes[axis]
    places = (index * inner)[:, None] + np.arange(inner)
    outer = np.arange(math.prod(sizes[:axis])) * (size * inner)
    places = outer[:, None, None] + places if len(outer) != 1 else places
    return places.reshape(*shape[:axis], len(index), *shape[axis + 1 :])


def place_along(values: Any, index: Any, shape: Shape, dim: int) -> Any:
    """Zeros of `shape` with whole parts added in along one axis."""
    return place(values, _parts(index, dim, shape), shape)


@method
@aliased
def index_select(x: Any, dim: int, index: Any) -> Any:
    """The parts of x at the given places of one axis, in their order."""
    places = _vector(index)
    axis = dim_of(len(x.shape), dim)
    _within(places, x.shape[axis] if x.shape else 1, dim)
    return select_along(x, places, axis)


def _parts_for(x: Any, dim: int, index: Any, source: Any) -> Array:
    """Return the flat places of parts, for a source that has one for each index."""
    places, given = _parts(index, dim, tuple(x.shape)), tuple(source.shape)
    if not len(x.shape) and (places.size != 1 or given not in ((), (1,))):
        raise ShapeError("a tensor without axes needs one index and one number")
    if len(x.shape) and given != places.shape:
        raise ShapeError(f"the source of shape {given} must have the shape {places.shape}")
    return places


@method
@aliased
def index_add(x: Any, dim: int, index: Any, source: Any, *, alpha: Any = 1) -> Any:
    """A copy of x with parts of the source, times alpha, added in along one axis."""
    places = _parts_for(x, dim, index, source)
    return put(x, places, source if alpha == 1 else mul(source, alpha), True)


@method
@aliased
def index_copy(x: Any, dim: int, index: Any, source: Any) -> Any:
    """A copy of x with parts of the source written along one axis."""
    return put(x, _parts_for(x, dim, index, source), source)


@method
@aliased
def index_fill(x: Any, dim: int, index: Any, value: Any) -> Any:
    """A copy of x with one value written to whole parts along one axis."""
    if getattr(value, "shape", ()):
        raise ShapeError(f"the value of shape {tuple(value.shape)} must be a single number")
    places, size = _vector(index), x.shape[dim_of(len(x.shape), dim)] if x.shape else 1
    places = np.where(places < 0, places + size, places)  # here PyTorch counts from the end, too
    return put(x, _parts(places, dim, tuple(x.shape)), value)


def flat_places(mask: Any, shape: Shape) -> Array:
    """Return the flat places in `shape` where a mask that broadcasts to it is true."""
    array = mask._array if isinstance(mask, Traced) else np.asarray(mask)
    if array.dtype.kind != "b":
        raise DtypeError(f"the mask must be bool, got {array.dtype}")
    try:
        return np.flatnonzero(np.broadcast_to(array, shape))
    except ValueError:
        raise ShapeError(f"the mask of shape {array.shape} does not fit {shape}") from None
