"""Hand-written gradients from a lecture on backpropagation, beside the engine's own.

The network and its gradients stand as the lecture has them, a PyTorch program of which only the
import lines were changed.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import autograd_core as torch
import nn.functional as F


class TwoLayerNet:
    def __init__(self, input_size, hidden_size, output_size):
        self.W1 = torch.randn(input_size, hidden_size) * 0.1
        self.b1 = torch.randn(hidden_size) * 0.1
        self.W2 = torch.randn(hidden_size, output_size) * 0.1
        self.b2 = torch.randn(output_size) * 0.1

    def forward(self, x):
        self.x = x
        self.z1 = x @ self.W1 + self.b1
        self.a1 = F.relu(self.z1)
        self.z2 = self.a1 @ self.W2 + self.b2
        return self.z2


def loss_of(model, data, target):
    output = model.forward(data)
    log_softmax = F.log_softmax(output, dim=1)
    return output, -torch.mean(log_softmax[range(len(target)), target])


def by_hand(model, output, target):
    grad_z2 = F.softmax(output, dim=1)
    grad_z2[range(len(target)), target] -= 1
    grad_z2 /= len(target)
    grad_a1 = grad_z2 @ model.W2.T
    grad_z1 = grad_a1.clone()
    grad_z1[model.z1 < 0] = 0
    model.W2.grad = model.a1.T @ grad_z2
    model.b2.grad = grad_z2.sum(axis=0)
    model.W1.grad = model.x.T @ grad_z1
    model.b1.grad = grad_z1.sum(axis=0)


NAMES = ("W1", "b1", "W2", "b2")


def batch(seed: int = 0) -> tuple[Any, Any]:
    """Return 64 points around four corners of a 784-dimensional cube, and which corner it is."""
    g = torch.Generator().manual_seed(seed)
    corners = torch.randint(0, 2, (4, 784), generator=torch.Generator().manual_seed(1)).float()
    target = torch.randint(0, 4, (64,), generator=g)
    return corners[target] + 0.3 * torch.randn(64, 784, generator=g), target


def test_gradients_by_hand_are_the_engine_s() -> None:
    model: Any = TwoLayerNet(784, 32, 10)
    data, target = batch()
    output, _ = loss_of(model, data.view(-1, 784), target)
    by_hand(model, output, target)
    expected = {name: getattr(model, name).grad.numpy().copy() for name in NAMES}
    for name in NAMES:
        w = getattr(model, name)
        w.grad = None
        w.requires_grad_()
    loss_of(model, data.view(-1, 784), target)[1].backward()
    for name in NAMES:
        found = getattr(model, name).grad.numpy()
        np.testing.assert_allclose(found, expected[name], rtol=1e-4, atol=1e-6, err_msg=name)


@pytest.mark.parametrize("hand_written", [True, False], ids=["by hand", "by the engine"])
def test_the_network_learns_either_way(hand_written: bool) -> None:
    model: Any = TwoLayerNet(784, 32, 10)
    lr, losses = 0.1, []
    for step in range(30):
        data, target = batch(step)
        if not hand_written:
            for name in NAMES:
                getattr(model, name).requires_grad = True
        output, loss = loss_of(model, data, target)
        by_hand(model, output, target) if hand_written else loss.backward()
        losses.append(loss.item())
        with torch.no_grad():
            model.W2 = model.W2 - lr * model.W2.grad
            model.b2 = model.b2 - lr * model.b2.grad
            model.W1 = model.W1 - lr * model.W1.grad
            model.b1 = model.b1 - lr * model.b1.grad
    assert losses[-1] < 0.1 * losses[0]
