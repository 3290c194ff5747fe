"""Largest elements and averages over windows of planes, and their cotangents.

x is (p, d, h, w) and y (p, od, oh, ow): examples and channels are one axis, and pooling over fewer
than three axes has d = 1, or d = h = 1. `window` says what is pooled: rows kernel, stride, padding
and dilation, columns d, h, w. A kernel of 0 along an axis is an adaptive one: output o has the
elements from o n / outputs, rounded down, to (o + 1) n / outputs, rounded up.
"""

from __future__ import annotations

import math
from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from .lanes import I32, I64, Vectors, word
from .pair import compiled, read, twin_of, write
from .rows import CHUNKS, chunks_of, row_loop

B = types.boolean
FEW = 2  # outputs in a row from which they are taken side by side
SMALL = 1 << 10  # elements of a plane that is done by maps,
APART = 1 << 14  # and if they are FAR apart: else their elements are loaded one by one
TOGETHER = 1 << 9  # elements of such planes that are done at a time
TAPS = 16  # elements of a window, at most, that a map lists
FAR = 3  # distance of windows from which single elements are loaded
DISTINCT = 1 << 31  # elements of a plane whose numbers fit into the lanes


class _Windows:
    """The code that reads one element of every lane's window: lanes are windows side by side."""

    def __init__(self, builder, like, x, width, stride, constant):  # type: ignore
        self.builder, self.v = builder, Vectors(builder, like.dtype)
        self.x, self.width, self.constant = self.v.pointer(x), width, constant
        self.ints = ir.VectorType(I32, self.v.lanes)
        self.stride = word(constant) if constant else stride
        self.steps = builder.mul(self.numbers(0), self.whole(self.stride))
        self.best = cgutils.alloca_once(builder, self.v.type)
        self.at = cgutils.alloca_once(builder, self.ints)

    def whole(self, x):  # type: ignore
        """Return a word as a number in every lane."""
        return self.v.spread(self.builder.trunc(x, I32), self.ints)

    def numbers(self, start):  # type: ignore
        return ir.Constant(self.ints, [start + lane for lane in range(self.v.lanes)])

    def inside(self, numbers, column, count):  # type: ignore
        """Return the mask of the lanes in the row and below count; lane 0 is at column."""
        left = self.builder.sub(self.width, column)
        left = self.builder.select(self.builder.icmp_signed("<", left, count), left, count)
        first = self.builder.icmp_signed(">=", numbers, self.whole(self.builder.neg(column)))
        return self.builder.and_(first, self.builder.icmp_signed("<", numbers, self.whole(left)))

    def load(self, row, column, count):  # type: ignore
        """Return the elements at column, column + stride, ..., and which of them there are."""
        v, builder = self.v, self.builder
        place = v.at(self.x, builder.add(row, column))
        if self.constant == 1:
            mask = self.inside(self.numbers(0), column, count)
            return v.load(place, mask), mask
        if self.constant != 2:
            return self.gather(row, column, count)
        span = builder.sub(builder.mul(count, word(2)), word(1))
        low = v.load(place, self.inside(self.numbers(0), column, span))
        high = v.load(v.at(place, v.lanes), self.inside(self.numbers(v.lanes), column, span))
        even = ir.Constant(ir.VectorType(I32, v.lanes), list(range(0, 2 * v.lanes, 2)))
        return builder.shuffle_vector(low, high, even), self.inside(self.steps, column, span)

    def gather(self, row, column, count):  # type: ignore
        """load, for a stride that is known only when it runs."""
        v, builder = self.v, self.builder
        span = builder.add(builder.mul(builder.sub(count, word(1)), self.stride), word(1))
        mask = self.inside(self.steps, column, span)
        longs = ir.VectorType(I64, v.lanes)
        place = builder.ptrtoint(v.at(self.x, builder.add(row, column)), I64)
        bytes_of = builder.mul(builder.sext(self.steps, longs), v.spread(word(v.size), longs))
        places = builder.inttoptr(
            builder.add(v.spread(place, longs), bytes_of),
            ir.VectorType(v.kind.as_pointer(), v.lanes),
        )
        arguments = [places, v.align, mask, v.zero]
        load = v.function("masked.gather", v.type, [x.type for x in arguments], f".v{v.lanes}p0")
        return builder.call(load, arguments), mask


class _Best(_Windows):
    """Keeps the largest element so far and its number: NaN wins, else the first of the largest."""

    def begin(self):  # type: ignore
        low = ir.Constant(self.v.type, [-math.inf] * self.v.lanes)
        self.builder.store(low, self.best)
        self.builder.store(ir.Constant(self.ints, [-1] * self.v.lanes), self.at)

    def tap(self, row, column, count):  # type: ignore
        builder = self.builder
        x, mask = self.load(row, column, count)
        number = builder.add(self.whole(builder.add(row, column)), self.steps)
        best, at = builder.load(self.best), builder.load(self.at)
        none = builder.icmp_signed("<", at, ir.Constant(self.ints, [0] * self.v.lanes))
        larger = builder.or_(
            builder.fcmp_ordered(">", x, best), builder.fcmp_unordered("uno", x, x)
        )
        take = builder.and_(mask, builder.or_(larger, none))
        builder.store(builder.select(take, x, best), self.best)
        builder.store(builder.select(take, number, at), self.at)

    def end(self, y, at, count):  # type: ignore
        v, builder = self.v, self.builder
        mask = v.below(0, count)
        v.store(builder.load(self.best), v.at(v.pointer(y), 0), mask)
        wide = ir.VectorType(I64, v.lanes)
        numbers = builder.sext(builder.load(self.at), wide)
        place = builder.inttoptr(at, wide.as_pointer())
        arguments = [numbers, place, v.align, mask]
        name = f"llvm.masked.store.v{v.lanes}i64.p0"
        kind = ir.FunctionType(ir.VoidType(), [x.type for x in arguments])
        store = cgutils.get_or_insert_function(builder.module, kind, name)
        builder.call(store, arguments)


class _Sum(_Windows):
    """Adds the elements up."""

    def begin(self):  # type: ignore
        self.builder.store(self.v.zero, self.best)

    def tap(self, row, column, count):  # type: ignore
        x, _ = self.load(row, column, count)  # 0 where there is none
        self.builder.store(self.builder.fadd(self.builder.load(self.best), x), self.best)

    def end(self, y, at, count):  # type: ignore
        v = self.v
        v.store(self.builder.load(self.best), v.pointer(y), v.below(0, count))


def _row(keep: Any, constant: int) -> Any:
    """Return row(like, x, y, at, n, sizes, ds, hs, ws): n outputs, their windows side by side.

    sizes are h and w of the plane at x; ds and hs are start, stop and step of the rows they have
    in common; ws is the first column of the first window (below 0 in the padding), the number of
    columns, their distance and that of the windows, which is `constant` where that is not 0. y and
    at are addresses.
    """

    def row(typingctx, like, x, y, at, n, sizes, ds, hs, ws):  # type: ignore
        def codegen(context, builder, signature, args):  # type: ignore
            _, x, y, at, n, sizes, ds, hs, ws = args
            height, width = cgutils.unpack_tuple(builder, sizes)
            ds, hs, ws = (cgutils.unpack_tuple(builder, part) for part in (ds, hs, ws))
            kept = keep(builder, like, x, width, ws[3], constant)
            lanes, size = kept.v.lanes, kept.v.size
            turns = builder.sdiv(builder.add(n, word(lanes - 1)), word(lanes))
            with cgutils.for_range(builder, turns) as turn:
                first = builder.mul(turn.index, word(lanes))
                count = builder.sub(n, first)
                start = builder.add(ws[0], builder.mul(first, kept.stride))
                kept.begin()
                with (
                    cgutils.for_range_slice(builder, *ds, intp=I64) as (d, _),
                    cgutils.for_range_slice(builder, *hs, intp=I64) as (h, _),
                    cgutils.for_range(builder, ws[1]) as across,
                ):
                    row = builder.mul(builder.add(builder.mul(d, height), h), width)
                    step = builder.mul(across.index, ws[2])
                    kept.tap(row, builder.add(start, step), count)
                kept.end(
                    builder.add(y, builder.mul(first, word(size))),
                    builder.add(at, builder.mul(first, word(8))),
                    count,
                )
            return context.get_dummy_value()

        return types.void(like, x, y, at, n, sizes, ds, hs, ws), codegen

    return intrinsic(row)


best_any, best_1, best_2 = _row(_Best, 0), _row(_Best, 1), _row(_Best, 2)
sum_any, sum_1, sum_2 = _row(_Sum, 0), _row(_Sum, 1), _row(_Sum, 2)


def table_shape(outputs):
    """Return the shape of the int64 work array for so many outputs along d, h and w."""
    return sum(outputs), 3


# Small planes: which elements a sum has is the same for all of them, so maps say it, for several
# planes at a time. Row q of a map names the q-th; the zero behind the elements fills up.


def average_maps(window, sizes, outputs):
    """Return the shape of the int64 maps of average_pool; (0, 0) where they are of no use."""
    return _window_maps(window, sizes, outputs, 2)


def max_maps(window, sizes, outputs):
    """Return the shape of the int64 maps of max_pool; (0, 0) where they are of no use."""
    return _window_maps(window, sizes, outputs, FAR)


def _window_maps(window, sizes, outputs, far):
    """Windows may not reach into the padding, and are `far` apart at least."""
    ends = zip(window[0], window[1], window[2], sizes, outputs, strict=True)
    inside = all(p == 0 and (o - 1) * s + k <= n for k, s, p, n, o in ends)
    taps = math.prod(map(int, window[0]))
    apart = window[1, 2] >= far and window[3].max() == 1
    most = APART if window[1, 2] >= FAR else SMALL
    if not (inside and apart and _small(window, sizes, most) and taps <= TAPS):
        return 0, 0
    return taps, _together(sizes) * math.prod(outputs)


def _small(window, sizes, most=SMALL):
    """Tell whether planes are so small that maps of them stay in a cache."""
    return bool(window[0].min()) and math.prod(sizes) <= most


def _together(sizes):
    """Return how many planes are taken at a time."""
    return max(1, TOGETHER // math.prod(sizes))


@compiled
def _repeat(maps, size, step, planes, zero):
    """Draw the maps of `size` elements of a plane for more planes, `step` sources further each."""
    for q in range(maps.shape[0]):
        for e in range(size):
            for plane in range(1, planes):
                there = maps[q, e] != zero
                maps[q, plane * size + e] = maps[q, e] + plane * step if there else zero


@compiled
def _draw_windows(window, sizes, outputs, planes, maps):
    """Map every output to the elements of its window, which has none in the padding."""
    for e, (i, j, k) in enumerate(np.ndindex(outputs)):
        for q, (d, h, w) in enumerate(np.ndindex((window[0, 0], window[0, 1], window[0, 2]))):
            depth, row = i * window[1, 0] + d, j * window[1, 1] + h
            maps[q, e] = (depth * sizes[1] + row) * sizes[2] + k * window[1, 2] + w
    size = outputs[0] * outputs[1] * outputs[2]
    _repeat(maps, size, sizes[0] * sizes[1] * sizes[2], planes, -1)


@compiled
def _look_up(window, sizes, outputs, include, table):
    """For each output along each axis: where its elements start and stop, and how many count."""
    i = 0
    for axis in range(3):
        n = sizes[axis]
        kernel, stride, padding, dilation = (
            window[0, axis], window[1, axis], window[2, axis], window[3, axis]
        )  # fmt: skip
        for o in range(outputs[axis]):
            if kernel:
                start = o * stride - padding
                stop = start + (kernel - 1) * dilation + 1
                table[i, 2] = min(stop, n + padding) - start
                if start < 0:
                    start += (-start + dilation - 1) // dilation * dilation
                stop = min(n, stop)
            else:
                start = o * n // outputs[axis]
                stop = ((o + 1) * n + outputs[axis] - 1) // outputs[axis]
            table[i, 0], table[i, 1] = start, stop
            if not (include and kernel):
                table[i, 2] = stop - start
            i += 1


@compiled
def _aligned(window, n, outputs):
    """Return start, number, distance and stride of windows along w; number 0 if they differ."""
    if window[0, 2] > 0:
        return -window[2, 2], window[0, 2], window[3, 2], window[1, 2]
    if outputs and n % outputs == 0:
        return 0, n // outputs, 1, n // outputs
    return 0, 0, 1, 1


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
    ws = _aligned(window, width, ow)
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


def range_naive(o, axis, n, outputs, window):
    """The elements of output o along an axis, with no rule about padding but to leave it out."""
    kernel, stride, padding, dilation = (int(row[axis]) for row in window)
    if kernel == 0:
        return range(o * n // outputs, -(-(o + 1) * n // outputs))
    places = (o * stride - padding + k * dilation for k in range(kernel))
    return [place for place in places if 0 <= place < n]


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
    _look_up(window, x.shape[1:], y.shape[1:], False, table)
    if maps.size:
        planes = maps.shape[1] // (y.shape[1] * y.shape[2] * y.shape[3])
        _draw_windows(window, x.shape[1:], y.shape[1:], planes, maps)
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


# Averages

LONG = 16  # columns of a window from which they are added in lanes


@row_loop
def add(reads, numbers, sums):
    return [reads[0] + reads[1]], sums


@row_loop
def divide(reads, numbers, sums):
    return [reads[0] / (reads[1] * numbers[0])], sums


def _total(reads, numbers, sums):
    return [], [sums[0] + reads[0]]


row_total = row_loop(_total, sums=1)


def average_work(window, sizes, outputs):
    """Return the shape of the work array of averages: counts, then two rows a chunk.

    sizes are d, h and w of the planes, outputs those of what they become.
    """
    kernel, stride, padding = (int(row[2]) for row in window[:3])
    width = max(sizes[2] + padding, outputs[2] * stride + kernel, outputs[2])
    rows = sizes[0] * sizes[1] * outputs[2]
    together = _together(sizes) * max(rows, math.prod(outputs)) + 1
    return 1 + 2 * CHUNKS, max(width, together if _small(window, sizes, APART) else 0)


def average_vjp_maps(window, sizes, outputs):
    """Return the shape of the int64 maps of average_pool_vjp; (0, 0) where they are of no use."""
    if not _small(window, sizes):
        return 0, 0
    strides = zip(window[0], window[1], outputs, strict=True)
    d, h, w = (min(o, -(-int(k) // int(s))) for k, s, o in strides)
    return d * h + w, _together(sizes) * sizes[0] * sizes[1] * max(sizes[2], outputs[2])


@compiled
def _sum_window(plane, ds, hs, ws):
    """Return the sum of a window."""
    _, height, width = plane.shape
    size, start = plane.itemsize, np.intp(plane.ctypes.data)
    total = plane.dtype.type(0)
    for d in range(ds[0], ds[1]):
        at = start + ((d * height + hs[0]) * width + ws[0]) * size
        if ws[1] - ws[0] == width:  # its rows are one
            (part,) = row_total(plane, (hs[1] - hs[0]) * width, (at,), (), ())
            total += part
            continue
        for h in range(hs[0], hs[1]):
            if ws[1] - ws[0] < LONG:
                row = plane[d, h]
                for w in range(ws[0], ws[1]):
                    total += row[w]
            else:
                (part,) = row_total(plane, ws[1] - ws[0], (at,), (), ())
                total += part
            at += width * size
    return total


@compiled
def _prepare(window, sizes, outputs, include, divisor, table, counts):
    """Look the windows up; with a divisor all of them count that many, else along w, in counts."""
    _look_up(window, sizes, outputs, include, table)
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
    ws = _aligned(window, width, ow)
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


def windows_naive(shape, outputs, window, include, divisor):
    """Give the number of every output with its elements and what their sum is divided by."""
    for o in ((i, j, k) for i in range(outputs[0]) for j in range(outputs[1])
              for k in range(outputs[2])):  # fmt: skip
        ranges, count = [], 1
        for axis in range(3):
            kernel, stride, padding, _ = (int(row[axis]) for row in window)
            here = range_naive(o[axis], axis, shape[axis], outputs[axis], window)
            start = o[axis] * stride - padding
            padded = min(start + kernel, shape[axis] + padding) - start
            count *= padded if include and kernel else len(here)
            ranges.append(here)
        yield o, ranges, divisor or count


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
        _draw_windows(window, x.shape[1:], y.shape[1:], planes, maps)
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
    _repeat(maps[:split], sums, shares, planes, planes * shares)
    _repeat(maps[split:], depth * height * width, sums, planes, planes * sums)
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
