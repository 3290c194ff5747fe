"""Which graphs are alive, and which variable keeps them so."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from types import FrameType, ModuleType
from typing import Any

from .engine import history
from .recording import Node, Number, Traced
from .saved import saved_arrays

__all__ = ["LiveGraphs", "live_graphs"]


@dataclass(frozen=True)
class Holder:
    """One variable through which nodes are reached."""

    variable: str
    place: str  # file:line that its frame is at
    nodes: int
    saved_bytes: int

    def __str__(self) -> str:
        return (
            f"{self.nodes:,} nodes, {_size(self.saved_bytes)}, "
            f"kept alive by {self.variable}, {self.place}"
        )


@dataclass(frozen=True)
class LiveGraphs:
    """How many nodes are alive, what they keep, and who holds them: the largest first."""

    nodes: int
    saved_bytes: int
    holders: tuple[Holder, ...]

    def __str__(self) -> str:
        if not self.nodes:
            return "no graph is alive"
        head = f"{self.nodes:,} nodes alive, {_size(self.saved_bytes)} saved for backward"
        lines = [str(holder) for holder in self.holders]
        if not lines:
            lines = ["no variable of a running frame leads to them: look at objects and closures"]
        return "\n".join([head, *(f"  {line}" for line in lines)])


def _size(n: int) -> str:
    for unit, bound in (("B", 1e3), ("kB", 1e6), ("MB", 1e9)):
        if n < bound:
            return _rounded(n / (bound / 1e3), unit)
    return _rounded(n / 1e9, "GB")


def _rounded(x: float, unit: str) -> str:
    return f"{x:.0f} {unit}" if x >= 10 or unit == "B" else f"{x:.1f} {unit}"


def live_graphs() -> LiveGraphs:
    """Report the nodes that are alive, their saved bytes, and the variables that hold them.

    Variables are looked up in every running frame, into lists, dicts and attributes. This
    walks all objects of the process: a diagnosis, not for every step.
    """
    nodes = [x for x in gc.get_objects() if _is(x, Node) and _is_op(x)]
    found: dict[tuple[str, str], list[Any]] = {}
    seen_at: set[int] = set()
    for frame in _frames():
        place = f"{os.path.basename(frame.f_code.co_filename)}:{frame.f_lineno}"
        names = dict(frame.f_locals)
        for name, value in names.items():
            for path, root in _roots(name, value, 3):
                if id(root) not in seen_at:
                    seen_at.add(id(root))
                    found.setdefault((path, place), []).append(root)
    holders = [_holder(path, place, roots) for (path, place), roots in found.items()]
    holders.sort(key=lambda h: (-h.saved_bytes, -h.nodes, h.variable))
    return LiveGraphs(len(nodes), _saved(nodes), tuple(holders))


def _is(x: Any, *classes: type) -> bool:
    """isinstance without asking x, which may be a proxy that does things when asked."""
    return issubclass(type(x), classes)


def _is_op(node: Any) -> bool:
    return not isinstance(node, Number) or bool(node.edges)


def _frames() -> Iterator[FrameType]:
    """Give the frames of all threads, without this module's own."""
    for top in sys._current_frames().values():
        frame: FrameType | None = top
        while frame is not None:
            if frame.f_code.co_filename != __file__:
                yield frame
            frame = frame.f_back


def _roots(path: str, value: Any, depth: int) -> Iterator[tuple[str, Any]]:
    """Give the nodes that a variable leads to, with the path that leads there."""
    if _is(value, Traced):
        if value._node is not None:
            yield path, value._node
        if value._grad is not None and value._grad._node is not None:
            yield f"{path}.grad", value._grad._node
    elif _is(value, Number):
        if value.edges:
            yield path, value
    elif depth > 0:
        for name, item in _inside(value):
            yield from _roots(path + name, item, depth - 1)


def _inside(value: Any) -> list[tuple[str, Any]]:
    """Return what a container or an object holds, with what leads there."""
    if _is(value, dict):
        return [("", item) for item in list(value.values())]
    if _is(value, list, tuple, set):
        return [("", item) for item in list(value)]
    if _is(value, type, ModuleType):  # what modules hold is the business of their frames
        return []
    try:
        attributes = object.__getattribute__(value, "__dict__")
    except AttributeError:
        return []
    return [(f".{name}", item) for name, item in list(attributes.items())]


def _holder(path: str, place: str, roots: list[Any]) -> Holder:
    order = history(roots)
    return Holder(path, place, len([n for n in order if _is_op(n)]), _saved(order))


def _saved(nodes: list[Any]) -> int:
    arrays: dict[int, int] = {}
    for node in nodes:
        if not isinstance(node, Number):
            arrays |= {id(array): array.nbytes for array in saved_arrays(node)}
    return sum(arrays.values())
