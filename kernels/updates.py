"""Optimiser updates: one pass over all arrays of a list (see tables).

Rates are rounded to the type of the arrays where the rules in `optim` round them, so that the
result has the same bits.
"""

from __future__ import annotations

import math

from numba import types

from .pair import compiled, twin_of
from .tables import flat, in_pieces, table, view_of

BLOCK = 4096  # bytes of each array that stay in the first-level cache between two loops
F, B = types.float64, types.boolean


def sgd_naive(like, arrays, lr, momentum, dampening, decay, nesterov, maximize):
    real = like.dtype.type
    for row in arrays:
        w, g = flat(row[0]), flat(row[1])
        for j in range(w.size):
            d = -g[j] if maximize else g[j]
            if decay:
                d += real(decay) * w[j]
            if momentum:
                m = flat(row[2])
                m[j] = real(momentum) * m[j] + real(1 - dampening) * d
                d = d + real(momentum) * m[j] if nesterov else m[j]
            w[j] -= real(lr) * d


@compiled
def _sgd(w, g, m, rates):
    sign, lr, momentum, undamped, decay, ahead = rates
    if momentum == 0:
        for j in range(w.size):
            d = sign * g[j]
            d = d + decay * w[j] if decay != 0 else d
            w[j] -= lr * d
        return
    for j in range(w.size):
        d = sign * g[j]
        d = d + decay * w[j] if decay != 0 else d
        m[j] = momentum * m[j] + undamped * d
        w[j] -= lr * (d + ahead * m[j] if ahead != 0 else m[j])


@in_pieces
def _sgd_part(like, arrays, i, start, count, rates):
    w = view_of(like, arrays, i, 0, start, count)
    g = view_of(like, arrays, i, 1, start, count)
    m = view_of(like, arrays, i, 2 if rates[2] != 0 else 1, start, count)
    _sgd(w, g, m, rates)


@twin_of(
    sgd_naive,
    signature=lambda f: table(f, F, F, F, F, B, B, B),
    rtol=1e-6,
    intrinsic=True,
    parallel=True,
)
def sgd(like, arrays, lr, momentum, dampening, decay, nesterov, maximize, parallel):
    """m ← μ m + (1 - τ) g,  w -= lr m, or lr (g + μ m) with nesterov;  without momentum w -= lr g.

    The columns of arrays are w, g and, for a momentum, m.
    """
    real = like.dtype.type
    rates = (
        real(-1 if maximize else 1), real(lr), real(momentum), real(1 - dampening), real(decay),
        real(momentum if nesterov else 0),
    )  # fmt: skip
    _sgd_part(like, arrays, rates, parallel)


def adagrad_naive(like, arrays, rate, eps, decay, maximize):
    real = like.dtype.type
    for row in arrays:
        w, g, v = map(flat, row)
        for j in range(w.size):
            d = -g[j] if maximize else g[j]
            if decay:
                d += real(decay) * w[j]
            v[j] += d * d
            w[j] -= real(rate) * d / (real(math.sqrt(v[j])) + real(eps))


@in_pieces
def _adagrad_part(like, arrays, i, start, count, rates):
    sign, rate, eps, decay = rates
    w = view_of(like, arrays, i, 0, start, count)
    g = view_of(like, arrays, i, 1, start, count)
    v = view_of(like, arrays, i, 2, start, count)
    for j in range(count):
        d = sign * g[j]
        d = d + decay * w[j] if decay != 0 else d
        v[j] += d * d
        w[j] -= rate * d / (math.sqrt(v[j]) + eps)


@twin_of(
    adagrad_naive,
    signature=lambda f: table(f, F, F, F, B, B),
    rtol=1e-6,
    intrinsic=True,
    parallel=True,
)
def adagrad(like, arrays, rate, eps, decay, maximize, parallel):
    """v += g²,  w -= rate g / (√v + eps);  the columns of arrays are w, g, v."""
    real = like.dtype.type
    rates = real(-1 if maximize else 1), real(rate), real(eps), real(decay)
    _adagrad_part(like, arrays, rates, parallel)


def rmsprop_naive(like, arrays, lr, alpha, eps, decay, momentum, centered, maximize):
    real = like.dtype.type
    for row in arrays:
        w, g, v = map(flat, row[:3])
        for j in range(w.size):
            d = -g[j] if maximize else g[j]
            if decay:
                d += real(decay) * w[j]
            v[j] = real(alpha) * v[j] + real(1 - alpha) * d * d
            spread = v[j]
            if centered:
                mean = flat(row[3])
                mean[j] = real(alpha) * mean[j] + real(1 - alpha) * d
                spread -= mean[j] * mean[j]
            d /= real(spread**0.5) + real(eps)
            if momentum:
                m = flat(row[4])
                m[j] = d = real(momentum) * m[j] + d
            w[j] -= real(lr) * d


@compiled
def _rmsprop(w, g, v, mean, m, rates):
    """One block: a loop of its own for each array that may be absent."""
    sign, lr, alpha, rest, eps, decay, momentum, centered = rates
    for j in range(w.size):
        d = sign * g[j]
        d = d + decay * w[j] if decay != 0 else d
        v[j] = alpha * v[j] + rest * d * d
    if centered:
        for j in range(w.size):
            d = sign * g[j]
            d = d + decay * w[j] if decay != 0 else d
            mean[j] = alpha * mean[j] + rest * d
    if momentum == 0:
        for j in range(w.size):
            d = sign * g[j]
            d = d + decay * w[j] if decay != 0 else d
            spread = v[j] - mean[j] * mean[j] if centered else v[j]
            w[j] -= lr * (d / (math.sqrt(spread) + eps))
        return
    for j in range(w.size):
        d = sign * g[j]
        d = d + decay * w[j] if decay != 0 else d
        spread = v[j] - mean[j] * mean[j] if centered else v[j]
        m[j] = momentum * m[j] + d / (math.sqrt(spread) + eps)
    for j in range(w.size):
        w[j] -= lr * m[j]


@in_pieces
def _rmsprop_part(like, arrays, i, begin, left, rates):
    step = BLOCK // like.itemsize
    momentum, centered = rates[-2:]
    for start in range(begin, begin + left, step):
        count = min(step, begin + left - start)
        w = view_of(like, arrays, i, 0, start, count)
        g = view_of(like, arrays, i, 1, start, count)
        v = view_of(like, arrays, i, 2, start, count)
        mean = view_of(like, arrays, i, 3 if centered else 2, start, count)
        m = view_of(like, arrays, i, 4 if momentum != 0 else 2, start, count)
        _rmsprop(w, g, v, mean, m, rates)


@twin_of(
    rmsprop_naive,
    signature=lambda f: table(f, F, F, F, F, F, B, B, B),
    rtol=1e-6,
    intrinsic=True,
    parallel=True,
)
def rmsprop(like, arrays, lr, alpha, eps, decay, momentum, centered, maximize, parallel):
    """v ← α v + (1 - α) g²,  w -= lr g / (√v + eps), or the m that momentum makes of the fraction.

    The columns of arrays are w, g, v, the mean of g (where centered: √(v - mean²)), m.
    """
    real = like.dtype.type
    rates = (
        real(-1 if maximize else 1), real(lr), real(alpha), real(1 - alpha), real(eps),
        real(decay), real(momentum), centered,
    )  # fmt: skip
    _rmsprop_part(like, arrays, rates, parallel)


def adam_naive(like, arrays, rate, root_scale, b1, b2, eps, decay, shrink, amsgrad, maximize):
    real = like.dtype.type
    for row in arrays:
        w, g, m, v = map(flat, row[:4])
        for j in range(w.size):
            d = -g[j] if maximize else g[j]
            if decay:
                d += real(decay) * w[j]
            m[j] = real(b1) * m[j] + real(1 - b1) * d
            v[j] = largest = real(b2) * v[j] + real(1 - b2) * d * d
            if amsgrad:
                h = flat(row[4])
                h[j] = largest = h[j] if h[j] > v[j] or h[j] != h[j] else v[j]
            root = real(largest**0.5) / real(root_scale)
            w[j] = w[j] * real(1 - shrink) - real(rate) * m[j] / (root + real(eps))


@compiled
def _adam(w, g, m, v, h, rates):
    """One block; h is v where there is no amsgrad."""
    sign, b1, rest1, b2, rest2, root_scale, rate, eps, decay, keep, amsgrad = rates
    if not amsgrad:
        for j in range(w.size):
            d = sign * g[j]
            d = d + decay * w[j] if decay != 0 else d
            m[j] = b1 * m[j] + rest1 * d
            v[j] = b2 * v[j] + rest2 * d * d
            w[j] = w[j] * keep - rate * m[j] / (math.sqrt(v[j]) / root_scale + eps)
        return
    for j in range(w.size):
        d = sign * g[j]
        d = d + decay * w[j] if decay != 0 else d
        m[j] = b1 * m[j] + rest1 * d
        v[j] = b2 * v[j] + rest2 * d * d
    for j in range(w.size):
        # So written, a NaN on either side stays.
        h[j] = h[j] if (h[j] > v[j]) | (h[j] != h[j]) else v[j]
    for j in range(w.size):
        w[j] = w[j] * keep - rate * m[j] / (math.sqrt(h[j]) / root_scale + eps)


@in_pieces
def _adam_part(like, arrays, i, begin, left, rates):
    amsgrad = rates[-1]
    step = BLOCK // like.itemsize if amsgrad else left
    for start in range(begin, begin + left, step):
        count = min(step, begin + left - start)
        w = view_of(like, arrays, i, 0, start, count)
        g = view_of(like, arrays, i, 1, start, count)
        m = view_of(like, arrays, i, 2, start, count)
        v = view_of(like, arrays, i, 3, start, count)
        h = view_of(like, arrays, i, 4 if amsgrad else 3, start, count)
        _adam(w, g, m, v, h, rates)


@twin_of(
    adam_naive,
    signature=lambda f: table(f, F, F, F, F, F, F, F, B, B, B),
    rtol=1e-6,
    intrinsic=True,
    parallel=True,
)
def adam(like, arrays, rate, root_scale, b1, b2, eps, decay, shrink, amsgrad, maximize, parallel):
    """m ← b1 m + (1 - b1) g,  v ← b2 v + (1 - b2) g²,  w ← (1 - shrink) w - r m / (√v / c + eps).

    The columns of arrays are w, g, m, v and, for amsgrad, the largest v so far. At step t the rate
    r is lr / (1 - b1ᵗ), and c, the root_scale, √(1 - b2ᵗ). Adam adds decay w to g, AdamW shrinks w
    by lr times its weight decay.
    """
    real = like.dtype.type
    rates = (
        real(-1 if maximize else 1), real(b1), real(1 - b1), real(b2), real(1 - b2),
        real(root_scale), real(rate), real(eps), real(decay), real(1 - shrink), amsgrad,
    )  # fmt: skip
    _adam_part(like, arrays, rates, parallel)
