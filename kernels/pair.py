"""Pairs of a kernel and its naive twin: the registry, compiler flags and the cache on disk."""

from __future__ import annotations

import functools
import hashlib
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numba
from numba import types
from numba.core import config

FLOATS = (types.float32, types.float64)
# Dividing by zero gives inf, without a check.
FLAGS: dict[str, Any] = {"nogil": True, "error_model": "numpy"}
# Safe for NaN, infinities and the sign of zero's neighbours; nothing else may be relaxed.
FASTMATH = {"contract", "reassoc", "nsz"}

Function = Callable[..., Any]
PAIRS: dict[str, Pair] = {}


def read(dtype: Any, ndim: int = 1) -> Any:
    """The type of a C-contiguous array that a kernel only reads; it may be read-only."""
    return types.Array(dtype, ndim, "C", readonly=True)


def write(dtype: Any, ndim: int = 1) -> Any:
    """The type of a C-contiguous array that a kernel writes to."""
    return types.Array(dtype, ndim, "C")


@dataclass(eq=False)
class Pair:
    """A kernel, the twin that defines it, and how closely the two must agree."""

    naive: Function
    fast: Any  # Numba's dispatcher; the plain function where compiling is switched off
    signatures: Sequence[Any]
    rtol: float
    atol: float
    intrinsic: bool = False  # made of machine code, so nothing is left of it without compiling

    @functools.cached_property
    def compiled(self) -> Function:
        """The kernel with its signatures compiled, or loaded from disk: done at the first call."""
        if not _compiling():
            return self.naive if self.intrinsic else self.fast
        for signature in self.signatures:
            try:
                self.fast.compile(signature)
            except OSError as error:  # compiled, but the disk did not take it
                _warn_once(error)
        self.fast.disable_compile()
        return self.fast


def twin_of(
    naive: Function,
    *,
    signatures: Sequence[Any],
    rtol: float,
    atol: float = 0.0,
    fastmath: frozenset[str] = frozenset(),
    intrinsic: bool = False,
) -> Callable[[Function], Any]:
    """Compile a kernel and pair it with the naive twin above it."""

    def pair(kernel: Function) -> Any:
        name = kernel.__name__
        if naive.__name__ != f"{name}_naive":
            raise ValueError(f"the twin of {name} must be named {name}_naive, not {naive.__name__}")
        if name in PAIRS:
            raise ValueError(f"kernel {name!r} is declared twice")
        if not fastmath <= FASTMATH:
            refused = ", ".join(sorted(fastmath - FASTMATH))
            raise ValueError(f"kernel {name!r} may not relax {refused}: NaN and inf must survive")
        fast = compiled(kernel, fastmath=fastmath)
        PAIRS[name] = Pair(naive, fast, signatures, rtol, atol, intrinsic)
        return fast

    return pair


def compiled(
    function: Function | None = None,
    *,
    fastmath: frozenset[str] = frozenset(),
    parallel: bool = False,
) -> Any:
    """Return Numba's dispatcher, which compiles when it is first called, and keeps it on disk.

    For the inner parts of kernels it is a decorator, `@compiled` or `@compiled(parallel=True)`.
    """
    if function is None:
        return functools.partial(compiled, fastmath=fastmath, parallel=parallel)
    dispatcher: Any = numba.njit(fastmath=set(fastmath), parallel=parallel, **FLAGS)(function)
    if not _compiling():
        return dispatcher
    try:
        dispatcher.enable_caching()
    except (RuntimeError, OSError) as error:  # no folder that can be written to
        _warn_once(error)
    else:
        # Numba's own stamp is the date of one file, which misses what that file imports.
        dispatcher._cache._cache_file._source_stamp = _stamp()
    return dispatcher


def _compiling() -> bool:
    return not config.DISABLE_JIT  # pyright: ignore[reportAttributeAccessIssue]


@functools.cache
def _stamp() -> str:
    """Return the hash of all that decides what a kernel compiles to."""
    known = hashlib.sha256(repr(sorted(FLAGS.items())).encode())
    for path in sorted(Path(__file__).parent.glob("*.py")):
        known.update(path.read_bytes())
    return known.hexdigest()


_warned = False


def _warn_once(reason: Exception) -> None:
    global _warned
    if not _warned:
        _warned = True
        warnings.warn(
            f"compiled kernels cannot be kept on disk, so every process compiles them anew "
            f"({reason}): set NUMBA_CACHE_DIR to a folder that can be written to",
            RuntimeWarning,
            stacklevel=2,
        )
