"""A whole view laid out: each frame by itself, the inner ones first, then put into one another."""

from __future__ import annotations

from collections.abc import Sequence

from ...errors import GraphError
from ..view import View
from .layers import Item, Link
from .nest import Nest, nested
from .placed import Frame, Layout, Placed, Point, Room, Route
from .scope import Scope

SIDE = 14  # between a frame and what it holds
TITLE = 22  # of a frame, above what it holds
MARGIN = 16  # around the picture
DEEPER = 3  # pages that a frame may be high before it is cut; the outermost ones: one


def arrange(view: View, rooms: Sequence[Room], titles: Sequence[int] = ()) -> Layout:
    """Lay out a view whose boxes need `rooms`, and the titles of its clusters these widths."""
    return _Arrangement(view, rooms, titles or [0] * len(view.clusters)).layout()


def ends(view: View) -> list[tuple[int, int]]:
    """Return, for each arrow, the numbers of the boxes it joins."""
    number = {box.id: i for i, box in enumerate(view.boxes)}
    if len(number) < len(view.boxes):
        twice = next(box.id for i, box in enumerate(view.boxes) if number[box.id] != i)
        raise GraphError(f"the view has two boxes {twice!r}; each needs an id of its own")
    joined: list[tuple[int, int]] = []
    for arrow in view.arrows:
        for end in (arrow.source, arrow.target):
            if end not in number:
                raise GraphError(f"an arrow joins {end!r}, which is no box of the view")
        source, target = number[arrow.source], number[arrow.target]
        if source >= target:
            raise GraphError(
                f"an arrow leads from {arrow.source!r} back to {arrow.target!r}: "
                "boxes must stand in topological order"
            )
        joined.append((source, target))
    return joined


class _Arrangement:
    def __init__(self, view: View, rooms: Sequence[Room], titles: Sequence[int]) -> None:
        self.view, self.rooms, self.titles = view, rooms, titles
        self.ends = ends(view)
        sources: list[list[int]] = [[] for _ in view.boxes]
        for source, target in self.ends:
            sources[target].append(source)
        self.nests = nested(view, sources)
        self.scopes = [Scope() for _ in self.nests]
        self.outer = [0] * len(self.nests)
        self.home = [0] * len(view.boxes)  # the nest a box stands in
        for i, nest in enumerate(self.nests):
            for inner in nest.inner:
                self.outer[inner] = i
            for box in nest.boxes:
                self.home[box] = i
        self.item: list[int] = [0] * len(view.boxes)  # of a box, in its scope
        self.frame_item: list[int] = [0] * len(self.nests)
        self.title_at: list[int] = [SIDE] * len(self.nests)
        # Of each arrow, its pieces from source to target: the scope and the link in it.
        self.pieces: list[list[tuple[int, int]]] = [[] for _ in view.arrows]
        # Of each scope, its pieces: the arrow, and what they join: a box, a nest, or its border.
        self.joins: list[list[tuple[int, int | None, int | None]]] = [[] for _ in self.nests]

    def layout(self) -> Layout:
        for arrow in sorted(range(len(self.ends)), key=lambda a: self.view.arrows[a].slot):
            self._cut(arrow)
        for i in reversed(range(len(self.nests))):
            self._fill(i)
            self.scopes[i].lay_out(1 if self.nests[i].depth <= 1 else DEEPER)
            self._make_room_for_title(i)
        return self._assembled()

    def _cut(self, arrow: int) -> None:
        """Cut an arrow at the frames it passes. Boxes count from 0, nests from -1 downwards."""
        source, target = self.ends[arrow]
        a, b = self.home[source], self.home[target]
        tail: list[tuple[int, tuple[int, int | None, int | None]]] = []
        while a != b:
            if self.nests[a].depth >= self.nests[b].depth:
                self._piece(a, (arrow, source, None))
                source, a = -a, self.outer[a]
            else:
                tail.append((b, (arrow, None, target)))
                target, b = -b, self.outer[b]
        self._piece(a, (arrow, source, target))
        for nest, join in reversed(tail):
            self._piece(nest, join)

    def _piece(self, nest: int, join: tuple[int, int | None, int | None]) -> None:
        self.pieces[join[0]].append((nest, len(self.joins[nest])))
        self.joins[nest].append(join)

    def _fill(self, i: int) -> None:
        """Give a scope its items and links; the frames inside it are laid out already."""
        scope, nest = self.scopes[i], self.nests[i]
        inner = [(min(self.nests[k].members), -k) for k in nest.inner]
        for _, what in sorted([(box, box) for box in nest.boxes] + inner):
            if what >= 0:
                room = self.rooms[what]
                item = Item(room.width, room.head + room.height + room.foot)
                self.item[what] = scope.add(item, room.head, room.foot)
            else:
                frame = self.scopes[-what]
                height = frame.height + TITLE + SIDE
                item = Item(frame.width + 2 * SIDE, height, fixed=True)
                self.frame_item[-what] = scope.add(item)
        for arrow, source, target in self.joins[i]:
            first, leave = self._end(scope, arrow, source, "first")
            last, enter = self._end(scope, arrow, target, "last")
            scope.links.append(Link(first, last, leave, enter))

    def _end(self, scope: Scope, arrow: int, what: int | None, border: str) -> tuple[int, int]:
        """Return the item at the end of a piece, and the place of that end along its border."""
        if what is None:
            return scope.add(Item(2, 0, fixed=True, pinned=border)), 1
        if what >= 0:
            return self.item[what], 0  # slots come in the order of the pieces
        x = self._port(-what, arrow, -1 if border == "first" else 0)
        return self.frame_item[-what], x

    def _port(self, nest: int, arrow: int, end: int) -> int:
        """Return where an arrow passes a frame's border, from the frame's left."""
        link = next(link for n, link in self.pieces[arrow] if n == nest)
        return self.scopes[nest].ways[link][end][0] + SIDE

    def _make_room_for_title(self, i: int) -> None:
        """Find where a frame's title stands between the arrows that enter at its top."""
        nest, scope = self.nests[i], self.scopes[i]
        if nest.cluster is None:
            return
        need = self.titles[nest.cluster]
        passing = sorted(self._port(i, a, 0) for a, source, _ in self.joins[i] if source is None)
        at = SIDE
        for x in passing:
            if at + need + 6 <= x:
                break
            at = x + 8
        self.title_at[i] = at
        scope.width = max(scope.width, at + need - SIDE)

    def _assembled(self) -> Layout:
        corner: list[tuple[int, int]] = [(MARGIN, MARGIN)] * len(self.nests)
        frames: list[Frame] = []
        parts: dict[int | None, int] = {}
        for nest in self.nests:
            parts[nest.cluster] = parts.get(nest.cluster, 0) + 1
        for i, nest in enumerate(self.nests):
            x, y = corner[i]
            for k in nest.inner:
                place = _moved(self.scopes[i].places[self.frame_item[k]], x, y)
                corner[k] = (place.x + SIDE, place.y + TITLE)
                frames.append(self._frame(k, self.nests[k], place, parts))
        boxes = [
            _headless(_moved(self.scopes[h].places[item], *corner[h]), room)
            for h, item, room in zip(self.home, self.item, self.rooms, strict=True)
        ]
        routes = [Route(self._way(arrow, corner)) for arrow in range(len(self.ends))]
        whole = self.scopes[0]
        width, height = whole.width + 2 * MARGIN, whole.height + 2 * MARGIN
        return Layout(width, height, tuple(boxes), tuple(routes), tuple(frames))

    def _frame(self, i: int, nest: Nest, place: Placed, parts: dict[int | None, int]) -> Frame:
        assert nest.cluster is not None
        at = place.x + self.title_at[i]
        return Frame(nest.cluster, nest.part, parts[nest.cluster], place, at)

    def _way(self, arrow: int, corner: Sequence[tuple[int, int]]) -> tuple[Point, ...]:
        points: list[Point] = []
        for nest, link in self.pieces[arrow]:
            x, y = corner[nest]
            points += [(px + x, py + y) for px, py in self.scopes[nest].ways[link]]
        return _straightened(points)


def _moved(place: Placed, x: int, y: int) -> Placed:
    return Placed(place.x + x, place.y + y, place.width, place.height, place.rank)


def _headless(place: Placed, room: Room) -> Placed:
    return Placed(place.x, place.y + room.head, place.width, room.height, place.rank)


def _straightened(points: Sequence[Point]) -> tuple[Point, ...]:
    """Leave out points in the middle of a vertical line, and repeated ones."""
    kept: list[Point] = []
    for point in points:
        while len(kept) > 1 and kept[-2][0] == kept[-1][0] == point[0]:
            kept.pop()
        if not kept or kept[-1] != point:
            kept.append(point)
    return tuple(kept)
