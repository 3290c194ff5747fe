"""Rules of what recurrent cells do: gates side by side, and the states that they let through."""

from __future__ import annotations

from typing import Any

from ..edges import Edge


def _gates(x: Edge, count: int) -> list[Edge]:
    """Return the gates, which lie along the last axis."""
    return x.do("Split", axis=-1, num_outputs=count, outputs=count)


def _beside(first: Edge, *rest: Edge) -> Edge:
    return first.do("Concat", *rest, axis=-1)


def lstm_gates(x: Edge) -> Edge:
    i, f, n, o = _gates(x, 4)
    return _beside(i.do("Sigmoid"), f.do("Sigmoid"), n.do("Tanh"), o.do("Sigmoid"))


def lstm_cell(gates: Edge, c: Edge) -> Edge:
    i, f, n, _ = _gates(gates, 4)
    return f * c + i * n


def lstm_hidden(gates: Edge, c: Edge) -> Edge:
    _, _, _, o = _gates(gates, 4)
    return o * c.do("Tanh")


def gru_gates(x: Edge, a: Edge) -> Edge:
    r, z, n = _gates(x, 3)
    r_a, z_a, n_a = _gates(a, 3)
    r, z = (r + r_a).do("Sigmoid"), (z + z_a).do("Sigmoid")
    return _beside(r, z, (n + r * n_a).do("Tanh"))


def gru_hidden(gates: Edge, h: Edge) -> Edge:
    _, z, n = _gates(gates, 3)
    return n + z * (h - n)


RULES: dict[str, Any] = {
    "lstm_gates": lstm_gates,
    "lstm_cell": lstm_cell,
    "lstm_hidden": lstm_hidden,
    "gru_gates": gru_gates,
    "gru_hidden": gru_hidden,
}
