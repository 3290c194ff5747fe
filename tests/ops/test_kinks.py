"""What a derivative is where there is none: PyTorch's conventions, as one table."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import autograd_core as ag

inf, nan = math.inf, math.nan
Numbers = list[Any]


@dataclass(frozen=True)
class Kink:
    """The sum of f at the point has these gradients, one list for each operand."""

    about: str
    f: Callable[..., Any]
    at: tuple[Numbers, ...]
    gradients: tuple[Numbers, ...]


HALF = 0.5
TABLE = [
    Kink("relu is flat at 0", lambda x: x.relu(), ([0.0, -0.0],), ([0.0, 0.0],)),
    Kink("relu keeps nan", lambda x: x.relu(), ([nan, inf, -inf],), ([1.0, 1.0, 0.0],)),
    Kink("abs is flat at 0", lambda x: x.abs(), ([0.0, -0.0, -2.0],), ([0.0, 0.0, -1.0],)),
    Kink("sign is flat", lambda x: x.sign(), ([0.0, 3.0],), ([0.0, 0.0],)),
    Kink("clamp's edges are inside", lambda x: x.clamp(-1.0, 2.0),
         ([-1.0, 2.0, -1.5, 2.5],), ([1.0, 1.0, 0.0, 0.0],)),
    Kink("clamp's edges as tensors get nothing there", lambda x, low, high: x.clamp(low, high),
         ([-1.0, 2.0], [-1.0, -1.0], [2.0, 2.0]), ([1.0, 1.0], [0.0, 0.0], [0.0, 0.0])),
    Kink("clamp goes by the upper edge where they cross", lambda x, low, high: x.clamp(low, high),
         ([0.0], [2.0], [1.0]), ([0.0], [0.0], [1.0])),
    Kink("maximum shares a tie", ag.maximum,
         ([1.0, 2.0, 0.0], [1.0, 1.0, -0.0]), ([HALF, 1.0, HALF], [HALF, 0.0, HALF])),
    Kink("minimum shares a tie", ag.minimum,
         ([1.0, 2.0, inf], [1.0, 1.0, inf]), ([HALF, 0.0, HALF], [HALF, 1.0, HALF])),
    Kink("amax shares a tie evenly", lambda x: x.amax(), ([3.0, 1.0, 3.0, 3.0],),
         ([1 / 3, 0.0, 1 / 3, 1 / 3],)),
    Kink("amin shares a tie evenly", lambda x: x.amin(0), ([1.0, 1.0, 2.0],), ([HALF, HALF, 0.0],)),
    Kink("max with indices goes to the first", lambda x: x.max(0).values,
         ([1.0, 3.0, 3.0],), ([0.0, 1.0, 0.0],)),
    Kink("min with indices goes to the first", lambda x: x.min(0)[0],
         ([1.0, 1.0, 3.0],), ([1.0, 0.0, 0.0],)),
    Kink("sqrt is vertical at 0", lambda x: x.sqrt(), ([0.0, -1.0],), ([inf, nan],)),
    Kink("log at 0 and below", lambda x: x.log(), ([0.0, -1.0],), ([inf, -1.0],)),
    Kink("0 ** 0 is flat", lambda x: x**0, ([0.0, nan],), ([0.0, 0.0],)),
    Kink("0 ** b is flat for every b >= 0", lambda a, b: a**b,
         ([0.0, 0.0], [0.0, 2.0]), ([0.0, 0.0], [0.0, 0.0])),
    Kink("a negative base has no slope in the exponent", lambda b: (-2.0) ** b, ([2.0],), ([nan],)),
    Kink("0 ** x is flat in x", lambda b: 0.0**b, ([0.0, 1.0],), ([0.0, 0.0],)),
    Kink("x ** 1 at 0", lambda x: x**1, ([0.0],), ([1.0],)),
    Kink("a square root by power", lambda x: x**0.5, ([0.0],), ([inf],)),
    Kink("1 / 0", lambda x: 1.0 / x, ([0.0],), ([-inf],)),
    Kink("sigmoid and tanh saturate", lambda x: x.sigmoid() + x.tanh(),
         ([1e4, -1e4],), ([0.0, 0.0],)),
    Kink("exp overflows to inf", lambda x: x.exp(), ([1e4, -1e4],), ([inf, 0.0],)),
    Kink("logsumexp stays finite", lambda x: x.logsumexp(0), ([1e4, -1e4],), ([1.0, 0.0],)),
    Kink("logsumexp of an infinity", lambda x: x.logsumexp(0), ([-inf, 0.0],), ([0.0, 1.0],)),
    Kink("log_softmax stays finite", lambda x: x.log_softmax(0)[1], ([1e4, -1e4],), ([-1.0, 1.0],)),
    Kink("cross_entropy far to the wrong side", lambda x: ag.cross_entropy(x, ag.tensor(1)),
         ([1e4, -1e4],), ([1.0, -1.0],)),
    Kink("cross_entropy far to the right side", lambda x: ag.cross_entropy(x, ag.tensor(0)),
         ([1e4, -1e4],), ([0.0, 0.0],)),
    Kink("a nan in the branch not taken comes through",
         lambda x: ag.where(x > 0, x.sqrt(), 0.0 * x), ([-1.0, 4.0],), ([nan, 0.25],)),
    Kink("a safe operand keeps it out",
         lambda x: ag.where(x > 0, ag.where(x > 0, x, 1.0).sqrt(), 0.0),
         ([-1.0, 4.0],), ([0.0, 0.25],)),
    Kink("the sum of nothing", lambda x: x.sum(), ([],), ([],)),
]  # fmt: skip


@pytest.mark.parametrize("kink", TABLE, ids=lambda kink: kink.about)
@pytest.mark.parametrize("dtype", [ag.float32, ag.float64], ids=str)
def test_a_gradient_at_a_kink_is_pytorch_s(kink: Kink, dtype: Any) -> None:
    operands = [ag.tensor(x, dtype=dtype, requires_grad=True) for x in kink.at]
    kink.f(*operands).sum().backward()
    for x, expected in zip(operands, kink.gradients, strict=True):
        assert x.grad.dtype == dtype
        np.testing.assert_allclose(x.grad.numpy(), np.array(expected, dtype.type), rtol=1e-6)


@pytest.mark.torch
@pytest.mark.parametrize("kink", TABLE, ids=lambda kink: kink.about)
def test_the_table_is_what_pytorch_does(kink: Kink, torch: Any) -> None:
    if "cross_entropy" in kink.about or "branch" in kink.about or "operand" in kink.about:
        pytest.skip("written with functions of ours")
    f = {ag.maximum: torch.maximum, ag.minimum: torch.minimum}.get(kink.f, kink.f)
    operands = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in kink.at]
    f(*operands).sum().backward()
    for x, expected in zip(operands, kink.gradients, strict=True):
        np.testing.assert_allclose(x.grad.numpy(), np.array(expected, np.float64), rtol=1e-12)


def test_the_mean_of_nothing_is_nan() -> None:
    assert math.isnan(ag.zeros(0).mean().item())


def test_the_sum_of_nothing_is_zero() -> None:
    assert ag.zeros(0, 3).sum().item() == 0.0
    assert ag.zeros(0, 3).sum(0).tolist() == [0.0, 0.0, 0.0]


@pytest.mark.parametrize("name", ["amax", "amin", "max", "min"])
def test_nothing_has_no_extreme(name: str) -> None:
    with pytest.raises(ag.ShapeError, match=r"got shape \(0,\)"):
        getattr(ag.zeros(0), name)()


@pytest.mark.parametrize("name", ["argmax", "argmin"])
def test_nothing_has_no_place_of_an_extreme(name: str) -> None:
    with pytest.raises(ag.ShapeError, match=name):
        getattr(ag.zeros(0), name)()


def test_nan_is_the_extreme() -> None:
    x = ag.tensor([1.0, nan, 3.0])
    assert math.isnan(x.max().item())
    assert math.isnan(x.min().item())
    assert x.argmax().item() == x.argmin().item() == 1


@pytest.mark.parametrize("rows", [2, 2000], ids=["small", "on a kernel"])
@pytest.mark.parametrize("weight", [None, ag.tensor([1.0, 2.0, 3.0])], ids=["plain", "weighed"])
@pytest.mark.parametrize("smoothing", [0.0, 0.3])
def test_cross_entropy_of_nothing_is_nan_and_pulls_at_nothing(
    rows: int, weight: Any, smoothing: float
) -> None:
    x, target = ag.randn(rows, 3, requires_grad=True), ag.full((rows,), -100)
    options: Any = {"weight": weight, "label_smoothing": smoothing}
    assert ag.cross_entropy(x, target, reduction="sum", **options).item() == 0.0
    loss = ag.cross_entropy(x, target, **options)
    assert math.isnan(loss.item())
    loss.backward()
    assert not x.grad.numpy().any()


@pytest.mark.parametrize("dtype", [ag.int64, ag.int32, ag.uint8, ag.bool], ids=str)
def test_whole_numbers_become_floats_where_the_result_is_one(dtype: Any) -> None:
    x = ag.tensor([1, 0, 1], dtype=dtype)
    assert ag.exp(x).dtype == (x / 2).dtype == x.sigmoid().dtype == ag.float32
    assert x.sum().dtype == ag.int64
    assert x.sum().item() == 2
    with pytest.raises(ag.DtypeError, match=r"mean got .*convert with \.float\(\) first"):
        x.mean()


def test_an_infinity_survives_a_round_trip() -> None:
    x = ag.tensor([inf, -inf, nan, -0.0], requires_grad=True)
    assert str(x.exp().tolist()) == "[inf, 0.0, nan, 1.0]"
    assert str((x * 1.0).tolist()) == "[inf, -inf, nan, -0.0]"
