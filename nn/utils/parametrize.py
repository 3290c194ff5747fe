"""A parameter that is a function of others, computed whenever it is read.

The class of the module is replaced by one of its own, on which the parameter's name is a property;
`module.parametrizations.<name>` holds the function and what it is a function of.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar, cast

import autograd_core as ag
from autograd_core import Tensor

from ..container import ModuleDict, ModuleList
from ..module import Module
from ..parameter import Parameter

M = TypeVar("M", bound=Module)


class ParametrizationList(ModuleList):
    """The functions applied to `original`, or first to original0, original1, ..."""

    def __init__(self, modules: Sequence[Module], original: Any) -> None:
        super().__init__(modules)
        value = self._inverted(original)
        self.is_tensor = isinstance(value, Tensor)
        self.ntensors = 1 if self.is_tensor else len(value)
        for name, tensor in zip(self._names(), _listed(value), strict=True):
            if isinstance(original, Parameter):
                same = tensor is original
                kept = original if same else Parameter(tensor.detach(), original.requires_grad)
                self.register_parameter(name, kept)
            else:
                self.register_buffer(name, tensor)

    def _names(self) -> list[str]:
        return ["original"] if self.is_tensor else [f"original{i}" for i in range(self.ntensors)]

    def _inverted(self, value: Any) -> Any:
        with ag.no_grad():
            for module in reversed(list(self)):
                if hasattr(module, "right_inverse"):
                    value = module.right_inverse(value)
        return value

    def right_inverse(self, value: Tensor) -> None:
        """Set the originals so that the functions give this value, as near as they can."""
        with ag.no_grad():
            given = _listed(self._inverted(value))
            for name, tensor in zip(self._names(), given, strict=True):
                getattr(self, name).copy_(tensor)

    def forward(self) -> Tensor:
        first, *others = self
        value = first(*(getattr(self, name) for name in self._names()))
        for module in others:
            value = module(value)
        return value


def _listed(value: Any) -> list[Tensor]:
    return [value] if isinstance(value, Tensor) else list(value)


def is_parametrized(module: Module, tensor_name: str | None = None) -> bool:
    """Tell whether one of its parameters, or the one of this name, is a function of others."""
    known = vars(module).get("parametrizations")
    if not isinstance(known, ModuleDict):
        return False
    return bool(known) if tensor_name is None else tensor_name in known


def register_parametrization(
    module: M, tensor_name: str, parametrization: Module, *, unsafe: bool = False
) -> M:
    """Let module.<tensor_name> be parametrization(original) from now on.

    A method right_inverse(value) of it gives the original, or several, for a value that is set.
    unsafe=True leaves out the check that shape and dtype stay.
    """
    if is_parametrized(module, tensor_name):
        before = getattr(module, tensor_name)
        if not unsafe:
            _check(tensor_name, before, parametrization(before))
        module.parametrizations[tensor_name].append(parametrization)
        return module
    original = vars(module).get(tensor_name)
    if not isinstance(original, Parameter) and tensor_name not in module._buffers:
        raise ValueError(f"{type(module).__name__} has no parameter or buffer {tensor_name!r}")
    made = ParametrizationList([parametrization], original)
    if not unsafe:
        with ag.no_grad():
            _check(tensor_name, cast("Tensor", original), made())
    persistent = module._buffers.get(tensor_name)
    delattr(module, tensor_name)
    if not is_parametrized(module):
        cast("Any", module).__class__ = _own_class(type(module))
        module.register_module("parametrizations", ModuleDict())
    module.parametrizations[tensor_name] = made
    vars(made)["persistent"] = persistent
    setattr(type(module), tensor_name, _property(tensor_name))
    return module


def _check(name: str, original: Tensor, value: Any) -> None:
    if not isinstance(value, Tensor):
        raise ValueError(
            f"the parametrization of {name!r} returned a {type(value).__name__}: it must be a "
            "Tensor"
        )
    if value.shape != original.shape or value.dtype != original.dtype:
        raise ValueError(
            f"the parametrization of {name!r} turned {original.dtype}{tuple(original.shape)} into "
            f"{value.dtype}{tuple(value.shape)}: they must be equal, or unsafe=True be given"
        )


def _own_class(cls: type[Module]) -> type[Module]:
    return type(f"Parametrized{cls.__name__}", (cls,), {"__module__": cls.__module__})


def _property(name: str) -> property:
    def read(module: Any) -> Tensor:
        return module.parametrizations[name]()

    def write(module: Any, value: Tensor) -> None:
        module.parametrizations[name].right_inverse(value)

    return property(read, write)


def remove_parametrizations(module: M, tensor_name: str, leave_parametrized: bool = True) -> M:
    """Make it a plain parameter again: with the value that it has, or with its original."""
    if not is_parametrized(module, tensor_name):
        raise ValueError(f"{type(module).__name__}.{tensor_name} is not parametrized")
    made: ParametrizationList = module.parametrizations[tensor_name]
    if not leave_parametrized and not made.is_tensor:
        raise ValueError(
            f"{tensor_name!r} is made of several tensors: it has no original to go back to"
        )
    with ag.no_grad():
        value = made().detach()
    del module.parametrizations[tensor_name]
    delattr(type(module), tensor_name)
    if not module.parametrizations:
        del module.parametrizations
        cast("Any", module).__class__ = type(module).__mro__[1]
    original = made.original if made.is_tensor else None
    if original is not None and leave_parametrized:
        original.data = value
    if made.persistent is not None:
        kept = value if original is None else original
        module.register_buffer(tensor_name, kept, persistent=made.persistent)
    else:
        module.register_parameter(tensor_name, Parameter(value) if original is None else original)
    return module
