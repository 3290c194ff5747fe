"""Value: one number with a history, by the numbers of scalar autodiff's best-known example."""

from __future__ import annotations

import copy
import math
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd_core as ag

Value: Any = ag.Value


def documented(a: Any, b: Any) -> Any:
    """The expression in micrograd's README."""
    c = a + b
    d = a * b + b**3
    c = c + (c + 1)
    c = c + (1 + c + (-a))
    d = d + (d * 2 + (b + a).relu())
    d = d + (3 * d + (b - a).relu())
    e = c - d
    f = e**2
    return f / 2.0 + 10.0 / f


def test_the_documented_example_gives_its_documented_numbers() -> None:
    a, b = Value(-4.0), Value(2.0)
    g = documented(a, b)
    assert round(g.data, 4) == 24.7041
    g.backward()
    assert round(a.grad, 4) == 138.8338
    assert round(b.grad, 4) == 645.5773


def test_a_tensor_gives_the_same() -> None:
    values = [Value(-4.0), Value(2.0)]
    tensors = [ag.tensor(x, dtype=ag.float64, requires_grad=True) for x in (-4.0, 2.0)]
    documented(*values).backward()
    documented(*tensors).backward()
    assert [v.grad for v in values] == pytest.approx([t.grad.item() for t in tensors], rel=1e-14)


def test_a_value_used_twice_counts_twice() -> None:
    x = Value(3.0)
    (x * x).backward()
    assert x.grad == 6.0
    y = Value(3.0)
    (y + y).backward()
    assert y.grad == 2.0


def test_every_value_on_the_way_has_its_gradient() -> None:
    x = Value(2.0)
    y = x * 3.0
    z = y * y
    assert (x.grad, y.grad, z.grad) == (0.0, 0.0, 0.0)
    z.backward()
    assert (x.grad, y.grad, z.grad) == (36.0, 12.0, 1.0)


def test_a_second_backward_adds() -> None:
    x = Value(3.0)
    y = x * x
    y.backward()
    y.backward()
    assert (x.grad, y.grad) == (12.0, 2.0)
    y.zero_grad()
    assert (x.grad, y.grad) == (0.0, 0.0)
    y.backward(10.0)
    assert x.grad == 60.0


def test_data_and_grad_may_be_assigned() -> None:
    x = Value(3.0)
    x.data -= 0.5
    x.grad = 0.0
    (x * 2).backward()
    assert (x.data, x.grad) == (2.5, 2.0)


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (lambda: Value(1.0) / 0.0, math.inf),
        (lambda: Value(0.0) / Value(0.0), math.nan),
        (lambda: Value(0.0).log(), -math.inf),
        (lambda: Value(-1.0).log(), math.nan),
        (lambda: Value(-1.0).sqrt(), math.nan),
        (lambda: Value(1e4).exp(), math.inf),
        (lambda: Value(1e200) ** 2, math.inf),
        (lambda: Value(0.0) ** -1, math.inf),
        (lambda: Value(-8.0) ** (1 / 3), math.nan),
        (lambda: Value(-1e4).sigmoid(), 0.0),
        (lambda: Value(0) ** 0, 1.0),
    ],
    ids=[
        "1/0",
        "0/0",
        "log 0",
        "log -1",
        "sqrt -1",
        "exp",
        "square",
        "0**-1",
        "root",
        "sigm",
        "0**0",
    ],
)
def test_poles_and_overflow_give_what_ieee_says(call: Callable[[], Any], expected: float) -> None:
    y = call()
    assert y.data == expected or (math.isnan(y.data) and math.isnan(expected))
    y.backward()


def test_gradients_at_poles_are_infinite_and_not_errors() -> None:
    x = Value(0.0)
    (x.sqrt() + x.log()).backward()
    assert x.grad == math.inf
    y = Value(0.0)
    (1 / y).backward()
    assert y.grad == -math.inf


def test_derivatives_of_higher_order() -> None:
    x = Value(0.3)
    y = x.tanh()
    y.backward(create_graph=True)
    first = x.grad
    assert isinstance(first, Value)
    t = math.tanh(0.3)
    assert first.data == pytest.approx(1 - t * t, rel=1e-15)
    x.grad = 0.0
    first.backward(create_graph=True)
    second: Any = x.grad
    x.grad = 0.0
    assert second.data == pytest.approx(-2 * t * (1 - t * t), rel=1e-14)
    second.backward()
    assert x.grad == pytest.approx((1 - t * t) * (6 * t * t - 2), rel=1e-13)


STEPS: list[Callable[[Any, Any], Any]] = [
    lambda a, b: a * b, lambda a, b: a + b, lambda a, b: a - 2.0 * b, lambda a, b: (a * b).tanh(),
    lambda a, b: a.relu(), lambda a, b: b / (a * a + 1), lambda a, b: a.sigmoid() * b,
    lambda a, b: ag.maximum(a, b).tanh(), lambda a, b: abs(a) ** 1.5,
]  # fmt: skip


@pytest.mark.parametrize("seed_of_graph", range(20))
def test_random_expressions_agree_with_tensors(seed_of_graph: int) -> None:
    rng = np.random.default_rng(seed_of_graph)
    points = rng.normal(size=3).tolist()
    steps = [tuple(rng.integers(0, 1000, 3).tolist()) for _ in range(int(rng.integers(5, 60)))]

    def run(known: list[Any]) -> Any:
        for which, i, j in steps:
            known.append(STEPS[which % len(STEPS)](known[i % len(known)], known[j % len(known)]))
        total: Any = sum(known[1:], known[0])
        return total.tanh()

    values = [Value(x) for x in points]
    tensors = [ag.tensor(x, dtype=ag.float64, requires_grad=True) for x in points]
    y, z = run(list(values)), run(list(tensors))
    assert y.data == pytest.approx(z.item(), rel=1e-12)
    y.backward()
    z.backward()
    for v, t in zip(values, tensors, strict=True):
        assert v.grad == pytest.approx(t.grad.item(), rel=1e-9, abs=1e-12)


def test_numbers_of_every_kind_stand_beside_a_value() -> None:
    x = Value(2.0)
    others: list[Any] = [1, 1.0, True, np.float64(1.0), np.int64(1), np.array(1.0)]
    assert [(x + other).data for other in others] == [3.0] * 6
    assert [(other - x).data for other in others] == [-1.0] * 6
    assert isinstance(np.float64(1.0) * x, Value)


def test_comparisons_are_plain_truths() -> None:
    a, b = Value(1.0), Value(2.0)
    assert a < b
    assert b >= 2
    assert (a == 1.0) is True
    assert (a != b) is True
    assert bool(Value(0.0)) is False
    assert len({a, Value(1.0)}) == 2


def test_a_value_is_a_number_to_python() -> None:
    x = Value(2.5, name="x")
    assert (float(x), int(x), f"{x:.2f}", x.item()) == (2.5, 2, "2.50", 2.5)
    assert repr(x) == "Value(data=2.5, grad=0, name='x')"
    assert repr(Value(1 / 3)) == "Value(data=0.333333, grad=0)"
    assert x.is_leaf
    assert not (x * 2).is_leaf
    assert (x * 2).detach().is_leaf


def test_no_grad_leaves_no_history() -> None:
    x = Value(2.0)
    with ag.no_grad():
        y = x * x + 1.0
    y.backward()
    assert (y.data, x.grad) == (5.0, 0.0)


def test_a_tensor_and_a_value_do_not_mix() -> None:
    text = (
        r"mul got both a Tensor and a Value: make one of them the other, with tensor\(value.data\)"
    )
    for mix in (lambda: ag.ones(2) * Value(1.0), lambda: Value(1.0) * ag.ones(2)):
        with pytest.raises(ag.DtypeError, match=text):
            mix()


def test_what_is_not_one_number_is_refused() -> None:
    for data in ("3", None, [1.0], True):
        with pytest.raises(ag.DtypeError, match="it holds one number"):
            Value(data)
    with pytest.raises(ag.DtypeError, match="sum works on arrays; Value holds one number, so use"):
        ag.sum(Value(1.0))
    with pytest.raises(ag.GraphError, match=r"numpy cannot see inside a Value: use \.data"):
        np.asarray(Value(1.0))
    with pytest.raises(ag.DtypeError, match="add got a str"):
        _ = Value(1.0) + "one"


def test_leaves_are_copied_and_pickled_and_results_are_not() -> None:
    x = Value(2.0, name="x")
    x.grad = 3.0
    for y in (copy.deepcopy(x), pickle.loads(pickle.dumps(x))):
        assert (y.data, y.grad, y.name) == (2.0, 3.0, "x")
        assert y is not x
    with pytest.raises(ag.GraphError, match="only leaf Values can be pickled or copied"):
        copy.deepcopy(x * 2)


def test_a_chain_of_a_hundred_thousand_values_goes_back_and_is_freed() -> None:
    x = Value(1.0)
    y = x
    for _ in range(100_000):
        y = y * 1.00001
    y.backward()
    assert x.grad == pytest.approx(1.00001**100_000, rel=1e-9)
    del y


def test_a_value_is_no_tensor() -> None:
    assert not isinstance(Value(1.0), ag.Tensor)
    assert (Value(1.0).shape, Value(1.0).requires_grad) == ((), True)
