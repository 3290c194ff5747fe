"""What a picture points at: where a NaN was born, which modules' gradients vanish or explode."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..graph.data import Graph, GraphNode
    from ..graph.statistics import Statistics

VANISHING, EXPLODING = 1e-3, 1e3  # of the median module's gradient


def births(graph: Graph) -> dict[int, tuple[str, ...]]:
    """Return, by node, what was born there: the first NaN forward and backward, and its infinity.

    A value is born where a result is not finite although every operand is. An infinity is told
    only where a NaN or an infinite result came of something, since masks are made of them.
    """
    found: dict[int, list[str]] = {}
    for way, words in ((_forward, "born here"), (_backward, "born here, backward")):
        made = way(graph)
        for number, kind in made.items():
            found.setdefault(number, []).append(f"{kind} {words}")
    return {number: tuple(words) for number, words in found.items()}


def _forward(graph: Graph) -> dict[int, str]:
    nodes = graph.nodes
    ops = [node for node in nodes if node.kind == "op" and node.values is not None]
    result = any(_bad(nodes[n].values) for n in graph.outputs)
    return _first(
        ((node, node.values, [nodes[x.node].values for x in node.operands if x.node is not None])
         for node in ops),
        result,
    )  # fmt: skip


def _backward(graph: Graph) -> dict[int, str]:
    ops = [node for node in reversed(graph.nodes) if node.grads is not None]
    sent = ((node, x.sent, [node.grads]) for node in ops for x in node.operands)
    return _first(sent, any(_bad(n.grads) for n in graph.nodes if n.kind == "leaf"))


def _first(
    steps: Iterable[tuple[GraphNode, Statistics | None, list[Statistics | None]]], result: bool
) -> dict[int, str]:
    """Return the first node with a NaN of its own making, and the first with an infinity."""
    nan: int | None = None
    infinity: int | None = None
    for node, made, given in steps:
        if made is None or made.finite:
            continue
        if made.nans and nan is None and not any(x is not None and x.nans for x in given):
            nan = node.number
        if infinity is None and made.infs and not any(map(_bad, given)) and not _given(node):
            infinity = node.number
    found: dict[int, str] = {} if nan is None else {nan: "NaN"}
    if infinity is not None and infinity not in found and (nan is not None or result):
        found[infinity] = "Inf"
    return found


def _bad(s: Statistics | None) -> bool:
    return s is not None and not s.finite


def _given(node: GraphNode) -> bool:
    """Whether an infinity was written into the program."""
    return any(operand.text.lstrip("-") in ("inf", "nan") for operand in node.operands)


def gradient_badges(rms: Mapping[str, float | None]) -> dict[str, str]:
    """Return a badge for each module whose gradient is far from that of the median module."""
    known = {name: x for name, x in rms.items() if x is not None and math.isfinite(x)}
    if len(known) < 3:
        return {}
    middle = median(known.values())
    if middle == 0.0:
        return {}
    badges: dict[str, str] = {}
    for name, x in known.items():
        ratio = x / middle
        if ratio < VANISHING:
            badges[name] = f"vanishing {ratio:.0e}"
        elif ratio > EXPLODING:
            badges[name] = f"exploding {ratio:.0e}"
    return badges


def rms_of(parts: Iterable[Statistics | None]) -> float | None:
    """Return the root mean square of all elements together; NaN where one is not finite."""
    size, total = 0, 0.0
    for s in parts:
        if s is None or not s.size:
            continue
        if not s.finite or s.rms is None:
            return math.nan
        size += s.size
        total += s.size * s.rms * s.rms
    return math.sqrt(total / size) if size else None
