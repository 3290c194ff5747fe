"""Loops that are written once and compiled for several bodies.

`each` puts the loop over the elements around a function of one of them.
"""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import Any

import numba
from numba import types as numba_types

from .pair import compiled, read, twin_of, write
from .vector_math import number


def named(template: Callable[..., Any], name: str, **known: Any) -> Any:
    """Return the function again, under another name, with these globals as well.

    Closures would do, but Numba's cache does not recognise them in the next process.
    """
    function = types.FunctionType(template.__code__, template.__globals__ | known, name)
    function.__qualname__, function.__module__ = name, template.__module__
    return function


CHUNK = 1 << 14  # elements; a chunk is done by one thread
PARALLEL_FROM = 1 << 17  # elements: below, a region of threads costs more than it saves

# What the loops below are about: `each` gives every kernel loops that have globals of their own.
FUNCTION: Any = None
LOOP: Any = None
DRIVER: Any = None
RUN: Any = None


def _one(out, x, *params):
    for i in range(out.size):
        out[i] = FUNCTION(x[i], *params)


def _one_of_two(out, g, x, *params):
    for i in range(out.size):
        out[i] = FUNCTION(g[i], x[i], *params)


def _many(out, x, *params):
    for k in numba.prange((out.size + CHUNK - 1) // CHUNK):
        i, j = k * CHUNK, min(out.size, (k + 1) * CHUNK)
        LOOP(out[i:j], x[i:j], *params)


def _many_of_two(out, g, x, *params):
    for k in numba.prange((out.size + CHUNK - 1) // CHUNK):
        i, j = k * CHUNK, min(out.size, (k + 1) * CHUNK)
        LOOP(out[i:j], g[i:j], x[i:j], *params)


def _run(parallel, out, *rest):
    if parallel and out.size >= PARALLEL_FROM:
        DRIVER(out, *rest)
    else:
        LOOP(out, *rest)


# By the number of arrays and of parameters: Numba wants to know them.
KERNELS: dict[tuple[int, int], Callable[..., Any]] = {
    (1, 0): lambda x, out, parallel: RUN(parallel, out, x),
    (1, 1): lambda x, a, out, parallel: RUN(parallel, out, x, a),
    (1, 2): lambda x, a, b, out, parallel: RUN(parallel, out, x, a, b),
    (1, 3): lambda x, a, b, c, out, parallel: RUN(parallel, out, x, a, b, c),
    (2, 0): lambda g, x, out, parallel: RUN(parallel, out, g, x),
    (2, 1): lambda g, x, a, out, parallel: RUN(parallel, out, g, x, a),
    (2, 2): lambda g, x, a, b, out, parallel: RUN(parallel, out, g, x, a, b),
    (2, 3): lambda g, x, a, b, c, out, parallel: RUN(parallel, out, g, x, a, b, c),
}


def each(
    naive: Callable[..., Any], *, rtol: float, atol: float = 0.0, arrays: int = 1, params: int = 0
) -> Any:
    """Make the kernel f(x, *params, out), or f(g, x, *params, out), from f of one element."""
    loop, driver = ((_one, _many), (_one_of_two, _many_of_two))[arrays - 1]

    def signature(f):
        rest = [*[f] * params, write(f), numba_types.boolean]
        return numba_types.void(*[read(f)] * arrays, *rest)

    def declare(function: Callable[..., Any]) -> Any:
        name = function.__name__
        LOOP = compiled(named(loop, f"{name}_loop", FUNCTION=number(function)))
        DRIVER = compiled(named(driver, f"{name}_driver", LOOP=LOOP), parallel=True)
        RUN = compiled(named(_run, f"{name}_run", LOOP=LOOP, DRIVER=DRIVER))
        kernel = named(KERNELS[arrays, params], name, RUN=RUN)
        kernel.__doc__ = function.__doc__
        pair = twin_of(
            naive, signature=signature, rtol=rtol, atol=atol, intrinsic=True, parallel=True
        )
        return pair(kernel)

    return declare
