"""How tensors print: PyTorch's layout, with the op's name as grad_fn."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .dtypes import bool as bool_
from .dtypes import get_default_dtype, int64


class device:
    """Where tensors live: always the CPU."""

    def __init__(self, type: str = "cpu", index: int | None = None) -> None:
        from .creation import check_device

        check_device(type)
        self.type, self.index = "cpu", index

    def __eq__(self, other: object) -> bool:
        return isinstance(other, device) or other == "cpu"

    def __hash__(self) -> int:
        return hash("cpu")

    def __str__(self) -> str:
        return "cpu"

    def __repr__(self) -> str:
        return "device(type='cpu')"


CPU = device.__new__(device)
CPU.type, CPU.index = "cpu", None

PRECISION, THRESHOLD, EDGE, WIDTH = 4, 1000, 3, 80


def tensor_text(x: Any) -> str:
    """Return repr(x)."""
    array = x._array.view(np.ndarray)
    prefix = "tensor("
    notes: list[str] = []
    if array.size == 0 and array.ndim != 1:
        notes.append(f"size={tuple(array.shape)}")
    if array.dtype not in (get_default_dtype(), int64, bool_):
        notes.append(f"dtype={array.dtype}")
    if x._node is not None:
        notes.append(f"grad_fn={x._node!r}")
    elif x._rg:
        notes.append("requires_grad=True")
    text = _elements(array, len(prefix))
    out = prefix + text
    last = len(out) - out.rfind("\n") - 1
    for note in notes:
        fits = last + len(note) + 3 <= WIDTH
        out += ", " + note if fits else ",\n" + " " * len(prefix) + note
        last = last + len(note) + 2 if fits else len(prefix) + len(note)
    return out + ")"


def _elements(array: Any, indent: int) -> str:
    if array.size == 0:
        return "[]"
    shown = _summarized(array) if array.size > THRESHOLD else array
    write = _writer(np.asarray(shown).reshape(-1))
    return _nested(array, write, indent, array.size > THRESHOLD)


def _summarized(array: Any) -> Any:
    for axis, n in enumerate(array.shape):
        if n > 2 * EDGE:
            array = np.take(array, [*range(EDGE), *range(n - EDGE, n)], axis)
    return array


def _writer(values: Any) -> Any:
    """Return the function that writes one element; all come out equally wide."""
    if values.dtype.kind == "b":
        width = max(len(str(bool(v))) for v in values)
        return lambda v: str(bool(v)).rjust(width if values.size > 1 else 0)
    if values.dtype.kind in "iu":
        width = max(len(str(v)) for v in values.tolist())
        return lambda v: str(int(v)).rjust(width)
    finite = [abs(float(v)) for v in values if math.isfinite(v) and v != 0]
    form = _float_form(finite)
    width = max(len(form(float(v))) for v in values)
    return lambda v: form(float(v)).rjust(width)


def _float_form(finite: list[float]) -> Any:
    whole = all(v == math.floor(v) for v in finite)
    large, small = max(finite, default=0.0), min(finite, default=0.0)
    wide = bool(finite) and (large / small > 1000.0 or small < 1e-4)
    if large > 1e8 or (wide and not whole):
        return lambda v: f"{v:.{PRECISION}e}" if math.isfinite(v) else str(v)
    if whole:
        return lambda v: f"{v:.0f}." if math.isfinite(v) else str(v)
    return lambda v: f"{v:.{PRECISION}f}" if math.isfinite(v) else str(v)


def _nested(array: Any, write: Any, indent: int, summarize: bool) -> str:
    if array.ndim == 0:
        return write(array[()]).strip()
    n = len(array)
    short = summarize and n > 2 * EDGE
    places = [*range(EDGE), None, *range(n - EDGE, n)] if short else list(range(n))
    if array.ndim == 1:
        return _row(["..." if i is None else write(array[i]) for i in places], indent)
    gap = "," + "\n" * (array.ndim - 1) + " " * (indent + 1)
    parts = [
        "..." if i is None else _nested(array[i], write, indent + 1, summarize) for i in places
    ]
    return "[" + gap.join(parts) + "]"


def _row(items: list[str], indent: int) -> str:
    width = max(len(item) for item in items) + 2
    per_line = max(1, (WIDTH - indent) // width)
    lines = [items[i : i + per_line] for i in range(0, len(items), per_line)]
    return "[" + (",\n" + " " * (indent + 1)).join(", ".join(line) for line in lines) + "]"


__all__ = ["CPU", "device", "tensor_text"]
