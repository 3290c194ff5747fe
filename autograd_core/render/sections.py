"""A graph in sections, one inside the other: modules, repeated blocks, stretches of many ops.

Every section is a run of consecutive ops, so that arrows between closed sections never make a
circle. Leaves stand in the innermost section that holds all their uses.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Union

if TYPE_CHECKING:
    from ..graph.data import Graph, GraphNode

MANY = 24  # items that one section shows side by side
WHOLE = 150  # nodes that can be taken in at once, if slowly
ALIKE = 8  # leaves of one kind that go to one op before they count as one
Item = Union["Section", int]  # a section, or the number of a node


@dataclass
class Section:
    """A part of the graph that can be closed: then it is one box."""

    kind: str  # "graph", "module", "repeat", "stretch" or "leaves"
    label: str
    items: list[Item] = field(default_factory=list["Section | int"])
    parent: Section | None = None
    number: int = 0  # in the order of their first ops
    times: int = 1  # of a repeat: how many blocks
    weights: str = ""  # of a repeat: "same" in all blocks, each its "own", or none
    size: int = 0  # ops inside
    rank: tuple[int, int] = (0, 0)  # sections of lower ranks are closed first: the size, and
    # how many sections inside hold all of it

    def numbers(self) -> Iterator[int]:
        """Give the numbers of all nodes inside."""
        waiting: list[Item] = [self]
        while waiting:
            item = waiting.pop()
            if isinstance(item, int):
                yield item
            else:
                waiting.extend(reversed(item.items))

    def sections(self) -> Iterator[Section]:
        """Give all sections inside, outer ones first."""
        waiting: list[Section] = [self]
        while waiting:
            section = waiting.pop()
            yield section
            waiting.extend([x for x in section.items if isinstance(x, Section)][::-1])


def sections_of(
    graph: Graph, ops: Sequence[int], leaves: Sequence[int], stepwise: bool = False
) -> Section:
    """Return nodes in sections: modules, repeats in them, stretches where too many are left.

    Those to be opened step by step leave a graph of few nodes whole but for its modules, and
    take together what is too much in a repeat as well, which a picture closes as a whole.
    """
    from .repeats import Folder

    root = _modules(graph, ops)
    if not (stepwise and len(ops) + len(leaves) <= WHOLE):
        folder = Folder(graph)
        for section in list(root.sections()):
            folder.fold(section)
        for section in list(root.sections()):
            if stepwise or section.kind != "repeat":
                _stretch(section)
    _place_leaves(graph, root, leaves)
    _number(root, set(leaves))
    return root


def _modules(graph: Graph, ops: Sequence[int]) -> Section:
    """Open a section whenever a module begins to run, close it when another one goes on."""
    parents = {module.label: module.parent for module in graph.modules}
    chains: dict[str | None, tuple[str, ...]] = {None: ()}
    root = Section("graph", "")
    open_now = [root]
    order = 0
    for number in ops:
        node = graph.nodes[number]
        chain = chains.get(node.module)
        if chain is None:
            chain = chains[node.module] = _chain(node.module, parents)
        shared = 0
        if node.order == order:
            names = zip(chain, open_now[1:], strict=False)
            for label, section in names:
                if section.label != label:
                    break
                shared += 1
        order = node.order
        del open_now[shared + 1 :]
        for label in chain[shared:]:
            inner = Section("module", label, parent=open_now[-1])
            open_now[-1].items.append(inner)
            open_now.append(inner)
        open_now[-1].items.append(number)
    return root


def _chain(label: str | None, parents: dict[str, str | None]) -> tuple[str, ...]:
    """Return the labels of a module and those that called it, the outermost first."""
    chain: list[str] = []
    while label is not None and label not in chain:
        chain.append(label)
        label = parents.get(label)
    return tuple(chain[::-1])


def _stretch(section: Section) -> None:
    """Where too many items stand side by side, take neighbours together, level by level.

    The blocks of a repeat are kept together.
    """
    unit = len(section.items) // section.times
    while len(section.items) > MANY:
        count = -(-len(section.items) // 16)
        width = -(-len(section.items) // count)
        width, unit = max(-(-width // unit) * unit, 2) if unit <= MANY else width, 1
        groups = [section.items[i : i + width] for i in range(0, len(section.items), width)]
        section.items = [enclosed(section, Section("stretch", ""), group) for group in groups]


def enclosed(parent: Section, section: Section, items: list[Item]) -> Section:
    """Put items into a section within their parent."""
    section.items, section.parent = items, parent
    for item in items:
        if isinstance(item, Section):
            item.parent = section
    return section


def _number(root: Section, leaves: set[int]) -> None:
    sections = list(root.sections())
    for number, section in enumerate(sections):
        section.number = number
    for section in reversed(sections):
        section.size += sum(isinstance(x, int) and x not in leaves for x in section.items)
        inside = [x.rank for x in section.items if isinstance(x, Section)]
        same = [level + 1 for size, level in inside if size == section.size]
        section.rank = section.size, max(same, default=0)
        if section.parent is not None:
            section.parent.size += section.size


def _place_leaves(graph: Graph, root: Section, leaves: Sequence[int]) -> None:
    """Put each leaf before the ops of the innermost section that holds all its uses.

    Many alike that go to the same op make a section of their own.
    """
    home = {n: s for s in root.sections() for n in s.items if isinstance(n, int)}
    users: dict[int, list[int]] = {}
    for n in home:
        for operand in graph.nodes[n].operands:
            if operand.node is not None:
                users.setdefault(operand.node, []).append(n)
    alike: dict[Any, list[int]] = {}
    for n in leaves:
        node = graph.nodes[n]
        single = tuple(dict.fromkeys(users.get(n, ()))) if len(users.get(n, ())) == 1 else n
        alike.setdefault((single, node.kind, node.dtype, node.shape), []).append(n)
    placed: dict[int, tuple[Section, list[Item]]] = {}
    for numbers in alike.values():
        section = _home(graph.nodes[numbers[0]], [home[n] for n in users.get(numbers[0], ())], root)
        found: list[Item] = [*numbers]
        if len(numbers) >= ALIKE:
            found = [enclosed(section, Section("leaves", ""), found)]
        placed.setdefault(id(section), (section, []))[1].extend(found)
    for section, found in placed.values():
        section.items = [*found, *section.items]


def _home(leaf: GraphNode, users: Sequence[Section], root: Section) -> Section:
    """Return the section that a leaf stands in: outside of modules that it was handed to."""
    around = _upwards(_common(users or [root]))
    if not (leaf.label == "Parameter" or leaf.kind == "constant"):
        outer = [i for i, section in enumerate(around) if section.kind == "module"]
        around = around[outer[-1] + 1 :] if outer else around
    # What a repeat begins with is none of its weights, if it has none.
    return next(s for s in around if s.kind != "repeat" or s.weights)


def _common(sections: Sequence[Section]) -> Section:
    """Return the innermost section around all of these."""
    around = _upwards(sections[0])
    for section in {id(s): s for s in sections[1:]}.values():
        others = set(map(id, _upwards(section)))
        around = [s for s in around if id(s) in others]
    return around[0]


def _upwards(section: Section | None) -> list[Section]:
    found: list[Section] = []
    while section is not None:
        found.append(section)
        section = section.parent
    return found
