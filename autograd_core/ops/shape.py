"""Shapes: views that move no element, and what joins, repeats and sums them back."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..dtypes import as_dtype
from ..errors import ShapeError
from ..op import linear, method, op
from ..versions import Array

__all__ = [
    "broadcast_to", "cast", "cat", "clone", "concat", "expand", "flatten", "moveaxis", "movedim",
    "pad_constant", "permute", "ravel", "reshape", "squeeze", "stack", "sum_to",
    "swapaxes", "t", "transpose", "unsqueeze", "view",
]  # fmt: skip

Shape = tuple[int, ...]

add_reduce: Any = np.add.reduce  # (x, axes, dtype, out, keepdims): by position, for speed


def dim_of(ndim: int, dim: int) -> int:
    """Return an axis counted from the front; out of range raises IndexError."""
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


@linear(vjp=[lambda g, shapes: g.reshape(shapes[0])], view=True, collect=True, method=True)
def reshape(x: Array, shape: Shape) -> Array:
    """x with another shape: a view where strides allow, else a copy; one size may be -1."""
    return x.reshape(_whole(x, shape))


@linear(vjp=[lambda g, shapes: g.reshape(shapes[0])], view=True, collect=True, label="view")
def view_as_shape(x: Array, shape: Shape) -> Array:
    """x with another shape, sharing its memory; strides that do not allow it raise."""
    sizes = _whole(x, shape)
    try:
        return x.reshape(sizes, copy=False)
    except ValueError:
        raise ShapeError(
            f"strides {x.strides} cannot be viewed as {sizes}: use reshape(), which copies"
        ) from None


@method
def view(x: Any, *shape: Any) -> Any:
    """x.view(2, -1): another shape on the same memory. x.view(float64): another dtype, cast."""
    if len(shape) == 1 and not isinstance(shape[0], (int, np.integer, tuple, list)):
        raise TypeError("view to another dtype is not supported: use .to(dtype)")
    return view_as_shape(x, *shape)


@method
def flatten(x: Any, start_dim: int = 0, end_dim: int = -1) -> Any:
    """x with the axes start_dim to end_dim joined into one."""
    ndim = len(x.shape)
    first, last = dim_of(ndim, start_dim), dim_of(ndim, end_dim)
    if first > last:
        raise ShapeError(f"flatten: start_dim {start_dim} comes after end_dim {end_dim}")
    if ndim == 0:
        return reshape(x, (1,))
    if first == last:
        return x
    joined = math.prod(x.shape[first : last + 1])
    return reshape(x, (*x.shape[:first], joined, *x.shape[last + 1 :]))


@method
def ravel(x: Any) -> Any:
    """x with all axes joined into one."""
    return reshape(x, (-1,))


@linear(vjp=[lambda g, dim0, dim1: transpose(g, dim0, dim1)], view=True, method=True)
def transpose(x: Array, dim0: int, dim1: int) -> Array:
    """x with two axes swapped; a view."""
    if x.ndim == 0:
        return x.view()
    return x.swapaxes(dim_of(x.ndim, dim0), dim_of(x.ndim, dim1))


@method
def swapaxes(x: Any, axis0: int, axis1: int) -> Any:
    """x with two axes swapped; a view."""
    return transpose(x, axis0, axis1)


def _inverse(dims: Sequence[int]) -> Shape:
    back = [0] * len(dims)
    for place, axis in enumerate(dims):
        back[axis % len(dims)] = place
    return tuple(back)


@linear(vjp=[lambda g, dims: permute(g, _inverse(dims))], view=True, collect=True, method=True)
def permute(x: Array, dims: Shape) -> Array:
    """x with its axes in the given order; a view."""
    axes = tuple(dim_of(x.ndim, d) for d in dims)
    if sorted(axes) != list(range(x.ndim)):
        raise ShapeError(f"dims {tuple(dims)} are not an order of its {x.ndim} axes")
    return x.transpose(axes)


@method
def movedim(x: Any, source: Any, destination: Any) -> Any:
    """x with the axes `source` moved to the places `destination`; a view."""
    ndim = len(x.shape)
    sources = dims_of(ndim, (source,) if isinstance(source, int) else source)
    places = dims_of(ndim, (destination,) if isinstance(destination, int) else destination)
    if len(sources) != len(places):
        raise ShapeError(f"movedim got {len(sources)} sources and {len(places)} destinations")
    order = [axis for axis in range(ndim) if axis not in sources]
    for place, axis in sorted(zip(places, sources, strict=True)):
        order.insert(place, axis)
    return permute(x, tuple(order))


moveaxis = movedim


@method
def t(x: Any) -> Any:
    """The transpose of a matrix; a vector stays as it is."""
    if len(x.shape) > 2:
        raise ShapeError(f"t got shape {tuple(x.shape)}: it needs at most 2 axes; see .mT")
    return x if len(x.shape) < 2 else transpose(x, 0, 1)


@linear(vjp=[lambda g, shapes: g.reshape(shapes[0])], view=True, method=True)
def squeeze(x: Array, dim: Any = None) -> Array:
    """x without its axes of size 1, or without those of `dim` that have size 1; a view."""
    axes = dims_of(x.ndim, dim)
    return x.reshape([n for axis, n in enumerate(x.shape) if n != 1 or axis not in axes])


@linear(vjp=[lambda g, shapes: g.reshape(shapes[0])], view=True, method=True)
def unsqueeze(x: Array, dim: int) -> Array:
    """x with a new axis of size 1 at place `dim`; a view."""
    axis = dim_of(x.ndim + 1, dim)
    return x.reshape((*x.shape[:axis], 1, *x.shape[axis:]))


@linear(vjp=[lambda g: g], view=True, collect=True, method=True)
def expand(x: Array, shape: Shape) -> Array:
    """x repeated along axes of size 1 and new leading axes, without copying; -1 keeps a size."""
    new = len(shape) - x.ndim
    if new < 0:
        raise ShapeError(f"cannot expand to {tuple(shape)}, which has fewer axes")
    return np.broadcast_to(
        x, [x.shape[axis - new] if n == -1 and axis >= new else n for axis, n in enumerate(shape)]
    )


@method
def broadcast_to(x: Any, shape: Shape) -> Any:
    """x repeated up to `shape` without copying; a view."""
    return expand(x, shape)


@linear(
    together=True,
    variadic=True,
    promotes=True,
    vjp=[lambda g, i, shapes, dim: _slice_of(g, i, shapes, dim)],
)
def cat(tensors: Sequence[Array], dim: int = 0) -> Array:
    """Join tensors along an axis that they have."""
    if not tensors:
        raise ShapeError("cat needs at least one tensor")
    kept = [x for x in tensors if x.shape != (0,)] or tensors  # PyTorch lets empty vectors pass
    return np.concatenate(kept, dim_of(kept[0].ndim, dim))


def _slice_of(g: Any, i: int, shapes: list[Shape], dim: int) -> Any:
    if shapes[i] == (0,):
        return g.reshape((-1,))[:0]
    axis = dim % len(g.shape)
    start = sum(shape[axis] for shape in shapes[:i] if shape != (0,))
    return g[(slice(None),) * axis + (slice(start, start + shapes[i][axis]),)]


concat = cat


@linear(
    together=True,
    variadic=True,
    promotes=True,
    vjp=[lambda g, i, dim: g[(slice(None),) * (dim % len(g.shape)) + (i,)]],
)
def stack(tensors: Sequence[Array], dim: int = 0) -> Array:
    """Join tensors of one shape along a new axis."""
    if not tensors:
        raise ShapeError("stack needs at least one tensor")
    return np.stack(tensors, dim_of(tensors[0].ndim + 1, dim))


def _negated(widths: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    return [(-low, -high) for low, high in widths]


@op(
    vjp=[lambda g, widths: pad_constant(g, _negated(widths))],
    jvp=[lambda t, widths: pad_constant(t, widths)],
    label="pad",
)
def pad_constant(x: Array, widths: Sequence[tuple[int, int]], value: float = 0.0) -> Array:
    """x with `value` around it: (before, after) for each axis; negative widths crop."""
    if any(low + n + high < 0 for (low, high), n in zip(widths, x.shape, strict=True)):
        raise ShapeError(f"padding {list(widths)} crops more than there is")
    if any(low < 0 or high < 0 for low, high in widths):
        x = x[
            tuple(
                slice(max(-low, 0), n - max(-high, 0))
                for (low, high), n in zip(widths, x.shape, strict=True)
            )
        ]
        widths = [(max(low, 0), max(high, 0)) for low, high in widths]
    y = np.full([n + sum(w) for n, w in zip(x.shape, widths, strict=True)], value, x.dtype)
    y[tuple(slice(low, low + n) for (low, _), n in zip(widths, x.shape, strict=True))] = x
    return y
