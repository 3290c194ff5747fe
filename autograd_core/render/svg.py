"""A view as one SVG picture: self-contained, readable without colour, the same bytes every time."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan

from ..errors import GraphError
from . import legend
from .cards import SIZE, Card, arrow_state, arrow_text, cards, drawn, number_text
from .colors import THEMES, gradient_level
from .fonts import clipped, escaped, shown, text_width
from .layout import Frame, Layout, Placed, Point, Route, arrange
from .layout.with_dot import arrange_with_dot
from .sheet import style_sheet
from .view import Arrow, Cluster, View

ENGINES = ("auto", "builtin", "dot")
LARGEST = 20_000  # boxes and arrows in one picture
CURVED = 300  # boxes up to which arrows are curves
TIP = 8  # length of an arrow's head
LABEL = 14  # height of what is written on it
CORNER = 7  # radius
EDGE = 16


def write(view: View, *, engine: str = "auto", theme: str = "auto") -> str:
    """Return the picture of a view.

    `engine` "dot" asks Graphviz for coordinates, where its program is found and answers in time;
    "auto" and "builtin" need nothing installed, and give the same bytes on every machine. `theme`
    is "light", "dark", "print" or "auto", which follows the reader's system.
    """
    _check(view, engine, theme)
    content = cards(view)
    rooms = [card.room for card in content]
    titles = [_title_width(cluster) for cluster in view.clusters]
    layout = arrange_with_dot(view, rooms, titles) if engine == "dot" else None
    layout = layout or arrange(view, rooms, titles)
    return _Picture(view, content, layout, theme).text()


def _check(view: View, engine: str, theme: str) -> None:
    if engine not in ENGINES:
        raise ValueError(f"engine {engine!r} is unknown; it is one of {', '.join(ENGINES)}")
    if theme not in ("auto", *THEMES):
        raise ValueError(f"theme {theme!r} is unknown; it is one of auto, {', '.join(THEMES)}")
    size = max(len(view.boxes), len(view.arrows))
    if size > LARGEST:
        raise GraphError(
            f"a picture got {len(view.boxes):,} boxes and {len(view.arrows):,} arrows: it holds "
            f"at most {LARGEST:,} of each; collapse modules, fold repeated blocks, or write text"
        )


class _Picture:
    def __init__(self, view: View, content: Sequence[Card], layout: Layout, theme: str) -> None:
        self.view, self.content, self.layout, self.theme = view, content, layout, theme
        self.root = f"ag-{theme}"
        sent = [a.contribution for a in view.arrows]
        self.weighted = any(c is not None for c in sent)
        self.down = 26 if view.title else 0
        self.curved = len(view.boxes) <= CURVED

    def text(self) -> str:
        view, layout = self.view, self.layout
        entries = legend.legend(view, self.content, self.weighted)
        heading = clipped(shown(view.title), 80)
        caption = clipped(shown(view.caption), 200)
        needed = [text_width(heading, 16, bold=True), legend.width_of(entries)]
        needed.append(text_width(caption, SIZE))
        width = max(layout.width, 2 * EDGE + max(needed))
        right = (width - layout.width) // 2
        bottom = self.down + layout.height
        marks, below = legend.drawn(entries, EDGE, bottom + 4, width - 2 * EDGE)
        height = bottom + below + (22 if caption else 0) + (8 if below or caption else 0)
        shift = f' transform="translate({right} {self.down})"' if right or self.down else ""
        looks = [card.look for card in self.content]
        parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" class="{self.root}" role="img" '
            f'viewBox="0 0 {width} {height}" width="{width}" height="{height}">',
            f"<title>{escaped(view.title.strip() or 'Graph')}</title>",
            f"<desc>{escaped(view.description.strip() or self._described())}</desc>",
            f"<style>{style_sheet(self.theme, looks)}</style>",
            self._definitions(looks),
            f'<rect class="page" width="{width}" height="{height}"/>',
        ]
        if heading:
            parts.append(f'<text class="head left" x="{EDGE}" y="28">{escaped(heading)}</text>')
        parts += [f"<g{shift}>", *self._clusters(), *self._edges(), *self._nodes(), "</g>", marks]
        if caption:
            y = height - 12
            parts.append(f'<text class="left quiet" x="{EDGE}" y="{y}">{escaped(caption)}</text>')
        return "\n".join(part for part in [*parts, "</svg>"] if part) + "\n"

    def _described(self) -> str:
        ops = sum(box.kind == "op" for box in self.view.boxes)
        boxes, arrows = len(self.view.boxes), len(self.view.arrows)
        return f"{boxes} boxes, {ops} of them operations, {arrows} arrows"

    def _definitions(self, looks: Sequence[str]) -> str:
        """Return the heads of arrows and the hatching, under names of this theme's own."""
        heads = ["tip"] if self.view.arrows else []
        if any(arrow_state(arrow) == "nonfinite" for arrow in self.view.arrows):
            heads.append("alarm-tip")
        parts = [
            f'<marker id="{self.root}-{head}" viewBox="0 0 {TIP} 10" refY="5" markerWidth="{TIP}" '
            'markerHeight="10" markerUnits="userSpaceOnUse" orient="auto">'
            f'<path class="{head}" d="M0 0l{TIP} 5l-{TIP} 5z"/></marker>'
            for head in heads
        ]
        if "zero" in looks:
            parts.append(
                f'<pattern id="{self.root}-hatch" width="8" height="8" '
                'patternUnits="userSpaceOnUse"><path class="ground" d="M0 0h8v8h-8z"/>'
                '<path class="hatch" d="M-1 9L9 -1M-1 1l2 -2M7 9l2 -2"/></pattern>'
            )
        return f"<defs>{''.join(parts)}</defs>" if parts else ""

    def _clusters(self) -> list[str]:
        return [self._cluster(frame) for frame in self.layout.frames]

    def _cluster(self, frame: Frame) -> str:
        cluster, place = self.view.clusters[frame.cluster], frame.place
        part = f" ({frame.part} of {frame.parts})" if frame.parts > 1 else ""
        title = _cluster_title(cluster) + part
        x, y = frame.title_at, place.y + 15
        size = f'width="{place.width}" height="{place.height}"'
        parts = [
            f'<g class="cluster" data-id="{escaped(cluster.id)}">'
            f"<title>{escaped(title)}</title>"
            f'<rect x="{place.x}" y="{place.y}" {size} rx="8"/>'
            f'<text class="left quiet" x="{x}" y="{y}">{escaped(title)}</text>'
        ]
        x += text_width(title, SIZE) + 8
        for badge in (clipped(shown(badge), 40) for badge in cluster.badges):
            wide = text_width(badge, SIZE) + 10
            parts.append(
                f'<rect class="badge" x="{x}" y="{y - 12}" width="{wide}" height="16" rx="8"/>'
                f'<text class="badge" x="{x + wide // 2}" y="{y}">{escaped(badge)}</text>'
            )
            x += wide + 4
        return "".join([*parts, "</g>"])

    def _nodes(self) -> list[str]:
        results = set(self.view.outputs)
        placed = zip(self.content, self.layout.boxes, strict=True)
        nodes = [drawn(card, place, card.box.id in results) for card, place in placed]
        return ['<g role="list">', *nodes, "</g>"]

    def _edges(self) -> list[str]:
        number = {box.id: i for i, box in enumerate(self.view.boxes)}
        places = self.layout.boxes
        return [
            self._edge(arrow, route, places[number[arrow.target]])
            for arrow, route in zip(self.view.arrows, self.layout.routes, strict=True)
        ]

    def _edge(self, arrow: Arrow, route: Route, target: Placed) -> str:
        state = arrow_state(arrow)
        tip = "alarm-tip" if state == "nonfinite" else "tip"
        look = state and f' class="{state}"'
        width = self._width(arrow)
        x, y = route.points[-1]
        text = arrow_text(arrow)
        label = f'<text x="{x}" y="{y - TIP - 3}">{escaped(text)}</text>' if text else ""
        path = way(route, self.curved, gap=LABEL if text else 0)
        ends = f'data-src="{escaped(arrow.source)}" data-dst="{escaped(arrow.target)}"'
        return (
            f'<g class="edge" {ends} data-slot="{arrow.slot}"><path{look}{width} d="{path}" '
            f'marker-end="url(#{self.root}-{tip})"/>{label}</g>'
        )

    def _width(self, arrow: Arrow) -> str:
        """Return the width of an arrow: 1 to 6 pixels for what backward sent along it."""
        if arrow.contribution is None:
            return ""
        level = 1.0 if isnan(arrow.contribution) else gradient_level(abs(arrow.contribution))
        return f' stroke-width="{1 + 5 * level:.3g}"'


def way(route: Route, curved: bool, gap: int = 0) -> str:
    """Return the path of an arrow, which ends where its head begins; `gap` is left for its text."""
    x, y = route.points[-1]
    points = [*route.points[:-1], (x, y - TIP - gap)]
    (x, y), parts = points[0], [f"M{points[0][0]} {points[0][1]}"]
    if route.spline:
        bends = " ".join(f"{px} {py}" for px, py in points[1:-1])
        points, parts = points[-2:], [*parts, f"C{bends}"]
        x, y = points[0]
    for i, (to, end) in enumerate(points[1:], start=1):
        following = points[i + 1] if i + 1 < len(points) else (to, end)
        if to == x or end == y:
            parts.append(_line((x, y), (to, end), following))
        elif curved and end > y:
            middle = (y + end) // 2
            parts.append(f"C{x} {middle} {to} {middle} {to} {end}")
        else:
            parts.append(f"L{to} {end}")
        x, y = to, end
    if gap:
        parts.append(f"m0 {gap - 1}v1")
    return "".join(parts)


def _line(start: Point, end: Point, following: Point) -> str:
    """Return a vertical or horizontal line, with a round corner where it turns into another."""
    (x, y), (to, down) = start, end
    across, along = following[0] - to, following[1] - down
    if to == x and across and not along:
        turn = CORNER if across > 0 else -CORNER
        before = CORNER if down > y else -CORNER
        return f"V{down - before}Q{to} {down} {to + turn} {down}"
    if down == y and along and not across:
        turn = CORNER if along > 0 else -CORNER
        before = CORNER if to > x else -CORNER
        return f"H{to - before}Q{to} {down} {to} {down + turn}"
    return f"V{down}" if to == x else f"H{to}"


def _cluster_title(cluster: Cluster) -> str:
    grad = "" if cluster.grad_rms is None else f"  grad {number_text(cluster.grad_rms)}"
    return clipped(shown(cluster.title), 60) + grad


def _title_width(cluster: Cluster) -> int:
    badges = sum(text_width(clipped(shown(b), 40), SIZE) + 14 for b in cluster.badges)
    return text_width(_cluster_title(cluster) + " (9 of 9)", SIZE) + 8 + badges
