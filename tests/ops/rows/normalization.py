"""Rows of what the norm layers are made of."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.ops.case import Array, OpCase


def standard(x: Array, dims: Any, eps: float, center: bool = True) -> Any:
    """Mean, variance and standardized numbers, as their definitions say it."""
    mean = x.mean(dims, keepdims=True) if center else 0.0 * x.mean(dims, keepdims=True)
    var = ((x - mean) ** 2).mean(dims, keepdims=True)
    return (x - mean) / np.sqrt(var + eps), mean, var


def pulled(g: Array, unit: Array, scale: Array, dims: Any, center: bool = True) -> Array:
    """The cotangent without its part along 1 and along the unit, times the scale."""
    middle = g.mean(dims, keepdims=True) if center else 0.0
    return scale * (g - middle - unit * (g * unit).mean(dims, keepdims=True))


def theirs(torch: Any, x: Any, dims: Any, eps: float) -> Any:
    """The same of PyTorch's own operations."""
    var, mean = torch.var_mean(x, dims, correction=0, keepdim=True)
    return (x - mean) / (var + eps).sqrt(), mean, var


CASES = [
    OpCase("standardize", ((3, 2, 4),), {"dims": (0, 2), "eps": 0.1},
           reference=lambda x: standard(x, (0, 2), 0.1),
           torch=lambda torch, x: theirs(torch, x, (0, 2), 0.1)),
    OpCase("standardize", ((3, 4),), {"dims": (1,), "eps": 1e-5},
           reference=lambda x: standard(x, (1,), 1e-5),
           torch=lambda torch, x: theirs(torch, x, (1,), 1e-5)),
    OpCase("standardize", ((3, 4),), {"dims": (1,), "eps": 0.1, "center": False}, torch=None,
           reference=lambda x: standard(x, (1,), 0.1, False)),
    OpCase("standardize_input", ((3, 2, 4), (3, 2, 4), (1, 2, 1)), {"dims": (0, 2)},
           reference=lambda g, u, s: pulled(g, u, s, (0, 2)), torch=None),
    OpCase("standardize_input", ((3, 4), (3, 4), (3, 1)), {"dims": (1,), "center": False},
           reference=lambda g, u, s: pulled(g, u, s, (1,), False), torch=None),
    OpCase("affine", ((3, 4), (4,), (3, 1)), analytic=True,
           torch=lambda torch, x, w, b: x * w + b),
    OpCase("affine", ((4,), 2.0, (3, 4)), torch=lambda torch, x, w, b: x * w + b),
]  # fmt: skip
