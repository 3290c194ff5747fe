"""Norms: forward, and the cotangents of x, weight and bias together."""

from __future__ import annotations

import math
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np

from benchmarks.case import OURS, Case, Job, Mean, Prepare

# From what fits into a cache to 64 MiB.
IMAGES = [(32, 8, 16, 16), (64, 16, 28, 28), (128, 64, 8, 8), (8, 64, 56, 56), (16, 64, 128, 128)]
ROWS = [(64, 100), (128, 500), (6272, 64), (1024, 768), (16384, 1024)]
SHAPES = {
    "batch_norm": [*IMAGES, (128, 500)],
    "batch_norm eval": IMAGES,
    "group_norm": IMAGES,
    "instance_norm": IMAGES,
    "layer_norm": ROWS,
    "rms_norm": ROWS,
}
PARTS = ("forward", "backward")
GROUPS = 4
EPS = 1e-5
TARGETS = [Mean(f"{kind} ", "torch", 0.7) for kind in SHAPES]

Calls = dict[str, Callable[[], Any]]


def arrays(kind: str, *shape: int) -> tuple[Any, ...]:
    """x, a cotangent, weight, bias, and statistics of other data."""
    rng = np.random.default_rng(0)
    x, g = (rng.standard_normal(shape, np.float32) for _ in "xg")
    size = shape[-1] if kind in ("layer_norm", "rms_norm") else shape[1]
    return x, g, *(rng.uniform(0.5, 2.0, size).astype(np.float32) for _ in "wbmv")


def numbers(y: Any) -> list[float]:
    y = np.asarray(y, np.float64)
    return [float(y.flat[0]), float(y.flat[-1]), float(np.abs(y).sum())]


def form_of(kind: str, shape: tuple[int, ...]) -> Any:
    from autograd_core.ops import normalization_arrays as n

    if kind.startswith("batch_norm"):
        return n.by_channels(shape, known=kind.endswith("eval"))
    if kind in ("layer_norm", "rms_norm"):
        return n.by_rows(kind, shape, 1)
    return n.by_groups(kind, shape, GROUPS if kind == "group_norm" else shape[1])


def ours(part: str, kind: str, *shape: int) -> Prepare:
    def prepare() -> Job:
        from autograd_core.ops import normalization_arrays as n

        x, g, w, b, *known = arrays(kind, *shape)
        b = None if kind == "rms_norm" else b
        m, v = known if kind.endswith("eval") else (None, None)
        form = form_of(kind, shape)
        _, mean, rstd = n.forward(x, w, b, m, v, form, EPS)
        calls: Calls = {
            "forward": lambda: n.forward(x, w, b, m, v, form, EPS),
            "backward": lambda: n.pull(g, mean, rstd, x, w, True, form),
        }
        return Job(calls[part], answer=lambda: numbers(calls[part]()[0]))

    return prepare


def torch_calls(kind: str, x: Any, g: Any, w: Any, b: Any, m: Any, v: Any) -> Calls:
    torch: Any = import_module("torch")

    aten, all3 = torch.ops.aten, (True, True, True)
    if kind.startswith("batch_norm"):
        train = not kind.endswith("eval")
        _, mean, rstd = aten.native_batch_norm(x, w, b, m, v, train, 0.0, EPS)
        return {
            "forward": lambda: aten.native_batch_norm(x, w, b, m, v, train, 0.0, EPS),
            "backward": lambda: aten.native_batch_norm_backward(
                g, x, w, m, v, mean, rstd, train, EPS, all3
            ),
        }
    if kind == "layer_norm":
        last = x.shape[-1:]
        _, mean, rstd = aten.native_layer_norm(x, last, w, b, EPS)
        return {
            "forward": lambda: aten.native_layer_norm(x, last, w, b, EPS),
            "backward": lambda: aten.native_layer_norm_backward(g, x, last, mean, rstd, w, b, all3),
        }
    n, c, *rest = x.shape
    sizes = n, c, math.prod(rest), GROUPS
    _, mean, rstd = aten.native_group_norm(x, w, b, *sizes, EPS)
    return {
        "forward": lambda: aten.native_group_norm(x, w, b, *sizes, EPS),
        "backward": lambda: aten.native_group_norm_backward(g, x, mean, rstd, w, *sizes, all3),
    }


def functional(kind: str, x: Any, w: Any, b: Any) -> Any:
    """What PyTorch has no call of its own for."""
    F: Any = import_module("torch.nn.functional")

    if kind == "rms_norm":
        return F.rms_norm(x, x.shape[-1:], w, EPS)
    return F.instance_norm(x, None, None, w, b, eps=EPS)


def torch_side(part: str, kind: str, *shape: int) -> Prepare:
    def prepare() -> Job:
        torch: Any = import_module("torch")

        x, g, w, b, m, v = map(torch.from_numpy, arrays(kind, *shape))
        if kind not in ("rms_norm", "instance_norm"):
            call = torch_calls(kind, x, g, w, b, m, v)[part]
            return Job(call, answer=lambda: numbers(call()[0]))
        if part == "forward":
            return Job(
                lambda: functional(kind, x, w, b),
                answer=lambda: numbers(functional(kind, x, w, b)),
            )
        leaves = [t.requires_grad_() for t in ((x, w) if kind == "rms_norm" else (x, w, b))]

        def both() -> Any:
            return torch.autograd.grad(functional(kind, x, w, b), leaves, g)

        return Job(both, minus=lambda: functional(kind, x, w, b), answer=lambda: numbers(both()[0]))

    return prepare


def by_numpy(part: str, kind: str, *shape: int) -> Prepare:
    """The formula, array by array."""

    def prepare() -> Job:
        from autograd_core.ops import normalization_arrays as n

        x, g, w, b, *known = arrays(kind, *shape)
        b = None if kind == "rms_norm" else b
        m, v = known if kind.endswith("eval") else (None, None)
        form = form_of(kind, shape)
        _, mean, rstd = n._forward_small(x, w, b, m, v, form, EPS)
        calls: Calls = {
            "forward": lambda: n._forward_small(x, w, b, m, v, form, EPS),
            "backward": lambda: n._pull_small(g, mean, rstd, x, w, form),
        }
        return Job(calls[part], answer=lambda: numbers(calls[part]()[0]))

    return prepare


def case(part: str, kind: str, *shape: int) -> Case:
    sides = {OURS: ours(part, kind, *shape), "torch": torch_side(part, kind, *shape)}
    if shape in ((128, 500), (64, 16, 28, 28)):
        sides["numpy"] = by_numpy(part, kind, *shape)
    return Case(
        f"{kind} {part} {'x'.join(map(str, shape))}",
        sides,
        max_ratio={"torch": 1.0},
        rtol=1e-3,
        quick=math.prod(shape) < 1 << 20,
        moved=4.0 * math.prod(shape) * (2 if part == "forward" else 3),
        group=f"{kind} {part}",
    )


CASES = [
    case(part, kind, *shape)
    for kind, shapes in SHAPES.items()
    for part in PARTS
    for shape in shapes
]
