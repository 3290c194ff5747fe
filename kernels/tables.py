"""Lists of arrays, as kernels see them, and the loop over all their elements in pieces.

A list of arrays is a table of their `id`s, int64 of shape (count, columns): a row for each
parameter, a column for each role. An id is where the array's record lies, and the record says
where its data lie (NumPy's C API, PyArrayObject); asking NumPy itself for fifty addresses takes
longer than the update. The caller keeps the arrays alive; they are C-contiguous and of the type
of `like`, those of a row are of one size. An id that is not needed may be 0.

The elements of the list, one array after the other, are cut into pieces by their number alone.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

import numba
from numba import types
from numba.extending import intrinsic
from numba.np.numpy_support import carray

from .pair import compiled, read
from .templates import named

PIECE = 1 << 15  # elements that are worth a piece of their own
PIECES = 64  # at most
RECORD = object.__basicsize__  # where in an array's record the address of its data stands


F, B = types.float64, types.boolean


def table(f, *rates):
    return types.void(read(f), read(types.int64, 2), *rates)


def flat(identity):
    """Return the array that has this id, as one axis."""
    return ctypes.cast(int(identity), ctypes.py_object).value.reshape(-1)


def _pointer(typingctx, like, address):  # type: ignore
    """Return an address as a pointer to elements of like."""

    def codegen(context, builder, signature, args):  # type: ignore
        return builder.inttoptr(args[1], context.get_value_type(signature.return_type))

    return types.CPointer(like.dtype)(like, types.intp), codegen


pointer: Any = intrinsic(_pointer)


@compiled
def _size(arrays, i):
    """Return how many elements the arrays of row i have."""
    record = carray(pointer(arrays, arrays[i, 0] + RECORD), 3)  # data, number of axes, axes
    axes = record[1] & 0xFFFFFFFF
    shape = carray(pointer(arrays, record[2]), axes)
    n = 1
    for axis in range(axes):
        n *= shape[axis]
    return n


@compiled
def view_of(like, arrays, i, k, start, count):
    """Return elements of the array in row i and column k."""
    record = carray(pointer(arrays, arrays[i, k] + RECORD), 1)
    return carray(pointer(like, record[0] + start * like.itemsize), count)


@compiled
def pieces_of(arrays):
    """Return how many pieces the elements are cut into, and how many elements there are."""
    total = 0
    for i in range(arrays.shape[0]):
        total += _size(arrays, i)
    return min(PIECES, max(1, total // PIECE)), total


@compiled
def part_of(arrays, i, piece, pieces, total, offset):
    """Return start and number of a piece's elements in row i, and how many end before row i + 1."""
    n = _size(arrays, i)
    start = max(0, total * piece // pieces - offset)
    stop = min(n, total * (piece + 1) // pieces - offset)
    return start, stop - start, offset + n


# What the loop below is about: `in_pieces` gives every kernel one with globals of its own.
BODY: Any = None
PIECE_OF: Any = None
DRIVER: Any = None


def _piece(like, arrays, piece, pieces, total, rates):
    offset = 0
    for i in range(arrays.shape[0]):
        start, count, offset = part_of(arrays, i, piece, pieces, total, offset)
        if count > 0:
            BODY(like, arrays, i, start, count, rates)


def _driver(like, arrays, pieces, total, rates):
    for piece in numba.prange(pieces):
        PIECE_OF(like, arrays, piece, pieces, total, rates)


def _run(like, arrays, rates, parallel):
    pieces, total = pieces_of(arrays)
    if parallel and pieces > 1:
        DRIVER(like, arrays, pieces, total, rates)
    else:
        PIECE_OF(like, arrays, 0, 1, total, rates)


def in_pieces(body: Callable[..., Any]) -> Any:
    """Return run(like, arrays, rates, parallel): the body at work on all elements of a list.

    The body gets (like, arrays, row, start, count, rates): which elements of the arrays of a row.
    """
    name = body.__name__
    part = compiled(named(_piece, f"{name}_piece", BODY=compiled(body)))
    driver = compiled(named(_driver, f"{name}_driver", PIECE_OF=part), parallel=True)
    return compiled(named(_run, f"{name}_run", PIECE_OF=part, DRIVER=driver))
