"""Sums of rows, and numbers spread over rows: what a mean over whole planes is, and its gradient.

Blocks are summed in the type of the array, in the lanes of several vectors, so that no sum has more
than a few dozen terms; the rest is added in float64. A row is cut into pieces by its length alone.
"""

from __future__ import annotations

import numba
import numpy as np
from numba import types

from .pair import compiled, read, twin_of, write
from .rows import chunks_of, row_loop

BLOCK = 1024  # elements whose sum is kept in the array's type
PIECE = 1 << 15  # elements of a row that are worth a piece of their own
F, B = types.float64, types.boolean

block_sum = row_loop(lambda x, _, total: ([], [total[0] + x[0]]), 1)
fill = row_loop(lambda _, number, sums: ([number[0]], []))


@compiled
def line_sum(like, n, x):
    """Return the sum of the n elements at address x."""
    total = 0.0
    for start in range(0, n, BLOCK):
        (a,) = block_sum(like, min(BLOCK, n - start), (x + start * like.itemsize,), (), ())
        total += a
    return total


def workspace(rows, n):
    """Return the shape of the float64 work array: a sum for each piece of each row."""
    return rows, max(1, -(-n // PIECE))


@compiled
def _pieces(x, begin, end, sums):
    n, pieces = x.shape[1], sums.shape[1]
    source = np.intp(x.ctypes.data)
    if n <= BLOCK:
        for i in range(begin, end):
            (a,) = block_sum(x, n, (source + i * n * x.itemsize,), (), ())
            sums[i, 0] = a
        return
    for i in range(begin, end):
        row, start = i // pieces, i % pieces * PIECE
        at = source + (row * n + start) * x.itemsize
        sums[row, i % pieces] = line_sum(x, min(PIECE, n - start), at)


@compiled(parallel=True)
def _chunks(x, chunks, sums):
    for i in numba.prange(chunks):
        _pieces(x, sums.size * i // chunks, sums.size * (i + 1) // chunks, sums)


def row_sum_naive(x, divisor, sums, out):
    for i in range(x.shape[0]):
        out[i] = sum(float(v) for v in x[i]) / divisor


@twin_of(
    row_sum_naive,
    signature=lambda f: types.void(read(f, 2), F, write(F, 2), write(f), B),
    rtol=1e-6,
    intrinsic=True,
    parallel=True,
)
def row_sum(x, divisor, sums, out, parallel):
    """The sum of each row of x over the divisor; sums has the shape workspace(x.shape).

    Against the twin: sums in blocks.
    """
    rows, n = x.shape
    if n == 0:
        out[:] = x.dtype.type(0 / divisor)
        return
    chunks = chunks_of(sums.size, min(n, PIECE))
    if parallel and chunks > 1:
        _chunks(x, chunks, sums)
    else:
        _pieces(x, 0, sums.size, sums)
    for i in range(rows):
        total = 0.0
        for k in range(sums.shape[1]):
            total += sums[i, k]
        out[i] = total / divisor


@compiled
def _spread(g, divisor, out, begin, end):
    n = out.shape[1]
    target = np.intp(out.ctypes.data)
    for i in range(begin, end):
        number = g.dtype.type(g[i] / divisor)
        fill(out, n, (), (number,), (target + i * n * out.itemsize,))


@compiled(parallel=True)
def _spread_chunks(g, divisor, out, chunks):
    for i in numba.prange(chunks):
        _spread(g, divisor, out, g.size * i // chunks, g.size * (i + 1) // chunks)


def row_spread_naive(g, divisor, out):
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            out[i, j] = g[i] / divisor


@twin_of(
    row_spread_naive,
    signature=lambda f: types.void(read(f), F, write(f, 2), B),
    rtol=1e-6,
    intrinsic=True,
    parallel=True,
)
def row_spread(g, divisor, out, parallel):
    """g[i] over the divisor at every place of row i of out: the gradient of row_sum.

    Against the twin: none.
    """
    chunks = chunks_of(g.size, out.shape[1])
    if parallel and chunks > 1:
        _spread_chunks(g, divisor, out, chunks)
    elif out.size:
        _spread(g, divisor, out, 0, g.size)
