"""The height of ranks, and long frames cut into bands that stand side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

from .layers import Layers
from .order import Order
from .placed import Point

GAP = 30  # between two ranks
TALL = 760  # a frame up to this height is never cut
ASPECT = 1.6  # width to height to aim at
FEW = 3  # arrows that may lead from one band to the next
LANE = 8  # between two of them
TURN = GAP + FEW * LANE  # room for them above and below a band
GUTTER = 40 + FEW * LANE  # and between two


@dataclass
class Band:
    """Ranks first..last, and where they begin along x."""

    first: int
    last: int
    left: int = 0


@dataclass
class Rows:
    """Upper and lower borders of ranks, and the bands they stand in."""

    top: list[int]
    bottom: list[int]
    bands: list[Band]
    band: list[int]  # of each rank
    width: int
    height: int

    def around(self, points: list[Point], r: int, lane: int, to: int) -> None:
        """Lead an arrow from below rank r around the end of its band to x = `to` above the next.

        Lanes are counted from the right; those further left turn outside of them.
        """
        band, following = self.bands[self.band[r]], self.bands[self.band[r] + 1]
        x = points[-1][0]
        end = self.bottom[band.last] + 8 + LANE * lane
        gutter = following.left - 20 - LANE * (FEW - lane)
        above = self.top[following.first] - TURN + 4 + LANE * lane
        points += [(x, end), (gutter, end), (gutter, above), (to, above)]


def rows(layers: Layers, order: Order, x: list[int]) -> Rows:
    """Stack the ranks; cut them into bands where the frame is long. Moves `x` with its band."""
    top, bottom = _stacked(layers, order, x)
    bands = _bands(layers, order, x, top, bottom)
    band = [i for i, one in enumerate(bands) for _ in range(one.first, one.last + 1)]
    right = 0
    for one in bands:
        vertices = [v for rank in order[one.first : one.last + 1] for v in rank]
        shift = right - min((x[v] - _half(layers, v) for v in vertices), default=0)
        one.left = right
        for v in vertices:
            x[v] += shift
            right = max(right, x[v] + _half(layers, v))
        right += GUTTER
        down = TURN - top[one.first] if one.first else 0
        for r in range(one.first, one.last + 1):
            top[r] += down
            bottom[r] += down
    height = max(bottom, default=0) + (TURN if len(bands) > 1 else 0)
    if order and any(layers.items[v].pinned == "last" for v in _items(layers, order[-1])):
        top[-1] = bottom[-1] = height
    return Rows(top, bottom, bands, band, max(0, right - GUTTER), height)


def _items(layers: Layers, rank: Sequence[int]) -> list[int]:
    return [v for v in rank if not layers.is_dummy(v)]


def _half(layers: Layers, v: int) -> int:
    return 1 if layers.is_dummy(v) else (layers.items[v].width + 1) // 2


def _stacked(layers: Layers, order: Order, x: Sequence[int]) -> tuple[list[int], list[int]]:
    """Return the borders of each rank; long ways between two ranks push them apart."""
    top: list[int] = []
    bottom: list[int] = []
    y = 0
    for rank in order:
        if bottom:
            ways = [abs(x[layers.top[s]] - x[v]) for v in rank for s in layers.above[v]]
            y = bottom[-1] + GAP + min(40, max(ways, default=0) // 16)
        top.append(y)
        bottom.append(y + max((layers.items[v].height for v in _items(layers, rank)), default=0))
    return top, bottom


def _bands(
    layers: Layers, order: Order, x: Sequence[int], top: Sequence[int], bottom: Sequence[int]
) -> list[Band]:
    """Cut where few arrows pass, into as many bands as give the frame a page's shape."""
    last = len(order) - 1
    height = bottom[-1] if bottom else 0
    width = max((x[v] + _half(layers, v) for rank in order for v in rank), default=0)
    wanted = round(sqrt(ASPECT * height / (width + GUTTER)))
    if height <= TALL or wanted < 2 or not all(layers.chains):
        return [Band(0, last)]
    passing = [sum(len(layers.below[v]) for v in rank) for rank in order]
    bands: list[Band] = []
    first = 0
    for r in range(last - 1):
        full = (bottom[r] - top[first]) * wanted / height
        if full >= 0.8 and passing[r] <= (1 if full < 1.0 else FEW):
            bands.append(Band(first, r))
            first = r + 1
    return [*bands, Band(first, last)]
