"""A layer and its ReLU in one, against both apart."""

from __future__ import annotations

from typing import Any

import pytest

import autograd_core as ag
import nn

PAIRS: list[tuple[Any, Any, tuple[int, ...]]] = [
    (nn.LinearReLU, lambda: nn.Linear(70, 90), (80, 70)),
    (nn.LinearReLU, lambda: nn.Linear(3, 4, bias=False), (2, 5, 3)),
    (nn.ConvReLU1d, lambda: nn.Conv1d(3, 8, 3, padding=1), (4, 3, 40)),
    (nn.ConvReLU2d, lambda: nn.Conv2d(4, 20, 3, stride=2, padding=1), (3, 4, 30, 31)),
    (nn.ConvReLU2d, lambda: nn.Conv2d(4, 9, 1), (3, 4, 30, 31)),
    (nn.ConvReLU3d, lambda: nn.Conv3d(2, 3, 2, bias=False), (2, 2, 6, 6, 6)),
]


@pytest.mark.parametrize(("kind", "layer", "shape"), PAIRS)
def test_values_and_gradients_are_those_of_both_apart(
    kind: Any, layer: Any, shape: tuple[int, ...]
) -> None:
    apart = nn.Sequential(layer(), nn.ReLU())
    joined = kind(*apart)
    x = ag.randn(*shape, requires_grad=True)
    wanted, got = apart(x), joined(x)
    assert ag.allclose(got, wanted, atol=1e-6)
    assert 0 < int((got == 0).sum().item()) < got.numel()
    cotangent = ag.randn(*wanted.shape)
    leaves = [x, *apart.parameters()]
    for a, b in zip(
        ag.autograd.grad(got, leaves, cotangent), ag.autograd.grad(wanted, leaves, cotangent),
        strict=True,
    ):  # fmt: skip
        assert ag.allclose(a, b, atol=1e-5)


@pytest.mark.parametrize(("kind", "layer", "shape"), PAIRS[1:4:2] + PAIRS[-1:])
def test_gradients_of_both_orders_agree_with_finite_differences(
    kind: Any, layer: Any, shape: tuple[int, ...]
) -> None:
    joined = kind(layer().double(), nn.ReLU())
    small = (1, *(min(n, 4) for n in shape[1:]))
    x = ag.randn(*small, dtype=ag.float64, requires_grad=True)
    leaves = (x, *joined.parameters())

    def run(x: Any, *parameters: Any) -> Any:
        names = [name for name, _ in joined.named_parameters()]
        return ag.func.functional_call(joined, dict(zip(names, parameters, strict=True)), (x,))

    assert ag.autograd.gradcheck(run, leaves, check_forward_ad=True)
    assert ag.autograd.gradgradcheck(run, leaves)


def test_a_zero_and_a_nan_pass_as_through_relu() -> None:
    layer = nn.LinearReLU(nn.Linear(1, 1, bias=False), nn.ReLU())
    with ag.no_grad():
        layer[0].weight.fill_(1.0)
    x = ag.tensor([[0.0], [-1.0], [2.0], [float("nan")]], requires_grad=True)
    y = layer(x)
    assert str(y.detach().ravel().tolist()) == "[0.0, 0.0, 2.0, nan]"
    y.sum().backward()
    assert x.grad is not None
    assert x.grad.ravel().tolist() == [0.0, 0.0, 1.0, 1.0]


def test_only_the_layer_and_relu_that_belong_together_are_joined() -> None:
    with pytest.raises(TypeError, match="ConvReLU2d got a Conv1d and a ReLU: it needs a Conv2d"):
        nn.ConvReLU2d(nn.Conv1d(1, 1, 1), nn.ReLU())
    with pytest.raises(TypeError, match="LinearReLU got a Linear and a Tanh: it needs a Linear"):
        nn.LinearReLU(nn.Linear(1, 1), nn.Tanh())
