"""From how many elements on a compiled kernel does the work of an op, and how it is handed over.

Below, NumPy is as quick, since a kernel costs about 1 us to call; and a program that never goes
beyond does not load Numba, which takes 0.3 s. The numbers are fixed, so results do not depend on
what ran before.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from kernels import call

from .versions import Array
from .workspaces import workspace

FEW = 64  # elements up to which Python's own functions are as quick
SMOOTH = 1 << 13  # functions with an exp or a log inside
SHARP = 1 << 14  # comparisons and products: one pass over memory instead of several
SOFTMAX = 1 << 9
CROSS_ENTROPY = 1 << 9
DROPOUT = 1 << 12
SUMS = 1 << 13

FLOATS = (np.dtype(np.float32), np.dtype(np.float64))
DOUBLE = FLOATS[1]


def suits(x: Any, size: int) -> bool:
    """Tell whether a kernel takes this array, and is worth it: from `size` elements on."""
    if x.__class__ is not np.ndarray or x.size < size or x.dtype not in FLOATS:
        return False
    flags = x.flags
    return flags.c_contiguous and flags.aligned


def run(name: str, *operands: Any) -> Array:
    """Return what an elementwise kernel makes of arrays of one shape, and numbers after them."""
    y = np.empty_like(operands[0])
    if y.ndim == 1:
        getattr(call, name)(*operands, y)
        return y
    flat = [x.reshape(-1) if x.__class__ is np.ndarray else x for x in operands]
    getattr(call, name)(*flat, y.reshape(-1))
    return y


def row_sums(x: Array, divisor: float, y: Array) -> None:
    """Leave the sum of each row of x, over the divisor, in y."""
    from kernels.sums import workspace as shape_of

    call.row_sum(x, divisor, workspace(DOUBLE, shape_of(*x.shape))[0], y)


def forward(name: str, small: Callable[..., Any], size: int) -> Callable[..., Any]:
    """Return the forward (x, *numbers) that runs a kernel on large arrays."""

    def either(x: Any, *numbers: Any) -> Any:
        if suits(x, size):
            return run(name, x, *numbers)
        return small(x, *numbers)

    return either


def rule(
    name: str, definition: Callable[..., Any], size: int, *constants: float
) -> Callable[..., Any]:
    """Return the rule (g, x, *numbers) that runs a kernel when g and x are large bare arrays.

    The kernel gets the constants after the numbers.

    Any other time, and so when it will be differentiated again, the definition runs.
    """

    def either(g: Any, x: Any, *numbers: Any) -> Any:
        bare = g.__class__ is np.ndarray and g.size >= size
        if bare and suits(g, size) and suits(x, size) and g.shape == x.shape and g.dtype == x.dtype:
            return run(name, g, x, *numbers, *constants)
        return definition(g, x, *numbers)

    code = definition.__code__
    vars(either)["names"] = code.co_varnames[1 : code.co_argcount]
    return either
