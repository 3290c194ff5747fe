"""Softmax, its logarithm and cross entropy along one axis, with their gradients.

Arrays have the shape (rows, n, columns), and the axis is the middle one. Where there is one
column, long rows are done one by one, and short ones a block at a time so that exp runs over many
of them at once. Else all columns advance side by side. Each sum is taken by one thread, in an
order that depends on sizes alone, so the bits do not depend on the threads.
"""

from __future__ import annotations

import math

import numba
from numba import types

from .pair import compiled, read, twin_of, write
from .rows import row_loop, total_of
from .vector_math import exp_below, log, of_type, ordered, unordered

LONG = 512  # elements from which a row is vector code on its own
STORED = 256  # elements up to which the exps of a row are stored for their sum alone
BLOCK = 4096  # elements of short rows, or columns, that stay in the first-level cache
CHUNK = 1 << 13  # elements, about: a chunk is done by one thread
PARALLEL_FROM = 1 << 16  # elements: below, a region of threads costs more than it saves
REORDER = frozenset({"reassoc", "contract"})  # sums in several lanes


def forward(f):
    return types.void(read(f, 3), types.boolean, write(f, 2), write(f, 3), types.boolean)


def backward(f):
    return types.void(
        read(f, 3), read(f, 3), types.boolean, write(f, 2), write(f, 3), types.boolean
    )


def workspace(rows, columns):
    """Return the shape of the work array: two numbers for each row and column."""
    return 2, rows * columns


@compiled
def top_of(row):
    """The largest element of a row; NaN, or something, where there is one."""
    best = ordered(row[0])
    for j in range(row.size):
        here = ordered(row[j])
        best = here if here > best else best
    return unordered(row[0], best)


@compiled(fastmath=REORDER)
def exp_sum(row, top):
    total = of_type(row[0], 0)
    for j in range(row.size):
        total += exp_below(row[j] - top)
    return total


@compiled(fastmath=REORDER)
def exp_sum_kept(row, top, out):
    total = of_type(top, 0)
    for j in range(row.size):
        e = exp_below(row[j] - top)
        out[j] = e
        total += e
    return total


@compiled
def _long_row(row, out, with_log):
    top = top_of(row)
    if with_log:
        shift = log(exp_sum(row, top))
        for j in range(row.size):
            out[j] = (row[j] - top) - shift
    else:
        scale = of_type(top, 1) / exp_sum_kept(row, top, out)
        for j in range(row.size):
            out[j] *= scale


# What a row of any length goes through, but for exp.
largest = row_loop(lambda x, _, top: ([], [x[0].larger(top[0])]), 1, tops=True)
dot_of = row_loop(lambda gy, _, total: ([], [total[0] + gy[0] * gy[1]]), 1)
less = row_loop(lambda x, top, _: ([x[0] - top[0]], []))
less_twice = row_loop(lambda x, both, _: ([x[0] - both[0] - both[1]], []))
scaled = row_loop(lambda x, scale, _: ([x[0] * scale[0]], []))
pulled = row_loop(lambda gy, total, _: ([gy[1] * (gy[0] - total[0])], []))
log_pulled = row_loop(lambda ge, total, _: ([ge[0] - ge[1] * total[0]], []))


@compiled
def exps_of_short_rows(x, n, top, total, out):
    """exp(x - top) of rows of n elements side by side, the top of each row and the sum of it."""
    source, target, row = x.ctypes.data, out.ctypes.data, n * x.itemsize
    for r in range(top.size):
        (top[r],) = largest(x, n, (source + r * row,), (), ())
        less(x, n, (source + r * row,), (top[r],), (target + r * row,))
    for i in range(out.size):
        out[i] = exp_below(out[i])
    for r in range(top.size):
        (total[r],) = total_of(x, n, (target + r * row,), (), ())


@compiled
def together(n):
    """Return how many rows of n elements are done at a time."""
    return 1 if n >= STORED else BLOCK // n


@compiled
def log_sums(rows, n, work):
    """The top of each row, and the log of the sum of its exp(row - top); rows lie in one line."""
    count = rows.size // n
    top, total = work[:count], work[count : 2 * count]
    if n >= STORED:
        top[0] = top_of(rows)
        total[0] = exp_sum(rows, top[0])
    else:
        exps_of_short_rows(rows, n, top, total, work[2 * count : (2 + n) * count])
    for r in range(count):
        total[r] = log(total[r])
    return top, total


@compiled
def _short_rows(x, n, top, total, out, with_log):
    exps_of_short_rows(x, n, top, total, out)
    for r in range(top.size):
        total[r] = log(total[r]) if with_log else of_type(top[r], 1) / total[r]
    source, target, row = x.ctypes.data, out.ctypes.data, n * x.itemsize
    for r in range(top.size):
        y = (target + r * row,)
        if with_log:
            less_twice(x, n, (source + r * row,), (top[r], total[r]), y)
        else:
            scaled(x, n, y, (total[r],), y)


@compiled
def _columns(x, top, total, out, with_log):
    """All columns of x (n, columns) side by side."""
    for c in range(top.size):
        top[c] = x[0, c]
        total[c] = 0
    for j in range(x.shape[0]):
        row = x[j]
        for c in range(top.size):
            top[c] = row[c] if row[c] > top[c] else top[c]
    for j in range(x.shape[0]):
        row, y = x[j], out[j]
        for c in range(top.size):
            e = exp_below(row[c] - top[c])
            y[c] = e
            total[c] += e
    for c in range(top.size):
        total[c] = log(total[c]) if with_log else of_type(top[c], 1) / total[c]
    for j in range(x.shape[0]):
        row, y = x[j], out[j]
        for c in range(top.size):
            y[c] = (row[c] - top[c]) - total[c] if with_log else y[c] * total[c]


@compiled
def _softmax_part(x, work, out, with_log, begin, end):
    """Rows from begin to end."""
    n, columns = x.shape[1], x.shape[2]
    if columns > 1:
        for r in range(begin, end):
            part = slice(r * columns, (r + 1) * columns)
            _columns(x[r], work[0, part], work[1, part], out[r], with_log)
        return
    flat, y = x.reshape(x.size), out.reshape(x.size)
    if n >= LONG:
        for r in range(begin, end):
            _long_row(flat[r * n : (r + 1) * n], y[r * n : (r + 1) * n], with_log)
        return
    step = BLOCK // n
    for r in range(begin, end, step):
        s = min(end, r + step)
        part = slice(r * n, s * n)
        _short_rows(flat[part], n, work[0, r:s], work[1, r:s], y[part], with_log)


@compiled
def rows_of_chunk(shape):
    """Return how many rows a chunk has."""
    return max(1, CHUNK // max(1, shape[1] * shape[2]))


@compiled(parallel=True)
def _softmax_chunks(x, work, out, with_log):
    step = rows_of_chunk(x.shape)
    for k in numba.prange((x.shape[0] + step - 1) // step):
        _softmax_part(x, work, out, with_log, k * step, min(x.shape[0], (k + 1) * step))


def softmax_naive(x, with_log, work, out):
    for i in range(x.shape[0]):
        for c in range(x.shape[2]):
            row = [float(v) for v in x[i, :, c]]
            top = max(row, default=0.0)
            total = sum(math.exp(v - top) for v in row)
            for j in range(x.shape[1]):
                y = math.exp(row[j] - top) / total
                out[i, j, c] = row[j] - top - math.log(total) if with_log else y


@twin_of(softmax_naive, signature=forward, rtol=2e-6, atol=2e-6, intrinsic=True, parallel=True)
def softmax(x, with_log, work, out, parallel):
    """exp(x) / sum of exp(x) along the middle axis, or its logarithm.

    Against the twin: sums in several lanes, and multiplies by the reciprocal of the sum.
    """
    if parallel and x.size >= PARALLEL_FROM:
        _softmax_chunks(x, work, out, with_log)
    elif x.size:
        _softmax_part(x, work, out, with_log, 0, x.shape[0])


@compiled(fastmath=REORDER)
def sum_of(g):
    total = of_type(g[0], 0)
    for j in range(g.size):
        total += g[j]
    return total


@compiled
def _vjp_rows(g, y, n, out):
    gs, ys, xs, row = g.ctypes.data, y.ctypes.data, out.ctypes.data, n * g.itemsize
    for r in range(out.size // n):
        both = gs + r * row, ys + r * row
        pulled(g, n, both, dot_of(g, n, both, (), ()), (xs + r * row,))


@compiled
def _log_vjp_short_rows(g, y, n, out):
    for i in range(out.size):
        out[i] = exp_below(y[i])
    gs, xs, row = g.ctypes.data, out.ctypes.data, n * g.itemsize
    for r in range(out.size // n):
        total = total_of(g, n, (gs + r * row,), (), ())
        log_pulled(g, n, (gs + r * row, xs + r * row), total, (xs + r * row,))


@compiled
def _log_vjp_long_row(g, y, out):
    total = sum_of(g)
    for j in range(g.size):
        out[j] = g[j] - exp_below(y[j]) * total


@compiled
def _vjp_columns(g, y, total, out, with_log):
    for c in range(total.size):
        total[c] = 0
    for j in range(g.shape[0]):
        p, q = g[j], y[j]
        for c in range(total.size):
            total[c] += p[c] if with_log else p[c] * q[c]
    for j in range(g.shape[0]):
        p, q, x = g[j], y[j], out[j]
        if with_log:
            for c in range(total.size):
                x[c] = p[c] - exp_below(q[c]) * total[c]
        else:
            for c in range(total.size):
                x[c] = q[c] * (p[c] - total[c])


@compiled
def _vjp_part(g, y, work, out, with_log, begin, end):
    n, columns = g.shape[1], g.shape[2]
    if columns > 1:
        for r in range(begin, end):
            total = work[0, r * columns : (r + 1) * columns]
            _vjp_columns(g[r], y[r], total, out[r], with_log)
        return
    flat, ys, xs = g.reshape(g.size), y.reshape(g.size), out.reshape(g.size)
    step = 1 if n >= LONG else BLOCK // n
    for r in range(begin, end, step):
        part = slice(r * n, min(end, r + step) * n)
        if not with_log:
            _vjp_rows(flat[part], ys[part], n, xs[part])
        elif n >= LONG:
            _log_vjp_long_row(flat[part], ys[part], xs[part])
        else:
            _log_vjp_short_rows(flat[part], ys[part], n, xs[part])


@compiled(parallel=True)
def _vjp_chunks(g, y, work, out, with_log):
    step = rows_of_chunk(g.shape)
    for k in numba.prange((g.shape[0] + step - 1) // step):
        _vjp_part(g, y, work, out, with_log, k * step, min(g.shape[0], (k + 1) * step))


def softmax_vjp_naive(g, y, with_log, work, out):
    for i in range(g.shape[0]):
        for c in range(g.shape[2]):
            p, q = [float(v) for v in g[i, :, c]], [float(v) for v in y[i, :, c]]
            total = sum(p) if with_log else sum(a * b for a, b in zip(p, q, strict=True))
            for j in range(g.shape[1]):
                slope = p[j] - math.exp(q[j]) * total if with_log else q[j] * (p[j] - total)
                out[i, j, c] = slope


@twin_of(softmax_vjp_naive, signature=backward, rtol=2e-6, atol=2e-6, intrinsic=True, parallel=True)
def softmax_vjp(g, y, with_log, work, out, parallel):
    """y (g - sum of g y) for y = softmax(x); g - exp(y) times the sum of g for its logarithm y.

    Against the twin: sums in several lanes.
    """
    if parallel and g.size >= PARALLEL_FROM:
        _vjp_chunks(g, y, work, out, with_log)
    elif g.size:
        _vjp_part(g, y, work, out, with_log, 0, g.shape[0])
