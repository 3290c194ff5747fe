"""How tensors print: PyTorch's layout, with the op's name as grad_fn."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .dtypes import bool as bool_
from .dtypes import get_default_dtype, int64


class Style:
    """How much of a tensor prints, and how exactly; what is set on an instance is the user's."""

    precision, threshold, edgeitems, linewidth = 4, 1000, 3, 80
    sci_mode: bool | None = None  # None: where sizes differ much, or are large or small


STYLE = Style()
_PROFILES: dict[str, dict[str, float]] = {
    "default": {},
    "short": {"precision": 2, "edgeitems": 2},
    "full": {"threshold": math.inf},
}


def set_printoptions(
    precision: int | None = None,
    threshold: float | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    profile: str | None = None,
    sci_mode: bool | None = None,
) -> None:
    """Change how tensors print; a profile (default, short, full) resets what is not given."""
    if profile is not None and profile not in _PROFILES:
        raise ValueError(f"set_printoptions got profile={profile!r}: use {', '.join(_PROFILES)}")
    given = {"precision": precision, "threshold": threshold}
    given |= {"edgeitems": edgeitems, "linewidth": linewidth}
    before = vars(STYLE) if profile is None else _PROFILES[profile]
    chosen = {name: value for name, value in given.items() if value is not None}
    STYLE.__dict__ = {**before, **chosen, "sci_mode": sci_mode}


def tensor_text(x: Any) -> str:
    """Return repr(x)."""
    array = x._array.view(np.ndarray)
    prefix = "tensor("
    notes: list[str] = []
    if array.size == 0 and array.ndim != 1:
        notes.append(f"size={tuple(array.shape)}")
    known = (get_default_dtype(), int64, bool_) if array.size else (get_default_dtype(),)
    if array.dtype not in known:
        notes.append(f"dtype={array.dtype}")
    if x._node is not None:
        notes.append(f"grad_fn={x._node!r}")
    elif x._rg:
        notes.append("requires_grad=True")
    text = _elements(array, len(prefix))
    out = prefix + text
    last = len(out) - out.rfind("\n") - 1
    for note in notes:
        fits = last + len(note) + 3 <= STYLE.linewidth
        out += ", " + note if fits else ",\n" + " " * len(prefix) + note
        last = last + len(note) + 2 if fits else len(prefix) + len(note)
    return out + ")"


def _elements(array: Any, indent: int) -> str:
    if array.size == 0:
        return "[]"
    shown = _summarized(array) if array.size > STYLE.threshold else array
    writer = _Writer(np.asarray(shown).reshape(-1))
    return _nested(array, writer, indent, array.size > STYLE.threshold)


def _summarized(array: Any) -> Any:
    edge = STYLE.edgeitems
    for axis, n in enumerate(array.shape):
        if n > 2 * edge:
            array = np.take(array, [*range(edge), *range(n - edge, n)], axis)
    return array


class _Writer:
    """Writes one element; zeros, infinities and NaN do not count for the width of floats."""

    def __init__(self, values: Any) -> None:
        numbers: list[Any] = values.tolist()
        self.form: Any = str
        if values.dtype.kind == "f":
            numbers = [x for x in numbers if math.isfinite(x) and x != 0]
            self.form = _float_form([abs(x) for x in numbers])
        self.width = max((len(self.form(x)) for x in numbers), default=1)

    def __call__(self, x: Any) -> str:
        return self.form(x.item()).rjust(self.width)


def _float_form(sizes: list[float]) -> Any:
    """Return how floats of these sizes are written: with an exponent, whole, or with decimals."""
    large, small = max(sizes, default=1.0), min(sizes, default=1.0)
    spread = large / small > 1000.0 or large > 1e8 or small < 1e-4
    if sizes and (spread if STYLE.sci_mode is None else STYLE.sci_mode):
        return lambda x: f"{x:.{STYLE.precision}e}"
    if all(x == math.floor(x) for x in sizes):
        return lambda x: f"{x:.0f}." if math.isfinite(x) else str(x)
    return lambda x: f"{x:.{STYLE.precision}f}"


def _nested(array: Any, write: _Writer, indent: int, summarize: bool) -> str:
    if array.ndim == 0:
        return write(array[()]).strip()
    n, edge = len(array), STYLE.edgeitems
    short = summarize and n > 2 * edge
    places = [*range(edge), None, *range(n - edge, n)] if short else list(range(n))
    if array.ndim == 1:
        items = [" ..." if i is None else write(array[i]) for i in places]
        return _row(items, (STYLE.linewidth - indent) // (write.width + 2), indent)
    gap = "," + "\n" * (array.ndim - 1) + " " * (indent + 1)
    parts = [
        "..." if i is None else _nested(array[i], write, indent + 1, summarize) for i in places
    ]
    return "[" + gap.join(parts) + "]"


def _row(items: list[str], per_line: int, indent: int) -> str:
    per_line = max(1, per_line)
    lines = [items[i : i + per_line] for i in range(0, len(items), per_line)]
    return "[" + (",\n" + " " * (indent + 1)).join(", ".join(line) for line in lines) + "]"


__all__ = ["tensor_text"]
