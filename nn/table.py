"""A model as a table: every module, what it puts out, how many parameters it owns."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import autograd_core as ag
from autograd_core import Tensor

if TYPE_CHECKING:
    from .module import Module

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Row:
    """One module; its children have rows of their own, so its parameters are its own only."""

    name: str
    type: str
    outputs: tuple[Shape, ...]  # of its last call; none where it was not called
    parameters: int


@dataclass(frozen=True, repr=False)
class Summary:
    """The rows, parents first; printing it gives the table."""

    rows: tuple[Row, ...]
    parameters: int
    trainable: int

    def __repr__(self) -> str:
        head = ("name", "type", "output shape", "parameters")
        cells = [
            (row.name, row.type, ", ".join(map(str, row.outputs)) or "-", f"{row.parameters:,}")
            for row in self.rows
        ]
        total = ("total", "", "", f"{self.parameters:,}")
        widths = [max(map(len, column)) for column in zip(head, *cells, total, strict=True)]
        rule = "-" * (sum(widths) + 2 * (len(widths) - 1))
        lines = [_line(head, widths), rule, *(_line(c, widths) for c in cells), rule]
        lines.append(_line(total, widths))
        if self.trainable != self.parameters:
            lines.append(_line(("trainable", "", "", f"{self.trainable:,}"), widths))
        return "\n".join(lines)


def summary(model: Module, *inputs: Any) -> Summary:
    """Tabulate a model, running it once, in evaluation mode, to see the shapes.

    An input is a tensor, or the shape of one example without the batch axis: (1, 28, 28).
    Without inputs nothing is run and the output shapes stay unknown.
    """
    outputs: dict[int, tuple[Shape, ...]] = {}
    if inputs:
        with _evaluating(model), _noting(model, outputs), ag.no_grad():
            model(*(_example(model, i) for i in inputs))
    counted: set[int] = set()
    rows: list[Row] = []
    for path, module in model.named_modules(prefix=type(model).__name__):
        own = [p for p in module.parameters(recurse=False) if id(p) not in counted]
        counted.update(map(id, own))
        shapes = outputs.get(id(module), ())
        rows.append(Row(path, type(module).__name__, shapes, sum(p.numel() for p in own)))
    trainable = sum(p.numel() for p in model.parameters() if p.requires_grad)
    return Summary(tuple(rows), sum(row.parameters for row in rows), trainable)


def _example(model: Module, given: Any) -> Any:
    """Make a batch of one example of a shape; leave anything else as it is."""
    if not _is_shape(given):
        return given
    dtypes = (p.dtype for p in model.parameters())
    return ag.zeros(1, *given, dtype=next(dtypes, None))


def _is_shape(given: Any) -> bool:
    return isinstance(given, (tuple, list)) and all(
        isinstance(n, int) for n in cast("Sequence[Any]", given)
    )


@contextmanager
def _evaluating(model: Module) -> Generator[None, None, None]:
    """Evaluation mode for a while; afterwards each module is as it was."""
    before = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, training in before:
            module.training = training


@contextmanager
def _noting(model: Module, outputs: dict[int, tuple[Shape, ...]]) -> Generator[None, None, None]:
    """Note the output shapes of every call, by standing in front of each module's forward."""
    modules = [module for module in model.modules() if "forward" not in vars(module)]
    for module in modules:
        vars(module)["forward"] = _noted(module, outputs)
    try:
        yield
    finally:
        for module in modules:
            del vars(module)["forward"]


def _noted(module: Module, outputs: dict[int, tuple[Shape, ...]]) -> Any:
    forward = module.forward

    def noted(*args: Any, **kwargs: Any) -> Any:
        result = forward(*args, **kwargs)
        several = isinstance(result, (tuple, list))
        found = cast("Sequence[Any]", result) if several else [result]
        outputs[id(module)] = tuple(tuple(y.shape) for y in found if isinstance(y, Tensor))
        return result

    return noted


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    *texts, number = zip(cells, widths, strict=True)
    left = [text.ljust(width) for text, width in texts]
    return "  ".join([*left, number[0].rjust(number[1])]).rstrip()
