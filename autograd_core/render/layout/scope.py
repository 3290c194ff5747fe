"""One frame laid out by itself: its items placed, its pieces of arrows led around them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from .columns import columns
from .layers import Item, Layers, Link
from .order import ordered
from .placed import Placed, Point
from .rows import Rows, rows

LEAVING = 14  # between two arrows that leave a box


@dataclass
class Scope:
    """A frame's items and links, and after `lay_out` their places in its own coordinates.

    A link's `leave` and `enter` are distances from the left border of its item, where the item is
    a frame; `slots` tells the number of arrows into an item that is a box, whose places are even.
    """

    items: list[Item] = field(default_factory=list[Item])
    margins: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    links: list[Link] = field(default_factory=list[Link])
    places: list[Placed] = field(default_factory=list[Placed])
    ways: list[list[Point]] = field(default_factory=list[list[Point]])
    width: int = 0
    height: int = 0
    stack: Rows | None = None

    def add(self, item: Item, head: int = 0, foot: int = 0) -> int:
        """Add an item whose upper and lower pixels belong to its arrows, and to sheets behind."""
        self.items.append(item)
        self.margins.append((head, foot))
        return len(self.items) - 1

    def lay_out(self, pages: int) -> None:
        """Place the items and lead the links; cut what is more than so many pages high."""
        layers = Layers(self.items, self.links)
        order = ordered(layers)
        x = columns(layers, order)
        stack = rows(layers, order, x, pages)
        self.width, self.height = stack.width, stack.height
        self.stack = stack
        for v, item in enumerate(self.items):
            r = layers.rank[v]
            y = stack.top[r] + (stack.bottom[r] - stack.top[r] - item.height + 1) // 2
            self.places.append(Placed(x[v] - item.width // 2, y, item.width, item.height, r))
        self.ways = _Ways(self, layers, stack, x).all()


class _Ways:
    """Leads each link along its dummies, from its item's lower border to the next one's upper."""

    def __init__(self, scope: Scope, layers: Layers, stack: Rows, x: Sequence[int]) -> None:
        self.scope, self.layers, self.stack, self.x = scope, layers, stack, x
        self.enter = self._entries()
        self.leave = self._exits()
        self.lane = self._lanes()

    def all(self) -> list[list[Point]]:
        return [self._way(i) for i in range(len(self.scope.links))]

    def _entries(self) -> list[int]:
        """Return the x at which each link ends: even places on a box, given ones on a frame."""
        scope = self.scope
        into: list[list[int]] = [[] for _ in scope.items]
        for i, link in enumerate(scope.links):
            into[link.target].append(i)
        at = [0] * len(scope.links)
        for place, item, links in zip(scope.places, scope.items, into, strict=True):
            links.sort(key=lambda i: scope.links[i].enter)
            for k, i in enumerate(links):
                even = item.width * (2 * k + 1) // (2 * len(links))
                at[i] = place.x + (scope.links[i].enter if item.fixed else even)
        return at

    def _exits(self) -> list[int]:
        """Return the x at which each link begins: near a box's middle, ordered as their ends."""
        scope, layers = self.scope, self.layers
        out: list[list[int]] = [[] for _ in scope.items]
        toward = [0] * len(scope.links)
        for i, link in enumerate(scope.links):
            out[link.source].append(i)
            chain = layers.chains[i]
            direct = len(chain) < 2
            toward[i] = self.enter[i] if direct else self.x[layers.low[chain[0]]]
        at = [0] * len(scope.links)
        for place, item, links in zip(scope.places, scope.items, out, strict=True):
            links.sort(key=toward.__getitem__)
            step = min(LEAVING, (item.width - 16) / max(len(links), 1))
            for k, i in enumerate(links):
                even = item.width // 2 + round(step * (k - (len(links) - 1) / 2))
                at[i] = place.x + (scope.links[i].leave if item.fixed else even)
        return at

    def _lanes(self) -> dict[int, int]:
        """Return the lane of each segment that leads from one band to the next."""
        layers, band = self.layers, self.stack.band
        lanes: dict[int, int] = {}
        for one in self.stack.bands[:-1]:
            crossing = [
                s
                for s, v in enumerate(layers.low)
                if band[layers.rank[v]] != band[layers.rank[layers.top[s]]]
                and layers.rank[layers.top[s]] == one.last
            ]
            crossing.sort(key=lambda s: self.x[layers.top[s]], reverse=True)
            lanes.update((s, lane) for lane, s in enumerate(crossing))
        return lanes

    def _way(self, i: int) -> list[Point]:
        link, layers, stack, places = (
            self.scope.links[i],
            self.layers,
            self.stack,
            self.scope.places,
        )
        margins = self.scope.margins
        source, target = places[link.source], places[link.target]
        x = self.leave[i]
        points = [
            (x, source.y + source.height - margins[link.source][1]),
            (x, stack.bottom[source.rank]),
        ]
        for segment in layers.chains[i]:
            v = layers.low[segment]
            r = layers.rank[v]
            to = self.x[v] if v != link.target else self.enter[i]
            if segment in self.lane:
                stack.around(points, r - 1, self.lane[segment], to)
            points.append((to, stack.top[r]))
            if v != link.target:
                points.append((to, stack.bottom[r]))
        points.append((self.enter[i], target.y + margins[link.target][0]))
        return points
