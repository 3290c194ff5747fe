"""What must hold of every layout, as a list of what does not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from autograd_core.render.layout import Layout, Placed, Point, Room
from autograd_core.render.view import View


def apart(a: Placed, b: Placed) -> bool:
    return (
        a.x + a.width <= b.x
        or b.x + b.width <= a.x
        or a.y + a.height <= b.y
        or b.y + b.height <= a.y
    )


def inside(a: Placed, b: Placed) -> bool:
    return (
        b.x <= a.x
        and b.y <= a.y
        and a.x + a.width <= b.x + b.width
        and a.y + a.height <= b.y + b.height
    )


def with_head(place: Placed, room: Room) -> Placed:
    """The box and what is above it for text on its arrows."""
    height = room.head + place.height + room.foot
    return Placed(place.x, place.y - room.head, place.width, height)


def overlaps(layout: Layout, rooms: Sequence[Room]) -> Iterator[str]:
    """Boxes that overlap, found in a sweep from top to bottom."""
    places = [with_head(p, r) for p, r in zip(layout.boxes, rooms, strict=True)]
    open_boxes: list[int] = []
    for i in sorted(range(len(places)), key=lambda i: places[i].y):
        open_boxes = [k for k in open_boxes if places[k].y + places[k].height > places[i].y]
        yield from (
            f"boxes {k} and {i} overlap" for k in open_boxes if not apart(places[k], places[i])
        )
        open_boxes.append(i)


def misplaced(view: View, layout: Layout) -> Iterator[str]:
    """Boxes outside of their own frame or inside a strange one, frames that overlap."""
    number = {cluster.id: i for i, cluster in enumerate(view.clusters)}
    parents = [number.get(cluster.parent or "") for cluster in view.clusters]

    def around(cluster: int | None) -> list[int]:
        found: list[int] = []
        while cluster is not None:
            found.append(cluster)
            cluster = parents[cluster]
        return found

    for i, (box, place) in enumerate(zip(view.boxes, layout.boxes, strict=True)):
        own = around(number.get(box.cluster or ""))
        holding = [f.cluster for f in layout.frames if inside(place, f.place)]
        if sorted(holding) != sorted(own):
            yield f"box {i} stands in the frames {holding}, and belongs to {own}"
        if not all(inside(place, f.place) or apart(place, f.place) for f in layout.frames):
            yield f"box {i} lies on a frame's border"
    for k, a in enumerate(layout.frames):
        for b in layout.frames[k + 1 :]:
            if not (apart(a.place, b.place) or inside(b.place, a.place)):
                yield f"the frames of {a.cluster} and {b.cluster} overlap"


def loose_ends(view: View, layout: Layout) -> Iterator[str]:
    """Arrows that do not begin on a lower border, or do not end at their slot."""
    number = {box.id: i for i, box in enumerate(view.boxes)}
    into: dict[int, list[int]] = {}
    for i, arrow in enumerate(view.arrows):
        into.setdefault(number[arrow.target], []).append(i)
    for target, arrows in into.items():
        arrows.sort(key=lambda i: view.arrows[i].slot)
        for k, i in enumerate(arrows):
            box = layout.boxes[target]
            end = (box.x + box.width * (2 * k + 1) // (2 * len(arrows)), box.y)
            if layout.routes[i].points[-1] != end:
                yield f"arrow {i} ends at {layout.routes[i].points[-1]}, its slot is at {end}"
    for i, arrow in enumerate(view.arrows):
        box = layout.boxes[number[arrow.source]]
        x, y = layout.routes[i].points[0]
        if not (box.x < x < box.x + box.width and y == box.y + box.height):
            yield f"arrow {i} begins at {(x, y)}, away from the border of {arrow.source}"


def backwards(view: View, layout: Layout) -> Iterator[str]:
    """Arrows inside one frame whose ranks do not increase."""
    number = {box.id: i for i, box in enumerate(view.boxes)}
    for i, arrow in enumerate(view.arrows):
        a, b = number[arrow.source], number[arrow.target]
        same = view.boxes[a].cluster == view.boxes[b].cluster
        frames = [
            [k for k, f in enumerate(layout.frames) if inside(layout.boxes[n], f.place)]
            for n in (a, b)
        ]
        if same and frames[0] == frames[1] and layout.boxes[a].rank >= layout.boxes[b].rank:
            yield f"arrow {i} leads from rank {layout.boxes[a].rank} to {layout.boxes[b].rank}"


def crossed(layout: Layout, rooms: Sequence[Room]) -> Iterator[str]:
    """Boxes, or room for text above them, that a strange arrow passes through."""
    places = [with_head(p, r) for p, r in zip(layout.boxes, rooms, strict=True)]
    for i, route in enumerate(layout.routes):
        for start, end in pairwise(route.points):
            swept = _swept(start, end)
            for k, place in enumerate(places):
                if not apart(swept, place) and not _own(route.points, place):
                    yield f"arrow {i} crosses box {k} between {start} and {end}"


def _own(points: Sequence[Point], place: Placed) -> bool:
    return any(
        place.x <= x <= place.x + place.width and place.y <= y <= place.y + place.height
        for x, y in (points[0], points[-1])
    )


def _swept(start: Point, end: Point) -> Placed:
    """What holds the line or the curve between two points, a pixel wide at least."""
    x, y = min(start[0], end[0]), min(start[1], end[1])
    return Placed(x, y, max(abs(start[0] - end[0]), 1), max(abs(start[1] - end[1]), 1))


def outside(layout: Layout) -> Iterator[str]:
    page = Placed(0, 0, layout.width, layout.height)
    places = [*layout.boxes, *(f.place for f in layout.frames)]
    yield from (f"{place} is not on the page" for place in places if not inside(place, page))
    for route in layout.routes:
        for x, y in route.points:
            if not (0 <= x <= layout.width and 0 <= y <= layout.height):
                yield f"an arrow leaves the page at {(x, y)}"


def faults(view: View, layout: Layout, rooms: Sequence[Room]) -> list[str]:
    """Everything that is wrong with a layout."""
    return [
        *overlaps(layout, rooms),
        *misplaced(view, layout),
        *loose_ends(view, layout),
        *backwards(view, layout),
        *outside(layout),
    ]
