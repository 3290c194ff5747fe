"""Factors of matrices: Cholesky, QR, eigenvalues of symmetric matrices, singular values.

The derivatives are those of Giles, "An extended collection of matrix derivative results" (2008),
Seeger et al., "Auto-differentiating linear algebra" (2017) and, for singular vectors, Townsend,
"Differentiating the singular value decomposition" (2016). Vectors of equal eigenvalues or
singular values are not determined; their derivatives are NaN or infinite, as in PyTorch.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ..errors import GraphError
from ..op import aliased, method, op, zeros_of
from ..versions import Array
from .comparison import where
from .diagonal import diagonal, tril, triu
from .joining import cat
from .products import mT
from .reduction import sum
from .shape import Shape
from .solving import NO_NUMBERS, attempt, matrices, solve_triangular_, square

__all__ = ["cholesky_inverse", "cholesky_solve"]


def _gaps(x: Any) -> Any:
    """Return x_j - x_i for each pair of elements, and 1 on the diagonal."""
    return x[..., None, :] - x[..., None] + np.eye(x.shape[-1], dtype=x.dtype)


def _symmetric(x: Any) -> Any:
    return 0.5 * (x + mT(x))


def _lower_half(x: Any) -> Any:
    """Return the lower triangle of x with half of its diagonal."""
    n = x.shape[-1]
    return x * (np.tri(n, dtype=x.dtype) - 0.5 * np.eye(n, dtype=x.dtype))


def _cholesky_pull(g: Any, y: Any) -> Any:
    """L⁻ᵀ Φ(Lᵀ g) L⁻¹, its symmetric part."""
    x = solve_triangular_(mT(y), _lower_half(mT(y) @ g), True, False)
    return _symmetric(solve_triangular_(mT(y), mT(x), True, False))


def _cholesky_push(t: Any, y: Any) -> Any:
    """L Φ(L⁻¹ t L⁻ᵀ)."""
    x = solve_triangular_(y, _symmetric(t), False, False)
    return y @ _lower_half(solve_triangular_(y, mT(x), False, False))


@op(vjp=[_cholesky_pull], jvp=[_cholesky_push])
def cholesky_(A: Array) -> Array:
    """L, lower triangular, with L Lᵀ = A; only the lower triangle of A is read."""
    square(A)
    run = np.linalg.cholesky
    return attempt(run, A, "is not positive-definite", lambda: run(A))


@aliased
def cholesky(A: Any, *, upper: bool = False) -> Any:
    """L, lower triangular, with L Lᵀ = A; or its transpose, if upper. A is symmetric."""
    return mT(cholesky_(mT(A))) if upper else cholesky_(A)


@method
@aliased
def cholesky_solve(x: Any, L: Any, upper: bool = False) -> Any:
    """X with A X = x, given the factor L of A = L Lᵀ, or U of A = Uᵀ U if upper."""
    lower, higher = (mT(L), L) if upper else (L, mT(L))
    return solve_triangular_(higher, solve_triangular_(lower, x, False, False), True, False)


@method
@aliased
def cholesky_inverse(x: Any, upper: bool = False) -> Any:
    """Inverse of A, given its factor x with A = x xᵀ, or A = xᵀ x if upper."""
    return cholesky_solve(np.eye(x.shape[-1], dtype=x.dtype), x, upper)


class QR(NamedTuple):
    """What qr returns."""

    Q: Any
    R: Any


def _differentiable(shape: Shape, mode: str) -> None:
    m, n = shape[-2:]
    if mode == "r":
        raise GraphError("qr with mode='r' keeps no Q, which its derivative needs: use 'reduced'")
    if mode == "complete" and m > n:
        raise GraphError(
            f"qr of shape {shape} with mode='complete' has no derivative: the last {m - n} "
            "columns of Q are not determined; use mode='reduced'"
        )


def _qr_pull(g: Any, y: Any, shapes: list[Shape], mode: str) -> Any:
    """(gQ + Q sym(M)) R⁻ᵀ, where sym mirrors the lower triangle of M = R gRᵀ - gQᵀ Q."""
    _differentiable(shapes[0], mode)
    (gQ, gR), (Q, R) = g, y
    gQ, gR = (zeros_of(x) if g is None else g for g, x in ((gQ, Q), (gR, R)))
    M = R @ mT(gR) - mT(gQ) @ Q
    x = gQ + Q @ (tril(M) + mT(tril(M, -1)))
    return mT(solve_triangular_(R, mT(x), True, False))


def _qr_push(t: Any, y: Any, shapes: list[Shape], mode: str) -> QR:
    """dR = D R and dQ = X - Q D, where X = t R⁻¹ and D is the upper part of Qᵀ X."""
    _differentiable(shapes[0], mode)
    Q, R = y
    X = mT(solve_triangular_(mT(R), mT(t), False, False))
    QX = mT(Q) @ X
    D = triu(QX) + mT(tril(QX, -1))
    return QR(X - Q @ D, D @ R)


@op(vjp=[_qr_pull], jvp=[_qr_push], results=QR)
def qr_(A: Array, mode: str) -> QR:
    """Q R = A, of matrices that are not wider than high where a derivative is wanted."""
    matrices(A)
    if mode == "r":
        return QR(np.empty(0, A.dtype), np.linalg.qr(A, "r"))
    return QR(*np.linalg.qr(A, mode))  # pyright: ignore[reportCallIssue, reportArgumentType]


@aliased
def qr(A: Any, mode: str = "reduced") -> QR:
    """Q R = A with orthonormal columns in Q and R upper triangular: (..., m, n).

    "reduced": Q (m, k) and R (k, n) with k = min(m, n); "complete": Q (m, m) and R (m, n);
    "r": R as in "reduced", and an empty Q.
    """
    if mode not in ("reduced", "complete", "r"):
        raise ValueError(f"mode must be 'reduced', 'complete' or 'r', not {mode!r}")
    if len(A.shape) < 2 or A.shape[-2] >= A.shape[-1] or mode == "r":
        return qr_(A, mode)
    m = A.shape[-2]
    Q, R = qr_(A[..., :m], "reduced")  # the first columns determine Q
    return QR(Q, cat((R, mT(Q) @ A[..., m:]), -1))


class Eigen(NamedTuple):
    """What eigh returns."""

    eigenvalues: Any
    eigenvectors: Any


def _eigh_pull(g: Any, y: Any) -> Any:
    """V (diag(gL) + F ∘ Vᵀ gV) Vᵀ, with F_ij = 1 / (L_j - L_i) beside the diagonal."""
    (gL, gV), (L, V) = g, y
    x = 0.0 if gL is None else V * gL[..., None, :]
    if gV is not None:
        M = mT(V) @ gV
        x = x + V @ (0.5 * (M - mT(M)) / _gaps(L))
    return x @ mT(V)


def _eigh_push(t: Any, y: Any) -> Eigen:
    L, V = y
    M = mT(V) @ _symmetric(t) @ V
    turn = where(np.eye(M.shape[-1], dtype=np.bool_), 0.0, M) / _gaps(L)
    return Eigen(diagonal(M, 0, -2, -1), V @ turn)


@op(vjp=[_eigh_pull], jvp=[_eigh_push], results=Eigen)
def eigh(A: Array, UPLO: str = "L") -> Eigen:
    """Eigenvalues, the least first, and eigenvectors: A = V diag(L) Vᵀ, with A symmetric.

    Only the lower ("L") or upper ("U") triangle of A is read. An eigenvector may come with
    either sign, so only what does not depend on it has a gradient that means something.
    """
    return Eigen(*_spectral(np.linalg.eigh, A, UPLO))


def _spectral(run: Callable[..., Any], A: Array, UPLO: str) -> Any:
    """Run eigh or eigvalsh, which return NaNs where svd raises."""
    square(A)
    if UPLO not in ("L", "U"):
        raise ValueError(f"UPLO must be 'L' or 'U', not {UPLO!r}")

    def checked(A: Array) -> Any:
        found = run(A, UPLO)
        values = found[0] if isinstance(found, tuple) else found
        if np.isnan(values).any():
            raise np.linalg.LinAlgError
        return found

    return attempt(checked, A, NO_NUMBERS, lambda: checked(A))


def _eigvalsh_pull(g: Any, A: Any, UPLO: str) -> Any:
    V = eigh(A, UPLO)[1]
    return (V * g[..., None, :]) @ mT(V)


def _eigvalsh_push(t: Any, A: Any, UPLO: str) -> Any:
    V = eigh(A, UPLO)[1]
    return sum(V * (_symmetric(t) @ V), -2)


# The values alone take a third of the time; the vectors are found when a gradient is wanted.
@op(vjp=[_eigvalsh_pull], jvp=[_eigvalsh_push])
def eigvalsh(A: Array, UPLO: str = "L") -> Array:
    """Eigenvalues of symmetric matrices, the least first."""
    return _spectral(np.linalg.eigvalsh, A, UPLO)


class SVD(NamedTuple):
    """What svd returns."""

    U: Any
    S: Any
    Vh: Any


def _thin(vectors: Any, g: Any, k: int) -> tuple[Any, Any]:
    """Return the first k vectors and their cotangents; the others must have none."""
    if vectors.shape[-1] == k:
        return vectors, g
    if g is not None and np.any(getattr(g, "_array", g)[..., k:]):
        raise GraphError(
            f"svd determines only the first {k} columns of U and rows of Vh: the others have no "
            "derivative; use full_matrices=False"
        )
    return vectors[..., :k], None if g is None else g[..., :k]


def _svd_pull(g: Any, y: Any) -> Any:
    """U (skew(Uᵀ gU) / E S + S skew(Vᵀ gV) / E + diag(gS)) Vᵀ, and what leaves the spans.

    E_ij = S_j² - S_i², and skew(M) = M - Mᵀ.
    """
    S, gS = y[1], g[1]
    k = S.shape[-1]
    U, gU = _thin(y[0], g[0], k)
    V, gV = _thin(mT(y[2]), None if g[2] is None else mT(g[2]), k)
    wide, high = S[..., None, :], S[..., None]
    gaps = _gaps(S) * _sums(S)
    x = 0.0 if gS is None else U * gS[..., None, :]
    if gU is not None:
        M = mT(U) @ gU
        x = x + U @ ((M - mT(M)) / gaps * wide)
        if U.shape[-2] > k:
            x = x + (gU - U @ M) / wide
    if gV is not None:
        N = mT(V) @ gV
        x = x + U @ (high * (N - mT(N)) / gaps)
        if V.shape[-2] > k:
            return x @ mT(V) + U @ mT((gV - V @ N) / wide)
    return x @ mT(V)


def _sums(x: Any) -> Any:
    """Return x_j + x_i for each pair of elements, and 1 on the diagonal."""
    eye = np.eye(x.shape[-1], dtype=np.bool_)
    return where(eye, 1.0, x[..., None, :] + x[..., None])


def _svd_push(t: Any, y: Any, full_matrices: bool) -> SVD:
    U, S, Vh = y
    k = S.shape[-1]
    if U.shape[-1] > k or Vh.shape[-2] > k:
        raise GraphError("svd with full_matrices=True has no forward derivative: use False")
    V = mT(Vh)
    wide, high = S[..., None, :], S[..., None]
    P = mT(U) @ t @ V
    beside = where(np.eye(k, dtype=np.bool_), 0.0, P)
    gaps = _gaps(S) * _sums(S)
    dU = U @ ((beside * wide + high * mT(beside)) / gaps)
    dV = V @ ((high * beside + mT(beside) * wide) / gaps)
    if U.shape[-2] > k:
        dU = dU + (t @ V - U @ P) / wide
    if V.shape[-2] > k:
        dV = dV + (mT(t) @ U - V @ mT(P)) / wide
    return SVD(dU, diagonal(P, 0, -2, -1), mT(dV))


@op(vjp=[_svd_pull], jvp=[_svd_push], results=SVD)
def svd(A: Array, full_matrices: bool = True) -> SVD:
    """U diag(S) Vh = A, with the largest of S first: (..., m, n), k = min(m, n).

    U (m, m) and Vh (n, n), or (m, k) and (k, n) unless full_matrices. Vectors may come with
    either sign, so only what does not depend on it has a gradient that means something.
    """
    matrices(A)
    return SVD(*attempt(np.linalg.svd, A, NO_NUMBERS, lambda: np.linalg.svd(A, full_matrices)))


def _svdvals_pull(g: Any, A: Any) -> Any:
    U, _, Vh = svd(A, False)
    return (U * g[..., None, :]) @ Vh


def _svdvals_push(t: Any, A: Any) -> Any:
    U, _, Vh = svd(A, False)
    return sum(U * (t @ mT(Vh)), -2)


# As in eigvalsh: the vectors are found when a gradient is wanted.
@op(vjp=[_svdvals_pull], jvp=[_svdvals_push])
def svdvals(A: Array) -> Array:
    """Singular values of matrices (..., m, n) -> (..., min(m, n)), the largest first."""
    matrices(A)
    return attempt(np.linalg.svdvals, A, NO_NUMBERS, lambda: np.linalg.svdvals(A))
