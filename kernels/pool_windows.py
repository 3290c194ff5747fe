"""Which elements are in which window of a plane: tables and maps, for all poolings.

x is (p, d, h, w) and y (p, od, oh, ow): examples and channels are one axis, and pooling over fewer
than three axes has d = 1, or d = h = 1. `window` says what is pooled: rows kernel, stride, padding
and dilation, columns d, h, w. A kernel of 0 along an axis is an adaptive one: output o has the
elements from o n / outputs, rounded down, to (o + 1) n / outputs, rounded up.
"""

from __future__ import annotations

import math

import numpy as np

from .pair import compiled

FEW = 2  # outputs in a row from which they are taken side by side
SMALL = 1 << 10  # elements of a plane that is done by maps,
APART = 1 << 14  # and if they are FAR apart: else their elements are loaded one by one
TOGETHER = 1 << 9  # elements of such planes that are done at a time
TAPS = 16  # elements of a window, at most, that a map lists
FAR = 3  # distance of windows from which single elements are loaded
DISTINCT = 1 << 31  # elements of a plane whose numbers fit into the lanes


def table_shape(outputs):
    """Return the shape of the int64 work array for so many outputs along d, h and w."""
    return sum(outputs), 3


# Small planes: which elements a sum has is the same for all of them, so maps say it, for several
# planes at a time. Row q of a map names the q-th; the zero behind the elements fills up.


def window_maps(window, sizes, outputs, far):
    """Windows may not reach into the padding, and are `far` apart at least."""
    ends = zip(window[0], window[1], window[2], sizes, outputs, strict=True)
    inside = all(p == 0 and (o - 1) * s + k <= n for k, s, p, n, o in ends)
    taps = math.prod(map(int, window[0]))
    apart = window[1, 2] >= far and window[3].max() == 1
    most = APART if window[1, 2] >= FAR else SMALL
    if not (inside and apart and small(window, sizes, most) and taps <= TAPS):
        return 0, 0
    return taps, planes_together(sizes) * math.prod(outputs)


def small(window, sizes, most=SMALL):
    """Tell whether planes are so small that maps of them stay in a cache."""
    return bool(window[0].min()) and math.prod(sizes) <= most


def planes_together(sizes):
    """Return how many planes are taken at a time."""
    return max(1, TOGETHER // math.prod(sizes))


@compiled
def repeat(maps, size, step, planes, zero):
    """Draw the maps of `size` elements of a plane for more planes, `step` sources further each."""
    for q in range(maps.shape[0]):
        for e in range(size):
            for plane in range(1, planes):
                there = maps[q, e] != zero
                maps[q, plane * size + e] = maps[q, e] + plane * step if there else zero


@compiled
def draw_windows(window, sizes, outputs, planes, maps):
    """Map every output to the elements of its window, which has none in the padding."""
    for e, (i, j, k) in enumerate(np.ndindex(outputs)):
        for q, (d, h, w) in enumerate(np.ndindex((window[0, 0], window[0, 1], window[0, 2]))):
            depth, row = i * window[1, 0] + d, j * window[1, 1] + h
            maps[q, e] = (depth * sizes[1] + row) * sizes[2] + k * window[1, 2] + w
    size = outputs[0] * outputs[1] * outputs[2]
    repeat(maps, size, sizes[0] * sizes[1] * sizes[2], planes, -1)


@compiled
def look_up(window, sizes, outputs, include, table):
    """For each output along each axis: where its elements start and stop, and how many count."""
    i = 0
    for axis in range(3):
        n = sizes[axis]
        kernel, stride, padding, dilation = (
            window[0, axis], window[1, axis], window[2, axis], window[3, axis]
        )  # fmt: skip
        for o in range(outputs[axis]):
            if kernel:
                start = o * stride - padding
                stop = start + (kernel - 1) * dilation + 1
                table[i, 2] = min(stop, n + padding) - start
                if start < 0:
                    start += (-start + dilation - 1) // dilation * dilation
                stop = min(n, stop)
            else:
                start = o * n // outputs[axis]
                stop = ((o + 1) * n + outputs[axis] - 1) // outputs[axis]
            table[i, 0], table[i, 1] = start, stop
            if not (include and kernel):
                table[i, 2] = stop - start
            i += 1


@compiled
def aligned(window, n, outputs):
    """Return start, number, distance and stride of windows along w; number 0 if they differ."""
    if window[0, 2] > 0:
        return -window[2, 2], window[0, 2], window[3, 2], window[1, 2]
    if outputs and n % outputs == 0:
        return 0, n // outputs, 1, n // outputs
    return 0, 0, 1, 1


def range_naive(o, axis, n, outputs, window):
    """The elements of output o along an axis, with no rule about padding but to leave it out."""
    kernel, stride, padding, dilation = (int(row[axis]) for row in window)
    if kernel == 0:
        return range(o * n // outputs, -(-(o + 1) * n // outputs))
    places = (o * stride - padding + k * dilation for k in range(kernel))
    return [place for place in places if 0 <= place < n]


def windows_naive(shape, outputs, window, include, divisor):
    """Give the number of every output with its elements and what their sum is divided by."""
    for o in ((i, j, k) for i in range(outputs[0]) for j in range(outputs[1])
              for k in range(outputs[2])):  # fmt: skip
        ranges, count = [], 1
        for axis in range(3):
            kernel, stride, padding, _ = (int(row[axis]) for row in window)
            here = range_naive(o[axis], axis, shape[axis], outputs[axis], window)
            start = o[axis] * stride - padding
            padded = min(start + kernel, shape[axis] + padding) - start
            count *= padded if include and kernel else len(here)
            ranges.append(here)
        yield o, ranges, divisor or count
