"""From a graph to a view of it: which sections are closed, which boxes and arrows are left."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from .badges import births, gradient_badges, rms_of
from .boxes import Boxes, section_grad
from .sections import Section, sections_of
from .view import Arrow, Box, Cluster, View
from .words import magnitude_text, number_text, size_text, visible

if TYPE_CHECKING:
    from ..graph.data import Graph, GraphNode, Operand
    from ..graph.statistics import Statistics

SMALL, BAND, WIDE_BAND = 100, 25, 40  # ops; boxes of a readable picture, and of one of few ops
USES = 2  # of a leaf; with more, each use has a chip of its own
COMMUTATIVE = frozenset({"add", "mul", "maximum", "minimum", "fmax", "fmin", "eq", "ne"})
ORDERS = ("both", "forward", "backward")


def view_of(
    graph: Graph,
    *,
    collapse: float | str = "auto",
    color_by: str = "grad",
    view: str = "both",
    only: Iterable[int] | None = None,
    title: str = "",
) -> View:
    """Choose what a picture of the graph shows.

    `collapse` closes sections, those with few ops first and all of one size together: 0 shows
    every op, 1 as little as possible, "auto" as few as leave at most 40 boxes, or 25 of more than
    100 ops.
    `view` takes the ops that ran "forward", those of a differentiable "backward", or "both".
    """
    if view not in ORDERS:
        raise ValueError(f"view is {view!r}; it must be one of {', '.join(ORDERS)}")
    share = collapse_share(collapse)
    return Chooser(graph, color_by, _shown(graph, view, only)).view(share, title)


def collapse_share(collapse: float | str) -> float | None:
    """Return what share of the sections to close; None for "auto"."""
    if collapse == "auto":
        return None
    if not isinstance(collapse, (int, float)) or not 0.0 <= collapse <= 1.0:
        raise ValueError(f'collapse is {collapse!r}; it must be "auto" or lie between 0 and 1')
    return float(collapse)


def _shown(graph: Graph, view: str, only: Iterable[int] | None) -> set[int]:
    """Return the numbers of the ops to show; what they use comes along as it is."""
    chosen = set(range(len(graph.nodes))) if only is None else set(only)
    ways = {"both": lambda n: True, "forward": lambda n: n == 0, "backward": lambda n: n > 0}
    return {n for n in chosen if ways[view](graph.nodes[n].order)}


class Chooser:
    """Closes sections of one graph until it fits, and draws up boxes and arrows."""

    def __init__(
        self, graph: Graph, color_by: str, shown: set[int], stepwise: bool = False
    ) -> None:
        self.graph, nodes = graph, graph.nodes
        self.ops = [n for n in sorted(shown) if not nodes[n].is_source]
        used = {x.node for n in self.ops for x in nodes[n].operands if x.node is not None}
        alone = {n for n in shown if n in graph.outputs}
        self.given = sorted((used | alone) - set(self.ops))  # leaves, and what was cut off
        self.root = sections_of(graph, self.ops, self.given, stepwise)
        sections = [s for s in self.root.sections() if s is not self.root]
        self.ranks = sorted({section.rank for section in sections})
        self.closed = 0  # how many of these ranks are
        badges = gradient_badges(self._module_gradients(sections))
        self.boxes = Boxes(graph, color_by, births(graph), badges)
        self.ids = _section_ids(sections, self.boxes)

    def _module_gradients(self, sections: Sequence[Section]) -> dict[str, float | None]:
        """Return the gradient of each module that has parameters of its own."""
        found: dict[str, list[GraphNode]] = {}
        for section in sections:
            if section.kind == "module":
                own = [self.graph.nodes[x] for x in section.items if isinstance(x, int)]
                found.setdefault(section.label, []).extend(n for n in own if n.kind == "leaf")
        return {label: section_grad(own) for label, own in found.items() if own}

    def view(self, share: float | None, title: str) -> View:
        """Return the view with so large a share of the sections closed; None: as many as needed."""
        self.close(share)
        items, owner = self._visible()
        uses = self._uses(owner)
        chips = {n: users for n, users in uses.items() if len(users) > USES}
        boxes, drawn = self._draw(items, chips, owner)
        return View(
            boxes=tuple(boxes),
            arrows=tuple(self._arrows(owner, chips)),
            clusters=tuple(self._clusters(drawn)),
            title=title,
            description=self._description(),
            caption=self._caption(),
            color_by=self.boxes.scale.color_by,
            scale=self.boxes.scale.range,
            outputs=tuple(dict.fromkeys(owner[n] for n in self.graph.outputs if n in owner)),
        )

    def close(self, share: float | None) -> None:
        """Close so large a share of the sections; None: as many as needed."""
        self.closed = self._fitting() if share is None else round(share * len(self.ranks))

    def _fitting(self) -> int:
        """Return the least number of closed ranks with which the picture can be read."""
        band = WIDE_BAND if len(self.ops) <= SMALL else BAND
        low, high = 0, len(self.ranks)
        while low < high:
            self.closed = (low + high) // 2
            if self._count() <= band:
                high = self.closed
            else:
                low = self.closed + 1
        return low

    def _count(self) -> int:
        items, owner = self._visible()
        chips = [len(users) for users in self._uses(owner).values() if len(users) > USES]
        return len(items) + sum(chips) - len(chips)

    def is_open(self, section: Section) -> bool:
        """Tell whether what is in a section is shown."""
        return (
            section is self.root or self.closed == 0 or section.rank > self.ranks[self.closed - 1]
        )

    def _visible(self) -> tuple[list[tuple[int | Section, Section]], dict[int, str]]:
        """Return what has a box, with the section around it, and the box that each node is in."""
        items: list[tuple[int | Section, Section]] = []
        owner: dict[int, str] = {}
        waiting: list[tuple[int | Section, Section]] = [(self.root, self.root)]
        while waiting:
            item, around = waiting.pop()
            if isinstance(item, int):
                owner[item] = f"n{item}"
            elif self.is_open(item):
                waiting += [(inner, item) for inner in reversed(item.items)]
                continue
            else:
                owner |= dict.fromkeys(item.numbers(), self.ids[id(item)])
            items.append((item, around))
        return items, owner

    def _uses(self, owner: dict[int, str]) -> dict[int, list[str]]:
        """Return for each leaf with a box of its own the boxes that use it."""
        uses: dict[int, dict[str, None]] = {}
        leaves = {n for n in self.given if owner[n] == f"n{n}"}
        for n in self.ops:
            for operand in self.graph.nodes[n].operands:
                if operand.node in leaves:
                    uses.setdefault(operand.node, {})[owner[n]] = None
        return {n: list(users) for n, users in uses.items()}

    def _draw(
        self,
        items: Sequence[tuple[int | Section, Section]],
        chips: dict[int, list[str]],
        owner: dict[int, str],
    ) -> tuple[list[Box], set[str]]:
        """Return the boxes, each chip just before its user, and the clusters that they stand in."""
        further: dict[str, list[tuple[int, int]]] = {}
        for n, users in chips.items():
            for use, user in enumerate(users[1:], start=2):
                further.setdefault(user, []).append((n, use))
        given = set(self.given)
        boxes: list[Box] = []
        for item, around in items:
            cluster = self._cluster(around)
            id = f"n{item}" if isinstance(item, int) else self.ids[id_of(item)]
            for n, use in further.get(id, ()):
                boxes.append(self.boxes.chip(self.graph.nodes[n], use, cluster))
            if isinstance(item, Section):
                boxes.append(self.boxes.of_section(item, id, cluster))
                continue
            node = self.graph.nodes[item]
            cut = item in given and not node.is_source
            boxes.append(self.boxes.of_node(node, cluster, "input" if cut else None))
        return boxes, {box.cluster for box in boxes if box.cluster is not None}

    def _cluster(self, section: Section | None) -> str | None:
        """Return the id of the innermost open module around."""
        while section is not None and section.kind != "module":
            section = section.parent
        return None if section is None else self.ids[id(section)]

    def _clusters(self, drawn: set[str]) -> Iterable[Cluster]:
        for section in self.root.sections():
            if section.kind != "module" or not self._opened(section):
                continue
            nodes = [self.graph.nodes[n] for n in section.numbers()]
            badge = self.boxes.badges.get(section.label)
            yield Cluster(
                id=self.ids[id(section)],
                title=visible(self.boxes.title(section, nodes), 80),
                parent=self._cluster(section.parent),
                badges=() if badge is None else (badge,),
                grad_rms=section_grad(nodes),
            )

    def _opened(self, section: Section | None) -> bool:
        while section is not None:
            if not self.is_open(section):
                return False
            section = section.parent
        return True

    def _arrows(self, owner: dict[int, str], chips: dict[int, list[str]]) -> list[Arrow]:
        known = any(x.sent is not None for n in self.ops for x in self.graph.nodes[n].operands)
        places = {(n, user): use for n, users in chips.items() for use, user in enumerate(users, 1)}
        single: list[Arrow] = []
        joined: dict[tuple[str, str], list[tuple[GraphNode, Operand]]] = {}
        for n in self.ops:
            node, target = self.graph.nodes[n], owner[n]
            for slot, operand in enumerate(node.operands):
                if operand.node is None or owner[operand.node] == target:
                    continue
                source = owner[operand.node]
                use = places.get((operand.node, target), 1)
                source = source if use == 1 else f"{source}.use{use}"
                if source.startswith("n") and target == f"n{n}":
                    single.append(_arrow(node, operand, slot, source, target, known))
                else:
                    joined.setdefault((source, target), []).append((node, operand))
        both = [_joined(source, target, uses, known) for (source, target), uses in joined.items()]
        return [*single, *both]

    def _description(self) -> str:
        nodes = self.graph.nodes
        ops = sum(nodes[n].kind == "op" for n in self.ops)
        weights = sum(nodes[n].kind == "leaf" for n in self.given)
        parts = [_plural(ops, "operation"), _plural(weights, "parameter")]
        for n in self.graph.outputs[:1]:
            value = nodes[n].value
            parts.append("" if value is None else f"result {number_text(value)}")
        text = ", ".join(part for part in parts if part)
        return visible(f"{text}; {self.graph.error}" if self.graph.error else text, 300)

    def _caption(self) -> str:
        ops = [self.graph.nodes[n] for n in self.ops]
        parts = [f"{size_text(self.graph.saved_bytes)} saved for backward"]
        if not self.graph.saved_bytes:
            parts = ["saved arrays freed"] if any(node.freed for node in ops) else []
        return "; ".join(parts)


id_of = id  # where a variable is called id


def _plural(n: int, word: str) -> str:
    return f"{n:,} {word}{'' if n == 1 else 's'}"


def _section_ids(sections: Sequence[Section], boxes: Boxes) -> dict[int, str]:
    """Return a name for each section: its module's path, or its number."""
    ids: dict[int, str] = {}
    used: dict[str, int] = {}
    for section in sections:
        if section.kind == "module":
            module = boxes.modules.get(section.label)
            name = f"module:{module.path if module else section.label}"
            used[name] = used.get(name, 0) + 1
            ids[id(section)] = name if used[name] == 1 else f"{name}#{used[name]}"
        else:
            ids[id(section)] = f"fold{section.number}"
    return ids


def _arrow(
    node: GraphNode, operand: Operand, slot: int, source: str, target: str, known: bool
) -> Arrow:
    """Return the arrow of one argument slot."""
    ordered = len(node.operands) > 1 and node.op not in COMMUTATIVE
    return Arrow(
        source,
        target,
        slot,
        slot_name=node.slots[slot] if ordered else "",
        label="" if operand.sent is None else magnitude_text(operand.sent),
        contribution=rms_of([operand.sent]),
        state=_state([operand.sent], known),
        dotted=node.view and slot == 0,
        order=node.order,
    )


def _joined(
    source: str, target: str, uses: Sequence[tuple[GraphNode, Operand]], known: bool
) -> Arrow:
    """Return the arrow of several slots, where a closed section is at one of its ends."""
    sent = [operand.sent for _, operand in uses]
    rms = rms_of(sent)
    return Arrow(
        source,
        target,
        label="" if rms is None else number_text(rms, 3),
        contribution=rms,
        state=_state(sent, known),
        count=len(uses),
        dotted=all(node.view for node, _ in uses),
        order=max(node.order for node, _ in uses),
    )


def _state(sent: Sequence[Statistics | None], known: bool) -> str:
    """Return what is odd about a contribution: none at all, exactly zero, not finite."""
    found = [s for s in sent if s is not None]
    if not found:
        return "none" if known else ""
    if not all(s.finite for s in found):
        return "nonfinite"
    return "zero" if all(s.rms == 0.0 for s in found) else ""
