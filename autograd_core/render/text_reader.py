"""Reading a listing back into the graph that it was made from."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from typing import Any

from ..errors import GraphError
from ..graph.data import Graph, GraphModule, GraphNode, Operand
from ..graph.statistics import Statistics, of_number
from ..op import REGISTRY
from .text import known_label, known_slots
from .words import unquoted

_WORD = r'(?:"(?:[^"\\]|\\.)*"|[^"\s(](?:[^"(]*[^"\s(])?)'
_LEAF = re.compile(r'(leaf|input|constant)(?:\(("(?:[^"\\]|\\.)*"|[^()"]*)\))?(?: (.*))?')
_OP = re.compile(rf'(failed )?({_WORD})("(?:[^"\\]|\\.)*")?\((.*)\)', re.DOTALL)
_TYPE = re.compile(r"([a-z]+)(\d*)\[([\d, ]*)\]")
_NUMBER = r"-?(?:\d[\d.e+-]*|inf|nan)"
_SPREAD = re.compile(
    rf"(?:\[({_NUMBER}), ({_NUMBER})\] mean ({_NUMBER}) rms ({_NUMBER}))?"
    r" ?(?:nan (\d+))? ?(?:inf (\d+))?"
)
_LONG = {"f": "float", "i": "int", "u": "uint"}


def read_text(text: str) -> Graph:
    """Return the graph; numbers are as exact as they were printed, and single elements are lost."""
    nodes: list[GraphNode] = []
    outputs: tuple[int, ...] = ()
    modules: list[GraphModule] = []
    error = ""
    for line in text.splitlines():
        if line.startswith("%"):
            nodes.append(_node(line, nodes))
        elif line.startswith("return"):
            outputs = tuple(int(x) for x in re.findall(r"%(\d+)", line))
        elif line.startswith("failed "):
            error = unquoted(line[7:])
        elif line.startswith("module "):
            modules.append(_module(line[7:]))
        elif line and not line.startswith("# "):
            raise GraphError(f"this is no line of a graph's text: {line[:60]!r}")
    return Graph(tuple(nodes), outputs, tuple(modules), error)


def _module(line: str) -> GraphModule:
    fields = _fields(line)
    kind, parent = fields[2], None
    if " in " in kind:
        kind, parent = re.split(r" in ", kind, maxsplit=1)
    label, path, kind = map(unquoted, (fields[0], fields[1], kind))
    return GraphModule(label, path, kind, None if parent is None else unquoted(parent))


def _fields(line: str) -> list[str]:
    """Split at two spaces or more that are not between quotes."""
    found = re.findall(r'(?:"(?:[^"\\]|\\.)*"|[^" ]| (?! ))+', line)
    return [x for x in (field.strip() for field in found) if x]


def _node(line: str, before: Sequence[GraphNode]) -> GraphNode:
    head, *facts = _fields(line)
    number, _, statement = head.partition(" = ")
    given: dict[str, Any] = {"number": int(number[1:]), "saved_bytes": 0}
    leaf = _LEAF.fullmatch(statement)
    if leaf:
        name = leaf[3]
        given |= {"kind": leaf[1], "op": leaf[1], "label": unquoted(leaf[2] or "Tensor")}
        given |= {"operands": (), "slots": (), "saved_bytes": None}
        given["name"] = None if name is None else unquoted(name)
    else:
        given |= _operation(statement, line)
    if given["kind"] == "error":
        given |= {"shape": (), "dtype": "", "saved_bytes": None, "label": given["op"]}
    else:
        given |= _types(facts.pop(0))
    for fact in facts:
        given |= _fact(fact, given, before)
    return GraphNode(**given)


def _operation(statement: str, line: str) -> dict[str, Any]:
    found = _OP.fullmatch(statement)
    if not found:
        raise GraphError(f"this is no line of a graph's text: {line[:60]!r}")
    failed, op, label, inside = found.groups()
    op = unquoted(op)
    pairs = [_operand(x) for x in _split(inside)]
    usual = known_slots(op, len(pairs))
    return {
        "kind": "error" if failed else "op",
        "op": op,
        "label": known_label(op) if label is None else unquoted(label),
        "operands": tuple([operand for _, operand in pairs]),
        "slots": tuple([slot or known for (slot, _), known in zip(pairs, usual, strict=True)]),
        "view": bool(op in REGISTRY and REGISTRY[op].view and not failed),
    }


def _split(inside: str) -> Iterator[str]:
    """Give what stands between commas outside of brackets."""
    depth = start = 0
    for i, c in enumerate(inside):
        depth += (c in "[(") - (c in "])")
        if c == "," and depth == 0:
            yield inside[start:i].strip()
            start = i + 1
    if inside:
        yield inside[start:].strip()


def _operand(text: str) -> tuple[str | None, Operand]:
    slot, equals, rest = text.partition("=")
    if not equals:
        slot, rest = "", text
    found = re.fullmatch(r"%(\d+)(?:\.(\d+))?", rest)
    if not found:
        return slot or None, Operand(None, text=rest)
    return slot or None, Operand(int(found[1]), int(found[2]) if found[2] else None)


def _types(text: str) -> dict[str, Any]:
    found = _TYPE.findall(text)
    dtypes = [_LONG.get(kind, kind) + bits for kind, bits, _ in found]
    shapes = [tuple(int(n) for n in axes.split(", ") if n) for _, _, axes in found]
    return {"dtype": ", ".join(dtypes), "shape": shapes[0] if len(shapes) == 1 else tuple(shapes)}


def _fact(fact: str, given: dict[str, Any], before: Sequence[GraphNode]) -> dict[str, Any]:
    word, _, rest = fact.partition(" ")
    plain = {"named": "name", "in": "module", "at": "line", "error": "error"}
    if word in plain:
        return {plain[word]: unquoted(rest)}
    if word in ("val", "grad"):
        return {"values" if word == "val" else "grads": _statistics(rest, _count(given["shape"]))}
    if word == "sends":
        sizes = [0 if x.node is None else _count(before[x.node].shape) for x in given["operands"]]
        sent = [_sent(x, n) for x, n in zip(rest.split(", "), sizes, strict=True)]
        pairs = zip(given["operands"], sent, strict=True)
        return {"operands": tuple([Operand(x.node, x.part, x.text, s) for x, s in pairs])}
    if word in ("took", "back"):
        return {"seconds" if word == "took" else "backward_seconds": float(rest.split()[0])}
    if word == "order":
        return {"order": int(rest)}
    if word == "saves":
        amounts = [int(x.replace(",", "")) for x in re.findall(r"\d[\d,]*(?= )", rest)]
        return dict(zip(("saved_bytes", "shared_bytes"), amounts, strict=False))
    if word == "freed":
        return {"saved_bytes": None}
    if rest == "flops":
        return {"flops": int(word.replace(",", ""))}
    raise GraphError(f"a graph's text has no fact like {fact[:60]!r}")


def _count(shape: Any) -> int:
    several = bool(shape) and isinstance(shape[0], tuple)
    return sum(map(math.prod, shape)) if several else math.prod(shape)


def _statistics(text: str, size: int) -> Statistics:
    if re.fullmatch(_NUMBER, text):
        return of_number(float(text))
    if text == "nothing":
        return Statistics(size)
    found = _SPREAD.fullmatch(text)
    if not found:
        raise GraphError(f"a graph's text has no value like {text[:60]!r}")
    least, greatest, mean, rms = [None if x is None else float(x) for x in found.groups()[:4]]
    nans, infs = (int(x or 0) for x in found.groups()[4:])
    return Statistics(size, least, mean, greatest, rms, nans, infs)


def _sent(text: str, size: int) -> Statistics | None:
    if text == "-":
        return None
    x = float(text)
    if size == 1:
        return of_number(x)
    if math.isfinite(x):
        return Statistics(size, rms=x)
    return Statistics(size, nans=int(math.isnan(x)), infs=int(math.isinf(x)))
