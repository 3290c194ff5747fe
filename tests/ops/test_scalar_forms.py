"""Scalar forms against array forms: a Value and a 0-d Tensor give the same, also at the edges."""

from __future__ import annotations

import math
from itertools import product
from typing import Any

import numpy as np
import pytest

import autograd_core as ag
from autograd_core.op import REGISTRY
from tests.ops.case import OpCase
from tests.ops.cases import CASES

FINITE = (0.0, -0.0, 0.5, -0.5, 1.0, -1.0, 2.0, 3.0, -2.5, 40.0, -710.0, 710.0, 1e-308, 1e308)
SPECIAL = (*FINITE, -1e308, math.inf, -math.inf, math.nan)
FEW = (0.0, 1.0, -2.5, math.inf, -math.inf, math.nan)

NO_DEFAULTS = {"threshold": (0.25, -3.0)}  # of its parameters

SCALAR = [op for op in REGISTRY.values() if op.scalar]
every_scalar_op = pytest.mark.parametrize("op", SCALAR, ids=repr)


def points(op: Any) -> list[tuple[Any, ...]]:
    """Return every combination of special numbers; a condition is a truth."""
    if op.arrays[0] == "condition":
        return list(product((True, False), FEW, FEW))
    return list(product(SPECIAL if op.arity < 3 else FEW, repeat=op.arity))


def tensors(op: Any) -> list[Any]:
    """Return all the points as one tensor for each operand."""
    columns = [np.array(column) for column in zip(*points(op), strict=True)]
    return [ag.tensor(c, requires_grad=c.dtype.kind == "f") for c in columns]


def value(x: Any) -> Any:
    return x if isinstance(x, bool) else ag.Value(x)


def same(a: float, b: float) -> bool:
    """Tell whether two results agree: to 4 ulp, NaN with NaN, 0 with 0 of either sign."""
    return (a != a and b != b) or a == b or math.isclose(a, b, rel_tol=1e-15, abs_tol=1e-322)


@every_scalar_op
def test_a_value_gives_what_a_tensor_gives(op: Any) -> None:
    params = NO_DEFAULTS.get(op.name, ())
    found = [float(op.call(*map(value, x), *params)) for x in points(op)]
    expected = op.call(*tensors(op), *params).tolist()
    triples = zip(points(op), found, expected, strict=True)
    assert [(x, a, b) for x, a, b in triples if not same(a, b)] == []


@pytest.mark.parametrize("op", [op for op in SCALAR if op.differentiable], ids=repr)
def test_a_value_s_gradients_are_a_tensor_s(op: Any) -> None:
    columns, params = tensors(op), NO_DEFAULTS.get(op.name, ())
    op.call(*columns, *params).sum().backward()
    wrong: list[Any] = []
    for place, x in enumerate(points(op)):
        numbers = list(map(value, x))
        op.call(*numbers, *params).backward()
        for v, column in zip(numbers, columns, strict=True):
            if isinstance(v, ag.Value) and not same(v.grad, column.grad[place].item()):
                wrong.append((x, v.grad, column.grad[place].item()))
    assert wrong == []


@pytest.mark.parametrize(
    "case", [case for case in CASES if case.op in SCALAR and case.differentiable], ids=str
)
def test_elements_and_values_go_the_same_way(case: OpCase, rng: np.random.Generator) -> None:
    operands = np.broadcast_arrays(*(np.asarray(x) for x in case.draw(rng)))
    for place in [(0,) * operands[0].ndim, (-1,) * operands[0].ndim]:
        picked = [part[place] for part in operands]
        x = [number.item() if isinstance(number, np.generic) else number for number in picked]
        numbers = [ag.Value(x_i) if i in case.drawn else x_i for i, x_i in enumerate(x)]
        tensors = [
            ag.tensor(x_i, dtype=ag.float64, requires_grad=True) if i in case.drawn else x_i
            for i, x_i in enumerate(x)
        ]
        y, z = case.call(numbers), case.call(tensors)
        assert y.data == pytest.approx(z.item(), rel=1e-14)
        (y * y).backward()
        (z * z).backward()
        for i in case.drawn:
            assert numbers[i].grad == pytest.approx(tensors[i].grad.item(), rel=1e-13)


@pytest.mark.parametrize("name", sorted(set(REGISTRY) - {op.name for op in SCALAR} - {"part"}))
def test_an_op_of_arrays_refuses_a_value_by_name(name: str) -> None:
    op = REGISTRY[name]
    x = ag.Value(1.0)
    operands = [x] * op.arity
    arguments = [operands] if op.variadic else operands
    required = len(op.names) - len(op.defaults)
    with pytest.raises(
        ag.DtypeError, match=rf"{name} works on arrays; Value holds one number, so use Tensor"
    ):
        op.call(*arguments, *[0] * max(required, 0))
