"""A graph as a numbered listing, one line for each node."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ..op import REGISTRY
from .words import escaped, magnitude_text, quoted, statistics_text

if TYPE_CHECKING:
    from ..graph import Graph, GraphNode, Operand


def graph_text(
    graph: Graph,
    *,
    width: int | None = None,
    ascii: bool = False,
    color: bool = False,
    times: bool = False,
) -> str:
    """Return lines such as `%7 = mul(%3, %5)  f64[32, 10]  val 0.31  in Sequential.0 (Linear)`.

    Times differ from run to run, so they are written only when asked for.
    """
    rows = [(_statement(node, ascii), _facts(node, ascii, times)) for node in graph.nodes]
    column = min(60, max((len(left) for left, _ in rows), default=0))
    lines = [f"{left:<{column}}  {right}".rstrip() for left, right in rows]
    if width is not None:
        more = ".." if ascii else "\N{HORIZONTAL ELLIPSIS}"
        lines = [x if len(x) <= width else x[: width - len(more)] + more for x in lines]
    if color and not os.environ.get("NO_COLOR"):
        lines = [_colored(line, node) for line, node in zip(lines, graph.nodes, strict=True)]
    return "\n".join([*lines, *_end(graph, ascii), ""])


def _end(graph: Graph, ascii: bool) -> list[str]:
    """Return what the graph is as a whole: results, modules, totals."""
    lines = ["return " + ", ".join(f"%{n}" for n in graph.outputs)]
    if graph.error:
        lines.append(f"failed {quoted(graph.error, ascii)}")
    for module in graph.modules:
        inside = f" in {quoted(module.parent, ascii)}" if module.parent else ""
        names = [quoted(x, ascii) for x in (module.label, module.path, module.type)]
        lines.append(f"module {'  '.join(names)}{inside}")
    ops = sum(node.kind == "op" for node in graph.nodes)
    total = f"# {ops} ops, {len(graph.nodes) - ops} leaves and inputs, "
    return [*lines, f"{total}{graph.saved_bytes:,} bytes saved"]


def _statement(node: GraphNode, ascii: bool) -> str:
    if node.is_source:
        made = "" if node.label == "Tensor" else f"({quoted(node.label, ascii)})"
        name = "" if node.name is None else " " + quoted(node.name, ascii)
        return f"%{node.number} = {node.op}{made}{name}"
    usual = node.label == known_label(node.op) or node.kind == "error"
    label = "" if usual else f'"{escaped(node.label, ascii)}"'
    slots = known_slots(node.op, len(node.operands))
    operands = ", ".join(
        [
            operand_text(x) if slot == known else f"{slot}={operand_text(x)}"
            for x, slot, known in zip(node.operands, node.slots, slots, strict=True)
        ]
    )
    failed = "failed " if node.kind == "error" else ""
    return f"%{node.number} = {failed}{quoted(node.op, ascii)}{label}({operands})"


def known_label(op: str) -> str:
    """Return the label of an op that needs no parameters to say it."""
    rule = getattr(REGISTRY.get(op), "label_rule", None)
    return rule if isinstance(rule, str) else op


def known_slots(op: str, count: int) -> tuple[str | None, ...]:
    """Return the names of an op's first operands; None where it is not in the registry."""
    known = REGISTRY.get(op)
    if known is None:
        return (None,) * count
    if known.variadic:
        return tuple(f"{known.arrays[0]}[{i}]" for i in range(count))
    return known.arrays[:count]


def operand_text(operand: Operand) -> str:
    """Return %3, %3.1 for one of several results, or the constant itself."""
    if operand.node is None:
        return operand.text
    return f"%{operand.node}" + ("" if operand.part is None else f".{operand.part}")


def _facts(node: GraphNode, ascii: bool, times: bool) -> str:
    facts = [] if node.kind == "error" else [node.type_text]
    if node.values is not None:
        facts.append(f"val {statistics_text(node.values)}")
    if node.grads is not None:
        facts.append(f"grad {statistics_text(node.grads)}")
    if any([x.sent is not None for x in node.operands]):
        sent = [x.sent and magnitude_text(x.sent) for x in node.operands]
        facts.append(f"sends {', '.join(x or '-' for x in sent)}")
    if node.saved_bytes:
        shared = f", {node.shared_bytes:,} shared" if node.shared_bytes else ""
        facts.append(f"saves {node.saved_bytes:,} B{shared}")
    elif node.freed:
        facts.append("freed")
    if node.order:
        facts.append(f"order {node.order}")
    if node.flops:
        facts.append(f"{node.flops:,} flops")
    if times:
        pairs = (("took", node.seconds), ("back", node.backward_seconds))
        facts += [f"{word} {x:.3g} s" for word, x in pairs if x is not None]
    if node.kind == "op" and node.name is not None:
        facts.append(f"named {quoted(node.name, ascii)}")
    if node.module is not None:
        facts.append(f"in {quoted(node.module, ascii)}")
    if node.line is not None:
        facts.append(f"at {quoted(node.line, ascii)}")
    if node.error:
        facts.append(f"error {quoted(node.error, ascii)}")
    return "  ".join(facts)


def _colored(line: str, node: GraphNode) -> str:
    """Dim the facts; red for what failed, magenta for what is not finite."""
    statement, gap, facts = line.partition("  ")
    bad = any(s is not None and not s.finite for s in (node.values, node.grads))
    code = "31" if node.kind == "error" else "35" if bad else "1"
    return f"\x1b[{code}m{statement}\x1b[0m{gap}\x1b[2m{facts}\x1b[0m"
