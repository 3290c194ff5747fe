"""A graph in the DOT language, for Graphviz and whatever else reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .text import shape_text

if TYPE_CHECKING:
    from ..graph import Graph, GraphNode

_STYLES = {
    "op": 'shape=box style="rounded,filled" fillcolor="#e8eef7"',
    "leaf": 'shape=box style=filled fillcolor="#fbe9c6"',
    "input": 'shape=box style="filled,dashed" fillcolor="#f0f0f0"',
}


def graph_dot(graph: Graph) -> str:
    """Return the graph as DOT: one box for each node, one arrow for each operand."""
    lines = [
        "digraph {",
        "  rankdir=TB",
        '  node [fontname="Helvetica" fontsize=11]',
        '  edge [fontname="Helvetica" fontsize=9]',
    ]
    for node in graph.nodes:
        lines.append(f"  n{node.number} [label={quoted(_label(node))} {_STYLES[node.kind]}]")
    for node in graph.nodes:
        ordered = len(set(node.operands)) > 1 and node.label not in ("+", "*")
        for slot, operand in zip(node.slots, node.operands, strict=False):
            if operand.node is not None:
                label = f" [label={quoted(slot)}]" if ordered else ""
                lines.append(f"  n{operand.node} -> n{node.number}{label}")
    return "\n".join([*lines, "}", ""])


def _label(node: GraphNode) -> str:
    constants = [
        f"{slot} = {operand.text}"
        for slot, operand in zip(node.slots, node.operands, strict=False)
        if operand.node is None
    ]
    title = node.name or ""
    head = f"{title}: {node.label}" if title and node.kind == "op" else title or node.label
    lines = [head, *constants, shape_text(node)]
    if node.value is not None:
        lines.append(f"{node.value:.4g}")
    if node.grad is not None:
        lines.append(f"grad {node.grad:.4g}")
    if node.module and node.kind == "op":
        lines.append(node.module)
    return "\n".join(lines)


def quoted(text: str) -> str:
    """Return text as a DOT string; nothing in it can end the string or act as markup."""
    clean = "".join(c if c >= " " or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in text)
    escaped = clean.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
