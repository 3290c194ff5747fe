"""Matrix products: packed where it pays, register tiles within, any strides, any number of threads.

A product is cut into chunks of rows and columns by its size alone. Each element of c is summed by
one chunk, in the same order whoever runs it, so the bits do not depend on the threads.
"""

from __future__ import annotations

import math

import numba
import numpy as np
from numba import types
from numba.np.ufunc.parallel import get_thread_id

from .follow import RELU, SIGMOID, TANH
from .lanes import ROWS, VECTORS, copy_row, flip, lanes_of, tile
from .pair import compiled, twin_of, write

DEPTH = 512  # of a packed block
COLUMNS = 512  # of a packed block of float32: all of it stays in the second-level cache
HEIGHT = 8 * ROWS[0]  # rows that meet a strip before the next strip comes
PACK_FROM = 1 << 18  # elements of b from which its rows are copied together
AT_ONCE = 8  # rows of b that are packed together
SPARE = 48  # elements between blocks: more than a tile is wide, an odd number of cache lines
POWER = 1024  # bytes: rows of a that are multiples of this apart are copied
REUSE = 128  # columns that make copying a worth it
CHUNK_WORK = 1 << 19  # multiply-adds that are worth a chunk of their own
CHUNKS = 8  # at most


def stacked(dtype, readonly):
    """Any matrices, one after the other along axis 0, with any strides."""
    return types.Array(dtype, 3, "A", readonly=readonly)


def signature(f):
    return types.void(
        stacked(f, True), stacked(f, True), types.Array(f, 1, "C", readonly=True),
        write(f, 3), write(f, 2), types.intp, types.boolean, types.boolean,
    )  # fmt: skip


def workspace(threads):
    """Return the shape of the work array: a packed block of b, and one of a, for each thread."""
    block = max(HEIGHT * (DEPTH + SPARE), DEPTH * (HEIGHT + SPARE))
    return threads, DEPTH * (COLUMNS + SPARE) + block + SPARE


@compiled
def _settle(work, a, ra, ca, rows, depth):
    """Copy a block of a; return where it is, and its strides.

    Rows that lie a power of two apart fall into the same few sets of the cache and push each
    other out; the copy's are an odd number of lines apart.
    """
    size = work.itemsize
    wide = VECTORS * lanes_of(work)
    block = work[DEPTH * (COLUMNS + SPARE) :].ctypes.data
    if ca == 1:
        lines, length, stride, far = rows, depth, DEPTH + SPARE, ra
    else:
        lines, length, stride, far = depth, rows, HEIGHT + SPARE, ca
    for i in range(lines):
        for j in range(0, length, wide):
            copy_row(
                work, a + (i * far + j) * size, block + (i * stride + j) * size,
                min(wide, length - j),
            )  # fmt: skip
    return (block, stride, 1) if ca == 1 else (block, 1, stride)


@compiled
def _pack(b, work, k0, depth, n0, cols):
    """Copy a block of b into strips, each with its rows one after the other, zeros at the end."""
    size = work.itemsize
    lanes = lanes_of(work)
    wide = VECTORS * lanes
    rb, cb = b.strides[0] // size, b.strides[1] // size
    source = b.ctypes.data + (k0 * rb + n0 * cb) * size
    target = work.ctypes.data
    if cb == 1:  # a few rows at a time: they lie on a page each
        for k in range(0, depth, AT_ONCE):
            for j in range(0, cols, wide):
                for i in range(k, min(depth, k + AT_ONCE)):
                    copy_row(
                        work, source + (i * rb + j) * size, target + (j * depth + i * wide) * size,
                        min(wide, cols - j),
                    )  # fmt: skip
        return
    square = depth // lanes * lanes if rb == 1 else 0
    for j in range(0, cols, wide):
        width = min(wide, cols - j)
        for i in range(0, wide, lanes):
            for k in range(0, square, lanes):
                flip(
                    work, source + ((j + i) * cb + k) * size, cb,
                    target + (j * depth + k * wide + i) * size, wide, width - i,
                )  # fmt: skip
        flat = work[j * depth : (j + wide) * depth]
        for k in range(square, depth):
            for i in range(wide):
                inside = i < width
                flat[k * wide + i] = b[k0 + k, n0 + j + i] if inside else 0


@compiled
def follow_row(row, follow):
    """Apply what follows to neighbours."""
    if follow == RELU:
        for i in range(row.size):
            # So written, NaN stays NaN.
            row[i] = 0 if row[i] < 0 else row[i]
    elif follow == TANH:
        for i in range(row.size):
            row[i] = math.tanh(row[i])
    elif follow == SIGMOID:
        for i in range(row.size):
            row[i] = 1 / (1 + math.exp(-row[i]))


@compiled
def _finish(c, m0, m1, n0, n1, bias, follow):
    """Add the bias of each column and apply what follows, while the block is in the cache."""
    for i in range(m0, m1):
        row = c[i, n0:n1]
        if bias.size:
            for j in range(row.size):
                row[j] += bias[n0 + j]
        follow_row(row, follow)


@compiled
def _chunk(a, b, bias, c, work, m0, m1, n0, n1, follow, add):
    """Rows m0 to m1 and columns n0 to n1 of one product."""
    size = c.itemsize
    lanes = lanes_of(work)
    wide = VECTORS * lanes
    k, rc = a.shape[1], c.shape[1]
    ra, ca = a.strides[0] // size, a.strides[1] // size
    rb, cb = b.strides[0] // size, b.strides[1] // size
    pack = cb != 1 or b.size >= PACK_FROM
    step = DEPTH if pack else max(k, 1)
    far = max(ra, ca) * size
    settle = min(ra, ca) == 1 and far % POWER == 0 and n1 - n0 >= REUSE
    across = COLUMNS * 4 // size
    for j0 in range(n0, n1, across):
        j1 = min(n1, j0 + across)
        for k0 in range(0, k, step):
            depth = min(step, k - k0)
            if pack:
                _pack(b, work, k0, depth, j0, j1 - j0)
            for i0 in range(m0, m1, HEIGHT):
                rows = min(HEIGHT, m1 - i0)
                block, rx, cx = a.ctypes.data + (i0 * ra + k0 * ca) * size, ra, ca
                if pack and settle:
                    block, rx, cx = _settle(work, block, ra, ca, rows, depth)
                for j in range(j0, j1, wide):
                    if pack:
                        strip, stride = work.ctypes.data + (j - j0) * depth * size, wide
                    else:
                        strip, stride = b.ctypes.data + (k0 * rb + j) * size, rb
                    place = c.ctypes.data + (i0 * rc + j) * size
                    more, cols = add or k0 > 0, min(wide, j1 - j)
                    tile(work, block, rx, cx, strip, stride, depth, place, rc, rows, cols, more)
                if k0 + depth == k:
                    _finish(c, i0, i0 + rows, j0, j1, bias, follow)
    if k == 0:
        if not add:
            c[m0:m1, n0:n1] = 0
        _finish(c, m0, m1, n0, n1, bias, follow)


@compiled
def _cut(m, k, n):
    """Return how many pieces rows and columns are cut into: by their sizes alone.

    Every piece of rows packs its columns of b anew, and every piece of columns its rows of a.
    """
    pieces = min(CHUNKS, max(1, m * k * n // CHUNK_WORK))
    columns = max(1, min(pieces, n // 256))
    rows = max(1, min(pieces // columns, m // (4 * ROWS[0])))
    return rows, max(columns, min(pieces // rows, n // 128))


@compiled
def _piece(total, pieces, i, unit):
    """Return where piece i of an axis begins; all but the last end on a multiple of `unit`."""
    units = (total + unit - 1) // unit
    return min(total, units * i // pieces * unit)


@compiled
def _one(a, b, bias, c, work, t, i, j, rows, columns, follow, add):
    m, n = c.shape[1], c.shape[2]
    wide = VECTORS * lanes_of(work)
    m0, m1 = _piece(m, rows, i, ROWS[0]), _piece(m, rows, i + 1, ROWS[0])
    n0, n1 = _piece(n, columns, j, wide), _piece(n, columns, j + 1, wide)
    _chunk(a[t], b[t], bias, c[t], work, m0, m1, n0, n1, follow, add)


@compiled(parallel=True)
def _parallel(a, b, bias, c, work, follow, add, rows, columns):
    for chunk in numba.prange(c.shape[0] * rows * columns):
        t, rest = chunk // (rows * columns), chunk % (rows * columns)
        i, j = rest // columns, rest % columns
        _one(a, b, bias, c, work[get_thread_id()], t, i, j, rows, columns, follow, add)


def follow_row_naive(row, follow):
    if follow == RELU:
        row[row < 0] = 0
    elif follow == TANH:
        row[:] = np.tanh(row)
    elif follow == SIGMOID:
        row[:] = 1 / (1 + np.exp(-row))


def gemm_naive(a, b, bias, c, work, follow, add):
    for t in range(c.shape[0]):
        for i in range(c.shape[1]):
            for j in range(c.shape[2]):
                total = c[t, i, j] if add else c.dtype.type(0)
                for k in range(a.shape[2]):
                    total += a[t, i, k] * b[t, k, j]
                if bias.size:
                    total += bias[j]
                c[t, i, j] = total
                follow_row_naive(c[t, i, j : j + 1], follow)


@twin_of(gemm_naive, signature=signature, rtol=1e-5, intrinsic=True, parallel=True)
def gemm(a, b, bias, c, work, follow, add, parallel):
    """c[t] = follow(a[t] b[t] + bias), or with add follow(c[t] + a[t] b[t] + bias).

    a (t, m, k) and b (t, k, n) have any strides, c (t, m, n) none; bias is (n) or empty.
    Against the twin: sums of tiles in registers, rounded once for each multiply-add, in blocks
    along the depth; chunks run in parallel where `parallel`.
    """
    m, k, n = a.shape[1], a.shape[2], b.shape[2]
    rows, columns = _cut(m, k, n)
    if parallel and c.shape[0] * rows * columns > 1:
        _parallel(a, b, bias, c, work, follow, add, rows, columns)
        return
    for t in range(c.shape[0]):
        for i in range(rows):
            for j in range(columns):
                _one(a, b, bias, c, work[0], t, i, j, rows, columns, follow, add)
