"""Register tiles whose operands are found through tables: sums over windows that slide.

A column of the matrix that im2col would make is a run of neighbours in the image itself, so a
table of where each run begins takes the place of the matrix. Offsets are in elements, addresses
of arrays and of tables in bytes; `like` is any array of the element type. Columns are at most
VECTORS * lanes, rows any number.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from .lanes import I64, ROWS, Vectors, counted, put, step, strips, tallest_first, word

HEIGHTS = tuple(n for n in (14, 12, 10, 8, 6, 4, 2, 1) if n <= ROWS[0])


def _table(v: Vectors, address: Any, i: Any) -> Any:
    """Return entry i of a table of int64."""
    builder = v.builder
    return builder.load(builder.gep(builder.inttoptr(address, I64.as_pointer()), [i]))


def _entries(v: Vectors, address: Any, first: Any, count: int) -> list[Any]:
    return [_table(v, address, v.builder.add(first, word(i))) for i in range(count)]


def _reach(typingctx, like, a, ra, far_a, b, far_b, depth, c, rc, rows, cols):  # type: ignore
    """c[i, j] = sum over k of a[i ra + far_a[k]] * b[far_b[k] + j], j below cols, i below rows."""
    signature = types.void(like, *[types.intp] * 10)

    def codegen(context, builder, signature, args):  # type: ignore
        v = Vectors(builder, signature.args[0].dtype)
        _, a, ra, far_a, b, far_b, depth, c, rc, total, cols = args
        a, b, c = map(v.pointer, (a, b, c))

        def tiles(masks: list[Any]) -> None:
            def one(rows: int, i: Any) -> None:
                starts = v.rows(v.at(a, builder.mul(i, ra)), ra, rows)
                zeros = [v.zero] * (rows * len(masks))
                with counted(builder, depth, zeros) as (k, running, following):
                    away = _table(v, far_a, k)
                    xs = [v.at(start, away) for start in starts]
                    step(v, v.at(b, _table(v, far_b, k)), masks, xs, running, following)
                put(v, following, masks, v.rows(v.at(c, builder.mul(i, rc)), rc, rows))

            tallest_first(v, HEIGHTS, total, one)

        strips(v, cols, tiles)
        return context.get_dummy_value()

    return signature, codegen


def _across(typingctx, like, a, at, far, b, rb, depth, c, to, rc, rows, cols):  # type: ignore
    """c[to[i] rc + j] = sum over k of a[at[i] + far[k]] * b[k rb + j], j below cols, i < rows."""
    signature = types.void(like, *[types.intp] * 11)

    def codegen(context, builder, signature, args):  # type: ignore
        v = Vectors(builder, signature.args[0].dtype)
        _, a, at, far, b, rb, depth, c, to, rc, total, cols = args
        a, b, c = map(v.pointer, (a, b, c))

        def tiles(masks: list[Any]) -> None:
            def one(rows: int, i: Any) -> None:
                starts = [v.at(a, entry) for entry in _entries(v, at, i, rows)]
                zeros = [v.zero] * (rows * len(masks))
                with counted(builder, depth, zeros) as (k, running, following):
                    away = _table(v, far, k)
                    xs = [v.at(start, away) for start in starts]
                    step(v, v.at(b, builder.mul(k, rb)), masks, xs, running, following)
                ends = [v.at(c, builder.mul(rc, entry)) for entry in _entries(v, to, i, rows)]
                put(v, following, masks, ends)

            tallest_first(v, ROWS, total, one)

        strips(v, cols, tiles)
        return context.get_dummy_value()

    return signature, codegen


def _gather(  # type: ignore
    typingctx, like, a, far, begins, runs, length, every, b, rb, c, rc, rows, cols, add
):
    """c[i, j] = or += sum over r, x of a[far[i] + begins[r] + x every] * b[(r length + x) rb + j].

    x is below length, r below runs, j below cols, i below rows.
    """
    signature = types.void(like, *[types.intp] * 12, types.boolean)

    def codegen(context, builder, signature, args):  # type: ignore
        v = Vectors(builder, signature.args[0].dtype)
        _, a, far, begins, runs, length, every, b, rb, c, rc, total, cols, add = args
        a, b, c = map(v.pointer, (a, b, c))

        def tiles(masks: list[Any]) -> None:
            def one(rows: int, i: Any) -> None:
                starts = [v.at(a, entry) for entry in _entries(v, far, i, rows)]
                zeros = [v.zero] * (rows * len(masks))
                with counted(builder, runs, zeros) as (r, outer, after):
                    begin = _table(v, begins, r)
                    first = v.at(b, builder.mul(builder.mul(r, length), rb))
                    here = [v.at(start, begin) for start in starts]
                    with counted(builder, length, outer) as (x, running, following):
                        along = builder.mul(x, every)
                        xs = [v.at(place, along) for place in here]
                        row = v.at(first, builder.mul(x, rb))
                        step(v, row, masks, xs, running, following)
                    after.extend(following)
                put(v, after, masks, v.rows(v.at(c, builder.mul(i, rc)), rc, rows), add)

            tallest_first(v, ROWS, total, one)

        strips(v, cols, tiles)
        return context.get_dummy_value()

    return signature, codegen


# Rows and places of a tile of `along`: their sums fill the registers.
FULL = (4, 5) if ROWS[0] > 8 else (2, 4)


def _along(  # type: ignore
    typingctx, like, a, ra, at, b, far, begins, runs, length, c, rows, places, add
):
    """c[j rows + i] = or += sum over r, x of a[i ra + at[r] + x] * b[far[j] + begins[r] + x].

    x is below length, r below runs, i below rows, j below places. Neighbours x are the vectors.
    """
    signature = types.void(like, *[types.intp] * 11, types.boolean)

    def codegen(context, builder, signature, args):  # type: ignore
        v = Vectors(builder, signature.args[0].dtype)
        _, a, ra, at, b, far, begins, runs, length, c, height, places, add = args
        a, b, c = map(v.pointer, (a, b, c))
        turns = builder.sdiv(builder.add(length, word(v.lanes - 1)), word(v.lanes))

        def sums(starts: list[Any], ends: list[Any]) -> list[Any]:
            zeros = [v.zero] * (len(starts) * len(ends))
            with counted(builder, runs, zeros) as (r, outer, after):
                left, right = _table(v, at, r), _table(v, begins, r)
                with counted(builder, turns, outer) as (turn, running, following):
                    x = builder.mul(turn, word(v.lanes))
                    mask = v.below(0, builder.sub(length, x))
                    xs = [v.load(v.at(start, left, x), mask) for start in starts]
                    for j, end in enumerate(ends):
                        y = v.load(v.at(end, right, x), mask)
                        for i, row in enumerate(xs):
                            known = running[j * len(xs) + i]
                            following.append(v.settled(v.multiply_add(row, y, known)))
                after.extend(following)
            return after

        def tiles(count: int, i: Any) -> None:
            starts = v.rows(v.at(a, builder.mul(i, ra)), ra, count)

            def one(width: int, j: Any) -> None:
                ends = [v.at(b, entry) for entry in _entries(v, far, j, width)]
                found = [v.total(x) for x in sums(starts, ends)]
                for n, x in enumerate(found):
                    place = builder.add(j, word(n // count))
                    place = v.at(c, builder.mul(place, height), i, n % count)
                    known = builder.select(add, builder.load(place), ir.Constant(v.kind, 0.0))
                    builder.store(builder.fadd(known, x), place)

            tallest_first(v, range(FULL[1], 0, -1), places, one)

        tallest_first(v, (FULL[0], 2, 1), height, tiles)
        return context.get_dummy_value()

    return signature, codegen


reach: Any = intrinsic(_reach)
along: Any = intrinsic(_along)
across: Any = intrinsic(_across)
gather: Any = intrinsic(_gather)
