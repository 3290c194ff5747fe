"""Finding the first NaN: which op, which line, forward or backward."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

import numpy as np

from .errors import GraphError
from .graph import module_path
from .modes import MODE, current
from .observe import ObservedNode, observe
from .recording import Node, Traced

__all__ = ["AnomalyError", "detect_anomaly", "is_anomaly_enabled", "set_detect_anomaly"]


class AnomalyError(GraphError):
    """A NaN appeared where there was none before."""


class detect_anomaly(observe):
    """`with detect_anomaly():` raises at the first NaN, forward or backward, and names the line.

    An infinity raises nothing, since masks are made of them, but the first one is named too: it
    is often where the NaN comes from.
    """

    def __init__(self, check_nan: bool = True) -> None:
        super().__init__(blame=None)
        self.check_nan = check_nan
        self.infinite = ""  # where the first infinity came from

    def keep(self, node: ObservedNode, operands: Sequence[Any]) -> None:
        """Look at a result; keep nothing but the line, for a training loop may run for hours."""
        results = node.result if isinstance(node.result, tuple) else (node.result,)
        node.result, node.sources = None, node.edges
        if not self.check_nan:
            return
        for array in results:
            if array.dtype.kind == "f" and not np.isfinite(array).all():
                self._look(node, array, operands)

    def _look(self, node: ObservedNode, array: Any, operands: Sequence[Any]) -> None:
        if not np.isnan(array).any():
            if not self.infinite and not any(map(_infinite, operands)):
                self.infinite = f"; the first infinity came from {_place(node)}"
            return
        before = [i for i, x in enumerate(operands) if _has_nan(x)]
        if before:
            name = _slot(node, before[0])
            found = (
                f"forward: {_place(node)} got a nan in its operand {name!r}, which no op made "
                "here: it came in with the data, or was written in place"
            )
        else:
            found = f"forward: the first nan came from {_place(node)}, at {_first(array)}"
        raise AnomalyError(found + self.infinite)

    def start(self, roots: Sequence[tuple[Any, Any]]) -> None:
        """Look at the gradients that a backward is given."""
        for _, g in roots:
            if self.check_nan and _has_nan(g):
                raise AnomalyError(
                    f"backward: the gradient that was given has a nan, at {_first(_numbers(g))}"
                )

    def note(self, node: Node, source: Any, x: Any) -> None:
        """Look at one contribution that backward sends along an edge."""
        array = x._array if isinstance(x, Traced) else np.asarray(x)
        if not self.check_nan or np.isfinite(array).all():
            return
        if np.isnan(array).any():
            name = _operand_name(node, source)
            raise AnomalyError(
                f"backward: the first nan came from {_place(node)}, in the gradient of its "
                f"operand {name!r}, at {_first(array)}{self.infinite}"
            )
        if not self.infinite:
            self.infinite = f"; the first infinity came from the backward of {_place(node)}"


def _infinite(x: Any) -> bool:
    return bool(np.isinf(_numbers(x)).any())


def _has_nan(x: Any) -> bool:
    return bool(np.isnan(_numbers(x)).any())


def _numbers(x: Any) -> Any:
    array = x._array if isinstance(x, Traced) else x
    if isinstance(array, (np.ndarray, np.generic, float)) and np.asarray(array).dtype.kind == "f":
        return array
    return np.zeros(())


def _first(array: Any) -> str:
    place = np.argwhere(np.isnan(array))[0].tolist()
    return f"{place} of shape {array.shape}" if array.ndim else "its only element"


def _operand_name(node: Node, source: Any) -> str:
    return _slot(node, next((i for i, e in enumerate(node.edges) if e is source), 0))


def _slot(node: Node, i: int) -> str:
    names = node.op.arrays
    return names[i] if i < len(names) else f"{names[-1]}[{i}]"


def _place(node: Node) -> str:
    line = getattr(node, "line", None) or "an unknown line (recorded outside detect_anomaly())"
    module = "" if node.scope is None else f" in {module_path(node.scope)}"
    return f"{node.op.name}{module}, {line}"


def is_anomaly_enabled() -> bool:
    """Tell whether NaNs are being looked for."""
    return isinstance(current().observer, detect_anomaly)


class set_detect_anomaly:
    """Switch detection on or off from here on, or for the length of a `with` block."""

    def __init__(self, mode: bool, check_nan: bool = True) -> None:
        self._before = current()
        MODE.set(current().replace(observer=detect_anomaly(check_nan) if mode else None))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        MODE.set(self._before)
