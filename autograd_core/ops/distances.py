"""How rows relate: distances, covariances, correlations, products."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import ShapeError
from ..op import aliased, method, op
from ..versions import Array
from .comparison import clamp, where
from .diagonal import diagonal
from .elementwise import sqrt
from .products import mT, same_dtype
from .reduction import sum
from .statistics import norm_

__all__ = ["cdist", "corrcoef", "cov"]

MANY = 25  # rows on one side from which on a product of matrices is quicker than differences
COMPUTE_MODES = {
    "use_mm_for_euclid_dist_if_necessary": MANY,
    "use_mm_for_euclid_dist": -1,
    "donot_use_mm_for_euclid_dist": float("inf"),
}


def _over(g: Any, y: Any) -> Any:
    """Return g / y, and 0 where two points are one."""
    same = y == 0.0
    return where(same, 0.0, g / where(same, 1.0, y))


def _pull(g: Any, x: Any, other: Any, y: Any) -> Any:
    """Sum over the other points r of g / |x - r| (x - r)."""
    w = _over(g, y)
    return x * sum(w, -1, True) - w @ other


def _push(t: Any, x: Any, other: Any, y: Any) -> Any:
    """<t, x - r> / |x - r| for every other point r."""
    return _over(sum(t * x, -1, True) - t @ mT(other), y)


@op(
    vjp=[
        lambda g, x1, x2, y: _pull(g, x1, x2, y),
        lambda g, x1, x2, y: _pull(mT(g), x2, x1, mT(y)),
    ],
    jvp=[
        lambda t, x1, x2, y: _push(t, x1, x2, y),
        lambda t, x1, x2, y: mT(_push(t, x2, x1, mT(y))),
    ],
    label="cdist",
)
def euclidean(x1: Array, x2: Array, many: float) -> Array:
    """|a - b| of all rows a of x1 and b of x2; from `many` rows on by |a|² + |b|² - 2 a b.

    That is quicker, and less exact for points that lie close together and far from 0.
    """
    same_dtype(x1, x2)
    if max(x1.shape[-2], x2.shape[-2]) <= many:
        apart = x1[..., :, None, :] - x2[..., None, :, :]
        return np.sqrt(np.vecdot(apart, apart))
    squares = np.vecdot(x1, x1)[..., :, None] + np.vecdot(x2, x2)[..., None, :]
    squares -= 2.0 * (x1 @ np.swapaxes(x2, -2, -1))
    return np.sqrt(np.maximum(squares, 0.0, out=squares))


@aliased
def cdist(
    x1: Any, x2: Any, p: float = 2.0, compute_mode: str = "use_mm_for_euclid_dist_if_necessary"
) -> Any:
    """p-norms of all differences of two sets of rows: (..., n, k), (..., m, k) -> (..., n, m)."""
    if len(x1.shape) < 2 or len(x2.shape) < 2 or x1.shape[-1] != x2.shape[-1]:
        raise ShapeError("it needs two sets of rows, (..., n, k) and (..., m, k)")
    if not p >= 0:
        raise ValueError(f"p must not be negative, got {p}")
    if compute_mode not in COMPUTE_MODES:
        raise ValueError(f"compute_mode must be one of {', '.join(COMPUTE_MODES)}")
    if p == 2:
        return euclidean(x1, x2, COMPUTE_MODES[compute_mode])
    return norm_(x1[..., :, None, :] - x2[..., None, :, :], float(p), -1, False)


@method
@aliased
def cov(x: Any, *, correction: int = 1, fweights: Any = None, aweights: Any = None) -> Any:
    """Covariances of variables (rows) over observations (columns): (n, m) -> (n, n).

    fweights counts how often an observation was made, aweights says how much it weighs.
    """
    if len(x.shape) > 2:
        raise ShapeError("it needs at most 2 axes, (variables, observations)")
    rows = x.reshape((1, -1)) if len(x.shape) < 2 else x
    count = rows.shape[-1]
    given = [w for w in (fweights, aweights) if w is not None]
    if any(tuple(w.shape) != (count,) for w in given):
        raise ShapeError(f"its weights must have one axis with {count} observations")
    if fweights is not None and fweights.dtype.kind not in "iu":
        raise TypeError(f"fweights count observations: they must be integers, not {fweights.dtype}")
    if any((w < 0).any() for w in given):
        raise ValueError("its weights must not be negative")
    if not given:
        centred = rows - sum(rows, -1, True) / count
        y = centred @ centred.T / max(count - correction, 0)
        return y if len(y) > 1 else y[0, 0]
    weights = given[0] if len(given) == 1 else fweights * aweights
    total = sum(weights)
    spread = 1.0 if aweights is None else sum(weights * aweights) / total
    centred = rows - sum(rows * weights, -1, True) / total
    y = (centred * weights) @ centred.T / clamp(total - correction * spread, 0.0)
    return y if len(y) > 1 else y[0, 0]


@method
@aliased
def corrcoef(x: Any) -> Any:
    """Correlations of variables (rows) over observations (columns): (n, m) -> (n, n)."""
    y = cov(x)
    if not len(y.shape):
        return y / y
    spread = sqrt(diagonal(y))
    return clamp(y / spread[:, None] / spread, -1.0, 1.0)


@aliased
def vecdot(x: Any, y: Any, *, dim: int = -1) -> Any:
    """Sums of the products of x and y along one axis."""
    same_dtype(x, y)
    return sum(x * y, dim)
