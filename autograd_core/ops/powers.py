"""Products of many matrices: powers, the exponential, chains in their best order."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from ..errors import ShapeError
from ..op import aliased, method, op, zeros_of
from ..versions import Array
from .comparison import where
from .joining import cat
from .products import matmul, mT
from .shape import clone
from .solving import inv, square

__all__ = ["chain_matmul", "matrix_exp", "matrix_power"]


@method
@aliased
def matrix_power(x: Any, n: int) -> Any:
    """x multiplied n times by itself; of the inverse if n is negative: (..., m, m)."""
    if len(x.shape) < 2 or x.shape[-1] != x.shape[-2]:
        raise ShapeError("its matrices must be square")
    if not isinstance(n, (int, np.integer)):
        raise TypeError(f"n must be an int, not {n!r}")
    if n < 0:
        return matrix_power(inv(x), -n)
    if n == 0:
        return where(False, x, np.eye(x.shape[-1], dtype=x.dtype))
    if n == 1:
        return clone(x)
    half = matrix_power(x @ x, n // 2)
    return half @ x if n % 2 else half


def _exp_slope(t: Any, A: Any) -> Any:
    """The upper right block of exp of [[A, t], [0, A]] is the derivative along t."""
    n = A.shape[-1]
    rows = cat((cat((A, t), -1), cat((zeros_of(A), A), -1)), -2)
    return matrix_exp(rows)[..., :n, n:]


# Higham, "The scaling and squaring method for the matrix exponential revisited" (2005): the
# [13/13] Padé approximant is exact to rounding up to this norm.
PADE_NORM = 5.37
PADE = [
    math.factorial(26 - k) * math.factorial(13)
    / (math.factorial(13 - k) * math.factorial(k) * math.factorial(26))
    for k in range(14)
]  # fmt: skip


@op(
    vjp=[lambda g, A: _exp_slope(g, mT(A))],
    jvp=[lambda t, A: _exp_slope(t, A)],
    method=True,
)
def matrix_exp(A: Array) -> Array:
    """I + A + A A / 2 + A A A / 6 + ..., for square matrices (..., n, n)."""
    square(A)
    norm = float(np.abs(A).sum(-2).max(initial=0.0))
    if not math.isfinite(norm):
        return np.full_like(A, np.nan)
    halvings = max(0, math.ceil(math.log2(norm / PADE_NORM))) if norm else 0
    x = A * 0.5**halvings
    xx = x @ x
    eye = np.eye(A.shape[-1], dtype=A.dtype)
    odd, even = PADE[13] * eye, PADE[12] * eye
    for k in range(11, 0, -2):
        odd = odd @ xx + PADE[k] * eye
        even = even @ xx + PADE[k - 1] * eye
    odd = x @ odd
    y = np.linalg.solve(even - odd, even + odd)
    for _ in range(halvings):
        y = y @ y
    return y


@functools.lru_cache(maxsize=256)
def _order(sizes: tuple[int, ...]) -> tuple[int, Any]:
    """Return the fewest multiplications for a chain with these sizes, and where it is split.

    The split is a pair of splits, each None for a single matrix.
    """
    if len(sizes) == 2:
        return 0, None
    best: tuple[int, Any] | None = None
    for k in range(1, len(sizes) - 1):
        left, right = _order(sizes[: k + 1]), _order(sizes[k:])
        cost = left[0] + right[0] + sizes[0] * sizes[k] * sizes[-1]
        if best is None or cost < best[0]:
            best = cost, (k, left[1], right[1])
    return best  # pyright: ignore[reportReturnType]


def _chained(chain: Sequence[Any], split: Any) -> Any:
    if split is None:
        return chain[0]
    k, left, right = split
    return matmul(_chained(chain[:k], left), _chained(chain[k:], right))


@aliased
def multi_dot(tensors: Sequence[Any]) -> Any:
    """Product of a chain of matrices in the order of fewest multiplications.

    The first may be a vector, taken as a row, and the last one, taken as a column.
    """
    chain = list(tensors)
    if len(chain) < 2:
        raise ShapeError(f"it needs at least 2 tensors, not {len(chain)}")
    row, column = len(chain[0].shape) == 1, len(chain[-1].shape) == 1
    if row:
        chain[0] = chain[0][None]
    if column:
        chain[-1] = chain[-1][:, None]
    y = _in_order(chain)
    y = y[..., 0] if column else y
    return y[0] if row else y


def _in_order(chain: list[Any]) -> Any:
    shapes = [tuple(x.shape) for x in chain]
    if any(len(shape) != 2 for shape in shapes):
        raise ShapeError("all must be matrices")
    for (_, m), (n, _) in pairwise(shapes):
        if m != n:
            raise ShapeError(f"a matrix with {m} columns meets one with {n} rows")
    return _chained(chain, _order((*(n for n, _ in shapes), shapes[-1][1]))[1])


@aliased
def chain_matmul(*matrices: Any) -> Any:
    """Product of a chain of matrices in the order of fewest multiplications."""
    return _in_order(list(matrices)) if len(matrices) > 1 else matrices[0]
