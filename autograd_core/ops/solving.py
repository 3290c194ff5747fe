"""Linear systems: solutions, inverses, pseudo-inverses, least squares."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ..errors import LinAlgError, ShapeError
from ..op import aliased, method, op, untracked
from ..recording import Traced, wrap
from ..versions import Array
from .diagonal import tril, triu
from .products import mT, same_dtype
from .reduction import sum

__all__ = ["inverse", "pinverse"]


def matrices(*arrays: Array) -> None:
    """Raise unless each array holds matrices, all of one dtype that LAPACK has."""
    for x in arrays:
        if x.ndim < 2:
            raise ShapeError("it needs matrices, with 2 axes at least")
        if x.dtype.kind not in "fc" or x.dtype.itemsize < 4:
            raise TypeError("it needs float32 or float64: convert with .to(dtype)")
    same_dtype(*arrays)


def square(A: Array, *others: Array) -> None:
    """Raise unless A holds square matrices, and the others matrices of the same dtype."""
    matrices(A, *others)
    if A.shape[-1] != A.shape[-2]:
        raise ShapeError(f"its matrices must be square, not {A.shape[-2]} by {A.shape[-1]}")


def failing(probe: Callable[[Array], Any], A: Array) -> Array:
    """Return which matrices of a batch a function of NumPy refuses."""
    failed = np.zeros(A.shape[:-2], np.bool_)
    for place in np.ndindex(failed.shape):
        try:
            probe(A[place])
        except np.linalg.LinAlgError:
            failed[place] = True
    return failed


def attempt(probe: Callable[[Array], Any], A: Array, what: str, run: Callable[[], Any]) -> Any:
    """Run it; where LAPACK fails, say which matrix of the batch is to blame, and of what."""
    try:
        return run()
    except np.linalg.LinAlgError:
        places = np.argwhere(failing(probe, A)).tolist()
        which = f"matrix {places[0]} of the batch" if places and places[0] else "the matrix"
        raise LinAlgError(f"{which} {what}") from None


def _unsingular(A: Array, run: Callable[[], Array]) -> Array:
    return attempt(np.linalg.inv, A, "is singular", run)


@op(
    vjp=[lambda g, y: -(mT(y) @ g @ mT(y))],
    jvp=[lambda t, y: -(y @ t @ y)],
)
def inv(A: Array) -> Array:
    """Inverses of square matrices (..., n, n)."""
    square(A)
    return _unsingular(A, lambda: np.linalg.inv(A))


@method
@aliased
def inverse(x: Any) -> Any:
    """Inverses of square matrices (..., n, n): linalg.inv."""
    return inv(x)


def _pull_solve(g: Any, A: Any, y: Any, wanted: Any) -> list[Any]:
    """Return the cotangents of A and B: one solution for both."""
    b = solve_(mT(A), g)
    return [-(b @ mT(y)) if wanted[0] else None, b]


@op(
    vjp=[_pull_solve, _pull_solve],
    joint=True,
    jvp=[lambda t, A, y: -solve_(A, t @ y), lambda t, A: solve_(A, t)],
)
def solve_(A: Array, B: Array) -> Array:
    """X with A X = B: (..., n, n), (..., n, k) -> (..., n, k)."""
    square(A, B)
    if A.shape[-1] != B.shape[-2]:
        raise ShapeError(f"A has {A.shape[-1]} rows and B has {B.shape[-2]}: they must agree")
    return _unsingular(A, lambda: np.linalg.solve(A, B))


def _of_vectors(A: Any, B: Any) -> bool:
    """Tell whether B holds one vector for each matrix, and not matrices."""
    return len(B.shape) == 1 or tuple(B.shape) == tuple(A.shape[:-1])


@aliased
def solve(A: Any, B: Any, *, left: bool = True) -> Any:
    """X with A X = B, or X A = B unless left; B holds matrices, or a vector for each of A."""
    if _of_vectors(A, B):
        if not left:
            raise ShapeError("vectors stand on the right of A: use left=True")
        return solve_(A, B[..., None])[..., 0]
    return solve_(A, B) if left else mT(solve_(mT(A), mT(B)))


def triangle(x: Any, upper: bool, strict: bool = False) -> Any:
    """Return x with zeros below the diagonal, or above it; on it too where `strict`."""
    return triu(x, int(strict)) if upper else tril(x, -int(strict))


BLOCK = 64  # below, LAPACK's solver costs less than another product


def _substitute(T: Array, B: Array, upper: bool) -> Array:
    """Solve T X = B half by half: all but small blocks is products of matrices."""
    n = T.shape[-1]
    if n <= BLOCK:
        return np.linalg.solve(T, B)
    head, tail = slice(n // 2), slice(n // 2, None)
    first, last = (tail, head) if upper else (head, tail)
    x = _substitute(T[..., first, first], B[..., first, :], upper)
    z = _substitute(T[..., last, last], B[..., last, :] - T[..., last, first] @ x, upper)
    return np.concatenate([z, x] if upper else [x, z], -2)


def _pull_triangular(g: Any, A: Any, y: Any, wanted: Any, upper: bool, unit: bool) -> list[Any]:
    """Return the cotangents of A and B: one solution for both."""
    b = solve_triangular_(mT(A), g, not upper, unit)
    return [triangle(-(b @ mT(y)), upper, unit) if wanted[0] else None, b]


@op(
    vjp=[_pull_triangular, _pull_triangular],
    joint=True,
    jvp=[
        lambda t, A, y, upper, unit: (
            -solve_triangular_(A, triangle(t, upper, unit) @ y, upper, unit)
        ),
        lambda t, A, upper, unit: solve_triangular_(A, t, upper, unit),
    ],
)
def solve_triangular_(A: Array, B: Array, upper: bool, unit: bool) -> Array:
    """X with T X = B, where T is a triangle of A, with ones on its diagonal if `unit`."""
    square(A, B)
    if A.shape[-1] != B.shape[-2]:
        raise ShapeError(f"A has {A.shape[-1]} rows and B has {B.shape[-2]}: they must agree")
    T = triangle(A, upper, unit)
    if unit:
        T += np.eye(A.shape[-1], dtype=A.dtype)  # pyright: ignore[reportConstantRedefinition]
    return _unsingular(T, lambda: _substitute(T, B, upper))


@aliased
def solve_triangular(
    A: Any, B: Any, *, upper: bool, left: bool = True, unitriangular: bool = False
) -> Any:
    """X with A X = B, or X A = B unless left; only the upper or lower triangle of A counts."""
    if left:
        return solve_triangular_(A, B, upper, unitriangular)
    return mT(solve_triangular_(mT(A), mT(B), not upper, unitriangular))


def _counted(A: Array, S: Array, atol: Any, rtol: Any) -> Array:
    """Return which of the singular values S (..., k) of A do not count as zero."""
    atol = np.asarray(0.0 if atol is None else atol)
    if rtol is None:
        rtol = np.where(atol > 0, 0.0, max(A.shape[-2:]) * np.finfo(A.dtype).eps)
    return np.greater(S, np.maximum(S[..., :1] * np.asarray(rtol)[..., None], atol[..., None]))


def _bare(tolerance: Any) -> Any:
    return tolerance._array if isinstance(tolerance, Traced) else tolerance


def _pinv_pull(g: Any, A: Any, y: Any) -> Any:
    """Golub and Pereyra, "The differentiation of pseudo-inverses" (1973), equation 4.12."""
    g = mT(g)
    left, right = g @ y @ mT(y), mT(y) @ y @ g
    return left - A @ (y @ left) + right - (right @ y) @ A - mT(y) @ mT(g) @ mT(y)


def _pinv_push(t: Any, A: Any, y: Any) -> Any:
    left, right = y @ mT(y) @ mT(t), mT(t) @ mT(y) @ y
    return left - (left @ A) @ y + right - y @ (A @ right) - y @ t @ y


@op(vjp=[_pinv_pull], jvp=[_pinv_push], label="pinv")
def pinv_(A: Array, atol: Any, rtol: Any) -> Array:
    """Pseudo-inverses by singular values; differentiable where the rank stays the same."""
    matrices(A)
    U, S, Vh = attempt(np.linalg.svd, A, NO_NUMBERS, lambda: np.linalg.svd(A, False))
    inverted = np.divide(1.0, S, out=np.zeros_like(S), where=_counted(A, S, atol, rtol))
    return mT(Vh) @ (inverted[..., None] * mT(U))


NO_NUMBERS = "has no factors: is there a NaN or an infinity in it?"


@aliased
def pinv(
    A: Any, rcond: Any = None, hermitian: bool = False, *, atol: Any = None, rtol: Any = None
) -> Any:
    """Pseudo-inverses (..., m, n) -> (..., n, m).

    Singular values up to max(atol, rtol * the largest) count as zero; rtol is max(m, n) times
    the dtype's epsilon unless given, or 0 beside atol. `hermitian` changes nothing.
    """
    return pinv_(A, _bare(atol), _bare(rcond if rtol is None else rtol))


@method
@aliased
def pinverse(x: Any, rcond: Any = 1e-15) -> Any:
    """Pseudo-inverses (..., m, n) -> (..., n, m): linalg.pinv with rtol = rcond."""
    return pinv_(x, None, _bare(rcond))


@untracked(label="rank")
def matrix_rank_(A: Array, atol: Any, rtol: Any) -> Array:
    """Number of singular values that do not count as zero."""
    matrices(A)
    S = attempt(np.linalg.svdvals, A, NO_NUMBERS, lambda: np.linalg.svdvals(A))
    return np.count_nonzero(_counted(A, S, atol, rtol), axis=-1)


@aliased
def matrix_rank(A: Any, *, atol: Any = None, rtol: Any = None, hermitian: bool = False) -> Any:
    """Ranks of matrices (..., m, n) -> (...), as int64; tolerances as in pinv."""
    return matrix_rank_(A, _bare(atol), _bare(rtol))


class LeastSquares(NamedTuple):
    """What lstsq returns; what its driver does not find is empty."""

    solution: Any
    residuals: Any
    rank: Any
    singular_values: Any


@aliased
def lstsq(A: Any, B: Any, rcond: float | None = None, *, driver: str | None = None) -> LeastSquares:
    """X of the least |A X - B|, and of the least norm among those: (..., m, n), (..., m, k).

    All go by the pseudo-inverse; the names of LAPACK's drivers choose what comes beside X:
    "gelsy" (by default) the rank, "gels" the sums of squares that remain where m > n, "gelsd"
    and "gelss" both and the singular values.
    """
    drivers = (None, "gelsy", "gels", "gelsd", "gelss")
    if driver not in drivers:
        raise ValueError(f"driver must be one of {', '.join(map(str, drivers))}, not {driver!r}")
    columns = B[..., None] if _of_vectors(A, B) else B
    X: Any = pinv_(A, None, rcond) @ columns
    m, n = A.shape[-2:]
    rank = np.asarray(matrix_rank_(_bare(A), None, rcond))
    rest, values = A.reshape((-1,))[:0], np.empty(0, A.dtype)
    if driver in ("gels", "gelsd", "gelss") and m > n and (rank == n).all():
        rest = sum((A @ X - columns) ** 2, -2)
    if driver in ("gelsd", "gelss"):
        values = np.linalg.svdvals(_bare(A))
    found = X if columns is B else X[..., 0]
    beside = [np.empty(0, rank.dtype) if driver == "gels" else rank, values]
    if isinstance(X, Traced):
        beside = list(map(wrap, beside))
    return LeastSquares(found, rest, *beside)
