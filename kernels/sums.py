"""Sums of rows, and numbers spread over rows: what a mean over whole planes is, and its gradient.

Blocks are summed in the type of the array, in the lanes of several vectors, so that no sum has more
than a few dozen terms; the rest is added in float64. A row is cut into pieces by its length alone.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from .lanes import I32, Vectors, counted, lanes_of, word
from .pair import compiled, read, twin_of, write
from .rows import chunks_of, row_loop, total_of

BLOCK = 2048  # elements whose sum is kept in the array's type
SHORT = 16  # vectors in a row up to which as many rows as a vector has lanes are summed at a time
PIECE = 1 << 15  # elements of a row that are worth a piece of their own
F, B = types.float64, types.boolean

fill = row_loop(lambda _, number, sums: ([number[0]], []))


def halves_added(v: Vectors, rows: list[Any]) -> Any:
    """Add up the lanes of as many vectors as they have lanes; row i ends up in lane i.

    Of two vectors at a time the lower and upper halves of every part, which belongs to one row,
    are laid side by side and added, so that parts become half as long, down to one lane.
    """
    half = v.lanes // 2
    while len(rows) > 1:
        starts = range(0, v.lanes, 2 * half)
        low = [
            at + k for at in starts for other in (0, v.lanes) for k in range(other, other + half)
        ]
        orders = [
            ir.Constant(ir.VectorType(I32, v.lanes), [lane + upper for lane in low])
            for upper in (0, half)
        ]
        pairs = zip(rows[: len(rows) // 2], rows[len(rows) // 2 :], strict=True)
        rows = [
            v.builder.fadd(*[v.builder.shuffle_vector(a, b, order) for order in orders])
            for a, b in pairs
        ]
        half //= 2
    return rows[0]


def _short_sums(typingctx, like, n, x, out):  # type: ignore
    """Leave in out the sums of the first rows at x, n elements each, one for every lane."""
    signature = types.void(like, types.intp, types.intp, types.intp)

    def codegen(context, builder, signature, args):  # type: ignore
        v = Vectors(builder, signature.args[0].dtype)
        _, n, x, out = args
        starts = [v.at(v.pointer(x), builder.mul(n, word(i))) for i in range(v.lanes)]
        turns = builder.sdiv(builder.add(n, word(v.lanes - 1)), word(v.lanes))
        with counted(builder, turns, [v.zero] * v.lanes) as (turn, running, following):
            at = builder.mul(turn, word(v.lanes))
            mask = v.below(0, builder.sub(n, at))
            for start, total in zip(starts, running, strict=True):
                following.append(builder.fadd(total, v.load(v.at(start, at), mask)))
        v.store(halves_added(v, following), v.pointer(out))
        return context.get_dummy_value()

    return signature, codegen


short_sums: Any = intrinsic(_short_sums)


@compiled
def _groups(x, begin, end, out):
    """The short rows of groups begin to end; a group has as many rows as a vector has lanes."""
    rows, n = x.shape
    lanes, size = lanes_of(x), n * x.itemsize
    source, target = np.intp(x.ctypes.data), np.intp(out.ctypes.data)
    for first in range(begin * lanes, min(rows, end * lanes), lanes):
        if first + lanes <= rows:
            short_sums(x, n, source + first * size, target + first * x.itemsize)
        else:
            for i in range(first, rows):
                (out[i],) = total_of(x, n, (source + i * size,), (), ())


@compiled(parallel=True)
def _group_chunks(x, groups, chunks, out):
    for i in numba.prange(chunks):
        _groups(x, groups * i // chunks, groups * (i + 1) // chunks, out)


@compiled
def line_sum(like, n, x):
    """Return the sum of the n elements at address x."""
    total = 0.0
    for start in range(0, n, BLOCK):
        (a,) = total_of(like, min(BLOCK, n - start), (x + start * like.itemsize,), (), ())
        total += a
    return total


def workspace(rows, n):
    """Return the shape of the float64 work array: a sum for each piece of each row."""
    return rows, max(1, -(-n // PIECE))


@compiled
def _pieces(x, begin, end, sums):
    n, pieces = x.shape[1], sums.shape[1]
    source = np.intp(x.ctypes.data)
    row, k = begin // pieces, begin % pieces
    for _ in range(begin, end):
        start = k * PIECE
        at = source + (row * n + start) * x.itemsize
        sums[row, k] = line_sum(x, min(PIECE, n - start), at)
        k += 1
        if k == pieces:
            row, k = row + 1, 0


@compiled(parallel=True)
def _chunks(x, chunks, sums):
    for i in numba.prange(chunks):
        _pieces(x, sums.size * i // chunks, sums.size * (i + 1) // chunks, sums)


@compiled
def _long_rows(x, divisor, sums, out, parallel):
    chunks = chunks_of(sums.size, min(x.shape[1], PIECE))
    if parallel and chunks > 1:
        _chunks(x, chunks, sums)
    else:
        _pieces(x, 0, sums.size, sums)
    for i in range(x.shape[0]):
        total = 0.0
        for k in range(sums.shape[1]):
            total += sums[i, k]
        out[i] = total / divisor


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

    Against the twin: long rows are summed in blocks, short ones in groups, side by side.
    """
    rows, n = x.shape
    if n == 0:
        out[:] = x.dtype.type(0 / divisor)
        return
    if n <= SHORT * lanes_of(x):
        groups = (rows + lanes_of(x) - 1) // lanes_of(x)
        chunks = chunks_of(groups, n * lanes_of(x))
        if parallel and chunks > 1:
            _group_chunks(x, groups, chunks, out)
        else:
            _groups(x, 0, groups, out)
        for i in range(rows):
            out[i] = out[i] / divisor
    else:
        _long_rows(x, divisor, sums, out, parallel)


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
