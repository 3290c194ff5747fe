"""x[...]: picking elements, writing them, and putting them back into zeros; masks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..errors import DtypeError, ShapeError, blamed
from ..op import aliased, linear, method, untracked
from ..versions import Array
from .arithmetic import add
from .comparison import where
from .keys import (
    Key,
    flat_key,
    key_text,
    picked_shape,
    picks_once,
    plain_key,
    two_steps,
    whole_mask,
)
from .scatter import flat_places, integers, lasting, put, take
from .shape import Shape, cast, expand, ravel

__all__ = [
    "argwhere", "getitem", "index_put", "masked_fill", "masked_scatter", "masked_select",
    "nonzero", "one_hot", "putitem",
]  # fmt: skip


def getitem(x: Any, key: Any) -> Any:
    """x[key], with every kind of index that PyTorch has."""
    if key.__class__ is int:
        return index(x, (key,))
    try:
        plain = plain_key(key, x.shape)
    except (IndexError, ValueError) as error:
        raise blamed("getitem", (x,), error) from error
    steps = two_steps(plain)
    return index(x, plain) if steps is None else index(index(x, steps[0]), steps[1])


@linear(
    label=lambda key: f"[{key_text(key)}]",
    vjp=[lambda g, shapes, key: putitem(g, shapes[0], key)],
    view=True,
)
def index(x: Array, key: Key) -> Array:
    """x[key]; a view when the key holds ints, slices, None and ... only."""
    if whole_mask(key):  # several times faster than x[mask]
        return x.reshape(-1).take(np.flatnonzero(key[0]))
    y = x[key]
    return y if isinstance(y, np.ndarray) else x[(*key, ...)]  # a number would share no memory


@linear(
    label=lambda key: f"put[{key_text(key)}]",
    vjp=[lambda g, key: index(g, key)],
)
def putitem(g: Array, shape: Shape, key: Key) -> Array:
    """Zeros of `shape` with g added in at [key]; places named twice get both."""
    x = np.zeros(shape, g.dtype)
    if picks_once(key):
        x[key] = g
        return x
    places = flat_key(key, shape)
    # In one dimension ufunc.at is compiled for the dtype: five times faster than in two.
    np.add.at(x.reshape(-1), places.reshape(-1), np.broadcast_to(g, places.shape).reshape(-1))
    return x


def _from_value(g: Any, key: Key, shapes: Any) -> Any:
    """Pull back to the value: what a later write replaced never reached the result."""
    taken = index(g, key)
    if picks_once(key):
        return taken
    return where(lasting(flat_key(key, shapes[0]), math.prod(shapes[0])), taken, 0.0)


@linear(
    together=True,
    label=lambda key: f"[{key_text(key)}] =",
    vjp=[lambda g, key: assign(g, 0.0, key), _from_value],
)
def assign(x: Array, value: Array, key: Key) -> Array:
    """A copy of x in which x[key] holds the value; the last of several values stays."""
    y = np.array(x, order="C")
    write_at(y, key, value)
    return y


def write_at(y: Array, key: Key, value: Any) -> None:
    """Write the value to y[key], in the order of the index where it names a place twice."""
    if whole_mask(key) and y.flags.c_contiguous:
        y.reshape(-1)[np.flatnonzero(key[0])] = value
    elif picks_once(key) or np.ndim(value) < 2:
        y[key] = value
    else:
        y[key] = np.ascontiguousarray(value)


@method
@aliased
def index_put(x: Any, indices: Sequence[Any], values: Any, accumulate: bool = False) -> Any:
    """A copy of x with values written, or added, at x[indices]."""
    shape = tuple(x.shape)
    key = plain_key(tuple(indices), shape)
    picked, given = picked_shape(key, shape), tuple(getattr(values, "shape", ()))
    if any(m not in (1, n) for m, n in zip(given[::-1], picked[::-1], strict=False)):
        raise ShapeError(f"values of shape {given} do not fit the picked shape {picked}")
    if not accumulate:
        return assign(x, values, key)
    return add(x, putitem(expand(values, picked), shape, key))


@method
@aliased
def masked_fill(x: Any, mask: Any, value: Any) -> Any:
    """A copy of x with one value where the mask is true; they broadcast."""
    flat_places(mask, np.broadcast_shapes(tuple(x.shape), tuple(mask.shape)))
    if getattr(value, "shape", ()):
        raise ShapeError(f"the value of shape {tuple(value.shape)} must be a single number")
    if isinstance(value, float) and x.dtype.kind != "f":
        raise DtypeError(f"{value} cannot be stored in a tensor of {x.dtype}")
    if x.dtype.kind == "b" and isinstance(value, int):
        value = bool(value)
    if getattr(value, "dtype", x.dtype) != x.dtype:
        value = cast(value, x.dtype)
    return where(mask, value, x)


@method
@aliased
def masked_select(x: Any, mask: Any) -> Any:
    """The elements of x where the mask is true, in one vector; they broadcast."""
    shape = np.broadcast_shapes(tuple(x.shape), tuple(mask.shape))
    return take(x if tuple(x.shape) == shape else expand(x, shape), flat_places(mask, shape))


@method
@aliased
def masked_scatter(x: Any, mask: Any, source: Any) -> Any:
    """A copy of x with the first elements of the source where the mask is true."""
    shape = np.broadcast_shapes(tuple(x.shape), tuple(mask.shape))
    places = flat_places(mask, shape)
    size = math.prod(source.shape)
    if size < places.size:
        raise ShapeError(f"the source has {size} elements for {places.size} places")
    whole = x if tuple(x.shape) == shape else expand(x, shape)
    return put(whole, places, index(ravel(source), (slice(places.size),)))


@untracked(method=True)
def argwhere(x: Array) -> Array:
    """The place of each element that is not zero, as rows."""
    return np.argwhere(x)


@method
@aliased
def nonzero(x: Any, *, as_tuple: bool = False) -> Any:
    """The place of each element that is not zero: as rows, or as one vector for each axis."""
    from .parts import unbind  # which is made of indexing

    if not as_tuple:
        return argwhere(x)
    return unbind(argwhere(x if len(x.shape) else ravel(x)), 1)


@untracked()
def one_hot(x: Array, num_classes: int = -1) -> Array:
    """A 1 at the place that each whole number names, zeros beside it, along a new last axis."""
    classes = integers(x)
    most = int(classes.max(initial=-1)) + 1
    count = most if num_classes == -1 else num_classes
    if (not classes.size and num_classes == -1) or count < 1:
        raise ValueError("num_classes must be given, and positive, where there are no classes")
    if classes.min(initial=0) < 0 or most > count:
        wrong = int(classes.min()) if classes.min() < 0 else most - 1
        raise IndexError(f"class {wrong} is out of range, it must be in [0, {count})")
    y = np.zeros((classes.size, count), np.int64)
    y[np.arange(classes.size), classes.reshape(-1)] = 1
    return y.reshape(*classes.shape, count)
