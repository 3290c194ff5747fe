"""Convolution with channels as vectors: for small images, whose rows are too short for vectors.

A tile is some positions by one or two vectors of channels of the result. Weights are laid out so
that these are neighbours, once for each call; results are turned back when they are complete.
"""

from __future__ import annotations

from .conv_plan import (
    AT,
    CHANNELS,
    DIRECT,
    GROUPS,
    LENGTH,
    MANY,
    ROWS_OUT,
    STAGED,
    TABLE,
    W_GROUP,
    W_ROW,
)  # fmt: skip
from .lanes import VECTORS, flip, lanes_of
from .pair import compiled
from .windows import across


@compiled
def lay_out(w, g, phases, far_w, panel):
    """Copy the weights to (groups, blocks of channels, phases, places of the kernel, vectors)."""
    wide = VECTORS * lanes_of(w)
    rows = g[ROWS_OUT]
    begin = 0
    for group in range(g[GROUPS]):
        for j0 in range(0, rows, wide):
            for p in range(phases.shape[0]):
                table, length = phases[p, TABLE], phases[p, LENGTH]
                for j in range(min(wide, rows - j0)):
                    source = w[group * g[W_GROUP] + (j0 + j) * g[W_ROW] :]
                    target = panel[begin + j :]
                    for k in range(length):
                        target[k * wide] = source[far_w[table + k]]
                begin += length * wide


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
def _phases(work, g, phases, at, to, far_x, panel, a, held, many, cols):
    """One block of channels of all results, from weights that lie in order in the panel."""
    size = work.itemsize
    wide = VECTORS * lanes_of(work)
    for p in range(phases.shape[0]):
        f = phases[p]
        count = many * f[MANY] * f[MANY + 1] * f[MANY + 2]
        if f[LENGTH]:
            across(
                work, a, at.ctypes.data + f[AT] * 8, far_x.ctypes.data + f[TABLE] * 8,
                panel, wide, f[LENGTH], held.ctypes.data, to.ctypes.data + f[AT] * 8, wide,
                count, cols,
            )  # fmt: skip
        else:  # no place of the kernel is seen from here
            for i in range(f[AT], f[AT] + count):
                held[to[i] * wide : to[i] * wide + cols] = 0
        panel += f[LENGTH] * wide * size


@compiled
def by_lanes(x, bias, y, g, phases, at, to, far_x, panel, work, n0, n1, group):
    """The results of samples n0 to n1, whose stage is ready."""
    size = x.itemsize
    wide = VECTORS * lanes_of(work)
    rows, held = g[ROWS_OUT], work[g[STAGED] :]
    plane = y.shape[2] * y.shape[3] * y.shape[4]
    a = work.ctypes.data
    if g[DIRECT]:
        channel = x.shape[2] * x.shape[3] * x.shape[4]
        a = x.ctypes.data + (n0 * x.shape[1] + group * g[CHANNELS]) * channel * size
    block = panel.ctypes.data + group * ((rows + wide - 1) // wide) * wide * far_x.size * size
    for j in range(0, rows, wide):
        cols = min(wide, rows - j)
        _phases(work, g, phases, at, to, far_x, block, a, held, n1 - n0, cols)
        block += wide * far_x.size * size
        for n in range(n0, n1):
            o = group * rows + j
            _turn(work, held[(n - n0) * plane * wide :], wide, y, n, o, cols, bias)
