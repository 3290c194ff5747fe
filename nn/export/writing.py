"""A model's steps as an ONNX graph: inputs, nodes, outputs, and the file that has them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd_core.dtypes import get_default_dtype, result_type
from autograd_core.versions import Array

from .compared import Batch, Spread, Symbolic
from .edges import IR_VERSION, OPSET, Builder, Edge, NoForm
from .observed import ExportError, Origin
from .rules import RULES


class Writer:
    """Writes inputs, the steps of a model one after the other, and outputs."""

    def __init__(self, parameters: dict[int, str], batch_axis: int | None) -> None:
        self.graph = Builder(parameters)
        self.batch_axis = batch_axis
        self.inputs: list[Any] = []
        self.outputs: list[Any] = []
        self.edges: dict[Origin, Edge | ExportError] = {}  # an error waits until it is used

    def take(self, inputs: Sequence[Array], given: Sequence[str]) -> None:
        """Write the inputs."""
        names = _numbered("input", len(inputs), given)
        for i, (name, array) in enumerate(zip(names, inputs, strict=True)):
            sizes = enumerate(array.shape)
            shape = tuple(Batch(1) if axis == self.batch_axis else n for axis, n in sizes)
            edge = Edge(self.graph, name, array.dtype, shape)
            self.edges[Origin(-1, i)] = edge
            self.inputs.append(self._described(edge))
        if self.batch_axis is not None:
            self.graph.batch = names[0], self.batch_axis

    def give(self, outputs: Sequence[Any], given: Sequence[str]) -> None:
        """Write the outputs."""
        names = _numbered("output", len(outputs), given)
        for name, x in zip(names, outputs, strict=True):
            if not isinstance(x, (Origin, Spread, np.ndarray)):
                raise TypeError(
                    f"export_onnx: the model returns a {type(x).__name__}: it must be Tensors"
                )
            edge = self._operand(x, None)
            made = self.graph.onnx.helper.make_node("Identity", [edge.name], [name], name)
            self.graph.nodes.append(made)
            self.outputs.append(self._described(Edge(self.graph, name, edge.dtype, edge.shape)))

    def write(self, number: int, step: Symbolic) -> None:
        """Write one step, and keep the edges it leaves behind, or why there are none."""
        self.graph.place = step.step.module.split(" ")[0].replace(".", "/") or "model"
        count = len(step.step.results)
        try:
            results = self._applied(step)
        except NoForm as error:
            refused = ExportError(f"export_onnx: {step.place} has no form in ONNX: {error}")
            results = [refused] * count
        except ExportError as refused:  # an operand has none
            results = [refused] * count
        for k, (edge, array) in enumerate(zip(results, step.step.results, strict=True)):
            origin = Origin(number, k)
            if edge is None:
                text = f"export_onnx: result {k} of {step.place} has no form in ONNX"
                self.edges[origin] = ExportError(text)
            elif isinstance(edge, ExportError):
                self.edges[origin] = edge
            else:
                self.edges[origin] = Edge(self.graph, edge.name, array.dtype, step.shapes[k])

    def _applied(self, step: Symbolic) -> Sequence[Edge | None]:
        op, rule = step.op, RULES.get(step.op.name)
        if rule is None:
            raise NoForm("there is no rule for it")
        operands = self._operands(step)
        if isinstance(rule, str):
            first, *others = operands
            return [first.do(rule, *others)]
        y = Edge(self.graph, "", step.step.results[0].dtype, step.shapes[0])
        arrays = [operands] if op.variadic else operands
        given: dict[str, Any] = dict(zip(op.arrays, arrays, strict=True))
        given |= dict(zip(op.names, step.params, strict=True)) | {"y": y}
        wanted = rule.__code__.co_varnames[: rule.__code__.co_argcount]
        results: Any = rule(*[given[name] for name in wanted])
        return results if op.results else [results]

    def _operands(self, step: Symbolic) -> list[Any]:
        """Return the operands as edges, in the dtype in which they meet."""
        promotes = step.op.promotes
        fixed = 0 if promotes is True else int(promotes) if promotes else len(step.operands)
        meet = [self._raw(x) for x in step.operands[fixed:]]
        dtype = result_type(*(x for x in meet if x is not None)) if meet else None
        if dtype is not None and step.op.floats_only and dtype.kind != "f":
            dtype = get_default_dtype()
        return [self._operand(x, None if i < fixed else dtype) for i, x in enumerate(step.operands)]

    def _operand(self, x: Any, dtype: Any) -> Any:
        """Return an edge, in this dtype if one is given; what is no array may stay as it is."""
        edge = self._edge(x) if isinstance(x, Origin) else self.graph.operand(x, dtype)
        if dtype is None or not isinstance(edge, Edge):
            return edge
        return edge.cast(dtype)

    def _raw(self, x: Any) -> Any:
        """Return what decides the common dtype."""
        if isinstance(x, Origin):
            edge = self._edge(x)
            return np.empty((1,) * edge.ndim, edge.dtype)
        if isinstance(x, Spread):
            return x.array
        return 1 if isinstance(x, Batch) else x

    def _edge(self, x: Origin) -> Edge:
        edge = self.edges[x]
        if isinstance(edge, ExportError):
            raise edge
        return edge

    def _described(self, edge: Edge) -> Any:
        """Return name, dtype and shape of an input or an output."""
        shape = [_size_text(n) if isinstance(n, Batch) else n for n in edge.shape]
        helper = self.graph.onnx.helper
        return helper.make_tensor_value_info(edge.name, self.graph.type_of(edge.dtype), shape)

    def model(self, name: str) -> Any:
        """Return the whole, checked."""
        onnx = self.graph.onnx
        nodes = _needed(self.graph.nodes, [x.name for x in self.outputs])
        used = {name for node in nodes for name in node.input}
        constants = [
            onnx.numpy_helper.from_array(np.asarray(array, order="C"), key)
            for key, array in self.graph.constants.items()
            if key in used
        ]
        graph = onnx.helper.make_graph(nodes, name, self.inputs, self.outputs, constants)
        opsets = [onnx.helper.make_opsetid("", OPSET)]
        proto = onnx.helper.make_model(graph, opset_imports=opsets, producer_name="autograd-core")
        proto.ir_version = IR_VERSION
        onnx.checker.check_model(proto, full_check=True)
        return proto


def _size_text(batch: Batch) -> str:
    return "batch" if batch.factor == 1 else f"{batch.factor}*batch"


def _numbered(word: str, count: int, names: Sequence[str]) -> Sequence[str]:
    """Return the names given, or the word, numbered where there are several."""
    if names and len(names) != count:
        raise ValueError(f"export_onnx got {word}_names {list(names)}: there are {count} {word}s")
    return names or ([word] if count == 1 else [f"{word}_{i}" for i in range(count)])


def _needed(nodes: Sequence[Any], outputs: Sequence[str]) -> list[Any]:
    """Return the nodes that the outputs depend on."""
    wanted, kept = set(outputs), list[Any]()
    for node in reversed(nodes):
        if wanted & set(node.output):
            kept.append(node)
            wanted |= set(node.input)
    return kept[::-1]
