"""Exponentials that are normalised along an axis, without overflow."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from kernels import call

from ..kernel_sizes import SOFTMAX, suits
from ..op import aliased, method, op
from ..versions import Array
from ..workspaces import workspace
from .elementwise import exp
from .reduction import Dims, axes_of, in_single, max_reduce, sum
from .shape import add_reduce, dim_of, dims_of, expand_reduced

__all__ = ["log_softmax", "logsumexp", "softmax", "softmin"]


def _softmax_of(x: Any, y: Any, dim: Dims, keepdim: bool) -> Any:
    return exp(x - expand_reduced(y, x.shape, dim, keepdim))


def _cube(x: Array, dim: Dims) -> tuple[int, int, int] | None:
    """Return how many elements there are before, along and after axes; None if they lie apart."""
    dims = sorted(dims_of(x.ndim, dim))
    if not dims or dims[-1] - dims[0] >= len(dims):
        return None
    before, after = x.shape[: dims[0]], x.shape[dims[-1] + 1 :]
    return math.prod(before), math.prod(x.shape[d] for d in dims), math.prod(after)


def _pull_logsumexp(g: Any, x: Any, y: Any, dim: Dims, keepdim: bool) -> Any:
    cube = _cube(x, dim) if suits(x, SOFTMAX) and isinstance(g, np.ndarray) else None
    if cube is None or g.dtype != x.dtype or g.size != y.size:
        return expand_reduced(g, x.shape, dim, keepdim) * _softmax_of(x, y, dim, keepdim)
    out, kept = np.empty_like(x), cube[::2]
    g, y = (np.ascontiguousarray(a).reshape(kept) for a in (g, y))
    call.logsumexp_vjp(g, x.reshape(cube), y, out.reshape(cube))
    return out


@op(
    promotes=True,
    floats_only=True,
    vjp=[_pull_logsumexp],
    jvp=[lambda t, x, y, dim, keepdim: sum(t * _softmax_of(x, y, dim, keepdim), dim, keepdim)],
    method=True,
)
def logsumexp(x: Array, dim: Dims, keepdim: bool = False) -> Array:
    """log of the sum of exp, over the given axes; -inf over none."""
    if x.dtype.char == "e":
        return in_single(logsumexp.op.forward, x, dim, keepdim)
    axes = axes_of(x, dim)
    cube = _cube(x, dim) if suits(x, SOFTMAX) else None
    if cube is not None:
        y = np.empty(
            [1 if d in dims_of(x.ndim, dim) else n for d, n in enumerate(x.shape)], x.dtype
        )
        from kernels.logsumexp import workspace as shape_of

        work = workspace(x.dtype, shape_of(*cube))[0]
        call.logsumexp(x.reshape(cube), work, y.reshape(cube[::2]))
        return y if keepdim else y.squeeze(axes)
    top = max_reduce(x, axes, None, None, True, -math.inf)
    top = np.where(np.isfinite(top), top, x.dtype.type(0))
    y = np.log(add_reduce(np.exp(x - top), axes, None, None, True)) + top
    return y if keepdim else y.squeeze(axes)


def _by_kernel(kernel: Any, log: bool, dim: int, *arrays: Array) -> Array:
    """Run the kernel of softmax, or of its logarithm, along one axis of arrays of one shape."""
    shape = _cube(arrays[0], (dim,))
    assert shape is not None
    y = np.empty_like(arrays[0])
    (work,) = workspace(y.dtype, (2, shape[0] * shape[2]))
    kernel(*[x.reshape(shape) for x in arrays], log, work, y.reshape(shape))
    return y


def _alike(g: Any, y: Any) -> bool:
    """Tell whether a kernel takes both."""
    return suits(g, SOFTMAX) and suits(y, SOFTMAX) and (g.shape, g.dtype) == (y.shape, y.dtype)


def _pull_softmax(g: Any, y: Any, dim: int) -> Any:
    if _alike(g, y):
        return _by_kernel(call.softmax_vjp, False, dim, g, y)
    return y * (g - sum(g * y, dim, True))


def _pull_log_softmax(g: Any, y: Any, dim: int) -> Any:
    if _alike(g, y):
        return _by_kernel(call.softmax_vjp, True, dim, g, y)
    return g - exp(y) * sum(g, dim, True)


def _below_top(x: Array, dim: int, dtype: Any) -> Array:
    """Return x minus its largest element along an axis, which may be empty."""
    if not x.ndim:
        x = x.reshape(1)
    if dtype is not None:
        x = x.astype(dtype)
    try:
        return x - max_reduce(x, dim, None, None, True, -math.inf)
    except ValueError:
        dim_of(x.ndim, dim)
        raise


@op(
    promotes=True,
    floats_only=True,
    vjp=[_pull_softmax],
    jvp=[lambda t, y, dim: y * (t - sum(t * y, dim, True))],
    method=True,
)
def softmax(x: Array, dim: int = -1, dtype: Any = None) -> Array:
    """exp(x) / sum of exp(x) along one axis."""
    if x.dtype.char == "e" and dtype is None:
        return in_single(softmax.op.forward, x, dim)
    if dtype is None and suits(x, SOFTMAX):
        return _by_kernel(call.softmax, False, dim, x)
    y = _below_top(x, dim, dtype)
    np.exp(y, y)
    y /= add_reduce(y, dim, None, None, True)
    return y if x.ndim else y.reshape(())


@op(
    promotes=True,
    floats_only=True,
    vjp=[_pull_log_softmax],
    jvp=[lambda t, y, dim: t - sum(exp(y) * t, dim, True)],
    method=True,
)
def log_softmax(x: Array, dim: int = -1, dtype: Any = None) -> Array:
    """log of the softmax along one axis."""
    if x.dtype.char == "e" and dtype is None:
        return in_single(log_softmax.op.forward, x, dim)
    if dtype is None and suits(x, SOFTMAX):
        return _by_kernel(call.softmax, True, dim, x)
    y = _below_top(x, dim, dtype)
    y -= np.log(add_reduce(np.exp(y), dim, None, None, True))
    return y if x.ndim else y.reshape(())


@method
@aliased
def softmin(x: Any, dim: int = -1, dtype: Any = None) -> Any:
    """exp(-x) / sum of exp(-x) along one axis."""
    return softmax(-x, dim, dtype)
