"""Pictures to look at, and for every test of the writer: each a small program and its view."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import autograd_core as ag
import nn
import nn.functional as F
from autograd_core.render.view import View
from tests.render.observed import observed_view

Value: Any = ag.Value


def square_and_sine() -> View:
    x = ag.tensor(3.0, requires_grad=True)

    def run() -> Any:
        y = x * x + ag.sin(x)
        y.backward()
        return y

    return observed_view(run, {"x": x}, chips=False, title="y = x·x + sin x")


def neuron() -> View:
    x1, x2, w1, w2, b = (
        Value(v, name=n)
        for n, v in {"x1": 2.0, "x2": 0.0, "w1": -3.0, "w2": 1.0, "b": 6.8813735870195432}.items()
    )

    def run() -> Any:
        y = (x1 * w1 + x2 * w2 + b).tanh()
        y.backward()
        return y

    return observed_view(run, title="A neuron")


def scalar_network() -> View:
    """The 2-4-4-1 network of Values on one point."""
    sizes = [2, 4, 4, 1]
    draw = iter([((7 * i * i + 3 * i) % 19 - 9) / 9.0 for i in range(200)])

    def run() -> Any:
        x: list[Any] = [Value(1.0, name="x1"), Value(-2.0, name="x2")]
        for layer, (m, n) in enumerate(pairwise(sizes)):
            x = [
                sum(
                    (Value(next(draw), name=f"w{layer}{j}{i}") * x[i] for i in range(m)),
                    Value(0.0, name=f"b{layer}{j}"),
                )
                for j in range(n)
            ]
            if layer < 2:
                x = [h.tanh() for h in x]
        x[0].backward()
        return x[0]

    return observed_view(run, title="2-4-4-1 network")


def _step(model: Any, x: Any, loss: Callable[[Any], Any], title: str, **options: Any) -> View:
    def run() -> Any:
        y = loss(model(x))
        y.backward()
        return y

    names = (
        {name: p for name, p in model.named_parameters()} if hasattr(model, "parameters") else {}
    )
    return observed_view(run, names | {"x": x}, title=title, **options)


def mlp() -> View:
    ag.manual_seed(0)
    model = nn.Sequential(nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10))
    target = ag.tensor([1, 2, 3, 4])
    loss = lambda y: F.cross_entropy(y, target)  # noqa: E731
    return _step(model, ag.randn(4, 784), loss, "MLP 784-128-10")


def softmax_cross_entropy() -> View:
    z = ag.tensor([[1.0, 2.0, 0.5]], requires_grad=True)

    def run() -> Any:
        e = (z - z.max()).exp()
        p = e / e.sum()
        y = -p[0, 1].log()
        y.backward()
        return y

    return observed_view(run, {"logits": z}, title="Softmax and cross entropy", chips=False)


def batch_norm() -> View:
    ag.manual_seed(0)
    x = ag.randn(8, 2)
    gamma, beta = ag.ones(2, requires_grad=True), ag.zeros(2, requires_grad=True)

    def run() -> Any:
        d = x - x.mean(0)
        y = gamma * d / (d.square().mean(0) + 1e-5).sqrt() + beta
        loss = y.square().sum()
        loss.backward()
        return loss

    return observed_view(
        run, {"x": x, "gamma": gamma, "beta": beta}, title="Batch norm", chips=False
    )


def lenet() -> View:
    ag.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(),
        nn.Linear(84, 10),
    )  # fmt: skip
    target = ag.tensor([1, 2])
    return _step(model, ag.randn(2, 1, 28, 28), lambda y: F.cross_entropy(y, target), "LeNet")


class Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(4, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1)

    def forward(self, x: Any) -> Any:
        return (x + self.conv2(self.conv1(x).relu())).relu()


def residual() -> View:
    ag.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), Block(), nn.Flatten(), nn.Linear(256, 3))
    loss = lambda y: F.cross_entropy(y, ag.tensor([0, 1]))  # noqa: E731
    return _step(model, ag.randn(2, 1, 8, 8), loss, "Residual network")


def rnn(steps: int = 100) -> View:
    ag.manual_seed(0)
    w, u, b = ag.randn(4, 4), ag.randn(4, 4), ag.zeros(4)
    leaves = {"W": w, "U": u, "b": b}
    for p in leaves.values():
        p.requires_grad_()

    def run() -> Any:
        h = ag.zeros(1, 4)
        for t in range(steps):
            x = ag.ones(1, 4)
            x.name = f"x{t}"
            h = (h @ w + x @ u + b).tanh()
        y = h.square().mean()
        y.backward()
        return y

    return observed_view(run, leaves, title=f"RNN, {steps} steps")


def deep(activation: type[nn.Module], depth: int = 20) -> View:
    ag.manual_seed(0)
    layers: list[nn.Module] = []
    for _ in range(depth):
        layers += [nn.Linear(16, 16), activation()]
    model = nn.Sequential(*layers)
    if activation is nn.ReLU:
        for p in model.parameters():
            if p.ndim == 2:
                nn.init.kaiming_normal_(p, nonlinearity="relu")
    name = f"{depth} layers of {activation.__name__}"
    return _step(model, ag.randn(8, 16), lambda y: y.square().mean(), name, modules=False)


def double_backward() -> View:
    x = ag.tensor(0.5, requires_grad=True)

    def run() -> Any:
        y = ag.tanh(x)
        (first,) = ag.autograd.grad(y, x, create_graph=True)
        return first

    return observed_view(run, {"x": x}, title="tanh and its derivative", chips=False,
                         orders=lambda node: int(node.op.name != "tanh"))  # fmt: skip


def not_a_number() -> View:
    x = ag.tensor([1.0, 0.0, 2.0], requires_grad=True)

    def run() -> Any:
        y = (ag.log(x) * ag.tensor([1.0, 0.0, 1.0])).sum()
        y.backward()
        return y

    return observed_view(run, {"x": x}, title="0 · log 0", chips=False)


GALLERY: dict[str, Callable[[], View]] = {
    "square_and_sine": square_and_sine,
    "neuron": neuron,
    "scalar_network": scalar_network,
    "mlp": mlp,
    "softmax_cross_entropy": softmax_cross_entropy,
    "batch_norm": batch_norm,
    "lenet": lenet,
    "residual": residual,
    "rnn3": lambda: rnn(3),
    "rnn100": rnn,
    "sigmoid20": lambda: deep(nn.Sigmoid),
    "relu20": lambda: deep(nn.ReLU),
    "double_backward": double_backward,
    "not_a_number": not_a_number,
}
