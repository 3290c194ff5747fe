"""Rows of layers that return several tensors: all numbers in one, in either library."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import autograd_core as ag


def joined(nn: Any, layer: Any, call: Callable[..., Any] | None = None) -> Any:
    """Return a module that joins what `layer` returns; `call` says how it takes the inputs."""
    library = ag if nn.__name__ == "nn" else import_module("torch")

    class Joined(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = layer

        def forward(self, *inputs: Any) -> Any:
            y = self.layer(*inputs) if call is None else call(self.layer, *inputs)
            return library.cat([part.reshape(-1) for part in flat(y)])

        def __repr__(self) -> str:
            whole = not any(True for _ in self.layer.children())
            return f"Joined({self.layer if whole else type(self.layer).__name__})"

    return Joined()


def flat(y: Any) -> list[Any]:
    """Return the tensors in nested tuples."""
    if isinstance(y, tuple):
        return [x for part in y for x in flat(part)]
    return [] if y is None else [y]


def within(*names: str) -> tuple[str, ...]:
    """The names of a layer's parameters, seen from the module that joins its results."""
    return tuple(f"layer.{name}" for name in names)
