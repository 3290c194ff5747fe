"""Observed recording: every op with its result, its line and its time, tracked or not."""

from __future__ import annotations

import os
import sys
import time
import traceback
from collections.abc import Sequence
from types import FrameType, TracebackType
from typing import Any, NamedTuple, Self

from .modes import MODE, Mode, current
from .op import PART, Op
from .recording import Node, Traced, attach, new

_PACKAGES = ("autograd_core", "nn", "optim", "training")
_HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_OURS = tuple(os.path.join(_HERE, name) + os.sep for name in _PACKAGES)


class ObservedNode(Node):
    """A node that also keeps where every operand came from, its result, line and time."""

    __slots__ = ("place", "result", "seconds", "sources")

    sources: tuple[Any, ...]  # ObservedNode, tensor or number, for each operand
    result: Any  # a bare array, or a tuple of them
    place: tuple[str, int]  # file and line of the user's call
    seconds: float

    @property
    def line(self) -> str:
        """file:line of the user's call, or ? where there is none."""
        return _line(self.place)


class Failure(NamedTuple):
    """An op that raised: what it was given, and what it said."""

    op: str
    sources: tuple[Any, ...]
    slots: tuple[str, ...]
    scope: Any
    line: str
    message: str


class observe:
    """`with observe() as seen:` keeps every op that runs inside in `seen.nodes`.

    With `blame` an exception, or else the first NaN, leaves a picture of what led to it there:
    `observe(blame="why.svg")`.
    """

    def __init__(self, blame: str | os.PathLike[str] | None = None) -> None:
        self.blame = blame
        self.nodes: list[ObservedNode] = []
        self.contributions: list[tuple[Node, Any, Any]] = []  # node, edge, what backward sent
        self.roots: list[tuple[Any, Any]] = []  # edges and cotangents that backward started from
        self.backward_seconds: dict[Node, float] = {}
        self.failure: Failure | None = None  # the op that raised last
        self._clock = 0.0  # when backward came to where it is
        self._before: list[Mode] = []
        self._unobserved: tuple[Mode, Mode] | None = None  # a mode, and the same without observer

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
        self._unobserved = None  # the modes in it refer to the observer
        if self.blame is not None and (error is None or isinstance(error, Exception)):
            from .render.neighbourhood import explain

            explain(self, os.fspath(self.blame), error)

    def apply(self, op: Op, operands: Sequence[Any], params: tuple[Any, ...], mode: Mode) -> Any:
        """Run an op as it runs unobserved, and keep what it did."""
        if self._unobserved is None or self._unobserved[0] is not mode:
            self._unobserved = mode, mode.replace(observer=None)
        MODE.set(self._unobserved[1])
        start = time.perf_counter()
        try:
            out = op.call(operands, *params) if op.variadic else op.call(*operands, *params)
        except Exception as error:
            self.failure = _failure(op, operands, mode, error)
            raise
        finally:
            seconds = time.perf_counter() - start
            MODE.set(mode)
        parts = out if op.results else (out,)
        if isinstance(parts[0], Traced):  # and not bare arrays, or Values
            self.witness(op, operands, params, parts, _exchanged(parts), seconds)
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
        node.seconds, node.place = seconds, user_place()
        node.result = result if op.results else result[0]
        self.keep(node, operands)

    def fresh(self) -> ObservedNode:
        """Return a node for what is recorded while this observer looks on."""
        return new(ObservedNode)

    def saw(
        self, op: Op, operands: Sequence[Any], params: tuple[Any, ...], out: Any, seconds: float
    ) -> None:
        """Keep what an op with one result did: `witness` for the calls of flat.py."""
        node = out._node
        if node is None:
            self.witness(op, operands, params, (out,), None, seconds)
            return
        node.result = out._array
        node.sources = tuple([_source(x) for x in operands])
        node.seconds, node.place = seconds, user_place()
        out._made = node
        self.keep(node, operands)

    def user_line(self) -> str:
        """Return file:line of the user's code that is running."""
        return user_line()

    def keep(self, node: ObservedNode, operands: Sequence[Any]) -> None:
        """Take in what an op did."""
        if not node.edges:  # nothing flows back; the shapes of the operands are told all the same
            node.edges = tuple([_like(x) for x in operands])
        self.nodes.append(node)

    def replaced(self, old: Any, new: Any) -> None:
        """Take in that the array `old` was overwritten with the numbers of `new`."""

    def start(self, roots: Sequence[tuple[Any, Any]]) -> None:
        """Take in the edges and cotangents that a backward starts from."""
        self.roots += roots
        self._clock = time.perf_counter()

    def note(self, node: Node, source: Any, x: Any) -> None:
        """Keep one contribution that backward sends along an edge, and how long it took."""
        took = time.perf_counter() - self._clock
        self.backward_seconds[node] = self.backward_seconds.get(node, 0.0) + took
        self.contributions.append((node, source, x._array if isinstance(x, Traced) else x))
        self._clock = time.perf_counter()


def _failure(op: Op, operands: Sequence[Any], mode: Mode, error: Exception) -> Failure:
    slots = [f"{op.arrays[0]}[{i}]" for i in range(len(operands))] if op.variadic else op.arrays
    sources = tuple([_source(x) for x in operands])
    return Failure(op.name, sources, tuple(slots), mode.scope, user_line(), str(error))


def failure_of(error: Exception, seen: observe) -> Failure:
    """Return the op that an error came from; the error itself, where it came from elsewhere."""
    if seen.failure is not None and str(error).endswith(seen.failure.message):
        return seen.failure
    frames = traceback.walk_tb(error.__traceback__)
    lines = [f"{shown}:{n}" for frame, n in frames if (shown := _shown_as(frame)) is not None]
    return Failure(type(error).__name__, (), (), None, lines[-1] if lines else "?", str(error))


def _exchanged(parts: Sequence[Any]) -> ObservedNode | None:
    """Put an observed node in place of the node that an op has just left behind its results."""
    made: ObservedNode | None = None
    for part in parts:
        node = part._node
        if node is None:
            continue
        if node.op is PART:
            made = made or _copied(node.edges[0])
            node.edges = (made,)
        else:
            made = part._node = _copied(node)
    return made


def _copied(node: Node) -> ObservedNode:
    made = new(ObservedNode)
    made.op, made.params, made.edges, made.saved = node.op, node.params, node.edges, node.saved
    made.shape, made.dtype, made.scope = node.shape, node.dtype, node.scope
    made.time, made.watch = node.time, node.watch
    return made


def _like(x: Any) -> Any:
    """Return shape and dtype of an array; numbers are themselves."""
    return (x.shape, x.dtype) if hasattr(x, "dtype") else x


def _source(x: Any) -> Any:
    if isinstance(x, Traced):
        return x._made or x._node or x
    return x


_shown: dict[str, str | None] = {}  # file -> how its lines are shown; None for this library's own


def user_place() -> tuple[str, int]:
    """Return file and line of the innermost caller that is not part of this library."""
    frame = sys._getframe(2)
    while frame is not None:
        shown = _shown.get(frame.f_code.co_filename, "")
        if shown == "":
            shown = _shown_as(frame)
        if shown is not None:
            return shown, frame.f_lineno
        frame = frame.f_back
    return "?", 0


def user_line() -> str:
    """Return file:line of the innermost caller that is not part of this library."""
    return _line(user_place())


def _line(place: tuple[str, int]) -> str:
    return f"{place[0]}:{place[1]}" if place[1] else place[0]


def _shown_as(frame: FrameType) -> str | None:
    """Return how a frame's file is shown; None for this library's own."""
    path = frame.f_code.co_filename
    shown = _shown.get(path, "")
    if shown == "":
        shown = _shown[path] = _show(path)
    return shown


def _show(path: str) -> str | None:
    if path.startswith(_OURS) or path.startswith("<frozen"):
        return None
    if path.startswith("<"):
        return path
    relative = os.path.relpath(path)
    return path if relative.startswith("..") else relative
