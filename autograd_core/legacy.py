"""Constructors of PyTorch's first years, which tutorials still have.

Tensor(2, 3) is uninitialised memory of that size, Tensor([2, 3]) two numbers; both are of the
default dtype, LongTensor and its like of their own. `x.type(LongTensor)` converts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from . import dtypes
from .creation import array_of, empty
from .recording import Traced, wrap
from .versions import Array

if TYPE_CHECKING:
    from ._tensor import Tensor

__all__ = [
    "BoolTensor", "ByteTensor", "CharTensor", "DoubleTensor", "FloatTensor", "HalfTensor",
    "IntTensor", "LongTensor", "ShortTensor", "Variable",
]  # fmt: skip


def made(given: tuple[Any, ...], dtype: np.dtype[Any]) -> Array:
    """Return the array that a constructor makes: of the data, or of a size."""
    if len(given) == 1 and not isinstance(given[0], int):
        if isinstance(given[0], float):
            raise TypeError("Tensor got a float: it needs a sequence, or sizes; tensor() takes one")
        return array_of(given[0], dtype, copy=True)
    return empty(*(given or (0,)), dtype=dtype)._array


class _Constructor:
    """Makes tensors of one dtype."""

    def __init__(self, dtype: np.dtype[Any]) -> None:
        self.dtype = dtype  # NumPy reads it where a dtype is needed

    def __call__(self, *data: Any) -> Tensor:
        return wrap(made(data, self.dtype))


HalfTensor = _Constructor(dtypes.float16)
FloatTensor = _Constructor(dtypes.float32)
DoubleTensor = _Constructor(dtypes.float64)
ByteTensor = _Constructor(dtypes.uint8)
CharTensor = _Constructor(dtypes.int8)
ShortTensor = _Constructor(dtypes.int16)
IntTensor = _Constructor(dtypes.int32)
LongTensor = _Constructor(dtypes.int64)
BoolTensor = _Constructor(dtypes.bool)


def Variable(data: Tensor, requires_grad: bool = False) -> Tensor:
    """The tensor without its history, on the same memory."""
    if not isinstance(data, Traced):
        raise TypeError(f"Variable got a {type(data).__name__}: it needs a Tensor")
    return wrap(data._array).requires_grad_(requires_grad)
