"""Hooks on tensors: what they see, what they may change, and how they are taken away."""

from __future__ import annotations

import gc
from typing import Any

import pytest

import autograd_core as ag


def leaf(*numbers: float) -> Any:
    return ag.tensor(numbers, dtype=ag.float64, requires_grad=True)


def test_a_hook_on_a_leaf_sees_the_whole_gradient_once() -> None:
    x, seen = leaf(3.0), []
    x.register_hook(lambda g: seen.append(g.tolist()))
    (x * x + 2.0 * x).backward()
    assert seen == [[8.0]]
    assert x.grad.tolist() == [8.0]


def test_a_hook_on_a_result_sees_it_before_it_goes_on() -> None:
    x, order = leaf(2.0), []
    y = x * x
    y.register_hook(lambda g: order.append(("y", g.tolist())))
    x.register_hook(lambda g: order.append(("x", g.tolist())))
    (y * 3.0 + y).backward()
    assert order == [("y", [4.0]), ("x", [16.0])]


def test_hooks_may_replace_the_gradient_one_after_the_other() -> None:
    x = leaf(2.0)
    y = x * x
    y.register_hook(lambda g: g * 10.0)
    y.register_hook(lambda g: g + 1.0)
    x.register_hook(lambda g: -g)
    y.backward()
    assert x.grad.tolist() == [-44.0]
    assert ag.autograd.grad(x * x, x)[0].tolist() == [-4.0]


def test_a_removed_hook_is_not_called() -> None:
    x, seen = leaf(2.0), []
    y = x * x
    handles = [t.register_hook(lambda g: seen.append(g)) for t in (x, y)]
    for handle in handles:
        handle.remove()
        handle.remove()
    y.backward()
    assert seen == []
    with x.register_hook(lambda g: seen.append(g)):
        pass
    (x * x).backward()
    assert seen == []


def test_a_hook_may_take_itself_away() -> None:
    x, seen = leaf(2.0), []

    def once(g: Any) -> None:
        seen.append(g.tolist())
        handle.remove()

    handle = x.register_hook(once)
    for _ in range(2):
        (x * x).backward()
    assert seen == [[4.0]]


def test_a_post_accumulate_hook_sees_the_leaf_with_its_gradient() -> None:
    x, seen = leaf(2.0), []
    handle = x.register_post_accumulate_grad_hook(lambda t: seen.append(t.grad.tolist()))
    (x * x).backward()
    (x * x).backward()
    ag.autograd.grad(x * x, x)  # adds nothing up
    assert seen == [[4.0], [8.0]]
    handle.remove()
    (x * x).backward()
    assert len(seen) == 2


def test_a_post_accumulate_hook_may_step_and_let_the_gradient_go() -> None:
    w = leaf(1.0)

    def step(w: Any) -> None:
        with ag.no_grad():
            w -= 0.25 * w.grad
        w.grad = None

    w.register_post_accumulate_grad_hook(step)
    for _ in range(2):
        (w * w).backward()
    assert w.tolist() == [0.25]
    assert w.grad is None


def test_retain_grad_holds_what_the_hooks_made_of_it() -> None:
    x = leaf(2.0)
    y = x * x
    y.retain_grad()
    y.register_hook(lambda g: g * 10.0)
    (3.0 * y).backward()
    assert y.grad.tolist() == [30.0]


def test_a_retained_gradient_is_added_once_when_it_is_an_input_too() -> None:
    x = leaf(2.0)
    y = x * x
    y.retain_grad()
    (3.0 * y).backward(inputs=[y])
    assert y.grad.tolist() == [3.0]


def test_hooks_run_at_every_order() -> None:
    x, seen = leaf(2.0), []
    y = x**3
    y.register_hook(lambda g: seen.append(g.requires_grad))
    g: Any = ag.autograd.grad(y, x, create_graph=True)[0]
    assert ag.autograd.grad(g, x)[0].tolist() == [12.0]
    assert seen == [False]


def test_a_gradient_that_is_replaced_under_create_graph_is_differentiated() -> None:
    x = leaf(2.0)
    y = x * x
    y.register_hook(lambda g: g * x)
    g: Any = ag.autograd.grad(y, x, create_graph=True)[0]  # x * 2x
    assert ag.autograd.grad(g, x)[0].tolist() == [8.0]


def test_a_hook_makes_no_cycle() -> None:
    gc.collect()
    gc.disable()
    try:
        x = leaf(2.0)
        (y := x * x).register_hook(lambda g: g)
        y.retain_grad()
        y.backward()
        del x, y
        assert gc.collect() == 0
    finally:
        gc.enable()


@pytest.mark.parametrize("result", [False, True], ids=["leaf", "result"])
@pytest.mark.parametrize(
    ("hook", "kind", "text"),
    [
        (lambda g: 5.0, TypeError, "returned a float: it must return a Tensor or None"),
        (lambda g: ag.ones(3), ag.ShapeError,
         r"returned a gradient of shape \(3,\) for a tensor of shape \(1,\): the shapes must be"),
        (lambda g: g.float(), ag.DtypeError, 
         "returned a gradient of float32 for a tensor of float64: convert it first"),
    ],
)  # fmt: skip
def test_a_replacement_must_be_a_gradient(hook: Any, kind: Any, text: str, result: bool) -> None:
    x = leaf(2.0)
    y = x * x
    (y if result else x).register_hook(hook)
    with pytest.raises(kind, match=rf"hook '<lambda>' {text}"):
        y.backward()


def test_hooks_where_no_gradient_comes_are_refused() -> None:
    with pytest.raises(ag.GraphError, match=r"register_hook on a tensor of shape \(2,\) that does"):
        ag.ones(2).register_hook(print)
    with pytest.raises(ag.GraphError, match=r"hook on a tensor that does not require grad: it is"):
        ag.ones(2).register_post_accumulate_grad_hook(print)
    with pytest.raises(ag.GraphError, match=r"hook on a result: it is for leaves that require"):
        (leaf(1.0) * 2).register_post_accumulate_grad_hook(print)
    with pytest.raises(ag.GraphError, match=r"retain_grad on a tensor of shape \(2,\) that does"):
        ag.ones(2).retain_grad()
