"""Rows of the activations, of the fused cross entropy and of masks that a key makes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import autograd_core as ag
from tests.ops.case import Array, OpCase

ONE = ((3, 4),)
CLASSES = np.array([2, 0, 1, 2])
SOME_IGNORED = np.array([2, -100, 1, 2])
LARGE = np.arange(512) % 4  # so many rows that a kernel does the work
KEY = 2**63 + 5


def _gelu(x: Array, approximate: str = "none") -> Array:
    if approximate == "sigmoid":
        return x / (1.0 + np.exp(-1.702 * x))
    if approximate == "tanh":
        return 0.5 * x * (1.0 + np.tanh(math.sqrt(2.0 / math.pi) * (x + 0.044715 * x**3)))
    return 0.5 * x * (1.0 + np.vectorize(math.erf)(x / math.sqrt(2.0)))


def _torch_gelu(torch: Any, x: Any, approximate: str = "none") -> Any:
    return torch.nn.functional.gelu(x, approximate=approximate)


def _losses(x: Array, target: Array, smoothing: float = 0.0) -> Array:
    logs = x - np.log(np.exp(x).sum(1, keepdims=True))
    picked = logs[np.arange(len(x)), np.maximum(target, 0)]
    return -((1.0 - smoothing) * picked + smoothing * logs.mean(1)) * (target >= 0)


def _torch_losses(
    torch: Any, x: Any, target: Any, reduction: str = "mean", label_smoothing: float = 0.0
) -> Any:
    cross_entropy = torch.nn.functional.cross_entropy
    return cross_entropy(x, target, reduction=reduction, label_smoothing=label_smoothing)


def _mask(p: float) -> Array:
    return ag.ops.masks.keyed_dropout(np.ones((3, 4)), p, KEY)


ACTIVATIONS = [
    OpCase("gelu", ONE, torch=_torch_gelu, reference=_gelu),
    OpCase("gelu", ONE, {"approximate": "tanh"}, reference=lambda x, **_: _gelu(x, "tanh"),
           torch=lambda torch, x: _torch_gelu(torch, x, "tanh")),
    OpCase("gelu", ONE, {"approximate": "sigmoid"}, reference=lambda x, **_: _gelu(x, "sigmoid"),
           torch=None),
    OpCase("silu", ONE, torch=lambda torch, x: torch.nn.functional.silu(x)),
    OpCase("softplus", ONE, {"beta": 2.0, "threshold": 2.0}, away=(1.0,),
           torch=lambda torch, x: torch.nn.functional.softplus(x, 2.0, 2.0)),
    OpCase("elu", ONE, {"alpha": 0.7}, away=(0.0,),
           torch=lambda torch, x: torch.nn.functional.elu(x, 0.7)),
    OpCase("elu", ONE, {"alpha": 0.7, "scale": 1.5, "input_scale": 2.0}, away=(0.0,),
           reference=lambda x, **_: 1.5 * np.where(x > 0, x, 0.7 * (np.exp(2.0 * x) - 1.0)),
           torch=lambda torch, x: torch.ops.aten.elu(x, 0.7, 1.5, 2.0)),
    OpCase("leaky_relu", ONE, {"negative_slope": 0.1}, away=(0.0,),
           torch=lambda torch, x: torch.nn.functional.leaky_relu(x, 0.1)),
    OpCase("hardtanh", ONE, {"min_val": -0.5, "max_val": 1.0}, away=(-0.5, 1.0),
           torch=lambda torch, x: torch.nn.functional.hardtanh(x, -0.5, 1.0)),
    OpCase("threshold", ONE, {"threshold": 0.3, "value": -1.0}, away=(0.3,),
           torch=lambda torch, x: torch.nn.functional.threshold(x, 0.3, -1.0)),
]  # fmt: skip

LOSSES = [
    OpCase("fused_cross_entropy", ((4, 3), CLASSES), torch=_torch_losses,
           wrong=((4, 3), CLASSES[1:]), reference=lambda x, t: _losses(x, t).mean()),
    OpCase("fused_cross_entropy", ((4, 3), SOME_IGNORED),
           {"reduction": "sum", "label_smoothing": 0.2},
           torch=lambda torch, x, t: _torch_losses(torch, x, t, "sum", 0.2),
           reference=lambda x, t, **_: _losses(x, t, 0.2).sum()),
    OpCase("soft_cross_entropy", ((4, 3), (4, 3)),
           torch=lambda torch, x, p: torch.nn.functional.cross_entropy(x, p, reduction="none"),
           reference=lambda x, p: np.log(np.exp(x).sum(1)) * p.sum(1) - (p * x).sum(1)),
    OpCase("fused_cross_entropy", ((512, 4), LARGE), {"reduction": "none"},
           torch=lambda torch, x, t: _torch_losses(torch, x, t, "none"),
           reference=lambda x, t, **_: _losses(x, t)),
]  # fmt: skip

MASKS = [
    OpCase("keyed_dropout", (*ONE, 0.5, KEY), reference=lambda x, p, key: x * _mask(p), torch=None),
    OpCase("keyed_dropout", (*ONE, 1.0, KEY), reference=lambda x, p, key: 0.0 * x, torch=None),
]

CASES = [*ACTIVATIONS, *LOSSES, *MASKS]
