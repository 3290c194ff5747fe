"""Joint rules: one piece of work for the cotangents of several operands, done once a visit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import autograd_core as ag
from autograd_core.op import REGISTRY, op
from autograd_core.ops import solving

Calls = list[list[bool]]


def product_op(calls: Calls) -> Any:
    """a b, whose one rule notes which operands it is asked for."""

    def pull(g: Any, a: Any, b: Any, wanted: Any) -> list[Any]:
        calls.append(wanted)
        return [g * b if wanted[0] else None, g * a if wanted[1] else None]

    push = [lambda t, b: t * b, lambda t, a: t * a, None]

    @op(vjp=[pull, pull, None], jvp=push, joint=True)
    def joint_product(a: Any, b: Any, c: Any) -> Any:
        return a * b

    return joint_product


@pytest.fixture
def calls() -> Iterator[Calls]:
    yield []
    REGISTRY.pop("joint_product", None)


def test_a_joint_rule_runs_once_for_all_operands(calls: Calls) -> None:
    f = product_op(calls)
    a, b, c = (ag.tensor([float(k), 2.0], requires_grad=True) for k in (3, 5, 7))
    f(a, b, c).sum().backward()
    assert calls == [[True, True, True]]
    assert (a.grad.tolist(), b.grad.tolist(), c.grad) == ([5.0, 2.0], [3.0, 2.0], None)


def test_every_visit_runs_a_joint_rule_anew(calls: Calls) -> None:
    f = product_op(calls)
    a, b = (ag.tensor([2.0], requires_grad=True) for _ in "ab")
    y = f(a, b, 1.0).sum()
    y.backward(retain_graph=True)
    y.backward()
    assert len(calls) == 2
    assert a.grad.tolist() == [4.0]


def test_a_joint_rule_is_told_which_operands_need_a_cotangent(calls: Calls) -> None:
    f = product_op(calls)
    a, b = ag.tensor([2.0], requires_grad=True), ag.tensor([3.0])
    f(a, b, 1.0).sum().backward()
    assert calls == [[True, False, False]]


def test_a_joint_rule_is_differentiated_again(calls: Calls) -> None:
    f = product_op(calls)
    a, b = (ag.tensor([3.0], requires_grad=True) for _ in "ab")
    (p,) = ag.autograd.grad(f(a, b, 1.0) ** 2, [a], [ag.ones(1)], create_graph=True)
    (second,) = ag.autograd.grad(p.sum(), [b])
    assert second.tolist() == [4.0 * 9.0]


def test_operands_of_a_joint_op_share_one_rule() -> None:
    with pytest.raises(ValueError, match="op 'two' is joint: its vjp rules must be one rule"):

        @op(vjp=[lambda g: g, lambda g: g], jvp=[None, None], joint=True)
        def two(a: Any, b: Any) -> Any:
            return a

    assert "two" not in REGISTRY


def test_backward_of_a_linear_system_solves_one(
    monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator
) -> None:
    solved: list[int] = []
    solve = np.linalg.solve
    A = ag.tensor(rng.standard_normal((4, 4)), requires_grad=True)
    B = ag.tensor(rng.standard_normal((4, 2)), requires_grad=True)
    y = solving.solve_(A, B).sum()

    def counted(*operands: Any) -> Any:
        solved.append(1)
        return solve(*operands)

    monkeypatch.setattr(np.linalg, "solve", counted)
    y.backward()
    assert len(solved) == 1
