"""How far apart, or how alike, vectors are."""

from __future__ import annotations

from autograd_core import ShapeError, Tensor, linalg, ops, triu_indices

from .demands import broadcasting, floats
from .straight_through import straight_through

__all__ = ["cdist", "cosine_similarity", "pairwise_distance", "pdist"]

cdist = ops.cdist


def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """x1 · x2 / (max(|x1|, eps) max(|x2|, eps)) along one axis; the gradient ignores eps."""
    shape = broadcasting("cosine_similarity", x1=x1, x2=x2)
    floats("cosine_similarity", x1=x1, x2=x2)
    units = [_unit(x.expand(shape), dim, eps) for x in (x1, x2)]
    return (units[0] * units[1]).sum(dim)


def _unit(x: Tensor, dim: int, eps: float) -> Tensor:
    length = linalg.vector_norm(x, 2.0, dim, True)
    return x / straight_through(length.detach().clamp(eps), length)


def pairwise_distance(
    x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False
) -> Tensor:
    """|x1 - x2 + eps|, the p-norm over the last axis: row by row, (..., D) -> (...)."""
    broadcasting("pairwise_distance", x1=x1, x2=x2)
    return linalg.vector_norm(x1 - x2 + eps, p, -1, keepdim)


def pdist(input: Tensor, p: float = 2.0) -> Tensor:
    """Distances of all pairs of rows: (N, D) -> (N (N - 1) / 2), in the order of triu_indices."""
    if input.ndim != 2:
        raise ShapeError(f"pdist got input of shape {tuple(input.shape)}: it needs rows, (N, D)")
    if p < 0:
        raise ValueError(f"pdist got p={p}: it must not be negative")
    first, second = triu_indices(input.shape[0], input.shape[0], 1)
    return linalg.vector_norm(input[first] - input[second], p, -1)
