"""Cross entropy of rows of scores against class numbers, and its gradient, without the softmax.

The loss of a row x with class t is log(sum of exp(x)) - (1 - e) x[t] - e mean(x): e smooths the
target. Which rows count, and how much, is the caller's to say: share has a number for each.
"""

from __future__ import annotations

import math

import numba
import numpy as np
from numba import types

from .pair import compiled, read, twin_of, write
from .softmax import (
    BLOCK,
    PARALLEL_FROM,
    exp_sum,
    exp_sum_kept,
    exps_of_short_rows,
    rows_of_chunk,
    sum_of,
    top_of,
)
from .vector_math import log, of_type

LONG = 256  # elements from which the exps of a row are not stored


def forward(f):
    return types.void(read(f, 2), read(types.int64), f, write(f, 2), write(f), types.boolean)


def backward(f):
    return types.void(
        read(f, 2), read(types.int64), f, read(f), write(f, 2), write(f, 2), types.boolean
    )


def workspace(rows, n):
    """Return the shape of the work array: two numbers and the exp of each element of short rows."""
    return rows, 2 + (n if n < LONG else 0)


@compiled
def _short_losses(x, n, target, e, top, total, exps, out):
    exps_of_short_rows(x, n, top, total, exps)
    for r in range(out.size):
        out[r] = log(total[r])
    for r in range(out.size):
        out[r] -= (of_type(e, 1) - e) * (x[np.uintp(r * n + target[r])] - top[r])
        if e:
            mean = sum_of(x[r * n : (r + 1) * n]) / of_type(e, n)
            out[r] -= e * (mean - top[r])


@compiled
def _long_loss(row, t, e):
    top = top_of(row)
    loss = log(exp_sum(row, top)) - (of_type(e, 1) - e) * (row[t] - top)
    return loss - e * (sum_of(row) / of_type(e, row.size) - top) if e else loss


@compiled
def _losses(x, target, e, work, out, begin, end):
    rows, n = x.shape
    if n >= LONG:
        for r in range(begin, end):
            out[r] = _long_loss(x[r], target[r], e)
        return
    flat, spare, step = x.reshape(x.size), work.reshape(work.size), BLOCK // n
    for r in range(begin, end, step):
        s = min(end, r + step)
        top, total, exps = spare[r:s], spare[rows + r : rows + s], spare[2 * rows :]
        part = slice(r * n, s * n)
        _short_losses(flat[part], n, target[r:s], e, top, total, exps[part], out[r:s])


@compiled(parallel=True)
def _losses_in_chunks(x, target, e, work, out):
    step = rows_of_chunk((x.shape[0], x.shape[1], 1))
    for k in numba.prange((x.shape[0] + step - 1) // step):
        _losses(x, target, e, work, out, k * step, min(x.shape[0], (k + 1) * step))


def cross_entropy_naive(x, target, e, work, out):
    for r in range(x.shape[0]):
        row = [float(v) for v in x[r]]
        top = max(row)
        loss = math.log(sum(math.exp(v - top) for v in row)) - (1 - e) * (row[target[r]] - top)
        out[r] = loss - e * (sum(row) / len(row) - top) if e else loss


@twin_of(
    cross_entropy_naive, signature=forward, rtol=2e-6, atol=2e-6, intrinsic=True, parallel=True
)
def cross_entropy(x, target, e, work, out, parallel):
    """log(sum of exp(x)) - (1 - e) x[t] - e mean(x) of each row of x (rows, classes).

    Against the twin: sums in several lanes, in the width of x.
    """
    if parallel and x.size >= PARALLEL_FROM:
        _losses_in_chunks(x, target, e, work, out)
    else:
        _losses(x, target, e, work, out, 0, x.shape[0])


@compiled
def _short_slopes(x, n, target, e, share, top, total, out):
    exps_of_short_rows(x, n, top, total, out)
    for r in range(share.size):
        scale, less = share[r] / total[r], share[r] * (e / of_type(e, n))
        for j in range(n):
            i = np.uintp(r * n + j)
            out[i] = out[i] * scale - less
        out[np.uintp(r * n + target[r])] -= share[r] * (of_type(e, 1) - e)


@compiled
def _long_slope(row, t, e, share, out):
    scale, less = share / exp_sum_kept(row, top_of(row), out), share * (e / of_type(e, row.size))
    for j in range(row.size):
        out[j] = out[j] * scale - less
    out[t] -= share * (of_type(e, 1) - e)


@compiled
def _slopes(x, target, e, share, work, out, begin, end):
    rows, n = x.shape
    if n >= LONG:
        for r in range(begin, end):
            _long_slope(x[r], target[r], e, share[r], out[r])
        return
    flat, y, spare, step = (
        x.reshape(x.size),
        out.reshape(x.size),
        work.reshape(work.size),
        BLOCK // n,
    )
    for r in range(begin, end, step):
        s = min(end, r + step)
        top, total, part = spare[r:s], spare[rows + r : rows + s], slice(r * n, s * n)
        _short_slopes(flat[part], n, target[r:s], e, share[r:s], top, total, y[part])


@compiled(parallel=True)
def _slopes_in_chunks(x, target, e, share, work, out):
    step = rows_of_chunk((x.shape[0], x.shape[1], 1))
    for k in numba.prange((x.shape[0] + step - 1) // step):
        _slopes(x, target, e, share, work, out, k * step, min(x.shape[0], (k + 1) * step))


def cross_entropy_vjp_naive(x, target, e, share, work, out):
    for r in range(x.shape[0]):
        row = [float(v) for v in x[r]]
        top = max(row)
        total = sum(math.exp(v - top) for v in row)
        for j in range(x.shape[1]):
            wanted = (1 - e) * (j == target[r]) + e / x.shape[1]
            out[r, j] = share[r] * (math.exp(row[j] - top) / total - wanted)


@twin_of(
    cross_entropy_vjp_naive, signature=backward, rtol=2e-6, atol=2e-6, intrinsic=True, parallel=True
)
def cross_entropy_vjp(x, target, e, share, work, out, parallel):
    """share (softmax(x) - (1 - e) [j = t] - e / classes), in one pass over x and out.

    Against the twin: sums in several lanes, and multiplies by the reciprocal of the sum.
    """
    if parallel and x.size >= PARALLEL_FROM:
        _slopes_in_chunks(x, target, e, share, work, out)
    else:
        _slopes(x, target, e, share, work, out, 0, x.shape[0])
