"""Group and instance norm, forward and backward: each row of x (r, k, s) has k channels.

Where s is small, layer norm does it, with weights of every element.
"""

from __future__ import annotations

import numba
from numba import types

from .moments import SOME, affine_of, combine, moments, products, slopes_of, spread_of, stretch
from .pair import compiled, read, twin_of, write
from .rows import chunks_of
from .sums import line_sum

F, B = types.float64, types.boolean


@compiled
def _group_rows(x, r0, r1, weight, bias, eps, y, stats):
    _, k, s = x.shape
    real = x.dtype.type
    for i in range(r0, r1):
        at = i * k * s * x.itemsize
        source, target = x.ctypes.data + at, y.ctypes.data + at
        some = min(k * s, SOME)
        guess = real(line_sum(x, some, source) / some)
        first, second = moments(x, k * s, source, guess)
        mean = guess + first / (k * s)
        rstd = spread_of(first / (k * s), second / (k * s), eps)[1]
        stats[0, i], stats[1, i] = mean, rstd
        channel = i * k % max(weight.size, bias.size, 1)
        for j in range(k):
            numbers = affine_of(x, channel + j, mean, rstd, weight, bias)
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
        b, c = slopes_of(x, mean, rstd, first, second, 1 / (k * s))
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
