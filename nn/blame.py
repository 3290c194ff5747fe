"""Saying which layer an error comes from: its path from the outermost running module."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .module import Module


def add(error: Exception, module: Module, outermost: bool) -> None:
    """Note that `error` left `module`; the outermost module rewrites the message, once.

    The error stays the same object, so its type, cause and traceback stay as well.
    """
    left: list[Module] = vars(error).setdefault("_left", [])  # innermost first
    left.append(module)
    if not outermost:
        return
    del vars(error)["_left"]
    if len(error.args) == 1 and isinstance(error.args[0], str):
        error.args = (_place(left[::-1], error.args[0]),)


def _place(modules: list[Module], message: str) -> str:
    """Put the innermost module, and where it is, before what it said."""
    label = modules[-1]._label()
    if len(modules) > 1:
        return f"{_path(modules)} ({label}): {message}"
    return f"{label} {message}" if message.startswith("got ") else f"{label}: {message}"


def _path(modules: list[Module]) -> str:
    """Join the names along the calls; a module that its caller does not own shows as > Class."""
    path = type(modules[0]).__name__
    for caller, module in pairwise(modules):
        name = next((name for name, m in caller.named_modules() if m is module), "")
        path += f".{name}" if name else f" > {type(module).__name__}"
    return path
