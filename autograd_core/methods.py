"""Methods of Tensor that follow from tables: other dtypes, fresh tensors, in-place forms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import creation, dtypes, inplace, ops, reshaping
from .op import METHODS, REGISTRY


def _cast_to(name: str, dtype: Any) -> Callable[[Any], Any]:
    def method(self: Any) -> Any:
        return self.to(dtype)

    method.__name__ = method.__qualname__ = name
    method.__doc__ = f"Return it as {dtype}."
    return method


def _new(create: Callable[..., Any]) -> Callable[..., Any]:
    def method(self: Any, *size: Any, dtype: Any = None, **options: Any) -> Any:
        return create(*size, dtype=dtype or self._array.dtype, **options)

    method.__name__ = method.__qualname__ = f"new_{create.__name__}"
    method.__doc__ = f"{create.__doc__} In the dtype of x."
    return method


def _in_place(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        return inplace.update(f"{name}_", function, self, *args, **kwargs)

    method.__name__ = method.__qualname__ = f"{name}_"
    method.__doc__ = f"Change x in place to what {name} returns."
    return method


def reflected(function: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    return lambda self, other: function(other, self)


def augmented(name: str) -> Callable[[Any, Any], Any]:
    function = getattr(ops, name)
    return lambda self, other: inplace.update(f"{name}_", function, self, other)


CASTS = {
    name: _cast_to(name, getattr(dtypes, dtype))
    for name, dtype in {
        "half": "float16", "float": "float32", "double": "float64", "byte": "uint8",
        "char": "int8", "short": "int16", "int": "int32", "long": "int64", "bool": "bool",
    }.items()
}  # fmt: skip

NEW = {f"new_{f.__name__}": _new(f) for f in (creation.zeros, creation.ones, creation.empty)}

# What PyTorch has in place besides the differentiable elementwise ops.
_IN_PLACE_TOO = """
    add addbmm addcdiv addcmul addmm addmv addr baddbmm bitwise_and bitwise_left_shift bitwise_not
    bitwise_or bitwise_right_shift bitwise_xor clamp clamp_max clamp_min cumprod cumsum div eq
    float_power floor_divide ge gt heaviside index_add index_copy index_fill index_put ldexp le
    lerp logical_and logical_not logical_or logical_xor logit lt masked_fill masked_scatter
    nan_to_num ne put renorm round scatter scatter_add scatter_reduce sub tril triu true_divide
"""

_CHANGING = [
    METHODS[name]
    for name in METHODS
    if name in _IN_PLACE_TOO.split()
    or (name in REGISTRY and REGISTRY[name].elementwise and REGISTRY[name].differentiable)
]
# Second names (arcsin, multiply) come along.
IN_PLACE = {
    f"{name}_": _in_place(name, function)
    for name, function in METHODS.items()
    if function in _CHANGING
} | reshaping.FORMS
