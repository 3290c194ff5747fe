"""Local rules in symbols: what an op's vjp rules say, written as formulas.

A rule is written in ops, so running it on tensors called g, y, a, b records what it does; the
formula is that recording, read aloud. It is told only where it does not depend on the numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import Context
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from ...creation import tensor
from ...graph import Graph, GraphNode, trace_graph
from ...op import REGISTRY, Op
from ...rules import named

LONGEST = 120  # letters of a formula
# Stand-ins of operands, which must all give the same formula: numbers, and sizes of square arrays.
TRIED = ((0.3, 1), (-1.7, 1), (0.0, 1), (2.0, 2))
SHAPING = ("dim", "keepdim", "dtype")  # parameters that a formula may pass over

# How tightly the labels of ops between two operands bind.
_BINDS = {"+": 1, "-": 1, "*": 2, "/": 2, "@": 2, "**": 4} | dict.fromkeys(
    ["==", "!=", "<", "<=", ">", ">="], 0
)
_SIGN, _WHOLE = 3, 9

Term = tuple[str, int]  # a text, and how tightly its outermost operation binds


class LocalRule(NamedTuple):
    """What an op does, and what its backward sends to one operand."""

    result: str  # "a * b"
    slot: str  # "a"
    slope: str  # "b": d(a * b)/da; of an op that is not elementwise ""
    sends: str  # "g * b"


@cache
def local_rules(name: str) -> tuple[LocalRule, ...]:
    """Return the rules of a registered op that have a formula, in the order of its operands."""
    op = REGISTRY.get(name)
    if op is None or op.variadic or op.results is not None:
        return ()
    rules: list[LocalRule] = []
    for i, slot in enumerate(op.arrays):
        sends = _formula(op, i)
        if sends:
            slope = _formula(op, i, slope=True) if op.elementwise else ""
            rules.append(LocalRule(_result(op), slot, slope, sends))
    return tuple(rules)


def _result(op: Op) -> str:
    label = op.label_rule if isinstance(op.label_rule, str) else op.name
    operands = [(slot, _WHOLE) for slot in op.arrays]
    return _applied(label, op.name, operands)[0]


def _formula(op: Op, i: int, slope: bool = False) -> str:
    """Return what rule i makes of g; of 1, if its slope is wanted; "" where nothing sure is."""
    if op.vjp[i] is None:
        return ""
    try:
        # In a context of its own, so that whoever observes or counts ops does not meet these.
        found = {Context().run(_spelled, op, i, *tried, slope) for tried in TRIED}
    except Exception:  # whatever a rule raises on stand-ins of its operands: it has no formula
        return ""
    text = found.pop()
    return "" if found or len(text) > LONGEST else text


def _spelled(op: Op, i: int, x: float, size: int, slope: bool) -> str:
    def symbol(shape: tuple[int, ...]) -> Any:
        return tensor(np.full(shape, x), dtype="float64", requires_grad=True)

    shapes, result = _stand_ins(op, size)
    symbols = dict(zip(op.arrays, map(symbol, shapes), strict=True))
    symbols |= {"g": symbol(result), "y": symbol(result)}
    symbols |= {name: symbol(()) for name in op.names if name not in SHAPING}
    given: dict[str, Any] = {"shapes": shapes, "i": i, **_defaults(op), **symbols}
    rule: Any = op.vjp[i]
    wanted = [given[name] for name in named(rule)]
    with np.errstate(all="ignore"):
        graph = trace_graph(lambda g: rule(g, *wanted), symbols["g"], names=symbols)
    return _read(graph, {"g": ("1", _WHOLE)} if slope else {})


def _defaults(op: Op) -> dict[str, Any]:
    return dict(zip(op.names[::-1], op.defaults[::-1], strict=False))


def _stand_ins(op: Op, size: int) -> tuple[list[tuple[int, ...]], tuple[int, ...]]:
    """Return shapes that an op takes, matrices or with a vector last, and that of its result."""
    matrices: list[tuple[int, ...]] = [(size, size)] * op.arity
    for shapes in (matrices, [*matrices[:-1], (size,)]):
        try:
            with np.errstate(all="ignore"):
                y = op.call(*[np.full(shape, 0.5) for shape in shapes])
        except Exception:  # it has parameters without defaults, or needs other shapes
            continue
        return shapes, np.shape(y)
    return matrices, (size, size)


def _read(graph: Graph, known: Mapping[str, Term]) -> str:
    """Return the formula of a recorded rule, built from its leaves to its result."""
    terms: list[Term] = []
    for node in graph.nodes:
        if node.is_source:
            if node.name is None:
                raise ValueError("a constant array has no symbol")
            terms.append(known.get(node.name, (node.name, _WHOLE)))
            continue
        if any("[" in x.text for x in node.operands):
            raise ValueError("a constant array has no symbol")
        operands = [(x.text, _WHOLE) if x.node is None else terms[x.node] for x in node.operands]
        terms.append(_applied(node.label, node.op, operands, node))
    return terms[graph.outputs[0]][0]


def _applied(label: str, name: str, operands: list[Term], node: GraphNode | None = None) -> Term:
    """Return an op between or before its operands; factors of 1 and reshapes are left out."""
    if node is not None and ((node.view and name == "reshape") or name == "positive"):
        return operands[0]
    if name == "transpose":
        return f"{_bound(operands[0], _WHOLE)}.T", _WHOLE
    if name == "mul" and ("1", _WHOLE) in operands:
        return operands[1 - operands.index(("1", _WHOLE))]
    if name == "mul" and ("-1", _SIGN) in operands:
        name, operands = "neg", [operands[1 - operands.index(("-1", _SIGN))]]
    if len(operands) == 2 and label in _BINDS:
        tight = _BINDS[label]
        left, right = _bound(operands[0], tight), _bound(operands[1], tight + (label not in "+*"))
        return f"{left} {label} {right}", tight
    if name == "neg":
        return f"-{_bound(operands[0], _SIGN)}", _SIGN
    return f"{name}({', '.join([text for text, _ in operands])})", _WHOLE


def _bound(term: Term, tight: int) -> str:
    return term[0] if term[1] >= tight else f"({term[0]})"
