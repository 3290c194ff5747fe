"""A small graph as lines of text with rails between them, results first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import GraphError
from .words import magnitude_text, quoted

if TYPE_CHECKING:
    from ..graph.data import Graph, GraphNode

OPS, COLUMNS = 60, 100


def graph_tree(graph: Graph, *, ascii: bool = False) -> str:
    """Return one line for each op; a rail leads from it down to each op whose result it uses.

    Leaves stand by name in the line of the op that uses them.
    """
    ops = [node for node in graph.nodes if not node.is_source]
    if len(ops) > OPS:
        raise GraphError(
            f"to_tree: this graph has {len(ops):,} ops, and a tree is readable up to {OPS}: "
            "use to_text(), or to_svg(), which closes what it need not show"
        )
    known = {node.number for node in ops}
    rails: list[int] = []  # the number that each rail leads to
    lines: list[str] = []
    pen = _Pen(ascii, narrow=_most_rails(graph, ops) > 20)
    for node in reversed(ops):
        columns = [i for i, n in enumerate(rails) if n == node.number]
        if len(columns) > 1:
            lines.append(pen.join(len(rails), columns))
            rails = [n for i, n in enumerate(rails) if i not in columns[1:]]
        if not columns:
            columns = [len(rails)]
            rails.append(node.number)
        at = columns[0]
        lines.append(pen.node(len(rails), at) + " " + _said(graph, node, ascii))
        operands = [x.node for x in node.operands if x.node is not None]
        sources = [n for n in dict.fromkeys(operands) if n in known]
        below = [n for n in sources if n not in rails]
        joins = [rails.index(n) for n in sources if n in rails]
        lines += pen.turn(len(rails), at, len(below), joins)
        rails[at : at + 1] = below
    return "\n".join([line.rstrip()[:COLUMNS] for line in lines] + [""])


def _most_rails(graph: Graph, ops: list[GraphNode]) -> int:
    """Return how many rails run side by side at most."""
    waiting: set[int] = set()
    most = 0
    for node in reversed(ops):
        waiting.discard(node.number)
        waiting |= {x.node for x in node.operands if x.node is not None}
        waiting -= {n for n in waiting if not graph.nodes[n].operands}
        most = max(most, len(waiting))
    return most


def _said(graph: Graph, node: GraphNode, ascii: bool) -> str:
    operands: list[str] = []
    for operand in node.operands:
        if operand.node is None:
            operands.append(operand.text)
        else:
            source = graph.nodes[operand.node]
            leaf = source.is_source
            operands.append(_name(source, ascii) if leaf else f"%{operand.node}")
    parts = [f"%{node.number} {quoted(node.op, ascii)}({', '.join(operands)})", node.type_text]
    if node.value is not None and node.values is not None:
        parts.append(f"= {magnitude_text(node.values)}")
    if node.grads is not None:
        parts.append(f"grad {magnitude_text(node.grads)}")
    if node.error:
        parts.append(f"failed: {quoted(node.error, ascii)}")
    return "  ".join(parts)


def _name(node: GraphNode, ascii: bool) -> str:
    return quoted(node.name[:30], ascii) if node.name else f"{node.kind} {node.type_text}"


class _Pen:
    """Draws the rails of one line; `narrow` leaves no gap between them."""

    def __init__(self, ascii: bool, narrow: bool) -> None:
        self.gap = "" if narrow else " "
        self.line = "" if narrow else ("-" if ascii else "─")
        signs = "o|+++++-" if ascii else "●│├┤┬┴┐─"
        self.dot, self.rail, self.right, self.left, self.down, self.up, self.last, self.flat = signs
        self.cross, self.end = ("+", "+") if ascii else ("┼", "┘")

    def node(self, rails: int, at: int) -> str:
        """A node on one of the rails."""
        return self.gap.join([self.dot if i == at else self.rail for i in range(rails)])

    def join(self, rails: int, columns: list[int]) -> str:
        """Several rails that lead to one node run together in the first of them."""
        return self._level(rails, columns[0], {c: self.up for c in columns}, columns[-1], self.end)

    def turn(self, rails: int, at: int, below: int, joins: list[int]) -> list[str]:
        """The lines below a node: to rails that are there already, and to new ones beside it."""
        lines: list[str] = []
        for to in joins:
            low, high = sorted((at, to))
            signs = {
                at: self.right if at < to else self.left,
                to: self.left if at < to else self.right,
            }
            lines.append(self._row(rails, low, high, signs))
        if below == 0:
            return lines
        if below > 1:
            widened = rails + below - 1
            signs = {at + k: self.down for k in range(1, below)}
            signs |= {at: self.right, at + below - 1: self.last}
            lines.append(self._row(widened, at, at + below - 1, signs))
        return lines

    def _level(self, rails: int, first: int, signs: dict[int, str], last: int, end: str) -> str:
        return self._row(rails, first, last, signs | {first: self.right, last: end})

    def _row(self, rails: int, low: int, high: int, signs: dict[int, str]) -> str:
        row = ""
        for i in range(rails):
            inside = low < i < high
            row += signs.get(i, self.cross if inside else self.rail)
            row += self.line if low <= i < high else self.gap
        return row
