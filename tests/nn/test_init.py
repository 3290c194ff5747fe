"""Initial values have the stated distribution, depend on the seed, and are not recorded."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd_core as ag
import nn
from nn import init

MANY = (200, 300)


def generator(seed: int = 1) -> ag.Generator:
    return ag.Generator().manual_seed(seed)


def test_uniform_fills_its_range() -> None:
    x = init.uniform_(ag.empty(MANY), -2.0, 4.0, generator()).numpy()
    assert x.min() >= -2.0
    assert x.max() < 4.0
    # Of 60,000 numbers: the mean's standard error is 0.007.
    assert x.mean() == pytest.approx(1.0, abs=0.04)
    assert x.std() == pytest.approx(6 / math.sqrt(12), rel=0.02)


def test_normal_has_its_mean_and_deviation() -> None:
    x = init.normal_(ag.empty(MANY), 3.0, 0.5, generator()).numpy()
    assert x.mean() == pytest.approx(3.0, abs=0.02)
    assert x.std() == pytest.approx(0.5, rel=0.02)


def test_constants_are_constant() -> None:
    assert init.constant_(ag.empty(2), 2.5).tolist() == [2.5, 2.5]
    assert init.ones_(ag.empty(2)).tolist() == [1.0, 1.0]
    assert init.zeros_(ag.ones(2)).tolist() == [0.0, 0.0]


@pytest.mark.parametrize(("mode", "fan"), [("fan_in", 75), ("fan_out", 100)])
def test_kaiming_uniform_reaches_its_bound(mode: str, fan: int) -> None:
    weight = init.kaiming_uniform_(
        ag.empty(4, 3, 5, 5), mode=mode, nonlinearity="relu", generator=generator()
    )
    bound = math.sqrt(2.0) * math.sqrt(3.0 / fan)
    largest = np.abs(weight.numpy()).max()
    assert 0.97 * bound < largest <= bound


def test_fans_count_the_kernel() -> None:
    assert init._calculate_fan_in_and_fan_out(ag.empty(7, 2)) == (2, 7)
    assert init._calculate_fan_in_and_fan_out(ag.empty(4, 3, 5, 2)) == (30, 40)


def test_an_empty_weight_is_left_alone() -> None:
    assert init.kaiming_uniform_(ag.empty(0, 3)).shape == (0, 3)


@pytest.mark.parametrize(
    ("name", "param", "gain"),
    [
        ("linear", None, 1.0),
        ("conv2d", None, 1.0),
        ("tanh", None, 5 / 3),
        ("relu", None, 2**0.5),
        ("selu", None, 0.75),
        ("leaky_relu", None, (2 / (1 + 1e-4)) ** 0.5),
        ("leaky_relu", 5**0.5, (1 / 3) ** 0.5),
    ],
)
def test_gains(name: str, param: float | None, gain: float) -> None:
    assert init.calculate_gain(name, param) == pytest.approx(gain, rel=1e-15)


@pytest.mark.parametrize(
    ("make", "fan_in"),
    [
        (lambda g: nn.Linear(50, 400, generator=g), 50),
        (lambda g: nn.Conv2d(6, 400, 3, groups=2, generator=g), 27),
    ],
)
def test_layers_start_within_one_over_root_fan_in(
    make: Callable[[ag.Generator], Any], fan_in: int
) -> None:
    layer = make(generator())
    bound = 1 / math.sqrt(fan_in)
    for parameter in (layer.weight, layer.bias):
        x = parameter.detach().numpy()
        assert 0.97 * bound < np.abs(x).max() <= bound
        assert x.std() == pytest.approx(bound / math.sqrt(3), rel=0.06)


def test_the_same_seed_gives_the_same_values() -> None:
    def drawn() -> list[Any]:
        return [p.tolist() for p in nn.models.conv_net().parameters()]

    ag.manual_seed(5)
    first = drawn()
    ag.manual_seed(5)
    assert drawn() == first
    assert drawn() != first
    one, same = (nn.models.fc_net(generator=generator(3)) for _ in range(2))
    assert [p.tolist() for p in one.parameters()] == [p.tolist() for p in same.parameters()]


def test_nothing_is_recorded_and_the_parameter_still_requires_grad() -> None:
    weight = nn.Parameter(ag.empty(2, 3, dtype=ag.float64))
    assert init.kaiming_uniform_(weight) is weight
    assert weight.is_leaf
    assert weight.requires_grad
    assert weight.dtype == ag.float64


def test_bad_arguments_are_refused() -> None:
    with pytest.raises(ag.ShapeError, match=r"shape \(3,\) are not defined: it needs at least 2"):
        init.kaiming_uniform_(ag.empty(3))
    with pytest.raises(ValueError, match="kaiming_uniform_ got mode='fan': it must be 'fan_in'"):
        init.kaiming_uniform_(ag.empty(3, 3), mode="fan")
    with pytest.raises(ValueError, match="calculate_gain got 'cube': it knows linear, conv1d"):
        init.calculate_gain("cube")
