"""A model as a table: every module, what it puts out, what it owns, what a run of it costs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import autograd_core as ag
from autograd_core import Tensor
from autograd_core.graph.statistics import of_array
from autograd_core.render.badges import rms_of
from autograd_core.render.quantities import decades
from autograd_core.render.words import time_text

from .costs import multiply_adds, saved_bytes, seconds

if TYPE_CHECKING:
    from .module import Module

Shape = tuple[int, ...]
DECADES = 12  # of the bar beside a gradient


@dataclass(frozen=True)
class Row:
    """One module; its children have rows of their own, so its parameters are its own only."""

    name: str
    type: str
    outputs: tuple[Shape, ...]  # of its last call; none where it was not called
    parameters: int
    multiply_adds: int | None = None  # of matrix products and convolutions; None: not run
    saved_bytes: int | None = None  # kept for backward, beside parameters and buffers
    seconds: float | None = None  # of its own ops, forward
    grad_rms: float | None = None  # of the gradients that its own parameters have now


@dataclass(frozen=True, repr=False)
class Summary:
    """The rows, parents first; printing it gives the table.

    Times differ from run to run, so they are printed only if asked for; gradients, if there are.
    """

    rows: tuple[Row, ...]
    parameters: int
    trainable: int
    times: bool = False

    @property
    def multiply_adds(self) -> int:
        """Those of the whole run."""
        return sum(row.multiply_adds or 0 for row in self.rows)

    @property
    def saved_bytes(self) -> int:
        """What the whole run keeps for backward."""
        return sum(row.saved_bytes or 0 for row in self.rows)

    @property
    def seconds(self) -> float:
        """Those of the whole forward."""
        return sum(row.seconds or 0.0 for row in self.rows)

    def _columns(self) -> dict[str, tuple[Callable[[Row], str], str]]:
        """Return for each column of numbers how a row shows it, and the total."""
        run = any(row.multiply_adds is not None for row in self.rows)
        counts = ("parameters", "multiply_adds", "saved_bytes") if run else ("parameters",)
        columns: dict[str, tuple[Callable[[Row], str], str]] = {
            name.replace("_", " "): (partial(_count, name), f"{getattr(self, name):,}")
            for name in counts
        }
        if self.times and run:
            columns["time"] = (lambda row: time_text(row.seconds or 0.0), time_text(self.seconds))
        if any(row.grad_rms is not None for row in self.rows):
            columns["grad rms"] = (_gradient, "")
        return columns

    def __repr__(self) -> str:
        columns = self._columns()
        head = ("name", "type", "output shape", *columns)
        cells = [
            (
                row.name,
                row.type,
                ", ".join(map(str, row.outputs)) or "-",
                *(show(row) for show, _ in columns.values()),
            )
            for row in self.rows
        ]
        total = ("total", "", "", *(text for _, text in columns.values()))
        widths = [max(map(len, column)) for column in zip(head, *cells, total, strict=True)]
        rule = "-" * (sum(widths) + 2 * (len(widths) - 1))
        lines = [_line(head, widths), rule, *(_line(c, widths) for c in cells), rule]
        lines.append(_line(total, widths))
        if self.trainable != self.parameters:
            lines.append(_line(("trainable", "", "", f"{self.trainable:,}"), widths[:4]))
        return "\n".join(lines)


def summary(model: Module, *inputs: Any, times: bool = False) -> Summary:
    """Tabulate a model, running it once, in evaluation mode, to see shapes and costs.

    An input is a tensor, or the shape of one example without the batch axis: (1, 28, 28).
    Without inputs nothing is run and only the parameters are counted. An array that several
    modules keep for backward counts for the first. `times` adds the time of each one's own ops.
    """
    outputs: dict[int, tuple[Shape, ...]] = {}
    adds, saved, took = Counter[int](), Counter[int](), dict[int, float]()
    if inputs:
        with _evaluating(model), _noting(model, outputs), ag.enable_grad(), ag.observe() as seen:
            model(*(_example(model, i) for i in inputs))
        adds, took = multiply_adds(seen.nodes), seconds(seen.nodes)
        saved = saved_bytes(seen.nodes, [*model.parameters(), *model.buffers()])
    counted: set[int] = set()
    rows: list[Row] = []
    for path, module in model.named_modules(prefix=type(model).__name__):
        own = [p for p in module.parameters(recurse=False) if id(p) not in counted]
        counted.update(map(id, own))
        key = id(module)
        costs = (adds[key], saved[key], took.get(key, 0.0)) if inputs else (None, None, None)
        count = sum(p.numel() for p in own)
        facts = (path, type(module).__name__, outputs.get(key, ()), count)
        rows.append(Row(*facts, *costs, grad_rms=_grad_rms(own)))
    trainable = sum(p.numel() for p in model.parameters() if p.requires_grad)
    return Summary(tuple(rows), sum(row.parameters for row in rows), trainable, times)


def _grad_rms(parameters: Sequence[Tensor]) -> float | None:
    """Return the root mean square of their gradients; None without any."""
    return rms_of([of_array(p.grad.numpy()) for p in parameters if p.grad is not None])


def _count(name: str, row: Row) -> str:
    return f"{getattr(row, name):,}"


def _gradient(row: Row) -> str:
    """Return the number, and a bar of one mark a decade from 1e-9 to 1e3."""
    if row.grad_rms is None:
        return f"-{' ' * (DECADES + 1)}"
    marks = "#" * round(DECADES * (decades(row.grad_rms) or 0.0))
    return f"{row.grad_rms:.1e} {marks:<{DECADES}}"


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
    """Words to the left, numbers to the right."""
    pairs = list(zip(cells, widths, strict=True))
    words = [text.ljust(width) for text, width in pairs[:3]]
    return "  ".join([*words, *(text.rjust(width) for text, width in pairs[3:])]).rstrip()
