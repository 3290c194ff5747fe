"""A tensor that belongs to a module and that an optimiser may change."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import autograd_core as ag
from autograd_core import DtypeError, Tensor


class Parameter(Tensor):
    """A leaf tensor that shares the memory of `data` and requires grad."""

    __slots__ = ()

    def __new__(cls, data: Any = None, requires_grad: bool = True) -> Parameter:
        tensor = ag.empty(0) if data is None else ag.as_tensor(data)
        if requires_grad and tensor.dtype.kind != "f":
            raise DtypeError(
                f"Parameter got data of dtype {tensor.dtype}: only floating-point data has "
                "gradients, so convert it or pass requires_grad=False"
            )
        return cls._wrap(tensor._array, requires_grad)

    def __init__(self, data: Any = None, requires_grad: bool = True) -> None:
        """Everything is done by `__new__`."""

    def __repr__(self, *, tensor_contents: Any = None) -> str:
        return "Parameter containing:\n" + super().__repr__(tensor_contents=tensor_contents)


def unset(shape: tuple[int, ...], device: Any, dtype: Any) -> Parameter:
    """Return a parameter of a layer before its initial values are drawn."""
    return Parameter(ag.empty(shape, dtype=dtype, device=device))


def clear_gradients(parameters: Iterable[Tensor], set_to_none: bool = True) -> None:
    """Drop every gradient, or make it zero."""
    for parameter in parameters:
        grad = parameter.grad
        if grad is not None:
            parameter.grad = None if set_to_none else ag.zeros_like(grad)
