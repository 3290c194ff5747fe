"""Convolutions of the networks: forward, gradient of the input, gradient of the weight."""

from __future__ import annotations

import math
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np

from benchmarks.case import OURS, Case, Job, Mean, Prepare

# name, samples, channels, size, kernels, kernel size, stride, padding
SHAPES = [
    ("lenet1", 64, 1, 28, 6, 5, 1, 2), ("lenet2", 64, 6, 14, 16, 5, 1, 0),
    ("slide1", 64, 1, 28, 32, 5, 2, 0), ("slide2", 64, 32, 12, 32, 5, 2, 0),
    ("c16", 128, 16, 32, 16, 3, 1, 1), ("c32", 128, 32, 16, 32, 3, 1, 1),
    ("c64", 128, 64, 8, 64, 3, 1, 1), ("7x7", 8, 3, 224, 64, 7, 2, 3),
    ("r56", 8, 64, 56, 64, 3, 1, 1), ("r28", 8, 128, 28, 128, 3, 1, 1),
    ("r14", 8, 256, 14, 256, 3, 1, 1), ("r7", 8, 512, 7, 512, 3, 1, 1),
    ("1x1", 8, 256, 56, 64, 1, 1, 0),
]  # fmt: skip
FEW_CHANNELS = {"lenet1", "lenet2", "slide1", "slide2", "7x7"}
PARTS = ("forward", "input gradient", "weight gradient")
TARGETS = [Mean("conv", "torch", 1.0), *(Mean(f"conv {part}", "torch", 1.0) for part in PARTS)]


def shapes(n: int, c: int, size: int, out: int, k: int, stride: int, padding: int) -> Any:
    """Those of x, of the weight and of the result."""
    places = (size + 2 * padding - k) // stride + 1
    return (n, c, size, size), (out, c, k, k), (n, out, places, places)


def arrays(*shape: int) -> Any:
    """x, weight and a cotangent of the result."""
    rng = np.random.default_rng(0)
    return [rng.standard_normal(each).astype(np.float32) for each in shapes(*shape)]


def numbers(y: Any) -> list[float]:
    y = np.asarray(y, np.float64)
    return [float(y.flat[0]), float(y.flat[-1]), float(np.abs(y).sum())]


def ours(part: str, *shape: int) -> Prepare:
    def prepare() -> Job:
        from autograd_core.ops import conv_arrays as c

        *_, k, stride, padding = shape
        x, w, g = arrays(*shape)
        rest = (stride, stride), ((padding, padding),) * 2, (1, 1), 1
        calls: dict[str, Callable[[], Any]] = {
            "forward": lambda: c.forward(x, w, None, *rest),
            "input gradient": lambda: c.transposed(g, w, None, x.shape[2:], *rest),
            "weight gradient": lambda: c.weight_gradient(x, g, (k, k), *rest),
        }
        return Job(calls[part], answer=lambda: numbers(calls[part]()))

    return prepare


def torch_side(part: str, *shape: int) -> Prepare:
    def prepare() -> Job:
        torch: Any = import_module("torch")

        *_, stride, padding = shape
        x, w, g = map(torch.from_numpy, arrays(*shape))
        rest = [stride] * 2, [padding] * 2, [1, 1], False, [0, 0], 1
        backward = torch.ops.aten.convolution_backward
        calls: dict[str, Callable[[], Any]] = {
            "forward": lambda: torch.ops.aten.convolution(x, w, None, *rest),
            "input gradient": lambda: backward(g, x, w, None, *rest, (True, False, False))[0],
            "weight gradient": lambda: backward(g, x, w, None, *rest, (False, True, False))[1],
        }
        return Job(calls[part], answer=lambda: numbers(calls[part]()))

    return prepare


def by_columns(part: str, *shape: int) -> Prepare:
    """im2col and NumPy's product."""

    def prepare() -> Job:
        from autograd_core.ops import conv_arrays as c

        *_, stride, padding = shape
        x, w, g = arrays(*shape)
        rest = (stride, stride), ((padding, padding),) * 2, (1, 1), 1
        calls: dict[str, Callable[[], Any]] = {
            "forward": lambda: c._forward_by_columns(x, w, None, g.shape[2:], *rest),
            "input gradient": lambda: c._transposed_by_columns(g, w, None, x.shape[2:], *rest),
            "weight gradient": lambda: c._weight_by_columns(x, g, w.shape, *rest),
        }
        return Job(calls[part], answer=lambda: numbers(calls[part]()))

    return prepare


def case(part: str, name: str, *shape: int) -> Case:
    x, w, y = map(math.prod, shapes(*shape))
    sides = {
        OURS: ours(part, *shape),
        "torch": torch_side(part, *shape),
        "im2col": by_columns(part, *shape),
    }
    return Case(
        f"conv {part} {name}",
        sides,
        max_ratio={"torch": 0.6 if name in FEW_CHANNELS else 1.3},
        rtol=1e-3,
        quick=name in FEW_CHANNELS - {"7x7"},
        flops=2.0 * y * w / shape[3],
        moved=4.0 * (x + w + y),
        group=f"conv {part}",
    )


CASES = [case(part, *shape) for part in PARTS for shape in SHAPES]
