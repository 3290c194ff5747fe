"""Determinants, and their gradients where the matrix has no inverse as well."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from ..errors import GraphError
from ..op import aliased, method, op, zeros_of
from ..recording import Traced
from ..versions import Array
from .comparison import where
from .products import mT
from .reduction import sum
from .solving import inv, square

__all__ = ["det", "logdet", "slogdet"]


def _nearly_singular(A: Any) -> bool:
    """Tell whether the inverse of some matrix would lose half of all digits."""
    S = np.linalg.svdvals(A._array if isinstance(A, Traced) else A)
    return bool((S[..., -1:] <= S[..., :1] * np.finfo(S.dtype).eps ** 0.5).any())


def _factors(A: Array) -> tuple[Array, Array, Array, Array]:
    """Return the singular vectors, det(U Vh), and the logs of the singular values.

    Products of all values but some are sums of logs; the least positive number stands for 0.
    """
    U, S, Vh = np.linalg.svd(A)
    logs = np.log(np.maximum(S, np.finfo(S.dtype).tiny))
    return U, Vh, np.linalg.det(U) * np.linalg.det(Vh), logs


def _no_third_derivative(g: Any) -> Any:
    raise GraphError(
        "det has a third derivative only where the matrix is not singular, nor nearly so"
    )


@op(
    vjp=[lambda g, A: singular_slope(g, A), _no_third_derivative],
    jvp=[lambda t, A: singular_slope(t, A), _no_third_derivative],
)
def singular_slope(t: Array, A: Array) -> Array:
    """The derivative of the cofactors of A along t, without an inverse.

    Along the singular vectors A is diagonal, and each element a product of all values but two.
    """
    U, Vh, sign, logs = _factors(A)
    eye = np.eye(A.shape[-1], dtype=np.bool_)
    whole = logs.sum(-1, keepdims=True)[..., None]
    but_two = np.where(eye, 0.0, np.exp(whole - logs[..., None, :] - logs[..., None]))
    along = mT(U) @ t @ mT(Vh)
    diagonal = np.diagonal(along, 0, -2, -1)[..., None]
    slope = np.where(eye, but_two @ diagonal, -but_two * mT(along))
    return sign[..., None, None] * (U @ slope @ Vh)


def _cofactor_slope(t: Any, A: Any, y: Any) -> Any:
    """<W, t> y - y tᵀ W, with W = A⁻ᵀ; forwards and backwards alike, as of every gradient."""
    if _nearly_singular(A):
        return singular_slope(t, A)
    W = mT(inv(A))
    return sum(W * t, (-2, -1), True) * y - y @ mT(t) @ W


@op(vjp=[_cofactor_slope], jvp=[_cofactor_slope])
def cofactor(A: Array) -> Array:
    """det(A) A⁻ᵀ, the gradient of det(A), which exists for singular matrices as well."""
    square(A)
    d = np.linalg.det(A)
    if d.all():
        return d[..., None, None] * mT(np.linalg.inv(A))
    U, Vh, sign, logs = _factors(A)
    but_one = np.exp(logs.sum(-1, keepdims=True) - logs)
    return (U * (sign[..., None] * but_one)[..., None, :]) @ Vh


@op(
    vjp=[lambda g, A: g[..., None, None] * cofactor(A)],
    jvp=[lambda t, A: sum(cofactor(A) * t, (-2, -1))],
    method=True,
)
def det(A: Array) -> Array:
    """Determinants of square matrices (..., n, n) -> (...)."""
    square(A)
    return np.linalg.det(A)


class SignAndLog(NamedTuple):
    """What slogdet returns."""

    sign: Any
    logabsdet: Any


def _slogdet_pull(g: Any, A: Any) -> Any:
    return zeros_of(A) if g[1] is None else g[1][..., None, None] * mT(inv(A))


def _slogdet_push(t: Any, A: Any, y: Any) -> SignAndLog:
    return SignAndLog(zeros_of(y[0]), sum(mT(inv(A)) * t, (-2, -1)))


@op(vjp=[_slogdet_pull], jvp=[_slogdet_push], results=SignAndLog, method=True)
def slogdet(A: Array) -> SignAndLog:
    """Sign of the determinants, and log of their absolute values, which does not overflow."""
    square(A)
    return SignAndLog(*np.linalg.slogdet(A))


@method
@aliased
def logdet(x: Any) -> Any:
    """log of the determinants; NaN where one is negative."""
    sign, log_of_size = slogdet(x)
    return where(sign == -1, math.nan, log_of_size)
