"""What `Module.to` does: there is one device, so only the dtype can change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from autograd_core import DtypeError, Tensor
from autograd_core.devices import check_device
from autograd_core.dtypes import as_dtype

if TYPE_CHECKING:
    from .module import Module


def target(
    *args: Any,
    device: Any = None,
    dtype: Any = None,
    non_blocking: bool = False,
    copy: bool = False,
) -> np.dtype[Any] | None:
    """Read the arguments of `to`: a device, a dtype, both, or a tensor to be like."""
    for argument in args:
        if isinstance(argument, Tensor):
            dtype = argument.dtype
        elif issubclass(type(argument), (np.dtype, type)):
            dtype = argument
        elif argument is not None and not isinstance(argument, bool):
            device = argument
    check_device(device)
    if dtype is None:
        return None
    found = as_dtype(dtype)
    if found.kind != "f":
        raise DtypeError(f"Module.to got dtype {found}: parameters need a floating-point dtype")
    return found


def convert(module: Module, dtype: np.dtype[Any]) -> None:
    """Convert floating-point parameters, their gradients, and buffers; the objects stay."""
    for tensor in (*module.parameters(), *module.buffers()):
        if tensor.dtype.kind == "f" and tensor.dtype != dtype:
            grad, tensor.grad = tensor.grad, None
            tensor.data = tensor.data.to(dtype)
            tensor.grad = None if grad is None else grad.detach().to(dtype)
