"""The largest element of every window, and the cotangents put back where it stood."""

from __future__ import annotations

import math

import numba
import numpy as np
from numba import types

from .pair import compiled, read, twin_of, write
from .pool_lanes import best_1, best_2, best_any
from .pool_windows import (
    DISTINCT,
    FAR,
    FEW,
    aligned,
    draw_windows,
    look_up,
    range_naive,
    window_maps,
)
from .rows import chunks_of

B = types.boolean


def max_maps(window, sizes, outputs):
    """Return the shape of the int64 maps of max_pool; (0, 0) where they are of no use."""
    return window_maps(window, sizes, outputs, FAR)


@compiled
def _max_window(plane, ds, hs, ws):
    """Return the largest element of a window and its number in the plane, -1 if there is none."""
    _, height, width = plane.shape
    best, at = plane.dtype.type(-np.inf), -1
    for d in range(ds[0], ds[1], ds[2]):
        for h in range(hs[0], hs[1], hs[2]):
            row = plane[d, h]
            for w in range(ws[0], ws[1], ws[2]):
                x = row[w]
                # A branch that is rarely taken: chosen without one, every step waits for the last.
                if not x <= best and (best == best or x != x):
                    best, at = x, (d * height + h) * width + w
    if at < 0 and ds[0] < ds[1] and hs[0] < hs[1] and ws[0] < ws[1]:
        at = (ds[0] * height + hs[0]) * width + ws[0]  # nothing but -inf
    return best, at


@compiled
def _max_planes(x, p0, p1, window, y, at, table):
    _, depth, height, width = x.shape
    _, od, oh, ow = y.shape
    size, sizes = x.itemsize, (height, width)
    ws = aligned(window, width, ow)
    side_by_side = ws[1] > 0 and ow >= FEW and depth * height * width < DISTINCT
    for p in range(p0, p1):
        source = np.intp(x.ctypes.data) + p * depth * height * width * size
        for i in range(od):
            ds = table[i, 0], table[i, 1], window[3, 0]
            for j in range(oh):
                hs = table[od + j, 0], table[od + j, 1], window[3, 1]
                row = ((p * od + i) * oh + j) * ow
                target = np.intp(y.ctypes.data) + row * size
                place = np.intp(at.ctypes.data) + row * 8
                if not side_by_side:
                    for k in range(ow):
                        here = table[od + oh + k, 0], table[od + oh + k, 1], window[3, 2]
                        y[p, i, j, k], at[p, i, j, k] = _max_window(x[p], ds, hs, here)
                elif ws[3] == 1:
                    best_1(x, source, target, place, ow, sizes, ds, hs, ws)
                elif ws[3] == 2:
                    best_2(x, source, target, place, ow, sizes, ds, hs, ws)
                else:
                    best_any(x, source, target, place, ow, sizes, ds, hs, ws)


@compiled
def _best_mapped(source, maps, y, at):
    """y[e] = the largest of source[maps[q, e]] over q, at[e] = which it is."""
    first = maps[0]
    for e in range(y.size):
        y[e], at[e] = source[np.uintp(first[e])], first[e]
    for q in range(1, maps.shape[0]):
        more = maps[q]
        for e in range(y.size):
            x, best = source[np.uintp(more[e])], y[e]
            take = (x > best) | (x != x)
            y[e] = x if take else best
            at[e] = more[e] if take else at[e]


@compiled
def _max_small(x, p0, p1, y, at, maps):
    size, outputs = x.size // x.shape[0], y.size // y.shape[0]
    planes = maps.shape[1] // outputs
    source, target, places = x.reshape(-1), y.reshape(-1), at.reshape(-1)
    for p in range(p0, p1, planes):
        last = min(p + planes, p1)
        here = places[p * outputs : last * outputs]
        part = target[p * outputs : last * outputs]
        _best_mapped(source[p * size : last * size], maps, part, here)
        for plane in range(1, last - p):
            for e in range(plane * outputs, (plane + 1) * outputs):
                here[e] -= plane * size


@compiled
def _max_some(x, p0, p1, window, y, at, table, maps):
    if maps.size:
        _max_small(x, p0, p1, y, at, maps)
    else:
        _max_planes(x, p0, p1, window, y, at, table)


@compiled(parallel=True)
def _max_chunks(x, chunks, window, y, at, table, maps):
    for i in numba.prange(chunks):
        p0, p1 = x.shape[0] * i // chunks, x.shape[0] * (i + 1) // chunks
        _max_some(x, p0, p1, window, y, at, table, maps)


def max_pool_naive(x, window, y, at, table, maps):
    for p in range(x.shape[0]):
        for i, j, k in ((i, j, k) for i in range(y.shape[1]) for j in range(y.shape[2])
                        for k in range(y.shape[3])):  # fmt: skip
            best, number = -math.inf, -1
            for d in range_naive(i, 0, x.shape[1], y.shape[1], window):
                for h in range_naive(j, 1, x.shape[2], y.shape[2], window):
                    for w in range_naive(k, 2, x.shape[3], y.shape[3], window):
                        v = x[p, d, h, w]
                        if v > best or v != v or number < 0:
                            best, number = v, (d * x.shape[2] + h) * x.shape[3] + w
            y[p, i, j, k], at[p, i, j, k] = best, number


@twin_of(
    max_pool_naive,
    signature=lambda f: types.void(
        read(f, 4), read(types.int64, 2), write(f, 4), write(types.int64, 4),
        write(types.int64, 2), write(types.int64, 2), B,
    ),
    rtol=0.0,
    intrinsic=True,
    parallel=True,
)  # fmt: skip
def max_pool(x, window, y, at, table, maps, parallel):
    """The largest element of every window, and its number in the plane: the first of equal ones.

    NaN counts as the largest; of several the last is taken. A window of padding alone has -inf, -1.
    table has the shape table_shape((od, oh, ow)), maps that of max_maps.
    Against the twin: the windows of a row, or of a plane, side by side.
    """
    chunks = chunks_of(x.shape[0], x.shape[1] * x.shape[2] * x.shape[3])
    look_up(window, x.shape[1:], y.shape[1:], False, table)
    if maps.size:
        planes = maps.shape[1] // (y.shape[1] * y.shape[2] * y.shape[3])
        draw_windows(window, x.shape[1:], y.shape[1:], planes, maps)
    if parallel and chunks > 1:
        _max_chunks(x, chunks, window, y, at, table, maps)
    else:
        _max_some(x, 0, x.shape[0], window, y, at, table, maps)


@compiled
def _spread_planes(g, at, p0, p1, dx):
    size = dx.shape[1]
    for p in range(p0, p1):
        for j in range(size):
            dx[p, j] = 0
        for j in range(g.shape[1]):
            k = at[p, j]
            if k >= 0:
                dx[p, k] += g[p, j]


@compiled(parallel=True)
def _spread_chunks(g, at, chunks, dx):
    for i in numba.prange(chunks):
        _spread_planes(g, at, g.shape[0] * i // chunks, g.shape[0] * (i + 1) // chunks, dx)


def max_pool_vjp_naive(g, at, dx):
    dx[...] = 0
    for p in range(g.shape[0]):
        for j in range(g.shape[1]):
            if at[p, j] >= 0:
                dx[p, at[p, j]] += g[p, j]


@twin_of(
    max_pool_vjp_naive,
    signature=lambda f: types.void(read(f, 2), read(types.int64, 2), write(f, 2), B),
    rtol=0.0,
    parallel=True,
)
def max_pool_vjp(g, at, dx, parallel):
    """Each g (p, outputs) added where its largest element stood; dx is (p, d h w).

    Against the twin: none, one plane after the other.
    """
    chunks = chunks_of(g.shape[0], dx.shape[1])
    if parallel and chunks > 1:
        _spread_chunks(g, at, chunks, dx)
    else:
        _spread_planes(g, at, 0, g.shape[0], dx)
