"""Turning recorded nodes into plain data."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..engine import history
from ..observe import ObservedNode
from ..op import PART
from ..recording import NOTHING, Node, Number, Traced, edge
from ..saved import saved_arrays
from .data import Graph, GraphNode, Operand, type_text
from .flow import Flow, NumberFlow, whole
from .scopes import ModuleTable, outermost
from .statistics import Statistics, of_array, of_number


class Builder:
    """Numbers what the outputs depend on, in the order of the clock."""

    def __init__(
        self, names: Mapping[str, Any], flow: Flow | None = None, inputs: Sequence[Any] = ()
    ) -> None:
        self.names = {id(root_of(x)): name for name, x in names.items()}
        self.flow = flow or Flow()
        self.inputs = {id(x) for x in inputs}  # none: whatever needs no gradient may be one
        self.nodes: list[GraphNode] = []
        self.number: dict[int, int] = {}  # id of a node or leaf -> its number
        self.table = ModuleTable()
        self.texts: dict[Any, str] = {}  # one object for each label and dtype
        self.constants: dict[Any, Operand] = {}  # one object for each text
        self.saved: set[int] = set()  # ids of saved arrays
        self.seconds: Mapping[Any, float] = {}  # of backward
        self.pulls_numbers = False  # whether Values get a backward of their own

    def build(self, outputs: Sequence[Any], failure: Any = None, error: str = "") -> Graph:
        """Return the graph of the outputs; with the op that failed last, if one did."""
        roots = [root_of(y) for y in outputs]
        behind = () if failure is None else [x for x in failure.sources if isinstance(x, Node)]
        order = _history([*roots, *behind])
        for root, y in zip(roots, outputs, strict=True):
            if getattr(y, "name", None) is not None:
                self.names.setdefault(id(root), y.name)
        for outer in {outermost(node.scope): None for node in order}:
            self._name_state(outer)
        if order and isinstance(order[-1], Number):
            self.flow = NumberFlow(order[::-1], roots if self.pulls_numbers else None)
        for node in order:
            if node.op is not PART:
                self._add_op(node)
        if failure is not None:
            self._add_failure(failure)
        numbers = [self._operand(root).node for root in roots]
        return Graph(
            tuple(self.nodes),
            tuple(n for n in numbers if n is not None),
            tuple(self.table.modules.values()),
            error,
        )

    def _name_state(self, module: Any) -> None:
        """Give parameters and buffers of a module the names that they have in it."""
        if module is not None:
            for path, x in (*module.named_parameters(), *module.named_buffers()):
                self.names.setdefault(id(x), path)

    def _add_op(self, node: Any) -> None:
        number = isinstance(node, Number)
        if number and not node.edges:
            self._add_leaf(node)
            return
        op, sources = node.op, sources_of(node)
        operands, names = self._operands(node, sources)
        line = getattr(node, "line", None)
        single = op.results is not None and len(node.shape) == 1
        self.number[id(node)] = len(self.nodes)
        self.nodes.append(
            GraphNode(
                len(self.nodes),
                "op",
                op.name,
                self._text(op.label(node.params)),
                operands,
                names,
                node.shape[0] if single else node.shape,
                self._dtype(node.dtype),
                getattr(node, "name", None) or self.names.get(id(node)),
                self.table.label(node.scope),
                None if line == "?" else line,
                0 if node.scope is None else node.scope.order,
                op.view,
                *((0, 0) if number else self._saved_bytes(node)),
                _statistics(node.data if number else getattr(node, "result", None)),
                self._arrived(node),
                getattr(node, "seconds", None),
                self.seconds.get(node),
                None if number else _flops(node, sources),
            )
        )

    def _operands(
        self, node: Any, sources: Sequence[Any]
    ) -> tuple[tuple[Operand, ...], tuple[str, ...]]:
        """Return the operands of a node, without those left out, and the names of their slots."""
        names = slots_of(node)
        sent: Sequence[Any] = self.flow.along(node) if self.flow.known else ()
        operands: list[Operand] = []
        for i, source in enumerate(sources):
            if source is not None:
                operands.append(self._operand(source, _statistics(sent[i]) if sent else None))
        if len(operands) < len(names):
            names = tuple([s for s, x in zip(names, sources, strict=True) if x is not None])
        return tuple(operands), names

    def _add_leaf(self, x: Any) -> int:
        number = self.number[id(x)] = len(self.nodes)
        name: str | None = self.names.get(id(x), x.name)
        kind = "leaf" if isinstance(x, Number) or x._rg else "input"
        if kind == "input" and self.inputs and id(x) not in self.inputs:
            kind = "constant"
        array = x.data if isinstance(x, Number) else x._array
        grads = self._arrived(x)
        if grads is None and isinstance(x, Traced) and x._grad is not None:
            grads = of_array(x._grad._array)
        self.nodes.append(
            GraphNode(
                number=number,
                kind=kind,
                op=kind,
                label=type(x).__name__,
                operands=(),
                slots=(),
                shape=tuple(x.shape),
                dtype=self._dtype(x.dtype),
                name=name,
                values=_statistics(array),
                grads=grads,
            )
        )
        return number

    def _add_failure(self, failure: Any) -> None:
        given = [(s, x) for s, x in zip(failure.slots, failure.sources, strict=True)]
        operands = tuple([self._operand(x) for _, x in given if x is not None])
        self.nodes.append(
            GraphNode(
                number=len(self.nodes),
                kind="error",
                op=failure.op,
                label=failure.op,
                operands=operands,
                slots=tuple([slot for slot, x in given if x is not None]),
                shape=(),
                dtype="",
                module=self.table.label(failure.scope),
                line=failure.line,
                error=failure.message,
            )
        )

    def _operand(self, source: Any, sent: Statistics | None = None) -> Operand:
        """Return the operand for an edge; a leaf is added when it is first met."""
        known = self.number.get(id(source))
        if known is not None:
            return Operand(known, None, "", sent)
        if isinstance(source, (Node, Traced)):
            inner = whole(source)
            if inner is source:
                return Operand(self._add_leaf(source), sent=sent)
            return Operand(self._operand(inner).node, source.params[0], sent=sent)
        text = _constant_text(source)
        return self.constants.get(text) or self.constants.setdefault(
            text, Operand(None, None, text)
        )

    def _arrived(self, node: Any) -> Statistics | None:
        """Return what backward sent to a node; to all of its results, where it has several."""
        if not self.flow.known:
            return None
        g = self.flow.gradient(node)
        return None if g is None else _statistics(g)

    def _saved_bytes(self, node: Any) -> tuple[int | None, int]:
        """Return what a node keeps, and how much of it an earlier node keeps as well."""
        if node.saved is NOTHING or node.saved is None:
            return (None if node.saved is None else 0), 0
        total = shared = 0
        for array in saved_arrays(node):
            total += array.nbytes
            if id(array) in self.saved:
                shared += array.nbytes
            self.saved.add(id(array))
        return total, shared

    def _text(self, label: str) -> str:
        return self.texts.setdefault(label, label)

    def _dtype(self, dtype: Any) -> str:
        known = self.texts.get(dtype)
        if known is None:
            several = isinstance(dtype, tuple)
            known = ", ".join(map(str, dtype)) if several else str(dtype)
            self.texts[dtype] = known
        return known


def _constant_text(x: Any) -> str:
    if isinstance(x, float):
        return f"{x:.4g}"
    if isinstance(x, tuple):
        shape, dtype = x
        return type_text(dtype, shape)
    return type_text(x.dtype, x.shape) if isinstance(x, np.ndarray) else str(x)


def root_of(y: Any) -> Any:
    """Return the node or leaf that a handle stands for."""
    if isinstance(y, Number):
        return y
    made = getattr(y, "_made", None)
    source = edge(y, None) if made is None else made
    return y if source is None else source


def _history(roots: Sequence[Any]) -> list[Any]:
    """Return the nodes behind the roots, the earliest first, observed ones through all sources."""
    if not any(isinstance(root, ObservedNode) for root in roots):
        return list(reversed(history(roots)))
    order = [root for root in dict.fromkeys(roots) if isinstance(root, Node)]
    seen = set(order)
    for node in order:  # which grows on the way
        for source in sources_of(node):
            if isinstance(source, Node) and source not in seen:
                seen.add(source)
                order.append(source)
    return sorted(order, key=lambda node: node.time)


def sources_of(node: Any) -> Sequence[Any]:
    """Return where each operand came from: a node, a leaf, a number, or (shape, dtype)."""
    return node.sources if isinstance(node, ObservedNode) else node.edges


def slots_of(node: Any) -> tuple[str, ...]:
    """Return the op's names for the operands of a node."""
    return slot_names(node.op, len(sources_of(node)))


def slot_names(op: Any, count: int) -> tuple[str, ...]:
    """Return an op's names for so many operands."""
    return tuple(f"{op.arrays[0]}[{i}]" for i in range(count)) if op.variadic else op.arrays


def _statistics(x: Any) -> Statistics | None:
    if isinstance(x, float):
        return of_number(x)
    if isinstance(x, Traced):
        x = x._array
    return None if x is None else of_array(x)


def _flops(node: Any, sources: Sequence[Any]) -> int | None:
    """Return two for each multiply-add, one for each element of an elementwise op."""
    op = node.op
    if op.multiply_adds is not None:
        shapes = [tuple(x[0]) if isinstance(x, tuple) else tuple(getattr(x, "shape", ()))
                  for x in sources]  # fmt: skip
        return 2 * op.multiply_adds(shapes, node.shape, node.params)
    if op.elementwise:
        return math.prod(node.shape)
    return 0 if op.view else None
