"""Random masks from counters: the same bits for any number of threads, and without a stored mask.

Philox-4x32-10 (Salmon, Moraes, Dror and Shaw, Parallel random numbers: as easy as 1, 2, 3, SC 2011,
section 4): ten rounds turn a counter of four 32-bit words and a key of two into four random words.
Element i of an array belongs to counter 16 (i // 64) + i % 16 and to word (i // 16) % 4 of it, so
that 16 counters advance side by side. The two upper words of a counter are zero.
"""

from __future__ import annotations

import numba
import numpy as np
from numba import types

from .pair import FLAGS, compiled, read, twin_of, write

LANES = 16
BLOCK = 4 * LANES  # elements
CHUNK = 1 << 14  # elements: a chunk is done by one thread
PARALLEL_FROM = 1 << 15

M0, M1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
W0, W1 = np.uint32(0x9E3779B9), np.uint32(0xBB67AE85)
LOW, HALF, ROUNDS = np.uint64(0xFFFFFFFF), np.uint64(32), 10


def words(f):
    return types.void(read(f), types.uint64, types.uint64, f, types.uint32, write(f), types.boolean)


@numba.njit(forceinline=True, **FLAGS)
def philox(counter, key):
    """The four words of a counter below 2^64, under a key below 2^64."""
    x0, x1 = np.uint32(counter & LOW), np.uint32(counter >> HALF)
    x2, x3 = np.uint32(0), np.uint32(0)
    k0, k1 = np.uint32(key & LOW), np.uint32(key >> HALF)
    for _ in range(ROUNDS):
        p, q = M0 * np.uint64(x0), M1 * np.uint64(x2)
        x0, x2 = np.uint32((q >> HALF) ^ x1 ^ k0), np.uint32((p >> HALF) ^ x3 ^ k1)
        x1, x3 = np.uint32(q & LOW), np.uint32(p & LOW)
        k0, k1 = np.uint32(k0 + W0), np.uint32(k1 + W1)
    return x0, x1, x2, x3


@compiled
def _block(x, key, start, scale, below, out):
    """64 elements, of the counters from start on."""
    a, b, c, d = x[:16], x[16:32], x[32:48], x[48:]
    p, q, r, s = out[:16], out[16:32], out[32:48], out[48:]
    zero = scale - scale
    for j in range(LANES):
        w0, w1, w2, w3 = philox(start + np.uint64(j), key)
        p[j] = a[j] * (zero if w0 < below else scale)
        q[j] = b[j] * (zero if w1 < below else scale)
        r[j] = c[j] * (zero if w2 < below else scale)
        s[j] = d[j] * (zero if w3 < below else scale)


@compiled
def _part(x, key, counter, scale, below, out, begin, end):
    i = begin
    while i + BLOCK <= end:
        start = counter + np.uint64(i // 4)
        _block(x[i : i + BLOCK], key, start, scale, below, out[i : i + BLOCK])
        i += BLOCK
    zero = scale - scale
    for e in range(i, end):
        start = counter + np.uint64(e // BLOCK * LANES + e % LANES)
        word = philox(start, key)[e // LANES % 4]
        out[e] = x[e] * (zero if word < below else scale)


@compiled(parallel=True)
def _chunks(x, key, counter, scale, below, out):
    for k in numba.prange((x.size + CHUNK - 1) // CHUNK):
        _part(x, key, counter, scale, below, out, k * CHUNK, min(x.size, (k + 1) * CHUNK))


def dropout_naive(x, key, counter, scale, below, out):
    for i in range(x.size):
        start = (int(counter) + i // 64 * 16 + i % 16) % 2**64
        a, b, c, d = start % 2**32, start // 2**32, 0, 0
        k, m = int(key) % 2**32, int(key) // 2**32
        for _ in range(10):
            p, q = 0xD2511F53 * a, 0xCD9E8D57 * c
            a, b, c, d = q // 2**32 ^ b ^ k, q % 2**32, p // 2**32 ^ d ^ m, p % 2**32
            k, m = (k + 0x9E3779B9) % 2**32, (m + 0xBB67AE85) % 2**32
        word = (a, b, c, d)[i // 16 % 4]
        out[i] = float(x[i]) * (0.0 if word < below else scale)


# Without compiling the twin runs: NumPy warns of numbers that wrap around.
@twin_of(dropout_naive, signature=words, rtol=1e-7, intrinsic=True, parallel=True)
def dropout(x, key, counter, scale, below, out, parallel):
    """x scale where the random word of the element is at least `below`, else x 0.

    An element is left out with probability below / 2^32. The next array goes on at counter +
    16 ((size + 63) // 64). Against the twin: 16 counters side by side.
    """
    if parallel and x.size >= PARALLEL_FROM:
        _chunks(x, key, counter, scale, below, out)
    else:
        _part(x, key, counter, scale, below, out, 0, x.size)
