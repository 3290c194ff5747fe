"""Where the windows of a convolution lie: tables of offsets, once for each geometry.

A source is copied, with its padding, into a *stage*: for each channel and each remainder of the
stride an image of its own, in which the elements that neighbouring windows see at one place of
the kernel are neighbours. Position m of the result sees, at a place with `shift` and `remainder`,
element m + shift of that image. So every place of the kernel is one number, an offset into the
stage, and a window needs no column of its own.

The transposed convolution is the same with roles changed: the positions u = m stride + r of the
result with one remainder r see only the places of the kernel with that remainder, and form a
*phase* with a table of its own.
"""

from __future__ import annotations

import functools
import itertools
import math
from typing import NamedTuple

import numpy as np

from .gemm import SPARE

Three = tuple[int, int, int]

STAGE = 1 << 17  # elements of a stage, at most, unless one row of results needs more
HELD = 1 << 16  # elements of results that wait, at most, unless one sample has more
FEWEST = 8  # chunks that samples are put together to, at least
LAID_OUT = 1 << 17  # weights, at most, that are laid out anew for a call
WIDE = 32  # elements of two vectors of float32
TALLEST = 14  # rows of results that wait for their columns
(
    GROUPS, CHANNELS, ROWS_OUT, W_ROW, W_GROUP, STRIDE, PAD, EXTENT, DIRECT, BAND_AXIS, BAND, BANDS,
    START, COUNT, TOGETHER, STAGED, COLUMNS_OUT, PLACES,
) = (0, 1, 2, 3, 4, 5, 8, 11, 14, 15, 16, 17, 18, 21, 24, 25, 26, 27)  # fmt: skip
TABLE, LENGTH, FIRST, MANY, STEP, SHIFT, AT = 0, 1, 2, 5, 8, 11, 14  # of a phase


class Plan(NamedTuple):
    """What a kernel has to know of a geometry."""

    geometry: np.ndarray  # the numbers named above
    phases: np.ndarray  # a row of numbers for each
    far_w: np.ndarray  # offsets into the weights of a result, phase after phase
    far_x: np.ndarray  # into the stage
    begins: np.ndarray  # of each row of positions of each sample, in the stage
    at: np.ndarray  # of each position, phase after phase, where channels are vectors
    work: int  # elements of the work array of each thread
    panel: int  # and of weights that are laid out


class Axis(NamedTuple):
    """One axis of a phase: which places of the kernel, what they see, where results go."""

    places: tuple[int, ...]
    remainders: tuple[int, ...]
    shifts: tuple[int, ...]
    first: int
    many: int
    step: int
    shift: int


def _forward_axis(out: int, kernel: int, stride: int, dilation: int) -> list[Axis]:
    places = tuple(range(kernel))
    seen = [i * dilation for i in places]
    return [
        Axis(
            places, tuple(u % stride for u in seen), tuple(u // stride for u in seen),
            0, out, 1, 0,
        )
    ]  # fmt: skip


def _transposed_axis(size: int, kernel: int, stride: int, pad: int, dilation: int) -> list[Axis]:
    """Phases of an axis of the input: those without a place of the kernel stay zero."""
    axes: list[Axis] = []
    for r in range(stride):
        places = tuple(i for i in range(kernel) if i * dilation % stride == r)
        first = -((r - pad) // stride)  # the first m with m stride + r >= pad
        many = (pad + size - 1 - r) // stride - first + 1
        if many > 0:
            back = tuple((i * dilation - r) // stride for i in places)
            axes.append(Axis(places, (0,) * len(places), back, first, many, stride, r - pad))
    return axes


def _shared(whole: int, source: int, stride: int, pad: int, start: int) -> int:
    """Return how many zeros after a row of the stage are also those before the next row."""
    before = min(-((q - pad) // stride) - start for q in range(stride))
    last = max((source - 1 + pad - q) // stride - start for q in range(stride))
    return max(0, min(before, whole - 1 - last))


def _lanes_win(rows: int, depth: int, count: list[int], extent: list[int]) -> bool:
    """Whether tiles of positions by channels waste less than tiles of channels by positions.

    Both are a share of useful lanes; laying out the weights has to pay as well.
    """
    if rows < 8 or rows * depth > LAID_OUT:
        return False
    half = WIDE // 2
    lanes = rows / (-(-rows // half) * half) * (0.9 if rows <= half else 1.0)
    last = (math.prod(count[:2]) - 1) * extent[2] + count[2]
    runs = math.prod(count) / (-(-last // WIDE) * WIDE)
    return lanes > runs


class Stage(NamedTuple):
    """How a source is laid out, and how much of it at once."""

    start: list[int]  # the first position along each axis
    positions: list[int]
    extent: list[int]  # elements of an image along each axis
    banded: int  # the axis that is cut into bands, of `band` positions each
    band: int
    bands: int
    together: int  # samples
    direct: bool  # the source itself is the stage
    by_lanes: bool

    @property
    def plane(self) -> int:
        return math.prod(self.extent)


def _stage(axes: list[list[Axis]], source: Three, stride: Three, pad: Three, samples: int,
           channels: int, rows: int, places: int, fewest: int) -> Stage:  # fmt: skip
    start = [min(a.first for a in axis) for axis in axes]
    ends = [max(a.first + a.many for a in axis) for axis in axes]
    count = [high - low for low, high in zip(start, ends, strict=True)]
    beyond = [max((e for a in axis for e in a.shifts), default=0) for axis in axes]
    whole = [m + e for m, e in zip(count, beyond, strict=True)]
    banded = next((a for a in range(3) if count[a] > 1), 2)
    copies = channels * math.prod(stride)
    plain = stride == (1, 1, 1) and not any(pad) and not any(start)
    row = copies * math.prod(whole) // whole[banded]
    band = max(1, min(whole[banded], STAGE // max(row, 1)) - beyond[banded])
    bands = -(-count[banded] // band)
    band = -(-count[banded] // bands)
    # Rows of a large source lie on many pages: a copy of them is read faster, again and again.
    direct = plain and tuple(whole) == source and bands == 1
    extent = list(whole)
    if not direct:
        extent[banded] = band + beyond[banded]
        shared = [_shared(*each) for each in zip(whole, source, stride, pad, start, strict=True)]
        if bands > 1:  # above and below a band there is more of the source, not padding
            shared[: banded + 1] = [0] * (banded + 1)
        extent = [n - m for n, m in zip(extent, shared, strict=True)]
    together = 1
    by_lanes = bands == 1 and _lanes_win(rows, channels * places, count, extent)
    if bands == 1 and not direct:
        plane = math.prod(extent)
        held = WIDE * math.prod(count) if by_lanes else TALLEST * plane
        together = max(1, min(STAGE // (copies * plane), HELD // held, samples // fewest))
    return Stage(start, count, extent, banded, band, bands, together, direct, by_lanes)


@functools.lru_cache(maxsize=512)
def plan(
    transposed: bool, samples: int, channels: int, rows: int, groups: int,
    source: Three, result: Three, kernel: Three, stride: Three, pad: Three, dilation: Three,
    fewest: int = FEWEST,
) -> Plan:  # fmt: skip
    """Plan a convolution of `source` (channels) to `result` (rows), or its transpose.

    Channels and rows are those of one group; pad is what stands before the input of the
    convolution. Weights are (out, in / groups, *kernel) in both cases. Samples are put together
    to no fewer chunks than `fewest`.
    """
    places = math.prod(kernel)
    if transposed:
        each = zip(result, kernel, stride, pad, dilation, strict=True)
        axes = [_transposed_axis(*axis) for axis in each]
        back = [max((e for a in axis for e in a.shifts), default=0) for axis in axes]
        axes = [
            [a._replace(shifts=tuple(b - e for e in a.shifts)) for a in axis]
            for axis, b in zip(axes, back, strict=True)
        ]
        steps, before = (1, 1, 1), (back[0], back[1], back[2])
        w_row, w_group, w_channel = places, channels * rows * places, rows * places
    else:
        each = zip(result, kernel, stride, dilation, strict=True)
        axes = [_forward_axis(*axis) for axis in each]
        steps, before = stride, pad
        w_row, w_group, w_channel = channels * places, rows * channels * places, places
    s = _stage(axes, source, steps, before, samples, channels, rows, places, fewest)
    table_w: list[int] = []
    table_x: list[int] = []
    table_at: list[int] = []
    phases: list[list[int]] = []
    images, columns = math.prod(steps), s.together * s.plane
    for phase in itertools.product(*axes):
        seen = (zip(a.places, a.remainders, a.shifts, strict=True) for a in phase)
        taps = [_inside(tap, kernel, steps, s.extent) for tap in itertools.product(*seen)]
        phases.append(
            [len(table_w), channels * len(taps), *(a.first for a in phase),
             *(a.many for a in phase), *(a.step for a in phase), *(a.shift for a in phase),
             len(table_at)]
        )  # fmt: skip
        table_w += [c * w_channel + place for c in range(channels) for place, _, _ in taps]
        table_x += [
            (c * images + image) * columns + offset
            for c in range(channels) for _, image, offset in taps
        ]  # fmt: skip
        if s.by_lanes:
            firsts = (a.first - low for a, low in zip(phase, s.start, strict=True))
            ranges = [range(m, m + a.many) for m, a in zip(firsts, phase, strict=True)]
            table_at += _offsets(s, ranges)
    staged = 0 if s.direct else channels * images * columns + 2 * s.plane + 2 * WIDE
    waiting = WIDE * s.together * math.prod(s.positions) if s.by_lanes else TALLEST * columns
    geometry = [
        groups, channels, rows, w_row, w_group, *steps, *before, *s.extent, int(s.direct),
        s.banded, s.band, s.bands, *s.start, *s.positions, s.together, staged, columns,
        int(s.by_lanes),
    ]  # fmt: skip
    begins = _offsets(s, [range(s.positions[0]), range(s.positions[1]), range(1)])
    panel = groups * -(-rows // WIDE) * WIDE * len(table_x) if s.by_lanes else 1
    return Plan(
        np.array(geometry, np.int64), np.array(phases, np.int64).reshape(-1, 15),
        np.array(table_w, np.int64), np.array(table_x, np.int64), np.array(begins, np.int64),
        np.array(table_at, np.int64), staged + waiting + SPARE, panel,
    )  # fmt: skip


def _offsets(s: Stage, ranges: list[range]) -> list[int]:
    """Return where these positions of every sample are in an image."""
    return [
        n * s.plane + (z * s.extent[1] + y) * s.extent[2] + x
        for n in range(s.together)
        for z, y, x in itertools.product(*ranges)
    ]


def _inside(tap: tuple[tuple[int, int, int], ...], kernel: Three, stride: Three,
            extent: list[int]) -> tuple[int, int, int]:  # fmt: skip
    """Return the flat place in the kernel, the image of the remainders, the offset within it."""
    (iz, rz, sz), (iy, ry, sy), (ix, rx, sx) = tap
    place = (iz * kernel[1] + iy) * kernel[2] + ix
    image = (rz * stride[1] + ry) * stride[2] + rx
    return place, image, (sz * extent[1] + sy) * extent[2] + sx
