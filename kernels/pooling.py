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


@compiled(parallel=True)
def _max_chunks(x, chunks, window, y, at, table):
    for i in numba.prange(chunks):
        p0, p1 = x.shape[0] * i // chunks, x.shape[0] * (i + 1) // chunks
        _max_planes(x, p0, p1, window, y, at, table)


def range_naive(o, axis, n, outputs, window):
    """The elements of output o along an axis, with no rule about padding but to leave it out."""
    kernel, stride, padding, dilation = (int(row[axis]) for row in window)
    if kernel == 0:
        return range(o * n // outputs, -(-(o + 1) * n // outputs))
    places = (o * stride - padding + k * dilation for k in range(kernel))
    return [place for place in places if 0 <= place < n]


def max_pool_naive(x, window, y, at, table):
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
        write(types.int64, 2), B,
    ),
    rtol=0.0,
    intrinsic=True,
    parallel=True,
)  # fmt: skip
def max_pool(x, window, y, at, table, parallel):
    """The largest element of every window, and its number in the plane: the first of equal ones.

    NaN counts as the largest; of several the last is taken. A window of padding alone has -inf, -1.
    table has the shape table_shape((od, oh, ow)).
    Against the twin: the windows of a row side by side, in lanes.
    """
    chunks = chunks_of(x.shape[0], x.shape[1] * x.shape[2] * x.shape[3])
    _look_up(window, x.shape[1:], y.shape[1:], False, table)
    if parallel and chunks > 1:
        _max_chunks(x, chunks, window, y, at, table)
    else:
        _max_planes(x, 0, x.shape[0], window, y, at, table)


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


def average_work(window, w, ow):
    """Return the shape of the work array of averages over rows of w: counts, then two a chunk."""
    kernel, stride, padding = (int(row[2]) for row in window[:3])
    return 1 + 2 * CHUNKS, max(w + padding, ow * stride + kernel, ow)


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


@compiled(parallel=True)
def _average_chunks(x, chunks, window, y, table, counts):
    for i in numba.prange(chunks):
        p0, p1 = x.shape[0] * i // chunks, x.shape[0] * (i + 1) // chunks
        _average_planes(x, p0, p1, window, y, table, counts)


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


def average_pool_naive(x, window, include, divisor, y, table, work):
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
        B,
    )


@twin_of(
    average_pool_naive, signature=averages, rtol=1e-4, atol=1e-5, intrinsic=True, parallel=True
)
def average_pool(x, window, include, divisor, y, table, work, parallel):
    """The sum of every window over divisor, or if that is 0 over the number of its elements.

    With `include` those in the padding count, but not those beyond it. Every window has an element
    of x; dilation is 1. table has the shape table_shape((od, oh, ow)), work that of average_work.
    Against the twin: sums in the type of x; the windows of a row side by side, in lanes.
    """
    chunks = chunks_of(x.shape[0], x.shape[1] * x.shape[2] * x.shape[3])
    _prepare(window, x.shape[1:], y.shape[1:], include, divisor, table, work[0])
    if parallel and chunks > 1:
        _average_chunks(x, chunks, window, y, table, work[0])
    else:
        _average_planes(x, 0, x.shape[0], window, y, table, work[0])


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


@compiled(parallel=True)
def _share_chunks(g, chunks, window, dx, table, work):
    for i in numba.prange(chunks):
        p0, p1 = g.shape[0] * i // chunks, g.shape[0] * (i + 1) // chunks
        _share_planes(g, p0, p1, window, dx, table, work[0], work[2 * i + 1], work[2 * i + 2])


def average_pool_vjp_naive(g, window, include, divisor, dx, table, work):
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
def average_pool_vjp(g, window, include, divisor, dx, table, work, parallel):
    """The cotangent of x of average_pool: every element of g shared among those of its window.

    Against the twin: a row of shares is made once and added to all rows of the windows.
    """
    chunks = chunks_of(g.shape[0], dx.shape[1] * dx.shape[2] * dx.shape[3])
    _prepare(window, dx.shape[1:], g.shape[1:], include, divisor, table, work[0])
    if parallel and chunks > 1:
        _share_chunks(g, chunks, window, dx, table, work)
    else:
        _share_planes(g, 0, g.shape[0], window, dx, table, work[0], work[1], work[2])
