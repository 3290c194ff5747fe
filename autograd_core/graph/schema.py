"""Graphs as JSON: what a graph holds, fields of a node only where they say something."""

from __future__ import annotations

import json
import math
from typing import Any

from ..errors import GraphError
from .data import Graph, GraphModule, GraphNode, Operand
from .statistics import Statistics

FORMAT, VERSION = "autograd-core graph", 1

_RECORDS = (GraphNode, Operand, Statistics)


def graph_json(graph: Graph) -> str:
    """Return the graph as JSON, one node a line; infinities are the strings "inf" and "-inf"."""
    head = {
        "format": FORMAT,
        "version": VERSION,
        "outputs": graph.outputs,
        "error": graph.error,
        "modules": [[m.label, m.path, m.type, m.parent] for m in graph.modules],
    }
    nodes = ",\n".join([_dumped(_plain(node)) for node in graph.nodes])
    return f'{_dumped(head)[:-1]},"nodes":[\n{nodes}\n]}}\n'


def _dumped(x: Any) -> str:
    return json.dumps(x, separators=(",", ":"), allow_nan=False)


def _plain(x: Any) -> Any:
    """Return a record as a dict, without number and without what is as usual."""
    usual = x._field_defaults
    return {
        name: _value(value)
        for name, value in zip(x._fields, x, strict=True)
        if name != "number" and not (name in usual and value == usual[name])
    }


def _value(x: Any) -> Any:
    if isinstance(x, float):
        return x if math.isfinite(x) else str(x)
    if isinstance(x, _RECORDS):
        return _plain(x)
    return [_value(item) for item in x] if isinstance(x, tuple) else x


def read_json(text: str) -> Graph:
    """Return the graph that a JSON text tells; raise where it is none, or of another version."""
    try:
        data: Any = json.loads(text)
    except ValueError as error:
        raise GraphError(f"this is no JSON: {error}") from error
    if not isinstance(data, dict) or data.get("format") != FORMAT:  # pyright: ignore
        raise GraphError(f'this JSON is no graph: it needs "format": "{FORMAT}"')
    if data.get("version") != VERSION:
        raise GraphError(
            f"this graph is of version {data.get('version')}; this library reads version {VERSION}"
        )
    try:
        return Graph(
            tuple([_node(i, node) for i, node in enumerate(data["nodes"])]),
            tuple(data["outputs"]),
            tuple([GraphModule(*module) for module in data["modules"]]),
            data["error"],
        )
    except (KeyError, TypeError, ValueError) as error:
        raise GraphError(f"this graph is damaged: {type(error).__name__}: {error}") from error


def _node(number: int, data: dict[str, Any]) -> GraphNode:
    made = {name: _tuples(value) for name, value in data.items()}
    made["operands"] = tuple([_operand(x) for x in data["operands"]])
    for name in ("values", "grads"):
        if name in data:
            made[name] = _statistics(data[name])
    return GraphNode(number=number, **made)


def _operand(data: dict[str, Any]) -> Operand:
    sent = data.pop("sent", None)
    return Operand(**data, sent=None if sent is None else _statistics(sent))


def _statistics(data: dict[str, Any]) -> Statistics:
    return Statistics(**{name: _number(x) for name, x in data.items()})


def _number(x: Any) -> Any:
    if isinstance(x, list):
        return tuple([_number(item) for item in x])  # pyright: ignore[reportUnknownVariableType]
    return float(x) if isinstance(x, str) else x


def _tuples(x: Any) -> Any:
    return tuple([_tuples(item) for item in x]) if isinstance(x, list) else x  # pyright: ignore
