"""The graph as plain data: numbered nodes and their operands, ready to print, draw or compare."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from .statistics import Statistics

Shape = tuple[int, ...]


class Operand(NamedTuple):
    """What one argument slot of an op holds: another node's result, or a number or an array."""

    node: int | None  # number of the node it comes from
    part: int | None = None  # which of that node's results
    text: str = ""  # what it is, where it comes from no node
    sent: Statistics | None = None  # what backward sent back along it


class GraphNode(NamedTuple):
    """One op, leaf or constant of a graph."""

    number: int
    kind: str  # "op", "leaf" (requires grad), "input", "constant", or "error": the op that failed
    op: str
    label: str
    operands: tuple[Operand, ...]
    slots: tuple[str, ...]  # the op's names for its operands
    shape: Any  # of an op with several results, a tuple of their shapes
    dtype: str
    name: str | None = None
    module: str | None = None  # label of the innermost running module, see Graph.modules
    line: str | None = None
    order: int = 0  # 1: ran in a differentiable backward; 2: in the backward of that; ...
    view: bool = False  # shows the memory of its first operand
    saved_bytes: int | None = None  # None once freed
    shared_bytes: int = 0  # of those, what an earlier node keeps as well
    values: Statistics | None = None
    grads: Statistics | None = None  # of what arrived; of a leaf, of its `.grad`
    seconds: float | None = None  # of the forward
    backward_seconds: float | None = None
    flops: int | None = None  # where known
    error: str = ""

    @property
    def value(self) -> float | None:
        """The result, where it is one number."""
        return self.values and self.values.item

    @property
    def grad(self) -> float | None:
        """The gradient, where it is one number."""
        return self.grads and self.grads.item

    @property
    def is_source(self) -> bool:
        """Whether no op made it."""
        return self.kind in ("leaf", "input", "constant")

    @property
    def freed(self) -> bool:
        """Whether backward has freed what was saved."""
        return self.saved_bytes is None and self.kind == "op"

    @property
    def nbytes(self) -> int:
        """Bytes of the result."""
        pairs = zip(self.shapes, self.dtype.split(", "), strict=False)
        return sum(_size(shape) * _item_bytes(dtype) for shape, dtype in pairs)

    @property
    def shapes(self) -> tuple[Shape, ...]:
        """The shape of each result."""
        several = bool(self.shape) and isinstance(self.shape[0], tuple)
        return self.shape if several else (self.shape,)

    @property
    def type_text(self) -> str:
        """The type of the result, or of each of several, as f32[64, 10]."""
        return " ".join(map(type_text, self.dtype.split(", "), self.shapes))


@dataclass(frozen=True, slots=True)
class GraphModule:
    """A module that ran: `Sequential.2 (Conv2d)` is the Conv2d that a Sequential calls its 2."""

    label: str
    path: str
    type: str
    parent: str | None  # label of the module that called it


@dataclass(frozen=True, slots=True)
class Graph:
    """A graph: its nodes in topological order, numbered from 0."""

    nodes: tuple[GraphNode, ...]
    outputs: tuple[int, ...]
    modules: tuple[GraphModule, ...] = ()
    error: str = ""  # what ended the run, where only a part of it is here

    @property
    def saved_bytes(self) -> int:
        """Bytes that backward still needs; an array that several nodes keep counts once."""
        return sum((node.saved_bytes or 0) - node.shared_bytes for node in self.nodes)

    def to_text(self, path: str | Path | None = None, **choices: Any) -> str:
        """One line for each node: its number, op, operands, shape and dtype.

        `width` cuts lines, `color` marks them up for a terminal (unless NO_COLOR is set),
        `ascii` spells everything else out. Whole lines can be read back by `Graph.from_text`.
        """
        from ..render.text import graph_text

        return written(graph_text(self, **choices), path)

    def to_tree(self, path: str | Path | None = None, **choices: Any) -> str:
        """A small graph with its edges as rails, results first; at most 60 ops."""
        from ..render.rails import graph_tree

        return written(graph_tree(self, **choices), path)

    def to_json(self, path: str | Path | None = None) -> str:
        """Everything, as JSON with a versioned schema."""
        from .schema import graph_json

        return written(graph_json(self), path)

    def to_dot(self, path: str | Path | None = None, **choices: Any) -> str:
        """The graph in the DOT language of Graphviz; `choices` are those of `view`."""
        from ..render.dot import view_dot

        return written(view_dot(self.view(**{"collapse": 0.0} | choices)), path)

    def to_mermaid(self, path: str | Path | None = None, **choices: Any) -> str:
        """The graph in the language of Mermaid, which takes at most 500 edges."""
        from ..render.mermaid import view_mermaid

        return written(view_mermaid(self.view(**{"collapse": 0.0} | choices)), path)

    def to_svg(self, path: str | Path | None = None, **choices: Any) -> str:
        """The graph as a picture; `choices` are those of `view`, and `theme` and `engine`."""
        from ..render.forms import svg

        return written(svg(self, **choices), path)

    def to_html(self, path: str | Path | None = None, **choices: Any) -> str:
        """The graph as a page to explore and to step through, which needs no network.

        `choices` are `title`, `collapse`, `theme`, and `other`: an earlier graph to compare with.
        """
        from ..render.page import write

        return written(write(self, **choices), path)

    def view(self, **choices: Any) -> Any:
        """Choose what a picture shows, see `render.choose.view_of`."""
        from ..render.choose import view_of

        return view_of(self, **choices)

    @staticmethod
    def from_json(text: str) -> Graph:
        """Read what `to_json` wrote."""
        from .schema import read_json

        return read_json(text)

    @staticmethod
    def from_text(text: str) -> Graph:
        """Read what `to_text` wrote: the same graph, its numbers as exact as they were printed."""
        from ..render.text_reader import read_text

        return read_text(text)

    def __str__(self) -> str:
        return self.to_text()

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        from ..render.forms import mimebundle

        return mimebundle(self)


def written(text: str, path: str | Path | None) -> str:
    """Write a text to a file, if one is named, and return it."""
    if path is not None:
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
    return text


def _size(shape: Iterable[int]) -> int:
    size = 1
    for n in shape:
        size *= n
    return size


def _item_bytes(dtype: str) -> int:
    return np.dtype(dtype).itemsize


_SHORT = {"float": "f", "int": "i", "uint": "u"}


def type_text(dtype: Any, shape: Any) -> str:
    """Return dtype and shape as f32[64, 10]."""
    name = str(dtype)
    kind = name.rstrip("0123456789")
    return f"{_SHORT.get(kind, kind)}{name[len(kind) :]}{list(shape)}"
