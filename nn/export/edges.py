"""Writing an ONNX graph: edges that carry arrays, and the nodes between them."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any

import numpy as np

from autograd_core import dtypes
from autograd_core.versions import Array

from .compared import Batch, Spread
from .observed import is_array

OPSET = 20
IR_VERSION = 10

Shape = tuple[Any, ...]  # of ints and Batch


class NoForm(Exception):
    """An op, as it was called, has no form in ONNX; the text says why."""


def library() -> Any:
    """Return the module onnx."""
    try:
        return import_module("onnx")
    except ImportError as error:
        message = 'export_onnx needs onnx: pip install "autograd-core[onnx]"'
        raise ImportError(message) from error


class Edge:
    """An array inside the graph; what is done with it becomes a node."""

    def __init__(self, graph: Builder, name: str, dtype: np.dtype[Any], shape: Shape = ()) -> None:
        self.graph = graph
        self.name = name
        self.dtype = dtype
        self.shape = shape  # known of the operands and results of the model's own ops

    @property
    def ndim(self) -> int:
        return len(self.shape)

    def axis(self, dim: int) -> int:
        """Return an axis counted from the front."""
        if not self.ndim:
            raise NoForm("it works along an axis, and its operand has none")
        return dim + self.ndim if dim < 0 else dim

    def do(self, kind: str, *others: Any, outputs: int = 1, dtype: Any = None, **given: Any) -> Any:
        """Return what a node of this kind makes of the edge and others: numbers have its dtype."""
        inputs = [self, *(self.like(x) if isinstance(x, (int, float)) else x for x in others)]
        names = self.graph.node(kind, inputs, outputs, given)
        edges = [Edge(self.graph, name, dtype or self.dtype) for name in names]
        return edges[0] if outputs == 1 else edges

    def like(self, value: Any) -> Edge:
        """Return a constant of the same dtype."""
        return self.graph.constant(np.asarray(value, self.dtype))

    def ints(self, *values: Any) -> Edge:
        """Return a vector of whole numbers."""
        return self.graph.ints(values)

    def cast(self, dtype: Any) -> Edge:
        """Return the same numbers in another dtype."""
        if dtype == self.dtype:
            return self
        return self.shaped(self.do("Cast", to=self.graph.type_of(dtype), dtype=np.dtype(dtype)))

    def shaped(self, edge: Edge) -> Edge:
        """Say that an edge made of this one has the same shape."""
        edge.shape = self.shape
        return edge

    def reshape(self, shape: Shape) -> Edge:
        """Return the same numbers in another shape; one number that is not known is left open."""
        unknown = [i for i, n in enumerate(shape) if isinstance(n, Batch)]
        if len(unknown) == 1 and 0 not in shape:
            shape = tuple(-1 if i in unknown else n for i, n in enumerate(shape))
        return self.do("Reshape", self.ints(*shape), allowzero=1)

    def __add__(self, other: Any) -> Edge:
        return self.do("Add", other)

    def __sub__(self, other: Any) -> Edge:
        return self.do("Sub", other)

    def __mul__(self, other: Any) -> Edge:
        return self.do("Mul", other)

    def __truediv__(self, other: Any) -> Edge:
        return self.do("Div", other)

    def __neg__(self) -> Edge:
        return self.do("Neg")


class Builder:
    """Nodes and constants of a graph, under names of their own."""

    def __init__(self, names: dict[int, str]) -> None:
        self.onnx = library()
        self.names = names  # id of an array that has a name in the model -> that
        self.nodes: list[Any] = []
        self.constants: dict[str, Array] = {}
        self.place = ""  # names the nodes that are written now
        self.batch: tuple[str, int] | None = None  # the input that has the batch, and which axis
        self._known: dict[Any, Edge] = {}

    def fresh(self, name: str) -> str:
        """Return a name for one more array."""
        return f"{name}_{len(self.nodes)}"

    def node(self, kind: str, inputs: Sequence[Edge | None], outputs: int, given: Any) -> list[str]:
        """Write a node and return the names of what it gives."""
        if any(isinstance(x, Batch) for value in given.values() for x in _items(value)):
            raise NoForm(f"the {kind} that it becomes must not depend on the size of the batch")
        name = self.fresh(f"{self.place}/{kind}")
        results = [f"{name}:{k}" for k in range(outputs)] if outputs > 1 else [name]
        names = ["" if x is None else x.name for x in inputs]
        made = self.onnx.helper.make_node(kind, names, results, name, **given)
        self.nodes.append(made)
        return results

    def constant(self, array: Array) -> Edge:
        """Return an edge that carries this array; a parameter under its own name."""
        name = self.names.get(id(array))
        key = name or (array.shape, array.dtype, array.tobytes() if array.size < 64 else id(array))
        if key not in self._known:
            name = name or f"constant_{len(self.constants)}"
            self.constants[name] = array
            self._known[key] = Edge(self, name, array.dtype, array.shape)
        return self._known[key]

    def spread(self, value: Spread) -> Edge:
        """Return a constant repeated for each element of the batch."""
        shape = list(value.array.shape)
        sizes: list[Any] = [*shape]
        sizes[value.axis] = Batch(value.factor)
        edge = self.constant(value.array).do("Expand", self.ints(sizes))
        edge.shape = tuple(sizes)
        return edge

    def ints(self, values: Sequence[Any]) -> Edge:
        """Return a vector of whole numbers, some of which may be known at run time only."""
        if not any(isinstance(n, Batch) for n in values):
            return self.constant(np.array(values, np.int64))
        parts = [
            self._size() * n.factor if isinstance(n, Batch) else self.ints([n]) for n in values
        ]
        return parts[0].do("Concat", *parts[1:], axis=0)

    def _size(self) -> Edge:
        """Return the size of the batch, as a vector."""
        assert self.batch is not None, "nothing depends on a batch that is fixed"
        if "batch" not in self._known:
            name, axis = self.batch
            source = Edge(self, name, dtypes.int64)
            self._known["batch"] = source.do("Shape", start=axis, end=axis + 1)
        return self._known["batch"]

    def type_of(self, dtype: Any) -> int:
        """Return the number by which ONNX knows a dtype."""
        return self.onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype))

    def operand(self, value: Any, dtype: np.dtype[Any] | None) -> Any:
        """Return an edge for a constant; numbers stay numbers where no dtype is wanted."""
        if isinstance(value, Spread):
            return self.spread(value)
        if is_array(value):
            return self.constant(value)
        if dtype is None or value is None:
            return value
        if isinstance(value, Batch):
            return self.ints([value]).reshape(()).cast(dtype)
        return self.constant(np.asarray(value, dtype))


def _items(value: Any) -> list[Any]:
    return list(value) if type(value) in (list, tuple) else [value]
