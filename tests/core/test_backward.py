"""backward() and grad(): what is added where, what is freed, and what is refused."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import engine

NUMBERS: Any = [1.0]  # which are no tensors


def leaf(*numbers: float) -> Any:
    return ag.tensor(numbers, dtype=ag.float64, requires_grad=True)


def test_a_shared_node_is_visited_once() -> None:
    x = leaf(1.0)
    y = x
    for _ in range(40):  # 2 ** 40 paths
        y = y + y
    sent: list[object] = []
    engine.pull([(y.grad_fn, np.ones(1))], note=lambda node, source, g: sent.append(node))
    assert len(sent) == 80
    assert len(set(map(id, sent))) == 40


def test_contributions_of_every_use_add_up() -> None:
    x = leaf(3.0)
    y = x * x + 2.0 * x + x.exp() * x
    y.backward()
    assert x.grad.item() == pytest.approx(2 * 3 + 2 + math.exp(3) * (1 + 3), rel=1e-15)


def test_gradients_add_up_over_calls_until_they_are_cleared() -> None:
    x = leaf(2.0)
    for times in (1, 2, 3):
        (x * x).backward()
        assert x.grad.tolist() == [4.0 * times]
    x.grad = None
    (x * x).backward()
    again: Any = x.grad
    assert again.tolist() == [4.0]


def test_adding_up_goes_on_in_the_same_array() -> None:
    x = leaf(2.0)
    (x * x).backward()
    grad = x.grad
    (x * x).backward()
    assert x.grad is grad
    assert grad.tolist() == [8.0]


def test_a_gradient_never_shares_memory_with_another_or_with_the_cotangent() -> None:
    a, b = leaf(1.0, 2.0), leaf(3.0, 4.0)
    g = ag.tensor([1.0, 1.0], dtype=ag.float64)
    (a + b).backward(g)
    a.grad.mul_(5.0)
    assert b.grad.tolist() == [1.0, 1.0]
    assert g.tolist() == [1.0, 1.0]
    ga, gb = ag.autograd.grad((a + b).sum(), [a, b])
    ga.zero_()
    assert gb.tolist() == [1.0, 1.0]


def test_a_leaf_is_its_own_gradient_s_root() -> None:
    x: Any = ag.tensor(2.0, requires_grad=True)
    x.backward()
    assert x.grad.item() == 1.0


def test_backward_takes_any_cotangent_of_the_right_shape() -> None:
    x = leaf(1.0, 2.0)
    (x * x).backward(ag.tensor([10.0, 1.0], dtype=ag.float64))
    assert x.grad.tolist() == [20.0, 4.0]


def test_several_outputs_go_back_at_once() -> None:
    x = leaf(3.0)
    y = x * x
    ag.autograd.backward([y, y * x], [ag.tensor([1.0]), ag.tensor([2.0])])
    assert x.grad.tolist() == [6.0 + 2 * 27.0]


def test_backward_into_chosen_inputs_only() -> None:
    a, b = leaf(2.0), leaf(3.0)
    c = a * b
    (c * a).backward(inputs=[a, c])
    assert a.grad.tolist() == [12.0]
    assert c.grad.tolist() == [2.0]
    assert b.grad is None


def test_a_second_backward_says_how_to_keep_the_graph() -> None:
    x = leaf(2.0)
    y = (x * x).exp()
    y.backward()
    with pytest.raises(
        ag.GraphError,
        match=r"exp was freed by an earlier backward: pass retain_graph=True to that one",
    ):
        y.backward()


def test_retain_graph_keeps_it() -> None:
    x = leaf(2.0)
    y = x * x
    y.backward(retain_graph=True)
    y.backward()
    assert x.grad.tolist() == [8.0]


def test_a_graph_that_saved_nothing_can_be_walked_again() -> None:
    x = leaf(2.0)
    y = x + x
    y.backward()
    y.backward()
    assert x.grad.tolist() == [4.0]


def test_create_graph_keeps_the_graph_unless_told_not_to() -> None:
    x = leaf(2.0)
    y = x * x * x
    ag.autograd.grad(y, x, create_graph=True)
    ag.autograd.grad(y, x, create_graph=True, retain_graph=False)
    with pytest.raises(ag.GraphError, match="freed by an earlier backward"):
        ag.autograd.grad(y, x)


def test_derivatives_of_tanh_to_the_fifth_order() -> None:
    x = leaf(0.3)
    y: Any = x.tanh()
    t = math.tanh(0.3)
    s = 1 - t * t
    expected = [
        s,
        -2 * t * s,
        s * (6 * t**2 - 2),
        s * (16 * t - 24 * t**3),
        s * (16 - 120 * t**2 + 120 * t**4),
    ]
    for value in expected:
        (y,) = ag.autograd.grad(y, x, create_graph=True)
        assert y.item() == pytest.approx(value, rel=1e-12)


def test_backward_with_create_graph_leaves_a_gradient_to_differentiate() -> None:
    x = leaf(3.0)
    (x**3).backward(create_graph=True)
    first: Any = x.grad
    assert first.requires_grad
    x.grad = None
    first.backward()
    second: Any = x.grad
    assert second.item() == pytest.approx(18.0)
    x.grad = None  # it holds the graph, which holds x


def test_grad_leaves_dot_grad_alone() -> None:
    x = leaf(2.0)
    (g,) = ag.autograd.grad(x * x, x)
    assert g.tolist() == [4.0]
    assert not g.requires_grad
    assert x.grad is None


def test_grad_with_respect_to_a_result() -> None:
    x = leaf(2.0)
    y = x * x
    gy, gx = ag.autograd.grad(y.exp(), [y, x])
    assert gy.item() == pytest.approx(math.exp(4))
    assert gx.item() == pytest.approx(4 * math.exp(4))


def test_an_unused_input_is_refused_or_none_or_zeros() -> None:
    x, unused = leaf(2.0), leaf(1.0, 1.0)
    with pytest.raises(
        ag.GraphError,
        match=r"do not depend on input 1 of shape \(2,\); pass allow_unused=True to get None",
    ):
        ag.autograd.grad(x * x, [x, unused])
    assert ag.autograd.grad(x * x, [x, unused], allow_unused=True)[1] is None
    zeros = ag.autograd.grad(x * x, [x, unused], materialize_grads=True)[1]
    assert zeros.tolist() == [0.0, 0.0]


def test_an_input_without_gradient_is_refused() -> None:
    with pytest.raises(ag.GraphError, match=r"input 0 of shape \(1,\) does not require grad"):
        ag.autograd.grad(leaf(1.0).exp(), ag.zeros(1))
    with pytest.raises(TypeError, match="input 0 is a float, it must be a Tensor"):
        ag.autograd.grad(leaf(1.0).exp(), NUMBERS)
    with pytest.raises(ValueError, match="inputs is empty"):
        ag.autograd.grad(leaf(1.0).exp(), [])


def test_backward_of_more_than_one_number_needs_a_gradient() -> None:
    with pytest.raises(
        ag.GraphError,
        match=r"this tensor has shape \(2,\): pass gradient= of that shape, or reduce it first",
    ):
        (leaf(1.0, 2.0) * 2).backward()


def test_a_gradient_of_another_shape_is_refused() -> None:
    with pytest.raises(
        ag.ShapeError, match=r"got a gradient of shape \(3,\) for a tensor of shape \(2,\)"
    ):
        (leaf(1.0, 2.0) * 2).backward(ag.ones(3))
    x = leaf(1.0, 2.0)
    with pytest.raises(ag.ShapeError, match=r"grad of shape \(3,\) does not fit"):
        x.grad = ag.ones(3, dtype=ag.float64)
    with pytest.raises(ag.DtypeError, match="grad of float32 does not fit a tensor of float64"):
        x.grad = ag.ones(2)
    with pytest.raises(ag.ShapeError, match="got 1 gradients for 2 outputs"):
        ag.autograd.grad([x * 2, x * 3], x, [ag.ones(2)])


def test_nothing_to_differentiate_is_said() -> None:
    with pytest.raises(ag.GraphError, match=r"does not require grad, so there is nothing to diff"):
        ag.ones(1).backward()
    with ag.no_grad():
        y = leaf(1.0) * 2
    with pytest.raises(ag.GraphError, match=r"outside of no_grad\(\)"):
        y.backward()
    with pytest.raises(TypeError, match="backward got a float"):
        ag.autograd.backward(NUMBERS)


@pytest.mark.parametrize("dtype", [ag.int64, ag.bool], ids=str)
def test_only_floats_can_require_grad(dtype: np.dtype) -> None:
    with pytest.raises(ag.DtypeError, match=rf"this one is {dtype}: convert it with .float\(\)"):
        ag.tensor([1, 0], dtype=dtype, requires_grad=True)
    with pytest.raises(ag.DtypeError, match="requires_grad is for floating tensors"):
        ag.ones(2, dtype=dtype).requires_grad = True


def test_requires_grad_cannot_be_taken_from_a_result() -> None:
    with pytest.raises(ag.GraphError, match=r"for leaves only: use detach\(\)"):
        leaf(1.0).exp().requires_grad_(False)


def test_retain_grad_fills_a_result_s_grad() -> None:
    x = leaf(2.0)
    y = x * x
    y.retain_grad()
    assert y.retains_grad
    (3.0 * y).backward()
    assert y.grad.tolist() == [3.0]
    assert x.grad.tolist() == [12.0]
    with pytest.raises(ag.GraphError, match="does not require grad"):
        ag.ones(1).retain_grad()


def test_a_result_that_is_gone_retains_nothing() -> None:
    x = leaf(2.0)
    y = x * x
    y.retain_grad()
    z = y * 3.0
    del y
    z.backward()
    assert x.grad.tolist() == [12.0]


def test_a_watch_shows_the_whole_cotangent_once_and_may_replace_it() -> None:
    x = leaf(2.0)
    y = x * x
    seen: list[list[float]] = []
    watch = engine.Watch()
    watch.hooks[0] = lambda g: seen.append(g.tolist())
    watch.hooks[1] = lambda g: g * 10.0
    y.grad_fn.watch = watch
    (y + y * 2.0).backward()
    assert seen == [[3.0]]
    assert x.grad.tolist() == [120.0]


def test_gradients_are_summed_to_broadcast_operands_and_cast_to_their_dtype() -> None:
    a = ag.ones(3, 1, requires_grad=True)
    b = ag.ones(2, 1, 4, dtype=ag.float64, requires_grad=True)
    (a * b).sum().backward()
    assert (a.grad.shape, a.grad.dtype) == ((3, 1), ag.float32)
    assert (b.grad.shape, b.grad.dtype) == ((2, 1, 4), ag.float64)
    assert a.grad.tolist() == [[8.0]] * 3
    assert b.grad.tolist() == [[[3.0] * 4]] * 2


def test_one_of_several_results_is_enough() -> None:
    x = leaf(1.0, 5.0, 2.0)
    best = x.max(0)
    assert not best.indices.requires_grad
    best.values.backward()
    assert x.grad.tolist() == [0.0, 1.0, 0.0]


def test_what_a_node_keeps_is_what_its_rules_name() -> None:
    x, y = leaf(1.0), leaf(2.0)
    assert (x + y).grad_fn.saved == ()
    kept = [a is not None for a in (x * y).grad_fn.saved]
    assert kept == [True, True, False]
    assert [a is not None for a in (x * y.detach()).grad_fn.saved] == [False, True, False]
    assert [a is not None for a in x.tanh().grad_fn.saved] == [False, True]
