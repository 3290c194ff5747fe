"""Rows of a table by their numbers, and gradients added to the rows they came from."""

from __future__ import annotations

import numba
import numpy as np
from numba import types

from .pair import compiled, read, twin_of, write
from .rows import chunks_of, row_loop

B = types.boolean
COLUMNS = 16  # at least, of the columns that one chunk adds
NUMBERS = read(types.int64)


@row_loop
def copy(reads, numbers, sums):
    return reads, sums


@row_loop
def add(reads, numbers, sums):
    return [reads[0] + reads[1]], sums


@compiled
def _copy_rows(weight, index, begin, end, out):
    n = weight.shape[1]
    row = n * weight.itemsize
    source, target = np.intp(weight.ctypes.data), np.intp(out.ctypes.data)
    for i in range(begin, end):
        copy(weight, n, (source + index[i] * row,), (), (target + i * row,))


@compiled(parallel=True)
def _copy_chunks(weight, index, chunks, out):
    for i in numba.prange(chunks):
        begin, end = index.size * i // chunks, index.size * (i + 1) // chunks
        _copy_rows(weight, index, begin, end, out)


def embedding_naive(weight, index, out):
    for i in range(index.size):
        for j in range(weight.shape[1]):
            out[i, j] = weight[index[i], j]


@twin_of(
    embedding_naive,
    signature=lambda f: types.void(read(f, 2), NUMBERS, write(f, 2), B),
    rtol=0.0,
    intrinsic=True,
    parallel=True,
)
def embedding(weight, index, out, parallel):
    """out[i] = weight[index[i]]; every number is from 0 to the rows of weight - 1.

    Against the twin: none, rows in chunks.
    """
    chunks = chunks_of(index.size, weight.shape[1])
    if parallel and chunks > 1:
        _copy_chunks(weight, index, chunks, out)
    else:
        _copy_rows(weight, index, 0, index.size, out)


@compiled
def _add_columns(g, index, skip, low, high, out):
    row = g.shape[1] * g.itemsize
    source, target = np.intp(g.ctypes.data), np.intp(out.ctypes.data)
    for i in range(index.size):
        if index[i] != skip:
            here, there = source + i * row, target + index[i] * row
            at = low * g.itemsize
            add(g, high - low, (there + at, here + at), (), (there + at,))


@compiled(parallel=True)
def _add_chunks(g, index, skip, chunks, out):
    for i in numba.prange(chunks):
        low, high = g.shape[1] * i // chunks, g.shape[1] * (i + 1) // chunks
        _add_columns(g, index, skip, low, high, out)


def embedding_vjp_naive(g, index, skip, out):
    for i in range(index.size):
        if index[i] != skip:
            for j in range(g.shape[1]):
                out[index[i], j] += g[i, j]


@twin_of(
    embedding_vjp_naive,
    signature=lambda f: types.void(read(f, 2), NUMBERS, types.intp, write(f, 2), B),
    rtol=0.0,
    intrinsic=True,
    parallel=True,
)
def embedding_vjp(g, index, skip, out, parallel):
    """out[index[i]] += g[i], but for index[i] = skip (-1: none); rows in their order.

    Against the twin: none, every element is summed in the same order, by chunks of columns.
    """
    chunks = min(chunks_of(index.size, g.shape[1]), g.shape[1] // COLUMNS)
    if parallel and chunks > 1:
        _add_chunks(g, index, skip, chunks, out)
    else:
        _add_columns(g, index, skip, 0, g.shape[1], out)
