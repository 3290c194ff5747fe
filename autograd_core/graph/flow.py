"""What a backward sent: along each edge, and in all to each node."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from ..errors import GraphError
from ..op import PART
from ..recording import Node, Number, Traced


def whole(source: Any) -> Any:
    """Return the node of an op with several results for the node of one of them."""
    return source.edges[0] if source.__class__ is Node and source.op is PART else source


class Flow:
    """Contributions by argument slot, and the cotangents that they add up to."""

    def __init__(
        self,
        contributions: Iterable[tuple[Any, Any, Any]] = (),
        roots: Iterable[tuple[Any, Any]] = (),
    ) -> None:
        self.known = False  # whether anything was sent
        self.sent: dict[Any, list[Any]] = {}  # node -> what it sent, by slot
        self.arrived: dict[Any, Any] = {}  # node or leaf -> the sum of what it was sent
        self._parts: dict[Any, dict[int, Any]] = {}  # node -> the nodes of its results
        self._next: dict[Any, int] = {}  # node -> the slot to try first
        for root, g in roots:
            self._arrive(root, g._array if isinstance(g, Traced) else g)
        for node, source, x in contributions:
            self.send(node, source, x)

    def send(self, node: Any, source: Any, x: Any) -> None:
        """Take in one contribution; those of a node come in the order of its slots."""
        slots = self.sent.setdefault(node, [None] * len(node.edges))
        first = self._next.get(node, 0)
        places = [*range(first, len(slots)), *range(first)]
        slot = next((i for i in places if node.edges[i] is source), None)
        if slot is None:
            return  # the node was given another history since, by an in-place change
        self._next[node] = slot + 1
        slots[slot] = x if slots[slot] is None else slots[slot] + x
        self._arrive(source, x)

    def _arrive(self, edge: Any, x: Any) -> None:
        self.known = True
        inner = whole(edge)
        if inner is not edge:
            self._parts.setdefault(inner, {})[edge.params[0]] = edge
        before = self.arrived.get(edge)
        self.arrived[edge] = x if before is None else before + x

    def gradient(self, node: Any) -> Any:
        """Return what arrived at a node or leaf; for several results a list; None for nothing."""
        parts = self._parts.get(node)
        if parts is None:
            return self.arrived.get(node)
        return [self.arrived[parts[k]] for k in sorted(parts)]

    def along(self, node: Any) -> Sequence[Any]:
        """Return what a node sent along each of its edges; None where it sent nothing."""
        return self.sent.get(node) or [None] * len(node.edges)


class NumberFlow(Flow):
    """What a backward sends through Values: the last one, as their `.grad` tells it.

    With `outputs` it is a backward of their own, of which `.grad` learns nothing.
    """

    def __init__(self, latest_first: Sequence[Any], outputs: Sequence[Any] | None) -> None:
        super().__init__(roots=[(v, 1.0) for v in outputs or ()])
        if outputs is None and all(v.grad == 0.0 for v in latest_first):
            return
        self.known = True
        with np.errstate(all="ignore"):
            for v in latest_first:
                if outputs is None:
                    self.arrived[v] = float(v.grad)
                g = self.arrived.get(v)
                if g is not None and v.edges:
                    self.sent[v] = _pulled(v, g)
                    if outputs is not None:
                        self._pass_on(v)

    def _pass_on(self, v: Any) -> None:
        for source, x in zip(v.edges, self.sent[v], strict=True):
            if x is not None:
                self._arrive(source, x)


def _pulled(v: Any, g: float) -> list[float | None]:
    """Return what a Value's rules make of its gradient."""
    sent: list[float | None] = []
    saved = tuple([np.float64(x) if isinstance(x, float) else x for x in v.saved])
    for source, (rule, place) in zip(v.edges, v.op.scalar_pulls, strict=True):
        if not isinstance(source, Number) or rule is None:
            sent.append(None)
            continue
        try:
            x = rule(g, saved[place]) if place is not None else rule(g, saved, v)
            sent.append(float(x))
        except (ArithmeticError, ValueError, TypeError, GraphError):
            sent.append(None)
    return sent
