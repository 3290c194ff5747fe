"""The mean of every window, and cotangents shared among its elements."""

from __future__ import annotations

import math

import numba
import numpy as np
from numba import types

from .pair import compiled, read, twin_of, write
from .pool_lanes import sum_1, sum_2, sum_any
from .pool_windows import (
    APART,
    DISTINCT,
    FEW,
    aligned,
    draw_windows,
    look_up,
    planes_together,
    repeat,
    small,
    window_maps,
    windows_naive,
)
from .rows import CHUNKS, chunks_of, row_loop, total_of

B = types.boolean

LONG = 16  # columns of a window from which they are added in lanes


def average_maps(window, sizes, outputs):
    """Return the shape of the int64 maps of average_pool; (0, 0) where they are of no use."""
    return window_maps(window, sizes, outputs, 2)


@row_loop
def add(reads, numbers, sums):
    return [reads[0] + reads[1]], sums


@row_loop
def divide(reads, numbers, sums):
    return [reads[0] / (reads[1] * numbers[0])], sums


def average_work(window, sizes, outputs):
    """Return the shape of the work array of averages: counts, then two rows a chunk.

    sizes are d, h and w of the planes, outputs those of what they become.
    """
    kernel, stride, padding = (int(row[2]) for row in window[:3])
    width = max(sizes[2] + padding, outputs[2] * stride + kernel, outputs[2])
    rows = sizes[0] * sizes[1] * outputs[2]
    together = planes_together(sizes) * max(rows, math.prod(outputs)) + 1
    return 1 + 2 * CHUNKS, max(width, together if small(window, sizes, APART) else 0)


def average_vjp_maps(window, sizes, outputs):
    """Return the shape of the int64 maps of average_pool_vjp; (0, 0) where they are of no use."""
    if not small(window, sizes):
        return 0, 0
    strides = zip(window[0], window[1], outputs, strict=True)
    d, h, w = (min(o, -(-int(k) // int(s))) for k, s, o in strides)
    return d * h + w, planes_together(sizes) * sizes[0] * sizes[1] * max(sizes[2], outputs[2])


@compiled
def _sum_window(plane, ds, hs, ws):
    """Return the sum of a window."""
    _, height, width = plane.shape
    size, start = plane.itemsize, np.intp(plane.ctypes.data)
    total = plane.dtype.type(0)
    for d in range(ds[0], ds[1]):
        at = start + ((d * height + hs[0]) * width + ws[0]) * size
        if ws[1] - ws[0] == width:  # its rows are one
            (part,) = total_of(plane, (hs[1] - hs[0]) * width, (at,), (), ())
            total += part
            continue
        for h in range(hs[0], hs[1]):
            if ws[1] - ws[0] < LONG:
                row = plane[d, h]
                for w in range(ws[0], ws[1]):
                    total += row[w]
            else:
                (part,) = total_of(plane, ws[1] - ws[0], (at,), (), ())
                total += part
            at += width * size
    return total


@compiled
def _prepare(window, sizes, outputs, include, divisor, table, counts):
    """Look the windows up; with a divisor all of them count that many, else along w, in counts."""
    look_up(window, sizes, outputs, include, table)
    before = outputs[0] + outputs[1]
    for k in range(outputs[2]):
        counts[k] = divisor if divisor else table[before + k, 2]
    for k in range(before):
        table[k, 2] = 1 if divisor else table[k, 2]


@compiled
def _average_planes(x, p0, p1, window, y, table, counts):
    _, depth, height, width = x.shape
    _, od, oh, ow = y.shape
    size, sizes = x.itemsize, (height, width)
    ws = aligned(window, width, ow)
    side_by_side = ws[1] > 0 and ow >= FEW and depth * height * width < DISTINCT
    for p in range(p0, p1):
        source = np.intp(x.ctypes.data) + p * depth * height * width * size
        for i in range(od):
            ds = table[i, 0], table[i, 1], 1
            for j in range(oh):
                hs = table[od + j, 0], table[od + j, 1], 1
                target = np.intp(y.ctypes.data) + ((p * od + i) * oh + j) * ow * size
                if not side_by_side:
                    for k in range(ow):
                        here = table[od + oh + k, 0], table[od + oh + k, 1], 1
                        y[p, i, j, k] = _sum_window(x[p], ds, hs, here)
                elif ws[3] == 1:
                    sum_1(x, source, target, 0, ow, sizes, ds, hs, ws)
                elif ws[3] == 2:
                    sum_2(x, source, target, 0, ow, sizes, ds, hs, ws)
                else:
                    sum_any(x, source, target, 0, ow, sizes, ds, hs, ws)
                area = x.dtype.type(table[i, 2] * table[od + j, 2])
                divide(x, ow, (target, np.intp(counts.ctypes.data)), (area,), (target,))


@compiled
def _add_mapped(source, maps, out):
    """out[e] = the sum over q of source[maps[q, e]]."""
    first = maps[0]
    if maps.shape[0] == 1:
        for e in range(out.size):
            out[e] = source[np.uintp(first[e])]
        return
    second = maps[1]
    for e in range(out.size):
        out[e] = source[np.uintp(first[e])] + source[np.uintp(second[e])]
    for q in range(2, maps.shape[0]):
        more = maps[q]
        for e in range(out.size):
            out[e] += source[np.uintp(more[e])]


@compiled
def _fill_counts(outputs, planes, table, counts):
    """Spread the counts along w over all outputs of the planes."""
    od, oh, ow = outputs
    for row in range(planes * od * oh - 1, -1, -1):
        area = table[row // oh % od, 2] * table[od + row % oh, 2]
        for k in range(ow):
            counts[row * ow + k] = counts[k] * area


@compiled
def _average_small(x, p0, p1, y, maps, counts):
    size, outputs = x.size // x.shape[0], y.size // y.shape[0]
    planes = maps.shape[1] // outputs
    source, target = x.reshape(-1), y.reshape(-1)
    for p in range(p0, p1, planes):
        last = min(p + planes, p1)
        out = target[p * outputs : last * outputs]
        _add_mapped(source[p * size : last * size], maps, out)
        for e in range(out.size):
            out[e] /= counts[e]


@compiled
def _average_some(x, p0, p1, window, y, table, counts, maps):
    if maps.size:
        _average_small(x, p0, p1, y, maps, counts)
    else:
        _average_planes(x, p0, p1, window, y, table, counts)


@compiled(parallel=True)
def _average_chunks(x, chunks, window, y, table, counts, maps):
    for i in numba.prange(chunks):
        p0, p1 = x.shape[0] * i // chunks, x.shape[0] * (i + 1) // chunks
        _average_some(x, p0, p1, window, y, table, counts, maps)


def average_pool_naive(x, window, include, divisor, y, table, work, maps):
    sizes = x.shape[1:], y.shape[1:]
    for p in range(x.shape[0]):
        for o, (ds, hs, ws), count in windows_naive(*sizes, window, include, divisor):
            total = sum(float(x[p, d, h, w]) for d in ds for h in hs for w in ws)
            y[p, *o] = total / count


def averages(f):
    return types.void(
        read(f, 4),
        read(types.int64, 2),
        B,
        types.intp,
        write(f, 4),
        write(types.int64, 2),
        write(f, 2),
        write(types.int64, 2),
        B,
    )


@twin_of(
    average_pool_naive, signature=averages, rtol=1e-4, atol=1e-5, intrinsic=True, parallel=True
)
def average_pool(x, window, include, divisor, y, table, work, maps, parallel):
    """The sum of every window over divisor, or if that is 0 over the number of its elements.

    With `include` those in the padding count, but not those beyond it. Every window has an element
    of x; dilation is 1. table has the shape table_shape((od, oh, ow)), work that of average_work,
    maps that of average_maps.
    Against the twin: sums in the type of x; the windows of a row, or of a plane, side by side.
    """
    chunks = chunks_of(x.shape[0], x.shape[1] * x.shape[2] * x.shape[3])
    _prepare(window, x.shape[1:], y.shape[1:], include, divisor, table, work[0])
    if maps.size:
        planes = maps.shape[1] // (y.shape[1] * y.shape[2] * y.shape[3])
        draw_windows(window, x.shape[1:], y.shape[1:], planes, maps)
        _fill_counts(y.shape[1:], planes, table, work[0])
    if parallel and chunks > 1:
        _average_chunks(x, chunks, window, y, table, work[0], maps)
    else:
        _average_some(x, 0, x.shape[0], window, y, table, work[0], maps)


@compiled
def _share_row(shares, ow, window, table, u):
    """Leave in u, from the padding on, the sum of the shares that every column has."""
    kernel, stride = window[0, 2], window[1, 2]
    for w in range(u.size):
        u[w] = 0
    if kernel == 0:
        for k in range(ow):
            for w in range(table[k, 0], table[k, 1]):
                u[w] += shares[k]
        return
    for q in range(kernel):  # outside, so that no addition waits for the one before
        columns = u[q:]
        for k in range(ow):
            columns[k * stride] += shares[k]


@compiled
def _share_planes(g, p0, p1, window, dx, table, counts, shares, u):
    _, depth, height, width = dx.shape
    _, od, oh, ow = g.shape
    size, shift = g.itemsize, window[2, 2] * g.itemsize
    at = np.intp(u.ctypes.data) + shift
    for p in range(p0, p1):
        target = np.intp(dx.ctypes.data) + p * depth * height * width * size
        for d in range(depth):
            for h in range(height):
                row = dx[p, d, h]
                for w in range(width):
                    row[w] = 0
        for i in range(od):
            for j in range(oh):
                source = np.intp(g.ctypes.data) + ((p * od + i) * oh + j) * ow * size
                area = g.dtype.type(table[i, 2] * table[od + j, 2])
                reads = source, np.intp(counts.ctypes.data)
                divide(g, ow, reads, (area,), (np.intp(shares.ctypes.data),))
                _share_row(shares, ow, window, table[od + oh :], u)
                for d in range(table[i, 0], table[i, 1]):
                    for h in range(table[od + j, 0], table[od + j, 1]):
                        row = target + (d * height + h) * width * size
                        add(g, width, (row, at), (), (row,))


@compiled
def _draw_shares(window, sizes, outputs, planes, table, maps):
    """Map rows of sums to the shares in them, columns to the sums; return how many maps rows have.

    Sums have the width of the outputs and the rows of the planes.
    """
    od, oh, ow = outputs
    depth, height, width = sizes
    split = maps.shape[0] - min(ow, (window[0, 2] + window[1, 2] - 1) // window[1, 2])
    shares, sums = od * oh * ow, depth * height * ow
    for q in range(maps.shape[0]):
        for e in range(maps.shape[1]):
            maps[q, e] = planes * (shares if q < split else sums)
    for row in range(depth * height):
        d, h = row // height, row % height
        q = 0
        for i in range(od):
            for j in range(oh):
                if table[i, 0] <= d < table[i, 1] and table[od + j, 0] <= h < table[od + j, 1]:
                    for k in range(ow):
                        maps[q, row * ow + k] = (i * oh + j) * ow + k
                    q += 1
    for w in range(width):
        q = split
        for k in range(ow):
            if table[od + oh + k, 0] <= w < table[od + oh + k, 1]:
                for row in range(depth * height):
                    maps[q, row * width + w] = row * ow + k
                q += 1
    repeat(maps[:split], sums, shares, planes, planes * shares)
    repeat(maps[split:], depth * height * width, sums, planes, planes * sums)
    return split


@compiled
def _share_small(g, p0, p1, dx, maps, split, counts, shares, sums):
    outputs, size = g.size // g.shape[0], dx.size // dx.shape[0]
    rows = dx.shape[1] * dx.shape[2] * g.shape[3]
    planes = maps.shape[1] // max(size, rows)
    source, target = g.reshape(-1), dx.reshape(-1)
    shares[planes * outputs] = sums[planes * rows] = 0
    for p in range(p0, p1, planes):
        last = min(p + planes, p1)
        part = source[p * outputs : last * outputs]
        for e in range(part.size):
            shares[e] = part[e] / counts[e]
        _add_mapped(shares, maps[:split], sums[: (last - p) * rows])
        _add_mapped(sums, maps[split:], target[p * size : last * size])


@compiled
def _share_some(g, p0, p1, window, dx, table, maps, split, counts, shares, u):
    if maps.size:
        _share_small(g, p0, p1, dx, maps, split, counts, shares, u)
    else:
        _share_planes(g, p0, p1, window, dx, table, counts, shares, u)


@compiled(parallel=True)
def _share_chunks(g, chunks, window, dx, table, maps, split, work):
    for i in numba.prange(chunks):
        p0, p1 = g.shape[0] * i // chunks, g.shape[0] * (i + 1) // chunks
        shares, u = work[2 * i + 1], work[2 * i + 2]
        _share_some(g, p0, p1, window, dx, table, maps, split, work[0], shares, u)


def average_pool_vjp_naive(g, window, include, divisor, dx, table, work, maps):
    sizes = dx.shape[1:], g.shape[1:]
    dx[...] = 0
    for p in range(g.shape[0]):
        for o, (ds, hs, ws), count in windows_naive(*sizes, window, include, divisor):
            for d, h, w in ((d, h, w) for d in ds for h in hs for w in ws):
                dx[p, d, h, w] += g[p, *o] / count


@twin_of(
    average_pool_vjp_naive,
    signature=averages,
    rtol=1e-4,
    atol=1e-5,
    intrinsic=True,
    parallel=True,
)
def average_pool_vjp(g, window, include, divisor, dx, table, work, maps, parallel):
    """The cotangent of x of average_pool: every element of g shared among those of its window.

    The work arrays are those of average_pool, but maps has the shape average_vjp_maps.
    Against the twin: rows of shares are added up first, and their columns after that.
    """
    size, outputs = dx.shape[1] * dx.shape[2] * dx.shape[3], g.shape[1:]
    chunks, split = chunks_of(g.shape[0], size), 0
    _prepare(window, dx.shape[1:], outputs, include, divisor, table, work[0])
    if maps.size:
        planes = maps.shape[1] // max(size, dx.shape[1] * dx.shape[2] * g.shape[3])
        split = _draw_shares(window, dx.shape[1:], outputs, planes, table, maps)
        _fill_counts(outputs, planes, table, work[0])
    if parallel and chunks > 1:
        _share_chunks(g, chunks, window, dx, table, maps, split, work)
    else:
        _share_some(g, 0, g.shape[0], window, dx, table, maps, split, work[0], work[1], work[2])
