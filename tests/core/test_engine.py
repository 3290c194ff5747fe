"""Graphs that are deep, wide, many: walked without recursion, freed by reference count alone."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import engine
from autograd_core.modes import Switch
from autograd_core.recording import Node

MILLION = 1_000_000


@pytest.fixture
def without_collector() -> Iterator[None]:
    """Let nothing but reference counts free memory."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def chain(x: ag.Tensor, length: int) -> ag.Tensor:
    for _ in range(length):
        x = x * 1.0000001
    return x


@pytest.mark.usefixtures("without_collector")
def test_a_chain_of_a_million_nodes_goes_back_and_is_freed() -> None:
    x = ag.ones(1, dtype=ag.float64, requires_grad=True)
    y = chain(x, MILLION)
    array = weakref.ref(y._array)
    before = len(gc.get_objects())
    y.backward()
    assert x.grad.item() == pytest.approx(1.0000001**MILLION, rel=1e-9)
    del y
    assert array() is None
    assert before - len(gc.get_objects()) >= MILLION
    assert gc.collect() == 0


@pytest.mark.usefixtures("without_collector")
def test_a_deep_chain_is_freed_without_a_backward() -> None:
    x = ag.ones(1, requires_grad=True)
    before = len(gc.get_objects())
    y = chain(x, 100_000)
    assert len(gc.get_objects()) - before >= 100_000
    del y
    assert len(gc.get_objects()) - before < 100
    assert gc.collect() == 0


def test_a_deep_chain_goes_forwards() -> None:
    x = ag.ones(1, dtype=ag.float64, requires_grad=True)
    with Switch(forward=True):
        y = chain(x, 30_000)
        (t,) = engine.push([y], {x: np.ones(1)})
    assert t.item() == pytest.approx(1.0000001**30_000, rel=1e-9)


def test_a_sum_of_a_hundred_thousand_branches_goes_back() -> None:
    x = ag.ones(1, dtype=ag.float64, requires_grad=True)
    y = ag.cat([x * float(i) for i in range(100_000)]).sum()
    y.backward()
    assert x.grad.item() == 100_000 * 99_999 / 2


def test_a_hundred_thousand_leaves_get_their_gradients() -> None:
    leaves = [ag.tensor(float(i), requires_grad=True) for i in range(100_000)]
    ag.stack(leaves).square().sum().backward()
    assert all(x.grad.item() == 2.0 * i for i, x in enumerate(leaves))


def step(w: Any, x: Any) -> float:
    y = (x @ w).relu()
    shared = y.exp() * y
    loss = (shared - shared.max(1, keepdim=True).values).square().mean()
    loss.backward()
    with ag.no_grad():
        w -= 0.001 * w.grad
    w.grad = None
    return loss.item()


@pytest.mark.usefixtures("without_collector")
def test_nothing_is_left_over_from_many_steps() -> None:
    w, x = ag.randn(4, 3, requires_grad=True), ag.randn(5, 4)
    for _ in range(5):
        step(w, x)
    gc.collect()
    before = len(gc.get_objects())
    for _ in range(300):
        step(w, x)
    assert abs(len(gc.get_objects()) - before) < 20
    assert gc.collect() == 0


@pytest.mark.usefixtures("without_collector")
@pytest.mark.parametrize(
    "build",
    [
        lambda x: x.exp().sum().backward(),
        lambda x: ag.autograd.grad(x.tanh().sum(), x, create_graph=True)[0].sum().backward(),
        lambda x: x.clone().mul_(2.0).sum().backward(),
        lambda x: x.clone()[0].add_(x[1]).sum().backward(),
        lambda x: x.max(0).values.sum(),
        lambda x: ag.trace_graph(x.exp().sum()),
        lambda x: ag.trace_graph(lambda v: v.exp().sum(), x),
        lambda x: x.tanh().retain_grad(),
        lambda x: ag.ones(2, 2) @ x,
    ],
    ids=["backward", "twice", "in place", "view", "parts", "traced", "observed", "retain", "@"],
)
def test_no_use_makes_a_cycle(build: Callable[[Any], Any]) -> None:
    x = ag.ones(2, 2, requires_grad=True)
    build(x)  # imports and caches
    gc.collect()
    build(x)
    assert gc.collect() == 0


@pytest.mark.usefixtures("without_collector")
def test_an_intermediate_array_that_no_rule_needs_is_freed_at_once() -> None:
    x = ag.ones(3, requires_grad=True)
    y = x + 1.0
    array = weakref.ref(y._array)
    z = y + 1.0
    del y
    assert array() is None
    assert isinstance(z.grad_fn, Node)


@pytest.mark.usefixtures("without_collector")
def test_backward_frees_what_was_saved_as_it_goes() -> None:
    x = ag.ones(3, requires_grad=True)
    y = x.exp()
    z = y.exp()
    saved = weakref.ref(y._array)
    del y
    assert saved() is not None
    z.sum().backward()
    assert saved() is None


def test_nodes_are_visited_in_one_order_every_time() -> None:
    def orders() -> list[list[str]]:
        x = ag.ones(2, requires_grad=True)
        a, b = x.exp(), x.tanh()
        y = (a * b + b * a - a).sum()
        return [[node.op.name for node in engine.history([y.grad_fn])] for _ in range(3)]

    first, *others = orders()
    assert first == ["sum", "sub", "add", "mul", "mul", "tanh", "exp"]
    assert others + orders() == [first] * 5
