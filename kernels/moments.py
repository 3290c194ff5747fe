"""What batch, layer, RMS and group norms share: sums of rows, and the loops over them.

Statistics come from the distances to a first guess of the mean, summed in blocks in the array's
type and over blocks in float64: the variance does not drown where the mean is large. They are kept
in float64, and the part of a mean that the array's type cannot hold goes into the shift, for the
same reason. Work is cut by channels or rows; sums across a cut, the gradients of weight and bias
of layer and group norm, are added in order.
"""

from __future__ import annotations

import math

import numpy as np

from .pair import compiled
from .rows import row_loop

BLOCK = 4096  # elements whose sum is kept in the array's type
ROWS = 256  # elements of a column whose sum is kept in the array's type
SOME = 64  # elements of a row whose mean is the first guess of its mean


def _stretch(reads, numbers, sums):
    """y = ((x - guess) scale + shift) [weight] [+ bias]."""
    x, *affine = reads
    guess, scale, shift = numbers
    y = (x - guess) * scale + shift
    y = y * affine[0] if affine else y
    return [y + affine[1] if affine[1:] else y], sums


stretch, stretch_rows = row_loop(_stretch), row_loop(_stretch, many=True)


@row_loop
def stretch_each(reads, numbers, sums):
    x, guess, scale, shift = reads
    return [(x - guess) * scale + shift], sums


def _combine(reads, numbers, sums):
    """dx = a g [weight] + b (x - guess) + c."""
    g, x, *weight = reads
    guess, a, b, c = numbers
    g = g * weight[0] if weight else g
    return [a * g + (b * (x - guess) + c)], sums


combine, combine_rows = row_loop(_combine), row_loop(_combine, many=True)


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
    *rows, guess, a, b = reads
    for x in rows:
        d = x - guess
        a, b = a + d, b + d * d
    return [a, b], sums


@row_loop
def add_products(reads, numbers, sums):
    *rows, guess, a, b = reads
    for g, x in zip(rows[::2], rows[1::2], strict=True):
        a, b = a + g, b + g * (x - guess)
    return [a, b], sums


def _moments(reads, numbers, sums):
    d = reads[0] - numbers[0]
    return [], [sums[0] + d, sums[1] + d * d]


def _products(reads, numbers, sums):
    g, x, *weight = reads
    g = g * weight[0] if weight else g
    return [], [sums[0] + g, sums[1] + g * (x - numbers[0])]


block_moments = row_loop(_moments, sums=2)
block_products = row_loop(_products, sums=2)
moments_of_rows = row_loop(_moments, sums=2, many=True)
products_of_rows = row_loop(_products, sums=2, many=True)


@compiled
def address_of(x):
    """Return where the elements lie, 0 if there are none."""
    return np.intp(x.ctypes.data) if x.size else np.intp(0)


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
def spread_of(first, second, eps):
    """Return the variance when d and d² are so on average, and 1/√(variance + eps)."""
    variance = second - first * first
    variance = 0.0 if variance < 0 else variance
    return variance, 1 / math.sqrt(variance + eps)


@compiled
def affine_of(like, k, mean, rstd, weight, bias):
    """Return what stretches channel k: the mean as far as its type holds it, scale, shift."""
    real = like.dtype.type
    guess = real(mean)
    scale = rstd * weight[k] if weight.size else rstd
    shift = (guess - mean) * scale
    if bias.size:
        shift += bias[k]
    return guess, real(scale), real(shift)


@compiled
def slopes_of(like, mean, rstd, a, b, share):
    """Return b and c of dx = rstd h + b (x - mean) + c, (x - mean) as far as its type holds it.

    a and b are the sums of h and of h (x - mean) over the elements, each of which has that share.
    """
    real = like.dtype.type
    slope = -(rstd * rstd * rstd) * (b * share)
    return real(slope), real(slope * (real(mean) - mean) - rstd * (a * share))
