"""Cross entropy of rows of scores, and its gradient, without the softmax.

Against class numbers, the loss of a row x with class t is, for class weights w and a smoothing e,

    (1 - e) w[t] (s - x[t]) + e / classes sum of w (s - x),    s = log of the sum of exp(x)

and of a row to be ignored 0, as of one with a class that is none. Against probabilities p it is the
sum of p (s - x).
"""

from __future__ import annotations

import functools
import math

import numba
import numpy as np
from numba import types

from .pair import compiled, read, twin_of, write
from .rows import row_loop, total_of
from .softmax import (
    BLOCK,
    PARALLEL_FROM,
    STORED,
    exp_sum_kept,
    exps_of_short_rows,
    log_sums,
    rows_of_chunk,
    sum_of,
    together,
    top_of,
)
from .vector_math import of_type

WHOLE, F, B = types.int64, types.float64, types.boolean


@functools.lru_cache
def workspace(rows, n):
    """Return the shape of the work array: for each chunk two numbers a row and a block of exps."""
    step = rows_of_chunk((rows, n, 1))
    return max(1, (rows + step - 1) // step), 3 * BLOCK


@compiled
def _exp_sums(rows, n, work, out):
    """Leave exp(row - top) in out, and return the sum of each row of it."""
    count = rows.size // n
    top, total = work[:count], work[count : 2 * count]
    if n >= STORED:
        total[0] = exp_sum_kept(rows, top_of(rows), out)
    else:
        exps_of_short_rows(rows, n, top, total, out)
    return total


# What a row goes through, where the row, its weights and what becomes of it begin.
below = row_loop(lambda x, top, total: ([], [total[0] + (x[0] - top[0])]), 1)
weighed_below = row_loop(lambda x, top, total: ([], [total[0] + x[1] * (x[0] - top[0])]), 1)
scaled_less = row_loop(lambda y, ab, _: ([y[0] * ab[0] - ab[1]], []))
scaled_less_each = row_loop(lambda y, ab, _: ([y[0] * ab[0] - y[1] * ab[1]], []))


@compiled
def _line(x):
    """Return where an array begins, 0 if it has no elements."""
    return np.intp(x.ctypes.data) if x.size else np.intp(0)


@compiled
def _weight_of(t, classes, weight, ignored):
    """Return whether class t counts, and how much."""
    if t == ignored or t < 0 or t >= classes:
        return False, 0.0
    return True, np.float64(weight[t]) if weight.size else 1.0


@compiled
def _whole(x, weight):
    """Return the sum of the weights of all classes."""
    return sum_of(weight) if weight.size else of_type(x[0], x.size)


@compiled
def _spread(like, n, row, weights, top):
    """The sum of w (row - top), given where the row and the weights begin, if there are any."""
    if weights:
        (total,) = weighed_below(like, n, (row, weights), (top,), ())
    else:
        (total,) = below(like, n, (row,), (top,), ())
    return total


@compiled
def _losses(x, target, rates, weight, ignored, work, out, begin, end):
    n, (e, whole) = x.shape[1], rates
    flat, step, one = x.reshape(x.size), together(n), of_type(e, 1)
    source, weights = _line(x), _line(weight)
    for first in range(begin, end, step):
        last = min(end, first + step)
        top, log_sum = log_sums(flat[first * n : last * n], n, work)
        for r in range(first, last):
            t, below_top, loss = target[r], top[r - first], of_type(e, 0)
            counts, w = _weight_of(t, n, weight, ignored)
            if counts and w != 0:  # what has no weight may be infinite
                hit = flat[np.uintp(r * n + t)] - below_top
                loss += (one - e) * of_type(e, w) * (log_sum[r - first] - hit)
            if counts and e:
                spread = _spread(x, n, source + r * n * x.itemsize, weights, below_top)
                loss += e / of_type(e, n) * (whole * log_sum[r - first] - spread)
            out[r] = loss


@compiled(parallel=True)
def _losses_in_chunks(x, target, rates, weight, ignored, work, out):
    step = rows_of_chunk((x.shape[0], x.shape[1], 1))
    for k in numba.prange((x.shape[0] + step - 1) // step):
        begin, end = k * step, min(x.shape[0], (k + 1) * step)
        _losses(x, target, rates, weight, ignored, work[k], out, begin, end)


def loss_naive(row, t, weight, ignored, e):
    """Return the loss of a row and the weight of its class; 0 and 0 where it does not count."""
    if t == ignored or not 0 <= t < len(row):
        return 0.0, 0.0
    x = [float(v) for v in row]
    w = [float(v) for v in weight] or [1.0] * len(x)
    s = max(x) + math.log(sum(math.exp(v - max(x)) for v in x))
    spread = sum(a * (s - v) for a, v in zip(w, x, strict=True)) if e else 0.0
    return (1 - e) * w[t] * (s - x[t]) + e / len(x) * spread, w[t]


def cross_entropy_naive(x, target, weight, ignored, e, work, out, totals):
    totals[:] = 0, 0, -1
    for r in range(x.shape[0]):
        out[r], w = loss_naive(x[r], target[r], weight, ignored, e)
        totals[0] += out[r]
        totals[1] += w
        if target[r] != ignored and not 0 <= target[r] < x.shape[1] and totals[2] < 0:
            totals[2] = r


@twin_of(
    cross_entropy_naive,
    signature=lambda f: types.void(
        read(f, 2), read(WHOLE), read(f), WHOLE, f, write(f, 2), write(f), write(F), B
    ),
    rtol=2e-6,
    atol=2e-6,
    intrinsic=True,
    parallel=True,
)
def cross_entropy(x, target, weight, ignored, e, work, out, totals, parallel):
    """The loss of each row of x (rows, classes); weight has one number for each class, or none.

    totals gets the sum of the losses, that of the weights of the classes that count, and the
    number of the first row with a class that is none, or -1. work has the shape workspace(x.shape).
    Against the twin: sums in several lanes, in the width of x; totals are added in order.
    """
    totals[0] = totals[1] = 0
    totals[2] = -1
    rates = e, _whole(x[0], weight) if x.size else e
    if parallel and x.size >= PARALLEL_FROM:
        _losses_in_chunks(x, target, rates, weight, ignored, work, out)
    elif x.size:
        _losses(x, target, rates, weight, ignored, work[0], out, 0, x.shape[0])
    for r in range(x.shape[0]):
        counts, w = _weight_of(target[r], x.shape[1], weight, ignored)
        totals[0] += out[r]
        totals[1] += w
        if not counts and target[r] != ignored and totals[2] < 0:
            totals[2] = r


@compiled
def _slopes(x, target, rates, weight, ignored, g, unit, work, out, begin, end):
    n, (e, whole) = x.shape[1], rates
    flat, y, step, one = x.reshape(x.size), out.reshape(out.size), together(n), of_type(e, 1)
    place, weights = _line(out), _line(weight)
    for first in range(begin, end, step):
        last = min(end, first + step)
        part = slice(first * n, last * n)
        total = _exp_sums(flat[part], n, work, y[part])
        for r in range(first, last):
            row, t = place + r * n * x.itemsize, target[r]
            counts, w = _weight_of(t, n, weight, ignored)
            if not counts:
                y[r * n : (r + 1) * n] = of_type(e, 0)
                continue
            share = g[r if g.size > 1 else 0] / unit
            hit, less = share * (one - e) * of_type(e, w), share * (e / of_type(e, n))
            numbers = (hit + less * whole) / total[r - first], less
            if e and weights:
                scaled_less_each(x, n, (row, weights), numbers, (row,))
            else:
                scaled_less(x, n, (row,), numbers, (row,))
            y[np.uintp(r * n + t)] -= hit


@compiled(parallel=True)
def _slopes_in_chunks(x, target, rates, weight, ignored, g, unit, work, out):
    step = rows_of_chunk((x.shape[0], x.shape[1], 1))
    for k in numba.prange((x.shape[0] + step - 1) // step):
        begin, end = k * step, min(x.shape[0], (k + 1) * step)
        _slopes(x, target, rates, weight, ignored, g, unit, work[k], out, begin, end)


def cross_entropy_vjp_naive(x, target, weight, ignored, e, g, mean, work, out):
    counted = [loss_naive(x[r], target[r], weight, ignored, e)[1] for r in range(x.shape[0])]
    for r in range(x.shape[0]):
        row, t = [float(v) for v in x[r]], target[r]
        w = [float(v) for v in weight] or [1.0] * len(row)
        share = float(g[r if g.size > 1 else 0]) / (sum(counted) or math.nan if mean else 1)
        total = sum(math.exp(v - max(row)) for v in row)
        for j in range(x.shape[1]):
            p = math.exp(row[j] - max(row)) / total
            if t == ignored or not 0 <= t < len(row):
                out[r, j] = 0
            else:
                wanted = (1 - e) * w[t] * (p - (j == t)) + e / len(row) * (sum(w) * p - w[j])
                out[r, j] = share * wanted


@twin_of(
    cross_entropy_vjp_naive,
    signature=lambda f: types.void(
        read(f, 2), read(WHOLE), read(f), WHOLE, f, read(f), B, write(f, 2), write(f, 2), B
    ),
    rtol=2e-6,
    atol=2e-6,
    intrinsic=True,
    parallel=True,
)
def cross_entropy_vjp(x, target, weight, ignored, e, g, mean, work, out, parallel):
    """The gradient of x: g has a number for each row, or one for all of them.

    With `mean` g is divided by the sum of the weights of the classes that count.
    Against the twin: sums in several lanes, and multiplies by the reciprocal of the sum.
    """
    unit = 0.0
    for r in range(x.shape[0] if mean else 0):
        unit += _weight_of(target[r], x.shape[1], weight, ignored)[1]
    unit = of_type(e, unit if mean else 1.0)
    rates = e, _whole(x[0], weight) if x.size else e
    if parallel and x.size >= PARALLEL_FROM:
        _slopes_in_chunks(x, target, rates, weight, ignored, g, unit, work, out)
    elif x.size:
        _slopes(x, target, rates, weight, ignored, g, unit, work[0], out, 0, x.shape[0])


@compiled
def _soft(x, p, work, out, begin, end):
    n = x.shape[1]
    flat, step, source, wanted = x.reshape(x.size), together(n), _line(x), _line(p)
    for first in range(begin, end, step):
        last = min(end, first + step)
        top, log_sum = log_sums(flat[first * n : last * n], n, work)
        for r in range(first, last):
            at = r * n * x.itemsize
            (whole,) = total_of(p, n, (wanted + at,), (), ())
            spread = _spread(x, n, source + at, wanted + at, top[r - first])
            out[r] = whole * log_sum[r - first] - spread


@compiled(parallel=True)
def _soft_in_chunks(x, p, work, out):
    step = rows_of_chunk((x.shape[0], x.shape[1], 1))
    for k in numba.prange((x.shape[0] + step - 1) // step):
        _soft(x, p, work[k], out, k * step, min(x.shape[0], (k + 1) * step))


def soft_cross_entropy_naive(x, p, work, out):
    for r in range(x.shape[0]):
        row = [float(v) for v in x[r]]
        s = max(row) + math.log(sum(math.exp(v - max(row)) for v in row))
        out[r] = sum(float(a) * (s - v) for a, v in zip(p[r], row, strict=True))


@twin_of(
    soft_cross_entropy_naive,
    signature=lambda f: types.void(read(f, 2), read(f, 2), write(f, 2), write(f), B),
    rtol=2e-6,
    atol=2e-6,
    intrinsic=True,
    parallel=True,
)
def soft_cross_entropy(x, p, work, out, parallel):
    """The sum of p (log of the sum of exp(x) - x) of each row of x and p (rows, classes).

    Against the twin: sums in several lanes, in the width of x.
    """
    if parallel and x.size >= PARALLEL_FROM:
        _soft_in_chunks(x, p, work, out)
    elif x.size:
        _soft(x, p, work[0], out, 0, x.shape[0])


@compiled
def _soft_slopes(g, x, p, work, out, begin, end):
    n = x.shape[1]
    flat, y, step = x.reshape(x.size), out.reshape(out.size), together(n)
    place, wanted = _line(out), _line(p)
    for first in range(begin, end, step):
        last = min(end, first + step)
        part = slice(first * n, last * n)
        total = _exp_sums(flat[part], n, work, y[part])
        for r in range(first, last):
            at = r * n * x.itemsize
            (whole,) = total_of(p, n, (wanted + at,), (), ())
            numbers = g[r] * whole / total[r - first], g[r]
            scaled_less_each(x, n, (place + at, wanted + at), numbers, (place + at,))


@compiled(parallel=True)
def _soft_slopes_in_chunks(g, x, p, work, out):
    step = rows_of_chunk((x.shape[0], x.shape[1], 1))
    for k in numba.prange((x.shape[0] + step - 1) // step):
        _soft_slopes(g, x, p, work[k], out, k * step, min(x.shape[0], (k + 1) * step))


def soft_cross_entropy_vjp_naive(g, x, p, work, out):
    for r in range(x.shape[0]):
        row = [float(v) for v in x[r]]
        total = sum(math.exp(v - max(row)) for v in row)
        for j in range(x.shape[1]):
            softmax = math.exp(row[j] - max(row)) / total
            out[r, j] = g[r] * (softmax * sum(float(v) for v in p[r]) - p[r, j])


@twin_of(
    soft_cross_entropy_vjp_naive,
    signature=lambda f: types.void(read(f), read(f, 2), read(f, 2), write(f, 2), write(f, 2), B),
    rtol=2e-6,
    atol=2e-6,
    intrinsic=True,
    parallel=True,
)
def soft_cross_entropy_vjp(g, x, p, work, out, parallel):
    """g (softmax(x) sum of p - p) of each row.

    Against the twin: sums in several lanes, and multiplies by the reciprocal of the sum.
    """
    if parallel and x.size >= PARALLEL_FROM:
        _soft_slopes_in_chunks(g, x, p, work, out)
    elif x.size:
        _soft_slopes(g, x, p, work[0], out, 0, x.shape[0])
