"""The place of vertices along their ranks: straight arrows, and enough room between neighbours.

After Brandes and Koepf, "Fast and simple horizontal coordinate assignment" (2001): vertices are
aligned with a median neighbour into vertical blocks in four ways (from above or below, leaning
left or right), the blocks are pushed together, and each vertex takes the mean of the two middle
places. Each of the four keeps the distances, and so does their mean.
"""

from __future__ import annotations

from collections.abc import Sequence

from .layers import Layers
from .order import Order

BETWEEN_BOXES = 28
BETWEEN_LINES = 14


def columns(layers: Layers, order: Order) -> list[int]:
    """Return the x of each vertex's centre; the leftmost border is at 0."""
    width = [item.width + item.width % 2 for item in layers.items]
    width += [2] * (len(layers.rank) - len(width))
    near = _candidates(layers, order)
    places: list[list[int]] = []
    for upward in (False, True):
        for mirrored in (False, True):
            ranks = [rank[::-1] for rank in order] if mirrored else order
            blocks = _aligned(ranks, near[upward], upward)
            x = _compact(layers, ranks, blocks, width)
            places.append([-place for place in x] if mirrored else x)
    return _balanced(places, width)


def _candidates(layers: Layers, order: Order) -> tuple[list[list[int]], list[list[int]]]:
    """Return, for each vertex, the upper and the lower neighbours it may be aligned with.

    Dummies of one arrow come first. What comes from above with nothing above itself, as a weight
    does, gives way: the chain of results stays straight, its weights stand beside it. Of two
    segments that cross, the one between two dummies stays straight.
    """
    place = [0] * len(layers.rank)
    for rank in order:
        for i, v in enumerate(rank):
            place[v] = i
    upper: list[list[int]] = [[] for _ in layers.rank]
    lower: list[list[int]] = [[] for _ in layers.rank]
    blocked = _blocked(layers, order, place)
    for v, segments in enumerate(layers.above):
        tops = [layers.top[s] for s in segments if not blocked[s]]
        main = [u for u in tops if layers.above[u] or layers.is_dummy(u)]
        for u in sorted(main or tops, key=place.__getitem__):
            upper[v].append(u)
            lower[u].append(v)
    for u, vs in enumerate(lower):
        lower[u] = sorted(vs, key=place.__getitem__)
    return upper, lower


def _blocked(layers: Layers, order: Order, place: Sequence[int]) -> list[bool]:
    """Mark the segments that cross one between two dummies: conflicts of type 1."""
    blocked = [False] * len(layers.top)
    dummy, above, top = layers.is_dummy, layers.above, layers.top
    for upper, lower in zip(order, order[1:], strict=False):
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


def _aligned(order: Order, near: Sequence[Sequence[int]], upward: bool) -> list[int]:
    """Return for each vertex the root of its block, aligned with medians and never crossing."""
    root = list(range(len(near)))
    taken = [False] * len(near)
    place = [0] * len(near)
    for rank in order:
        for i, v in enumerate(rank):
            place[v] = i
    for rank in reversed(order) if upward else order:
        last = -1
        for v in rank:
            ends = near[v]
            if not ends:
                continue
            middle = sorted(ends, key=place.__getitem__) if len(ends) > 1 else ends
            for i in sorted({(len(ends) - 1) // 2, len(ends) // 2}):
                u = middle[i]
                if root[v] == v and not taken[u] and place[u] > last:
                    root[v], taken[u], last = root[u], True, place[u]
    return root


def _compact(layers: Layers, order: Order, root: Sequence[int], width: Sequence[int]) -> list[int]:
    """Push blocks to the left, then each one to the right as far as its neighbours let it."""
    count = len(root)
    after: list[dict[int, int]] = [{} for _ in range(count)]
    waiting = [0] * count
    items = len(layers.items)
    for rank in order:
        for i in range(len(rank) - 1):
            a, b = rank[i], rank[i + 1]
            free = BETWEEN_BOXES if a < items and b < items else BETWEEN_LINES
            apart = (width[a] + width[b]) // 2 + free
            known = after[root[a]].get(root[b])
            if known is None:
                waiting[root[b]] += 1
            if known is None or known < apart:
                after[root[a]][root[b]] = apart
    ready = [v for v in range(count) if root[v] == v and not waiting[v]]
    x = [0] * count
    for u in ready:  # grows
        for v, apart in after[u].items():
            x[v] = max(x[v], x[u] + apart)
            waiting[v] -= 1
            if not waiting[v]:
                ready.append(v)
    for u in reversed(ready):
        if after[u]:
            x[u] = min(x[v] - apart for v, apart in after[u].items())
    return [x[r] for r in root]


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
