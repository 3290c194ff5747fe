"""Vector code for rows of windows: a lane is a window, and windows lie side by side."""

from __future__ import annotations

import math
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from .lanes import I32, I64, Vectors, word


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
