"""Where the windows of a convolution lie: tables of offsets, once for each geometry.

A source is copied, with its padding, into a *stage*: for each channel and each remainder of the
stride an image of its own, in which the elements that neighbouring windows see at one place of
the kernel are neighbours. Position m of the result sees, at a place with `shift` and `remainder`,
element m + shift of that image. So every place of the kernel is one number, an offset into the
stage, and a window needs no column of its own. Whoever reads single elements, because channels
are its vectors, steps over the stride itself: one image for each channel serves it, and where
there is no padding the source does.

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
ONES: Three = (1, 1, 1)

STAGE = 1 << 17  # elements of a stage, at most, unless one row of results needs more
HELD = 1 << 16  # elements of results that wait, at most, unless one sample has more
FEWEST = 8  # chunks that samples are put together to, at least
LAID_OUT = 1 << 17  # weights, at most, that are laid out anew for a call
WIDE = 32  # elements of two vectors of float32
TALLEST = 14  # rows of results that wait for their columns
(
    GROUPS, CHANNELS, ROWS_OUT, W_ROW, W_GROUP, STRIDE, PAD, EXTENT, DIRECT, BAND_AXIS, BAND, BANDS,
    START, COUNT, TOGETHER, STAGED, COLUMNS_OUT, PLACES, EVERY, ALONG,
) = (0, 1, 2, 3, 4, 5, 8, 11, 14, 15, 16, 17, 18, 21, 24, 25, 26, 27, 28, 31)  # fmt: skip
TABLE, LENGTH, FIRST, MANY, STEP, SHIFT, AT = 0, 1, 2, 5, 8, 11, 14  # of a phase


class Plan(NamedTuple):
    """What a kernel has to know of a geometry."""

    geometry: np.ndarray  # the numbers named above
    phases: np.ndarray  # a row of numbers for each
    far_w: np.ndarray  # offsets into the weights of a result, phase after phase
    far_x: np.ndarray  # into the stage
    begins: np.ndarray  # of each row of positions of each sample, in the stage
    at: np.ndarray  # of each position, phase after phase, where channels are vectors
    to: np.ndarray  # where its results go among those of the samples; or runs of a cotangent lie
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


def _forward_axis(out: int, kernel: int, stride: int, dilation: int) -> Axis:
    seen = [i * dilation for i in range(kernel)]
    remainders, shifts = (u % stride for u in seen), (u // stride for u in seen)
    return Axis(tuple(range(kernel)), tuple(remainders), tuple(shifts), 0, out, 1, 0)


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


def _along_wins(rows: int, run: int, every: int) -> bool:
    """Whether, for a weight's gradient, pixels of a run waste fewer lanes than channels do."""
    half = WIDE // 2
    return every == 1 and rows * -(-run // half) < run


class Stage(NamedTuple):
    """How a source is laid out, and how much of it at once."""

    start: list[int]  # the first position along each axis
    positions: list[int]
    every: Three  # elements from one position to the next
    extent: list[int]  # elements of an image along each axis
    banded: int  # the axis that is cut into bands, of `band` positions each
    band: int
    bands: int
    together: int  # samples
    direct: bool  # the source itself is the stage
    apart: int  # elements from one sample to the next
    channel: int  # and from one image to the next

    @property
    def plane(self) -> int:
        return math.prod(self.extent)

    def offsets(self, ranges: list[range]) -> list[int]:
        """Return where these positions of every sample are in an image."""
        (a, b, c), (_, height, width) = self.every, self.extent
        return [
            n * self.apart + (z * a * height + y * b) * width + x * c
            for n in range(self.together)
            for z, y, x in itertools.product(*ranges)
        ]


PIXELS, LANES, GATHERED = "pixels", "lanes", "gathered"  # what is read at once, see below


class Layout(NamedTuple):
    """Which positions see what, and how it is read.

    Read are neighbours in an image (PIXELS), or single elements, for results whose channels are
    vectors (LANES) or for weights' gradients (GATHERED).
    """

    axes: list[list[Axis]]
    steps: Three  # an image for each remainder of these
    every: Three  # elements of an image from one position to the next
    before: Three  # padding
    read: str


def _stage(layout: Layout, source: Three, samples: int, channels: int, groups: int, results: int,
           fewest: int) -> Stage:  # fmt: skip
    """Lay out a source of which each sample has that many results in a channel."""
    axes, steps, every, pad, read = layout
    start = [min(a.first for a in axis) for axis in axes]
    ends = [max(a.first + a.many for a in axis) for axis in axes]
    count = [high - low for low, high in zip(start, ends, strict=True)]
    beyond = [max((e for a in axis for e in a.shifts), default=0) for axis in axes]
    whole = [(m - 1) * f + 1 + e for m, f, e in zip(count, every, beyond, strict=True)]
    banded = next((a for a in range(3) if count[a] > 1), 2)
    copies = channels * math.prod(steps)
    row = copies * math.prod(whole) // whole[banded]
    fitting = min(whole[banded], STAGE // max(row, 1)) - beyond[banded] - 1
    bands = -(-count[banded] // max(1, fitting // every[banded] + 1))
    band = -(-count[banded] // bands)
    # Rows of a large source lie on many pages: a copy of them is read faster, again and again.
    inside = all(m <= n for m, n in zip(whole, source, strict=True))
    direct = steps == (1, 1, 1) and not any(pad) and not any(start) and inside and bands == 1
    extent = list(source if direct else whole)
    if not direct:
        extent[banded] = (band - 1) * every[banded] + 1 + beyond[banded]
        shared = [_shared(*each) for each in zip(whole, source, steps, pad, start, strict=True)]
        if bands > 1:  # above and below a band there is more of the source, not padding
            shared[: banded + 1] = [0] * (banded + 1)
        extent = [n - m for n, m in zip(extent, shared, strict=True)]
    plane = math.prod(extent)
    waiting = {PIXELS: TALLEST * plane, LANES: WIDE * results, GATHERED: 1}[read]
    together = 1
    if bands == 1 and not (direct and read == PIXELS):
        together = max(1, min(STAGE // (copies * plane), HELD // waiting, samples // fewest))
    apart, channel = (channels * groups * plane, plane) if direct else (plane, together * plane)
    return Stage(
        start, count, every, extent, banded, band, bands, together, direct, apart, channel
    )  # fmt: skip


def _backward(result: Three, kernel: Three, stride: Three, pad: Three, dilation: Three) -> Layout:
    each = zip(result, kernel, stride, pad, dilation, strict=True)
    axes = [_transposed_axis(*axis) for axis in each]
    a, b, c = (max((e for a in axis for e in a.shifts), default=0) for axis in axes)
    axes = [
        [a._replace(shifts=tuple(back - e for e in a.shifts)) for a in axis]
        for axis, back in zip(axes, (a, b, c), strict=True)
    ]
    return Layout(axes, ONES, ONES, (a, b, c), PIXELS)


def _forward(result: Three, kernel: Three, stride: Three, pad: Three, dilation: Three,
             read: str) -> Layout:  # fmt: skip
    steps, every = (stride, ONES) if read == PIXELS else (ONES, stride)
    each = zip(result, kernel, steps, dilation, strict=True)
    return Layout([[_forward_axis(*axis)] for axis in each], steps, every, pad, read)


@functools.lru_cache(maxsize=512)
def plan(
    kind: str, samples: int, channels: int, rows: int, groups: int,
    source: Three, result: Three, kernel: Three, stride: Three, pad: Three, dilation: Three,
    fewest: int = FEWEST,
) -> Plan:  # fmt: skip
    """Plan the convolution of `source` (channels) to `result` (rows), or its transpose.

    kind is "forward" or "transposed", or "weight" for the gradient of the former's weight.
    Channels and rows are those of one group; pad is what stands before the input of the
    convolution. Weights are (out, in / groups, *kernel) in all cases. Samples are put together
    to no fewer chunks than `fewest`.
    """
    places = math.prod(kernel)
    lies = functools.partial(
        _stage, source=source, samples=samples, channels=channels, groups=groups,
        results=math.prod(result), fewest=fewest,
    )  # fmt: skip
    seen = result, kernel, stride, pad, dilation
    if kind == "transposed":
        w_row, w_group, w_channel = places, channels * rows * places, rows * places
        layout = _backward(*seen)
    else:
        w_row, w_group, w_channel = channels * places, rows * channels * places, places
        layout = _forward(*seen, GATHERED if kind == "weight" else PIXELS)
    s = lies(layout)
    lanes = kind != "weight" and _lanes_win(rows, channels * places, s.positions, s.extent)
    if lanes and s.bands == 1:
        wide = layout if kind == "transposed" else _forward(*seen, LANES)
        wide = wide._replace(read=LANES)
        laid = lies(wide)
        if laid.bands == 1:
            layout, s = wide, laid
    lanes = layout.read == LANES
    table_w: list[int] = []
    table_x: list[int] = []
    table_at: list[int] = []
    table_to: list[int] = []
    phases: list[list[int]] = []
    images = math.prod(layout.steps)
    for phase in itertools.product(*layout.axes):
        taps = [
            _inside(tap, kernel, layout.steps, s.extent)
            for tap in itertools.product(
                *(zip(a.places, a.remainders, a.shifts, strict=True) for a in phase)
            )
        ]
        phases.append(
            [len(table_w), channels * len(taps), *(a.first for a in phase),
             *(a.many for a in phase), *(a.step for a in phase), *(a.shift for a in phase),
             len(table_at)]
        )  # fmt: skip
        table_w += [c * w_channel + place for c in range(channels) for place, _, _ in taps]
        table_x += [
            (c * images + image) * s.channel + offset
            for c in range(channels) for _, image, offset in taps
        ]  # fmt: skip
        if lanes:
            table_at += s.offsets([
                range(a.first - low, a.first - low + a.many)
                for a, low in zip(phase, s.start, strict=True)
            ])  # fmt: skip
            table_to += _targets(phase, result, s.together)
    columns = s.together * s.plane
    staged = 0 if s.direct else channels * images * columns + 2 * s.plane + 2 * WIDE
    waiting = WIDE * s.together * math.prod(result) if lanes else TALLEST * columns
    along = kind == "weight" and s.bands == 1 and _along_wins(rows, result[2], layout.every[2])
    if along:
        size = math.prod(result)
        table_to = [n * groups * rows * size + run for n in range(s.together)
                    for run in range(0, size, result[2])]  # fmt: skip
    geometry = [
        groups, channels, rows, w_row, w_group, *layout.steps, *layout.before, *s.extent,
        int(s.direct), s.banded, s.band, s.bands, *s.start, *s.positions, s.together, staged,
        columns, int(lanes), *layout.every, int(along),
    ]  # fmt: skip
    begins = s.offsets([range(s.positions[0]), range(s.positions[1]), range(1)])
    panel = groups * -(-rows // WIDE) * WIDE * len(table_x) if lanes else 1
    return Plan(
        np.array(geometry, np.int64), np.array(phases, np.int64).reshape(-1, 15),
        np.array(table_w, np.int64), np.array(table_x, np.int64), np.array(begins, np.int64),
        np.array(table_at, np.int64), np.array(table_to, np.int64), staged + waiting + SPARE, panel,
    )  # fmt: skip


def _targets(phase: tuple[Axis, ...], result: Three, samples: int) -> list[int]:
    """Return where the results of a phase go, among those of all its samples."""
    places = [range(a.first * a.step + a.shift, result[i], a.step)[: a.many]
              for i, a in enumerate(phase)]  # fmt: skip
    return [
        ((n * result[0] + z) * result[1] + y) * result[2] + x
        for n in range(samples)
        for z, y, x in itertools.product(*places)
    ]


def _inside(tap: tuple[tuple[int, int, int], ...], kernel: Three, stride: Three,
            extent: list[int]) -> tuple[int, int, int]:  # fmt: skip
    """Return the flat place in the kernel, the image of the remainders, the offset within it."""
    (iz, rz, sz), (iy, ry, sy), (ix, rx, sx) = tap
    place = (iz * kernel[1] + iy) * kernel[2] + ix
    image = (rz * stride[1] + ry) * stride[2] + rx
    return place, image, (sz * extent[1] + sy) * extent[2] + sx
