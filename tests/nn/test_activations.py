"""Activations: far out, at their kinks, in place, at random, and what they refuse."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd_core as ag
import nn
import nn.functional as F
from tests.nn.rows.activations import ROWS

INFINITE = [-math.inf, -1e4, 1e4, math.inf, math.nan]
KINKS = [-6.0, -3.0, -1.0, -0.5, 0.0, 0.5, 1.0, 3.0, 6.0]
IN_PLACE: list[Callable[[Any], Any]] = [
    lambda nn: nn.ReLU(inplace=True),
    lambda nn: nn.Threshold(0.3, -1.0, inplace=True),
    lambda nn: nn.Hardtanh(-0.5, 0.5, inplace=True),
    lambda nn: nn.ReLU6(inplace=True),
    lambda nn: nn.Hardsigmoid(inplace=True),
    lambda nn: nn.Hardswish(inplace=True),
    lambda nn: nn.LeakyReLU(0.2, inplace=True),
    lambda nn: nn.RReLU(inplace=True).eval(),
    lambda nn: nn.ELU(0.5, inplace=True),
    lambda nn: nn.CELU(0.5, inplace=True),
    lambda nn: nn.SELU(inplace=True),
    lambda nn: nn.SiLU(inplace=True),
    lambda nn: nn.Mish(inplace=True),
]
in_place = pytest.mark.parametrize("make", IN_PLACE, ids=lambda make: repr(make(nn)))
elementwise = pytest.mark.parametrize(
    "case",
    [row for row in ROWS if row.output == (3, 4) and not row.parameters and "dim" not in row.text],
    ids=str,
)


def slope(function: Callable[[Any], Any], x: Any) -> Any:
    """The values of a function, and the gradient of their sum."""
    y = function(x)
    y.sum().backward()
    return y.detach().numpy(), x.grad.numpy()


@pytest.mark.torch
@elementwise
def test_values_and_slopes_at_kinks_and_far_out_are_those_of_pytorch(case: Any) -> None:
    torch = pytest.importorskip("torch")
    # PyTorch has no slope at infinity where 0 times infinity comes up; there ours need not either.
    for numbers, slopes in ((KINKS, True), ([*INFINITE, 1e4, -1e4], False)):
        x = ag.tensor(numbers, dtype=ag.float64, requires_grad=True)
        z = torch.tensor(numbers, dtype=torch.float64, requires_grad=True)
        (y, g), (e, f) = slope(case.make(nn), x), slope((case.theirs or case.make)(torch.nn), z)
        np.testing.assert_allclose(y, e, rtol=1e-12, atol=1e-15)
        if slopes and case.name != "Hardsigmoid":
            np.testing.assert_allclose(g, f, rtol=1e-12, atol=1e-15)


@in_place
def test_in_place_a_layer_changes_its_input_and_not_its_gradient(
    make: Any, rng: np.random.Generator
) -> None:
    numbers = rng.normal(size=(3, 4))
    expected, layer = make(nn), make(nn)
    expected.inplace = False
    x, z = (ag.tensor(numbers, requires_grad=True) for _ in range(2))
    base = x * 1.0
    y = layer(base)
    assert y is base
    e = expected(z)
    np.testing.assert_array_equal(y.detach().numpy(), e.detach().numpy())
    (y * y).sum().backward()
    (e * e).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), z.grad.numpy(), rtol=1e-14)


@in_place
@pytest.mark.torch
def test_in_place_layers_show_it_as_pytorch_does(make: Any) -> None:
    torch = pytest.importorskip("torch")
    assert repr(make(nn)) == repr(make(torch.nn))


def test_selu_keeps_mean_0_and_variance_1() -> None:
    x = np.linspace(-12.0, 12.0, 200_001)
    density = np.exp(-x * x / 2.0) / math.sqrt(2.0 * math.pi) * (x[1] - x[0])
    y = F.selu(ag.tensor(x)).numpy()
    assert float((y * density).sum()) == pytest.approx(0.0, abs=1e-8)
    assert float((y * y * density).sum()) == pytest.approx(1.0, abs=1e-8)


@pytest.mark.torch
def test_celu_of_a_negative_alpha_grows_below_as_in_pytorch() -> None:
    torch = pytest.importorskip("torch")
    x = np.linspace(-100.0, 3.0, 9000)
    y = torch.nn.functional.celu(torch.from_numpy(x), -0.5).numpy()
    np.testing.assert_allclose(F.celu(ag.tensor(x), -0.5).numpy(), y, rtol=1e-12, atol=1e-15)


def test_gelu_keeps_the_digits_of_its_small_results() -> None:
    y = F.gelu(ag.tensor([-10.0], dtype=ag.float64)).item()
    assert y == pytest.approx(-5.0 * math.erfc(10.0 / math.sqrt(2.0)), rel=1e-12)


@pytest.mark.parametrize(("approximate", "apart"), [("tanh", 5e-4), ("sigmoid", 2.1e-2)])
def test_approximations_of_gelu_stay_close(approximate: str, apart: float) -> None:
    x = ag.linspace(-6.0, 6.0, 2001)
    difference = (F.gelu(x, approximate) - F.gelu(x)).abs().max().item()
    assert apart / 2 < difference < apart


def test_prelu_learns_its_slope_in_spite_of_infinite_inputs() -> None:
    layer = nn.PReLU()
    layer(ag.tensor([math.inf, -2.0])).sum().backward()
    assert layer.weight.grad.item() == -2.0
    with ag.no_grad():
        layer.weight.mul_(2.0)
    layer.reset_parameters()
    assert layer.weight.item() == 0.25


def test_random_slopes_lie_in_their_range_and_come_from_the_generator() -> None:
    x = -ag.ones(1000, dtype=ag.float64)
    layer = nn.RReLU(0.1, 0.3)
    y = -layer(x).numpy()
    assert y.min() >= 0.1
    assert y.max() <= 0.3
    assert y.mean() == pytest.approx(0.2, abs=0.005)
    assert layer(ag.tensor([2.0])).item() == 2.0
    assert layer.eval()(ag.tensor([-1.0])).item() == pytest.approx(-0.2)
    draws = [F.rrelu(x, training=True, generator=ag.Generator().manual_seed(3)) for _ in range(2)]
    assert draws[0].tolist() == draws[1].tolist()


def test_scaled_activations_contract() -> None:
    x = ag.linspace(-3.0, 3.0, 101)
    assert nn.ScaledReLU(0.5)(x).tolist() == (0.5 * F.relu(x)).tolist()
    slopes = nn.ScaledTanh(0.5)(x).diff() / x.diff()
    assert slopes.max().item() <= 0.5


def test_gumbel_draws_follow_the_softmax() -> None:
    logits = ag.tensor([0.0, 1.0, 2.0]).expand(20_000, 3)
    drawn = F.gumbel_softmax(logits, hard=True, generator=ag.Generator().manual_seed(0))
    assert set(drawn.unique().tolist()) == {0.0, 1.0}
    assert drawn.sum(1).eq(1.0).all()
    np.testing.assert_allclose(
        drawn.mean(0).numpy(), F.softmax(logits[0], 0).numpy(), atol=4 * math.sqrt(0.25 / 20_000)
    )


def test_a_hard_gumbel_draw_has_the_gradient_of_the_soft_one() -> None:
    weights = ag.tensor([[1.0, -2.0, 3.0]], dtype=ag.float64)
    gradients: list[Any] = []
    for hard in (True, False):
        x = ag.tensor([[0.3, 0.1, -0.2]], dtype=ag.float64, requires_grad=True)
        y = F.gumbel_softmax(x, 0.7, hard, generator=ag.Generator().manual_seed(1))
        (y * weights).sum().backward()
        gradients.append(x.grad.numpy())
    np.testing.assert_array_equal(*gradients)
    one = F.gumbel_softmax(ag.zeros(4, 2, 3), hard=True, dim=1)
    assert one.sum(1).tolist() == np.ones((4, 3)).tolist()


@pytest.mark.parametrize("function", [F.softmax, F.log_softmax, F.softmin])
@pytest.mark.parametrize(("shape", "axis"), [((3,), 0), ((2, 3), 1), ((2, 3, 2), 0), ((1,) * 4, 1)])
def test_without_an_axis_softmaxes_warn_and_choose_as_pytorch(
    function: Any, shape: tuple[int, ...], axis: int
) -> None:
    x = ag.arange(float(math.prod(shape))).reshape(shape)
    with pytest.warns(UserWarning, match=rf"{function.__name__} got no dim and took {axis} for x"):
        y = function(x)
    assert y.tolist() == function(x, axis).tolist()


def test_the_warning_names_the_line_that_called_the_layer() -> None:
    with pytest.warns(UserWarning, match="softmax got no dim") as caught:
        nn.Softmax()(ag.ones(2, 2))
    assert caught[0].filename == __file__
    with pytest.warns(UserWarning, match="softmax got no dim") as caught:
        F.softmax(ag.ones(2, 2))
    assert caught[0].filename == __file__


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: F.hardtanh(ag.ones(1), 2.0, 1.0), ValueError,
         "hardtanh got min_val=2.0 and max_val=1.0: it needs min_val <= max_val"),
        (lambda: nn.Hardtanh(1.0, 1.0), ValueError,
         "Hardtanh got min_val=1.0 and max_val=1.0: max_val must be larger"),
        (lambda: F.softshrink(ag.ones(1), -1.0), ValueError, "got lambd=-1.0: it must not be neg"),
        (lambda: F.prelu(ag.ones(2, 3), ag.ones(2)), ag.ShapeError,
         r"prelu got a weight of shape \(2,\) for x of shape \(2, 3\): it needs 1 or 3 numbers"),
        (lambda: F.rrelu(ag.ones(1), 0.5, 0.2), ValueError,
         "rrelu got lower=0.5 and upper=0.2: it needs lower <= upper"),
        (lambda: F.celu(ag.ones(1), 0.0), ValueError, "celu got alpha=0: it must not be 0"),
        (lambda: F.gelu(ag.ones(1), "erf"), ValueError,
         "gelu got shape .*: approximate is 'erf': it must be 'none', 'tanh' or 'sigmoid'"),
        (lambda: F.glu(ag.ones(2, 3)), ag.ShapeError,
         r"glu got x of shape \(2, 3\): its axis -1 has 3 elements, which cannot be halved"),
        (lambda: F.glu(ag.tensor(1.0)), ag.ShapeError, r"glu got x of shape \(\): its axis -1 has"),
        (lambda: nn.Softmax2d()(ag.ones(2, 3)), ag.ShapeError,
         r"Softmax2d got x of shape \(2, 3\): it must be \(N, C, H, W\) or \(C, H, W\)"),
        (lambda: F.gumbel_softmax(ag.ones(2), tau=0.0), ValueError,
         "gumbel_softmax got tau=0.0: it must be positive"),
        (lambda: nn.ScaledTanh(1.0), ValueError, "ScaledTanh got alpha=1.0: it must be between 0"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(call: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        call()
