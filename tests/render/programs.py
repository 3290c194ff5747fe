"""Twelve small programs in plain numbers, whose pictures are kept in `golden/`.

`python -m tests.render.programs` draws them anew, where a change of the pictures is meant; look at
each before it is committed.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import autograd_core as ag
import nn
import nn.functional as F
from autograd_core.checkpoint import checkpoint
from autograd_core.graph import Graph, trace_graph

Value: Any = ag.Value
GOLDEN = Path(__file__).parent / "golden"


def ramp(*shape: int, name: str | None = None, step: float = 0.25) -> Any:
    """A float64 leaf that counts up from -0.625 in exact steps, no element twice."""
    x = ag.tensor(step * np.arange(np.prod(shape)).reshape(shape) - 0.625, requires_grad=True)
    x.name = name
    return x


def square() -> Graph:
    x = Value(3.0, name="x")
    return trace_graph(x * x, backward=True)


def product_and_sum() -> Graph:
    a, b, c = Value(2.0, name="a"), Value(-3.0, name="b"), Value(10.0, name="c")
    return trace_graph(a * b + c, backward=True)


def neuron() -> Graph:
    x1, x2 = Value(2.0, name="x1"), Value(0.0, name="x2")
    w1, w2 = Value(-3.0, name="w1"), Value(1.0, name="w2")
    b = Value(6.75, name="b")
    return trace_graph((x1 * w1 + x2 * w2 + b).tanh(), backward=True)


def softmax_cross_entropy() -> Graph:
    z = ramp(2, 3, name="logits")
    target = ag.tensor([2, 0])
    return trace_graph(lambda: F.cross_entropy(z, target), backward=True)


def layer_norm() -> Graph:
    x = ag.tensor([[1.0, 2.0, 4.0, 5.0], [0.0, 1.0, 7.0, 8.0]], dtype=ag.float64)
    x.requires_grad_().name = "x"
    gain, bias = ramp(4, name="gain"), ramp(4, name="bias", step=0.5)

    def run() -> Any:
        d = x - x.mean(-1, keepdim=True)
        y = d / (d.square().mean(-1, keepdim=True) + 1e-5).sqrt() * gain + bias
        return y.square().sum()

    return trace_graph(run, backward=True)


def convolution() -> Graph:
    net = nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(32, 2))
    net = net.double()
    with ag.no_grad():
        for p in net.parameters():
            p.copy_(ramp(*p.shape, step=0.0625))
    image = ramp(1, 1, 4, 4).detach()
    image.name = "image"
    return trace_graph(lambda x: net(x).square().mean(), image, backward=True)


def recurrent() -> Graph:
    w, u, b = ramp(2, 2, name="W"), ramp(3, 2, name="U"), ramp(2, name="b")

    def run() -> Any:
        h: Any = ag.zeros(1, 2, dtype=ag.float64)
        for t in range(3):
            x = ag.full((1, 3), 0.5 * t, dtype=ag.float64)
            x.name = f"x{t}"
            h = (h @ w + x @ u + b).tanh()
        return h.square().mean()

    return trace_graph(run, backward=True)


def shared_embedding() -> Graph:
    table = ramp(5, 2, name="E")
    words = ag.tensor([3, 1, 3])

    def run() -> Any:
        return F.cross_entropy(F.embedding(words, table) @ table.t(), ag.tensor([1, 3, 0]))

    return trace_graph(run, backward=True)


def residual() -> Graph:
    x, w = ramp(2, 2, name="x", step=0.75), ramp(2, 2, name="W", step=0.5)
    return trace_graph(lambda: (x + (x @ w).relu()).square().mean(), backward=True)


def double_backward() -> Graph:
    x = ag.tensor(0.5, dtype=ag.float64, requires_grad=True)
    x.name = "x"

    def run() -> Any:
        (slope,) = ag.autograd.grad(x.tanh(), x, create_graph=True)
        return slope

    return trace_graph(run, backward=True)


def checkpointed() -> Graph:
    x, w = ramp(2, 2, name="x"), ramp(2, 2, name="W", step=0.5)

    def block(x: Any) -> Any:
        return (x @ w).tanh()

    return trace_graph(lambda: checkpoint(block, x).square().mean(), backward=True)


def not_a_number() -> Graph:
    x = ag.tensor([1.0, 0.0, 2.0], dtype=ag.float64, requires_grad=True)
    mask = ag.tensor([1.0, 0.0, 1.0], dtype=ag.float64)
    x.name, mask.name = "x", "mask"
    return trace_graph(lambda: (x.log() * mask).sum(), backward=True)


PROGRAMS: dict[str, Callable[[], Graph]] = {
    program.__name__: program
    for program in (
        square, product_and_sum, neuron, softmax_cross_entropy, layer_norm, convolution, recurrent,
        shared_embedding, residual, double_backward, checkpointed, not_a_number,
    )
}  # fmt: skip


def drawn(name: str) -> str:
    """Draw a program without the lines of the source, which move when this file is edited."""
    text = PROGRAMS[name]().to_svg(theme="light", engine="builtin", title=name.replace("_", " "))
    return re.sub(r"; [^;<]*\.py:\d+", "", text)


if __name__ == "__main__":
    for name in PROGRAMS:
        (GOLDEN / f"{name}.svg").write_text(drawn(name), encoding="utf-8")
