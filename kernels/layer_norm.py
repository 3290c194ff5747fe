"""Layer and RMS norm, forward and backward: every row of x (r, n) on its own."""

from __future__ import annotations

import numba
import numpy as np
from numba import types

from .moments import (
    ROWS,
    SOME,
    address_of,
    combine,
    combine_and_add,
    moments,
    products,
    slopes_of,
    spread_of,
    stretch,
)
from .pair import compiled, read, twin_of, write
from .rows import chunks_of
from .sums import line_sum

F, B = types.float64, types.boolean


def layer_norm_work(r, n, width):
    """Return the shape of the work array of layer_norm_vjp: sums of rows, chunk by chunk.

    width is the size of the weight.
    """
    return _row_chunks(r, n), 2, width


@compiled
def _row_chunks(r, n):
    """Return how many chunks the rows are cut into: none has more than ROWS of them."""
    return max(chunks_of(r, n), (r + ROWS - 1) // ROWS)


@compiled
def _layer_rows(x, r0, r1, weight, bias, eps, centred, y, stats):
    n = x.shape[1]
    real = x.dtype.type
    row, some, share = n * x.itemsize, min(n, SOME), 1 / np.float64(n)
    part = row * (r0 % max(1, weight.size // n))  # of weight and bias, those of this row
    for i in range(r0, r1):
        source, target = x.ctypes.data + i * row, y.ctypes.data + i * row
        guess = real(line_sum(x, some, source) / some) if centred else real(0)
        first, second = moments(x, n, source, guess)
        first = first * share if centred else 0.0
        mean = guess + first
        rstd = spread_of(first, second * share, eps)[1]
        stats[0, i], stats[1, i] = mean, rstd
        numbers = guess, real(rstd), real(-first * rstd)
        w, b = address_of(weight) + part, address_of(bias) + part
        if weight.size and bias.size:
            stretch(x, n, (source, w, b), numbers, (target,))
        elif weight.size:
            stretch(x, n, (source, w), numbers, (target,))
        else:
            stretch(x, n, (source,), numbers, (target,))
        part = part + row if part + row < weight.size * x.itemsize else 0


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
            t = t * weight[(i * n + j) % weight.size] if weight.size else t
            y[i, j] = t + bias[(i * n + j) % bias.size] if bias.size else t


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

    Not centred it is the RMS norm: the mean counts as 0. weight and bias are (m n) or empty, and
    row i takes part i % m of them; bias needs weight. Leaves mean and 1/√(variance + eps) of each
    row in stats (2, r).
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
    row, share = n * x.itemsize, 1 / np.float64(n)
    part = row * (r0 % max(1, weight.size // n))
    for k in range(2):
        for j in range(sums.shape[1]):
            sums[k, j] = 0
    for i in range(r0, r1):
        at = i * row
        w = address_of(weight) + part if weight.size else np.intp(0)
        dw = sums.ctypes.data + part
        db = dw + sums.shape[1] * x.itemsize
        gs, xs, target = g.ctypes.data + at, x.ctypes.data + at, dx.ctypes.data + at
        mean, rstd = stats[0, i], stats[1, i]
        guess = real(mean)
        first, second = products(x, n, gs, xs, w, guess)
        second += (guess - mean) * first
        b, c = slopes_of(x, mean, rstd, first if centred else 0.0, second, share)
        if w:
            numbers = guess, real(rstd), b, c, real(rstd), real((guess - mean) * rstd)
            combine_and_add(x, n, (gs, xs, w, dw, db), numbers, (target, dw, db))
        else:
            combine(x, n, (gs, xs), (guess, real(rstd), b, c), (target,))
        part = part + row if part + row < weight.size * x.itemsize else 0


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
        w = [weight[(i * n + j) % weight.size] if weight.size else 1 for j in range(n)]
        h = [float(g[i, j]) * w[j] for j in range(n)]
        z = [(float(x[i, j]) - stats[0, i]) * stats[1, i] for j in range(n)]
        mean = sum(h) / n if n and centred else 0.0
        along = sum(p * q for p, q in zip(h, z, strict=True)) / max(n, 1)
        for j in range(n):
            dx[i, j] = stats[1, i] * (h[j] - mean - z[j] * along)
        for j in range(n if weight.size else 0):
            dweight[(i * n + j) % weight.size] += g[i, j] * z[j]
            dbias[(i * n + j) % weight.size] += g[i, j]


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
    """The cotangents of x, and if there is a weight of weight and bias, float64 of its size.

    stats is what layer_norm left; work has the shape layer_norm_work(r, n, weight.size).
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
