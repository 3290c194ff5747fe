"""A model as an ONNX file: run twice, and every op written as the nodes that it is there."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

import autograd_core as ag
from autograd_core import Tensor
from autograd_core.recording import Traced

from ..files import PathLike, write_atomically
from ..module import Module
from .compared import compare
from .observed import ExportError, run
from .rules import RULES
from .writing import Writer

__all__ = ["ExportError", "export_onnx"]


def export_onnx(
    model: Callable[..., Any],
    inputs: Tensor | Sequence[Tensor],
    path: PathLike | None = None,
    *,
    batch_axis: int | None = None,
    input_names: Sequence[str] = (),
    output_names: Sequence[str] = (),
) -> Any:
    """Return what the model does with the inputs, at evaluation, as ONNX; write it to a file too.

    Parameters and buffers keep their names. Sizes are those of the inputs, but for `batch_axis`
    of all of them, which may then have any size. The model runs twice: what it does otherwise in
    the second run, on other numbers, has no place in a file and is an error.
    """
    given = [inputs] if isinstance(inputs, Traced) else list(inputs)
    _check(given, batch_axis)
    with _evaluating(model):
        first = run(model, [x.detach().clone() for x in given])
        second = run(model, [_turned(x, batch_axis) for x in given])
    size = 1 if batch_axis is None else given[0].shape[batch_axis]
    steps, outputs = compare(first, second, (size, size + 1), RULES)
    writer = Writer(_parameters(model), batch_axis)
    writer.take(first.inputs, input_names)
    for number, step in enumerate(steps):
        writer.write(number, step)
    writer.give(outputs, output_names)
    proto = writer.model(type(model).__name__)
    if path is not None:
        write_atomically(Path(path), proto.SerializeToString())
    return proto


def _check(inputs: Sequence[Any], batch_axis: int | None) -> None:
    for x in inputs:
        if not isinstance(x, Tensor):
            raise TypeError(f"export_onnx got a {type(x).__name__} as input: it needs Tensors")
    if not inputs:
        raise ValueError("export_onnx got no inputs: it needs those that the model is called with")
    if batch_axis is not None:
        shapes = [tuple(x.shape) for x in inputs]
        if any(not 0 <= batch_axis < len(shape) for shape in shapes):
            raise IndexError(f"export_onnx got batch_axis={batch_axis} for inputs {shapes}")
        if len({shape[batch_axis] for shape in shapes}) > 1 or not shapes[0][batch_axis]:
            raise ag.ShapeError(
                f"export_onnx got inputs {shapes} and batch_axis={batch_axis}: "
                "their batches must have one size, not 0"
            )


@contextmanager
def _evaluating(model: Any) -> Generator[None]:
    """Let a module evaluate for a while."""
    modules = list(model.modules()) if isinstance(model, Module) else []
    modes = [module.training for module in modules]
    try:
        for module in modules:
            module.training = False
        yield
    finally:
        for module, training in zip(modules, modes, strict=True):
            module.training = training


def _turned(x: Tensor, batch_axis: int | None) -> Tensor:
    """Return other numbers of the same kind, with one more of the batch.

    They are those of x back to front, and floats smaller by a quarter: so sums differ, too.
    """
    y = np.flip(x.detach().numpy())
    y = y * y.dtype.type(0.75) if y.dtype.kind == "f" else y
    if batch_axis is not None:
        y = np.concatenate([y, y.take([0], batch_axis)], batch_axis)
    return ag.tensor(y)


def _parameters(model: Any) -> dict[int, str]:
    """Return the names of parameters and buffers by the id of their arrays."""
    if not isinstance(model, Module):
        return {}
    named: list[tuple[str, Tensor]] = [*model.named_parameters(), *model.named_buffers()]
    return {id(tensor._array): name for name, tensor in named}
