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


def between(x: Any, distribution: Callable[[float], float]) -> None:
    """Kolmogorov and Smirnov's test: the largest distance of the two distribution functions.

    Of n numbers it exceeds 2.2 / √n with probability 1e-4; the seed is fixed.
    """
    x = np.sort(x.reshape(-1))
    expected = np.array([distribution(float(value)) for value in x])
    steps = np.arange(len(x) + 1) / len(x)
    distance = max((steps[1:] - expected).max(), (expected - steps[:-1]).max())
    assert distance < 2.2 / math.sqrt(len(x))


def normal_cdf(x: float, mean: float = 0.0, std: float = 1.0) -> float:
    return 0.5 * math.erfc((mean - x) / (std * math.sqrt(2.0)))


def uniform_cdf(bound: float) -> Callable[[float], float]:
    return lambda x: min(1.0, max(0.0, (x + bound) / (2 * bound)))


FAN_IN, FAN_OUT = 3 * 25, 40 * 25
WEIGHT = (40, 3, 5, 5)


@pytest.mark.parametrize(
    ("name", "options", "std"),
    [
        ("xavier", {}, math.sqrt(2 / (FAN_IN + FAN_OUT))),
        ("xavier", {"gain": 3.0}, 3 * math.sqrt(2 / (FAN_IN + FAN_OUT))),
        ("kaiming", {}, math.sqrt(2 / FAN_IN)),
        ("kaiming", {"nonlinearity": "linear", "mode": "fan_out"}, math.sqrt(1 / FAN_OUT)),
        ("kaiming", {"a": 0.5}, math.sqrt(2 / 1.25 / FAN_IN)),
    ],
)
def test_the_distribution_follows_from_the_fans(
    name: str, options: dict[str, Any], std: float
) -> None:
    drawn = [
        getattr(init, f"{name}_{kind}_")(ag.empty(WEIGHT), **options, generator=generator())
        for kind in ("normal", "uniform")
    ]
    between(drawn[0].numpy(), lambda x: normal_cdf(x, 0.0, std))
    between(drawn[1].numpy(), uniform_cdf(math.sqrt(3.0) * std))
    for weight in drawn:
        # Of 3,000 numbers: the standard error of a deviation is below 1.3 %.
        assert weight.numpy().std() == pytest.approx(std, rel=0.05)


@pytest.mark.parametrize(
    ("mean", "std", "a", "b"),
    [
        (0.0, 1.0, -2.0, 2.0),
        (1.0, 2.0, -1.0, 8.0),
        (0.0, 1.0, 1.5, 1.6),
        (0.0, 1.0, 4.0, 100.0),
        (5.0, 1.0, -3.0, 1.0),
        (0.0, 1.0, -math.inf, 0.5),
    ],
)
def test_a_truncated_normal_is_the_normal_inside_its_bounds(
    mean: float, std: float, a: float, b: float
) -> None:
    x = init.trunc_normal_(ag.empty(4000, dtype=ag.float64), mean, std, a, b, generator()).numpy()
    assert a <= x.min() <= x.max() <= b
    sign = -1.0 if a > mean else 1.0  # from the side on which the tail keeps its digits
    low, high = sorted((sign * a, sign * b))
    ends = [normal_cdf(end, sign * mean, std) for end in (low, high)]

    def inside(value: float) -> float:
        return (normal_cdf(value, sign * mean, std) - ends[0]) / (ends[1] - ends[0])

    between(sign * x, inside)


def test_a_truncated_normal_of_no_width_is_constant() -> None:
    assert init.trunc_normal_(ag.empty(3), 0.0, 1.0, 0.5, 0.5).tolist() == [0.5] * 3


@pytest.mark.parametrize("shape", [(5, 8), (8, 5), (6, 2, 3), (4, 4)])
def test_an_orthogonal_weight_has_orthonormal_rows_or_columns(shape: tuple[int, ...]) -> None:
    weight = init.orthogonal_(ag.empty(shape, dtype=ag.float64), 3.0, generator()).numpy()
    q = weight.reshape(shape[0], -1) / 3.0
    product = q @ q.T if q.shape[0] <= q.shape[1] else q.T @ q
    np.testing.assert_allclose(product, np.eye(len(product)), atol=1e-14)


def test_an_orthogonal_weight_is_drawn_uniformly() -> None:
    # Of uniform rotations of the plane and their mirror images, every angle is as likely.
    one = generator()
    drawn = [init.orthogonal_(ag.empty(2, 2), generator=one).numpy() for _ in range(1000)]
    angles = np.array([math.atan2(q[1, 0], q[0, 0]) for q in drawn])
    between(angles, uniform_cdf(math.pi))
    mirrored = np.mean([np.linalg.det(q) < 0 for q in drawn])
    assert mirrored == pytest.approx(0.5, abs=0.06)


def test_a_sparse_weight_has_its_share_of_zeros_in_every_column() -> None:
    weight = init.sparse_(ag.empty(MANY), 0.3, 0.02, generator()).numpy()
    assert ((weight == 0).sum(0) == 60).all()
    assert len(np.unique(weight == 0, axis=1).T) > 1
    between(weight[weight != 0], lambda x: normal_cdf(x, 0.0, 0.02))
    assert (init.sparse_(ag.empty(10, 4), 0.11).numpy() == 0).sum(0).tolist() == [2] * 4


def test_the_identity_reaches_as_far_as_it_can() -> None:
    assert init.eye_(ag.empty(2, 3)).tolist() == [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]


@pytest.mark.parametrize("axes", [1, 2, 3])
@pytest.mark.parametrize("groups", [1, 2])
def test_a_dirac_weight_passes_channels_on(axes: int, groups: int) -> None:
    layer = (nn.Conv1d, nn.Conv2d, nn.Conv3d)[axes - 1](
        4, 6, 3, padding=1, groups=groups, bias=False
    )
    assert init.dirac_(layer.weight, groups) is layer.weight
    x = ag.randn(2, 4, *[3] * axes, generator=generator())
    y = layer(x)
    kept = 4 // groups
    for g in range(groups):
        assert y[:, 3 * g : 3 * g + min(3, kept)].tolist() == (
            x[:, kept * g : kept * g + min(3, kept)].tolist()
        )


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


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: init.kaiming_uniform_(ag.empty(3)),
         r"shape \(3,\) are not defined: it needs at least 2"),
        (lambda: init.xavier_normal_(ag.empty(3)), r"shape \(3,\) are not defined"),
        (lambda: init.kaiming_uniform_(ag.empty(3, 3), mode="fan"),
         "kaiming_uniform_ got mode='fan': it must be 'fan_in'"),
        (lambda: init.kaiming_normal_(ag.empty(3, 3), mode="fan"), "kaiming_normal_ got mode="),
        (lambda: init.calculate_gain("cube"), "calculate_gain got 'cube': it knows linear, conv1d"),
        (lambda: init.eye_(ag.empty(3)), r"eye_ got shape \(3,\): it needs 2 axes"),
        (lambda: init.dirac_(ag.empty(3, 3)), r"dirac_ got shape \(3, 3\): it needs 3 or 4 or 5"),
        (lambda: init.dirac_(ag.empty(3, 3, 3), 2), "groups=2: the first axis must be a multiple"),
        (lambda: init.orthogonal_(ag.empty(3)), r"orthogonal_ got shape \(3,\): it needs at"),
        (lambda: init.sparse_(ag.empty(3), 0.5), r"sparse_ got shape \(3,\): it needs 2 axes"),
        (lambda: init.sparse_(ag.empty(3, 3), 1.5), "sparsity=1.5: it is the share of zeros, 0 to"),
        (lambda: init.trunc_normal_(ag.empty(3), std=0.0), "std=0.0, a=-2.0, b=2.0: it needs std"),
        (lambda: init.trunc_normal_(ag.empty(3), a=3.0), r"a=3.0, b=2.0: it needs .* a <= b"),
    ],
)  # fmt: skip
def test_bad_arguments_are_refused(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.torch
def test_what_is_not_drawn_equals_pytorchs() -> None:
    torch = pytest.importorskip("torch")
    for name in ("linear", "conv3d", "sigmoid", "tanh", "relu", "leaky_relu", "selu"):
        assert init.calculate_gain(name) == pytest.approx(torch.nn.init.calculate_gain(name))
    for shape, groups in (((4, 2, 3), 1), ((6, 2, 4, 3), 2), ((4, 3, 2, 3, 4), 2)):
        theirs = torch.nn.init.dirac_(torch.empty(shape), groups).numpy()
        assert (init.dirac_(ag.empty(shape), groups).numpy() == theirs).all()
    for shape in ((4, 3), (2, 5, 3, 2)):
        theirs = torch.nn.init._calculate_fan_in_and_fan_out(torch.empty(shape))
        assert init._calculate_fan_in_and_fan_out(ag.empty(shape)) == theirs
