"""The rules of every row: forwards, backwards and twice, against differences and each other."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import engine
from autograd_core.modes import Switch
from tests.ops.calculus import (
    Arrays,
    difference,
    drawn,
    gradients,
    inner,
    jacobian,
    like,
    on_tensors,
    pulled,
    pushed,
    results,
    values,
)
from tests.ops.case import OpCase
from tests.ops.cases import CASES

ROWS = [case for case in CASES if case.differentiable and case.drawn]
every_row = pytest.mark.parametrize("case", ROWS, ids=str)

# Central differences in float64 keep about nine digits of numbers near 1.
CLOSE: Any = {"rtol": 1e-7, "atol": 1e-7}


def assert_close(found: Arrays, expected: Arrays) -> None:
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, **CLOSE)


@every_row
def test_jvp_equals_differences(case: OpCase, rng: np.random.Generator) -> None:
    x = case.draw(rng)
    v = like(drawn(case, x), rng)
    assert_close(pushed(case, x, v), difference(lambda at: values(case, at), case, x, v))


@every_row
def test_jvp_of_one_operand_at_a_time_adds_up(case: OpCase, rng: np.random.Generator) -> None:
    x = case.draw(rng)
    v = like(drawn(case, x), rng)
    alone = [
        pushed(case, x, [t if i == k else np.zeros_like(t) for i, t in enumerate(v)])
        for k in range(len(v))
    ]
    sums = [np.sum(ts, 0) for ts in zip(*alone, strict=True)]
    for t, e in zip(pushed(case, x, v), sums, strict=True):
        np.testing.assert_allclose(t, e, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("case", [case for case in ROWS if case.analytic], ids=str)
def test_jvp_equals_a_complex_step(case: OpCase, rng: np.random.Generator) -> None:
    x = case.draw(rng)
    v = like(drawn(case, x), rng)
    steps, tiny = iter(v), 1e-30
    at = [x_i + 1j * tiny * next(steps) if i in case.drawn else x_i for i, x_i in enumerate(x)]
    operands, params = case.op.bind((at,) if case.op.variadic else tuple(at), dict(case.params))
    (found,) = pushed(case, x, v)
    expected = np.imag(case.op.forward(*operands, *params)) / tiny
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


@every_row
def test_vjp_is_the_adjoint_of_jvp(case: OpCase, rng: np.random.Generator) -> None:
    x = case.draw(rng)
    v, w = like(drawn(case, x), rng), like(values(case, x), rng)
    forwards, backwards = inner(w, pushed(case, x, v)), inner(pulled(case, x, w), v)
    size = sum(np.abs(a * b).sum() for a, b in zip(w, pushed(case, x, v), strict=True))
    assert forwards == pytest.approx(backwards, rel=1e-12, abs=1e-12 * (1.0 + size))


@every_row
def test_the_whole_jacobian_equals_differences(case: OpCase, rng: np.random.Generator) -> None:
    x = case.draw(rng)
    by_rules, by_differences = jacobian(case, x, pull=True), jacobian(case, x, pull=False)
    np.testing.assert_allclose(by_rules, by_differences, **CLOSE)


@every_row
def test_a_gradient_does_not_depend_on_what_else_requires_grad(
    case: OpCase, rng: np.random.Generator
) -> None:
    x = case.draw(rng)
    w = like(values(case, x), rng)
    everything = dict(zip(case.drawn, pulled(case, x, w), strict=True))
    for count in range(1, len(case.drawn)):
        for tracked in combinations(case.drawn, count):
            for i, g in zip(tracked, pulled(case, x, w, tracked), strict=True):
                np.testing.assert_array_equal(g, everything[i])


def slope_of_gradient(case: OpCase, x: Arrays, w: Arrays, v: Arrays) -> Arrays:
    """Return the derivative along v of the gradient of <w, results>, by differences."""
    return difference(lambda at: pulled(case, at, w), case, x, v)


@every_row
def test_reverse_over_reverse_equals_differences(case: OpCase, rng: np.random.Generator) -> None:
    x = case.draw(rng)
    w, v = like(values(case, x), rng), like(drawn(case, x), rng)
    tensors = on_tensors(x, case.drawn)
    leaves = drawn(case, tensors)
    outputs = results(case.call(tensors))
    cotangents = [ag.tensor(c, requires_grad=True) for c in w]
    firsts: Any = ag.autograd.grad(
        outputs, leaves, cotangents, create_graph=True, materialize_grads=True
    )
    total = sum((g * ag.tensor(t)).sum() for g, t in zip(firsts, v, strict=True))
    found = gradients(total, [*leaves, *cotangents])
    assert_close(found[: len(leaves)], slope_of_gradient(case, x, w, v))
    # <J'w, v> is linear in w with slope J v.
    for a, b in zip(found[len(leaves) :], pushed(case, x, v), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)


@every_row
def test_forward_over_reverse_equals_differences(case: OpCase, rng: np.random.Generator) -> None:
    x = case.draw(rng)
    w, v = like(values(case, x), rng), like(drawn(case, x), rng)
    tensors = on_tensors(x, case.drawn)
    leaves = drawn(case, tensors)
    with Switch(forward=True):
        firsts: Any = ag.autograd.grad(
            results(case.call(tensors)), leaves, w, create_graph=True, materialize_grads=True
        )
        tangents = engine.push(firsts, dict(zip(leaves, v, strict=True)))
    found = [np.zeros(g.shape) if t is None else t for t, g in zip(tangents, firsts, strict=True)]
    assert_close(found, slope_of_gradient(case, x, w, v))


@every_row
def test_reverse_over_forward_equals_differences(case: OpCase, rng: np.random.Generator) -> None:
    x = case.draw(rng)
    w, v = like(values(case, x), rng), like(drawn(case, x), rng)
    tensors = on_tensors(x, case.drawn)
    leaves = drawn(case, tensors)
    with Switch(forward=True):
        outputs = results(case.call(tensors))
        directions = {leaf: ag.tensor(t) for leaf, t in zip(leaves, v, strict=True)}
        tangents = engine.push(outputs, directions)
    total: Any = sum((t * ag.tensor(c)).sum() for t, c in zip(tangents, w, strict=True))
    assert_close(gradients(total, leaves), slope_of_gradient(case, x, w, v))


LINEAR = [case for case in ROWS if case.op and case.op.linear]


@pytest.mark.parametrize("case", [case for case in LINEAR if not case.op.together], ids=str)
def test_a_linear_op_is_zero_as_soon_as_one_operand_is(
    case: OpCase, rng: np.random.Generator
) -> None:
    for i in case.drawn:
        x = case.draw(rng)
        x[i] = np.zeros_like(x[i])
        for y in values(case, x):
            np.testing.assert_array_equal(y, np.zeros_like(y))


@pytest.mark.parametrize("case", [case for case in LINEAR if case.op.together], ids=str)
def test_a_jointly_linear_op_adds_up(case: OpCase, rng: np.random.Generator) -> None:
    a, b = case.draw(rng), case.draw(rng)
    both = [x + y if i in case.drawn else x for i, (x, y) in enumerate(zip(a, b, strict=True))]
    none = [0.0 * x if i in case.drawn else x for i, x in enumerate(a)]
    constant = values(case, none)  # what numbers among the operands add to every call
    for sum_, y, z, c in zip(
        values(case, both), values(case, a), values(case, b), constant, strict=True
    ):
        np.testing.assert_allclose(sum_ + c, y + z, rtol=1e-12, atol=1e-12)
