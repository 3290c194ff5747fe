"""Vector code for the inner loops of matrix products, emitted as LLVM vectors.

The compiler does not keep a block of sums in registers on its own. `tile` does: a block of
rows x (VECTORS * lanes) sums, one multiply-add for each of them and each step along the depth
(Goto and van de Geijn, Anatomy of High-Performance Matrix Multiplication, 2008). Widths follow
the machine that runs this. Addresses and strides are plain integers: bytes and elements.
"""

from __future__ import annotations

import platform
import warnings
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from typing import Any

import llvmlite.binding as llvm
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

I32, I64 = ir.IntType(32), ir.IntType(64)
KINDS = {types.float32: (ir.FloatType(), "f32", 4), types.float64: (ir.DoubleType(), "f64", 8)}


def host_width() -> int:
    """Return the bytes of the widest vector this machine multiplies and adds."""
    try:
        features = llvm.get_host_cpu_features()
    except RuntimeError:
        warnings.warn(
            "LLVM does not know this processor: matrix products use vectors of 16 bytes, and are "
            "right but slower",
            RuntimeWarning,
            stacklevel=2,
        )
        return 16
    if features.get("avx512f"):
        return 64
    return 32 if features.get("avx2") and features.get("fma") else 16


def tile_rows(width: int) -> tuple[int, ...]:
    """Return the most rows of sums that fit into the registers, and smaller ones for edges."""
    if width == 64:  # 32 registers: 28 sums, two rows of b, one element of a
        return 14, 8, 4, 2, 1
    if width == 32:
        return 6, 4, 3, 2, 1
    if platform.machine() in ("aarch64", "arm64"):  # 32 registers, not 16
        return 8, 4, 3, 2, 1
    return 4, 3, 2, 1, 1


WIDTH = host_width()
# What inline assembly calls a vector register.
REGISTER = {("x86_64", 64): "v", ("x86_64", 32): "x", ("x86_64", 16): "x", ("aarch64", 16): "w"}
VECTORS = 2  # side by side in a tile
ROWS = tile_rows(WIDTH)


class Vectors:
    """Vectors of one element type, as wide as the machine has them."""

    def __init__(self, builder: Any, dtype: Any) -> None:
        self.builder = builder
        self.kind, self.suffix, self.size = KINDS[dtype]
        self.lanes = WIDTH // self.size
        self.type = ir.VectorType(self.kind, self.lanes)
        self.zero = ir.Constant(self.type, [0.0] * self.lanes)
        self.align = ir.Constant(I32, self.size)

    def function(self, name: str, result: Any, arguments: list[Any], place: str = "") -> Any:
        kind = ir.FunctionType(result, arguments)
        full = f"llvm.{name}.v{self.lanes}{self.suffix}{place}"
        return cgutils.get_or_insert_function(self.builder.module, kind, full)

    def at(self, base: Any, *steps: Any) -> Any:
        """Return base + steps, in elements."""
        for step in steps:
            base = self.builder.gep(base, [step if isinstance(step, ir.Value) else word(step)])
        return base

    def rows(self, base: Any, apart: Any, count: int) -> list[Any]:
        """Return where rows that lie apart begin."""
        return [self.at(base, self.builder.mul(apart, word(i))) for i in range(count)]

    def pointer(self, address: Any) -> Any:
        return self.builder.inttoptr(address, self.kind.as_pointer())

    def spread(self, x: Any, kind: Any = None) -> Any:
        """Return a vector with x in every lane."""
        kind = kind or self.type
        first = self.builder.insert_element(ir.Constant(kind, ir.Undefined), x, I32(0))
        order = ir.Constant(ir.VectorType(I32, self.lanes), [0] * self.lanes)
        return self.builder.shuffle_vector(first, ir.Constant(kind, ir.Undefined), order)

    def load(self, place: Any, mask: Any = None) -> Any:
        place = self.builder.bitcast(place, self.type.as_pointer())
        if mask is None:
            x = self.builder.load(place)
            x.align = self.size
            return x
        arguments = [place, self.align, mask, self.zero]
        load = self.function("masked.load", self.type, [x.type for x in arguments], ".p0")
        return self.builder.call(load, arguments)

    def store(self, x: Any, place: Any, mask: Any = None) -> None:
        place = self.builder.bitcast(place, self.type.as_pointer())
        if mask is None:
            self.builder.store(x, place).align = self.size
            return
        arguments = [x, place, self.align, mask]
        kinds = [x.type for x in arguments]
        store = self.function("masked.store", ir.VoidType(), kinds, ".p0")
        self.builder.call(store, arguments)

    def prefetch(self, place: Any) -> None:
        """Begin to bring a line to the first-level cache, to be written."""
        byte = ir.IntType(8).as_pointer()
        kind = ir.FunctionType(ir.VoidType(), [byte, I32, I32, I32])
        fetch = cgutils.get_or_insert_function(self.builder.module, kind, "llvm.prefetch.p0")
        write, keep, data = I32(1), I32(3), I32(1)
        self.builder.call(fetch, [self.builder.bitcast(place, byte), write, keep, data])

    def multiply_add(self, x: Any, y: Any, z: Any) -> Any:
        # Rounds once where the machine has such an instruction.
        fused = self.function("fmuladd", self.type, [self.type] * 3)
        return self.builder.call(fused, [x, y, z])

    def total(self, x: Any) -> Any:
        """Return the sum of all lanes, halves first."""
        n = self.lanes
        while n > 1:
            n //= 2
            order = ir.Constant(
                ir.VectorType(I32, self.lanes), [(i + n) % self.lanes for i in range(self.lanes)]
            )
            x = self.builder.fadd(x, self.builder.shuffle_vector(x, x, order))
        return self.builder.extract_element(x, I32(0))

    def settled(self, x: Any) -> Any:
        """Return x, known before anything is read that comes later in the program.

        Else the compiler reads all numbers of a step first, and has no registers for the sums.
        """
        register = REGISTER.get((platform.machine(), WIDTH))
        if register is None:
            return x
        kind = ir.FunctionType(self.type, [self.type])
        return self.builder.asm(kind, "", f"={register},0,~{{memory}}", [x], side_effect=True)

    def below(self, start: int, count: Any) -> Any:
        """Return the mask of the lanes whose number, counted from start, is below count."""
        kind = ir.VectorType(I32, self.lanes)
        numbers = ir.Constant(kind, [start + lane for lane in range(self.lanes)])
        many = self.builder.icmp_signed(">", count, word(1 << 16))
        few = self.builder.trunc(self.builder.select(many, word(1 << 16), count), I32)
        return self.builder.icmp_signed("<", numbers, self.spread(few, kind))

    def all_or_none(self, i: int, count: Any) -> Any:
        """Return a mask of all lanes where i is below count, and of none elsewhere."""
        kind = ir.VectorType(ir.IntType(1), self.lanes)
        return self.spread(self.builder.icmp_signed("<", word(i), count), kind)


def word(n: int) -> Any:
    return ir.Constant(I64, n)


@contextmanager
def counted(builder: Any, count: Any, sums: list[Any]) -> Generator[tuple[Any, list[Any], Any]]:
    """A loop of count >= 1 turns: gives the turn, the running sums, and a list for their next."""
    before = builder.block
    loop, after = builder.append_basic_block("depth"), builder.append_basic_block("done")
    builder.branch(loop)
    builder.position_at_end(loop)
    turn = builder.phi(I64)
    turn.add_incoming(word(0), before)
    running = [builder.phi(x.type) for x in sums]
    for phi, x in zip(running, sums, strict=True):
        phi.add_incoming(x, before)
    following: list[Any] = []
    yield turn, running, following
    turned = builder.add(turn, word(1))
    last = builder.block  # not the first one, where there is a loop inside
    turn.add_incoming(turned, last)
    for phi, x in zip(running, following, strict=True):
        phi.add_incoming(x, last)
    builder.cbranch(builder.icmp_signed("<", turned, count), loop, after)
    builder.position_at_end(after)


def step(v: Vectors, row: Any, masks: list[Any], xs: list[Any], running: list[Any],
         following: list[Any]) -> None:  # fmt: skip
    """One step along the depth: a row of b times each of the numbers at xs, onto the sums."""
    bs = [v.load(v.at(row, j * v.lanes), mask) for j, mask in enumerate(masks)]
    for i, x in enumerate(xs):
        spread = v.spread(v.builder.load(x))
        for j, b in enumerate(bs):
            following.append(v.settled(v.multiply_add(spread, b, running[i * len(masks) + j])))


def put(v: Vectors, sums: list[Any], masks: list[Any], rows: list[Any], add: Any = None) -> None:
    """Store a tile of sums at its rows; where `add` is true, onto what is there."""
    builder, vectors = v.builder, len(masks)
    places = [v.at(row, j * v.lanes) for row in rows for j in range(vectors)]
    if add is None:
        for n, place in enumerate(places):
            v.store(sums[n], place, masks[n % vectors])
        return
    with builder.if_else(add) as (onto, fresh):
        with onto:
            for n, place in enumerate(places):
                known = v.load(place, masks[n % vectors])
                v.store(builder.fadd(known, sums[n]), place, masks[n % vectors])
        with fresh:
            put(v, sums, masks, rows)


def tallest_first(v: Vectors, heights: Iterable[int], total: Any,
                  emit: Callable[[int, Any], None]) -> None:  # fmt: skip
    """Emit tiles for rows 0 to total: the tallest that fit, then lower ones, down to 1."""
    builder = v.builder
    begin = cgutils.alloca_once_value(builder, word(0))
    for rows in dict.fromkeys(heights):
        check, tile, after = (builder.append_basic_block(n) for n in ("check", "tile", "after"))
        builder.branch(check)
        builder.position_at_end(check)
        i = builder.load(begin)
        end = builder.add(i, word(rows))
        builder.cbranch(builder.icmp_signed("<=", end, total), tile, after)
        builder.position_at_end(tile)
        emit(rows, i)
        builder.store(end, begin)
        builder.branch(check)
        builder.position_at_end(after)


def strips(v: Vectors, cols: Any, emit: Callable[[list[Any]], None]) -> None:
    """Emit code for cols <= VECTORS * lanes columns, given a mask for each of their vectors.

    What fits into one vector has code of its own, and so have whole strips, without masks.
    """
    builder = v.builder
    with builder.if_else(builder.icmp_signed("<=", cols, word(v.lanes))) as (narrow, wide):
        with narrow:
            emit([v.below(0, cols)])
        with wide:
            full = builder.icmp_signed(">=", cols, word(VECTORS * v.lanes))
            with builder.if_else(full) as (whole, edge):
                with whole:
                    emit([None] * VECTORS)
                with edge:
                    emit([v.below(j * v.lanes, cols) for j in range(VECTORS)])


def _tile(typingctx, like, a, ra, ca, b, rb, depth, c, rc, rows, cols, add):  # type: ignore
    """c[i, j] = or += sum over k of a[i ra + k ca] * b[k rb + j], j below cols, i below rows.

    `like` is any array of the element type; cols is at most VECTORS * lanes, depth at least 1.
    """
    signature = types.void(like, *[types.intp] * 10, types.boolean)

    def codegen(context, builder, signature, args):  # type: ignore
        v = Vectors(builder, signature.args[0].dtype)
        _, a, ra, ca, b, rb, depth, c, rc, total, cols, add = args
        a, b, c = map(v.pointer, (a, b, c))

        def tiles(masks: list[Any]) -> None:
            def one(rows: int, i: Any) -> None:
                starts = v.rows(v.at(a, builder.mul(i, ra)), ra, rows)
                ends = v.rows(v.at(c, builder.mul(i, rc)), rc, rows)
                for end in ends:  # the sums arrive when c's rows have
                    for j in range(len(masks)):
                        v.prefetch(v.at(end, j * v.lanes))
                zeros = [v.zero] * (rows * len(masks))
                with counted(builder, depth, zeros) as (k, running, following):
                    along = builder.mul(k, ca)
                    xs = [v.at(start, along) for start in starts]
                    step(v, v.at(b, builder.mul(k, rb)), masks, xs, running, following)
                put(v, following, masks, ends, add)

            tallest_first(v, ROWS, total, one)

        strips(v, cols, tiles)
        return context.get_dummy_value()

    return signature, codegen


tile: Any = intrinsic(_tile)


def _lanes_of(typingctx, like):  # type: ignore
    """Return how many elements of this type a vector holds."""

    def codegen(context, builder, signature, args):  # type: ignore
        return word(WIDTH // KINDS[signature.args[0].dtype][2])

    return types.intp(like), codegen


lanes_of: Any = intrinsic(_lanes_of)


def _copy_row(typingctx, like, source, target, cols):  # type: ignore
    """Copy cols <= VECTORS * lanes elements, and zeros behind them up to the full row."""
    signature = types.void(like, types.intp, types.intp, types.intp)

    def codegen(context, builder, signature, args):  # type: ignore
        v = Vectors(builder, signature.args[0].dtype)
        _, source, target, cols = args
        source, target = v.pointer(source), v.pointer(target)
        full = builder.icmp_signed(">=", cols, word(VECTORS * v.lanes))
        with builder.if_else(full) as (whole, edge):
            for branch, masked in ((whole, False), (edge, True)):
                with branch:
                    for j in range(VECTORS):
                        mask = v.below(j * v.lanes, cols) if masked else None
                        x = v.load(v.at(source, j * v.lanes), mask)
                        v.store(x, v.at(target, j * v.lanes))
        return context.get_dummy_value()

    return signature, codegen


copy_row: Any = intrinsic(_copy_row)


def _move_row(typingctx, like, source, target, cols, extra):  # type: ignore
    """target[j] = source[j] + extra for j below cols <= VECTORS * lanes."""
    signature = types.void(like, types.intp, types.intp, types.intp, like.dtype)

    def codegen(context, builder, signature, args):  # type: ignore
        v = Vectors(builder, signature.args[0].dtype)
        _, source, target, cols, extra = args
        source, target = v.pointer(source), v.pointer(target)
        extra = v.spread(extra)
        for j in range(VECTORS):
            mask = v.below(j * v.lanes, cols)
            x = v.load(v.at(source, j * v.lanes), mask)
            v.store(builder.fadd(x, extra), v.at(target, j * v.lanes), mask)
        return context.get_dummy_value()

    return signature, codegen


move_row: Any = intrinsic(_move_row)


def _lay_row(typingctx, like, source, target, cols, every):  # type: ignore
    """target[j] = source[j every] for j below cols <= VECTORS * lanes, every 1 or 2; then zeros.

    Whole vectors are written: what lies behind is laid later, or has room. For every 2, cols is
    at most lanes.
    """
    signature = types.void(like, *[types.intp] * 4)

    def codegen(context, builder, signature, args):  # type: ignore
        v = Vectors(builder, signature.args[0].dtype)
        _, source, target, cols, every = args
        source, target = v.pointer(source), v.pointer(target)
        n = v.lanes
        one = builder.icmp_signed("==", every, word(1))
        with builder.if_else(one) as (plain, second):
            with plain:
                v.store(v.load(source, v.below(0, cols)), target)
                with builder.if_then(builder.icmp_signed(">", cols, word(n))):
                    rest = v.load(v.at(source, n), v.below(n, cols))
                    v.store(rest, v.at(target, n))
            with second:
                reach = builder.sub(builder.mul(cols, word(2)), word(1))
                pair = [v.load(v.at(source, j * n), v.below(j * n, reach)) for j in (0, 1)]
                evens = ir.Constant(ir.VectorType(I32, n), [2 * j for j in range(n)])
                v.store(builder.shuffle_vector(*pair, evens), target)
        return context.get_dummy_value()

    return signature, codegen


lay_row: Any = intrinsic(_lay_row)


def _spread_row(typingctx, like, source, target, cols, step, extra):  # type: ignore
    """target[j step] = source[j] + extra for j below cols >= 1."""
    signature = types.void(like, *[types.intp] * 4, like.dtype)

    def codegen(context, builder, signature, args):  # type: ignore
        v = Vectors(builder, signature.args[0].dtype)
        _, source, target, cols, step, extra = args
        source, target = v.pointer(source), v.pointer(target)
        with counted(builder, cols, []) as (j, _, _):
            x = builder.fadd(builder.load(v.at(source, j)), extra)
            builder.store(x, v.at(target, builder.mul(j, step)))
        return context.get_dummy_value()

    return signature, codegen


spread_row: Any = intrinsic(_spread_row)


def _flip(typingctx, like, source, rs, target, rt, count):  # type: ignore
    """target[k rt + j] = source[j rs + k] for a square of lanes x lanes, in registers.

    Only `count` rows of the source are there; the others count as zeros.
    """
    signature = types.void(like, *[types.intp] * 5)

    def codegen(context, builder, signature, args):  # type: ignore
        v = Vectors(builder, signature.args[0].dtype)
        _, source, rs, target, rt, count = args
        source, target = v.pointer(source), v.pointer(target)
        n = v.lanes
        rows = [
            v.load(v.at(source, builder.mul(rs, word(j))), v.all_or_none(j, count))
            for j in range(n)
        ]
        order = ir.VectorType(I32, n)
        distance = n // 2
        while distance:  # swap the off-diagonal blocks of this size
            low = [x if not x & distance else n + x - distance for x in range(n)]
            high = [x + distance if not x & distance else n + x for x in range(n)]
            for i in range(n):
                if not i & distance:
                    x, y = rows[i], rows[i + distance]
                    rows[i] = builder.shuffle_vector(x, y, ir.Constant(order, low))
                    rows[i + distance] = builder.shuffle_vector(x, y, ir.Constant(order, high))
            distance //= 2
        for k in range(n):
            v.store(rows[k], v.at(target, builder.mul(rt, word(k))))
        return context.get_dummy_value()

    return signature, codegen


flip: Any = intrinsic(_flip)
