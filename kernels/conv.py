"""Convolution along one, two or three axes, its transpose and its gradients, without im2col.

Sources are copied to a stage (see conv_plan.py), and register tiles read windows there through a
table of offsets. All arrays have three spatial axes, of size 1 where there are fewer. A chunk is
a few samples, or a band of one; which ones depends on sizes only, and each result is summed by
one chunk in one order, so the bits do not depend on the threads.
"""

from __future__ import annotations

import numba
import numpy as np
from numba import types
from numba.np.ufunc.parallel import get_thread_id

from .conv_lanes import by_lanes, lay_out
from .conv_plan import (
    BAND,
    BAND_AXIS,
    BANDS,
    CHANNELS,
    COLUMNS_OUT,
    COUNT,
    DIRECT,
    EVERY,
    EXTENT,
    FIRST,
    GROUPS,
    LENGTH,
    MANY,
    PAD,
    PLACES,
    ROWS_OUT,
    SHIFT,
    STAGED,
    START,
    STEP,
    STRIDE,
    TABLE,
    TOGETHER,
    W_GROUP,
    W_ROW,
)  # fmt: skip
from .gemm import follow_row, follow_row_naive
from .lanes import VECTORS, lanes_of, lay_row, move_row, spread_row
from .pair import compiled, read, twin_of, write
from .windows import HEIGHTS, reach


@compiled
def height_of(rows):
    """Return how tall the tiles should be: as few as can be, as even as can be."""
    count = (rows + HEIGHTS[0] - 1) // HEIGHTS[0]
    height = (rows + count - 1) // count
    return min(HEIGHTS[0], height + (height & 1 if height > 1 else 0))


@compiled
def _image(work, plane, m0, m1, m2, g, qz, qy, qx, at):
    """Lay the elements of one channel with one remainder of the stride, row by row."""
    size = work.itemsize
    lanes = lanes_of(work)
    sz, sy, sx = g[STRIDE], g[STRIDE + 1], g[STRIDE + 2]
    pz, py, px = g[PAD], g[PAD + 1], g[PAD + 2]
    ey, ex = g[EXTENT + 1], g[EXTENT + 2]
    size_z, size_y, size_x = plane.shape
    # Where the first and the last element of a row of the source land.
    low = min(ex, max(0, (px - qx - m2 * sx + sx - 1) // sx))
    high = max(low, min(ex, (size_x - 1 + px - qx - m2 * sx) // sx + 1))
    begin = (m2 + low) * sx + qx - px
    wide = VECTORS * lanes if sx == 1 else lanes
    for tz in range(g[EXTENT]):
        z = (m0 + tz) * sz + qz - pz
        if z < 0 or z >= size_z:
            continue
        for ty in range(ey):
            y = (m1 + ty) * sy + qy - py
            if y < 0 or y >= size_y:
                continue
            target = at + (tz * ey + ty) * ex + low
            source = (z * size_y + y) * size_x + begin
            if sx <= 2:
                for j in range(0, high - low, wide):
                    lay_row(
                        work, plane.ctypes.data + (source + j * sx) * size,
                        work.ctypes.data + (target + j) * size, min(wide, high - low - j), sx,
                    )  # fmt: skip
            else:
                row, from_row = work[target : target + high - low], plane[z, y, begin:]
                for t in range(row.size):
                    row[t] = from_row[t * sx]


@compiled
def stage(x, n0, n1, c0, m0, m1, m2, g, work):
    """Copy the channels of a group of samples n0 to n1 to the work.

    What is written comes in the order in which it lies there, after zeros for the padding.
    """
    work[: g[STAGED]] = 0
    plane = g[EXTENT] * g[EXTENT + 1] * g[EXTENT + 2]
    at = 0
    for c in range(c0, c0 + g[CHANNELS]):
        for qz in range(g[STRIDE]):
            for qy in range(g[STRIDE + 1]):
                for qx in range(g[STRIDE + 2]):
                    for n in range(n0, n1):
                        begin = at + (n - n0) * plane
                        _image(work, x[n, c], m0, m1, m2, g, qz, qy, qx, begin)
                    at += g[TOGETHER] * plane


@compiled
def _place(like, held, y, n, o, first, many, step, shift, g, extra):
    """Bring a row of results that is in cache to where it belongs, with its bias."""
    size = like.itemsize
    wide = VECTORS * lanes_of(like)
    ey, ex = g[EXTENT + 1], g[EXTENT + 2]
    plane = y[n, o]
    to_y, to_x = plane.shape[1], plane.shape[2]
    for z in range(many[0]):
        for r in range(many[1]):
            source = held + (z * ey + r) * ex * size
            to = ((first[0] + z) * step[0] + shift[0]) * to_y + (first[1] + r) * step[1] + shift[1]
            begin = first[2] * step[2] + shift[2]
            if step[2] == 1:
                target = plane.ctypes.data + (to * to_x + begin) * size
                for j in range(0, many[2], wide):
                    move_row(
                        like, source + j * size, target + j * size, min(wide, many[2] - j), extra
                    )
            else:
                row = plane[to // to_y, to % to_y, begin:]
                spread_row(like, source, row.ctypes.data, many[2], step[2], extra)


@compiled
def _phase(x, w, bias, y, g, f, far_w, far_x, work, n0, n1, group, origin, low, high):
    """The results of one phase of a chunk."""
    size = x.itemsize
    axis = g[BAND_AXIS]
    b0, b1, b2 = f[FIRST], f[FIRST + 1], f[FIRST + 2]
    e0, e1, e2 = b0 + f[MANY], b1 + f[MANY + 1], b2 + f[MANY + 2]
    if axis == 0:
        b0, e0 = max(b0, low), min(e0, high)
    elif axis == 1:
        b1, e1 = max(b1, low), min(e1, high)
    else:
        b2, e2 = max(b2, low), min(e2, high)
    first, many = (b0, b1, b2), (e0 - b0, e1 - b1, e2 - b2)
    if many[0] <= 0 or many[1] <= 0 or many[2] <= 0:
        return
    step = (f[STEP], f[STEP + 1], f[STEP + 2])
    shift = (f[SHIFT], f[SHIFT + 1], f[SHIFT + 2])
    ey, ex = g[EXTENT + 1], g[EXTENT + 2]
    apart = g[EXTENT] * ey * ex  # samples, in a row of results that waits
    begin = ((b0 - origin[0]) * ey + b1 - origin[1]) * ex + b2 - origin[2]
    columns = ((many[0] - 1) * ey + many[1] - 1) * ex + many[2] + (n1 - n0 - 1) * apart
    b = work.ctypes.data + begin * size
    if g[DIRECT]:
        channel = x.shape[2] * x.shape[3] * x.shape[4]
        b = x.ctypes.data + ((n0 * x.shape[1] + group * g[CHANNELS]) * channel + begin) * size
    held = work[g[STAGED] :]
    rows, length = g[ROWS_OUT], g[COLUMNS_OUT]
    tall, wide = height_of(rows), VECTORS * lanes_of(work)
    for i in range(0, rows, tall):
        count = min(tall, rows - i)
        if f[LENGTH]:
            first_w = w.ctypes.data + (group * g[W_GROUP] + i * g[W_ROW]) * size
            for j in range(0, columns, wide):
                reach(
                    work, first_w, g[W_ROW], far_w.ctypes.data + f[TABLE] * 8,
                    b + j * size, far_x.ctypes.data + f[TABLE] * 8, f[LENGTH],
                    held.ctypes.data + j * size, length, count, min(wide, columns - j),
                )  # fmt: skip
        else:  # no place of the kernel is seen from here
            held[: count * length] = 0
        for r in range(count):
            o = group * rows + i + r
            extra = bias[o] if bias.size else x.dtype.type(0)
            for n in range(n0, n1):
                row = held.ctypes.data + (r * length + (n - n0) * apart) * size
                _place(work, row, y, n, o, first, many, step, shift, g, extra)


@compiled
def _chunk(x, w, bias, y, g, phases, far_w, far_x, work, panel, at, to, n0, n1, group, band):
    """Samples n0 to n1 of one group, in one band."""
    axis = g[BAND_AXIS]
    low = g[START + axis] + band * g[BAND]
    high = min(low + g[BAND], g[START + axis] + g[COUNT + axis])
    origin = (g[START], g[START + 1], g[START + 2])
    if not g[DIRECT]:
        origin = (
            low if axis == 0 else origin[0], low if axis == 1 else origin[1],
            low if axis == 2 else origin[2],
        )  # fmt: skip
        stage(x, n0, n1, group * g[CHANNELS], origin[0], origin[1], origin[2], g, work)
    if g[PLACES]:
        by_lanes(x, bias, y, g, phases, at, to, far_x, panel, work, n0, n1, group)
        return
    for p in range(phases.shape[0]):
        _phase(x, w, bias, y, g, phases[p], far_w, far_x, work, n0, n1, group, origin, low, high)


@compiled
def _follow(y, g, n0, n1, group, band, follow):
    """Apply what follows to the results of a chunk, which are neighbours in each channel."""
    axis = g[BAND_AXIS]
    inner = 1
    for later in range(axis + 1, 3):
        inner *= g[COUNT + later]
    low = band * g[BAND] * inner
    high = min((band + 1) * g[BAND], g[COUNT + axis]) * inner
    for n in range(n0, n1):
        for o in range(group * g[ROWS_OUT], (group + 1) * g[ROWS_OUT]):
            follow_row(y[n, o].reshape(-1)[low:high], follow)


@compiled
def _one(x, w, bias, y, g, phases, far_w, far_x, work, panel, at, to, follow, chunk):
    together, bands = g[TOGETHER], g[BANDS]
    rest, band = chunk // bands, chunk % bands
    n0 = rest // g[GROUPS] * together
    n1 = min(x.shape[0], n0 + together)
    group = rest % g[GROUPS]
    _chunk(x, w, bias, y, g, phases, far_w, far_x, work, panel, at, to, n0, n1, group, band)
    if follow:
        _follow(y, g, n0, n1, group, band, follow)


@compiled(parallel=True)
def _parallel(x, w, bias, y, g, phases, far_w, far_x, work, panel, at, to, follow, chunks):
    for chunk in numba.prange(chunks):
        _one(
            x,
            w,
            bias,
            y,
            g,
            phases,
            far_w,
            far_x,
            work[get_thread_id()],
            panel,
            at,
            to,
            follow,
            chunk,
        )


def slide_naive(x, w, bias, y, g, phases, far_w, far_x, work, panel, at, to, follow):
    """Every result in turn, from a stage of its own sample."""
    for n in range(x.shape[0]):
        for group in range(g[GROUPS]):
            for band in range(g[BANDS]):
                _naive_band(x, w, bias, y, g, phases, far_w, far_x, n, group, band)
    follow_row_naive(y, follow)


def naive_stage(x, n, group, origin, g):
    """Return the images of all channels and remainders, with whatever lies beyond at the end."""
    shape, stride, pad = (g[i : i + 3] for i in (EXTENT, STRIDE, PAD))
    images = np.zeros((g[CHANNELS], *stride, g[TOGETHER], *shape), x.dtype)
    for c, *rest in np.ndindex(*images.shape[:4], *images.shape[5:]):
        q, t = np.array(rest[:3]), np.array(rest[3:])
        seen = (origin + t) * stride + q - pad
        if all(seen >= 0) and all(seen < x.shape[2:]):
            images[(c, *q, 0, *t)] = x[(n, group * g[CHANNELS] + c, *seen)]
    return np.concatenate([images.reshape(-1), np.zeros(2 * np.prod(shape), x.dtype)])


def _naive_band(x, w, bias, y, g, phases, far_w, far_x, n, group, band):
    axis, rows = g[BAND_AXIS], g[ROWS_OUT]
    origin = np.array(g[START : START + 3])
    low = origin[axis] + band * g[BAND]
    high = min(low + g[BAND], origin[axis] + g[COUNT + axis])
    if g[DIRECT]:
        seen = x[n, group * g[CHANNELS] : (group + 1) * g[CHANNELS]].reshape(-1)
    else:
        origin[axis] = low
        seen = naive_stage(x, n, group, origin * g[EVERY : EVERY + 3], g)
    for f in phases:
        first, many, step, shift = (f[i : i + 3] for i in (FIRST, MANY, STEP, SHIFT))
        table = slice(f[TABLE], f[TABLE] + f[LENGTH])
        for place in np.ndindex(*many):
            m = first + np.array(place)
            if not low <= m[axis] < high:
                continue
            t = m - origin
            t *= g[EVERY : EVERY + 3]
            begin = (t[0] * g[EXTENT + 1] + t[1]) * g[EXTENT + 2] + t[2]
            for o in range(group * rows, (group + 1) * rows):
                begin_w = group * g[W_GROUP] + (o - group * rows) * g[W_ROW]
                total = np.dot(w[begin_w + far_w[table]], seen[begin + far_x[table]])
                y[(n, o, *(m * step + shift))] = total + (bias[o] if bias.size else 0)


def signature(f):
    table = types.Array(types.int64, 1, "C", readonly=True)
    return types.void(
        read(f, 5), read(f), read(f), write(f, 5), table,
        types.Array(types.int64, 2, "C", readonly=True), table, table, write(f, 2), write(f),
        table, table, types.intp, types.boolean,
    )  # fmt: skip


@twin_of(slide_naive, signature=signature, rtol=1e-5, atol=1e-6, intrinsic=True, parallel=True)
def slide(x, w, bias, y, g, phases, far_w, far_x, work, panel, at, to, follow, parallel):
    """y[n, o, m] = follow(bias[o] + sum over k of w[o, far_w[k]] * stage of x[n] at m + far_x[k]).

    x (n, c, d, h, w), w flat, y (n, o, d', h', w'), bias (o) or empty; the rest is a Plan, one row
    of its work for each thread, and a panel for weights. What follows does so in a forward Plan
    only, where bands are whole. Against the twin: tiles of results in
    registers, multiply-add rounded once, chunks in parallel.
    """
    if g[PLACES]:
        lay_out(w, g, phases, far_w, panel)
    count = (x.shape[0] + g[TOGETHER] - 1) // g[TOGETHER]
    chunks = count * g[GROUPS] * g[BANDS]
    if parallel and chunks > 1:
        _parallel(x, w, bias, y, g, phases, far_w, far_x, work, panel, at, to, follow, chunks)
    else:
        for chunk in range(chunks):
            _one(x, w, bias, y, g, phases, far_w, far_x, work[0], panel, at, to, follow, chunk)
