"""Loops over a row of elements, emitted as LLVM vectors; the last elements go through a mask.

And into how many chunks rows are cut for several threads.

Left to itself the compiler checks before every row whether its arrays overlap, and takes the last
elements one by one: for rows of a hundred elements that is most of the time. Addresses are plain
integers, of elements in one type.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from .lanes import I32, Vectors, word
from .pair import compiled

WORK = 1 << 16  # elements that are worth a chunk of their own
CHUNKS = 64  # at most
UNROLL = 4  # vectors a turn, each with sums of its own
FUSED = ("contract",)  # a product and a sum may be one instruction; nothing else is relaxed


@compiled
def chunks_of(units, size):
    """Return how many chunks so many units, each of `size` elements, are cut into."""
    return max(1, min(units, CHUNKS, units * size // WORK))


class Lanes:
    """A vector in the code being emitted: what is done to it is done in every lane."""

    def __init__(self, builder: Any, value: Any) -> None:
        self.builder, self.value = builder, value

    def __add__(self, other: Lanes) -> Lanes:
        return Lanes(self.builder, self.builder.fadd(self.value, other.value, FUSED))

    def __sub__(self, other: Lanes) -> Lanes:
        return Lanes(self.builder, self.builder.fsub(self.value, other.value, FUSED))

    def __mul__(self, other: Lanes) -> Lanes:
        return Lanes(self.builder, self.builder.fmul(self.value, other.value, FUSED))

    def larger(self, other: Lanes) -> Lanes:
        """Return the larger one; other, where either is NaN."""
        above = self.builder.fcmp_ordered(">", self.value, other.value)
        return Lanes(self.builder, self.builder.select(above, self.value, other.value))

    def __truediv__(self, other: Lanes) -> Lanes:
        return Lanes(self.builder, self.builder.fdiv(self.value, other.value))


def row_loop(
    body: Callable[..., Any], sums: int = 0, tops: bool = False, many: bool = False
) -> Any:
    """Return loop(like, n, reads, numbers, writes), the body at work on n elements.

    `reads` and `writes` are tuples of addresses, `numbers` one of scalars of the type of like; any
    of them may be (). `body(v, reads, numbers, sums)` gets vectors and returns what is written and
    the new sums; the loop returns the sums, in the type of like, added over the lanes. With `tops`
    they are not sums but largest numbers: from -inf on, and over the lanes. With `many` it is
    loop(like, rows, stride, n, reads, numbers, writes): so many rows, their addresses `stride`
    bytes apart, and sums over all of them.
    """

    def emit(like, reads, numbers, writes, *places):  # type: ignore
        result = types.UniTuple(like.dtype, sums) if sums else types.void

        def codegen(context, builder, signature, args):  # type: ignore
            _, *rows, n, reads, numbers, writes = args
            emit = _Loop(builder, like.dtype, (n, reads, numbers, writes), body, sums, tops)
            totals = emit.run(*rows)
            if not sums:
                return context.get_dummy_value()
            return context.make_tuple(builder, result, totals)

        return result(like, *places, reads, numbers, writes), codegen

    def loop(typingctx, like, n, reads, numbers, writes):  # type: ignore
        return emit(like, reads, numbers, writes, types.intp)

    def loops(typingctx, like, rows, stride, n, reads, numbers, writes):  # type: ignore
        return emit(like, reads, numbers, writes, *[types.intp] * 3)

    return intrinsic(loops if many else loop)


class _Loop:
    """The code of one loop: whole turns of UNROLL vectors, then single ones with a mask."""

    def __init__(
        self, builder: Any, dtype: Any, args: Any, body: Any, sums: int, tops: bool
    ) -> None:
        self.v = Vectors(builder, dtype)
        self.builder, self.body, self.tops = builder, body, tops
        self.n, reads, numbers, writes = args
        self.addresses = [cgutils.unpack_tuple(builder, part) for part in (reads, writes)]
        spread = [self.v.spread(x) for x in cgutils.unpack_tuple(builder, numbers)]
        self.numbers = [Lanes(builder, x) for x in spread]
        start = self.v.spread(ir.Constant(self.v.kind, -math.inf)) if tops else self.v.zero
        self.sums = [
            [cgutils.alloca_once(builder, start.type) for _ in range(sums)] for _ in range(UNROLL)
        ]
        for place in (place for places in self.sums for place in places):
            builder.store(start, place)

    def run(self, rows: Any = None, stride: Any = None) -> list[Any]:
        if rows is None:
            self.row(word(0))
        else:
            with cgutils.for_range(self.builder, rows) as turn:
                self.row(self.builder.mul(turn.index, stride))
        return [self.total(k) for k in range(len(self.sums[0]))]

    def row(self, offset: Any) -> None:
        """One row, so many bytes behind the first."""
        builder, lanes = self.builder, self.v.lanes
        self.reads, self.writes = (
            [self.v.pointer(builder.add(x, offset)) for x in part] for part in self.addresses
        )
        turns = builder.sdiv(self.n, word(UNROLL * lanes))
        with cgutils.for_range(builder, turns) as turn:
            start = builder.mul(turn.index, word(UNROLL * lanes))
            self.step([builder.add(start, word(u * lanes)) for u in range(UNROLL)], None)
        start = builder.mul(turns, word(UNROLL * lanes))
        left = builder.sub(self.n, start)
        rest = builder.sdiv(builder.add(left, word(lanes - 1)), word(lanes))
        with cgutils.for_range(builder, rest) as turn:
            done = builder.mul(turn.index, word(lanes))
            mask = self.v.below(0, builder.sub(left, done))
            self.step([builder.add(start, done)], mask)

    def step(self, places: list[Any], mask: Any) -> None:
        """Load all, compute all, store all: no load waits for a store that might overlap."""
        v, builder = self.v, self.builder
        loaded = [
            [Lanes(builder, v.load(v.at(x, place), mask)) for x in self.reads] for place in places
        ]
        stored = []
        for reads, sums in zip(loaded, self.sums, strict=False):
            before = [Lanes(builder, builder.load(x)) for x in sums]
            out, after = self.body(reads, self.numbers, before)
            stored.append(out)
            for place, old, new in zip(sums, before, after, strict=True):
                chosen = new.value
                if mask is not None:
                    chosen = builder.select(mask, new.value, old.value)
                builder.store(chosen, place)
        for place, out in zip(places, stored, strict=True):
            for y, target in zip(out, self.writes, strict=True):
                v.store(y.value, v.at(target, place), mask)

    def total(self, k: int) -> Any:
        builder, v = self.builder, self.v
        parts = [Lanes(builder, builder.load(sums[k])) for sums in self.sums]
        while len(parts) > 1:
            pairs = zip(parts[::2], parts[1::2], strict=True)
            parts = [x.larger(y) if self.tops else x + y for x, y in pairs]
        if self.tops:
            return self.largest(parts[0].value)
        kind = ir.FunctionType(v.kind, [v.kind, v.type])
        name = f"llvm.vector.reduce.fadd.v{v.lanes}{v.suffix}"
        add = cgutils.get_or_insert_function(builder.module, kind, name)
        return builder.call(add, [ir.Constant(v.kind, -0.0), parts[0].value], fastmath=("reassoc",))

    def largest(self, x: Any) -> Any:
        """Halve the vector until one lane is left."""
        builder, n = self.builder, self.v.lanes
        while n > 1:
            n //= 2
            kind = ir.VectorType(I32, n)
            low, high = (ir.Constant(kind, list(range(s, s + n))) for s in (0, n))
            low, high = (builder.shuffle_vector(x, x, order) for order in (low, high))
            x = Lanes(builder, low).larger(Lanes(builder, high)).value
        return builder.extract_element(x, I32(0))


total_of = row_loop(lambda x, _, total: ([], [total[0] + x[0]]), 1)
