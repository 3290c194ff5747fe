"""The height of ranks, and long frames cut into bands that stand side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .layers import Layers
from .order import Order
from .placed import Point

GAP = 14  # between two ranks, at least
STEEP = 6  # a way sideways of so many pixels pushes two ranks one pixel further apart
WIDEST_GAP = 60
PAGE = (1240, 690)
FEW = 3  # arrows that may lead from one band to the next
LANE = 9  # between two of them
TURN = 16  # room below and above a band, besides the lanes
BANDS = 60
WORTH = 0.9  # a frame is cut when it is shown so much larger then


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
    turn: int  # room below and above each band

    def around(self, points: list[Point], r: int, lane: int, to: int) -> None:
        """Lead an arrow from below rank r around the end of its band to x = `to` above the next.

        Lanes are counted from the right; those further left turn outside of them.
        """
        band, following = self.bands[self.band[r]], self.bands[self.band[r] + 1]
        x = points[-1][0]
        end = self.bottom[band.last] + LANE * (lane + 1)
        gutter = following.left - self.turn + LANE * lane
        above = self.top[following.first] - self.turn + LANE * lane
        points += [(x, end), (gutter, end), (gutter, above), (to, above)]


def rows(layers: Layers, order: Order, x: list[int], pages: int = 1) -> Rows:
    """Stack the ranks; cut them into bands where they are more than so many pages high.

    Moves `x` with its band.
    """
    top, bottom = _stacked(layers, order, x)
    passing = [sum(len(layers.below[v]) for v in rank) for rank in order]
    bands = _bands(layers, order, x, passing, top, bottom, PAGE[1] * pages)
    band = [i for i, one in enumerate(bands) for _ in range(one.first, one.last + 1)]
    turn = TURN + LANE * max((passing[one.last] for one in bands[:-1]), default=0)
    right = 0
    for one in bands:
        vertices = [v for rank in order[one.first : one.last + 1] for v in rank]
        shift = right - min((x[v] - _half(layers, v) for v in vertices), default=0)
        one.left = right
        for v in vertices:
            x[v] += shift
            right = max(right, x[v] + _half(layers, v))
        right += 2 * turn
        down = turn - top[one.first] if one.first else 0
        for r in range(one.first, one.last + 1):
            top[r] += down
            bottom[r] += down
    height = max(bottom, default=0) + (turn if len(bands) > 1 else 0)
    if order and any(layers.items[v].pinned == "last" for v in _items(layers, order[-1])):
        top[-1] = bottom[-1] = height
    return Rows(top, bottom, bands, band, max(0, right - 2 * turn), height, turn)


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
            y = bottom[-1] + min(GAP + max(ways, default=0) // STEEP, WIDEST_GAP)
        top.append(y)
        bottom.append(y + max((layers.items[v].height for v in _items(layers, rank)), default=0))
    return top, bottom


def _bands(
    layers: Layers,
    order: Order,
    x: Sequence[int],
    passing: Sequence[int],
    top: Sequence[int],
    bottom: Sequence[int],
    high: int,
) -> list[Band]:
    """Cut where few arrows pass, into as many bands as let the frame be shown largest."""
    whole = best = [Band(0, len(order) - 1)]
    if not order or bottom[-1] <= high or not all(layers.chains):
        return whole
    sides = [
        (
            min(x[v] - _half(layers, v) for v in rank),
            max(x[v] + _half(layers, v) for v in rank),
        )
        for rank in order
    ]
    uncut = smallest = _scale(whole, sides, top, bottom)
    for wanted in range(2, BANDS):
        bands = _cut(wanted, passing, top, bottom)
        scale = _scale(bands, sides, top, bottom) * (1.0 + 0.02 * len(bands))
        if scale < smallest:
            best, smallest = bands, scale
    return best if smallest < uncut * WORTH else whole


def _scale(
    bands: Sequence[Band],
    sides: Sequence[tuple[int, int]],
    top: Sequence[int],
    bottom: Sequence[int],
) -> float:
    """Return how many pages wide or high the bands are, side by side."""
    turn = TURN + LANE
    along = 0
    for band in bands:
        left, right = zip(*sides[band.first : band.last + 1], strict=True)
        along += max(right) - min(left) + 2 * turn
    down = max(bottom[band.last] - top[band.first] for band in bands) + 2 * turn
    return max(1.0, along / PAGE[0], down / PAGE[1])


def _cut(
    wanted: int, passing: Sequence[int], top: Sequence[int], bottom: Sequence[int]
) -> list[Band]:
    """Return about so many bands of like height."""
    bands: list[Band] = []
    first, last = 0, len(passing) - 1
    for r in range(last - 1):
        full = (bottom[r] - top[first]) * wanted / bottom[-1]
        if full >= 0.8 and passing[r] <= (1 if full < 1.15 else FEW):
            bands.append(Band(first, r))
            first = r + 1
    return [*bands, Band(first, last)]
