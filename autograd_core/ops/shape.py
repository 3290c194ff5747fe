"""Shapes: the same elements seen with other axes, without moving one of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..dtypes import as_dtype
from ..errors import ShapeError
from ..op import alias, aliased, linear, method
from ..versions import Array

__all__ = [
    "broadcast_tensors", "broadcast_to", "cast", "clone", "expand", "expand_as", "flatten",
    "moveaxis", "movedim", "permute", "ravel", "reshape", "reshape_as", "squeeze", "sum_to",
    "swapaxes", "swapdims", "t", "transpose", "unflatten", "unsqueeze", "view", "view_as",
]  # fmt: skip

Shape = tuple[int, ...]

add_reduce: Any = np.add.reduce  # (x, axes, dtype, out, keepdims): by position, for speed


def dim_of(ndim: int, dim: int) -> int:
    """Return an axis counted from the front; out of range raises IndexError."""
    if dim.__class__ is int and 0 <= dim < ndim:
        return dim
    low, high = -max(ndim, 1), max(ndim, 1) - 1
    if not isinstance(dim, (int, np.integer)):
        raise TypeError(f"dim must be an int, got {dim!r}")
    if not low <= dim <= high:
        raise IndexError(f"dim {dim} is out of range, it must be in [{low}, {high}]")
    return int(dim) % max(ndim, 1)


def dims_of(ndim: int, dim: int | Sequence[int] | None) -> Shape:
    """Return axes counted from the front; None and () mean all of them."""
    if dim is None or (not isinstance(dim, (int, np.integer)) and len(dim) == 0):
        return tuple(range(ndim))
    if isinstance(dim, (int, np.integer)):
        axis = dim_of(ndim, dim)  # pyright: ignore[reportArgumentType]
        return (axis,) if ndim else ()
    axes = tuple(dim_of(ndim, d) for d in dim)
    if len(set(axes)) < len(axes):
        raise ShapeError(f"dim {tuple(dim)} names an axis twice")
    return axes if ndim else ()


def sizes_of(given: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the sizes of a call that takes them one by one, or as one sequence."""
    if len(given) == 1 and isinstance(given[0], (tuple, list)):
        return tuple(given[0])
    return given


def expand_reduced(g: Any, shape: Shape, dim: Any, keepdim: bool) -> Any:
    """Spread the result of a reduction back over the axes that it reduced."""
    if not keepdim and shape:
        dims = dims_of(len(shape), dim)
        kept = tuple(1 if axis in dims else n for axis, n in enumerate(shape))
        g = g.reshape(kept)
    return expand(g, shape)


@linear(
    label=lambda shape: f"sum to {shape}",
    vjp=[lambda g, shapes: expand(g, shapes[0])],
)
def sum_to(x: Array, shape: Shape) -> Array:
    """Sum x down to `shape`: the adjoint of broadcasting from it."""
    new = x.ndim - len(shape)
    axes = tuple(range(new)) + tuple(
        axis + new for axis, n in enumerate(shape) if n == 1 and x.shape[axis + new] != 1
    )
    return add_reduce(x, axes, None, None, True).reshape(shape)


@linear(label=lambda dtype: str(dtype), vjp=[lambda g: g])
def cast(x: Array, dtype: Any) -> Array:
    """x in another dtype; the gradient goes back in x's own."""
    return x.astype(as_dtype(dtype))


@linear(vjp=[lambda g: g], method=True)
def clone(x: Array, memory_format: Any = None) -> Array:
    """A copy that passes gradients on to x."""
    return x.copy()


def _whole(x: Array, shape: Sequence[int]) -> Shape:
    """Return the shape with its -1 filled in; it must hold as many elements as x."""
    sizes = tuple(int(n) for n in shape)
    free = [axis for axis, n in enumerate(sizes) if n == -1]
    if len(free) > 1 or any(n < -1 for n in sizes):
        raise ShapeError(f"cannot take the shape {sizes}: at most one size may be -1, none less")
    rest = math.prod(n for n in sizes if n != -1)
    if free and rest and x.size % rest == 0:
        return tuple(x.size // rest if n == -1 else n for n in sizes)
    if free or rest != x.size:
        raise ShapeError(f"cannot take the shape {sizes}: x has {x.size} elements")
    return sizes


def _reshaped(x: Array, shape: Shape) -> Array:
    try:
        y = x.reshape(shape)
    except ValueError:
        return x.reshape(_whole(x, shape))
    if y.shape == shape or min(shape) >= -1:  # NumPy takes any negative size for -1
        return y
    return x.reshape(_whole(x, shape))


@linear(vjp=[lambda g, shapes: g.reshape(shapes[0])], view=True, collect=True, method=True)
def reshape(x: Array, shape: Shape) -> Array:
    """x with another shape: a view where strides allow, else a copy; one size may be -1."""
    return _reshaped(x, shape)


@linear(vjp=[lambda g, shapes: g.reshape(shapes[0])], view=True, collect=True, method=True)
def view(x: Array, shape: Shape) -> Array:
    """x with another shape, sharing its memory; strides that do not allow it raise."""
    if x.flags.c_contiguous:
        try:
            return _reshaped(x, shape)
        except TypeError:
            raise TypeError("view to another dtype is not supported: use .to(dtype)") from None
    sizes = _whole(x, shape)
    try:
        return x.reshape(sizes, copy=False)
    except ValueError:
        raise ShapeError(
            f"strides {x.strides} cannot be viewed as {sizes}: use reshape(), which copies"
        ) from None


@method
def view_as(x: Any, other: Any) -> Any:
    """x with the shape of `other`, on the same memory."""
    return view(x, tuple(other.shape))


@method
def reshape_as(x: Any, other: Any) -> Any:
    """x with the shape of `other`."""
    return reshape(x, tuple(other.shape))


@linear(vjp=[lambda g, shapes: g.reshape(shapes[0])], view=True, method=True)
def flatten(x: Array, start_dim: int = 0, end_dim: int = -1) -> Array:
    """x with the axes start_dim to end_dim joined into one."""
    first, last = dim_of(x.ndim, start_dim), dim_of(x.ndim, end_dim)
    if first > last:
        raise ShapeError(f"start_dim {start_dim} comes after end_dim {end_dim}")
    joined = math.prod(x.shape[first : last + 1])
    return x.reshape((*x.shape[:first], joined, *x.shape[last + 1 :]))


@method
@aliased
def unflatten(x: Any, dim: int, sizes: Sequence[int]) -> Any:
    """x with one axis parted into axes of the given sizes, one of which may be -1."""
    axis = dim_of(len(x.shape), dim)
    free, rest = list(sizes).count(-1), math.prod(n for n in sizes if n != -1)
    size = x.shape[axis] if x.shape else 1
    fits = rest > 0 and size % rest == 0 if free == 1 else rest == size and not free
    if not fits or not sizes:
        raise ShapeError(
            f"sizes {tuple(sizes)} must have the product {size}, with at most one -1 among them"
        )
    parted = tuple(size // rest if n == -1 else n for n in sizes)
    return reshape(x, (*x.shape[:axis], *parted, *x.shape[axis + 1 :]))


@method
def ravel(x: Any) -> Any:
    """x with all axes joined into one."""
    return reshape(x, (-1,))


@linear(vjp=[lambda g, dim0, dim1: transpose(g, dim0, dim1)], view=True, method=True)
def transpose(x: Array, dim0: int, dim1: int) -> Array:
    """x with two axes swapped; a view."""
    try:
        return x.swapaxes(dim0, dim1)
    except (ValueError, TypeError):
        dims = dim_of(x.ndim, dim0), dim_of(x.ndim, dim1)
        return x.view() if not x.ndim else x.swapaxes(*dims)  # a number has one axis to name


@method
def swapaxes(x: Any, axis0: int, axis1: int) -> Any:
    """x with two axes swapped; a view."""
    return transpose(x, axis0, axis1)


@method
def swapdims(x: Any, dim0: int, dim1: int) -> Any:
    """x with two axes swapped; a view."""
    return transpose(x, dim0, dim1)


def _inverse(dims: Sequence[int]) -> Shape:
    back = [0] * len(dims)
    for place, axis in enumerate(dims):
        back[axis % len(dims)] = place
    return tuple(back)


@linear(vjp=[lambda g, dims: permute(g, _inverse(dims))], view=True, collect=True, method=True)
def permute(x: Array, dims: Shape) -> Array:
    """x with its axes in the given order; a view."""
    try:
        return x.transpose(dims)
    except ValueError:
        for d in dims:
            dim_of(x.ndim, d)
        raise ShapeError(f"dims {dims} are not an order of its {x.ndim} axes") from None


@method
@aliased
def movedim(x: Any, source: Any, destination: Any) -> Any:
    """x with the axes `source` moved to the places `destination`; a view."""
    ndim = len(x.shape)
    sources = dims_of(ndim, (source,) if isinstance(source, int) else source)
    places = dims_of(ndim, (destination,) if isinstance(destination, int) else destination)
    if len(sources) != len(places):
        raise ShapeError(f"{len(sources)} sources cannot go to {len(places)} destinations")
    order = [axis for axis in range(ndim) if axis not in sources]
    for place, axis in sorted(zip(places, sources, strict=True)):
        order.insert(place, axis)
    return permute(x, tuple(order))


moveaxis = alias("moveaxis", movedim)


@method
def t(x: Any) -> Any:
    """The transpose of a matrix; a vector stays as it is."""
    if len(x.shape) > 2:
        raise ShapeError(f"t got shape {tuple(x.shape)}: it needs at most 2 axes; see .mT")
    return x if len(x.shape) < 2 else transpose(x, 0, 1)


@linear(vjp=[lambda g, shapes: g.reshape(shapes[0])], view=True, method=True)
def squeeze(x: Array, dim: Any = None) -> Array:
    """x without its axes of size 1, or without those of `dim` that have size 1; a view."""
    if dim is None:
        return x.squeeze().view()
    axes = dims_of(x.ndim, dim) if dim != () else ()
    return x.reshape([n for axis, n in enumerate(x.shape) if n != 1 or axis not in axes])


@linear(vjp=[lambda g, shapes: g.reshape(shapes[0])], view=True, method=True)
def unsqueeze(x: Array, dim: int) -> Array:
    """x with a new axis of size 1 at place `dim`; a view."""
    axis = dim_of(x.ndim + 1, dim)
    return x[(slice(None),) * axis + (None,)]


def strided(x: Array, shape: Shape, strides: Shape) -> Array:
    """Return a read-only view of x, which has no gaps, with other strides.

    A tenth of the time of NumPy's as_strided, and its base leads back to x.
    """
    y = np.ndarray(shape, x.dtype, x, 0, strides)
    y.flags.writeable = False
    return y


@linear(vjp=[lambda g: g], view=True, collect=True, method=True)
def expand(x: Array, shape: Shape) -> Array:
    """x repeated along axes of size 1 and new leading axes, without copying; -1 keeps a size."""
    new = len(shape) - x.ndim
    if new < 0:
        raise ShapeError(f"cannot expand to {tuple(shape)}, which has fewer axes")
    sizes, strides = list(shape), [0] * len(shape)
    for axis, (n, step) in enumerate(zip(x.shape, x.strides, strict=True), start=new):
        if shape[axis] in (n, -1):
            sizes[axis], strides[axis] = n, step
        elif n != 1:
            raise ShapeError(f"cannot expand to {tuple(shape)}: axis {axis - new} is {n}, not 1")
    if min(sizes, default=0) < 0:
        raise ShapeError(f"cannot expand to {tuple(shape)}: a new axis needs a size")
    return strided(x, tuple(sizes), tuple(strides)) if x.flags.forc else np.broadcast_to(x, sizes)


@method
def expand_as(x: Any, other: Any) -> Any:
    """x repeated up to the shape of `other`; a view."""
    return expand(x, tuple(other.shape))


@method
def broadcast_to(x: Any, shape: Shape) -> Any:
    """x repeated up to `shape` without copying; a view."""
    return expand(x, tuple(shape))


def broadcast_tensors(*tensors: Any) -> tuple[Any, ...]:
    """The tensors repeated up to one common shape; views."""
    try:
        shape = np.broadcast_shapes(*(tuple(x.shape) for x in tensors))
    except ValueError:
        shapes = " and ".join(str(tuple(x.shape)) for x in tensors)
        raise ShapeError(f"broadcast_tensors got shapes {shapes}: they do not broadcast") from None
    return tuple(expand(x, shape) for x in tensors)
