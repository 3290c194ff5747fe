"""Batch, layer, RMS and group norms, forward and backward.

Statistics come from the distances to a first guess of the mean, summed in blocks in the array's
type and over blocks in float64: the variance does not drown where the mean is large. They are kept
in float64, and the part of a mean that the array's type cannot hold goes into the shift, for the
same reason. Work is cut by channels or rows; sums across a cut, the gradients of weight and bias
of layer and group norm, are added in order.
"""

from __future__ import annotations

import math

import numba
import numpy as np
from numba import types

from .pair import compiled, read, twin_of, write
from .rows import chunks_of, row_loop

BLOCK = 4096  # elements whose sum is kept in the array's type
ROWS = 256  # elements of a column whose sum is kept in the array's type
CACHE = 1 << 16  # elements that stay in the second-level cache
NARROW = 96  # channels of fewer elements in a row are taken side by side,
COLUMNS = 2048  # so many elements at a time
PIECE = 256  # elements of a row that are worth a chunk of their own
SOME = 64  # elements of a row whose mean is the first guess of its mean
F, B = types.float64, types.boolean


@row_loop
def stretch(reads, numbers, sums):
    """y = ((x - guess) scale + shift) [weight] [+ bias]."""
    x, *affine = reads
    guess, scale, shift = numbers
    y = (x - guess) * scale + shift
    y = y * affine[0] if affine else y
    return [y + affine[1] if affine[1:] else y], sums


@row_loop
def stretch_each(reads, numbers, sums):
    x, guess, scale, shift = reads
    return [(x - guess) * scale + shift], sums


@row_loop
def combine(reads, numbers, sums):
    """dx = a g [weight] + b (x - guess) + c."""
    g, x, *weight = reads
    guess, a, b, c = numbers
    g = g * weight[0] if weight else g
    return [a * g + (b * (x - guess) + c)], sums


@row_loop
def combine_each(reads, numbers, sums):
    g, x, guess, a, b, c = reads
    return [a * g + (b * (x - guess) + c)], sums


@row_loop
def combine_and_add(reads, numbers, sums):
    """combine; and g and g times the normalised x, added to the gradients of bias and weight."""
    g, x, weight, dweight, dbias = reads
    guess, a, b, c, scale, shift = numbers
    d = x - guess
    return [a * (g * weight) + (b * d + c), dweight + g * (d * scale + shift), dbias + g], sums


@row_loop
def add_moments(reads, numbers, sums):
    x, guess, a, b = reads
    d = x - guess
    return [a + d, b + d * d], sums


@row_loop
def add_products(reads, numbers, sums):
    g, x, guess, a, b = reads
    return [a + g, b + g * (x - guess)], sums


def _total(reads, numbers, sums):
    return [], [sums[0] + reads[0]]


def _moments(reads, numbers, sums):
    d = reads[0] - numbers[0]
    return [], [sums[0] + d, sums[1] + d * d]


def _products(reads, numbers, sums):
    g, x, *weight = reads
    g = g * weight[0] if weight else g
    return [], [sums[0] + g, sums[1] + g * (x - numbers[0])]


block_total = row_loop(_total, sums=1)
block_moments = row_loop(_moments, sums=2)
block_products = row_loop(_products, sums=2)


@compiled
def _address(x):
    """Return where the elements lie, 0 if there are none."""
    return np.intp(x.ctypes.data) if x.size else np.intp(0)


@compiled
def total(like, n, x):
    """Return the sum of the n elements at address x."""
    first = 0.0
    for start in range(0, n, BLOCK):
        at = start * like.itemsize
        (a,) = block_total(like, min(BLOCK, n - start), (x + at,), (), ())
        first += a
    return first


@compiled
def moments(like, n, x, guess):
    """Return the sums of d = x - guess and of d²."""
    first, second = 0.0, 0.0
    for start in range(0, n, BLOCK):
        at = start * like.itemsize
        a, b = block_moments(like, min(BLOCK, n - start), (x + at,), (guess,), ())
        first += a
        second += b
    return first, second


@compiled
def products(like, n, g, x, weight, guess):
    """Return the sums of h and of h (x - guess), where h is g, or g weight with an address."""
    first, second = 0.0, 0.0
    for start in range(0, n, BLOCK):
        at, count = start * like.itemsize, min(BLOCK, n - start)
        if weight:
            a, b = block_products(like, count, (g + at, x + at, weight + at), (guess,), ())
        else:
            a, b = block_products(like, count, (g + at, x + at), (guess,), ())
        first += a
        second += b
    return first, second


@compiled
def _spread(first, second, eps):
    """Return the variance when d and d² are so on average, and 1/√(variance + eps)."""
    variance = second - first * first
    variance = 0.0 if variance < 0 else variance
    return variance, 1 / math.sqrt(variance + eps)


@compiled
def _affine(like, k, mean, rstd, weight, bias):
    """Return what stretches channel k: the mean as far as its type holds it, scale, shift."""
    real = like.dtype.type
    guess = real(mean)
    scale = rstd * weight[k] if weight.size else rstd
    shift = (guess - mean) * scale
    if bias.size:
        shift += bias[k]
    return guess, real(scale), real(shift)


@compiled
def _slopes(like, mean, rstd, a, b, count):
    """Return b and c of dx = rstd h + b (x - mean) + c, (x - mean) as far as its type holds it.

    a and b are the sums of h and of h (x - mean) over the count elements.
    """
    real = like.dtype.type
    slope = -(rstd * rstd * rstd) * b / count
    return real(slope), real(slope * (real(mean) - mean) - rstd * a / count)


# Batch norm. A channel is read from memory once if its elements fit into the cache.


def batch_norm_work(c, s):
    """Return the shape of the work array of the batch norms of x (n, c, s)."""
    return 4, c * s if s < NARROW else c


@compiled
def _wide_stats(x, k0, k1, stats, eps, work):
    n, c, s = x.shape
    at, row, size = x.ctypes.data, c * s * x.itemsize, s * x.itemsize
    for k in range(k0, k1):
        work[0, k] = total(x, s, at + k * size) / s
        stats[0, k] = stats[1, k] = 0
    for i in range(n):
        for k in range(k0, k1):
            first, second = moments(x, s, at + i * row + k * size, work[0, k])
            stats[0, k] += first
            stats[1, k] += second
    for k in range(k0, k1):
        first = stats[0, k] / (n * s)
        stats[0, k] = work[0, k] + first
        stats[1, k], stats[2, k] = _spread(first, stats[1, k] / (n * s), eps)


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
        for i in range(start + 1, start + count):
            reads = at + i * row, at + start * row, a, a + row
            add_moments(x, (k1 - k0) * s, reads, (), (a, a + row))
        for k in range(k0, k1):
            _merge(x, start, count, k, work, stats)
    for k in range(k0, k1):
        stats[1, k], stats[2, k] = _spread(0.0, stats[1, k], eps)


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
            _wide_stats(x, first, last, stats, eps, work)
        elif train:
            _narrow_stats(x, first, last, stats, eps, work)
        for k in range(first, last):
            guess, scale, shift = _affine(x, k, stats[0, k], stats[2, k], weight, bias)
            for j in range(k * width, (k + 1) * width):
                work[0, j], work[1, j], work[2, j] = guess, scale, shift
        at, column = first * s * x.itemsize, work.ctypes.data + first * s * x.itemsize
        for i in range(n):
            here = i * row + at
            if wide:
                for k in range(first, last):
                    numbers = work[0, k], work[1, k], work[2, k]
                    stretch(x, s, (source + here,), numbers, (target + here,))
                    here += s * x.itemsize
            else:
                reads = source + here, column, column + row, column + 2 * row
                stretch_each(x, (last - first) * s, reads, (), (target + here,))


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
        for i in range(start, min(n, start + ROWS)):
            here = i * row + at
            reads = g.ctypes.data + here, x.ctypes.data + here, guess, a, b
            add_products(x, size, reads, (), (a, b))
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
    row, size = c * s * x.itemsize, s * x.itemsize
    for k in range(k0, k1):
        dweight[k] = dbias[k] = 0
    for i in range(n):
        for k in range(k0, k1):
            here = i * row + k * size
            guess = x.dtype.type(stats[0, k])
            a, b = products(x, s, g.ctypes.data + here, x.ctypes.data + here, 0, guess)
            dbias[k] += a
            dweight[k] += b + (guess - stats[0, k]) * a


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
            b, c0 = _slopes(x, mean, rstd, w * dbias[k], w * dweight[k], n * s)
            dweight[k] *= rstd
            for j in range(k * width, (k + 1) * width):
                work[0, j], work[1, j], work[2, j], work[3, j] = mean, rstd * w, b, c0
                if not train:
                    work[0, j], work[2, j] = 0, 0
        at, column = first * s * x.itemsize, work.ctypes.data + first * width * x.itemsize
        for i in range(n):
            here = i * row + at
            if wide:
                for k in range(first, last):
                    reads = g.ctypes.data + here, x.ctypes.data + here
                    if train:
                        numbers = work[0, k], work[1, k], work[2, k], work[3, k]
                        combine(x, s, reads, numbers, (dx.ctypes.data + here,))
                    else:
                        numbers = work[0, k], work[1, k], work[2, k]
                        stretch(x, s, (reads[0],), numbers, (dx.ctypes.data + here,))
                    here += s * x.itemsize
            elif not train:
                reads = g.ctypes.data + here, column, column + line, column + 2 * line
                stretch_each(x, (last - first) * s, reads, (), (dx.ctypes.data + here,))
            else:
                reads = (
                    g.ctypes.data + here, x.ctypes.data + here,
                    column, column + line, column + 2 * line, column + 3 * line,
                )  # fmt: skip
                combine_each(x, (last - first) * s, reads, (), (dx.ctypes.data + here,))


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


# Layer and RMS norm: every row of x (r, n) on its own.


def layer_norm_work(r, n):
    """Return the shape of the work array of layer_norm_vjp: sums of rows, chunk by chunk."""
    return _row_chunks(r, n), 2, n


@compiled
def _row_chunks(r, n):
    """Return how many chunks the rows are cut into: none has more than ROWS of them."""
    return max(chunks_of(r, n), (r + ROWS - 1) // ROWS)


@compiled
def _layer_rows(x, r0, r1, weight, bias, eps, centred, y, stats):
    n = x.shape[1]
    real = x.dtype.type
    w, b = _address(weight), _address(bias)
    for i in range(r0, r1):
        source, target = x.ctypes.data + i * n * x.itemsize, y.ctypes.data + i * n * x.itemsize
        some = min(n, SOME)
        guess = real(total(x, some, source) / some) if centred else real(0)
        first, second = moments(x, n, source, guess)
        first = first / n if centred else 0.0
        mean = guess + first
        rstd = _spread(first, second / n, eps)[1]
        stats[0, i], stats[1, i] = mean, rstd
        numbers = guess, real(rstd), real(-first * rstd)
        if w and b:
            stretch(x, n, (source, w, b), numbers, (target,))
        elif w:
            stretch(x, n, (source, w), numbers, (target,))
        else:
            stretch(x, n, (source,), numbers, (target,))


@compiled(parallel=True)
def _layer_chunks(x, chunks, weight, bias, eps, centred, y, stats):
    for i in numba.prange(chunks):
        r0, r1 = x.shape[0] * i // chunks, x.shape[0] * (i + 1) // chunks
        _layer_rows(x, r0, r1, weight, bias, eps, centred, y, stats)


def layer_norm_naive(x, weight, bias, eps, centred, y, stats):
    r, n = x.shape
    for i in range(r if n else 0):
        mean = sum(float(v) for v in x[i]) / n if centred else 0.0
        variance = sum((float(v) - mean) ** 2 for v in x[i]) / n
        stats[0, i], stats[1, i] = mean, 1 / (variance + eps) ** 0.5
        for j in range(n):
            t = (float(x[i, j]) - mean) * stats[1, i]
            t = t * weight[j] if weight.size else t
            y[i, j] = t + bias[j] if bias.size else t


@twin_of(
    layer_norm_naive,
    signature=lambda f: types.void(read(f, 2), read(f), read(f), F, B, write(f, 2), write(F, 2), B),
    rtol=1e-4,
    atol=1e-5,
    intrinsic=True,
    parallel=True,
)
def layer_norm(x, weight, bias, eps, centred, y, stats, parallel):
    """y = (x - mean) / √(variance + eps) weight + bias over each row of x (r, n).

    Not centred it is the RMS norm: the mean counts as 0. weight and bias are (n) or empty, and
    bias needs weight. Leaves mean and 1/√(variance + eps) of each row in stats (2, r).
    Against the twin: sums in blocks, of the distances to a first value of the mean.
    """
    r, n = x.shape
    chunks = chunks_of(r, n)
    if parallel and chunks > 1:
        _layer_chunks(x, chunks, weight, bias, eps, centred, y, stats)
    elif n:
        _layer_rows(x, 0, r, weight, bias, eps, centred, y, stats)


@compiled
def _layer_pull(g, x, r0, r1, stats, weight, centred, dx, sums):
    """The rows r0 to r1 of dx; the gradients of weight and bias into sums (2, n)."""
    n = x.shape[1]
    real = x.dtype.type
    w, dw, db = _address(weight), sums.ctypes.data, sums.ctypes.data + n * x.itemsize
    for k in range(2):
        for j in range(n):
            sums[k, j] = 0
    for i in range(r0, r1):
        at = i * n * x.itemsize
        gs, xs, target = g.ctypes.data + at, x.ctypes.data + at, dx.ctypes.data + at
        mean, rstd = stats[0, i], stats[1, i]
        guess = real(mean)
        first, second = products(x, n, gs, xs, w, guess)
        second += (guess - mean) * first
        b, c = _slopes(x, mean, rstd, first if centred else 0.0, second, n)
        if w:
            numbers = guess, real(rstd), b, c, real(rstd), real((guess - mean) * rstd)
            combine_and_add(x, n, (gs, xs, w, dw, db), numbers, (target, dw, db))
        else:
            combine(x, n, (gs, xs), (guess, real(rstd), b, c), (target,))


@compiled(parallel=True)
def _layer_pull_chunks(g, x, stats, weight, centred, dx, work):
    chunks = work.shape[0]
    for i in numba.prange(chunks):
        r0, r1 = x.shape[0] * i // chunks, x.shape[0] * (i + 1) // chunks
        _layer_pull(g, x, r0, r1, stats, weight, centred, dx, work[i])


def layer_norm_vjp_naive(g, x, stats, weight, centred, dx, dweight, dbias, work):
    r, n = x.shape
    for j in range(weight.size):
        dweight[j] = dbias[j] = 0
    for i in range(r):
        h = [float(g[i, j]) * weight[j] if weight.size else float(g[i, j]) for j in range(n)]
        z = [(float(x[i, j]) - stats[0, i]) * stats[1, i] for j in range(n)]
        mean = sum(h) / n if n and centred else 0.0
        along = sum(p * q for p, q in zip(h, z, strict=True)) / max(n, 1)
        for j in range(n):
            dx[i, j] = stats[1, i] * (h[j] - mean - z[j] * along)
        for j in range(weight.size):
            dweight[j] += g[i, j] * z[j]
            dbias[j] += g[i, j]


@twin_of(
    layer_norm_vjp_naive,
    signature=lambda f: types.void(
        read(f, 2), read(f, 2), read(F, 2), read(f), B, write(f, 2), write(F), write(F),
        write(f, 3), B,
    ),
    rtol=1e-4,
    atol=1e-5,
    intrinsic=True,
    parallel=True,
)  # fmt: skip
def layer_norm_vjp(g, x, stats, weight, centred, dx, dweight, dbias, work, parallel):
    """The cotangents of x, and if there is a weight of weight and bias, float64 of n each.

    stats is what layer_norm left; work has the shape layer_norm_work(r, n).
    Against the twin: sums in blocks, those of weight and bias by chunks of rows.
    """
    chunks = work.shape[0]
    if parallel and chunks > 1:
        _layer_pull_chunks(g, x, stats, weight, centred, dx, work)
    else:
        for i in range(chunks):
            r0, r1 = x.shape[0] * i // chunks, x.shape[0] * (i + 1) // chunks
            _layer_pull(g, x, r0, r1, stats, weight, centred, dx, work[i])
    for j in range(weight.size):
        dweight[j] = dbias[j] = 0
    for i in range(chunks):
        for j in range(weight.size):
            dweight[j] += work[i, 0, j]
            dbias[j] += work[i, 1, j]


# Group and instance norm: every row of x (r, k, s) on its own, k channels of s elements.


@compiled
def _group_rows(x, r0, r1, weight, bias, eps, y, stats):
    _, k, s = x.shape
    real = x.dtype.type
    for i in range(r0, r1):
        at = i * k * s * x.itemsize
        source, target = x.ctypes.data + at, y.ctypes.data + at
        some = min(k * s, SOME)
        guess = real(total(x, some, source) / some)
        first, second = moments(x, k * s, source, guess)
        mean = guess + first / (k * s)
        rstd = _spread(first / (k * s), second / (k * s), eps)[1]
        stats[0, i], stats[1, i] = mean, rstd
        channel = i * k % max(weight.size, bias.size, 1)
        for j in range(k):
            numbers = _affine(x, channel + j, mean, rstd, weight, bias)
            stretch(x, s, (source,), numbers, (target,))
            source += s * x.itemsize
            target += s * x.itemsize


@compiled(parallel=True)
def _group_chunks(x, chunks, weight, bias, eps, y, stats):
    for i in numba.prange(chunks):
        r0, r1 = x.shape[0] * i // chunks, x.shape[0] * (i + 1) // chunks
        _group_rows(x, r0, r1, weight, bias, eps, y, stats)


def group_norm_naive(x, weight, bias, eps, y, stats):
    r, k, s = x.shape
    for i in range(r if k * s else 0):
        row = [float(v) for channel in x[i] for v in channel]
        mean = sum(row) / (k * s)
        variance = sum((v - mean) ** 2 for v in row) / (k * s)
        stats[0, i], stats[1, i] = mean, 1 / (variance + eps) ** 0.5
        for j in range(k):
            for q in range(s):
                t = (float(x[i, j, q]) - mean) * stats[1, i]
                t = t * weight[(i * k + j) % weight.size] if weight.size else t
                y[i, j, q] = t + bias[(i * k + j) % bias.size] if bias.size else t


@twin_of(
    group_norm_naive,
    signature=lambda f: types.void(read(f, 3), read(f), read(f), F, write(f, 3), write(F, 2), B),
    rtol=1e-4,
    atol=1e-5,
    intrinsic=True,
    parallel=True,
)
def group_norm(x, weight, bias, eps, y, stats, parallel):
    """y = (x - mean) / √(variance + eps) weight + bias over each row of x (r, k, s).

    A row is one group of one example: r is n groups, k the channels of a group. weight and bias
    are (groups k) or empty. Leaves mean and 1/√(variance + eps) of each row in stats (2, r).
    Against the twin: sums in blocks, of the distances to a first value of the mean.
    """
    r, k, s = x.shape
    chunks = chunks_of(r, k * s)
    if parallel and chunks > 1:
        _group_chunks(x, chunks, weight, bias, eps, y, stats)
    elif k * s:
        _group_rows(x, 0, r, weight, bias, eps, y, stats)


@compiled
def _group_pull(g, x, r0, r1, stats, weight, dx, sums):
    _, k, s = x.shape
    real = x.dtype.type
    size = s * x.itemsize
    for i in range(r0, r1):
        at = i * k * size
        gs, xs, target = g.ctypes.data + at, x.ctypes.data + at, dx.ctypes.data + at
        mean, rstd = stats[0, i], stats[1, i]
        guess = real(mean)
        channel = i * k % weight.size if weight.size else 0
        first, second = 0.0, 0.0
        for j in range(k):
            a, b = products(x, s, gs + j * size, xs + j * size, 0, guess)
            b += (guess - mean) * a
            sums[0, i, j], sums[1, i, j] = b * rstd, a
            w = weight[channel + j] if weight.size else 1.0
            first += w * a
            second += w * b
        b, c = _slopes(x, mean, rstd, first, second, k * s)
        for j in range(k):
            w = weight[channel + j] if weight.size else 1.0
            reads = gs + j * size, xs + j * size
            combine(x, s, reads, (guess, real(rstd * w), b, c), (target + j * size,))


@compiled(parallel=True)
def _group_pull_chunks(g, x, chunks, stats, weight, dx, sums):
    for i in numba.prange(chunks):
        r0, r1 = x.shape[0] * i // chunks, x.shape[0] * (i + 1) // chunks
        _group_pull(g, x, r0, r1, stats, weight, dx, sums)


def group_norm_vjp_naive(g, x, stats, weight, dx, dweight, dbias, sums):
    r, k, s = x.shape
    dweight[...] = dbias[...] = 0
    for i in range(r):
        mean, along = 0.0, 0.0
        for j in range(k):
            c = (i * k + j) % weight.size if weight.size else 0
            w = weight[c] if weight.size else 1
            for q in range(s):
                z = (float(x[i, j, q]) - stats[0, i]) * stats[1, i]
                mean += float(g[i, j, q]) * w / (k * s)
                along += float(g[i, j, q]) * w * z / (k * s)
                if weight.size:
                    dweight[c] += g[i, j, q] * z
                    dbias[c] += g[i, j, q]
        for j in range(k):
            w = weight[(i * k + j) % weight.size] if weight.size else 1
            for q in range(s):
                z = (float(x[i, j, q]) - stats[0, i]) * stats[1, i]
                dx[i, j, q] = stats[1, i] * (float(g[i, j, q]) * w - mean - z * along)


@twin_of(
    group_norm_vjp_naive,
    signature=lambda f: types.void(
        read(f, 3), read(f, 3), read(F, 2), read(f), write(f, 3), write(F), write(F),
        write(F, 3), B,
    ),
    rtol=1e-4,
    atol=1e-5,
    intrinsic=True,
    parallel=True,
)  # fmt: skip
def group_norm_vjp(g, x, stats, weight, dx, dweight, dbias, sums, parallel):
    """The cotangents of x, and if there is a weight of weight and bias, float64 of its size.

    stats is what group_norm left; sums (2, r, k) is a work array of float64.
    Against the twin: sums in blocks, each channel of each row first.
    """
    r, k, s = x.shape
    chunks = chunks_of(r, k * s)
    if parallel and chunks > 1:
        _group_pull_chunks(g, x, chunks, stats, weight, dx, sums)
    else:
        _group_pull(g, x, 0, r, stats, weight, dx, sums)
    for c in range(weight.size):
        dweight[c] = dbias[c] = 0
    for i in range(r if weight.size else 0):
        channel = i * k % weight.size
        for j in range(k):
            dweight[channel + j] += sums[0, i, j]
            dbias[channel + j] += sums[1, i, j]
