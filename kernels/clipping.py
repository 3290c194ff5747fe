"""Gradients measured and made shorter: one pass over all arrays of a list (see tables)."""

from __future__ import annotations

import math

import numba
import numpy as np
from numba import types

from .pair import compiled, twin_of, write
from .tables import flat, in_pieces, part_of, pieces_of, table, view_of

F, B = types.float64, types.boolean


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
        start, count, offset = part_of(arrays, i, piece, pieces, total, offset)
        if count > 0:
            sums[1 + piece] += _squares(view_of(like, arrays, i, 0, start, count))


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
    pieces, total = pieces_of(arrays)
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


@in_pieces
def _scale_part(like, arrays, i, start, count, factor):
    x = view_of(like, arrays, i, 0, start, count)
    for j in range(count):
        x[j] *= factor


@twin_of(
    scale_naive,
    signature=lambda f: table(f, F, B),
    rtol=1e-6,
    intrinsic=True,
    parallel=True,
)
def scale(like, arrays, factor, parallel):
    """Multiply every element of the arrays by factor, in place."""
    _scale_part(like, arrays, like.dtype.type(factor), parallel)


def clamp_naive(like, arrays, low, high):
    real = like.dtype.type
    for row in arrays:
        x = flat(row[0])
        for j in range(x.size):
            at_least = real(low) if x[j] < real(low) else x[j]
            x[j] = real(high) if at_least > real(high) else at_least


@in_pieces
def _clamp_part(like, arrays, i, start, count, ends):
    low, high = ends
    x = view_of(like, arrays, i, 0, start, count)
    for j in range(count):
        at_least = low if x[j] < low else x[j]
        x[j] = high if at_least > high else at_least


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
    _clamp_part(like, arrays, (real(low), real(high)), parallel)
