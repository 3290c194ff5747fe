"""Convolution with channels as vectors: for small images, whose rows are too short for vectors.

A tile is some positions by one or two vectors of channels of the result. Weights are laid out so
that these are neighbours, once for each call; results are turned back when they are complete.
"""

from __future__ import annotations

from .conv_plan import (
    AT,
    CHANNELS,
    DIRECT,
    FIRST,
    GROUPS,
    LENGTH,
    MANY,
    ROWS_OUT,
    SHIFT,
    STAGED,
    STEP,
    TABLE,
    W_GROUP,
    W_ROW,
)  # fmt: skip
from .lanes import ROWS, VECTORS, flip, lanes_of
from .pair import compiled
from .windows import across

R0, R1, R2, R3, R4 = ROWS
T0, T1, T2, T3, T4 = map(across, ROWS)
N0, N1, N2, N3, N4 = (across(rows, 1) for rows in ROWS)


@compiled
def lay_out(w, g, phases, far_w, panel):
    """Copy the weights to (groups, phases, blocks of channels, places of the kernel, vectors)."""
    wide = VECTORS * lanes_of(w)
    rows = g[ROWS_OUT]
    begin = 0
    for group in range(g[GROUPS]):
        for p in range(phases.shape[0]):
            table, length = phases[p, TABLE], phases[p, LENGTH]
            for j0 in range(0, rows, wide):
                for j in range(min(wide, rows - j0)):
                    source = w[group * g[W_GROUP] + (j0 + j) * g[W_ROW] :]
                    target = panel[begin + j :]
                    for k in range(length):
                        target[k * wide] = source[far_w[table + k]]
                begin += length * wide


@compiled
def _rows(like, a, at, far, b, rb, depth, c, rc, rows, cols):
    """Some positions, and one block of channels."""
    size = like.itemsize
    narrow = cols <= lanes_of(like)
    i = 0
    while i < rows:
        left = rows - i
        t, y = at + i * 8, c + i * rc * size
        if left >= R0:
            if narrow:
                N0(like, a, t, far, b, rb, depth, y, rc, cols)
            else:
                T0(like, a, t, far, b, rb, depth, y, rc, cols)
            i += R0
        elif left >= R1:
            if narrow:
                N1(like, a, t, far, b, rb, depth, y, rc, cols)
            else:
                T1(like, a, t, far, b, rb, depth, y, rc, cols)
            i += R1
        elif left >= R2:
            if narrow:
                N2(like, a, t, far, b, rb, depth, y, rc, cols)
            else:
                T2(like, a, t, far, b, rb, depth, y, rc, cols)
            i += R2
        elif left >= R3:
            if narrow:
                N3(like, a, t, far, b, rb, depth, y, rc, cols)
            else:
                T3(like, a, t, far, b, rb, depth, y, rc, cols)
            i += R3
        else:
            if narrow:
                N4(like, a, t, far, b, rb, depth, y, rc, cols)
            else:
                T4(like, a, t, far, b, rb, depth, y, rc, cols)
            i += R4


@compiled
def _turn(like, held, wide, y, n, o, cols, bias):
    """Bring results (positions, channels) of one sample to y, where they are all in order."""
    size = like.itemsize
    lanes = lanes_of(like)
    plane = y.shape[2] * y.shape[3] * y.shape[4]
    whole = plane // lanes * lanes
    target = y.ctypes.data + (n * y.shape[1] + o) * plane * size
    for j in range(0, cols // lanes * lanes, lanes):
        for i in range(0, whole, lanes):
            flip(
                like, held.ctypes.data + (i * wide + j) * size, wide,
                target + (j * plane + i) * size, plane, lanes,
            )  # fmt: skip
    for j in range(cols):
        channel = y[n, o + j].reshape(-1)
        for i in range(whole if j < cols // lanes * lanes else 0, plane):
            channel[i] = held[i * wide + j]
        if bias.size:
            extra = bias[o + j]
            for i in range(channel.size):
                channel[i] += extra


@compiled
def _scatter(held, wide, y, n, o, cols, f, bias):
    """The same for one phase of several, whose results lie apart."""
    first = (f[FIRST] * f[STEP] + f[SHIFT], f[FIRST + 1] * f[STEP + 1] + f[SHIFT + 1])
    begin, step = f[FIRST + 2] * f[STEP + 2] + f[SHIFT + 2], f[STEP + 2]
    for j in range(cols):
        extra = bias[o + j] if bias.size else y.dtype.type(0)
        i = j
        for z in range(f[MANY]):
            for r in range(f[MANY + 1]):
                row = y[n, o + j, first[0] + z * f[STEP], first[1] + r * f[STEP + 1], begin:]
                for x in range(f[MANY + 2]):
                    row[x * step] = held[i] + extra
                    i += wide


@compiled
def by_lanes(x, bias, y, g, phases, at, far_x, panel, work, n0, n1, group):
    """The results of samples n0 to n1, whose stage is ready."""
    size = x.itemsize
    wide = VECTORS * lanes_of(work)
    rows, held = g[ROWS_OUT], work[g[STAGED] :]
    a = work.ctypes.data
    if g[DIRECT]:
        channel = x.shape[2] * x.shape[3] * x.shape[4]
        a = x.ctypes.data + (n0 * x.shape[1] + group * g[CHANNELS]) * channel * size
    blocks = (rows + wide - 1) // wide
    begin = group * blocks * wide * far_x.size
    for p in range(phases.shape[0]):
        f = phases[p]
        many = f[MANY] * f[MANY + 1] * f[MANY + 2]
        for j0 in range(0, rows, wide):
            cols = min(wide, rows - j0)
            count = (n1 - n0) * many
            if f[LENGTH]:
                _rows(
                    work, a, at.ctypes.data + f[AT] * 8, far_x.ctypes.data + f[TABLE] * 8,
                    panel.ctypes.data + begin * size, wide, f[LENGTH], held.ctypes.data, wide,
                    count, cols,
                )  # fmt: skip
            else:
                held[: count * wide] = 0
            begin += f[LENGTH] * wide
            for n in range(n0, n1):
                results, o = held[(n - n0) * many * wide :], group * rows + j0
                if many == y.shape[2] * y.shape[3] * y.shape[4]:
                    _turn(work, results, wide, y, n, o, cols, bias)
                else:
                    _scatter(results, wide, y, n, o, cols, f, bias)
