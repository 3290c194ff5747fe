"""Packages that load a file when one of its names is first asked for (PEP 562)."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any


def lazy(
    package: str, families: Mapping[str, Sequence[str]], above: Sequence[str] = ()
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return the `__getattr__` and `__dir__` of a package, from a table: file -> its names.

    The files are attributes too; no name may be that of a file, which would hide it. Packages
    `above` this one are served under their own names.
    """
    homes = {name: family for family, names in families.items() for name in names}
    module = sys.modules[package]

    def get(name: str) -> Any:
        if name in homes:
            found = getattr(import_module(f".{homes[name]}", package), name)
        elif name in families:
            found = import_module(f".{name}", package)
        elif name in above:
            found = import_module(name)
        elif name == "__all__":  # `from package import *` asks for it
            return [public for public in listed() if not public.startswith("_")]
        else:
            message = f"module {package!r} has no attribute {name!r}"
            raise AttributeError(message, name=name, obj=module)
        setattr(module, name, found)  # the next time it is found without asking
        return found

    def listed() -> list[str]:
        return sorted({*vars(module), *homes, *families, *above})

    return get, listed
