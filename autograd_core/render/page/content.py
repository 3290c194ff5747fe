"""What the page is told of a graph: one record of short rows, ready to be written as JSON.

Names and shapes are numbers of strings, which are told once. Arrays are told by their statistics
and, where they are small, by a strip of whole numbers from -99 to 99.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..badges import births
from ..cards import BADGE_LINE, BAR, BAR_HEIGHT, LINE, PAD_X, PAD_Y, SIZE, TITLE_LINE, TITLE_SIZE
from ..choose import COMMUTATIVE, Chooser, collapse_share
from ..fonts import clipped, shown, text_width
from ..layout.placed import Point
from ..layout.scope import Scope
from ..sections import Section
from ..words import magnitude_text, visible
from .plan import Plan, Planner, Size, Sizes, Way
from .rules import local_rules

if TYPE_CHECKING:
    from ...graph import Graph, GraphNode
    from ...graph.difference import Difference
    from ...graph.statistics import Statistics

KINDS = ("op", "leaf", "input", "constant", "error")
TITLE_LETTERS, LINE_LETTERS = 28, 36
NARROWEST, CHIP_HEIGHT = 40, 26
GRAD_WIDTH = 90  # of a gradient while it adds up
FULL = 99  # the longest bar of a strip


class Strings:
    """Texts by number, each told once."""

    def __init__(self) -> None:
        self.all: dict[str, int] = {}

    def __call__(self, text: str | None, limit: int = 200) -> int:
        if text is None:
            return -1
        text = visible(shown(text), limit)
        return self.all.setdefault(text, len(self.all))


class Content:
    """Makes the record of one graph."""

    def __init__(
        self, graph: Graph, title: str, collapse: float | str, changes: Difference | None = None
    ) -> None:
        self.graph, self.title, self.changes = graph, title, changes
        self.strings = Strings()
        self.births = births(graph)
        self.chooser = Chooser(graph, "grad", set(range(len(graph.nodes))), stepwise=True)
        self.chooser.close(collapse_share(collapse))
        self.sections = list(self.chooser.root.sections())
        self.number = {id(section): i for i, section in enumerate(self.sections)}
        self.backward = any(x.sent is not None for node in graph.nodes for x in node.operands)

    def record(self) -> dict[str, Any]:
        """Return everything, with numbers that are not finite as strings."""
        cards = {id(s): self.chooser.boxes.of_section(s, "", None) for s in self.sections[1:]}
        nodes = self.graph.nodes
        sizes = Sizes(
            {node.number: self._room(node) for node in nodes},
            {node.number: self._chip(node) for node in nodes if node.is_source},
            {k: _room_of(f"+ {b.title}", b.lines, b.badges) for k, b in cards.items()},
            {k: _title_width(cards[k].title) for k in map(id, self._seen())},
        )
        planner = Planner(self.graph, sizes)
        plans = planner.plans(self.chooser.root)
        sections = [self._section(plan, cards, planner) for plan in plans]
        layouts = {p.layout: _layout(p, planner.layouts[p.layout]) for p in plans[::-1]}
        return {
            "title": visible(shown(self.title), 200) or "Graph",
            "nodes": [self._node(node, sizes.nodes[node.number]) for node in nodes],
            "sections": sections,
            "layouts": [layouts[i] for i in range(len(layouts))],
            "outputs": self.graph.outputs,
            "backward": self.backward,
            "notes": [visible(shown(text), 300) for text in self._notes()],
            "rules": self._rules(),
            "removed": [visible(text) for text in self.changes.removed_lines()] if self.changes
                       else [],
            "strings": list(self.strings.all),
        }  # fmt: skip

    def _seen(self) -> Iterator[Section]:
        """Give the sections that are seen open at first."""
        seen = {id(self.chooser.root)}
        for section in self.sections[1:]:
            if id(section.parent) in seen and self.chooser.is_open(section):
                seen.add(id(section))
                yield section

    def _notes(self) -> list[str]:
        """Say what the graph does not know, and how it would."""
        nodes = self.graph.nodes
        notes = [f"Stopped by {self.graph.error}"] if self.graph.error else []
        if not any(node.values is not None for node in nodes if not node.is_source):
            notes.append("Values were not recorded: trace a function and its inputs.")
        if not self.backward:
            notes.append(
                "No backward was recorded, so only forward can be stepped through: trace with "
                "backward=True, or call backward() on a Value first."
            )
        if any(node.freed for node in nodes):
            notes.append("Backward has freed what was saved for it.")
        return notes

    def _node(self, node: GraphNode, room: Size) -> list[Any]:
        marks = [self.strings(text) for text in self._marks(node)]
        operands: list[Any] = []
        for slot, x in zip(node.slots, node.operands, strict=True):
            source = -1 - self.strings(x.text) if x.node is None else x.node
            operands += [source, self.strings(slot), _numbers(x.sent)]
        return [
            KINDS.index(node.kind),
            self.strings(node.op),
            self.strings(_title(node), 60),
            self.strings(node.name),
            self.strings(node.type_text if node.shape != () and node.kind != "error" else ""),
            self.strings(node.module),
            self.strings(node.error or node.line),
            _numbers(node.values),
            _numbers(node.grads),
            operands,
            *room,
            int(node.op in COMMUTATIVE),
            node.order,
            int(node.dtype == "float32"),
            int(node.view),
            self._chip(node)[0] if node.is_source else 0,
            marks,
        ]

    def _marks(self, node: GraphNode) -> list[str]:
        change = self.changes.mark(node.number) if self.changes is not None else ""
        return [*([change] if change else []), *self.births.get(node.number, ())]

    def _lines(self, node: GraphNode) -> list[str]:
        """Return what the page writes into a box, for its width."""
        lines = [node.type_text] if node.shape != () and node.kind != "error" else []
        lines += [f"value {_magnitude(x)}" for x in (node.values,) if x is not None]
        lines += [f"grad {_magnitude(x)}" for x in (node.grads,) if x is not None]
        return lines

    def _room(self, node: GraphNode) -> Size:
        width, height = _room_of(_title(node), self._lines(node), self._marks(node))
        if node.grads is not None:
            width = max(width, GRAD_WIDTH + 2 * PAD_X)
        if node.values is not None and node.values.heat and node.values.size > 1:
            width = max(width, len(node.values.heat) * BAR + 2 * PAD_X)
            height += BAR_HEIGHT + 4
        if len(node.operands) > 1 and node.op not in COMMUTATIVE:
            height += LINE
        return width + width % 2, height

    def _chip(self, node: GraphNode) -> Size:
        width = text_width(_title(node), SIZE) + 2 * PAD_X
        return max(NARROWEST, width + width % 2), CHIP_HEIGHT

    def _section(self, plan: Plan, cards: Mapping[int, Any], planner: Planner) -> list[Any]:
        section = plan.section
        box = cards.get(id(section))
        said = [box.title, [*box.lines], [*box.badges]] if box else ["", [], []]
        return [
            section.kind,
            *said,
            self.strings(section.label),
            -1 if section.parent is None else self.number[id(section.parent)],
            *planner.sizes.closed.get(id(section), (0, 0)),
            *plan.size,
            _title_width(box.title) if box else 0,
            int(box is not None and box.stack),
            plan.layout,
            [self._item(x) for x in plan.items],
            sorted(plan.chips),
            plan.enter,
            plan.leave,
            [n for way in plan.ways for n in _way(way, planner)],
            _numbers_of(box.grad_rms) if box else None,
        ]

    def _item(self, item: int | Section) -> int:
        """Return a node as its number, a section as its number below 0."""
        return item if isinstance(item, int) else -self.number[id(item)]

    def _rules(self) -> list[list[Any]]:
        """Return [op, result, [slot, slope, what is sent]...] of each op with rules in symbols."""
        names = dict.fromkeys(node.op for node in self.graph.nodes if node.kind == "op")
        found = [(name, local_rules(name)) for name in names]
        return [
            [self.strings(name), rules[0].result, *[[x.slot, x.slope, x.sends] for x in rules]]
            for name, rules in found
            if rules
        ]


def _way(way: Way, planner: Planner) -> list[Any]:
    """Return the value of an arrow; of one that leads to no node, also how many slots it stands
    for, the first node that uses them and the RMS of what they were sent.
    """
    if way.slot >= 0:
        return [way.value]
    first = min(edge.target for edge in way.edges)
    return [way.value, len(way.edges), first, _numbers_of(planner.rms(way.edges))]


def _layout(plan: Plan, scope: Scope) -> list[Any]:
    """Return the places of one layout, which sections that look the same share."""
    assert scope.stack is not None
    count = len(plan.items)
    centres: list[int] = []
    for place, (head, foot) in list(zip(scope.places, scope.margins, strict=True))[:count]:
        middle = place.y + head + (place.height - head - foot) // 2
        centres += [place.x + place.width // 2, middle]
    gates = [place.x + 1 for place in scope.places[count:]]
    ways = [
        [way.source, way.target, way.slot, _steps(points)]
        for way, points in zip(plan.ways, scope.ways, strict=True)
    ]
    rows = [[] for _ in scope.stack.bands]
    for band, *borders in zip(scope.stack.band, scope.stack.top, scope.stack.bottom, strict=True):
        rows[band] += borders
    lefts = [band.left for band in scope.stack.bands[1:]]
    return [[scope.width, scope.height, *lefts], centres, gates, ways, rows]


def _steps(points: Sequence[Point]) -> list[int]:
    """Return the first point, and the way from each one to the next."""
    x = y = 0
    steps: list[int] = []
    for to, down in points:
        steps += [to - x, down - y]
        x, y = to, down
    return steps


def _title(node: GraphNode) -> str:
    title = node.label if node.kind != "input" else "input"
    if node.name:
        title = node.name if node.is_source else f"{node.name}: {node.label}"
    return clipped(visible(shown(title), 60), TITLE_LETTERS)


def _room_of(title: str, lines: Sequence[str], badges: Sequence[str]) -> Size:
    widths = [text_width(clipped(title, TITLE_LETTERS), TITLE_SIZE, bold=True), NARROWEST]
    widths += [text_width(clipped(line, LINE_LETTERS), SIZE) for line in lines]
    widths += [text_width(clipped(badge, LINE_LETTERS), SIZE) + 10 for badge in badges]
    height = 2 * PAD_Y + TITLE_LINE + LINE * len(lines) + BADGE_LINE * len(badges)
    width = max(widths) + 2 * PAD_X
    return width + width % 2, height


def _title_width(title: str) -> int:
    return text_width(title, SIZE) + 32


def _magnitude(s: Statistics) -> str:
    return magnitude_text(s) if s.size == 1 else f"rms {magnitude_text(s)}"


def _numbers(s: Statistics | None) -> Any:
    """Return one number as it is; of several [size, min, mean, max, rms, NaNs, infinities, strip].

    None where nothing is known.
    """
    if s is None:
        return None
    if s.size == 1:
        return _numbers_of(s.item)
    told = [None if x is None else float(f"{x:.6g}") for x in (s.min, s.mean, s.max, s.rms)]
    row: list[Any] = [s.size, *told, s.nans, s.infs, _strip(s.heat)]
    while row[-1] in (0, []):
        row.pop()
    return row


def _strip(heat: Sequence[float | None]) -> list[int | None]:
    """Return each element as a share of the largest one, infinities as a little more than all."""
    known = [abs(x) for x in heat if x is not None and math.isfinite(x)]
    largest = max(known, default=0.0) or 1.0
    return [None if x is None else _share(x, largest) for x in heat]


def _share(x: float, largest: float) -> int:
    if math.isinf(x):
        return FULL + 1 if x > 0 else -FULL - 1
    return round(FULL * (x / largest))


def _numbers_of(x: float | None) -> float | str | None:
    return x if x is None or math.isfinite(x) else str(x)
