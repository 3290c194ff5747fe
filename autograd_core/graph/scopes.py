"""Which module an op ran in: labels, and the modules that called it."""

from __future__ import annotations

from typing import Any

from ..modes import nowhere
from .data import GraphModule

_GONE = "(module gone)"


class ModuleTable:
    """The labels of running modules, each worked out once."""

    def __init__(self) -> None:
        self._labels: dict[Any, str | None] = {None: None}  # scope -> label
        self._names: dict[int, dict[int, str]] = {}  # id of a module -> names of those inside
        self.modules: dict[str, GraphModule] = {}

    def label(self, scope: Any) -> str | None:
        """Return `Sequential.2 (Conv2d)` for a Conv2d that a Sequential runs; None outside."""
        if scope not in self._labels:
            self._labels[scope] = self._add(scope)
        return self._labels[scope]

    def _add(self, scope: Any) -> str | None:
        outer = None if scope.parent is None else self.label(scope.parent)
        module = scope.module()
        if module is None:
            return None if scope.module is nowhere else _GONE
        kind = type(module).__name__
        path, label = kind, kind
        if outer is not None:
            caller: Any = scope.parent
            path = self._path(outer, caller.module(), module)
            label = f"{path} ({kind})"
        self.modules.setdefault(label, GraphModule(label, path, kind, outer))
        return label

    def _path(self, outer: str, caller: Any, module: Any) -> str:
        """Join the caller's path and its name for the module, or > and the class."""
        before = self.modules[outer].path if outer in self.modules else outer
        names = self._names.get(id(caller))
        if names is None:
            known = [] if caller is None else caller.named_modules()
            names = self._names[id(caller)] = {id(m): name for name, m in known}
        name = names.get(id(module), "")
        return f"{before}.{name}" if name else f"{before} > {type(module).__name__}"


def module_path(scope: Any) -> str:
    """Return the label of one scope, for messages."""
    return ModuleTable().label(scope) or _GONE


def outermost(scope: Any) -> Any:
    """Return the module that contains all running ones, or None."""
    while scope is not None and scope.parent is not None:
        scope = scope.parent
    return None if scope is None else scope.module()
