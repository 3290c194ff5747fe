"""Modules made of modules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast, overload

from .module import Module


class Sequential(Module):
    """Each module applied to the output of the one before it."""

    @overload
    def __init__(self, *modules: Module) -> None: ...
    @overload
    def __init__(self, modules: Mapping[str, Module], /) -> None: ...
    def __init__(self, *modules: Any) -> None:
        super().__init__()
        if len(modules) == 1 and isinstance(modules[0], Mapping):
            named = list(cast("Mapping[str, Any]", modules[0]).items())
        else:
            named = [(str(i), module) for i, module in enumerate(modules)]
        for name, module in named:
            if not isinstance(module, Module):
                raise TypeError(f"Sequential got a {type(module).__name__}: it needs modules")
            self.register_module(name, module)

    def forward(self, x: Any) -> Any:
        for module in self:
            x = module(x)
        return x

    def append(self, module: Module) -> Sequential:
        """Add a module at the end."""
        self.register_module(str(len(self)), module)
        return self

    def __len__(self) -> int:
        return len(self._own(Module))

    def __iter__(self) -> Iterator[Module]:
        return (module for _, module in self._own(Module))

    @overload
    def __getitem__(self, index: int) -> Module: ...
    @overload
    def __getitem__(self, index: slice) -> Sequential: ...
    def __getitem__(self, index: int | slice) -> Module | Sequential:
        named = self._own(Module)
        if isinstance(index, slice):
            return type(self)(dict(named[index]))
        try:
            return named[index][1]
        except IndexError:
            raise IndexError(f"Sequential got index {index}: it has {len(named)} modules") from None

    def __setitem__(self, index: int, module: Module) -> None:
        setattr(self, self._own(Module)[index][0], module)

    def __delitem__(self, index: int | slice) -> None:
        named = self._own(Module)
        removed = named[index] if isinstance(index, slice) else [named[index]]
        for name, _ in removed:
            delattr(self, name)
        # What is left is numbered from 0 again.
        kept = self._own(Module)
        for name, _ in kept:
            delattr(self, name)
        for i, (_, module) in enumerate(kept):
            self.register_module(str(i), module)
