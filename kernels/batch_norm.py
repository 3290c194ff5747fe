"""Batch norm, forward and backward.

A channel is read from memory once if its elements fit into the cache.
"""

from __future__ import annotations

import math

import numba
import numpy as np
from numba import types

from .moments import (
    BLOCK,
    ROWS,
    SOME,
    add_moments,
    add_products,
    affine_of,
    combine_each,
    combine_rows,
    moments,
    moments_of_rows,
    products,
    products_of_rows,
    slopes_of,
    spread_of,
    stretch_each,
    stretch_rows,
)
from .pair import compiled, read, twin_of, write
from .rows import chunks_of
from .sums import line_sum

NARROW = 16  # channels of fewer elements in a row are taken side by side,
COLUMNS = 2048  # so many elements at a time
CACHE = 1 << 16  # elements that stay in the second-level cache
TOGETHER = 4  # rows of a channel, at most, that one loop goes through
APART = 4  # rows that are added side by side where channels are narrow
PIECE = 256  # elements of a row that are worth a chunk of their own
F, B = types.float64, types.boolean


def batch_norm_work(c, s):
    """Return the shape of the work array of the batch norms of x (n, c, s)."""
    return 4, c * s if s < NARROW else c


@compiled
def _together(s):
    """Return how many rows of s elements of a channel one loop goes through."""
    return max(1, min(TOGETHER, BLOCK // s))


@compiled
def _wide_stats(x, k0, k1, stats, eps):
    """Block by block, each with the mean of its first row as the guess, and merged (see _merge)."""
    n, c, s = x.shape
    row, size, step = c * s * x.itemsize, s * x.itemsize, _together(s)
    for k in range(k0, k1):
        stats[0, k] = stats[1, k] = 0
    for i in range(0, n, step):
        rows = min(step, n - i)
        share, part = 1 / np.float64(rows * s), rows / np.float64(i + rows)
        for k in range(k0, k1):
            at = x.ctypes.data + i * row + k * size
            guess = x.dtype.type(line_sum(x, min(s, SOME), at) / min(s, SOME))
            if rows > 1:
                first, second = moments_of_rows(x, rows, row, s, (at,), (guess,), ())
            else:
                first, second = moments(x, s, at, guess)
            first, d = first * share, guess + first * share - stats[0, k]
            variance = second * share - first * first
            stats[0, k] += d * part
            stats[1, k] += (variance - stats[1, k]) * part + d * d * part * (1 - part)
    for k in range(k0, k1):
        stats[1, k], stats[2, k] = spread_of(0.0, stats[1, k], eps)


@compiled
def _merge(x, i, count, k, work, stats):
    """Add the moments of the columns of channel k, of count rows from i on, to mean and variance.

    Row i is what its columns take as the guess of their means (Chan, Golub and LeVeque, Algorithms
    for computing the sample variance, 1983).
    """
    s = x.shape[2]
    share = 1 / np.float64(count)
    mean, variance = 0.0, 0.0
    for j in range(s):
        mean += x[i, k, j] + work[0, k * s + j] * share
    mean = mean / s if s > 1 else mean
    for j in range(s):
        first = work[0, k * s + j] * share
        d = x[i, k, j] + first - mean
        variance += work[1, k * s + j] * share - first * first + d * d
        work[0, k * s + j] = work[1, k * s + j] = 0
    variance = variance / s if s > 1 else variance
    part = count / (i + count) if i else 1.0
    d = mean - stats[0, k]
    stats[0, k] += d * part
    stats[1, k] += (variance - stats[1, k]) * part + d * d * part * (1 - part)


@compiled
def _narrow_stats(x, k0, k1, stats, eps, work):
    n, c, s = x.shape
    at, row = x.ctypes.data + k0 * s * x.itemsize, c * s * x.itemsize
    a = work.ctypes.data + k0 * s * x.itemsize
    for k in range(k0, k1):
        stats[0, k] = stats[1, k] = 0
        for j in range(k * s, (k + 1) * s):
            work[0, j] = work[1, j] = 0
    for start in range(0, n, ROWS):
        count = min(ROWS, n - start)
        here, guess, size = at + (start + 1) * row, at + start * row, (k1 - k0) * s
        for _ in range((count - 1) // APART):
            rows = here, here + row, here + 2 * row, here + 3 * row
            add_moments(x, size, (*rows, guess, a, a + row), (), (a, a + row))
            here += APART * row
        for _ in range((count - 1) % APART):
            add_moments(x, size, (here, guess, a, a + row), (), (a, a + row))
            here += row
        for k in range(k0, k1):
            _merge(x, start, count, k, work, stats)
    for k in range(k0, k1):
        stats[1, k], stats[2, k] = spread_of(0.0, stats[1, k], eps)


@compiled
def _channel_chunks(x):
    """Return how many chunks the channels are cut into; no chunk has short pieces of rows."""
    n, c, s = x.shape
    return max(1, min(chunks_of(c, n * s), c * s // PIECE))


@compiled
def _step(n, s):
    """Return how many channels are taken together: their elements, or columns, stay in a cache."""
    return max(1, CACHE // max(1, n * s) if s >= NARROW else COLUMNS // max(1, s))


@compiled
def _normalise(x, k0, k1, stats, weight, bias, eps, y, work, train):
    """Channels k0 to k1: with train their statistics first, then y."""
    n, c, s = x.shape
    wide = s >= NARROW
    width = 1 if wide else s
    source, target, row = x.ctypes.data, y.ctypes.data, c * s * x.itemsize
    step = _step(n, s) if train or not wide else max(1, k1 - k0)
    for first in range(k0, k1, step):
        last = min(k1, first + step)
        if train and wide:
            _wide_stats(x, first, last, stats, eps)
        elif train:
            _narrow_stats(x, first, last, stats, eps, work)
        for k in range(first, last):
            guess, scale, shift = affine_of(x, k, stats[0, k], stats[2, k], weight, bias)
            for j in range(k * width, (k + 1) * width):
                work[0, j], work[1, j], work[2, j] = guess, scale, shift
        if wide:
            for i in range(0, n, _together(s)):
                rows = min(_together(s), n - i)
                for k in range(first, last):
                    numbers, here = (
                        (work[0, k], work[1, k], work[2, k]),
                        i * row + k * s * x.itemsize,
                    )
                    stretch_rows(x, rows, row, s, (source + here,), numbers, (target + here,))
            continue
        at, column = first * s * x.itemsize, work.ctypes.data + first * s * x.itemsize
        for i in range(n):
            reads = source + i * row + at, column, column + row, column + 2 * row
            stretch_each(x, (last - first) * s, reads, (), (target + i * row + at,))


@compiled(parallel=True)
def _normalise_chunks(x, chunks, stats, weight, bias, eps, y, work, train):
    for i in numba.prange(chunks):
        k0, k1 = x.shape[1] * i // chunks, x.shape[1] * (i + 1) // chunks
        _normalise(x, k0, k1, stats, weight, bias, eps, y, work, train)


def batch_norm_naive(x, weight, bias, eps, y, stats, work, train):
    n, c, s = x.shape
    for k in range(c):
        if train:
            channel = [float(v) for row in x[:, k] for v in row] or [math.nan]
            mean = sum(channel) / len(channel)
            variance = sum((v - mean) ** 2 for v in channel) / len(channel)
            stats[0, k], stats[1, k], stats[2, k] = mean, variance, 1 / (variance + eps) ** 0.5
        for i in range(n):
            for j in range(s):
                t = (float(x[i, k, j]) - stats[0, k]) * stats[2, k]
                t = t * weight[k] if weight.size else t
                y[i, k, j] = t + bias[k] if bias.size else t


@twin_of(
    batch_norm_naive,
    signature=lambda f: types.void(
        read(f, 3), read(f), read(f), F, write(f, 3), write(F, 2), write(f, 2), B, B
    ),
    rtol=1e-4,
    atol=1e-5,
    intrinsic=True,
    parallel=True,
)
def batch_norm(x, weight, bias, eps, y, stats, work, train, parallel):
    """y = (x - mean) / √(variance + eps) weight + bias for each channel of x (n, c, s).

    weight and bias are (c) or empty. With train, mean, biased variance and 1/√(variance + eps) of
    x are left in stats (3, c), NaN of no elements; else they are what stands there. work has the
    shape batch_norm_work(c, s).
    Against the twin: sums in blocks, of the distances to a first guess of the mean.
    """
    if train and x.size == 0:
        for k in range(x.shape[1]):
            stats[0, k] = stats[1, k] = stats[2, k] = math.nan
        return
    chunks = _channel_chunks(x)
    if parallel and chunks > 1:
        _normalise_chunks(x, chunks, stats, weight, bias, eps, y, work, train)
    else:
        _normalise(x, 0, x.shape[1], stats, weight, bias, eps, y, work, train)


@compiled
def _narrow_products(g, x, k0, k1, stats, dweight, dbias, work):
    """Leave the sums of g and of g (x - mean) in dbias and dweight."""
    n, c, s = x.shape
    at, row, size = k0 * s * x.itemsize, c * s * x.itemsize, (k1 - k0) * s
    guess = work.ctypes.data + at
    a, b = guess + row, guess + 2 * row
    for k in range(k0, k1):
        dweight[k] = dbias[k] = 0
        for j in range(k * s, (k + 1) * s):
            work[0, j] = stats[0, k]
            work[1, j] = work[2, j] = 0
    for start in range(0, n, ROWS):
        p, q, count = g.ctypes.data + at, x.ctypes.data + at, min(ROWS, n - start)
        for i in range(start, start + count - count % 2, 2):
            here, there = i * row, (i + 1) * row
            reads = p + here, q + here, p + there, q + there, guess, a, b
            add_products(x, size, reads, (), (a, b))
        if count % 2:
            here = (start + count - 1) * row
            add_products(x, size, (p + here, q + here, guess, a, b), (), (a, b))
        for k in range(k0, k1):
            rest = work[0, k * s] - stats[0, k]
            first, second = 0.0, 0.0
            for j in range(k * s, (k + 1) * s):
                first += work[1, j]
                second += work[2, j]
                work[1, j] = work[2, j] = 0
            dbias[k] += first
            dweight[k] += second + rest * first


@compiled
def _wide_products(g, x, k0, k1, stats, dweight, dbias):
    n, c, s = x.shape
    row, size, step = c * s * x.itemsize, s * x.itemsize, _together(s)
    for k in range(k0, k1):
        dweight[k] = dbias[k] = 0
    for i in range(0, n, step):
        rows = min(step, n - i)
        for k in range(k0, k1):
            here = i * row + k * size
            p, q, guess = g.ctypes.data + here, x.ctypes.data + here, x.dtype.type(stats[0, k])
            if rows > 1:
                a, b = products_of_rows(x, rows, row, s, (p, q), (guess,), ())
            else:
                a, b = products(x, s, p, q, 0, guess)
            dbias[k] += a
            dweight[k] += b + (guess - stats[0, k]) * a


@compiled
def _wide_pull(g, x, k0, k1, work, dx, train):
    """dx of channels k0 to k1; the rows of work are its guess, a, b and c (see combine)."""
    n, c, s = x.shape
    row, step = c * s * x.itemsize, _together(s)
    for i in range(0, n, step):
        rows = min(step, n - i)
        for k in range(k0, k1):
            here = i * row + k * s * x.itemsize
            p, q = g.ctypes.data + here, x.ctypes.data + here
            target = (dx.ctypes.data + here,)
            if train:
                numbers = work[0, k], work[1, k], work[2, k], work[3, k]
                combine_rows(x, rows, row, s, (p, q), numbers, target)
            else:
                numbers = work[0, k], work[1, k], work[2, k]
                stretch_rows(x, rows, row, s, (p,), numbers, target)


@compiled
def _pull(g, x, k0, k1, stats, weight, dx, dweight, dbias, work, train):
    """The gradients of channels k0 to k1; dweight and dbias are float64."""
    n, c, s = x.shape
    wide = s >= NARROW
    width = 1 if wide else s
    row, line = c * s * x.itemsize, c * width * x.itemsize
    step = _step(n, s)
    for first in range(k0, k1, step):
        last = min(k1, first + step)
        if wide:
            _wide_products(g, x, first, last, stats, dweight, dbias)
        else:
            _narrow_products(g, x, first, last, stats, dweight, dbias, work)
        for k in range(first, last):
            mean, rstd = stats[0, k], stats[2, k]
            w = weight[k] if weight.size else 1.0
            b, c0 = slopes_of(x, mean, rstd, w * dbias[k], w * dweight[k], 1 / (n * s))
            dweight[k] *= rstd
            for j in range(k * width, (k + 1) * width):
                work[0, j], work[1, j], work[2, j], work[3, j] = mean, rstd * w, b, c0
                if not train:
                    work[0, j], work[2, j] = 0, 0
        at, column = first * s * x.itemsize, work.ctypes.data + first * width * x.itemsize
        if wide:
            _wide_pull(g, x, first, last, work, dx, train)
            continue
        for i in range(n):
            here, size = i * row + at, (last - first) * s
            if train:
                reads = (
                    g.ctypes.data + here, x.ctypes.data + here,
                    column, column + line, column + 2 * line, column + 3 * line,
                )  # fmt: skip
                combine_each(x, size, reads, (), (dx.ctypes.data + here,))
            else:
                reads = g.ctypes.data + here, column, column + line, column + 2 * line
                stretch_each(x, size, reads, (), (dx.ctypes.data + here,))


@compiled(parallel=True)
def _pull_chunks(g, x, chunks, stats, weight, dx, dweight, dbias, work, train):
    for i in numba.prange(chunks):
        k0, k1 = x.shape[1] * i // chunks, x.shape[1] * (i + 1) // chunks
        _pull(g, x, k0, k1, stats, weight, dx, dweight, dbias, work, train)


def batch_norm_vjp_naive(g, x, stats, weight, dx, dweight, dbias, work, train):
    n, c, s = x.shape
    for k in range(c):
        mean, rstd = stats[0, k], stats[2, k]
        dweight[k] = dbias[k] = 0
        for i in range(n):
            for j in range(s):
                dbias[k] += g[i, k, j]
                dweight[k] += g[i, k, j] * (x[i, k, j] - mean) * rstd
        scale = rstd * weight[k] if weight.size else rstd
        for i in range(n):
            for j in range(s):
                along = dbias[k] + (x[i, k, j] - mean) * rstd * dweight[k] if train else 0.0
                dx[i, k, j] = scale * (g[i, k, j] - along / (n * s))


@twin_of(
    batch_norm_vjp_naive,
    signature=lambda f: types.void(
        read(f, 3), read(f, 3), read(F, 2), read(f), write(f, 3), write(F), write(F), write(f, 2),
        B, B,
    ),
    rtol=1e-4,
    atol=1e-5,
    intrinsic=True,
    parallel=True,
)  # fmt: skip
def batch_norm_vjp(g, x, stats, weight, dx, dweight, dbias, work, train, parallel):
    """The cotangents of x, weight and bias (float64, of c each, also without a weight).

    stats is what batch_norm left in training, or without train what was given it, which does not
    depend on x. work has the shape batch_norm_work(c, s).
    Against the twin: sums in blocks; dx as a g + b (x - mean) + c.
    """
    if x.size == 0:
        for k in range(x.shape[1]):
            dweight[k] = dbias[k] = 0
        return
    chunks = _channel_chunks(x)
    if parallel and chunks > 1:
        _pull_chunks(g, x, chunks, stats, weight, dx, dweight, dbias, work, train)
    else:
        _pull(g, x, 0, x.shape[1], stats, weight, dx, dweight, dbias, work, train)
