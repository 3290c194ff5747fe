"""The order of vertices within each rank: few crossings, by barycentres and exchanges.

Arrows keep their order along an item's border, so a crossing is counted between places on
borders, not between centres.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Sequence
from itertools import pairwise

from .layers import Layers

Order = list[list[int]]
# Steps of all passes over a frame together. Counted, not timed: the same bytes on any machine.
WORK = 400_000
PASSES = 24
PATIENCE = 5  # passes without a better order before giving up
EXCHANGES = 3_000  # segments up to which neighbours are exchanged one by one


def ordered(layers: Layers) -> Order:
    """Return, for each rank, its vertices from left to right."""
    ports = _Ports(layers)
    best = order = _first(layers)
    fewest = crossings = ports.crossings(order)
    waited = 0
    for turn in range(min(PASSES, WORK // (layers.size + 1))):
        if not fewest or waited > PATIENCE:
            break
        order = ports.swept(order, downward=turn % 2 == 1)
        crossings = ports.crossings(order)
        waited += 1
        if crossings < fewest:
            best, fewest, waited = order, crossings, 0
    if fewest and len(layers.top) <= EXCHANGES:
        best = ports.exchanged(best)
    return best


def _first(layers: Layers) -> Order:
    """Walk back from each result, operands from left to right: a tree has no crossings then."""
    order: Order = [[] for _ in range(max(layers.rank, default=-1) + 1)]
    seen = [False] * len(layers.rank)
    for result in range(len(layers.items)):
        if layers.below[result]:
            continue
        stack = [(result, 0)]
        seen[result] = True
        while stack:
            v, i = stack.pop()
            if i < len(layers.above[v]):
                stack.append((v, i + 1))
                u = layers.top[layers.above[v][i]]
                if not seen[u]:
                    seen[u] = True
                    stack.append((u, 0))
            else:
                order[layers.rank[v]].append(v)
    return order


class _Ports:
    """Segments by their places on the borders of the vertices they join."""

    def __init__(self, layers: Layers) -> None:
        self.layers = layers
        items = layers.items
        self.free = [v >= len(items) or not items[v].fixed for v in range(len(layers.rank))]
        # How far left or right of its vertex's centre a segment ends, in places of the order.
        self.enter = _insets(layers.above, len(layers.top))
        self.leave = _insets(layers.below, len(layers.top), self.free)

    def crossings(self, order: Order) -> int:
        """Count the crossings between all ranks, as inversions of places on lower borders."""
        layers, free = self.layers, self.free
        place = [0] * len(layers.top)
        total = 0
        for upper, lower in pairwise(order):
            count = 0
            for v in lower:
                for segment in layers.above[v]:
                    place[segment] = count
                    count += 1
            seen: list[int] = []
            for u in upper:
                ends = [place[segment] for segment in layers.below[u]]
                if free[u]:
                    ends.sort()
                for end in ends:
                    if seen and end < seen[-1]:
                        total += len(seen) - bisect_right(seen, end)
                        insort(seen, end)
                    else:
                        seen.append(end)
        return total

    def swept(self, order: Order, downward: bool) -> Order:
        """Sort each rank by the mean place of its neighbours on the rank before it."""
        layers = self.layers
        near, far, shift = (
            (layers.above, layers.top, self.leave)
            if downward
            else (layers.below, layers.low, self.enter)
        )
        place = [0.0] * len(layers.rank)
        result = list(order)
        for r in range(len(order)) if downward else reversed(range(len(order))):
            key: dict[int, float] = {}
            for i, v in enumerate(order[r]):
                segments = near[v]
                if segments:
                    key[v] = sum([place[far[s]] + shift[s] for s in segments]) / len(segments)
                else:
                    key[v] = float(i)
            result[r] = sorted(order[r], key=key.__getitem__)
            for i, v in enumerate(result[r]):
                place[v] = float(i)
        return result

    def exchanged(self, order: Order) -> Order:
        """Exchange neighbours as long as that saves crossings."""
        layers = self.layers
        place = [0.0] * len(layers.rank)
        for rank in order:
            for i, v in enumerate(rank):
                place[v] = float(i)
        order = [list(rank) for rank in order]
        for _ in range(PASSES):
            better = False
            for rank in order:
                for i in range(len(rank) - 1):
                    a, b = rank[i], rank[i + 1]
                    if self._saved(a, b, place) > 0:
                        rank[i], rank[i + 1] = b, a
                        place[a], place[b] = place[b], place[a]
                        better = True
            if not better:
                break
        return order

    def _saved(self, a: int, b: int, place: Sequence[float]) -> int:
        """Return how many crossings fewer there are with b to the left of a."""
        layers, saved = self.layers, 0
        for near, far, shift in (
            (layers.above, layers.top, self.leave),
            (layers.below, layers.low, self.enter),
        ):
            ends = [place[far[s]] + shift[s] for s in near[b]]
            for s in near[a]:
                x = place[far[s]] + shift[s]
                saved += sum([(x > end) - (x < end) for end in ends])
        return saved


def _insets(
    segments: Sequence[Sequence[int]], count: int, free: Sequence[bool] | None = None
) -> list[float]:
    inset = [0.0] * count
    for v, own in enumerate(segments):
        if len(own) > 1 and not (free and free[v]):
            for i, segment in enumerate(own):
                inset[segment] = (i + 0.5) / len(own) - 0.5
    return inset
