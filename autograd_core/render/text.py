"""A graph as a numbered listing, one line for each node."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..graph import type_text

if TYPE_CHECKING:
    from ..graph import Graph, GraphNode, Operand


def graph_text(graph: Graph) -> str:
    """Return lines such as `%7 = mul(%3, %5)  f64[32, 10]  val 0.31  Sequential.0 (Linear)`."""
    rows = [(_statement(node), _facts(node)) for node in graph.nodes]
    width = min(60, max((len(left) for left, _ in rows), default=0))
    lines = [f"{left:<{width}}  {right}".rstrip() for left, right in rows]
    outputs = ", ".join(f"%{n}" for n in graph.outputs)
    ops = sum(node.kind == "op" for node in graph.nodes)
    total = f"# {ops} ops, {len(graph.nodes) - ops} leaves and inputs, "
    return "\n".join([*lines, f"return {outputs}", f"{total}{graph.saved_bytes:,} bytes saved", ""])


def _statement(node: GraphNode) -> str:
    if node.kind != "op":
        return f"%{node.number} = {node.op} {node.name or ''}".rstrip()
    operands = ", ".join(map(operand_text, node.operands))
    shown = node.op if node.label in (node.op, "+", "-", "*", "/", "**", "@") else node.label
    name = f"  # {node.name}" if node.name else ""
    return f"%{node.number} = {shown}({operands}){name}"


def operand_text(operand: Operand) -> str:
    """Return %3, %3.1 for one of several results, or the constant itself."""
    if operand.node is None:
        return operand.text
    return f"%{operand.node}" + ("" if operand.part is None else f".{operand.part}")


def shape_text(node: GraphNode) -> str:
    """Return the type of the result, or of each of several, as f32[64, 10]."""
    shapes: Any = node.shape
    if shapes and isinstance(shapes[0], tuple):
        return " ".join(map(type_text, node.dtype.split(", "), shapes))
    return type_text(node.dtype, shapes)


def _facts(node: GraphNode) -> str:
    facts = [shape_text(node)]
    if node.value is not None:
        facts.append(f"val {node.value:.4g}")
    if node.grad is not None:
        facts.append(f"grad {node.grad:.4g}")
    if node.saved_bytes:
        facts.append(f"saves {node.saved_bytes:,} B")
    elif node.saved_bytes is None and node.kind == "op":
        facts.append("freed")
    facts += [x for x in (node.module, node.line) if x]
    return "  ".join(facts)
