"""Loops over arrays: each kernel stands below the naive twin that defines it.

`kernels.call.erf(x, out)` runs a kernel; a family's file, and Numba with it, is imported when one
of its kernels is first called. Inside `with kernels.naive_kernels():` the twins run instead, which
tells a wrong kernel from a wrong rule.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

__all__ = ["FAMILIES", "call", "naive_kernels"]

# Which file has which kernels.
FAMILIES = {
    "gemm": ("gemm",),
    "special": ("digamma", "erf", "erfc", "erfinv", "lgamma", "polygamma"),
}  # fmt: skip

# Of the process, not of a context: forwards run in contexts of their own.
_naive = 0


@contextmanager
def naive_kernels() -> Generator[None]:
    """Run the naive twin of every kernel inside."""
    global _naive
    _naive += 1
    try:
        yield
    finally:
        _naive -= 1


class Calls:
    """Every kernel as a function that runs whichever of the pair is active."""

    def __getattr__(self, name: str) -> Callable[..., None]:
        family = next((file for file, names in FAMILIES.items() if name in names), None)
        if family is None:
            raise AttributeError(f"there is no kernel {name!r}")
        import_module(f".{family}", __name__)
        from .pair import PAIRS

        pair = PAIRS[name]

        def run(*args: Any) -> None:
            (pair.naive if _naive else pair.compiled)(*args)

        setattr(self, name, run)  # the next call finds it without asking
        return run


call = Calls()
