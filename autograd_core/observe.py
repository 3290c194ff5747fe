"""Observed recording: every op with its result, its line and its time, tracked or not."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

from .modes import MODE, Mode, current
from .op import Op
from .recording import (
    Node,
    Traced,
    apply_numbers,
    attach,
    common_dtype,
    finish,
    new,
    plain,
    run,
    unwrap,
)

_PACKAGES = ("autograd_core", "nn", "optim", "training")
_HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_OURS = tuple(os.path.join(_HERE, name) + os.sep for name in _PACKAGES)


class ObservedNode(Node):
    """A node that also keeps where every operand came from, its result, line and time."""

    __slots__ = ("line", "result", "seconds", "sources")

    sources: tuple[Any, ...]  # ObservedNode, tensor or number, for each operand
    result: Any  # a bare array, or a tuple of them
    line: str  # file:line of the user's call
    seconds: float


class observe:
    """`with observe() as seen:` keeps every op that runs inside in `seen.nodes`."""

    def __init__(self) -> None:
        self.nodes: list[ObservedNode] = []
        self.contributions: list[tuple[Node, Any, Any]] = []  # node, edge, what backward sent
        self._before: list[Mode] = []

    def __enter__(self) -> Self:
        self._before.append(current())
        MODE.set(current().replace(observer=self))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        MODE.set(self._before.pop())

    def apply(self, op: Op, operands: Sequence[Any], params: tuple[Any, ...], mode: Mode) -> Any:
        """Run an op as `recording.apply` does, and keep what it did."""
        arrays, traced = unwrap(op, operands)
        if traced is None:
            return apply_numbers(op, operands, params)
        if op.promotes:
            arrays = common_dtype(op, arrays)
        if not traced:
            return run(op, op.forward, arrays, params)
        start = time.perf_counter()
        y = run(op, mode.run, [op.forward, *map(plain, arrays)], params)
        seconds = time.perf_counter() - start
        out = finish(op, operands, arrays, params, y, mode, ObservedNode)
        parts = out if op.results else (out,)
        node = next((_maker(part) for part in parts if part._rg), None)
        self.witness(op, operands, params, parts, node, seconds)
        return out

    def witness(
        self,
        op: Op,
        operands: Sequence[Any],
        params: tuple[Any, ...],
        parts: Sequence[Any],
        node: Any,
        seconds: float,
    ) -> None:
        """Keep what an op did that gave these parts; it left a node if something requires grad."""
        result = tuple([part._array for part in parts])
        if node is None:  # nothing requires grad: kept for the picture only
            node = new(ObservedNode)
            whole = list(result) if op.results else result[0]
            attach(op, (), (), params, whole, current(), node)
        node.sources = tuple([_source(x) for x in operands])
        for part in parts:
            part._made = node
        node.seconds, node.line = seconds, user_line()
        node.result = result if op.results else result[0]
        self.keep(node, operands)

    def user_line(self) -> str:
        """Return file:line of the user's code that is running."""
        return user_line()

    def keep(self, node: ObservedNode, operands: Sequence[Any]) -> None:
        """Take in what an op did."""
        self.nodes.append(node)

    def note(self, node: Node, source: Any, x: Any) -> None:
        """Keep one contribution that backward sends along an edge."""
        self.contributions.append((node, source, x._array if isinstance(x, Traced) else x))


def _maker(part: Any) -> Any:
    node = part._node
    return node if isinstance(node, ObservedNode) else node.edges[0]


def _source(x: Any) -> Any:
    if isinstance(x, Traced):
        return x._made or x._node or x
    return x


_shown: dict[str, str | None] = {}  # file -> how its lines are shown; None for this library's own


def user_line() -> str:
    """Return file:line of the innermost caller that is not part of this library."""
    frame = sys._getframe(1)
    while frame is not None:
        path = frame.f_code.co_filename
        shown = _shown.get(path, "")
        if shown == "":
            shown = _shown[path] = _show(path)
        if shown is not None:
            return f"{shown}:{frame.f_lineno}"
        frame = frame.f_back
    return "?"


def _show(path: str) -> str | None:
    if path.startswith(_OURS) or path.startswith("<frozen"):
        return None
    if path.startswith("<"):
        return path
    relative = os.path.relpath(path)
    return path if relative.startswith("..") else relative
