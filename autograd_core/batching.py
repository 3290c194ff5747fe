"""vmap: a function of one sample as a function of a batch."""

from __future__ import annotations

import functools
from typing import Any

from . import ops
from .errors import ShapeError
from .recording import Traced
from .tree import leaves, map_leaves, outline, rebuild
from .variables import Function, kind


def vmap(func: Function, in_dims: Any = 0, out_dims: Any = 0) -> Function:
    """Return func over a batch: it is called once for each index of the mapped axes (a loop).

    in_dims says which axis of each argument is mapped: None for none, one number for all, or
    nested as the arguments are. Each call draws random numbers of its own.
    """

    @functools.wraps(func)
    def mapped(*args: Any, **kwargs: Any) -> Any:
        batched = leaves(args)
        dims = _dims_of(args, list(in_dims) if isinstance(in_dims, tuple) else in_dims)
        size = _size(batched, dims)
        results = [
            func(
                *rebuild(args, [_at(x, d, i) for x, d in zip(batched, dims, strict=True)]), **kwargs
            )
            for i in range(size)
        ]
        return _stacked(results, out_dims)

    return mapped


def _dims_of(tree: Any, dims: Any) -> list[int | None]:
    """Return the mapped axis of each leaf of the tree."""
    if dims is None or isinstance(dims, int):
        return [dims] * len(leaves(tree))
    fits = type(dims) is type(tree) or {type(dims), type(tree)} <= {list, tuple}
    if not fits or len(dims) != len(tree):
        raise ValueError(
            f"vmap: in_dims is built like {outline(dims)}, the arguments like {outline(tree)}"
        )
    pairs = (
        [(item, dims[key]) for key, item in tree.items()]
        if isinstance(tree, dict)
        else zip(tree, dims, strict=True)
    )
    return [dim for item, part in pairs for dim in _dims_of(item, part)]


def _size(batched: list[Any], dims: list[int | None]) -> int:
    sizes: set[int] = set()
    for x, dim in zip(batched, dims, strict=True):
        if dim is None:
            continue
        if not isinstance(x, Traced):
            raise TypeError(
                f"vmap: an argument to map is {kind(x)}: give it the axis None in in_dims"
            )
        if not -x._array.ndim <= dim < x._array.ndim:
            raise IndexError(f"vmap: a tensor of shape {x._array.shape} has no axis {dim} to map")
        sizes.add(x._array.shape[dim])
    if len(sizes) != 1 or 0 in sizes:
        raise ShapeError(
            f"vmap: the mapped axes have sizes {sorted(sizes)}: "
            "there must be one, all must agree, and it must not be 0"
        )
    return sizes.pop()


def _at(x: Any, dim: int | None, i: int) -> Any:
    return x if dim is None else x[(slice(None),) * (dim % x.ndim) + (i,)]


def _stacked(results: list[Any], out_dims: Any) -> Any:
    if isinstance(out_dims, tuple):
        if not isinstance(results[0], tuple) or len(results[0]) != len(out_dims):
            raise ValueError(
                f"vmap: out_dims names {len(out_dims)} results, "
                f"the function returned {outline(results[0])}"
            )
        return tuple(_stacked([r[k] for r in results], dim) for k, dim in enumerate(out_dims))
    for y in leaves(results[0]):
        if not isinstance(y, Traced):
            raise TypeError(f"vmap: the function returned {kind(y)}, it must return a Tensor")
    return map_leaves(lambda *xs: ops.stack(list(xs), out_dims), results[0], *results[1:])
