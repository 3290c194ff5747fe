"""Element types, and how they combine: PyTorch's categories and widths on NumPy's dtype objects."""

from __future__ import annotations

from typing import Any

import numpy as np

from .errors import DtypeError

float16 = half = np.dtype(np.float16)
float32 = float = np.dtype(np.float32)
float64 = double = np.dtype(np.float64)
uint8 = np.dtype(np.uint8)
int8 = np.dtype(np.int8)
int16 = short = np.dtype(np.int16)
int32 = int = np.dtype(np.int32)
int64 = long = np.dtype(np.int64)
bool = np.dtype(np.bool_)
dtype = np.dtype

KNOWN = frozenset((float16, float32, float64, uint8, int8, int16, int32, int64, bool))

_default = float32


def get_default_dtype() -> np.dtype[Any]:
    """Return the dtype that Python floats become."""
    return _default


def set_default_dtype(d: Any) -> None:
    """Choose the dtype that Python floats become; it must be a floating one."""
    global _default
    dtype = as_dtype(d)
    if dtype.kind != "f":
        raise DtypeError(f"set_default_dtype got {dtype}: it needs float16, float32 or float64")
    _default = dtype


def as_dtype(d: Any) -> np.dtype[Any]:
    """Return the dtype meant by a NumPy dtype, its name, or Python's float, int, bool."""
    try:
        dtype = np.dtype(d)
    except TypeError:
        dtype = None
    if d is None or dtype not in KNOWN:
        names = ", ".join(sorted(str(k) for k in KNOWN))
        raise DtypeError(f"unknown dtype {d!r}: use one of {names}")
    return dtype  # pyright: ignore[reportReturnType]


def is_floating(dtype: np.dtype[Any]) -> np.bool_ | Any:
    """Tell whether gradients can flow through this dtype."""
    return dtype.kind == "f"


class finfo:
    """The limits of a floating dtype, of the default one if none is given."""

    def __init__(self, type: Any = None) -> None:
        self.dtype = _default if type is None else as_dtype(type)
        if self.dtype.kind != "f":
            raise DtypeError(f"finfo got {self.dtype}: it needs a floating dtype")
        limits: Any = np.finfo(self.dtype)
        self.bits: Any = limits.bits
        self.min, self.max = limits.min.item(), limits.max.item()
        self.eps, self.resolution = limits.eps.item(), limits.resolution.item()
        self.tiny = self.smallest_normal = limits.tiny.item()


class iinfo:
    """The limits of an integer dtype."""

    def __init__(self, type: Any) -> None:
        self.dtype = as_dtype(type)
        if self.dtype.kind not in "iu":
            raise DtypeError(f"iinfo got {self.dtype}: it needs an integer dtype")
        limits = np.iinfo(self.dtype)
        self.bits, self.min, self.max = limits.bits, limits.min, limits.max


_CATEGORY = {"b": 0, "u": 1, "i": 1, "f": 2}


def promote_types(a: np.dtype[Any], b: np.dtype[Any]) -> np.dtype[Any]:
    """Return the smallest dtype that holds both; an integer never widens a float."""
    if a is b:
        return a
    if (a.kind == "f") != (b.kind == "f"):
        return a if a.kind == "f" else b
    return np.promote_types(a, b)


def result_type(*operands: Any) -> np.dtype[Any]:
    """Return the dtype of an operation on arrays and Python numbers.

    Arrays with dimensions decide; a 0-d array, and then a Python number, counts only when its
    category (bool < integer < float) is higher.
    """
    groups: list[np.dtype[Any] | None] = [None, None, None]  # with dimensions, 0-d, numbers
    for x in operands:
        if isinstance(x, np.ndarray):
            rank, dtype = (0 if x.ndim else 1), x.dtype
        else:
            rank, dtype = 2, dtype_of_number(x)
        known = groups[rank]
        groups[rank] = dtype if known is None else promote_types(known, dtype)
    result: np.dtype[Any] | None = None
    for dtype in groups:
        if dtype is None:
            continue
        if result is None:
            result = dtype
        elif _CATEGORY[dtype.kind] > _CATEGORY[result.kind]:
            result = promote_types(result, dtype)
    assert result is not None, "result_type needs an operand"
    return result


def dtype_of_number(x: Any) -> np.dtype[Any]:
    """Return the dtype that a Python number stands for."""
    kind = np.dtype(type(x)).kind
    if kind == "b":
        return bool
    if kind in "iu":
        return int64
    if kind == "f":
        return _default
    raise DtypeError(f"unknown dtype {type(x).__name__}: numbers must be bool, int or float")
