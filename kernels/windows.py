"""Register tiles whose operands are found through tables: sums over windows that slide.

A column of the matrix that im2col would make is a run of neighbours in the image itself, so a
table of where each run begins takes the place of the matrix. Offsets are in elements, addresses
of arrays and of tables in bytes.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from numba import types
from numba.extending import intrinsic

from .lanes import I64, VECTORS, Vectors, counted, put, step, word


def _table(v: Vectors, address: Any, i: Any) -> Any:
    """Return entry i of a table of int64."""
    builder = v.builder
    return builder.load(builder.gep(builder.inttoptr(address, I64.as_pointer()), [i]))


@functools.cache
def reach(rows: int) -> Callable[..., None]:
    """c[i, j] = sum over k of a[i ra + far_a[k]] * b[far_b[k] + j], j below cols, i below rows."""

    @intrinsic
    def reach(typingctx, like, a, ra, far_a, b, far_b, depth, c, rc, cols):  # type: ignore
        signature = types.void(like, *[types.intp] * 9)

        def codegen(context, builder, signature, args):  # type: ignore
            v = Vectors(builder, signature.args[0].dtype)
            _, a, ra, far_a, b, far_b, depth, c, rc, cols = args
            a, b, c = map(v.pointer, (a, b, c))
            masks = [v.below(j * v.lanes, cols) for j in range(VECTORS)]
            starts = [v.at(a, builder.mul(ra, word(i))) for i in range(rows)]
            zeros = [v.zero] * (rows * VECTORS)
            with counted(builder, depth, zeros) as (k, running, following):
                away = _table(v, far_a, k)
                xs = [v.at(start, away) for start in starts]
                step(v, v.at(b, _table(v, far_b, k)), masks, xs, running, following)
            put(v, following, masks, c, rc)
            return context.get_dummy_value()

        return signature, codegen

    return reach


@functools.cache
def across(rows: int, vectors: int = VECTORS) -> Callable[..., None]:
    """c[i, j] = sum over k of a[at[i] + far[k]] * b[k rb + j], j below cols, i below rows."""

    @intrinsic
    def across(typingctx, like, a, at, far, b, rb, depth, c, rc, cols):  # type: ignore
        signature = types.void(like, *[types.intp] * 9)

        def codegen(context, builder, signature, args):  # type: ignore
            v = Vectors(builder, signature.args[0].dtype)
            _, a, at, far, b, rb, depth, c, rc, cols = args
            a, b, c = map(v.pointer, (a, b, c))
            masks = [v.below(j * v.lanes, cols) for j in range(vectors)]
            starts = [v.at(a, _table(v, at, word(i))) for i in range(rows)]
            zeros = [v.zero] * (rows * vectors)
            with counted(builder, depth, zeros) as (k, running, following):
                away = _table(v, far, k)
                xs = [v.at(start, away) for start in starts]
                step(v, v.at(b, builder.mul(k, rb)), masks, xs, running, following)
            put(v, following, masks, c, rc)
            return context.get_dummy_value()

        return signature, codegen

    return across


@functools.cache
def gather(rows: int, vectors: int = VECTORS) -> Callable[..., None]:
    """c[i, j] = or += sum over r and x of a[far[i] + begins[r] + x] * b[(r length + x) rb + j].

    Each of the runs has `length` neighbours; j below cols, i below rows.
    """

    @intrinsic
    def gather(  # type: ignore
        typingctx, like, a, far, begins, runs, length, b, rb, c, rc, cols, add
    ):
        signature = types.void(like, *[types.intp] * 10, types.boolean)

        def codegen(context, builder, signature, args):  # type: ignore
            v = Vectors(builder, signature.args[0].dtype)
            _, a, far, begins, runs, length, b, rb, c, rc, cols, add = args
            a, b, c = map(v.pointer, (a, b, c))
            masks = [v.below(j * v.lanes, cols) for j in range(vectors)]
            starts = [v.at(a, _table(v, far, word(i))) for i in range(rows)]
            zeros = [v.zero] * (rows * vectors)
            with counted(builder, runs, zeros) as (r, outer, after):
                begin = _table(v, begins, r)
                first = v.at(b, builder.mul(builder.mul(r, length), rb))
                here = [v.at(start, begin) for start in starts]
                with counted(builder, length, outer) as (x, running, following):
                    xs = [v.at(place, x) for place in here]
                    step(v, v.at(first, builder.mul(x, rb)), masks, xs, running, following)
                after.extend(following)
            put(v, after, masks, c, rc, add)
            return context.get_dummy_value()

        return signature, codegen

    return gather
