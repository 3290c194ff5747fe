"""The place of vertices along their ranks: straight arrows, and enough room between neighbours.

After Brandes and Koepf, "Fast and simple horizontal coordinate assignment" (2001): vertices are
aligned with a median neighbour into vertical blocks in four ways (from above or below, leaning
left or right), the blocks are pushed together, and each vertex takes the mean of the two middle
places. Each of the four keeps the distances, and so does their mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from statistics import fmean

from .layers import Layers
from .order import Order

BETWEEN_BOXES = 20
BETWEEN_LINES = 14
DRIFT = 120  # between the places where arrows pass a frame that keeps them straight


def columns(layers: Layers, order: Order) -> list[int]:
    """Return the x of each vertex's centre; the leftmost border is at 0."""
    width = [item.width + item.width % 2 for item in layers.items]
    width += [2] * (len(layers.rank) - len(width))
    near = _candidates(layers, order, _bends(layers))
    places: list[list[int]] = []
    for upward in (False, True):
        for mirrored in (False, True):
            ranks = [rank[::-1] for rank in order] if mirrored else order
            root, shift = _aligned(ranks, near[upward], upward)
            if mirrored:
                shift = [-step for step in shift]
            x = _compact(layers, ranks, root, shift, width)
            places.append([-place for place in x] if mirrored else x)
    return _balanced(places, width)


def _bends(layers: Layers) -> list[int]:
    """Return how far right of its upper vertex's centre a straight segment puts its lower one's.

    Arrows pass the borders of inner frames at given places; a box is met in its middle. So is a
    frame whose arrows leave far from where they enter: a chain of such frames would drift away.
    """
    items = layers.items
    leave: list[list[int]] = [[] for _ in items]
    enter: list[list[int]] = [[] for _ in items]
    for link in layers.links:
        leave[link.source].append(link.leave)
        enter[link.target].append(link.enter)
    straight = [
        item.fixed and not (a and b and abs(fmean(a) - fmean(b)) > DRIFT)
        for item, a, b in zip(items, leave, enter, strict=True)
    ]
    bend = [0] * len(layers.top)
    for link, chain in zip(layers.links, layers.chains, strict=True):
        if chain and straight[link.source]:
            bend[chain[0]] += link.leave - items[link.source].width // 2
        if chain and straight[link.target]:
            bend[chain[-1]] -= link.enter - items[link.target].width // 2
    return bend


Near = list[
    list[tuple[int, int]]
]  # of each vertex: neighbours, and how far right of them it stands


def _candidates(layers: Layers, order: Order, bend: Sequence[int]) -> tuple[Near, Near]:
    """Return, for each vertex, the upper and the lower neighbours it may be aligned with."""
    place = [0] * len(layers.rank)
    for rank in order:
        for i, v in enumerate(rank):
            place[v] = i
    upper: Near = [[] for _ in layers.rank]
    lower: Near = [[] for _ in layers.rank]
    blocked, depth = _blocked(layers, order, place), _depths(layers, order)
    top, dummy = layers.top, layers.is_dummy
    for v, segments in enumerate(layers.above):
        segments = _spine([s for s in segments if not blocked[s]], layers, depth)
        for s in sorted(segments, key=lambda s: place[top[s]]):
            upper[v].append((top[s], bend[s]))
            lower[top[s]].append((v, -bend[s]))
    for u, ends in enumerate(lower):
        straight = [end for end in ends if not dummy(end[0])] or ends
        lower[u] = sorted(straight, key=lambda end: place[end[0]])
    return upper, lower


def _spine(segments: list[int], layers: Layers, depth: Sequence[int]) -> list[int]:
    """Return those of the segments into a vertex that may be straight.

    The long chain of results stays straight: weights, short branches and arrows that come from
    further up give way, and stand beside it.
    """
    if len(segments) < 2:
        return segments
    tops = layers.top
    direct = [s for s in segments if depth[tops[s]] and not layers.is_dummy(tops[s])] or segments
    deepest = max(depth[tops[s]] for s in direct)
    return [s for s in direct if 2 * depth[tops[s]] >= deepest]


def _depths(layers: Layers, order: Order) -> list[int]:
    """Return the longest way from a source to each vertex; arrows from outside have come far."""
    depth = [0] * len(layers.rank)
    for rank in order:
        for v in rank:
            if layers.is_port(v):
                depth[v] = len(order)
            for s in layers.above[v]:
                u = layers.top[s]
                depth[v] = max(depth[v], depth[u] + 1)
    return depth


def _blocked(layers: Layers, order: Order, place: Sequence[int]) -> list[bool]:
    """Mark the segments that cross one between two dummies: conflicts of type 1."""
    blocked = [False] * len(layers.top)
    dummy, above, top = layers.is_dummy, layers.above, layers.top
    for upper, lower in pairwise(order):
        left = start = 0
        for i, v in enumerate(lower):
            inner = dummy(v) and dummy(top[above[v][0]])
            if not inner and i < len(lower) - 1:
                continue
            right = place[top[above[v][0]]] if inner else len(upper) - 1
            for w in lower[start : i + 1]:
                for s in above[w]:
                    if not left <= place[top[s]] <= right and not (dummy(w) and dummy(top[s])):
                        blocked[s] = True
            start, left = i + 1, right
    return blocked


def _aligned(order: Order, near: Near, upward: bool) -> tuple[list[int], list[int]]:
    """Return for each vertex the root of its block, and how far right of it the vertex stands.

    Vertices are aligned with the median of their neighbours, and alignments never cross.
    """
    root = list(range(len(near)))
    shift = [0] * len(near)
    taken = [False] * len(near)
    place = [0] * len(near)
    for rank in order:
        for i, v in enumerate(rank):
            place[v] = i
    for rank in reversed(order) if upward else order:
        last = -1
        for v in rank:
            ends = near[v]
            if len(ends) > 1:
                ends = sorted(ends, key=lambda end: place[end[0]])
                ends = ends[(len(ends) - 1) // 2 : len(ends) // 2 + 1]
            for u, bend in ends:
                if root[v] == v and not taken[u] and place[u] > last:
                    root[v], shift[v] = root[u], shift[u] + bend
                    taken[u], last = True, place[u]
    return root, shift


def _compact(
    layers: Layers, order: Order, root: Sequence[int], shift: Sequence[int], width: Sequence[int]
) -> list[int]:
    """Push blocks to the left, then each one to the right as far as its neighbours let it."""
    count = len(root)
    after: list[dict[int, int]] = [{} for _ in range(count)]
    waiting = [0] * count
    items = len(layers.items)
    for rank in order:
        for i in range(len(rank) - 1):
            a, b = rank[i], rank[i + 1]
            free = BETWEEN_BOXES if a < items and b < items else BETWEEN_LINES
            apart = (width[a] + width[b]) // 2 + free + shift[a] - shift[b]
            known = after[root[a]].get(root[b])
            if known is None:
                waiting[root[b]] += 1
            if known is None or known < apart:
                after[root[a]][root[b]] = apart
    ready = [v for v in range(count) if root[v] == v and not waiting[v]]
    x = [-(10**9)] * count
    for v in ready:
        x[v] = 0
    for u in ready:  # grows
        for v, apart in after[u].items():
            x[v] = max(x[v], x[u] + apart)
            waiting[v] -= 1
            if not waiting[v]:
                ready.append(v)
    for u in reversed(ready):
        if after[u]:
            x[u] = min(x[v] - apart for v, apart in after[u].items())
    return [x[r] + step for r, step in zip(root, shift, strict=True)]


def _balanced(places: list[list[int]], width: Sequence[int]) -> list[int]:
    """Bring the four together at the borders they lean on; return the mean of the middle two."""
    if not width:
        return []
    ends = [
        (
            min(a - w // 2 for a, w in zip(x, width, strict=True)),
            max(a + w // 2 for a, w in zip(x, width, strict=True)),
        )
        for x in places
    ]
    low, high = min(ends, key=lambda end: end[1] - end[0])
    for i, x in enumerate(places):
        shift = high - ends[i][1] if i % 2 else low - ends[i][0]
        places[i] = [a + shift for a in x]
    middle = [sum(sorted(four)[1:3]) // 2 for four in zip(*places, strict=True)]
    left = min(x - w // 2 for x, w in zip(middle, width, strict=True))
    return [x - left for x in middle]
