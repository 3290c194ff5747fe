"""What the colour of a box stands for."""

from __future__ import annotations

import functools
import math
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from ..graph.data import Graph, GraphNode
    from ..graph.statistics import Statistics

DECADES = (1e-9, 1e3)  # of gradients and values
KINDS = ("op", "module")  # colours by kind, not by size
QUANTITIES = ("grad", "value", "time", "bytes", *KINDS, "roofline")


class Machine(NamedTuple):
    """What this machine can do, measured once and roughly."""

    flops: dict[str, float]  # a second, by dtype
    bandwidth: float  # bytes a second

    def shortest(self, node: GraphNode, nodes: tuple[GraphNode, ...]) -> float | None:
        """Return the time that an op takes where arithmetic or memory runs at its limit."""
        if node.kind != "op" or node.flops is None or node.seconds is None:
            return None
        moved = node.nbytes + sum(nodes[x.node].nbytes for x in node.operands if x.node is not None)
        peak = self.flops["float32" if node.dtype.startswith("float32") else "float64"]
        return max(node.flops / peak, moved / self.bandwidth)


@functools.cache
def machine() -> Machine:
    """Measure products of matrices and a copy, for about 50 ms."""
    flops: dict[str, float] = {}
    for dtype in ("float32", "float64"):
        a = np.ones((384, 384), dtype)
        flops[dtype] = 2 * 384**3 / _best(functools.partial(np.matmul, a, a))
    x = np.ones(1 << 21)
    y = np.empty_like(x)
    return Machine(flops, 2 * x.nbytes / _best(functools.partial(np.copyto, y, x)))


def _best(call: Callable[[], object], seconds: float = 0.015) -> float:
    call()
    shortest, end = math.inf, time.perf_counter() + seconds
    while time.perf_counter() < end:
        start = time.perf_counter()
        call()
        shortest = min(shortest, time.perf_counter() - start)
    return shortest


class Scale:
    """Places on the colour scale, 0 to 1, of one quantity in one graph."""

    def __init__(self, graph: Graph, color_by: str) -> None:
        if color_by not in QUANTITIES:
            raise ValueError(f"color_by is {color_by!r}; it must be one of {', '.join(QUANTITIES)}")
        self.graph, self.color_by = graph, color_by
        self.range: tuple[float, float] | None = None
        if color_by in ("grad", "value"):
            self.range = DECADES
        elif color_by == "roofline":
            self.range = (0.0, 1.0)
        elif color_by in ("time", "bytes"):
            self.range = (0.0, max(map(self._amount, graph.nodes), default=0.0))

    def _amount(self, node: GraphNode) -> float:
        if self.color_by == "bytes":
            return float(node.nbytes) if node.kind != "error" else 0.0
        return (node.seconds or 0.0) + (node.backward_seconds or 0.0)

    def level(self, nodes: list[GraphNode], grad: float | None) -> float | None:
        """Return the place of a box that stands for some nodes; None where nothing is known."""
        if self.color_by in KINDS or self.range is None:
            return None
        if self.color_by == "grad":
            return decades(grad)
        if self.color_by == "value":
            return decades(_largest([node.values for node in nodes]))
        if self.color_by == "roofline":
            return self._share(nodes)
        total = sum(map(self._amount, nodes))
        known = self.color_by == "bytes" or any(node.seconds is not None for node in nodes)
        return min(1.0, total / self.range[1]) if known and self.range[1] else None

    def _share(self, nodes: list[GraphNode]) -> float | None:
        """Return the shortest possible time of some ops over the time they took."""
        limits = [(machine().shortest(node, self.graph.nodes), node.seconds) for node in nodes]
        known = [(least, took) for least, took in limits if least is not None and took]
        took = sum(took for _, took in known)
        return min(1.0, sum(least for least, _ in known) / took) if took else None


def decades(x: float | None) -> float | None:
    """Return the place of a magnitude on twelve decades."""
    if x is None or not math.isfinite(x):
        return None
    low, high = map(math.log10, DECADES)
    return 0.0 if x <= 0.0 else min(1.0, max(0.0, (math.log10(x) - low) / (high - low)))


def _largest(parts: list[Statistics | None]) -> float | None:
    return max((s.rms for s in parts if s is not None and s.rms is not None), default=None)
