"""Graphs that several tests look at."""

from __future__ import annotations

from typing import Any

import autograd_core as ag
import nn
from autograd_core.graph import Graph, trace_graph

# Names that break writers which do not escape; seeing them must leave everything else as it is.
HOSTILE = [
    "<lambda>", "<b>x</b>", "a->b", "{x|y}", '"', "'", "\\", "\\N", "\\l", "a\\", "&amp;", "]]>",
    "</script><script>", "<!--", "javascript:", "%0A", "a\nb", "a\tb", "\x00", "\x01", "\ufffe",
    "\ud800", "\u202eevil", "e\u0301\u0327", "\N{GRINNING FACE}", "x" * 10_000, "", " ", "  a  b  ",
    "digraph", "node", "cluster_0", "__proto__", "%1", "%0 = leaf", "return", "# x", "a = b",
    "in x", "grad 1", 'named "x"', "\x1b[31m", "end", "subgraph", "\r", "\u2028", "f32[3]",
    "(", ")",
]  # fmt: skip


def mlp(depth: int, width: int = 8, activation: type[nn.Module] = nn.ReLU) -> nn.Sequential:
    """A stack of blocks, each a Linear and an activation."""
    return nn.Sequential(
        *[nn.Sequential(nn.Linear(width, width), activation()) for _ in range(depth)]
    )


def of_mlp(depth: int = 3, backward: bool = True) -> Graph:
    """The observed graph of such a stack."""
    return trace_graph(mlp(depth), ag.randn(4, 8), backward=backward)


def loss() -> tuple[ag.Tensor, ag.Tensor]:
    """A small loss in float64, and its weight."""
    x, w = ag.randn(4, 3, dtype=ag.float64), ag.randn(3, 2, dtype=ag.float64, requires_grad=True)
    w.name = "W1"
    return (x @ w).tanh().square().mean(), w


def recurrent(steps: int) -> ag.Tensor:
    """A recurrent net in bare ops: three weights, used at every step."""
    w, u, b = (ag.randn(*s, requires_grad=True) for s in ((8, 8), (3, 8), (8,)))
    h: Any = ag.zeros(1, 8)
    for x in ag.randn(steps, 1, 3):
        h = (x @ u + h @ w + b).tanh()
    return h.square().mean()


def powers_of_two(levels: int) -> Any:
    """x + x, added to itself again and again: 2**levels paths, one node for each level."""
    x: Any = ag.Value(1.0, name="x")
    for _ in range(levels):
        x = x + x
    return x
