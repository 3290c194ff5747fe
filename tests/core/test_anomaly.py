"""detect_anomaly(): the first NaN is named with its op, operand, line, place, and direction."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd_core as ag
import nn
from autograd_core.autograd import AnomalyError, Function, detect_anomaly

INF = float("inf")

Plant = Callable[[Any], Any]


def leaf(*numbers: float) -> Any:
    return ag.tensor(numbers, dtype=ag.float64, requires_grad=True)


def masked(function: Plant) -> Plant:
    """The result where x is one of the good numbers, 0 elsewhere: finite, but not its gradient."""
    good = ag.tensor([True, False])
    return lambda x: ag.where(good, function(x), 0.0)


# The op that makes the NaN, what makes it, and at which numbers; the second of them is the culprit.
FORWARD: list[tuple[str, Plant, tuple[float, float]]] = [
    ("log", lambda x: x.log(), (1.0, -1.0)),
    ("log2", lambda x: x.log2(), (1.0, -1.0)),
    ("log10", lambda x: x.log10(), (1.0, -1.0)),
    ("log1p", lambda x: x.log1p(), (1.0, -2.0)),
    ("sqrt", lambda x: x.sqrt(), (1.0, -1.0)),
    ("rsqrt", lambda x: x.rsqrt(), (1.0, -1.0)),
    ("pow", lambda x: x**0.5, (1.0, -1.0)),
    ("div", lambda x: x / x, (1.0, 0.0)),
    ("sub", lambda x: x - x, (1.0, INF)),
    ("add", lambda x: x + -x, (1.0, INF)),
    ("mul", lambda x: x * ag.tensor([1.0, 0.0]), (1.0, INF)),
    ("sin", lambda x: x.sin(), (1.0, INF)),
    ("cos", lambda x: x.cos(), (1.0, INF)),
    ("tan", lambda x: x.tan(), (1.0, INF)),
    ("asin", lambda x: x.asin(), (0.5, 2.0)),
    ("acos", lambda x: x.acos(), (0.5, 2.0)),
    ("acosh", lambda x: x.acosh(), (2.0, 0.5)),
    ("atanh", lambda x: x.atanh(), (0.5, 2.0)),
    ("logit", lambda x: x.logit(), (0.5, 2.0)),
    ("erfinv", lambda x: x.erfinv(), (0.5, 2.0)),
    ("remainder", lambda x: ag.remainder(1.0, x), (1.0, 0.0)),
    ("fmod", lambda x: ag.fmod(x, 2.0), (1.0, INF)),
    ("frac", lambda x: x.frac(), (1.0, INF)),
    ("cumsum", lambda x: (x * ag.tensor([-1.0, 1.0])).cumsum(0), (INF, INF)),
    ("softmax", lambda x: x.softmax(0), (1.0, INF)),
    ("log_softmax", lambda x: x.log_softmax(0), (1.0, INF)),
]


# Finite forwards whose first NaN is in the gradient that this op sends back.
BACKWARD: list[tuple[str, Plant, tuple[float, float]]] = [
    ("sqrt", lambda x: x.sqrt() * 0.0, (1.0, 0.0)),
    ("pow", lambda x: (x**0.5) * 0.0, (1.0, 0.0)),
    ("asin", lambda x: x.asin() * 0.0, (0.5, 1.0)),
    ("acos", lambda x: x.acos() * 0.0, (0.5, 1.0)),
    ("acosh", lambda x: x.acosh() * 0.0, (2.0, 1.0)),
    ("log", lambda x: masked(ag.log)(x), (1.0, 0.0)),
    ("log2", lambda x: masked(ag.log2)(x), (1.0, 0.0)),
    ("log10", lambda x: masked(ag.log10)(x), (1.0, 0.0)),
    ("log1p", lambda x: masked(ag.log1p)(x), (1.0, -1.0)),
    ("exp", lambda x: masked(ag.exp)(x), (1.0, 1000.0)),
    ("exp2", lambda x: masked(ag.exp2)(x), (1.0, 2000.0)),
    ("expm1", lambda x: masked(ag.expm1)(x), (1.0, 1000.0)),
    ("sinh", lambda x: masked(ag.sinh)(x), (1.0, 1000.0)),
    ("cosh", lambda x: masked(ag.cosh)(x), (1.0, 1000.0)),
    ("rsqrt", lambda x: masked(ag.rsqrt)(x), (1.0, 0.0)),
    ("reciprocal", lambda x: masked(ag.reciprocal)(x), (1.0, 0.0)),
    ("div", lambda x: masked(lambda x: 1.0 / x)(x), (1.0, 0.0)),
    ("mul", lambda x: masked(lambda x: x * ag.tensor([1.0, INF]))(x), (1.0, 1.0)),
    ("atanh", lambda x: masked(ag.atanh)(x), (0.5, 1.0)),
    ("logit", lambda x: masked(ag.logit)(x), (0.5, 1.0)),
    ("erfinv", lambda x: masked(ag.erfinv)(x), (0.5, 1.0)),
    ("lgamma", lambda x: masked(ag.lgamma)(x), (0.5, 0.0)),
    ("pow", lambda x: masked(lambda x: x**-2.0)(x), (1.0, 0.0)),
    ("xlogy", lambda x: masked(lambda x: ag.xlogy(1.0, x))(x), (1.0, 0.0)),
    ("pow", lambda x: masked(lambda x: x**-1.5)(x), (1.0, 0.0)),
]


def line_of(plant: Plant) -> str:
    code: Any = plant
    return f"test_anomaly.py:{code.__code__.co_firstlineno}"


def names(rows: list[tuple[str, Plant, tuple[float, float]]]) -> list[str]:
    return [f"{name}-{i}" for i, (name, _, _) in enumerate(rows)]


def test_there_are_more_than_fifty_plants() -> None:
    assert len(FORWARD) + len(BACKWARD) > 50


@pytest.mark.parametrize(("op", "plant", "numbers"), FORWARD, ids=names(FORWARD))
def test_a_nan_of_the_forward_is_named(op: str, plant: Plant, numbers: Any) -> None:
    with detect_anomaly(), pytest.raises(AnomalyError) as caught:
        plant(leaf(*numbers)).sum().backward()
    text = str(caught.value)
    assert re.match(
        rf"forward: the first nan came from {op}, \S*{line_of(plant)}, at \[[01]\]", text
    )
    assert "of shape (2,)" in text


@pytest.mark.parametrize(("op", "plant", "numbers"), BACKWARD, ids=names(BACKWARD))
def test_a_nan_of_the_backward_is_named(op: str, plant: Plant, numbers: Any) -> None:
    with detect_anomaly(), pytest.raises(AnomalyError) as caught:
        plant(leaf(*numbers)).sum().backward()
    text = str(caught.value)
    assert re.match(
        rf"backward: the first nan came from {op}, \S*test_anomaly.py:\d+, in the gradient of its "
        r"operand '\w+', at \[1\] of shape \(2,\)",
        text,
    )


@pytest.mark.parametrize(("op", "plant", "numbers"), BACKWARD, ids=names(BACKWARD))
def test_without_detection_the_nan_arrives_unnamed(op: str, plant: Plant, numbers: Any) -> None:
    x = leaf(*numbers)
    y = plant(x)
    y.sum().backward()
    assert y.detach().isfinite().all()
    assert x.grad.isnan().tolist() == [False, True]


def test_the_module_is_named_where_one_was_running() -> None:
    class Logarithm(nn.Module):
        def forward(self, x: Any) -> Any:
            return x.log()

    model = nn.Sequential(nn.Linear(2, 2), nn.Sequential(Logarithm()))
    with ag.no_grad():
        model[0].weight.fill_(-1.0)
        model[0].bias.fill_(0.0)
    with (
        detect_anomaly(),
        pytest.raises(
            AnomalyError,
            match=r"first nan came from log in Sequential\.1\.0 \(Logarithm\), \S*test_an",
        ),
    ):
        model(ag.ones(1, 2))


def test_a_nan_in_the_data_is_not_blamed_on_the_op_that_meets_it() -> None:
    x, w = ag.tensor([1.0, float("nan")]), ag.ones(2, requires_grad=True)
    with (
        detect_anomaly(),
        pytest.raises(
            AnomalyError,
            match=r"mul, \S*test_anomaly.py:\d+ got a nan in its operand 'b', which no op made "
            "here: it came in with the data",
        ),
    ):
        (w + 1.0).mul(x)


def test_a_nan_in_the_gradient_that_is_given_is_not_blamed_on_an_op() -> None:
    with (
        detect_anomaly(),
        pytest.raises(
            AnomalyError,
            match=r"backward: the gradient that was given has a nan, at \[1\] of shape",
        ),
    ):
        leaf(1.0, 2.0).exp().backward(ag.tensor([1.0, float("nan")]))


def test_a_nan_of_a_function_of_your_own_is_named_both_ways() -> None:
    def mine(forward: Any, backward: Any) -> Any:
        methods = {"forward": staticmethod(forward), "backward": staticmethod(backward)}
        return type("Mine", (Function,), methods)

    nan = ag.tensor([float("nan")] * 2, dtype=ag.float64)
    with detect_anomaly(), pytest.raises(AnomalyError, match="forward: the first nan came from Mi"):
        mine(lambda ctx, x: ag.full((2,), float("nan")), lambda ctx, g: g).apply(leaf(1.0, 2.0))
    plant = mine(lambda ctx, x: x.clone(), lambda ctx, g: nan)
    with (
        detect_anomaly(),
        pytest.raises(
            AnomalyError, match=r"first nan came from Mine, \S*, in the gradient of its operand 'x'"
        ),
    ):
        plant.apply(leaf(1.0, 2.0)).sum().backward()


def test_the_first_infinity_is_named_as_well() -> None:
    x = leaf(0.0, 1.0)
    with (
        detect_anomaly(),
        pytest.raises(
            AnomalyError,
            match=r"the first nan came from mul, .*; the first infinity came from log, \S*test_",
        ),
    ):
        x.log().mul(x)
    with (
        detect_anomaly(),
        pytest.raises(
            AnomalyError,
            match=r"; the first infinity came from the backward of sqrt, \S*test_anomaly",
        ),
    ):
        (x.sqrt() * 0.0 + (x * 0.0).sqrt()).sum().backward()


def test_an_infinity_alone_raises_nothing() -> None:
    with detect_anomaly():
        y = leaf(0.0, 1.0).log()
    assert y.tolist() == [-INF, 0.0]


def test_a_graph_recorded_outside_is_named_without_its_line() -> None:
    y = (leaf(0.0).sqrt() * 0.0).sum()
    with (
        detect_anomaly(),
        pytest.raises(
            AnomalyError, match=r"sqrt, an unknown line \(recorded outside detect_anomaly\(\)\)"
        ),
    ):
        y.backward()


def test_a_scalar_says_its_only_element() -> None:
    with detect_anomaly(), pytest.raises(AnomalyError, match="at its only element"):
        ag.tensor(-1.0, requires_grad=True).log()


def test_several_results_are_looked_at() -> None:
    with detect_anomaly(), pytest.raises(AnomalyError, match="got a nan in its operand 'x'"):
        leaf(1.0, float("nan")).max(0)


def test_only_the_graph_and_no_check_when_told_so() -> None:
    x = leaf(-1.0)
    with detect_anomaly(check_nan=False):
        y = x.log()
        y.backward()
    assert np.isnan(y.item())


def test_it_can_be_switched_on_and_off() -> None:
    assert not ag.autograd.is_anomaly_enabled()
    ag.autograd.set_detect_anomaly(True)
    assert ag.autograd.is_anomaly_enabled()
    ag.autograd.set_detect_anomaly(False)
    assert not ag.autograd.is_anomaly_enabled()
    with ag.autograd.set_detect_anomaly(True):
        assert ag.autograd.is_anomaly_enabled()
    assert not ag.autograd.is_anomaly_enabled()


def test_an_overwrite_is_told_with_both_lines() -> None:
    x = leaf(1.0)
    with detect_anomaly():
        y = x.exp()
        with ag.no_grad():
            y.mul_(2.0)
        with pytest.raises(
            ag.GraphError,
            match=r"recorded at \S*test_anomaly.py:\d+, changed at \S*test_anomaly.py:\d+",
        ):
            y.backward()


def test_a_loop_inside_keeps_nothing_of_its_past() -> None:
    with detect_anomaly() as seen:
        state = ag.ones(4)
        for _ in range(10):
            state = state * 0.5
    assert seen.nodes == []
    assert state._made.sources == ()
