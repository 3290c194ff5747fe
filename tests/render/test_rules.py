"""Local rules in symbols: what they say, and where they keep silent."""

from __future__ import annotations

from typing import Any

import pytest

import autograd_core as ag
from autograd_core.op import REGISTRY
from autograd_core.render.page.rules import local_rules


@pytest.mark.parametrize(
    ("op", "slopes"),
    [
        ("add", ["1", "1"]),
        ("sub", ["1", "-1"]),
        ("mul", ["b", "a"]),
        ("div", ["1 / b", "-(y / b)"]),
        ("neg", ["-1"]),
        ("tanh", ["1 - y * y"]),
        ("exp", ["y"]),
        ("log", ["1 / x"]),
        ("sin", ["cos(x)"]),
        ("relu", ["where(y <= 0, 0, 1)"]),
        ("pow", ["where(b == 0, 0, b * a ** (b - 1))"]),
        ("leaky_relu", ["where(x > 0, 1, negative_slope)"]),
    ],
)
def test_the_slope_of_an_elementwise_op_is_read_from_its_rule(op: str, slopes: list[str]) -> None:
    found = [rule.slope for rule in local_rules(op)]
    assert found[: len(slopes)] == slopes


@pytest.mark.parametrize(
    ("op", "sends"),
    [
        ("matmul", ["g @ b.T", "a.T @ g"]),
        ("linear", ["g @ weight", "g.T @ x", "sum(g)"]),
        ("log_softmax", ["g - exp(y) * sum(g)"]),
        ("sum", ["expand(g)"]),
    ],
)
def test_what_another_op_sends_is_a_formula_with_g(op: str, sends: list[str]) -> None:
    assert [rule.sends for rule in local_rules(op)] == sends
    assert not any(rule.slope for rule in local_rules(op))


@pytest.mark.parametrize("op", ["mean", "var", "solve_triangular", "conv_weight", "clamp_unknown"])
def test_a_rule_that_depends_on_sizes_or_choices_has_no_formula(op: str) -> None:
    # mean divides by a count, which the stand-ins of its operand would give a number of their own.
    assert local_rules(op) == ()


def test_no_formula_shows_an_array_or_a_number_of_its_stand_ins() -> None:
    for op in REGISTRY:
        for rule in local_rules(op):
            assert "[" not in rule.sends
            assert "nan" not in rule.sends
            assert "inf" not in rule.sends.replace("isinf", "").replace("isfinite", "")


@pytest.mark.parametrize(
    "op",
    [
        "tanh",
        "sigmoid",
        "exp",
        "sqrt",
        "square",
        "log",
        "sin",
        "atan",
        "reciprocal",
        "relu",
        "abs",
        "silu",
        "hypot",
        "mul",
        "div",
    ],
)
def test_a_slope_is_true_at_a_point(op: str) -> None:  # fmt: skip
    for i, rule in enumerate(local_rules(op)):
        names = REGISTRY[op].arrays
        xs = [ag.tensor(0.7 + 0.4 * k, dtype="float64", requires_grad=True)
              for k in range(len(names))]  # fmt: skip
        y = REGISTRY[op].call(*xs)
        slope: Any = ag.autograd.grad(y, [xs[i]])[0]
        known = {"y": y, **dict(zip(names, xs, strict=True))}
        functions = {name: getattr(ag, name) for name in dir(ag) if not name.startswith("_")}
        told = eval(rule.slope, functions, known)
        assert float(told) == pytest.approx(float(slope), rel=1e-12)
