"""Pairs of a kernel and its naive twin: the registry, compiler flags and the cache on disk."""

from __future__ import annotations

import functools
import hashlib
import sys
import threading
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numba
from numba import types
from numba.core import config
from numba.core.event import Listener, install_listener

from . import FAMILIES, memory, threads

FLOATS = (types.float32, types.float64)
# Dividing by zero gives inf, without a check.
FLAGS: dict[str, Any] = {"nogil": True, "error_model": "numpy"}
# Safe for NaN, infinities and the sign of zero's neighbours; nothing else may be relaxed.
FASTMATH = {"contract", "reassoc", "nsz"}

KERNELS = [name for names in FAMILIES.values() for name in names]

Function = Callable[..., Any]
Signature = Callable[[Any], Any]
PAIRS: dict[str, Pair] = {}
_lock = threading.RLock()


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
    signature: Signature  # for one element type
    rtol: float
    atol: float
    intrinsic: bool = False  # made of machine code, so nothing is left of it without compiling
    parallel: bool = False  # takes one more argument than its twin: may chunks run on threads
    dtypes: Sequence[Any] = FLOATS
    ready: dict[Any, Function] = field(default_factory=dict)  # what runs, by dtype

    @property
    def name(self) -> str:
        return self.naive.__name__.removesuffix("_naive")

    def compile(self, dtype: Any) -> Function:
        """Return what runs for arrays of this dtype, compiled or loaded from disk."""
        with _lock:
            if dtype not in self.ready:
                self.ready[dtype] = self._prepared(dtype)
            return self.ready[dtype]

    def _prepared(self, dtype: Any) -> Function:
        _start()
        if not _compiling():
            return self.naive if self.intrinsic else self.fast
        element = numba.from_dtype(dtype)
        if element not in self.dtypes:
            known = " or ".join(map(str, self.dtypes))
            raise TypeError(f"kernel {self.name!r} got {dtype}: it is made for {known}")
        self.fast.disable_compile(False)
        try:
            with install_listener("numba:compile", Notice(f"{self.name} ({dtype})")):
                self.fast.compile(self.signature(element))
        except OSError as error:  # compiled, but the disk did not take it
            _warn_once(error)
        self.fast.disable_compile()
        return self.fast


class Notice(Listener):
    """One line on a terminal or in a notebook while a kernel is compiled and not just loaded."""

    def __init__(self, what: str) -> None:
        self.what = what
        self.depth = 0

    def on_start(self, event: Any) -> None:
        self.depth += 1
        if self.depth == 1:
            done = 1 + sum(len(pair.ready) > 0 for pair in PAIRS.values())
            _say(f"compiling kernels (first run), {done} of {len(KERNELS)}: {self.what}")

    def on_end(self, event: Any) -> None:
        self.depth -= 1
        if self.depth == 0:
            _say("")


def _say(line: str) -> None:
    if sys.stderr.isatty() or "ipykernel" in sys.modules:
        print(f"\r\x1b[K{line}", end="", file=sys.stderr, flush=True)


@functools.cache
def _start() -> None:
    """Do what has to be done once, before the first kernel."""
    threads.start()
    memory.keep_freed()
    if not _compiling():
        warnings.warn(
            "NUMBA_DISABLE_JIT is set: kernels run as plain Python, hundreds of times slower",
            RuntimeWarning,
            stacklevel=2,
        )


def twin_of(
    naive: Function,
    *,
    signature: Signature,
    rtol: float,
    atol: float = 0.0,
    fastmath: frozenset[str] = frozenset(),
    intrinsic: bool = False,
    parallel: bool = False,
    dtypes: Sequence[Any] = FLOATS,
) -> Callable[[Function], Any]:
    """Compile a kernel and pair it with the naive twin above it.

    `signature` gives its types for an element type; the first argument is an array of that type.
    A `parallel` kernel has a last parameter that the twin lacks, and callers do not give:
    whether its chunks may run on several threads.
    """

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
        PAIRS[name] = Pair(
            naive, fast, signature, rtol, atol, intrinsic, parallel, dtypes
        )  # fmt: skip
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
