"""What differs between two graphs: ops added, removed, and changed in shape, wiring or value.

Ops are matched within a module, in the order they ran; leaves by their names, or by the slot of a
matched op that they go to.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cached_property
from typing import NamedTuple

from .data import Graph, GraphNode, Operand
from .statistics import Statistics

LONGEST = 2_000  # ops of one module that are matched with the fewest changes


class Change(NamedTuple):
    """One difference; `before` and `after` are numbers of nodes, None where there is none."""

    kind: str  # "added", "removed" or "changed"
    before: int | None
    after: int | None
    text: str


@dataclass(frozen=True)
class Difference:
    """The changes from one graph to another, in the order of the nodes; none: it is false."""

    before: Graph
    after: Graph
    changes: tuple[Change, ...]

    def __bool__(self) -> bool:
        return bool(self.changes)

    def __len__(self) -> int:
        return len(self.changes)

    def to_text(self) -> str:
        """One line for each change: `~ %7 mul: shape f32[4], was f32[2]`."""
        signs = {"added": "+", "removed": "-", "changed": "~"}
        lines = [f"{signs[c.kind]} {c.text}" for c in self.changes]
        return "\n".join([*lines, f"# {self.summary}", ""])

    @property
    def summary(self) -> str:
        """How many nodes were added, removed and changed."""
        kinds = [change.kind for change in self.changes]
        return ", ".join(f"{kinds.count(kind)} {kind}" for kind in ("added", "removed", "changed"))

    def mark(self, after: int) -> str:
        """Return what is said of a node of the later graph; "" where nothing changed."""
        change = self._by_node.get(after)
        if change is None:
            return ""
        return "+ added" if change.kind == "added" else f"~ {change.text.partition(': ')[2]}"

    def removed_lines(self) -> list[str]:
        """Return what is said of the nodes that only the earlier graph has."""
        return [f"- {change.text}" for change in self.changes if change.kind == "removed"]

    @cached_property
    def _by_node(self) -> dict[int, Change]:
        return {c.after: c for c in self.changes if c.after is not None}

    def __str__(self) -> str:
        return self.to_text()


def graph_diff(before: Graph, after: Graph, tolerance: float = 1e-6) -> Difference:
    """Compare two graphs; numbers differ if they do so by more than `tolerance` of their RMS."""
    for name, graph in (("before", before), ("after", after)):
        if not isinstance(graph, Graph):
            raise TypeError(f"graph_diff got {name} of type {type(graph).__name__}, not a Graph")
    if not tolerance >= 0.0:
        raise ValueError(f"graph_diff got tolerance {tolerance}; it must be at least 0")
    return Difference(before, after, tuple(_Comparison(before, after, tolerance).changes()))


class _Comparison:
    def __init__(self, before: Graph, after: Graph, tolerance: float) -> None:
        self.before, self.after, self.tolerance = before.nodes, after.nodes, tolerance
        self.match: dict[int, int] = {}  # from after to before
        self._match_ops()
        self._match_sources()
        self.kept = set(self.match.values())

    def _match_ops(self) -> None:
        groups = [_by_module(self.before), _by_module(self.after)]
        for key in [key for key in groups[1] if key in groups[0]]:
            old, new = groups[0][key], groups[1][key]
            names = [[n.op for n in old], [n.op for n in new]]
            for i, j in _common(*names):
                self.match[new[j].number] = old[i].number

    def _match_sources(self) -> None:
        """Match what no op made by its name, where that is told once, else by its use or looks."""
        named = [_by_name(self.before), _by_name(self.after)]
        taken: set[int] = set()
        for key in [key for key in named[1] if key in named[0]]:
            self.match[named[1][key]] = named[0][key]
            taken.add(named[0][key])
        for after, before in sorted(self.match.items()):
            pairs = zip(self.after[after].operands, self.before[before].operands, strict=False)
            for new, old in pairs:
                if new.node is None or old.node is None or new.node in self.match:
                    continue
                sources = self.after[new.node].is_source and self.before[old.node].is_source
                if sources and old.node not in taken:
                    self.match[new.node] = old.node
                    taken.add(old.node)
        left = [_by_looks(self.before, taken), _by_looks(self.after, set(self.match))]
        for looks in [looks for looks in left[1] if looks in left[0]]:
            self.match.update(zip(left[1][looks], left[0][looks], strict=False))

    def changes(self) -> Iterator[Change]:
        gone = [node for node in self.before if node.number not in self.kept]
        for node in self.after:
            old = self.match.get(node.number)
            while gone and gone[0].number <= (node.number if old is None else old):
                yield _removed(gone.pop(0))
            if old is None:
                yield Change("added", None, node.number, _said(node))
                continue
            what = "; ".join(self._differences(self.before[old], node))
            if what:
                yield Change("changed", old, node.number, f"{_said(node)}: {what}")
        yield from map(_removed, gone)

    def _differences(self, old: GraphNode, new: GraphNode) -> Iterator[str]:
        if (old.shape, old.dtype) != (new.shape, new.dtype):
            yield f"{new.type_text}, was {old.type_text}"
        if old.label != new.label:
            yield f"{new.label}, was {old.label}"
        if old.kind != new.kind:
            yield f"{new.kind}, was {old.kind}"
        if old.name != new.name:
            yield f"named {new.name}, was {old.name}"
        yield from self._rewired(old, new)
        for word, a, b in (("value", old.values, new.values), ("grad", old.grads, new.grads)):
            if a is not None and b is not None and self._differ(a, b):
                now, then = _short(b), _short(a)
                # Of arrays only the RMS is told, which may well be the same.
                yield f"{word} {now}, was {then}" if now != then else f"{word} differs, still {now}"

    def _rewired(self, old: GraphNode, new: GraphNode) -> Iterator[str]:
        """Tell operands that come from elsewhere; not those from what was added or removed."""
        if len(old.operands) != len(new.operands):
            yield f"{len(new.operands)} operands, was {len(old.operands)}"
            return
        for slot, a, b in zip(new.slots, old.operands, new.operands, strict=True):
            if a.node is None or b.node is None:
                same = (a.node, a.text) == (b.node, b.text)
            else:
                new_ends = b.node not in self.match or a.node not in self.kept
                same = new_ends or (self.match[b.node], b.part) == (a.node, a.part)
            if not same:
                yield f"{slot} is {_operand(b, self.after)}, was {_operand(a, self.before)}"

    def _differ(self, a: Statistics, b: Statistics) -> bool:
        if (a.size, a.nans, a.infs) != (b.size, b.nans, b.infs):
            return True
        bound = self.tolerance * max(a.rms or 0.0, b.rms or 0.0)
        pairs = [(a.min, b.min), (a.mean, b.mean), (a.max, b.max), (a.rms, b.rms)]
        pairs += zip(a.heat, b.heat, strict=True)
        return any(not _near(x, y, bound) for x, y in pairs)


def _near(x: float | None, y: float | None, bound: float) -> bool:
    # The first for infinities, whose difference is not a number.
    return x == y or (x is not None and y is not None and abs(x - y) <= bound)


def _by_module(nodes: Sequence[GraphNode]) -> dict[tuple[str | None, int], list[GraphNode]]:
    groups: dict[tuple[str | None, int], list[GraphNode]] = {}
    for node in nodes:
        if not node.is_source:
            groups.setdefault((node.module, node.order), []).append(node)
    return groups


def _by_name(nodes: Sequence[GraphNode]) -> dict[str, int]:
    found: dict[str, list[int]] = {}
    for node in nodes:
        if node.is_source and node.name is not None:
            found.setdefault(node.name, []).append(node.number)
    return {name: numbers[0] for name, numbers in found.items() if len(numbers) == 1}


def _by_looks(nodes: Sequence[GraphNode], matched: set[int]) -> dict[tuple[str, ...], list[int]]:
    found: dict[tuple[str, ...], list[int]] = {}
    for node in nodes:
        if node.is_source and node.number not in matched:
            looks = node.kind, node.name or "", node.type_text
            found.setdefault(looks, []).append(node.number)
    return found


def _common(a: Sequence[str], b: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Give the places of what two sequences have in common, in order."""
    shorter = min(len(a), len(b))
    start = next((i for i in range(shorter) if a[i] != b[i]), shorter)
    end = next((i for i in range(shorter - start) if a[-1 - i] != b[-1 - i]), shorter - start)
    yield from zip(range(start), range(start), strict=True)
    inner_a, inner_b = a[start : len(a) - end], b[start : len(b) - end]
    if max(len(inner_a), len(inner_b)) <= LONGEST:
        for block in SequenceMatcher(None, inner_a, inner_b, autojunk=False).get_matching_blocks():
            yield from ((start + block.a + k, start + block.b + k) for k in range(block.size))
    else:
        pairs = enumerate(zip(inner_a, inner_b, strict=False))
        yield from ((start + i, start + i) for i, (x, y) in pairs if x == y)
    yield from ((len(a) - k, len(b) - k) for k in range(end, 0, -1))


def _removed(node: GraphNode) -> Change:
    return Change("removed", node.number, None, _said(node))


def _said(node: GraphNode) -> str:
    name = f" {node.name}" if node.name else ""
    where = f" in {node.module}" if node.module else ""
    return f"%{node.number} {node.op}{name}{where}"


def _operand(x: Operand, nodes: Sequence[GraphNode]) -> str:
    return x.text if x.node is None else f"%{x.node} {nodes[x.node].name or nodes[x.node].op}"


def _short(s: Statistics) -> str:
    if s.size == 1:
        return repr(s.item)
    parts = [f"rms {s.rms:.6g}"] if s.rms is not None else []
    return " ".join([*parts, *[f"{k} {n}" for k, n in (("nan", s.nans), ("inf", s.infs)) if n]])
