"""What stands between the brackets of x[...]: read once, checked, and turned into flat places."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..recording import Traced
from ..versions import Array
from .shape import Shape

__all__: list[str] = []

_WHOLE = (int, type(None))

Key = tuple[Any, ...]  # ints, slices with int bounds, None, ..., and arrays of its own


def plain_key(key: Any, shape: Shape) -> Key:
    """Return an index for a tensor of `shape` as a tuple of plain parts.

    Arrays are copied, so that what the caller does to them afterwards cannot change what was
    recorded. A mask of the whole tensor stays one; other masks become positions.
    """
    given = key if isinstance(key, tuple) else (key,)
    if all(map(_is_plain, given)):
        return given
    parts = [_part(part) for part in given]
    named = sum(map(_axes, parts))
    plain: list[Any] = []
    axis = 0
    for part in parts:
        if part is Ellipsis:
            axis += len(shape) - named
        elif isinstance(part, np.ndarray) and part.dtype.kind == "b":
            _fits(part, shape[axis : axis + part.ndim])
            if part.ndim and not (len(parts) == 1 and part.ndim == len(shape)):
                plain.extend(part.nonzero())
                axis += part.ndim
                continue
        axis += _axes(part)
        plain.append(part)
    return tuple(plain)


def _is_plain(part: Any) -> bool:
    """Tell whether a part of an index can stay as it is: the commonest ones, for speed."""
    if part.__class__ is slice:
        ends = part.start.__class__, part.stop.__class__
        return part.step is None and ends[0] in _WHOLE and ends[1] in _WHOLE
    return part.__class__ is int or part is None or part is Ellipsis


def _part(part: Any) -> Any:
    """Return one part of an index as a plain one."""
    if isinstance(part, Traced):
        part = part._array
    if part is None or part is Ellipsis:
        return part
    if isinstance(part, slice):
        bounds = [None if x is None else int(x) for x in (part.start, part.stop, part.step)]
        if bounds[2] is not None and bounds[2] <= 0:
            raise ValueError(f"the step of a slice must be greater than 0, got {bounds[2]}")
        return slice(*bounds)
    if isinstance(part, (int, np.integer)) and not isinstance(part, bool):
        return int(part)
    array = np.asarray(part)
    if array.dtype.kind not in "biu" and (array.size or isinstance(part, np.ndarray)):
        kind = type(part).__name__ if array.dtype.kind in "OUS" else array.dtype
        raise IndexError(f"an index is made of ints, slices, None, ... and masks, not {kind}")
    if array.dtype.kind == "b":
        return array.copy()
    return np.array(array, np.int64, order="C") if array.ndim else int(array)


def _axes(part: Any) -> int:
    """Return how many axes a part of an index is about."""
    if part is None or part is Ellipsis:
        return 0
    return part.ndim if isinstance(part, np.ndarray) and part.dtype.kind == "b" else 1


def _fits(mask: Array, axes: Shape) -> None:
    if mask.shape != axes:
        raise IndexError(
            f"a mask of shape {mask.shape} was given for axes of shape {axes}: they must be equal"
        )


def arrays_of(key: Key) -> list[Array]:
    """Return the arrays of an index."""
    return [part for part in key if isinstance(part, np.ndarray)]


def picks_once(key: Key) -> bool:
    """Tell whether no place can be picked twice: the index holds no positions."""
    return all(array.dtype.kind == "b" for array in arrays_of(key))


def whole_mask(key: Key) -> bool:
    """Tell whether the index is one mask, which then covers all axes."""
    mask = key[0] if len(key) == 1 else None
    return isinstance(mask, np.ndarray) and mask.ndim > 0 and mask.dtype.kind == "b"


def two_steps(key: Key) -> tuple[Key, Key] | None:
    """Return the index in two steps, where it has whole numbers beside arrays, else None.

    PyTorch takes the numbers first; NumPy lets them broadcast with the arrays, which can put
    the axes in another order.
    """
    if not any(part.__class__ is int for part in key) or not arrays_of(key):
        return None
    all_of = slice(None)
    first = [all_of if isinstance(part, np.ndarray) else part for part in key if not _single(part)]
    later = [
        part if part is Ellipsis or isinstance(part, np.ndarray) else all_of
        for part in key
        if part.__class__ is not int
    ]
    return tuple(first), tuple(later)


def _single(part: Any) -> bool:
    """Tell whether a part is True or False, which is about no axis."""
    return isinstance(part, np.ndarray) and not part.ndim


def picked_shape(key: Key, shape: Shape) -> Shape:
    """Return the shape of x[key]."""
    return np.broadcast_to(np.empty((), np.bool_), shape)[key].shape


def flat_key(key: Key, shape: Shape) -> Array:
    """Return the flat places in `shape` that an index picks, in its order."""
    places: Any = 0
    for axis, n in enumerate(shape):
        steps = np.arange(n) * math.prod(shape[axis + 1 :])
        line = steps.reshape((-1,) + (1,) * (len(shape) - 1 - axis))
        places = places + np.broadcast_to(line, shape)[key]
    return places


def key_text(key: Key) -> str:
    """Return an index as it would be typed, arrays as their dtype and shape."""
    return ", ".join(map(_part_text, key))


def _part_text(part: Any) -> str:
    if isinstance(part, slice):
        bounds = ["" if b is None else str(b) for b in (part.start, part.stop)]
        return ":".join(bounds if part.step is None else [*bounds, str(part.step)])
    if isinstance(part, np.ndarray):
        return f"{part.dtype}{part.shape}"
    return "..." if part is Ellipsis else str(part)
