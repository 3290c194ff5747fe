"""Picking elements, and the adjoint: putting them back into zeros."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import ShapeError
from ..op import linear
from ..recording import Traced
from ..versions import Array
from .shape import Shape, dim_of

__all__ = ["getitem", "put_along_dim", "putitem", "take_along_dim"]


def plain_key(key: Any) -> tuple[Any, ...]:
    """Return an index as a tuple of ints, slices, None, ... and int arrays of its own.

    The arrays are copies, and masks become positions, so that what the caller does to them
    afterwards cannot change what was recorded.
    """
    parts = key if isinstance(key, tuple) else (key,)
    plain: list[Any] = []
    for part in parts:
        if isinstance(part, Traced):
            part = part._array
        if isinstance(part, (bool, np.bool_)):
            plain.append(np.asarray(part))
        elif part is None or part is Ellipsis or isinstance(part, (int, np.integer)):
            plain.append(part)
        elif isinstance(part, slice):
            plain.append(slice(*map(_bound, (part.start, part.stop, part.step))))
        else:
            plain.extend(_positions(part))
    return tuple(plain)


def _bound(x: Any) -> Any:
    return x if x is None else int(x)


def _positions(part: Any) -> list[Any]:
    array = np.asarray(part)
    if array.dtype.kind == "b" and array.ndim:
        return list(array.nonzero())
    if array.dtype.kind not in "iu" and array.size:
        kind = type(part).__name__ if array.dtype.kind == "O" else array.dtype
        raise TypeError(f"an index must be made of ints, slices, None, ... or masks, not {kind}")
    if array.ndim == 0:
        return [array.item()]
    return [np.array(array, np.int64)]


def _basic(key: tuple[Any, ...]) -> bool:
    return not any(isinstance(part, np.ndarray) for part in key)


def _mask_fits(x: Array, key: Any) -> None:
    """Raise where a mask does not have the shape of the axes it masks."""
    axis = 0
    for part in key if isinstance(key, tuple) else (key,):
        if part is Ellipsis:
            return
        mask = part._array if isinstance(part, Traced) else part
        if isinstance(mask, (list, np.ndarray)) and np.asarray(mask).dtype.kind == "b":
            mask = np.asarray(mask)
            if mask.shape != x.shape[axis : axis + mask.ndim]:
                raise IndexError(
                    f"getitem got a mask of shape {mask.shape} for axes of shape "
                    f"{x.shape[axis : axis + mask.ndim]}: they must be equal"
                )
            axis += mask.ndim
        elif part is not None:
            axis += 1


def getitem(x: Any, key: Any) -> Any:
    """x[key], with every kind of index that NumPy has."""
    _mask_fits(x._array if isinstance(x, Traced) else x, key)
    return index(x, plain_key(key))


@linear(
    label=lambda key: f"[{key_text(key)}]",
    vjp=[lambda g, shapes, key: putitem(g, shapes[0], key)],
    view=True,
)
def index(x: Array, key: tuple[Any, ...]) -> Array:
    """x[key]; a view when the key holds ints, slices, None and ... only."""
    return x[key]


@linear(
    label=lambda key: f"put[{key_text(key)}]",
    vjp=[lambda g, key: index(g, key)],
)
def putitem(g: Array, shape: Shape, key: tuple[Any, ...]) -> Array:
    """Zeros of `shape` with g added in at [key]; places named twice get both."""
    x = np.zeros(shape, g.dtype)
    if _basic(key):
        x[key] = g
    else:
        np.add.at(x, key, g)
    return x


def key_text(key: tuple[Any, ...]) -> str:
    """Return an index as it would be typed, arrays as their shape."""
    return ", ".join(map(_part_text, key))


def _part_text(part: Any) -> str:
    if isinstance(part, slice):
        bounds = ["" if b is None else str(b) for b in (part.start, part.stop)]
        return ":".join(bounds if part.step is None else [*bounds, str(part.step)])
    if isinstance(part, np.ndarray):
        return f"int64{part.shape}"
    return "..." if part is Ellipsis else str(part)


@linear(
    vjp=[lambda g, shapes, indices, dim: put_along_dim(g, indices, shapes[0], dim), None],
    method=True,
)
def take_along_dim(x: Array, indices: Array, dim: int) -> Array:
    """x's elements at the given positions of one axis; the other axes must fit."""
    return np.take_along_axis(x, indices, dim_of(x.ndim, dim)) if x.ndim else x.reshape(())


@linear(vjp=[lambda g, indices, dim: take_along_dim(g, indices, dim), None])
def put_along_dim(values: Array, indices: Array, shape: Shape, dim: int) -> Array:
    """Zeros of `shape` with the values added in at the given positions of one axis."""
    x = np.zeros(shape, values.dtype)
    if x.ndim == 0:
        return x + values
    if values.shape != indices.shape:
        raise ShapeError(f"values {values.shape} and indices {indices.shape} must have one shape")
    places: list[Any] = list(np.ogrid[tuple(slice(n) for n in indices.shape)])
    places[dim_of(x.ndim, dim)] = indices
    np.add.at(x, tuple(places), values)
    return x
