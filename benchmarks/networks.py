"""Eight networks and their training step, the same code for any library with PyTorch's names."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np


class Library(NamedTuple):
    """The modules of a library: its tensors, layers, their functions, and optimisers."""

    core: Any
    nn: Any
    F: Any
    optim: Any


def library(name: str) -> Library:
    """Import "torch", or this project as "ours"."""
    names = ("autograd_core", "nn", "nn.functional", "optim")
    if name == "torch":
        names = ("torch", "torch.nn", "torch.nn.functional", "torch.optim")
    return Library(*map(import_module, names))


def perceptron(lib: Library, *sizes: int, norm: bool = False) -> Any:
    """Linear layers with ReLU between, and batch norm before it."""
    nn, layers = lib.nn, []
    for i, (fan_in, fan_out) in enumerate(pairwise(sizes)):
        last = i == len(sizes) - 2
        layers.append(nn.Linear(fan_in, fan_out, bias=last or not norm))
        if not last:
            layers += [nn.BatchNorm1d(fan_out), nn.ReLU()] if norm else [nn.ReLU()]
    return nn.Sequential(*layers)


def conv_net(lib: Library) -> Any:
    """Two convolutions of 32 channels with stride 2."""
    nn = lib.nn
    return nn.Sequential(
        nn.Conv2d(1, 32, 5, stride=2), nn.ReLU(), nn.Conv2d(32, 32, 5, stride=2), nn.ReLU(),
        nn.Flatten(), nn.Linear(512, 10),
    )  # fmt: skip


def lenet(lib: Library) -> Any:
    """LeNet with ReLU and max pooling, for CIFAR-10."""
    nn = lib.nn
    return nn.Sequential(
        nn.Conv2d(3, 6, 5), nn.ReLU(), nn.MaxPool2d(2, 2),
        nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2, 2), nn.Flatten(),
        nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10),
    )  # fmt: skip


def mixer(lib: Library) -> Any:
    """An MLP-Mixer of four blocks on 49 patches (Tolstikhin et al., 2021)."""
    nn, F = lib.nn, lib.F
    width, patches, tokens, channels = 64, 49, 32, 256

    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
            self.token1, self.token2 = nn.Linear(patches, tokens), nn.Linear(tokens, patches)
            self.channel1, self.channel2 = nn.Linear(width, channels), nn.Linear(channels, width)

        def forward(self, x: Any) -> Any:
            y = self.norm1(x).transpose(1, 2)
            x = x + self.token2(F.gelu(self.token1(y))).transpose(1, 2)
            return x + self.channel2(F.gelu(self.channel1(self.norm2(x))))

    class Mixer(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embed, self.blocks = (
                nn.Conv2d(1, width, 4, 4),
                nn.Sequential(*map(block, range(4))),
            )
            self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, 10)

        def forward(self, x: Any) -> Any:
            x = self.blocks(self.embed(x).flatten(2).transpose(1, 2))
            return self.head(self.norm(x).mean(1))

    def block(_: int) -> Any:
        return Block()

    return Mixer()


def resnet20(lib: Library) -> Any:
    """The residual network of 20 layers for CIFAR-10, with projections (He et al., 2015)."""
    nn, F = lib.nn, lib.F

    class Block(nn.Module):
        def __init__(self, fan_in: int, fan_out: int, stride: int) -> None:
            super().__init__()
            self.conv1 = nn.Conv2d(fan_in, fan_out, 3, stride, 1, bias=False)
            self.conv2 = nn.Conv2d(fan_out, fan_out, 3, 1, 1, bias=False)
            self.norm1, self.norm2 = nn.BatchNorm2d(fan_out), nn.BatchNorm2d(fan_out)
            self.shortcut = nn.Identity()
            if fan_in != fan_out:
                projection = nn.Conv2d(fan_in, fan_out, 1, stride, bias=False)
                self.shortcut = nn.Sequential(projection, nn.BatchNorm2d(fan_out))

        def forward(self, x: Any) -> Any:
            y = F.relu(self.norm1(self.conv1(x)))
            return F.relu(self.norm2(self.conv2(y)) + self.shortcut(x))

    stages = (
        [(16, 16, 1)] * 3 + [(16, 32, 2)] + [(32, 32, 1)] * 2 + [(32, 64, 2)] + [(64, 64, 1)] * 2
    )
    return nn.Sequential(
        nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU(),
        *(Block(*stage) for stage in stages),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10),
    )  # fmt: skip


class Network(NamedTuple):
    """A network, the shape of a batch, and how it is trained."""

    build: Callable[[Library], Any]
    shape: tuple[int, ...]
    optimizer: str
    loss: str = "cross_entropy"


NETWORKS = {
    "tiny 2-16-16-1, batch 32, SGD": Network(
        lambda lib: perceptron(lib, 2, 16, 16, 1), (32, 2), "sgd", "mse_loss"
    ),
    "two-layer 784-500-10, batch 8, SGD": Network(
        lambda lib: perceptron(lib, 784, 500, 10), (8, 784), "sgd"
    ),
    "fc_net 784-100-100-100-10, batch 64, Adam": Network(
        lambda lib: perceptron(lib, 784, 100, 100, 100, 10), (64, 784), "adam"
    ),
    "batch-norm MLP 784-500x4-10, batch 128, Adam": Network(
        lambda lib: perceptron(lib, 784, 500, 500, 500, 500, 10, norm=True), (128, 784), "adam"
    ),
    "conv_net 5x5 stride 2, batch 64, Adam": Network(conv_net, (64, 1, 28, 28), "adam"),
    "LeNet 3-6-16, batch 64, SGD momentum": Network(lenet, (64, 3, 32, 32), "momentum"),
    "MLP-Mixer 4 blocks, batch 64, Adam": Network(mixer, (64, 1, 28, 28), "adam"),
    "ResNet-20, batch 128, SGD momentum": Network(resnet20, (128, 3, 32, 32), "momentum"),
}

OPTIMIZERS: dict[str, Callable[[Any, Any], Any]] = {
    "sgd": lambda optim, parameters: optim.SGD(parameters, lr=1e-3),
    "momentum": lambda optim, parameters: optim.SGD(parameters, lr=1e-3, momentum=0.9),
    "adam": lambda optim, parameters: optim.Adam(parameters, lr=1e-4),
}


def start_equal(lib: Library, model: Any) -> None:
    """Give every library the same weights, uniform within 1 / sqrt(fan_in), and biases of 0."""
    rng = np.random.default_rng(0)
    with lib.core.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith("bias"):
                parameter.zero_()
            elif parameter.ndim > 1:
                bound = 1 / np.sqrt(np.prod(parameter.shape[1:]))
                drawn = rng.uniform(-bound, bound, tuple(parameter.shape)).astype(np.float32)
                parameter.copy_(lib.core.tensor(drawn))


def training_step(name: str, side: str, compiled: bool = False) -> Callable[[], float]:
    """Return a full step: zero_grad, forward, loss, backward, optimiser's step, loss.item()."""
    lib, network = library(side), NETWORKS[name]
    model = network.build(lib)
    start_equal(lib, model)
    rng = np.random.default_rng(1)
    x = lib.core.tensor(rng.standard_normal(network.shape).astype(np.float32))
    batch = network.shape[0]
    if network.loss == "mse_loss":
        target = lib.core.tensor(rng.standard_normal((batch, 1)).astype(np.float32))
    else:
        target = lib.core.tensor(rng.integers(0, 10, batch))
    loss_of = getattr(lib.F, network.loss)
    optimizer = OPTIMIZERS[network.optimizer](lib.optim, model.parameters())

    def forward(x: Any, target: Any) -> Any:
        return loss_of(model(x), target)

    run = lib.core.compile(forward) if compiled else forward

    def step() -> float:
        optimizer.zero_grad()
        loss = run(x, target)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step
