"""The sections of a graph, each laid out by itself with everything inside it closed.

The page puts open sections into one another, see stack.js: it makes room and moves what is
around, and needs no layout of its own. What is led through the border of a section passes at a
gate, which has one place inside and stands for the same arrow outside.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from ..badges import rms_of
from ..cards import HEAD, SHEETS
from ..layout.layers import Item, Link
from ..layout.scope import Scope
from ..sections import Section

if TYPE_CHECKING:
    from ...graph import Graph

USES = 2  # of a leaf in one section; with more, each use has a chip of its own
FEW = 4  # values that pass between two items as arrows of their own; more are one arrow
LABEL = 44  # room for the number on an arrow
TALL = 3  # pages that a section inside others may be high before it is cut into columns


Size = tuple[int, int]


class Edge(NamedTuple):
    """One argument slot of the graph, and the gates by which it comes into and leaves a section."""

    source: int
    target: int
    slot: int
    enter: int | None = None
    leave: int | None = None


class Way(NamedTuple):
    """An arrow of one section, from an item or a gate to another; gates count from -1 down.

    `value` is the node whose result goes along it, -1 where there are several.
    """

    source: int
    target: int
    value: int
    slot: int  # -1 where it leads to no single node
    edges: tuple[Edge, ...]


@dataclass
class Plan:
    """One section: what stands in it, the gates in its border, the arrows between them."""

    section: Section
    items: list[int | Section] = field(default_factory=list["int | Section"])
    chips: set[int] = field(default_factory=set[int])  # which of them are further uses of a leaf
    enter: list[int] = field(default_factory=list[int])  # gates: what outer arrows are called
    leave: list[int] = field(default_factory=list[int])
    ways: list[Way] = field(default_factory=list[Way])
    layout: int = 0  # which of `Planner.layouts`


class Planner:
    """Lays out all sections of a graph, from the outermost inwards.

    `rooms` are the sizes of boxes, by node or by the identity of a closed section, and `chips`
    those of chips by node; boxes grow where many arrows enter.
    """

    def __init__(self, graph: Graph, rooms: dict[int, Size], chips: dict[int, Size]) -> None:
        self.graph, self.rooms, self.chips = graph, rooms, chips
        self.layouts: list[Scope] = []  # items first, then gates
        self._known: dict[Any, int] = {}  # what is to be laid out -> its layout

    def plans(self, root: Section) -> list[Plan]:
        """Return the plan of each section, outer ones first."""
        edges = [
            Edge(x.node, node.number, slot)
            for node in self.graph.nodes
            for slot, x in enumerate(node.operands)
            if x.node is not None
        ]
        waiting: list[tuple[Section, list[Edge], int]] = [(root, edges, 0)]
        plans: list[Plan] = []
        while waiting:
            section, edges, depth = waiting.pop()
            plan = Plan(section)
            inner = self._join(plan, edges)
            self._lay_out(plan, 1 if depth == 0 else TALL)
            plans.append(plan)
            waiting += [(child, inner.get(id(child), []), depth + 1)
                        for child in section.items if isinstance(child, Section)][::-1]  # fmt: skip
        return plans

    def _join(self, plan: Plan, edges: Sequence[Edge]) -> dict[int, list[Edge]]:
        """Find the arrows of a section; return the edges of each section inside it."""
        place = {n: i for i, item in enumerate(plan.section.items) for n in _numbers(item)}
        items = plan.section.items
        inner: dict[int, list[Edge]] = {}
        pairs: dict[tuple[int, int], list[Edge]] = {}
        for edge in edges:
            a, b = place.get(edge.source), place.get(edge.target)
            if a is not None and a == b:
                inner.setdefault(id(items[a]), []).append(edge)
                continue
            source = _gate(plan.enter, edge.enter) if a is None else a
            target = _gate(plan.leave, edge.leave) if b is None else b
            pairs.setdefault((source, target), []).append(edge)
        found = [
            Way(source, target, value, slot, tuple(group))
            for (source, target), joined in pairs.items()
            for value, slot, group in self._bundles(items, source, target, joined)
        ]
        found.sort(key=lambda way: (way.target, way.slot))
        chips = _Chips(plan, pairs, self.chips)
        for number, way in enumerate(found):
            gate = way.value if way.value >= 0 else -1 - number
            self._hand_in(items, inner, way, gate)
            ends = chips.place(way.source, way.target), chips.place(way.target)
            plan.ways.append(way._replace(source=ends[0], target=ends[1]))
        return inner

    def _bundles(
        self, items: Sequence[Any], source: int, target: int, joined: Sequence[Edge]
    ) -> list[tuple[int, int, list[Edge]]]:
        """Return (value, slot, edges) of each arrow between two items."""
        values = {edge.source for edge in joined}
        to_node = target >= 0 and isinstance(items[target], int)
        bundled = len(values) > (FEW if source >= 0 and target >= 0 else 1)
        groups: dict[tuple[int, int], list[Edge]] = {}
        for edge in joined:
            key = -1 if bundled else edge.source, edge.slot if to_node else -1
            groups.setdefault(key, []).append(edge)
        return [(value, slot, group) for (value, slot), group in groups.items()]

    def _hand_in(
        self, items: Sequence[Any], inner: dict[int, list[Edge]], way: Way, gate: int
    ) -> None:
        """Give the edges of one arrow to the sections at its ends."""
        if way.source >= 0 and isinstance(items[way.source], Section):
            leaving = [Edge(*edge[:3], None, gate) for edge in way.edges]
            inner.setdefault(id(items[way.source]), []).extend(leaving)
        if way.target >= 0 and isinstance(items[way.target], Section):
            entering = [Edge(*edge[:3], gate, None) for edge in way.edges]
            inner.setdefault(id(items[way.target]), []).extend(entering)

    def _lay_out(self, plan: Plan, pages: int) -> None:
        count = len(plan.items)
        entering = [0] * count
        for way in plan.ways:
            if way.target >= 0:
                entering[way.target] += 1
        rooms = [
            (*self.chips[item], 0, 0) if i in plan.chips else self._room(item, entering[i])
            for i, item in enumerate(plan.items)
        ]
        first, last = count, count + len(plan.enter)
        links = tuple([
            (way.source if way.source >= 0 else first - 1 - way.source,
             way.target if way.target >= 0 else last - 1 - way.target)
            for way in plan.ways
        ])  # fmt: skip
        given = (tuple(rooms), links, len(plan.enter), len(plan.leave), pages)
        key = given, tuple([way.slot for way in plan.ways])
        if key not in self._known:
            self._known[key] = len(self.layouts)
            self.layouts.append(_scope(*given))
        plan.layout = self._known[key]

    def _room(self, item: int | Section, entering: int) -> tuple[int, int, int, int]:
        """Return width, height, and what stays free above and below, of an item; widen it."""
        key = item if isinstance(item, int) else id(item)
        width, height = self.rooms[key]
        width = max(width, LABEL * entering)
        width += width % 2
        self.rooms[key] = width, height
        foot = 0 if isinstance(item, int) else SHEETS
        return width, height, HEAD if entering else 0, foot

    def rms(self, edges: Sequence[Edge]) -> float | None:
        """Return the RMS of what backward sent along some edges together."""
        return rms_of([self.graph.nodes[e.target].operands[e.slot].sent for e in edges])


def _numbers(item: int | Section) -> Sequence[int]:
    return [item] if isinstance(item, int) else list(item.numbers())


def _gate(gates: list[int], key: int | None) -> int:
    """Return the number of a gate, which is opened if it is new; gates count from -1 down."""
    assert key is not None
    if key not in gates:
        gates.append(key)
    return -1 - gates.index(key)


class _Chips:
    """The items of a plan, with a chip just before each further user of a leaf."""

    def __init__(
        self, plan: Plan, pairs: Mapping[tuple[int, int], Any], leaves: Mapping[int, Any]
    ) -> None:
        items = plan.section.items
        users: dict[int, list[int]] = {}
        for source, target in pairs:
            if source >= 0 and isinstance(items[source], int):
                users.setdefault(source, []).append(target)
        self._before: dict[int, list[int]] = {}  # user -> leaves of which it has a chip
        for leaf, targets in users.items():
            if len(targets) > USES and items[leaf] in leaves:
                for target in targets[1:]:
                    self._before.setdefault(target, []).append(leaf)
        self._place: dict[int, int] = {}
        self._chip: dict[tuple[int, int], int] = {}
        for target in (gate for gate in self._before if gate < 0):
            self._add(plan, target)
        for i, item in enumerate(items):
            self._add(plan, i)
            self._place[i] = len(plan.items)
            plan.items.append(item)

    def _add(self, plan: Plan, target: int) -> None:
        for leaf in self._before.get(target, ()):
            self._chip[leaf, target] = len(plan.items)
            plan.chips.add(len(plan.items))
            plan.items.append(plan.section.items[leaf])

    def place(self, item: int, target: int | None = None) -> int:
        """Return the number of an item in the plan, or of its chip for a target; gates as is."""
        if target is not None and (item, target) in self._chip:
            return self._chip[item, target]
        return self._place.get(item, item)


def _scope(
    rooms: Sequence[tuple[int, int, int, int]], links: Sequence[tuple[int, int]],
    enter: int, leave: int, pages: int,
) -> Scope:  # fmt: skip
    scope = Scope()
    for width, height, head, foot in rooms:
        scope.add(Item(width, head + height + foot), head, foot)
    for border in ["first"] * enter + ["last"] * leave:
        scope.add(Item(2, 0, fixed=True, pinned=border))
    inside = len(rooms)
    scope.links = [Link(a, b, int(a >= inside), int(b >= inside)) for a, b in links]
    scope.lay_out(pages)
    return scope
