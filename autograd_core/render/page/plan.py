"""The sections of a graph, each laid out by itself, those inside it as they are seen at first.

The page puts open sections into one another, see stack.js: where one is opened or closed it moves
what is around, and needs no layout of its own. What is led through the border of a section passes
at a gate, which has one place inside and stands for the same arrow outside.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from ..badges import rms_of
from ..cards import HEAD, SHEETS
from ..layout.arrange import DEEPER, SIDE
from ..layout.layers import Item, Link
from ..layout.placed import Room
from ..layout.scope import Scope
from ..sections import Section

if TYPE_CHECKING:
    from ...graph import Graph

USES = 2  # of a leaf in one section; with more, each use has a chip of its own
FEW = 4  # values that pass between two items as arrows of their own; more are one arrow
LABEL = 48  # room for the number on an arrow
TITLE = 24  # of a frame, above what it holds


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
    outer: Plan | None = None
    layout: int = 0  # which of `Planner.layouts`
    size: Size = (0, 0)  # of its frame, if it is open at first

    @property
    def depth(self) -> int:
        return 0 if self.outer is None else self.outer.depth + 1


@dataclass
class Sizes:
    """What is known before anything is placed; sections go by their identity."""

    nodes: dict[int, Size]
    chips: dict[int, Size]  # of leaves
    closed: dict[int, Size]
    titles: dict[int, int]  # widths, of sections that are open at first


class Planner:
    """Lays out all sections of a graph; boxes grow where many arrows enter."""

    def __init__(self, graph: Graph, sizes: Sizes) -> None:
        self.graph, self.sizes = graph, sizes
        self.layouts: list[Scope] = []  # items first, then gates
        self._known: dict[Any, int] = {}  # what is to be laid out -> its layout
        self._open: dict[int, Plan] = {}  # by section, those laid out and open at first

    def plans(self, root: Section) -> list[Plan]:
        """Return the plan of each section, outer ones first; inner ones are laid out first."""
        edges = [
            Edge(x.node, node.number, slot)
            for node in self.graph.nodes
            for slot, x in enumerate(node.operands)
            if x.node is not None
        ]
        waiting: list[tuple[Plan, list[Edge]]] = [(Plan(root), edges)]
        plans: list[Plan] = []
        while waiting:
            plan, edges = waiting.pop()
            inner = self._join(plan, edges)
            plans.append(plan)
            sections = [item for item in plan.section.items if isinstance(item, Section)]
            waiting += [(Plan(s, outer=plan), inner.get(id(s), [])) for s in reversed(sections)]
        for plan in reversed(plans):
            self._lay_out(plan)
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
        chips = _Chips(plan, pairs, self.sizes.chips)
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

    def _lay_out(self, plan: Plan) -> None:
        entering = [0] * len(plan.items)
        for way in plan.ways:
            if way.target >= 0:
                entering[way.target] += 1
        rooms = [self._room(plan, i, entering[i]) for i in range(len(plan.items))]
        links = tuple([self._link(plan, number) for number in range(len(plan.ways))])
        pages = 1 if plan.depth <= 1 else DEEPER
        given = (tuple(rooms), links, len(plan.enter), len(plan.leave), pages)
        key = given, tuple([(way.source, way.target, way.slot) for way in plan.ways])
        if key not in self._known:
            self._known[key] = len(self.layouts)
            self.layouts.append(_scope(*given))
        plan.layout = self._known[key]
        if id(plan.section) in self.sizes.titles:
            plan.size = self._frame(plan)
            self._open[id(plan.section)] = plan

    def _frame(self, plan: Plan) -> Size:
        """Return the size of a frame whose title stands between the arrows that enter."""
        scope, need = self.layouts[plan.layout], self.sizes.titles[id(plan.section)]
        at = 0
        for x in sorted(self._gates(plan, plan.enter)):
            if at + need + 6 <= x:
                break
            at = x + 8
        width = max(scope.width + 2 * SIDE, at + need + SIDE)
        return width + width % 2, scope.height + TITLE + SIDE

    def _gates(self, plan: Plan, gates: Sequence[int]) -> list[int]:
        """Return where gates at the top, or those at the bottom, are in a frame."""
        first = len(plan.items) + (0 if gates is plan.enter else len(plan.enter))
        places = self.layouts[plan.layout].places[first : first + len(gates)]
        return [place.x + 1 + SIDE for place in places]

    def _link(self, plan: Plan, number: int) -> Link:
        way = plan.ways[number]
        gate = way.value if way.value >= 0 else -1 - number
        source, leave = self._end(plan, way.source, gate, leaving=True)
        target, enter = self._end(plan, way.target, gate, leaving=False)
        return Link(source, target, leave, enter)

    def _end(self, plan: Plan, end: int, gate: int, leaving: bool) -> tuple[int, int]:
        """Return the item at an end of an arrow, and where on it, if that is given."""
        count = len(plan.items)
        if end < 0:
            return count - 1 - end + (0 if leaving else len(plan.enter)), 1
        inner = self._open.get(id(plan.items[end]))
        if inner is None:
            return end, 0
        gates = inner.leave if leaving else inner.enter
        return end, self._gates(inner, gates)[gates.index(gate)]

    def _room(self, plan: Plan, i: int, entering: int) -> Room:
        """Return what an item takes up; a box is widened for the numbers on its arrows."""
        item = plan.items[i]
        if isinstance(item, Section):
            if id(item) in self._open:
                return Room(*self._open[id(item)].size)
            known, key, foot = self.sizes.closed, id(item), SHEETS
        elif i in plan.chips:
            return Room(*self.sizes.chips[item])
        else:
            known, key, foot = self.sizes.nodes, item, 0
        width, height = known[key]
        width = max(width, LABEL * entering)
        known[key] = width, height
        return Room(width, height, HEAD if entering else 0, foot)

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
    rooms: Sequence[Room], links: Sequence[Link], enter: int, leave: int, pages: int
) -> Scope:
    ends = [(link.source, link.leave) for link in links] + [(x.target, x.enter) for x in links]
    framed = {item for item, place in ends if place}
    scope = Scope()
    for i, room in enumerate(rooms):
        height = room.head + room.height + room.foot
        scope.add(Item(room.width, height, fixed=i in framed), room.head, room.foot)
    for border in ["first"] * enter + ["last"] * leave:
        scope.add(Item(2, 0, fixed=True, pinned=border))
    scope.links = list(links)
    scope.lay_out(pages)
    return scope
