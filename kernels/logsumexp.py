"""The log of the sum of exp along one axis, and its gradient, without overflow.

Arrays have the shape (rows, n, columns), and the axis is the middle one, as for the softmax.
"""

from __future__ import annotations

import functools
import math

import numba
from numba import types

from .pair import compiled, read, twin_of, write
from .softmax import BLOCK, PARALLEL_FROM, log_sums, rows_of_chunk, together
from .vector_math import exp_below, log

B = types.boolean


@functools.lru_cache
def workspace(rows, n, columns):
    """Return the shape of the work array: a line for each chunk of rows."""
    step = rows_of_chunk((rows, n, columns))
    return max(1, -(-rows // step)), 3 * BLOCK if columns == 1 else columns


@compiled
def _of_infinite(row, top):
    """The result of a row whose largest element is infinite: NaN, if there is one."""
    for j in range(row.size):
        if row[j] != row[j]:
            return row[j]
    return top


@compiled
def _lines(x, work, out, begin, end):
    """Rows of one column."""
    n = x.shape[1]
    flat, y, step = x.reshape(x.size), out.reshape(out.size), together(n)
    for first in range(begin, end, step):
        last = min(end, first + step)
        top, log_sum = log_sums(flat[first * n : last * n], n, work)
        for r in range(first, last):
            y[r] = top[r - first] + log_sum[r - first]
            if math.isinf(top[r - first]):
                y[r] = _of_infinite(flat[r * n : (r + 1) * n], top[r - first])


@compiled
def _columns(x, total, y):
    """All columns of x (n, columns) side by side; y holds their tops meanwhile."""
    for c in range(y.size):
        y[c] = x[0, c]
        total[c] = 0
    for j in range(x.shape[0]):
        row = x[j]
        for c in range(y.size):
            y[c] = row[c] if row[c] > y[c] else y[c]
    for j in range(x.shape[0]):
        row = x[j]
        for c in range(y.size):
            total[c] += exp_below(row[c] - y[c])
    for c in range(y.size):
        total[c] = y[c] + log(total[c])
    for c in range(y.size):
        if math.isinf(y[c]):
            y[c] = _of_infinite(x[:, c], y[c])
        else:
            y[c] = total[c]


@compiled
def _part(x, work, out, begin, end):
    if x.shape[2] == 1:
        _lines(x, work, out, begin, end)
    else:
        for r in range(begin, end):
            _columns(x[r], work, out[r])


@compiled(parallel=True)
def _chunks(x, work, out):
    step = rows_of_chunk(x.shape)
    for k in numba.prange((x.shape[0] + step - 1) // step):
        _part(x, work[k], out, k * step, min(x.shape[0], (k + 1) * step))


def logsumexp_naive(x, work, out):
    for i in range(x.shape[0]):
        for c in range(x.shape[2]):
            row = [float(v) for v in x[i, :, c]]
            top = max(row)
            total = sum(math.exp(v - top) for v in row) if math.isfinite(top) else 1.0
            out[i, c] = sum(row) if any(v != v for v in row) else top + math.log(total)


@twin_of(
    logsumexp_naive,
    signature=lambda f: types.void(read(f, 3), write(f, 2), write(f, 2), B),
    rtol=2e-6,
    atol=2e-6,
    intrinsic=True,
    parallel=True,
)
def logsumexp(x, work, out, parallel):
    """out (rows, columns) = log of the sum of exp(x) over the middle axis, which is not empty.

    work has the shape workspace(x.shape). Against the twin: sums in several lanes.
    """
    if parallel and x.size >= PARALLEL_FROM:
        _chunks(x, work, out)
    elif x.size:
        _part(x, work[0], out, 0, x.shape[0])


@compiled
def _pull_part(g, x, y, out, begin, end):
    n, columns = x.shape[1], x.shape[2]
    for r in range(begin, end):
        for j in range(n if columns > 1 else 0):
            row, target, p, q = x[r, j], out[r, j], g[r], y[r]
            for c in range(columns):
                target[c] = p[c] * exp_below(row[c] - q[c])
        if columns == 1:
            line, target, slope, top = x[r].reshape(n), out[r].reshape(n), g[r, 0], y[r, 0]
            for j in range(n):
                target[j] = slope * exp_below(line[j] - top)


@compiled(parallel=True)
def _pull_chunks(g, x, y, out):
    step = rows_of_chunk(x.shape)
    for k in numba.prange((x.shape[0] + step - 1) // step):
        _pull_part(g, x, y, out, k * step, min(x.shape[0], (k + 1) * step))


def logsumexp_vjp_naive(g, x, y, out):
    for i in range(x.shape[0]):
        for c in range(x.shape[2]):
            for j in range(x.shape[1]):
                out[i, j, c] = g[i, c] * math.exp(x[i, j, c] - y[i, c])


@twin_of(
    logsumexp_vjp_naive,
    signature=lambda f: types.void(read(f, 2), read(f, 3), read(f, 2), write(f, 3), B),
    rtol=2e-6,
    intrinsic=True,
    parallel=True,
)
def logsumexp_vjp(g, x, y, out, parallel):
    """g exp(x - y), where y is what logsumexp made of x.

    Against the twin: rows side by side.
    """
    if parallel and x.size >= PARALLEL_FROM:
        _pull_chunks(g, x, y, out)
    elif x.size:
        _pull_part(g, x, y, out, 0, x.shape[0])
