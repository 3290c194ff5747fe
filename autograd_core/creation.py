"""Making tensors: from data, and from rules."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np

from .devices import check_device
from .dtypes import as_dtype, get_default_dtype, int64
from .dtypes import bool as bool_
from .errors import DtypeError, ShapeError
from .recording import Traced, wrap
from .versions import Array, ForeignArray

if TYPE_CHECKING:
    from ._tensor import Tensor

__all__ = [
    "arange", "as_tensor", "empty", "empty_like", "eye", "from_dlpack", "from_numpy", "full",
    "full_like", "linspace", "logspace", "ones", "ones_like", "tensor", "tril_indices",
    "triu_indices", "zeros", "zeros_like",
]  # fmt: skip

Make = TypeVar("Make", bound=Callable[..., Any])


def finished(array: Any, requires_grad: bool, device: Any = None) -> Any:
    """Return a leaf tensor on `array`."""
    check_device(device)
    out = wrap(array)
    return out.requires_grad_() if requires_grad else out


def tensor(data: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """A new leaf with a copy of the data: numbers, nested sequences, arrays, tensors.

    Python floats become the default dtype, ints int64; arrays keep their dtype.
    """
    return finished(array_of(data, dtype, copy=True), requires_grad, device)


def as_tensor(data: Any, dtype: Any = None, device: Any = None) -> Tensor:
    """The data as a tensor, without a copy where it is a tensor or an array already."""
    check_device(device)
    if isinstance(data, Traced):
        return data if dtype is None else data.to(dtype)  # pyright: ignore
    if isinstance(data, np.ndarray) and dtype in (None, data.dtype):
        return from_numpy(data)
    return wrap(array_of(data, dtype, copy=False))


def array_of(data: Any, dtype: Any, copy: bool) -> Array:
    wanted = None if dtype is None else as_dtype(dtype)
    if isinstance(data, Traced):
        return np.array(data._array, wanted, copy=copy or None, subok=False)
    if isinstance(data, np.ndarray):
        as_dtype(data.dtype)
        return np.array(data, wanted, copy=copy or None, order="C")
    try:
        array = np.array(_without_tensors(data))
    except (ValueError, TypeError) as error:
        raise ShapeError(
            "tensor got a ragged sequence: nested sequences must have equal lengths "
            f"({_ragged(data)})"
        ) from error
    if array.dtype.kind not in "biuf":
        raise DtypeError(f"tensor got {_culprit(data)}: it needs numbers, or sequences of numbers")
    with np.errstate(over="ignore"):  # 1e300 is inf in float32
        return array.astype(wanted or _inferred(array, data), copy=False)


def _inferred(array: Array, data: Any) -> np.dtype[Any]:
    leaf = data
    while isinstance(leaf, (list, tuple)) and leaf:
        leaf = leaf[0]
    if isinstance(leaf, (np.ndarray, np.generic, Traced)) and array.dtype.kind != "O":
        return as_dtype(array.dtype)
    if array.dtype.kind == "f":
        return get_default_dtype()
    return bool_ if array.dtype.kind == "b" else int64


def _without_tensors(data: Any) -> Any:
    if isinstance(data, Traced):
        return data._array
    if isinstance(data, (list, tuple)):
        return [_without_tensors(x) for x in data]
    return data


def _ragged(data: Any) -> str:
    """Say where the first unequal lengths are."""
    if isinstance(data, (list, tuple)):
        lengths = [len(x) if isinstance(x, (list, tuple)) else None for x in data]
        for i, n in enumerate(lengths):
            if n != lengths[0]:
                first, other = (
                    "a number" if m is None else f"{m} elements" for m in (lengths[0], n)
                )
                return f"item 0 is {first}, item {i} is {other}"
        for x in data:
            found = _ragged(x)
            if found:
                return found
    return ""


def _culprit(data: Any) -> str:
    if isinstance(data, (list, tuple)):
        for x in data:
            found = _culprit(x)
            if found:
                return found
        return ""
    return "" if isinstance(data, (bool, int, float, np.number, Traced)) else repr(data)


def from_numpy(array: Array) -> Tensor:
    """A tensor that shares the array's memory; writing to either is seen in both.

    An op that saves such memory keeps a checksum, so that a change made behind its back is an
    error in backward and never a wrong gradient.
    """
    if not isinstance(array, np.ndarray):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise TypeError(f"from_numpy got a {type(array).__name__}: it needs an ndarray")
    as_dtype(array.dtype)
    return wrap(array.view(ForeignArray))


def from_dlpack(x: Any) -> Tensor:
    """A tensor that shares memory with any library that speaks DLPack, where it can."""
    return from_numpy(np.from_dlpack(x))


def sized(make: Make) -> Make:
    """Let the size be given by name too."""

    @functools.wraps(make)
    def call(*size: Any, **options: Any) -> Any:
        if "size" in options:
            size += (options.pop("size"),)
        return make(*size, **options)

    return cast(Make, call)


def size_of(shape: tuple[Any, ...], who: str) -> Any:
    if len(shape) == 1 and isinstance(shape[0], (tuple, list)):
        shape = tuple(shape[0])
    if any(isinstance(n, (bool, float)) for n in shape):
        raise TypeError(f"{who} got the size {shape}: it needs whole numbers")
    if any(n < 0 for n in shape):
        raise ShapeError(f"{who} got the size {shape}: no size may be negative")
    return tuple(int(n) for n in shape)


@sized
def empty(*size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Uninitialised memory."""
    return finished(
        np.empty(size_of(size, "empty"), dtype_or_default(dtype)), requires_grad, device
    )


@sized
def zeros(*size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """All zeros."""
    return finished(
        np.zeros(size_of(size, "zeros"), dtype_or_default(dtype)), requires_grad, device
    )


@sized
def ones(*size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """All ones."""
    return finished(np.ones(size_of(size, "ones"), dtype_or_default(dtype)), requires_grad, device)


def dtype_or_default(dtype: Any) -> np.dtype[Any]:
    return get_default_dtype() if dtype is None else as_dtype(dtype)


def full(
    size: Any,
    fill_value: float,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Every element the same; the dtype follows the value."""
    size = (size,) if isinstance(size, int) else size
    value = fill_value._array if isinstance(fill_value, Traced) else fill_value
    kind = array_of(value, None, copy=False).dtype if dtype is None else as_dtype(dtype)
    return finished(np.full(size_of(tuple(size), "full"), value, kind), requires_grad, device)


def eye(
    n: int,
    m: int | None = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Ones on the diagonal of an n x m matrix."""
    rows, columns = size_of((n, n if m is None else m), "eye")
    return finished(np.eye(rows, columns, dtype=dtype_or_default(dtype)), requires_grad, device)


def tril_indices(
    row: int, col: int, offset: int = 0, dtype: Any = None, device: Any = None
) -> Tensor:
    """The places of a lower triangle, up to a diagonal: a row of rows and a row of columns."""
    rows, columns = size_of((row, col), "tril_indices")
    places: Any = np.stack(np.tril_indices(rows, offset, columns))
    return finished(places.astype(dtype_or_default(dtype or np.int64)), False, device)


def triu_indices(
    row: int, col: int, offset: int = 0, dtype: Any = None, device: Any = None
) -> Tensor:
    """The places of an upper triangle, from a diagonal on: a row of rows and a row of columns."""
    rows, columns = size_of((row, col), "triu_indices")
    places: Any = np.stack(np.triu_indices(rows, offset, columns))
    return finished(places.astype(dtype_or_default(dtype or np.int64)), False, device)


def arange(
    start: float,
    end: float | None = None,
    step: float = 1,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """start, start + step, ... below end; arange(n) counts from 0. Whole numbers give int64."""
    if end is None:
        start, end = 0, start
    bounds = [_bound("arange", x, dtype) for x in (start, end, step)]
    low, high, by = bounds
    if by == 0 or (high - low) / by < 0:
        raise ShapeError(f"arange({low}, {high}, {by}) never arrives: check the step's sign")
    floats = any(isinstance(x, float) for x in bounds)
    kind = (get_default_dtype() if floats else int64) if dtype is None else as_dtype(dtype)
    count = math.ceil((high - low) / by)
    values = low + by * np.arange(count, dtype=np.float64 if floats else np.int64)
    return finished(values.astype(kind), requires_grad, device)


def _bound(who: str, x: Any, dtype: Any) -> Any:
    """Return a bound as a number; a range of integers has it rounded toward zero."""
    x = x.item() if isinstance(x, Traced) else x
    if not math.isfinite(x):
        raise ShapeError(f"{who} got the bound {x}: it must be finite")
    return int(x) if dtype is not None and as_dtype(dtype).kind in "iu" else x


def linspace(
    start: float,
    end: float,
    steps: int,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """`steps` values from start to end, both included, equally far apart."""
    (steps,) = size_of((steps,), "linspace")
    start, end = (_bound("linspace", x, dtype) for x in (start, end))
    array = np.linspace(start, end, steps).astype(dtype_or_default(dtype))
    return finished(array, requires_grad, device)


def _like(x: Any, dtype: Any) -> tuple[tuple[int, ...], np.dtype[Any]]:
    array = x._array if isinstance(x, Traced) else np.asarray(x)
    return array.shape, array.dtype if dtype is None else as_dtype(dtype)


def empty_like(
    x: Tensor, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """Uninitialised memory in the shape and dtype of x."""
    return finished(np.empty(*_like(x, dtype)), requires_grad, device)


def zeros_like(
    x: Tensor, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """Zeros in the shape and dtype of x."""
    return finished(np.zeros(*_like(x, dtype)), requires_grad, device)


def ones_like(
    x: Tensor, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """Ones in the shape and dtype of x."""
    return finished(np.ones(*_like(x, dtype)), requires_grad, device)


def full_like(
    x: Tensor,
    fill_value: float,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """One value in the shape and dtype of x."""
    shape, kind = _like(x, dtype)
    return finished(np.full(shape, fill_value, kind), requires_grad, device)


def logspace(
    start: float,
    end: float,
    steps: int,
    base: float = 10.0,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """base to the powers that linspace gives: from base ** start to base ** end."""
    (steps,) = size_of((steps,), "logspace")
    start, end = (_bound("logspace", x, dtype) for x in (start, end))
    array = np.logspace(start, end, steps, base=base).astype(dtype_or_default(dtype))
    return finished(array, requires_grad, device)
