"""What stands in a box: one node, or everything inside of a closed section."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from textwrap import wrap
from typing import TYPE_CHECKING

from .badges import rms_of
from .quantities import Scale
from .sections import Section
from .view import Box
from .words import not_finite, number_text, size_text, statistics_text, time_text, visible

if TYPE_CHECKING:
    from ..graph.data import Graph, GraphModule, GraphNode
    from ..graph.statistics import Statistics


class Boxes:
    """Makes the boxes of one view."""

    def __init__(
        self, graph: Graph, color_by: str, births: Mapping[int, tuple[str, ...]],
        badges: Mapping[str, str],
    ) -> None:  # fmt: skip
        self.graph = graph
        self.scale = Scale(graph, color_by)
        self.births, self.badges = births, badges
        self.modules: dict[str, GraphModule] = {m.label: m for m in graph.modules}

    def of_node(self, node: GraphNode, cluster: str | None, kind: str | None = None) -> Box:
        """Return the box of one node."""
        leaf = node.is_source
        title = node.label if node.kind != "input" else "input"
        if node.name:
            title = node.name if leaf else f"{node.name}: {node.label}"
        grad = rms_of([node.grads])
        return Box(
            id=f"n{node.number}",
            kind=kind or node.kind,
            op=node.op,
            title=visible(title, 60),
            lines=tuple(visible(line, 120) for line in self._lines(node)),
            cluster=cluster,
            node=node.number,
            name=None if node.name is None else visible(node.name),
            shape=" ".join(str(list(shape)) for shape in node.shapes),
            dtype=node.dtype,
            value="" if node.value is None else number_text(node.value),
            grad_rms=grad,
            level=self.scale.level([node], grad),
            group=self._group(node),
            heat=_heat(node.values),
            badges=self.births.get(node.number, ()),
            saved_bytes=node.saved_bytes or None,
            freed=node.freed,
            order=node.order,
            tooltip=visible(_tooltip(node), 300),
        )

    def _lines(self, node: GraphNode) -> list[str]:
        if node.kind == "error":
            shapes = [self._operand_type(x.node, x.text) for x in node.operands]
            where = [f"at {node.line}"] if node.line else []
            got = [f"got {', '.join(shapes)}"] if shapes else []
            return [*got, *wrap(visible(node.error, 240), 36), *where]
        pairs = zip(node.slots, node.operands, strict=True)
        lines = [f"{slot} = {x.text}" for slot, x in pairs if x.node is None]
        lines.append(node.type_text)
        if node.values is not None:
            word = "value " if node.value is not None else ""
            text = word + statistics_text(node.values, 3 if not word else 4)
            lines += text.replace("] mean", "]\nmean").split("\n")
        if node.grad is not None:
            lines.append(f"grad {number_text(node.grad)}")
        elif node.grads is not None:
            lines.append(f"grad {_spread(node.grads)}")
        if self.scale.color_by in ("time", "roofline") and node.seconds is not None:
            lines.append(_times(node.seconds, node.backward_seconds))
        return lines

    def _operand_type(self, number: int | None, text: str) -> str:
        return text if number is None else self.graph.nodes[number].type_text

    def _group(self, node: GraphNode) -> str | None:
        if self.scale.color_by == "op":
            return node.op
        return node.module if self.scale.color_by == "module" else None

    def chip(self, node: GraphNode, use: int, cluster: str | None) -> Box:
        """Return the box of a further use of a leaf."""
        first = self.of_node(node, cluster, "alias")
        return Box(
            id=f"n{node.number}.use{use}",
            kind="alias",
            op=node.op,
            title=first.title,
            cluster=cluster,
            node=node.number,
            name=first.name,
            shape=first.shape,
            dtype=first.dtype,
            grad_rms=first.grad_rms,
            level=first.level,
            group=first.group,
        )

    def of_section(self, section: Section, id: str, cluster: str | None) -> Box:
        """Return the box of a closed section."""
        nodes = [self.graph.nodes[n] for n in section.numbers()]
        ops = [node for node in nodes if not node.is_source]
        module = self.modules.get(section.label)
        grad = section_grad(nodes)
        counted = f"{section.size:,} ops" if section.size > 1 else ""
        return Box(
            id=id,
            kind="module" if section.kind == "module" else "fold",
            op=module.type if module else section.kind,
            title=visible(self.title(section, nodes), 60),
            name=visible(section.label) if module else None,
            lines=tuple(self._sums(nodes, ops, counted)),
            cluster=cluster,
            shape=ops[-1].type_text if ops else nodes[0].type_text,
            grad_rms=grad,
            level=self.scale.level(nodes, grad),
            group=self._section_group(section, ops),
            badges=self._badges(section, nodes),
            saved_bytes=sum((node.saved_bytes or 0) - node.shared_bytes for node in ops) or None,
            freed=any(node.freed for node in ops),
            order=max((node.order for node in ops), default=0),
            tooltip=visible(_counts(ops), 300),
            stack=section.kind != "module" or section.size > 1,
        )

    def title(self, section: Section, nodes: list[GraphNode]) -> str:
        """Return what a section is called where it stands; a module, as its caller calls it."""
        module = self.modules.get(section.label)
        if module is not None and module.parent in self.modules:
            before = self.modules[module.parent].path + "."
            return section.label.removeprefix(before)
        if section.kind in ("module", "repeat"):
            return section.label
        if section.kind == "leaves":
            return f"{len(nodes)} times {nodes[0].label}"
        numbers = sorted(node.number for node in nodes)
        return f"%{numbers[0]} to %{numbers[-1]}"

    def _section_group(self, section: Section, ops: list[GraphNode]) -> str | None:
        if self.scale.color_by == "module":
            return section.label if section.kind == "module" else ops[0].module if ops else None
        return section.kind if self.scale.color_by == "op" else None

    def _sums(self, nodes: list[GraphNode], ops: list[GraphNode], counted: str) -> list[str]:
        lines = [counted] if counted else []
        weights = sum(_elements(node) for node in nodes if node.kind == "leaf")
        if weights:
            lines.append(f"{weights:,} parameter{'s' * (weights > 1)}")
        lines.append(ops[-1].type_text if ops else nodes[0].type_text)
        grad = section_grad(nodes)
        if grad is not None:
            lines.append(f"grad rms {number_text(grad, 3)}")
        if self.scale.color_by in ("time", "roofline"):
            back = [node.backward_seconds for node in ops if node.backward_seconds is not None]
            lines.append(_times(sum(n.seconds or 0.0 for n in ops), sum(back) if back else None))
        return lines

    def _badges(self, section: Section, nodes: list[GraphNode]) -> tuple[str, ...]:
        found: list[str] = []
        if section.kind == "repeat":
            alike = f"{section.times} layers like this"
            same = f"x{section.times} same weights"
            found.append({"same": same, "own": alike}.get(section.weights, f"x{section.times}"))
        inside = [self.badges[s.label] for s in section.sections() if s.label in self.badges]
        if section.kind == "module" and section.label in self.badges:
            inside = [self.badges[section.label]]
        words = Counter(badge.split()[0] for badge in inside)
        if section.label in self.badges:
            found += inside
        else:
            found += [f"{word} in {n} inside" for word, n in words.items()]
        found += [badge for node in nodes for badge in self.births.get(node.number, ())]
        return tuple(dict.fromkeys(found))


def section_grad(nodes: list[GraphNode]) -> float | None:
    """Return the RMS of the gradient of the parameters inside; without any, of the results."""
    leaves = [node.grads for node in nodes if node.kind == "leaf"]
    return rms_of(leaves if any(leaves) else [node.grads for node in nodes])


def _elements(node: GraphNode) -> int:
    size = 1
    for n in node.shape:
        size *= n
    return size


def _spread(s: Statistics) -> str:
    """Return `rms 0.5 nan 2`: short, so that what is not finite is never cut off."""
    known = [] if s.rms is None else [f"rms {number_text(s.rms, 3)}"]
    return " ".join(known + not_finite(s)) or "nothing"


def _heat(s: Statistics | None) -> tuple[float, ...]:
    if s is None or s.size < 2:
        return ()
    return tuple(float("nan") if x is None else x for x in s.heat)


def _times(forward: float, backward: float | None) -> str:
    text = f"forward {time_text(forward)}"
    return text if backward is None else f"{text}, backward {time_text(backward)}"


def _tooltip(node: GraphNode) -> str:
    parts = [node.line, node.module]
    if node.saved_bytes:
        parts.append(f"saves {size_text(node.saved_bytes)}")
    if node.flops:
        parts.append(f"{node.flops:,} flops")
    return "; ".join(part for part in parts if part)


def _counts(ops: list[GraphNode]) -> str:
    counts = Counter(node.op for node in ops).most_common(8)
    return ", ".join(f"{n} {op}" if n > 1 else op for op, n in counts)
