"""The gradients of a convolution's weight and bias: sums over samples and positions.

The stage of conv_plan.py serves again: row k of a tile is a place of the kernel, its columns are
channels of the cotangent, and the sum runs over positions. Where these channels are few, they
are the rows, and neighbouring positions the vectors. Samples are shared out over a few
accumulators, by sizes alone, which are added in order at the end.
"""

from __future__ import annotations

import numba
import numpy as np
from numba import types
from numba.np.ufunc.parallel import get_thread_id

from .conv import stage
from .conv_plan import (
    ALONG,
    BAND,
    BAND_AXIS,
    BANDS,
    CHANNELS,
    COUNT,
    DIRECT,
    EVERY,
    EXTENT,
    GROUPS,
    LENGTH,
    ROWS_OUT,
    STAGED,
    TOGETHER,
    Plan,
)  # fmt: skip
from .lanes import VECTORS, flip, lanes_of
from .pair import compiled, read, twin_of, write
from .windows import along, gather

PIXELS = 256  # positions that are turned at once
SHARED = 1 << 20  # elements of all accumulators, at most, unless two need more
WIDE = VECTORS * 16
MOST = 8  # accumulators


def most_accumulators(weights: int) -> int:
    """Return how many accumulators there are for so many weights, if there are chunks for them."""
    return max(2, min(MOST, SHARED // weights))


def accumulators(plan: Plan, samples: int) -> tuple[int, int]:
    """Return how many accumulators there are, and the elements of each."""
    g = plan.geometry
    size = int(g[GROUPS] * g[ROWS_OUT] * plan.phases[0, LENGTH])
    chunks = -(-samples // int(g[TOGETHER])) * int(g[BANDS])
    return min(chunks, most_accumulators(size)), size


def workspace(plan: Plan) -> int:
    """Return the elements of the work array of each thread: a stage, and turned cotangents."""
    g = plan.geometry
    longest = max(PIXELS, int(g[COUNT + 2])) + 16
    return int(g[STAGED]) + (int(g[ROWS_OUT]) + WIDE) * longest


@compiled
def _turn(g, at, apart, rows, pixels, work, begin, whole):
    """Copy (rows, pixels) of g, its rows `apart`, into blocks (rows / wide, whole, wide)."""
    size = work.itemsize
    lanes = lanes_of(work)
    wide = VECTORS * lanes
    square = pixels // lanes * lanes
    for j in range(0, rows, wide):
        block = begin + j * whole
        for i in range(0, min(wide, rows - j), lanes):
            source = at + (j + i) * apart
            for p in range(0, square, lanes):
                flip(
                    work, g.ctypes.data + (source + p) * size, apart,
                    work.ctypes.data + (block + p * wide + i) * size, wide, rows - j - i,
                )  # fmt: skip
            for p in range(square, pixels):
                for r in range(min(lanes, rows - j - i)):
                    work[block + p * wide + i + r] = g[source + r * apart + p]


@compiled
def _sample(x, g, total, p, far, begins, work, n, group, band, a, add):
    """Add what one sample, in one band, brings to the weights of one group."""
    size = x.itemsize
    wide = VECTORS * lanes_of(work)
    rows, k = p[ROWS_OUT], far.size
    axis = p[BAND_AXIS]
    low = band * p[BAND]
    high = min(low + p[BAND], p[COUNT + axis])
    first, runs, length = 0, p[COUNT] * p[COUNT + 1], p[COUNT + 2]
    across = 0
    if axis == 2:
        across, length = low, high - low
    else:
        inner = p[COUNT + 1] if axis == 0 else 1
        first, runs = low * inner, (high - low) * inner
    back = 0 if axis == 2 else begins[first]  # the stage begins with the band
    positions = g.shape[2]
    here = (n * g.shape[1] + group * rows) * positions
    turned = p[STAGED]
    per = max(1, PIXELS // length)
    for r in range(0, runs, per):
        count = min(per, runs - r)
        pixels = count * length
        at = here + (first + r) * p[COUNT + 2] + across
        _turn(g.reshape(-1), at, positions, rows, pixels, work, turned, pixels)
        for j in range(0, rows, wide):
            gather(
                work, a - back * size, far.ctypes.data, begins.ctypes.data + (first + r) * 8,
                count, length, p[EVERY + 2], work.ctypes.data + (turned + j * pixels) * size, wide,
                total.ctypes.data + (group * k * rows + j) * size, rows, k, min(wide, rows - j),
                add or r > 0,
            )  # fmt: skip


@compiled
def _samples(g, total, p, far, begins, work, n0, n1, group, a, add):
    """The same for small samples n0 to n1, several at a time."""
    size = g.itemsize
    wide = VECTORS * lanes_of(work)
    rows, k, positions = p[ROWS_OUT], far.size, g.shape[2]
    runs, length = p[COUNT] * p[COUNT + 1], p[COUNT + 2]
    per = PIXELS // positions
    for s in range(n0, n1, per):
        count = min(per, n1 - s)
        whole = count * positions
        for n in range(s, s + count):
            at = (n * g.shape[1] + group * rows) * positions
            begin = p[STAGED] + (n - s) * positions * wide
            _turn(g.reshape(-1), at, positions, rows, positions, work, begin, whole)
        for j in range(0, rows, wide):
            gather(
                work, a, far.ctypes.data, begins.ctypes.data + (s - n0) * runs * 8,
                count * runs, length, p[EVERY + 2],
                work.ctypes.data + (p[STAGED] + j * whole) * size, wide,
                total.ctypes.data + (group * k * rows + j) * size, rows, k, min(wide, rows - j),
                add or s > n0,
            )  # fmt: skip


@compiled
def _share(x, g, totals, p, far, begins, to, work, share):
    """Fill one accumulator: (groups, k, rows)."""
    total = totals[share]
    together, bands, size = p[TOGETHER], p[BANDS], x.itemsize
    chunks = (x.shape[0] + together - 1) // together * bands
    plane = p[EXTENT] * p[EXTENT + 1] * p[EXTENT + 2]
    channel = x.shape[2] * x.shape[3] * x.shape[4]
    first = chunks * share // len(totals)
    for chunk in range(first, chunks * (share + 1) // len(totals)):
        n0, band = chunk // bands * together, chunk % bands
        n1 = min(x.shape[0], n0 + together)
        low = band * p[BAND] * p[EVERY + p[BAND_AXIS]]
        axis = p[BAND_AXIS]
        for group in range(p[GROUPS]):
            c0 = group * p[CHANNELS]
            a, apart = work.ctypes.data, plane * size
            if p[DIRECT]:
                a = x.ctypes.data + (n0 * x.shape[1] + c0) * channel * size
                apart = x.shape[1] * channel * size
            else:
                stage(
                    x, n0, n1, c0, low if axis == 0 else 0, low if axis == 1 else 0,
                    low if axis == 2 else 0, p, work,
                )  # fmt: skip
            if p[ALONG]:
                k, rows, positions = far.size, p[ROWS_OUT], g.shape[2]
                along(
                    work, g.ctypes.data + (n0 * g.shape[1] + group * rows) * positions * size,
                    positions, to.ctypes.data, a, far.ctypes.data, begins.ctypes.data,
                    (n1 - n0) * p[COUNT] * p[COUNT + 1], p[COUNT + 2],
                    total.ctypes.data + group * k * rows * size, rows, k, chunk > first,
                )  # fmt: skip
                continue
            if bands == 1 and 2 * g.shape[2] <= PIXELS:
                _samples(g, total, p, far, begins, work, n0, n1, group, a, chunk > first)
                continue
            for n in range(n0, n1):
                _sample(
                    x, g, total, p, far, begins, work, n, group, band, a + (n - n0) * apart,
                    chunk > first or n > n0,
                )  # fmt: skip


@compiled
def _collect(totals, weight, p, k, begin, end):
    """Add the accumulators' rows begin to end of all groups, and turn them to (rows, k)."""
    rows = p[ROWS_OUT]
    size = weight.itemsize
    lanes = lanes_of(weight)
    for group in range(p[GROUPS]):
        block = totals[:, group * k * rows : (group + 1) * k * rows]
        sums = block[0, begin * rows : end * rows]
        for share in range(1, len(totals)):
            more = block[share, begin * rows : end * rows]
            for i in range(sums.size):
                sums[i] += more[i]
        square = (end - begin) // lanes * lanes
        for o in range(0, rows // lanes * lanes, lanes):
            for i in range(0, square, lanes):
                flip(
                    weight, sums.ctypes.data + (i * rows + o) * size, rows,
                    weight.ctypes.data + ((group * rows + o) * k + begin + i) * size, k, lanes,
                )  # fmt: skip
        for i in range(end - begin):
            for o in range(rows // lanes * lanes if i < square else 0, rows):
                weight[group * rows + o, begin + i] = sums[i * rows + o]


COLLECTED = 128  # places of the kernel that are collected at once


@compiled(parallel=True)
def _parallel(x, g, weight, totals, p, far, begins, to, work):
    for share in numba.prange(len(totals)):
        _share(x, g, totals, p, far, begins, to, work[get_thread_id()], share)
    for i in numba.prange((far.size + COLLECTED - 1) // COLLECTED):
        _collect(totals, weight, p, far.size, i * COLLECTED, min(far.size, (i + 1) * COLLECTED))


def correlate_naive(x, g, weight, totals, p, far, begins, to, work):
    """Sum over samples and positions, from a stage of everything: one band, one sample at once."""
    from .conv import naive_stage

    rows, channels, every = p[ROWS_OUT], p[CHANNELS], p[EVERY : EVERY + 3]
    weight[:] = 0
    for n in range(x.shape[0]):
        for group in range(p[GROUPS]):
            o = slice(group * rows, (group + 1) * rows)
            for band in range(p[BANDS]):
                axis = p[BAND_AXIS]
                low = band * p[BAND]
                high = min(low + p[BAND], p[COUNT + axis])
                origin = np.array([low if a == axis else 0 for a in range(3)])
                if p[DIRECT]:
                    seen = x[n, group * channels : (group + 1) * channels].reshape(-1)
                else:
                    seen = naive_stage(x, n, group, origin * every, p)
                for m in np.ndindex(*p[COUNT : COUNT + 3]):
                    if low <= m[axis] < high:
                        t = (np.array(m) - origin) * every
                        at = (t[0] * p[EXTENT + 1] + t[1]) * p[EXTENT + 2] + t[2]
                        place = np.ravel_multi_index(m, tuple(p[COUNT : COUNT + 3]))
                        weight[o] += np.multiply.outer(g[n, o, place], seen[at + far])


def signature(f):
    table = types.Array(types.int64, 1, "C", readonly=True)
    return types.void(
        read(f, 5), read(f, 3), write(f, 2), write(f, 2), table, table, table, table,
        write(f, 2), types.boolean,
    )  # fmt: skip


@twin_of(correlate_naive, signature=signature, rtol=1e-5, atol=1e-5, intrinsic=True, parallel=True)
def correlate(x, g, weight, totals, p, far, begins, to, work, parallel):
    """weight[o, k] = sum over n and positions m of g[n, o, m] * stage of x[n] at m + far[k].

    x (n, c, d, h, w), g (n, o, positions), weight (o, k); p and far are a forward Plan's geometry
    and far_x, begins and to are where each run of positions along the last axis begins, in the
    stage and in g. Against the twin: tiles in registers, accumulators in parallel, added in order.
    """
    if parallel and len(totals) > 1:
        _parallel(x, g, weight, totals, p, far, begins, to, work)
        return
    for share in range(len(totals)):
        _share(x, g, totals, p, far, begins, to, work[0], share)
    _collect(totals, weight, p, far.size, 0, far.size)


@compiled(fastmath=frozenset({"reassoc", "nsz"}))
def _channel(g, out, o):
    """The sum of one channel, sample by sample."""
    total = 0.0
    for n in range(g.shape[0]):
        row = g[n, o]
        part = g.dtype.type(0)
        for i in range(row.size):
            part += row[i]
        total += part
    out[o] = total


@compiled(parallel=True)
def _channels(g, out):
    for o in numba.prange(out.size):
        _channel(g, out, o)


def sum_channels_naive(g, out):
    out[:] = 0
    for n in range(g.shape[0]):
        for o in range(g.shape[1]):
            for i in range(g.shape[2]):
                out[o] += g[n, o, i]


@twin_of(
    sum_channels_naive,
    signature=lambda f: types.void(read(f, 3), write(f), types.boolean),
    rtol=1e-4,
    atol=1e-4,
    parallel=True,
)
def sum_channels(g, out, parallel):
    """out[o] = sum over n and i of g[n, o, i].

    Against the twin: several sums side by side within a sample, float64 between samples.
    """
    if parallel and g.size > 1 << 16:
        _channels(g, out)
        return
    for o in range(out.size):
        _channel(g, out, o)
