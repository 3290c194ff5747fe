"""Poolings: largest elements and means, forward and their gradients."""

from __future__ import annotations

import math
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np

from benchmarks.case import OURS, Case, Job, Mean, Prepare

SHAPES = [(64, 16, 28, 28), (128, 64, 8, 8), (8, 64, 112, 112), (32, 128, 10, 10)]
WINDOWS = [(2, 2, 0), (3, 2, 1), (3, 1, 1), (3, 3, 0)]  # kernel, stride, padding
PARTS = ("forward", "backward")
TARGETS = [Mean(f"{kind} ", "torch", 0.7) for kind in ("max_pool", "avg_pool", "global mean")]

Calls = dict[str, Callable[[], Any]]


def numbers(y: Any) -> list[float]:
    y = np.asarray(y, np.float64)
    return [float(y.flat[0]), float(y.flat[-1]), float(np.abs(y).sum())]


def count(n: int, kernel: int, stride: int, padding: int) -> int:
    return (n + 2 * padding - kernel) // stride + 1


def result(shape: tuple[int, ...], window: tuple[int, int, int]) -> tuple[int, ...]:
    """The shape of what the windows become."""
    return *shape[:2], *(count(n, *window) for n in shape[2:])


def arrays(shape: tuple[int, ...], window: tuple[int, int, int]) -> Any:
    """x and a cotangent of the result."""
    rng = np.random.default_rng(0)
    return [rng.standard_normal(size, np.float32) for size in (shape, result(shape, window))]


def ours(kind: str, part: str, shape: tuple[int, ...], window: Any) -> Prepare:
    def prepare() -> Job:
        from autograd_core.ops import pooling_arrays as p

        kernel, stride, padding = window
        x, g = arrays(shape, window)
        ends = ((m - 1) * stride + kernel - n for m, n in zip(g.shape[2:], shape[2:], strict=True))
        pairs = tuple((padding, end - padding) for end in ends)
        size, k, s = shape[2:], (kernel,) * 2, (stride,) * 2
        if kind == "max_pool":
            at = p.max_pool(x, k, s, pairs, (1, 1))[1]
            calls: Calls = {
                "forward": lambda: p.max_pool(x, k, s, pairs, (1, 1))[0],
                "backward": lambda: p.unpool(g, at, size),
            }
        else:
            calls = {
                "forward": lambda: p.avg_pool(x, kernel**2, k, s, pairs),
                "backward": lambda: p.avg_pool_input(g, kernel**2, size, k, s, pairs),
            }
        return Job(calls[part], answer=lambda: numbers(calls[part]()))

    return prepare


def torch_side(kind: str, part: str, shape: tuple[int, ...], window: Any) -> Prepare:
    def prepare() -> Job:
        torch: Any = import_module("torch")

        aten = torch.ops.aten
        k, s, p = ([n, n] for n in window)
        x, g = map(torch.from_numpy, arrays(shape, window))
        if kind == "max_pool":
            at = aten.max_pool2d_with_indices(x, k, s, p)[1]
            calls: Calls = {
                "forward": lambda: aten.max_pool2d_with_indices(x, k, s, p)[0],
                "backward": lambda: aten.max_pool2d_with_indices_backward(
                    g, x, k, s, p, [1, 1], False, at
                ),
            }
        elif kind == "global mean":
            calls = {
                "forward": lambda: torch.nn.functional.adaptive_avg_pool2d(x, 1),
                "backward": lambda: (g / math.prod(shape[2:])).expand(shape).contiguous(),
            }
        else:
            calls = {
                "forward": lambda: aten.avg_pool2d(x, k, s, p),
                "backward": lambda: aten.avg_pool2d_backward(g, x, k, s, p, False, True, None),
            }
        return Job(calls[part], answer=lambda: numbers(calls[part]()))

    return prepare


def case(kind: str, part: str, shape: tuple[int, ...], window: Any) -> Case:
    kernel, stride, _ = window
    arguments = kind, part, shape, window
    x, y = math.prod(shape), math.prod(result(shape, window))
    name = "" if kind == "global mean" else f"{kernel}x{kernel} stride {stride} "
    places = 2 * y if kind == "max_pool" else 0  # int64 beside float32
    return Case(
        f"{kind} {part} {name}{'x'.join(map(str, shape))}",
        {OURS: ours(*arguments), "torch": torch_side(*arguments)},
        max_ratio={"torch": 1.0},
        rtol=1e-3,
        quick=math.prod(shape) < 1 << 20,
        moved=4.0 * (x + y + places),
        group=f"{kind} {part}",
    )


CASES = [
    *(
        case(kind, part, shape, window)
        for kind in ("max_pool", "avg_pool")
        for part in PARTS
        for shape in SHAPES
        for window in WINDOWS
    ),
    *(case("global mean", part, shape, (shape[2], 1, 0)) for part in PARTS for shape in SHAPES),
]
