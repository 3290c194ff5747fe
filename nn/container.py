"""Modules that hold modules or parameters: in sequence, in a list, in a dict."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from itertools import groupby
from typing import Any, Self, cast, overload

from autograd_core import Tensor

from .module import Module
from .parameter import Parameter


class _Numbered(Module):
    """Members under the names 0, 1, 2, ..., and what a list can do."""

    def _named(self) -> list[tuple[str, Any]]:
        return self._own_modules()

    def _checked(self, item: Any) -> Any:
        if not isinstance(item, Module):
            raise TypeError(f"{type(self).__name__} got a {type(item).__name__}: it needs modules")
        return item

    def _like(self, named: list[tuple[str, Any]]) -> Self:
        return cast("Any", type(self))([item for _, item in named])

    def _renumber(self, items: Iterable[Any]) -> None:
        """Hold these items, in this order, and no others."""
        checked = [self._checked(item) for item in items]
        for name, _ in self._named():
            delattr(self, name)
        for i, item in enumerate(checked):
            setattr(self, str(i), item)

    def _place(self, index: int, last: int) -> int:
        """Return the index counted from the front; it must not be behind `last`."""
        count = len(self)
        place = index + count if index < 0 else index
        if not 0 <= place <= last:
            what = "modules" if isinstance(self, (Sequential, ModuleList)) else "items"
            raise IndexError(f"{type(self).__name__} got index {index}: it has {count} {what}")
        return place

    def __len__(self) -> int:
        return len(self._named())

    def __iter__(self) -> Iterator[Any]:
        return iter([item for _, item in self._named()])

    @overload
    def __getitem__(self, index: int) -> Any: ...
    @overload
    def __getitem__(self, index: slice) -> Self: ...
    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return self._like(self._named()[index])
        return self._named()[self._place(index, len(self) - 1)][1]

    def __setitem__(self, index: int, item: Any) -> None:
        name, _ = self._named()[self._place(index, len(self) - 1)]
        setattr(self, name, self._checked(item))

    def __delitem__(self, index: int | slice) -> None:
        items = list(self)
        del items[index if isinstance(index, slice) else self._place(index, len(self) - 1)]
        self._renumber(items)

    def append(self, module: Any, /) -> Self:
        """Add one at the end."""
        number = len(self)
        while str(number) in vars(self):  # a part of a Sequential has kept its names
            number += 1
        setattr(self, str(number), self._checked(module))
        return self

    def extend(self, modules: Iterable[Any], /) -> Self:
        """Add several at the end."""
        if not isinstance(modules, Iterable) or isinstance(modules, Tensor):
            name, got = type(self).__name__, type(modules).__name__
            raise TypeError(f"{name}.extend got a {got}: it needs something to iterate over")
        for module in list(modules):
            self.append(module)
        return self

    def insert(self, index: int, module: Any) -> Self:
        """Put one before the given index; those behind it move up."""
        items = list(self)
        items.insert(self._place(index, len(self)), module)
        self._renumber(items)
        return self

    def pop(self, key: int | slice = -1) -> Any:
        """Take one out and return it; those behind it move down."""
        item = self[key]
        del self[key]
        return item

    def __add__(self, other: Iterable[Any]) -> Self:
        return self._like(self._named()).extend(other)

    def __iadd__(self, other: Iterable[Any]) -> Self:
        return self.extend(other)


class Sequential(_Numbered):
    """Each module applied to the output of the one before it."""

    @overload
    def __init__(self, *modules: Module) -> None: ...
    @overload
    def __init__(self, modules: Mapping[str, Module], /) -> None: ...
    def __init__(self, *modules: Any) -> None:
        super().__init__()
        only = modules[0] if len(modules) == 1 else None
        if isinstance(only, Mapping) and not isinstance(only, Module):
            named = list(cast("Mapping[str, Any]", only).items())
        else:
            named = [(str(i), module) for i, module in enumerate(modules)]
        for name, module in named:
            self.register_module(name, self._checked(module))

    def forward(self, input: Any) -> Any:
        for module in tuple(vars(self).values()):  # quicker than iterating over self
            if isinstance(module, Module):
                input = module(input)
        return input

    def _like(self, named: list[tuple[str, Any]]) -> Self:
        return type(self)(dict(named))  # a part keeps the names

    def __add__(self, other: Iterable[Any]) -> Self:
        if not isinstance(other, Sequential):
            got = type(other).__name__
            raise ValueError(f"Sequential + got a {got}: it needs another Sequential")
        return type(self)(*self, *other)

    def __mul__(self, times: int) -> Self:
        """Return the same modules several times over; they share their parameters."""
        if times <= 0:
            raise ValueError(f"Sequential * got {times}: it must be positive")
        return type(self)(*(list(self) * times))

    __rmul__ = __mul__

    def __imul__(self, times: int) -> Self:
        self._renumber(self * times)
        return self


class ModuleList(_Numbered):
    """Modules in a list, to be called by the module that holds it."""

    def __init__(self, modules: Iterable[Module] | None = None) -> None:
        super().__init__()
        self.extend(() if modules is None else modules)

    def __repr__(self) -> str:
        """Equal neighbours stand in one line: (0-2): 3 x ReLU()."""
        lines: list[str] = []
        for text, same in groupby(enumerate(map(repr, self)), key=lambda pair: pair[1]):
            numbers = [i for i, _ in same]
            several = len(numbers) > 1
            place = f"({numbers[0]}-{numbers[-1]}): {len(numbers)} x" if several else ""
            line = f"{place or f'({numbers[0]}):'} {text}"
            lines.append(line.replace("\n", "\n  "))
        name = type(self).__name__
        return "\n  ".join([f"{name}(", *lines]) + "\n)" if lines else f"{name}()"


class _Keyed(Module, MutableMapping[str, Any]):
    """Members under names of the user's, and what a dict can do."""

    # Mapping compares contents; a module equals itself alone, and may stand in a set.
    __eq__ = object.__eq__
    __hash__ = object.__hash__  # pyright: ignore[reportAssignmentType]

    def __init__(self, given: Any = None) -> None:
        super().__init__()
        self.update(() if given is None else given)

    def _named(self) -> dict[str, Any]:
        return dict(self._own_modules())

    def __getitem__(self, key: str) -> Any:
        return self._named()[key]

    def __delitem__(self, key: str) -> None:
        if key not in self._named():
            raise KeyError(key)
        delattr(self, key)

    def __iter__(self) -> Iterator[str]:
        return iter(self._named())

    def __len__(self) -> int:
        return len(self._named())

    def _name(self, key: Any) -> str:
        if not isinstance(key, str):
            raise TypeError(
                f"{type(self).__name__} got a key of type {type(key).__name__}: it must be a str"
            )
        return key


class ModuleDict(_Keyed):
    """Modules by name, in the order in which they were put in."""

    def __init__(self, modules: Any = None) -> None:
        super().__init__(modules)

    def __setitem__(self, key: str, module: Module) -> None:
        self.register_module(self._name(key), module)


def _shown(name: str, item: Any) -> str:
    """Return the line that a parameter, or anything else, has in the repr of its container."""
    if not isinstance(item, Tensor):
        return f"  ({name}): Object of type: {type(item).__name__}"
    kind = "Parameter" if isinstance(item, Parameter) else "Tensor"
    return f"  ({name}): {kind} containing: [{item.dtype} of size {'x'.join(map(str, item.shape))}]"


def _as_parameter(item: Any) -> Any:
    is_plain = isinstance(item, Tensor) and not isinstance(item, Parameter)
    return Parameter(item) if is_plain else item


class ParameterList(_Numbered):
    """Parameters in a list; tensors become parameters, anything else is held as it is."""

    def __init__(self, values: Iterable[Any] | None = None) -> None:
        super().__init__()
        self.extend(() if values is None else values)

    def _named(self) -> list[tuple[str, Any]]:
        return [(name, item) for name, item in vars(self).items() if name.isdigit()]

    def _checked(self, item: Any) -> Any:
        return _as_parameter(item)

    def extra_repr(self) -> str:
        return "\n".join(_shown(name, item) for name, item in self._named())


class ParameterDict(_Keyed):
    """Parameters by name; tensors become parameters, anything else is held as it is."""

    def __init__(self, parameters: Any = None) -> None:
        vars(self)["_keys"] = {}
        super().__init__(parameters)

    def _named(self) -> dict[str, Any]:
        return {key: vars(self)[key] for key in self._keys}

    def __setitem__(self, key: str, parameter: Any) -> None:
        item = _as_parameter(parameter)
        if isinstance(item, Parameter):
            self.register_parameter(self._name(key), item)
        elif key in self._keys or not hasattr(self, self._name(key)):
            setattr(self, key, item)
        else:
            raise KeyError(f"{type(self).__name__}.{key} is taken by another attribute")
        self._keys[key] = None

    def __delitem__(self, key: str) -> None:
        super().__delitem__(key)
        del self._keys[key]

    def copy(self) -> Self:
        """Return another dict of the same parameters."""
        return type(self)(dict(self))

    def fromkeys(self, keys: Iterable[str], default: Any = None) -> Self:
        """Return another dict with these keys, and one value for all."""
        return type(self)(dict.fromkeys(keys, default))

    def popitem(self) -> tuple[str, Any]:
        """Take out what was put in last."""
        if not self._keys:
            raise KeyError("ParameterDict is empty")
        key = next(reversed(self._keys))
        return key, self.pop(key)

    def __or__(self, other: Mapping[str, Any]) -> Self:
        return type(self)({**self, **other})

    def __ior__(self, other: Mapping[str, Any]) -> Self:
        self.update(other)
        return self

    def extra_repr(self) -> str:
        return "\n".join(_shown(name, item) for name, item in self.items())
