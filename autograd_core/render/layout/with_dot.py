"""Coordinates from Graphviz' program `dot`, where it is installed and answers in time.

Only numbers go out and come back: boxes are called n0, n1, ..., so no name can do harm. What the
program says about the ends of arrows is moved to the places where their slots are.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import Any

from ..view import View
from .arrange import MARGIN, SIDE, ends
from .placed import Frame, Layout, Placed, Point, Room, Route

SECONDS = 10.0
_INCH = 72  # of dot's points, which are our pixels


def arrange_with_dot(view: View, rooms: Sequence[Room], titles: Sequence[int]) -> Layout | None:
    """Return dot's layout; None where the program is missing, fails or takes too long."""
    if shutil.which("dot") is None or not view.boxes:
        return None
    joined = ends(view)
    run: Any = import_module("graphviz.backend.execute").run_check
    text = "\n".join(_graph(view, rooms, titles, joined))
    try:
        done = run(
            ["dot", "-Tjson"],
            input=text,
            encoding="utf-8",
            capture_output=True,
            timeout=SECONDS,
            quiet=True,
        )
    except (subprocess.SubprocessError, OSError):
        return None
    return _Answer(json.loads(done.stdout), view, rooms, joined).layout()


def _graph(
    view: View, rooms: Sequence[Room], titles: Sequence[int], joined: Sequence[tuple[int, int]]
) -> Iterator[str]:
    yield "digraph { rankdir=TB; nodesep=0.35; ranksep=0.35; outputorder=nodesfirst"
    yield 'node [shape=box fixedsize=true label="" ordering=in]; edge [dir=none]'
    yield from _clusters(view, titles)
    for i, room in enumerate(rooms):
        height = (room.height + room.head + room.foot) / _INCH
        yield f"n{i} [width={room.width / _INCH:.6f} height={height:.6f}]"
    for i, (source, target) in enumerate(joined):
        yield f"n{source} -> n{target} [id=e{i}]"
    yield "}"


def _clusters(view: View, titles: Sequence[int]) -> Iterator[str]:
    """Open and close subgraphs, depth first, without recursion."""
    number = {cluster.id: i for i, cluster in enumerate(view.clusters)}
    inner: dict[str | None, list[int]] = {}
    for i, cluster in enumerate(view.clusters):
        inner.setdefault(cluster.parent, []).append(i)
    own: dict[str, list[int]] = {}
    for i, box in enumerate(view.boxes):
        if box.cluster in number:
            own.setdefault(box.cluster, []).append(i)
    stack: list[int | None] = list(reversed(inner.get(None, [])))
    while stack:
        i = stack.pop()
        if i is None:
            yield "}"
            continue
        title = (
            f'<<table border="0" fixedsize="true" width="{titles[i]}" height="14">'
            "<tr><td></td></tr></table>>"
        )
        yield f"subgraph cluster_{i} {{ margin={SIDE}; labeljust=l; label={title}"
        cluster = view.clusters[i].id
        yield " ".join(f"n{box};" for box in own.get(cluster, []))
        stack += [None, *reversed(inner.get(cluster, []))]


class _Answer:
    """What dot said, turned upside down: its y grows upwards."""

    def __init__(
        self, said: Any, view: View, rooms: Sequence[Room], joined: Sequence[tuple[int, int]]
    ) -> None:
        self.view, self.rooms, self.joined = view, rooms, joined
        _, _, self.width, self.height = (float(x) for x in said["bb"].split(","))
        self.objects: list[Any] = said.get("objects", [])
        self.edges: list[Any] = said.get("edges", [])
        self.boxes: list[Placed] = [Placed(0, 0, 0, 0)] * len(rooms)
        self.frames: list[Frame] = []

    def layout(self) -> Layout:
        for said in self.objects:
            name = said["name"]
            if name.startswith("cluster_") and "bb" in said:
                self._frame(int(name.removeprefix("cluster_")), said["bb"])
            elif name.startswith("n"):
                self._box(int(name[1:]), said["pos"])
        ranks = {
            y: i for i, y in enumerate(sorted({box.y + box.height // 2 for box in self.boxes}))
        }
        boxes = [
            Placed(b.x, b.y, b.width, b.height, ranks[b.y + b.height // 2]) for b in self.boxes
        ]
        bends = {int(said["id"][1:]): said["pos"] for said in self.edges}
        slots = self._slots()
        routes = [self._route(bends[i], *ends, slots[i]) for i, ends in enumerate(self.joined)]
        width, height = (round(x) + 2 * MARGIN for x in (self.width, self.height))
        depth = {cluster.id: 0 for cluster in self.view.clusters}
        for cluster in self.view.clusters:
            parent = cluster.parent
            while parent is not None:
                depth[cluster.id] += 1
                parent = next(c.parent for c in self.view.clusters if c.id == parent)
        self.frames.sort(key=lambda f: (depth[self.view.clusters[f.cluster].id], f.cluster))
        return Layout(width, height, tuple(boxes), tuple(routes), tuple(self.frames))

    def _point(self, text: str) -> Point:
        x, y = text.split(",")
        return round(float(x)) + MARGIN, round(self.height - float(y)) + MARGIN

    def _box(self, i: int, at: str) -> None:
        room = self.rooms[i]
        x, y = self._point(at)
        top = y - (room.height + room.head + room.foot) // 2 + room.head
        self.boxes[i] = Placed(x - room.width // 2, top, room.width, room.height)

    def _frame(self, cluster: int, corners: str) -> None:
        left, low, right, high = corners.split(",")
        (x, y), (end, bottom) = self._point(f"{left},{high}"), self._point(f"{right},{low}")
        self.frames.append(Frame(cluster, 1, 1, Placed(x, y, end - x, bottom - y), x + SIDE))

    def _slots(self) -> list[int]:
        """Return the x at which each arrow ends."""
        into: dict[int, list[int]] = {}
        for i, (_, target) in enumerate(self.joined):
            into.setdefault(target, []).append(i)
        at = [0] * len(self.joined)
        for target, arrows in into.items():
            arrows.sort(key=lambda i: self.view.arrows[i].slot)
            box = self.boxes[target]
            for k, i in enumerate(arrows):
                at[i] = box.x + box.width * (2 * k + 1) // (2 * len(arrows))
        return at

    def _route(self, bends: str, source: int, target: int, slot: int) -> Route:
        points = [self._point(part) for part in bends.split(";")[0].split()]
        start, end = self.boxes[source], self.boxes[target]
        x = min(max(points[0][0], start.x + 4), start.x + start.width - 4)
        first, last = (x, start.y + start.height), (slot, end.y - self.rooms[target].head)
        points[1] = (points[1][0] + first[0] - points[0][0], points[1][1])
        points[-2] = (points[-2][0] + last[0] - points[-1][0], points[-2][1])
        return Route((first, *points[1:-1], last, (slot, end.y)), spline=True)
