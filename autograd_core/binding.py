"""How a call of an op is read: positions, keywords, defaults, and NumPy's names for parameters."""

from __future__ import annotations

from typing import Any

from .errors import ShapeError

MISSING: Any = object()  # a parameter without default
ALIASES = {"axis": "dim", "keepdims": "keepdim"}
_POSITIONS = {"input": 0, "other": 1, "tensors": 0}


class Signature:
    """What an op takes: arrays first, then parameters."""

    name: str
    arity: int
    arrays: tuple[str, ...]
    names: tuple[str, ...]  # of the parameters
    defaults: tuple[Any, ...]  # of the last parameters, and of optional arrays before them
    tail: list[tuple[str, Any]]  # each parameter with its default, or MISSING
    variadic: bool = False  # takes one sequence of arrays
    collect: bool = False  # x.op(2, 3) means x.op((2, 3))

    def fill(self, given: tuple[Any, ...], names: dict[str, Any]) -> tuple[Any, ...] | None:
        """Return all parameters, or None where `bind` has to look closer."""
        count = len(given)
        if not names:
            required = len(self.names) - len(self.defaults)
            if required <= count <= len(self.names):
                return given + self.defaults[count - required :]
            return None
        rest = self.tail[count:]
        if sum(name in names for name, _ in rest) != len(names):
            return None
        params = (*given, *[names.get(name, default) for name, default in rest])
        lacks = any(param is MISSING for param in params)
        return None if lacks or len(params) != len(self.names) else params

    def bind(
        self, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        """Split a call into operands and parameters, as the forward's signature has them."""
        if self.variadic:
            first = kwargs.pop("tensors", None) if not args else args[0]
            operands, rest = tuple(first), args[1:]
            if not operands:
                raise ShapeError(f"{self.name} needs at least one tensor")
        else:
            operands, rest = args[: self.arity], args[self.arity :]
        if self.collect and len(rest) > 0 and not isinstance(rest[0], (tuple, list)):
            rest = (rest,)
        spare = len(self.defaults) - len(self.names)  # defaults of optional arrays, if positive
        params = (*rest, *self.defaults[spare + len(rest) :])
        if spare > 0 and not kwargs:
            operands += self.defaults[spare + len(operands) - self.arity : spare]
        if kwargs:
            operands, params = self._bind_names(operands, rest, kwargs)
        if not self.variadic and len(operands) != self.arity:
            noun = "array" if self.arity == 1 else "arrays"
            raise TypeError(f"{self.name} takes {self.arity} {noun}, got {len(operands)}")
        if len(params) != len(self.names):
            given = f"{len(rest)} of {len(self.names)}: {', '.join(self.names)}"
            raise TypeError(f"{self.name} needs all its parameters, got {given}")
        return operands, params

    def _bind_names(
        self, operands: tuple[Any, ...], rest: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        start = len(self.names) - len(self.defaults)
        values: list[Any] = [*operands, *[MISSING] * (self.arity - len(operands))]
        values = list(operands) if self.variadic else values
        known = dict(zip(self.names, rest, strict=False))
        for name, value in kwargs.items():
            name = ALIASES.get(name, name) if name not in self.names else name
            place = self.arrays.index(name) if name in self.arrays else _POSITIONS.get(name)
            if name in self.names and name not in known:
                known[name] = value
            elif place is not None and place < len(values) and values[place] is MISSING:
                values[place] = value
            else:
                raise TypeError(f"{self.name} got an unexpected or repeated argument {name!r}")
        optional = self.defaults[max(0, -start) :]
        for name, value in zip(self.names[max(start, 0) :], optional, strict=True):
            known.setdefault(name, value)
        if start < 0:  # an optional array, such as a bias
            first = self.arity + start
            values = [
                self.defaults[k - first] if v is MISSING and k >= first else v
                for k, v in enumerate(values)
            ]
        lacking = [n for n in self.names if n not in known]
        lacking += [self.arrays[k] for k, v in enumerate(values) if v is MISSING]
        if lacking:
            raise TypeError(f"{self.name} misses the argument {', '.join(lacking)}")
        return tuple(values), tuple(known[name] for name in self.names)
