"""Optimiser updates, and gradients made shorter: one pass over all arrays of a list.

A list of arrays is a table of their `id`s, int64 of shape (count, columns): a row for each
parameter, a column for each role. An id is where the array's record lies, and the record says
where its data lie (NumPy's C API, PyArrayObject); asking NumPy itself for fifty addresses takes
longer than the update. The caller keeps the arrays alive; they are C-contiguous and of the type
of `like`, those of a row are of one size. An id that is not needed may be 0.

The elements of the list, one array after the other, are cut into pieces by their number alone.
Rates are rounded to the type of the arrays where the rules in `optim` round them, so that the
result has the same bits.
"""

from __future__ import annotations

import ctypes
import math
from typing import Any

import numba
import numpy as np
from numba import types
from numba.extending import intrinsic
from numba.np.numpy_support import carray

from .pair import compiled, read, twin_of, write

PIECE = 1 << 15  # elements that are worth a piece of their own
PIECES = 64  # at most
BLOCK = 4096  # bytes of each array that stay in the first-level cache between two loops
RECORD = object.__basicsize__  # where in an array's record the address of its data stands


F, B = types.float64, types.boolean


def table(f, *rates):
    return types.void(read(f), read(types.int64, 2), *rates)


def flat(identity):
    """Return the array that has this id, as one axis."""
    return ctypes.cast(int(identity), ctypes.py_object).value.reshape(-1)


def _pointer(typingctx, like, address):  # type: ignore
    """Return an address as a pointer to elements of like."""

    def codegen(context, builder, signature, args):  # type: ignore
        return builder.inttoptr(args[1], context.get_value_type(signature.return_type))

    return types.CPointer(like.dtype)(like, types.intp), codegen


pointer: Any = intrinsic(_pointer)


@compiled
def _size(arrays, i):
    """Return how many elements the arrays of row i have."""
    record = carray(pointer(arrays, arrays[i, 0] + RECORD), 3)  # data, number of axes, axes
    axes = record[1] & 0xFFFFFFFF
    shape = carray(pointer(arrays, record[2]), axes)
    n = 1
    for axis in range(axes):
        n *= shape[axis]
    return n


@compiled
def _view(like, arrays, i, k, start, count):
    """Return elements of the array in row i and column k."""
    record = carray(pointer(arrays, arrays[i, k] + RECORD), 1)
    return carray(pointer(like, record[0] + start * like.itemsize), count)


@compiled
def _pieces(arrays):
    """Return how many pieces the elements are cut into, and how many elements there are."""
    total = 0
    for i in range(arrays.shape[0]):
        total += _size(arrays, i)
    return min(PIECES, max(1, total // PIECE)), total


@compiled
def _part(arrays, i, piece, pieces, total, offset):
    """Return start and number of a piece's elements in row i, and how many end before row i + 1."""
    n = _size(arrays, i)
    start = max(0, total * piece // pieces - offset)
    stop = min(n, total * (piece + 1) // pieces - offset)
    return start, stop - start, offset + n


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


@compiled
def _sgd_piece(like, arrays, piece, pieces, total, rates):
    offset = 0
    for i in range(arrays.shape[0]):
        start, count, offset = _part(arrays, i, piece, pieces, total, offset)
        if count > 0:
            w = _view(like, arrays, i, 0, start, count)
            g = _view(like, arrays, i, 1, start, count)
            m = _view(like, arrays, i, 2 if rates[2] != 0 else 1, start, count)
            _sgd(w, g, m, rates)


@compiled(parallel=True)
def _sgd_pieces(like, arrays, pieces, total, rates):
    for piece in numba.prange(pieces):
        _sgd_piece(like, arrays, piece, pieces, total, rates)


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
    pieces, total = _pieces(arrays)
    if parallel and pieces > 1:
        _sgd_pieces(like, arrays, pieces, total, rates)
    else:
        _sgd_piece(like, arrays, 0, 1, total, rates)


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


@compiled
def _adagrad_piece(like, arrays, piece, pieces, total, rates):
    sign, rate, eps, decay = rates
    offset = 0
    for i in range(arrays.shape[0]):
        start, count, offset = _part(arrays, i, piece, pieces, total, offset)
        if count > 0:
            w = _view(like, arrays, i, 0, start, count)
            g = _view(like, arrays, i, 1, start, count)
            v = _view(like, arrays, i, 2, start, count)
            for j in range(count):
                d = sign * g[j]
                d = d + decay * w[j] if decay != 0 else d
                v[j] += d * d
                w[j] -= rate * d / (math.sqrt(v[j]) + eps)


@compiled(parallel=True)
def _adagrad_pieces(like, arrays, pieces, total, rates):
    for piece in numba.prange(pieces):
        _adagrad_piece(like, arrays, piece, pieces, total, rates)


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
    pieces, total = _pieces(arrays)
    if parallel and pieces > 1:
        _adagrad_pieces(like, arrays, pieces, total, rates)
    else:
        _adagrad_piece(like, arrays, 0, 1, total, rates)


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
def _rmsprop(w, g, v, mean, m, rates, centered):
    """One block: a loop of its own for each array that may be absent."""
    sign, lr, alpha, rest, eps, decay, momentum = rates
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


@compiled
def _rmsprop_piece(like, arrays, piece, pieces, total, rates, centered):
    step = BLOCK // like.itemsize
    offset = 0
    for i in range(arrays.shape[0]):
        begin, left, offset = _part(arrays, i, piece, pieces, total, offset)
        for start in range(begin, begin + left, step):
            count = min(step, begin + left - start)
            w = _view(like, arrays, i, 0, start, count)
            g = _view(like, arrays, i, 1, start, count)
            v = _view(like, arrays, i, 2, start, count)
            mean = _view(like, arrays, i, 3 if centered else 2, start, count)
            m = _view(like, arrays, i, 4 if rates[6] != 0 else 2, start, count)
            _rmsprop(w, g, v, mean, m, rates, centered)


@compiled(parallel=True)
def _rmsprop_pieces(like, arrays, pieces, total, rates, centered):
    for piece in numba.prange(pieces):
        _rmsprop_piece(like, arrays, piece, pieces, total, rates, centered)


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
        real(decay), real(momentum),
    )  # fmt: skip
    pieces, total = _pieces(arrays)
    if parallel and pieces > 1:
        _rmsprop_pieces(like, arrays, pieces, total, rates, centered)
    else:
        _rmsprop_piece(like, arrays, 0, 1, total, rates, centered)


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
def _adam(w, g, m, v, h, rates, amsgrad):
    """One block; h is v where there is no amsgrad."""
    sign, b1, rest1, b2, rest2, root_scale, rate, eps, decay, keep = rates
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


@compiled
def _adam_piece(like, arrays, piece, pieces, total, rates, amsgrad):
    step = BLOCK // like.itemsize
    offset = 0
    for i in range(arrays.shape[0]):
        begin, left, offset = _part(arrays, i, piece, pieces, total, offset)
        for start in range(begin, begin + left, step if amsgrad else max(left, 1)):
            count = min(step, begin + left - start) if amsgrad else left
            w = _view(like, arrays, i, 0, start, count)
            g = _view(like, arrays, i, 1, start, count)
            m = _view(like, arrays, i, 2, start, count)
            v = _view(like, arrays, i, 3, start, count)
            h = _view(like, arrays, i, 4 if amsgrad else 3, start, count)
            _adam(w, g, m, v, h, rates, amsgrad)


@compiled(parallel=True)
def _adam_pieces(like, arrays, pieces, total, rates, amsgrad):
    for piece in numba.prange(pieces):
        _adam_piece(like, arrays, piece, pieces, total, rates, amsgrad)


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
        real(root_scale), real(rate), real(eps), real(decay), real(1 - shrink),
    )  # fmt: skip
    pieces, total = _pieces(arrays)
    if parallel and pieces > 1:
        _adam_pieces(like, arrays, pieces, total, rates, amsgrad)
    else:
        _adam_piece(like, arrays, 0, 1, total, rates, amsgrad)


def square_sum_naive(like, arrays, sums):
    sums[0] = math.fsum(float(x) ** 2 for row in arrays for x in flat(row[0]))


@compiled(fastmath=frozenset({"contract", "reassoc"}))
def _squares(x):
    """Sum the squares in float64, which holds the square of any float32."""
    total = 0.0
    for j in range(x.size):
        total += np.float64(x[j]) * np.float64(x[j])
    return total


@compiled
def _square_sum_piece(like, arrays, piece, pieces, total, sums):
    offset = 0
    sums[1 + piece] = 0
    for i in range(arrays.shape[0]):
        start, count, offset = _part(arrays, i, piece, pieces, total, offset)
        if count > 0:
            sums[1 + piece] += _squares(_view(like, arrays, i, 0, start, count))


@compiled(parallel=True)
def _square_sum_pieces(like, arrays, pieces, total, sums):
    for piece in numba.prange(pieces):
        _square_sum_piece(like, arrays, piece, pieces, total, sums)


@twin_of(
    square_sum_naive,
    signature=lambda f: table(f, write(F), B),
    rtol=1e-12,
    intrinsic=True,
    parallel=True,
)
def square_sum(like, arrays, sums, parallel):
    """Leave the sum of the squares of all elements in sums[0]; sums has 1 + PIECES float64.

    Against the twin: many sums side by side in each piece, and the pieces added in order.
    """
    pieces, total = _pieces(arrays)
    if parallel and pieces > 1:
        _square_sum_pieces(like, arrays, pieces, total, sums)
    else:
        for piece in range(pieces):
            _square_sum_piece(like, arrays, piece, pieces, total, sums)
    sums[0] = 0
    for piece in range(pieces):
        sums[0] += sums[1 + piece]


def scale_naive(like, arrays, factor):
    for row in arrays:
        x = flat(row[0])
        for j in range(x.size):
            x[j] *= like.dtype.type(factor)


@compiled
def _scale_piece(like, arrays, piece, pieces, total, factor):
    offset = 0
    for i in range(arrays.shape[0]):
        start, count, offset = _part(arrays, i, piece, pieces, total, offset)
        if count > 0:
            x = _view(like, arrays, i, 0, start, count)
            for j in range(count):
                x[j] *= factor


@compiled(parallel=True)
def _scale_pieces(like, arrays, pieces, total, factor):
    for piece in numba.prange(pieces):
        _scale_piece(like, arrays, piece, pieces, total, factor)


@twin_of(
    scale_naive,
    signature=lambda f: table(f, F, B),
    rtol=1e-6,
    intrinsic=True,
    parallel=True,
)
def scale(like, arrays, factor, parallel):
    """Multiply every element of the arrays by factor, in place."""
    pieces, total = _pieces(arrays)
    if parallel and pieces > 1:
        _scale_pieces(like, arrays, pieces, total, like.dtype.type(factor))
    else:
        _scale_piece(like, arrays, 0, 1, total, like.dtype.type(factor))


def clamp_naive(like, arrays, low, high):
    real = like.dtype.type
    for row in arrays:
        x = flat(row[0])
        for j in range(x.size):
            at_least = real(low) if x[j] < real(low) else x[j]
            x[j] = real(high) if at_least > real(high) else at_least


@compiled
def _clamp_piece(like, arrays, piece, pieces, total, low, high):
    offset = 0
    for i in range(arrays.shape[0]):
        start, count, offset = _part(arrays, i, piece, pieces, total, offset)
        if count > 0:
            x = _view(like, arrays, i, 0, start, count)
            for j in range(count):
                at_least = low if x[j] < low else x[j]
                x[j] = high if at_least > high else at_least


@compiled(parallel=True)
def _clamp_pieces(like, arrays, pieces, total, low, high):
    for piece in numba.prange(pieces):
        _clamp_piece(like, arrays, piece, pieces, total, low, high)


@twin_of(
    clamp_naive,
    signature=lambda f: table(f, F, F, B),
    rtol=1e-6,
    intrinsic=True,
    parallel=True,
)
def clamp(like, arrays, low, high, parallel):
    """Bring every element of the arrays to low or high where it is beyond; NaN stays NaN."""
    real = like.dtype.type
    pieces, total = _pieces(arrays)
    if parallel and pieces > 1:
        _clamp_pieces(like, arrays, pieces, total, real(low), real(high))
    else:
        _clamp_piece(like, arrays, 0, 1, total, real(low), real(high))
