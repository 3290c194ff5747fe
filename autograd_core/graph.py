"""The graph as plain data: numbered nodes and their operands, ready to print, draw or compare."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .engine import history
from .errors import GraphError
from .observe import ObservedNode, observe
from .op import PART
from .recording import NOTHING, Node, Number, Traced, edge
from .saved import arrays_in

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Operand:
    """What one argument slot of an op holds: another node's result, or a number or an array."""

    node: int | None  # number of the node it comes from
    part: int | None = None  # which of that node's results
    text: str = ""  # what it is, where it comes from no node


@dataclass(frozen=True)
class GraphNode:
    """One op, leaf or constant of a graph."""

    number: int
    kind: str  # "op", "leaf" (requires grad) or "input"
    op: str
    label: str
    operands: tuple[Operand, ...]
    slots: tuple[str, ...]  # the op's names for its operands
    shape: Any
    dtype: str
    name: str | None = None
    module: str | None = None
    line: str | None = None
    saved_bytes: int | None = None  # None once freed
    value: float | None = None  # of a result with one element
    grad: float | None = None
    seconds: float | None = None


@dataclass(frozen=True)
class Graph:
    """A graph: its nodes in topological order, numbered from 0."""

    nodes: tuple[GraphNode, ...]
    outputs: tuple[int, ...]

    @property
    def saved_bytes(self) -> int:
        """Bytes that backward still needs, summed over the ops."""
        return sum(node.saved_bytes or 0 for node in self.nodes)

    def to_text(self, path: str | None = None) -> str:
        """One line for each node: its number, op, operands, shape and dtype."""
        from .render.text import graph_text

        return _written(graph_text(self), path)

    def to_dot(self, path: str | None = None) -> str:
        """The graph in the DOT language of Graphviz."""
        from .render.dot import graph_dot

        return _written(graph_dot(self), path)

    def __str__(self) -> str:
        return self.to_text()


def _written(text: str, path: str | None) -> str:
    if path is not None:
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
    return text


def trace_graph(output: Any, *inputs: Any, names: Mapping[str, Any] | None = None) -> Graph:
    """Return the graph behind an output (or several), or of a function or model run on `inputs`.

    A lean graph tells structure, shapes and saved bytes; running a function here observes it, and
    tells values, lines and times too. `names` gives tensors the names under which they appear.
    """
    if callable(output) and not isinstance(output, (Traced, Number)):
        return _trace_call(output, inputs, names)
    if inputs:
        raise TypeError("trace_graph takes inputs only after a function or a model")
    outputs = list(output) if isinstance(output, (list, tuple)) else [output]
    for y in outputs:
        if not isinstance(y, (Traced, Number)):
            raise TypeError(
                f"trace_graph got a {type(y).__name__}: it needs a Tensor, a Value, "
                "or a function and its inputs"
            )
    return _Builder(names or {}).build(outputs)


def _trace_call(
    function: Callable[..., Any], inputs: Sequence[Any], names: Mapping[str, Any] | None
) -> Graph:
    with observe():
        output = function(*inputs)
    outputs = list(output) if isinstance(output, (list, tuple)) else [output]
    if not outputs or not all(isinstance(y, (Traced, Number)) for y in outputs):
        raise GraphError("trace_graph: the function must return a Tensor, a Value, or several")
    return _Builder(names or {}).build(outputs)


class _Builder:
    """Numbers what the outputs depend on, in the order of the clock."""

    def __init__(self, names: Mapping[str, Any]) -> None:
        self.names = {id(_root(x)): name for name, x in names.items()}
        self.nodes: list[GraphNode] = []
        self.number: dict[int, int] = {}  # id of a node or leaf -> its number
        self.paths: dict[Any, str] = {}

    def build(self, outputs: Sequence[Any]) -> Graph:
        roots = [_root(y) for y in outputs]
        order = _history(roots)
        for outer in {scope: None for node in order if (scope := _outermost(node.scope))}:
            for path, parameter in outer.named_parameters():
                self.names.setdefault(id(parameter), path)
        for node in order:
            if node.op is not PART:
                self._add_op(node)
        numbers = [self._operand(root).node for root in roots]
        named = {self._operand(r).node: y.name for r, y in zip(roots, outputs, strict=True)}
        nodes = [replace(n, name=n.name or named.get(n.number)) for n in self.nodes]
        return Graph(tuple(nodes), tuple(n for n in numbers if n is not None))

    def _add_op(self, node: Any) -> None:
        if isinstance(node, Number) and not node.edges:
            self._add_leaf(node)
            return
        given = [(s, x) for s, x in zip(_slots(node), _sources(node), strict=True) if x is not None]
        operands = tuple(self._operand(source) for _, source in given)
        value = node.data if isinstance(node, Number) else getattr(node, "result", None)
        self.number[id(node)] = len(self.nodes)
        self.nodes.append(
            GraphNode(
                number=len(self.nodes),
                kind="op",
                op=node.op.name,
                label=node.op.label(node.params),
                operands=operands,
                slots=tuple(slot for slot, _ in given),
                shape=node.shape,
                dtype=_dtype_text(node.dtype),
                name=getattr(node, "name", None) or self.names.get(id(node)),
                module=self._module(node.scope),
                line=getattr(node, "line", None),
                saved_bytes=_saved_bytes(node),
                value=_only(value),
                grad=_only(node.grad) if isinstance(node, Number) else None,
                seconds=getattr(node, "seconds", None),
            )
        )

    def _add_leaf(self, x: Any) -> int:
        number = self.number[id(x)] = len(self.nodes)
        tracked = isinstance(x, Number) or x._rg
        value: Any = x.data if isinstance(x, Number) else x._array
        grad: Any = x.grad if isinstance(x, Number) else x._grad
        self.nodes.append(
            GraphNode(
                number=number,
                kind="leaf" if tracked else "input",
                op="leaf" if tracked else "input",
                label=type(x).__name__,
                operands=(),
                slots=(),
                shape=x.shape,
                dtype=str(x.dtype),
                name=self.names.get(id(x)) or x.name,  # type: ignore[attr-defined]
                value=_only(value),
                grad=_only(grad),
            )
        )
        return number

    def _operand(self, source: Any) -> Operand:
        """Return the operand for an edge; a leaf is added when it is first met."""
        if isinstance(source, Node) and source.op is PART:
            inner = self._operand(source.edges[0])
            return Operand(inner.node, source.params[0])
        if isinstance(source, (Node, Traced)):
            known = self.number.get(id(source))
            return Operand(self._add_leaf(source) if known is None else known)
        if isinstance(source, tuple):
            shape, dtype = source
            return Operand(None, text=type_text(dtype, shape))
        return Operand(None, text=f"{source:.4g}" if isinstance(source, float) else str(source))

    def _module(self, scope: Any) -> str | None:
        """Return the path of the innermost running module, from the outermost one's class."""
        if scope is None:
            return None
        if scope not in self.paths:
            self.paths[scope] = module_path(scope)
        return self.paths[scope]


def module_path(scope: Any) -> str:
    """Return `Sequential.2 (Conv2d)` for a Conv2d that runs inside a Sequential."""
    chain = []
    while scope is not None:
        chain.append(scope.module())
        scope = scope.parent
    outer, inner = chain[-1], chain[0]
    if outer is None or inner is None:
        return "(module gone)"
    if outer is inner:
        return type(outer).__name__
    path = next((name for name, m in outer.named_modules() if m is inner), "?")
    return f"{type(outer).__name__}.{path} ({type(inner).__name__})"


def _outermost(scope: Any) -> Any:
    """Return the module that contains all running ones, or None."""
    while scope is not None and scope.parent is not None:
        scope = scope.parent
    return None if scope is None else scope.module()


def _root(y: Any) -> Any:
    if isinstance(y, Number):
        return y
    made = getattr(y, "_made", None)
    source = edge(y, None) if made is None else made
    return y if source is None else source


def _history(roots: Sequence[Any]) -> list[Any]:
    """Return the nodes behind the roots, the earliest first, observed ones through all sources."""
    if not any(isinstance(root, ObservedNode) for root in roots):
        return list(reversed(history(roots)))
    stack = [root for root in roots if isinstance(root, Node)]
    seen = set(stack)
    order: list[Any] = []
    while stack:
        node = stack.pop()
        order.append(node)
        for source in _sources(node):
            if isinstance(source, Node) and source not in seen:
                seen.add(source)
                stack.append(source)
    return sorted(order, key=lambda node: node.time)


def _sources(node: Any) -> Sequence[Any]:
    return node.sources if isinstance(node, ObservedNode) else node.edges


def _slots(node: Any) -> tuple[str, ...]:
    names, count = node.op.arrays, len(_sources(node))
    return tuple(f"{names[0]}[{i}]" for i in range(count)) if node.op.variadic else names


_SHORT = {"float": "f", "int": "i", "uint": "u"}


def type_text(dtype: Any, shape: Any) -> str:
    """Return dtype and shape as f32[64, 10]."""
    name = str(dtype)
    kind = name.rstrip("0123456789")
    return f"{_SHORT.get(kind, kind)}{name[len(kind) :]}{list(shape)}"


def _only(x: Any) -> float | None:
    """Return the number, where there is exactly one."""
    if isinstance(x, Traced):
        x = x._array
    return None if x is None or np.size(x) != 1 else float(np.asarray(x).item())


def _dtype_text(dtype: Any) -> str:
    return ", ".join(map(str, dtype)) if isinstance(dtype, tuple) else str(dtype)


def _saved_bytes(node: Any) -> int | None:
    if isinstance(node, Number) or node.saved is NOTHING:
        return 0
    if node.saved is None:
        return None
    arrays = {id(a): a for a in arrays_in(node.saved) if isinstance(a, np.ndarray)}
    return sum(a.nbytes for a in arrays.values())
