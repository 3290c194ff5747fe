"""The networks of the lectures have the stated sizes and learn."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import autograd_core as ag
import nn
import optim


@pytest.mark.parametrize(
    ("make", "shape", "parameters"),
    [
        (lambda: nn.models.fc_net(), (1, 28, 28), 99_710),
        (lambda: nn.models.conv_net(), (1, 28, 28), 31_594),
        (lambda: nn.models.fc_net(inputs=64), (1, 8, 8), 27_710),
        (lambda: nn.models.conv_net(padding=2, size=8), (1, 8, 8), 27_754),
    ],
)
def test_a_model_has_the_stated_number_of_parameters(
    make: Any, shape: tuple[int, ...], parameters: int
) -> None:
    model = make()
    assert sum(p.numel() for p in model.parameters()) == parameters
    assert model(ag.zeros(3, *shape)).shape == (3, 10)


@pytest.mark.parametrize(
    "make", [lambda: nn.models.fc_net(64), lambda: nn.models.conv_net(2, size=8)]
)
def test_a_model_learns_ten_patterns_by_heart(make: Any, rng: np.random.Generator) -> None:
    images = ag.tensor(rng.random((10, 1, 8, 8), dtype=np.float32))
    labels = ag.arange(10)
    model = make()
    optimizer = optim.Adam(model.parameters(), lr=0.01)
    for _ in range(60):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(images), labels)
        loss.backward()
        optimizer.step()
    assert model(images).detach().numpy().argmax(1).tolist() == list(range(10))
