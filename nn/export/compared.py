"""Two runs of a model on other inputs tell what belongs to the model, and what to its inputs.

What is equal in both is the model's own. A whole number that grows as the batch does stands for
the batch. Anything else was computed from the inputs outside of the graph, where no file has it.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from itertools import zip_longest
from typing import Any, NamedTuple, cast

import numpy as np

from autograd_core.op import Op
from autograd_core.versions import Array

from .observed import ExportError, Origin, Run, Step, is_array

Sizes = tuple[int, int]  # the batch of each run


class Batch(NamedTuple):
    """A whole number: so many times the size of the batch."""

    factor: int


class Spread(NamedTuple):
    """A constant as long as the batch along one axis, of which `array` is one element."""

    array: Array
    axis: int
    factor: int


class Symbolic(NamedTuple):
    """A step whose numbers may be Batch, and whose constants may be Spread."""

    op: Op
    operands: tuple[Any, ...]
    params: tuple[Any, ...]
    shapes: tuple[tuple[Any, ...], ...]
    step: Step

    @property
    def place(self) -> str:
        return self.step.place


class _Different(Exception):
    """Two values that should agree do not."""


def compare(
    first: Run, second: Run, sizes: Sizes, known: Container[str]
) -> tuple[list[Symbolic], list[Any]]:
    """Return the steps that both runs took, and the outputs.

    Steps of ops that are not among the known ones stay as they are: they will be refused.
    """
    if [s.op for s in first.steps] != [s.op for s in second.steps]:
        pairs = zip(first.steps, second.steps, strict=False)
        fork = next((a for a, b in pairs if a.op is not b.op), None)
        place = "" if fork is None else f", first where it took {fork.place}"
        raise ExportError(
            "export_onnx: the model takes other steps with other inputs, which a file cannot say"
            f"{place}"
        )
    steps = [
        _agreed(a, b if a.op.name in known else a, sizes)
        for a, b in zip(first.steps, second.steps, strict=True)
    ]
    outputs = _values("the model", ["an output"], first.outputs, second.outputs, sizes)
    return steps, outputs


def _agreed(a: Step, b: Step, sizes: Sizes) -> Symbolic:
    op, count = a.op, len(a.operands)
    arrays = op.arrays * count if op.variadic else op.arrays
    shapes = [tuple([y.shape for y in step.results]) for step in (a, b)]
    operands = _values(a.place, arrays, a.operands, b.operands, sizes)
    params = _values(a.place, op.names, a.params, b.params, sizes)
    (shape,) = _values(a.place, ["the shape of its result"], shapes[:1], shapes[1:], sizes)
    return Symbolic(op, tuple(operands), tuple(params), shape, a)


def _values(
    place: str, names: Sequence[str], first: Sequence[Any], second: Sequence[Any], sizes: Sizes
) -> list[Any]:
    """Return what the runs have in common at one place, value by value."""
    agreed: list[Any] = []
    for name, a, b in zip_longest(names, first, second, fillvalue="their number"):
        try:
            agreed.append(_value(a, b, sizes))
        except _Different:
            raise ExportError(
                f"export_onnx: {place}: {name} depends on the inputs, or on chance, in a way "
                "that the graph has not; compute it with ops on tensors"
            ) from None
    return agreed


def _value(a: Any, b: Any, sizes: Sizes) -> Any:
    if isinstance(a, Origin) or isinstance(b, Origin):
        if a != b:
            raise _Different
        return a
    if is_array(a) and is_array(b) and a.shape != b.shape:
        return _spread(a, _common(a.shape, b.shape, sizes), b)
    return _common(a, b, sizes)


def _spread(a: Array, shape: tuple[Any, ...], b: Array) -> Spread:
    """Return a constant that only the batch makes longer: zeros, or one row again and again."""
    (axis, batch), *more = [(i, n) for i, n in enumerate(shape) if isinstance(n, Batch)]
    one = a.take([0], axis)
    if more or not ((a == one).all() and (b == one).all()):
        raise _Different
    return Spread(one, axis, batch.factor)


def _common(a: Any, b: Any, sizes: Sizes) -> Any:
    """Return what two runs have in common; raise where that is nothing."""
    kind = cast("Any", type(a))
    if kind is not type(b):
        raise _Different
    if kind is slice:
        return slice(*_common((a.start, a.stop, a.step), (b.start, b.stop, b.step), sizes))
    if issubclass(kind, (tuple, list)):
        if len(a) != len(b):
            raise _Different
        parts = [_common(x, y, sizes) for x, y in zip(a, b, strict=True)]
        return cast("Any", kind(*parts) if hasattr(a, "_fields") else kind(parts))
    if is_array(a):
        if a.dtype != b.dtype or not np.array_equal(a, b, equal_nan=a.dtype.kind == "f"):
            raise _Different
        return a
    if a == b or a is b or (a != a and b != b):
        return a
    if kind is int and a % sizes[0] == 0 and a * sizes[1] == b * sizes[0]:
        return Batch(a // sizes[0])
    raise _Different
