"""Repeated blocks: the same ops several times in a row, each block fed by the one before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .sections import Item, Section, enclosed

if TYPE_CHECKING:
    from ..graph.data import Graph

LONGEST = 48  # items of a block
TIMES = 3  # blocks before they are taken together

Pattern = list[Any]


class Folder:
    """Finds repeats among the items of sections."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.types = {module.label: module.type for module in graph.modules}
        self._kinds: dict[Any, int] = {}  # what an item looks like -> a number for it

    def fold(self, section: Section) -> None:
        """Put each repeat among the items of a section into a section of its own."""
        kinds = np.array([self._kind(item) for item in section.items], dtype=np.int64)
        items: list[Item] = []
        at = 0
        for start, period, times in _runs(kinds):
            if start < at:
                continue
            starts = range(start, start + times * period, period)
            blocks = [section.items[i : i + period] for i in starts]
            times, weights = self._alike(blocks)
            if times < TIMES:
                continue
            items += section.items[at:start]
            at = start + times * period
            found = Section("repeat", self._title(blocks[0]), times=times, weights=weights)
            items.append(enclosed(section, found, section.items[start:at]))
        section.items = items + section.items[at:]

    def _kind(self, item: Item) -> int:
        """Return the same number for items that look the same, whatever they are called."""
        if isinstance(item, Section):
            look: Any = (self.types.get(item.label), *map(self._kind, item.items))
        else:
            node = self.graph.nodes[item]
            look = (node.op, node.dtype, node.shape, node.slots, node.kind, node.order)
        return self._kinds.setdefault(look, len(self._kinds))

    def _title(self, block: list[Item]) -> str:
        names = [
            self.types.get(x.label, x.label) if isinstance(x, Section) else self.graph.nodes[x].op
            for x in block
        ]
        shown = names if len(names) <= 4 else [*names[:3], "..."]
        return ", ".join(shown)

    def _alike(self, blocks: list[list[Item]]) -> tuple[int, str]:
        """Return how many blocks from the first on are wired alike, and whose weights they use."""
        numbers = [[n for item in block for n in _numbers(item)] for block in blocks]
        place = {n: (j, k) for j, block in enumerate(numbers) for k, n in enumerate(block)}
        patterns = [self._pattern(block, j, place) for j, block in enumerate(numbers)]
        if len(blocks) < 2 or any(
            (a[0] == "in" or b[0] == "in") and a != b for a, b in _pairs(patterns[0], patterns[1])
        ):
            return 1, ""
        times = 2
        while times < len(blocks) and patterns[times] == patterns[1]:
            times += 1
        return times, self._weights(numbers[:times])

    def _pattern(self, block: list[int], j: int, place: dict[int, tuple[int, int]]) -> Pattern:
        """Tell for each operand in a block where it comes from, seen from the block."""
        pattern: Pattern = []
        for n in block:
            for operand in self.graph.nodes[n].operands:
                where, k = place.get(-1 if operand.node is None else operand.node, (-1, 0))
                names = {j: "in", j - 1: "before"}
                known = where >= 0 and where in names
                pattern.append((names[where], k, operand.part) if known else ("outside",))
        return pattern

    def _weights(self, numbers: list[list[int]]) -> str:
        used = [self._leaves(block) for block in numbers]
        if not all(used):
            return ""
        if all(leaves == used[0] for leaves in used):
            return "same"
        return "own" if len(set().union(*used)) == sum(map(len, used)) else ""

    def _leaves(self, block: list[int]) -> set[int]:
        nodes = self.graph.nodes
        operands = [x.node for n in block for x in nodes[n].operands if x.node is not None]
        return {n for n in operands if nodes[n].kind == "leaf"}


def _numbers(item: Item) -> list[int]:
    return [item] if isinstance(item, int) else list(item.numbers())


def _pairs(a: Pattern, b: Pattern) -> list[tuple[Any, Any]]:
    return list(zip(a, b, strict=True))


def _runs(kinds: Any) -> list[tuple[int, int, int]]:
    """Return (start, period, times) of runs that do not overlap, as they come.

    The run that covers most is taken first, of equals the one with the shortest period.
    """
    found: list[tuple[int, int, int]] = []
    for period in range(1, min(LONGEST, len(kinds) // TIMES) + 1):
        same = np.concatenate([[0], kinds[period:] == kinds[:-period], [0]]).astype(np.int8)
        edges = np.flatnonzero(np.diff(same))
        for start, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
            times = (end - start) // period + 1
            if times >= TIMES and times * period > TIMES:
                found.append((start, period, times))
    taken = np.zeros(len(kinds), bool)
    chosen: list[tuple[int, int, int]] = []
    for start, period, times in sorted(found, key=lambda r: (-r[1] * r[2], r[1], r[0])):
        covered = slice(start, start + period * times)
        if not taken[covered].any():
            taken[covered] = True
            chosen.append((start, period, times))
    return sorted(chosen)
