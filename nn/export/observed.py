"""One run of a model as a list of steps: which op, on what, with which parameters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

import autograd_core as ag
from autograd_core import GraphError, Tensor, versions
from autograd_core.graph import module_path
from autograd_core.observe import ObservedNode, observe
from autograd_core.op import Op
from autograd_core.tree import leaves
from autograd_core.versions import Array


class ExportError(GraphError):
    """A model does something that a file cannot say."""


class Origin(NamedTuple):
    """Where an array came from: which result of which step; step -1 gives the inputs."""

    step: int
    number: int


class Step(NamedTuple):
    """One run of an op. An operand is an Origin, or a constant: an array, a number or None."""

    op: Op
    operands: tuple[Any, ...]
    params: tuple[Any, ...]
    results: tuple[Array, ...]
    module: str  # the path of the innermost one, "" outside of all
    line: str

    @property
    def place(self) -> str:
        """What errors say about it."""
        module = f" in {self.module}" if self.module else ""
        return f"{self.op.name}{module} at {self.line}"


class Run(NamedTuple):
    """What a model did with its inputs; steps that do not depend on these are left out."""

    inputs: tuple[Array, ...]
    steps: list[Step]
    outputs: tuple[Any, ...]  # operands, as a step has them


def is_array(x: Any) -> bool:
    """Tell whether x is a bare array."""
    return isinstance(x, np.ndarray)


def run(model: Callable[..., Any], inputs: Sequence[Tensor]) -> Run:
    """Run a model and keep what it does."""
    tracer = Tracer([x._array for x in inputs])
    with tracer, ag.no_grad():
        output = model(*inputs)
    return tracer.finish(output)


class Tracer(observe):
    """Follows arrays by identity, so that it knows those that do not require grad as well."""

    def __init__(self, inputs: Sequence[Array]) -> None:
        super().__init__()
        self.inputs = tuple(inputs)
        self.steps: list[Step] = []
        start = versions.tick()
        self._origins = {id(a): (Origin(-1, i), start) for i, a in enumerate(inputs)}
        self._stands: dict[int, Array] = {}  # id of an overwritten array -> what has its value
        self._constants: list[tuple[Array, str, int]] = []  # with the place and time of their use
        self._alive: list[Any] = []  # so that no id is given twice

    def keep(self, node: ObservedNode, operands: Sequence[Any]) -> None:
        """Take in a step."""
        results: tuple[Array, ...] = node.result if node.op.results else (node.result,)
        self._alive.append((operands, results))
        module = "" if node.scope is None else module_path(node.scope)
        step = Step(node.op, (), node.params, results, module, node.line)
        given = tuple([self._source(x, step.place) for x in operands])
        if any(isinstance(x, Origin) for x in given):
            for k, array in enumerate(results):
                self._origins[id(array)] = Origin(len(self.steps), k), node.time
            self.steps.append(step._replace(operands=given))

    def replaced(self, old: Any, new: Any) -> None:
        """Take in that `old` has been overwritten: from now on it is the result that `new` is."""
        if old.dtype == new.dtype and old.shape == new.shape:
            self._stands[id(old)] = new
            self._alive.append((old, new))

    def finish(self, output: Any) -> Run:
        """Return the run, once it has ended with this output."""
        outputs = tuple([self._source(x, "the output") for x in leaves(output)])
        for array, place, time in self._constants:
            if versions.overwritten_since(array, time):
                raise _changed(array, place)
        return Run(self.inputs, self.steps, outputs)

    def _source(self, x: Any, place: str) -> Any:
        array: Any = x._array if isinstance(x, Tensor) else x
        if not is_array(array):
            return array
        array = self._stands.get(id(array), array)
        if id(array) not in self._origins:
            self._constants.append((array, place, versions.tick()))
            return array
        origin, time = self._origins[id(array)]
        if versions.overwritten_since(array, time):
            raise _changed(array, place)
        return origin


def _changed(array: Array, place: str) -> ExportError:
    line = versions.line_of_change(array) or "a line that was not observed"
    return ExportError(
        f"export_onnx: {place}: it reads a tensor that was changed in place at {line}; "
        "use an op that returns a new tensor there"
    )
