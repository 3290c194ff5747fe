"""Products of bare matrices, and which of them our kernel computes and which BLAS.

| operands                                      | who    | why                                     |
| --------------------------------------------- | ------ | --------------------------------------- |
| a vector on one side, or a result of 1 column | BLAS   | one multiply-add a number: memory bound |
| fewer than WORTH multiply-adds                | BLAS   | the call is what takes time             |
| float32 or float64                            | kernel | --------------------------------------- |
| anything else                                 | NumPy  | rare: float16, whole numbers, bool      |

The table looks at shapes and dtypes only, so a result never depends on timing or on threads.
"""

from __future__ import annotations

import functools
import math

import numpy as np

from kernels import call
from kernels.follow import NONE as NOTHING
from kernels.follow import RELU
from kernels.threads import limit

from .versions import Array
from .workspaces import workspace

WORTH = 300_000  # multiply-adds
FLOATS = {np.dtype(np.float32), np.dtype(np.float64)}
NONE = {dtype: np.empty(0, dtype) for dtype in FLOATS}  # no bias


def product(a: Array, b: Array) -> Array:
    """Return a @ b, for (..., m, k) and (..., k, n) as np.matmul has it; dtypes are equal."""
    if b.ndim < 2 or a.size * b.shape[-1] < WORTH or not _ours(a, b):
        # The same product; dot asks less before it begins.
        return a.dot(b) if a.ndim == b.ndim == 2 else np.matmul(a, b)
    return _multiplied(a, b, NONE[a.dtype])


def affine(x: Array, weight: Array, bias: Array | None, follow: int = NOTHING) -> Array:
    """Return follow(x weightᵀ + bias), for (..., k), (n, k) and (n)."""
    b = weight.T
    if x.size * weight.shape[0] < WORTH or not _ours(x, b):
        y = x.dot(b) if x.ndim == 2 else np.matmul(x, b)
        if bias is not None:
            y += bias
        return followed(y, follow)
    return _multiplied(x, b, NONE[x.dtype] if bias is None else np.ascontiguousarray(bias), follow)


def followed(y: Array, follow: int) -> Array:
    """Apply what follows a product in place."""
    return np.maximum(y, 0, out=y) if follow == RELU else y


def _ours(a: Array, b: Array) -> bool:
    """Whether the kernel takes operands that are large enough; NumPy refuses what do not fit."""
    if a.ndim < 2 or b.shape[-1] == 1 or a.shape[-1] != b.shape[-2]:
        return False
    if a.dtype not in FLOATS or b.dtype is not a.dtype:
        return False
    return a.flags.aligned and b.flags.aligned  # not so in a field of a structured array


def _multiplied(a: Array, b: Array, bias: Array, follow: int = NOTHING) -> Array:
    m, k, n = a.shape[-2], a.shape[-1], b.shape[-1]
    if b.ndim == 2:  # one product of all rows
        batch, shape = 1, (*a.shape[:-1], n)
        rows = a if a.ndim == 2 else a.reshape(-1, k)
        left, right = rows[None], b[None]
    else:
        leading = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
        batch, shape = math.prod(leading), (*leading, m, n)
        left = np.broadcast_to(a, (*leading, m, k)).reshape(batch, m, k)
        right = np.broadcast_to(b, (*leading, k, n)).reshape(batch, k, n)
    c = np.empty(shape, a.dtype)
    multiply(left, right, c.reshape(batch, left.shape[1], n), bias, follow=follow)
    return c


def multiply(
    a: Array,
    b: Array,
    c: Array,
    bias: Array | None = None,
    add: bool = False,
    follow: int = NOTHING,
) -> None:
    """Let the kernel put follow(a[t] b[t] + bias) into c[t], or add to what is there before.

    a (t, m, k) and b (t, k, n) with any strides, bias (n), c (t, m, n) without gaps.
    """
    (work,) = workspace(c.dtype, _work_shape())
    call.gemm(a, b, NONE[c.dtype] if bias is None else bias, c, work, follow, add)


@functools.cache
def _work_shape() -> tuple[int, int]:
    from kernels import gemm

    return gemm.workspace(limit())
