"""What a node keeps of the arrays its rules need, where that is not just a tuple of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from .versions import Array, ForeignArray, checksum

ndarray = np.ndarray


def plain(x: Any) -> Any:
    return x.view(ndarray) if isinstance(x, ForeignArray) else x


def arrays_in(saved: Sequence[Any]) -> list[Any]:
    """Return what was kept, operand by operand, then the result, or each of several results."""
    last = saved[-1]
    return [*saved[:-1], *(last if isinstance(last, list) else [last])]


def saved_arrays(node: Any) -> list[Any]:
    """Return the arrays that a node keeps for backward, each once."""
    kept = {id(x): x for x in arrays_in(node.saved or ((),)) if isinstance(x, ndarray)}
    return list(kept.values())


class SavedHooks(NamedTuple):
    """What a saved array passes through: `pack` when it is saved, `unpack` when it is used."""

    pack: Callable[[Array], Any]
    unpack: Callable[[Any], Array]


class Packed(tuple[Any, ...]):
    """Saved arrays that went through hooks."""

    unpack: Callable[[Any], Any]
    places: list[bool]  # where an array was

    def __new__(cls, saved: Sequence[Any], hooks: SavedHooks) -> Packed:
        self = super().__new__(cls, (_each(hooks.pack, x) for x in saved))
        self.unpack = hooks.unpack
        self.places = [_is_array(x) for x in saved]
        return self

    def arrays(self) -> tuple[Any, ...]:
        """Return the arrays again."""
        pairs = zip(self, self.places, strict=True)
        return tuple(_each(self.unpack, x, packed=place) for x, place in pairs)


def _is_array(x: Any) -> bool:
    return isinstance(x, (ndarray, list))


def _each(hook: Callable[[Any], Any], x: Any, packed: bool | None = None) -> Any:
    """Pass an array, or each of a list of them, through a hook; leave None and numbers alone."""
    if isinstance(x, list):
        return [None if item is None else hook(item) for item in x]
    return hook(x) if packed or (packed is None and isinstance(x, ndarray)) else x


class WithChecksums(tuple[Any, ...]):
    """Saved arrays of which one or more are foreign, with the checksums they had."""

    sums: list[int | None]

    def __new__(cls, saved: Sequence[Any]) -> WithChecksums:
        self = super().__new__(cls, map(plain, saved))
        self.sums = [checksum(x) if isinstance(x, ForeignArray) else None for x in saved]
        return self

    def arrays(self) -> tuple[Any, ...]:
        """Return the arrays themselves."""
        return tuple(self)
