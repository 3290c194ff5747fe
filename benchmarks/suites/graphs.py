"""Graphs as data: how long it takes to trace, to choose what is shown, and to write it down."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from benchmarks.case import OURS, Case, Job, Prepare, control

NODES, LEVELS, STEPS = 100_000, 40, 100


def chain() -> Any:
    """A result behind so many products."""
    import autograd_core as ag

    y: Any = ag.ones(1, requires_grad=True)
    for _ in range(NODES):
        y = y * 1.0
    return y


def doublings() -> Any:
    """x + x, again and again: 2**40 paths."""
    import autograd_core as ag

    x: Any = ag.Value(1.0)
    for _ in range(LEVELS):
        x = x + x
    return x


def recurrent() -> Any:
    """A recurrent net in bare ops, of three weights that every step uses."""
    import autograd_core as ag

    w, u, b = (ag.randn(*s, requires_grad=True) for s in ((8, 8), (3, 8), (8,)))
    h: Any = ag.zeros(1, 8)
    for x in ag.randn(STEPS, 1, 3):
        h = (x @ u + h @ w + b).tanh()
    return h.square().mean()


def tracing(make: Callable[[], Any]) -> dict[str, Prepare]:
    def prepare() -> Job:
        import autograd_core as ag

        return Job(partial(ag.trace_graph, make()))

    return {OURS: prepare}


def writing(make: Callable[[], Any], form: str) -> dict[str, Prepare]:
    def prepare() -> Job:
        import autograd_core as ag

        return Job(getattr(ag.trace_graph(make()), form))

    return {OURS: prepare}


CASES = [
    control(),
    Case("trace 100,000 nodes", tracing(chain), max_us=1e6),
    Case("trace 40 doublings", tracing(doublings), max_us=50e3),
    Case("text of 100,000 nodes", writing(chain, "to_text"), max_us=1e6),
    Case("JSON of 100,000 nodes", writing(chain, "to_json")),
    Case("picture of 100,000 nodes", writing(chain, "to_svg"), max_us=10e6),
    Case("picture of a recurrent net", writing(recurrent, "to_svg"), max_us=300e3),
]
