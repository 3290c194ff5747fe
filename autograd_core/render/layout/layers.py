"""A frame as a layered graph: items on ranks, and dummies that carry long arrows past them.

The steps are those of Sugiyama, Tagawa and Toda, "Methods for visual understanding of hierarchical
system structures" (1981).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

# Arrows that would need more dummies than this in all are drawn straight, the longest ones first.
DUMMIES = 60_000


@dataclass(frozen=True)
class Item:
    """A box, an inner frame, or the place where arrows pass the frame's own border."""

    width: int
    height: int
    fixed: bool = False  # its arrows leave at given places
    pinned: str = ""  # "first" or "last": stands on that rank


@dataclass(frozen=True)
class Link:
    """A piece of an arrow inside one frame; places order the arrows along an item's border."""

    source: int
    target: int
    leave: int = 0
    enter: int = 0


class Layers:
    """Vertices (items, then dummies) on ranks; segments join neighbouring ranks.

    `above[v]` and `below[v]` are the segments that end and begin at v, from left to right.
    """

    def __init__(self, items: Sequence[Item], links: Sequence[Link]) -> None:
        self.items, self.links = items, links
        self.rank = ranked(items, links)
        self.top: list[int] = []
        self.low: list[int] = []
        self.chains: list[list[int]] = []  # of each link: its segments; none when drawn straight
        longest = _longest_span(self.rank, links)
        for link in links:
            if self.rank[link.target] - self.rank[link.source] > longest:
                self.chains.append([])
            else:
                self.chains.append(self._chain(link))
        count = len(self.rank)
        self.above: list[list[int]] = [[] for _ in range(count)]
        self.below: list[list[int]] = [[] for _ in range(count)]
        for i in sorted(range(len(links)), key=lambda i: links[i].enter):
            for segment in self.chains[i]:
                self.above[self.low[segment]].append(segment)
        for i in sorted(range(len(links)), key=lambda i: links[i].leave):
            for segment in self.chains[i]:
                self.below[self.top[segment]].append(segment)

    @property
    def size(self) -> int:
        """How many vertices and segments there are: what a pass over them costs."""
        return len(self.rank) + len(self.top)

    def is_dummy(self, v: int) -> bool:
        return v >= len(self.items)

    def is_port(self, v: int) -> bool:
        """Is it the place where an arrow passes the frame's own border?"""
        return v < len(self.items) and bool(self.items[v].pinned)

    def _chain(self, link: Link) -> list[int]:
        segments = range(
            len(self.top), len(self.top) + self.rank[link.target] - self.rank[link.source]
        )
        at = link.source
        for _ in segments[:-1]:
            dummy = len(self.rank)
            self.rank.append(self.rank[at] + 1)
            self.top.append(at)
            self.low.append(dummy)
            at = dummy
        self.top.append(at)
        self.low.append(link.target)
        return list(segments)


def _longest_span(rank: Sequence[int], links: Sequence[Link]) -> int:
    """Return the longest arrow that may have dummies."""
    spans = sorted(rank[link.target] - rank[link.source] for link in links)
    used = 0
    for span in spans:
        used += span - 1
        if used > DUMMIES:
            return span - 1
    return spans[-1] if spans else 1


def ranked(items: Sequence[Item], links: Sequence[Link]) -> list[int]:
    """Return a rank for each item: longest path from the top, then near to where it is used."""
    below: list[list[int]] = [[] for _ in items]
    above: list[list[int]] = [[] for _ in items]
    for link in links:
        below[link.source].append(link.target)
        above[link.target].append(link.source)
    order = _topological(above, below)
    start = int(any(item.pinned == "first" for item in items))
    rank = [0 if item.pinned == "first" else start for item in items]
    for u in order:
        for v in below[u]:
            rank[v] = max(rank[v], rank[u] + 1)
    last = max((r for r, item in zip(rank, items, strict=True) if not item.pinned), default=0)
    for v, item in enumerate(items):
        if item.pinned == "last":
            rank[v] = last + 1
    for u in reversed(order):
        # What comes from above with nothing above itself, as a weight does, follows by itself.
        held = sum(bool(above[t]) or bool(items[t].pinned) for t in above[u])
        if below[u] and not items[u].pinned and held <= len(below[u]):
            rank[u] = min(rank[v] for v in below[u]) - 1
    return rank


def _topological(above: Sequence[Sequence[int]], below: Sequence[Sequence[int]]) -> list[int]:
    waiting = [len(tops) for tops in above]
    ready = deque(u for u, count in enumerate(waiting) if not count)
    order: list[int] = []
    while ready:
        u = ready.popleft()
        order.append(u)
        for v in below[u]:
            waiting[v] -= 1
            if not waiting[v]:
                ready.append(v)
    return order
