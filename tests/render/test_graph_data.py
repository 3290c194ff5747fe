"""Graphs as data: statistics, contributions, times, orders, modules; JSON there and back."""

from __future__ import annotations

import contextlib
import gc
import json
import math
import sys
import time
import tracemalloc
import weakref
from typing import Any

import numpy as np
import pytest

import autograd_core as ag
import nn
from autograd_core.graph import Graph
from autograd_core.graph.statistics import Statistics as Plain
from autograd_core.graph.statistics import of_array as plain_of_array
from tests.render.examples import HOSTILE, loss, of_mlp, powers_of_two

# Any: a statistic is None where nothing was told, and these tests fail on that.
Value: Any = ag.Value
Statistics: Any = Plain
of_array: Any = plain_of_array
trace_graph: Any = ag.trace_graph


def test_statistics_are_those_of_the_elements(rng: np.random.Generator) -> None:
    array = rng.normal(size=(7, 9))
    s = of_array(array)
    expected = (array.min(), array.mean(), array.max(), math.sqrt((array**2).mean()))
    np.testing.assert_allclose((s.min, s.mean, s.max, s.rms), expected, rtol=1e-12)
    assert (s.size, s.nans, s.infs, s.heat) == (63, 0, 0, ())


def test_statistics_leave_out_what_is_not_finite_and_count_it() -> None:
    s = of_array(np.array([1.0, np.nan, np.inf, -np.inf, 3.0]))
    assert (s.min, s.mean, s.max, s.nans, s.infs) == (1.0, 2.0, 3.0, 1, 2)
    assert s.heat == (1.0, None, math.inf, -math.inf, 3.0)
    assert of_array(np.full(20, np.nan)) == Statistics(20, nans=20)


def test_statistics_of_large_numbers_do_not_overflow() -> None:
    assert of_array(np.array([1e300, -1e300])).rms == 1e300
    assert of_array(np.zeros((0, 3))) == Statistics(0)


@pytest.mark.parametrize("array", [np.arange(4), np.array([True, False]), np.float32(2.0)])
def test_statistics_take_every_dtype(array: Any) -> None:
    assert of_array(array).max == float(np.max(array))


def contributions(graph: Graph, number: int) -> list[Any]:
    """Return what was sent to a node."""
    operands = [x for node in graph.nodes for x in node.operands if x.node == number]
    return [x.sent for x in operands if x.sent is not None]


def test_contributions_add_up_to_the_gradient_of_every_node() -> None:
    x = ag.randn(3, dtype=ag.float64, requires_grad=True)
    y = ((x * x + x.exp()) / (x.tanh() + 2.0) - x).sum()
    graph = trace_graph(y, backward=True)
    y.backward()
    np.testing.assert_allclose(graph.nodes[0].grads.heat, x.grad.numpy(), rtol=1e-12)
    assert len(contributions(graph, 0)) == 5
    for node in graph.nodes[:-1]:
        parts = [s.heat for s in contributions(graph, node.number)]
        np.testing.assert_allclose(np.sum(parts, 0), node.grads.heat, rtol=1e-12)


def test_contributions_of_values_add_up_to_their_gradient() -> None:
    x, b = Value(0.7, name="x"), Value(-1.5, name="b")
    y = (x * x + x.tanh() * b).exp() / b - x
    y.backward()
    graph = trace_graph(y)
    for node in graph.nodes[:-1]:
        parts = [s.item for s in contributions(graph, node.number)]
        assert math.fsum(parts) == pytest.approx(node.grad, rel=1e-12)
    assert {n.name: n.grad for n in graph.nodes if n.name} == {"x": x.grad, "b": b.grad}


def test_a_value_without_backward_shows_no_gradient_unless_asked() -> None:
    x = Value(3.0)
    y = x * x
    assert trace_graph(y).nodes[0].grads is None
    assert trace_graph(y, backward=True).nodes[0].grad == 6.0
    assert (x.grad, y.grad) == (0.0, 0.0)


def test_a_traced_backward_leaves_gradients_hooks_and_saved_arrays_alone() -> None:
    y, w = loss()
    seen: list[Any] = []
    w.register_hook(seen.append)
    h = y * 2.0
    h.register_hook(seen.append)
    h.retain_grad()
    graph = trace_graph(h, backward=True)
    assert (w.grad, h.grad, seen) == (None, None, [])
    assert graph.saved_bytes > 0
    h.backward()
    assert len(seen) == 2
    np.testing.assert_allclose(graph.nodes[0].grads.heat, w.grad.numpy().ravel(), rtol=1e-15)


def test_a_backward_that_ran_inside_is_seen_as_it_was() -> None:
    x = ag.tensor([1.0, 2.0], requires_grad=True)

    def step() -> ag.Tensor:
        y = (x * x).sum()
        y.backward()
        return y

    graph = trace_graph(step)
    assert graph.nodes[0].grads.heat == (2.0, 4.0)
    assert [s.heat for s in contributions(graph, 0)] == [(1.0, 2.0)] * 2
    assert graph.nodes[-1].freed is False  # sum keeps nothing
    assert graph.nodes[1].freed


def test_an_edge_without_gradient_was_sent_nothing() -> None:
    w = ag.ones(2, requires_grad=True)
    graph = trace_graph(lambda x: (x * w.detach() + w.floor()).sum(), ag.ones(2), backward=True)
    sent = {node.op: [x.sent for x in node.operands] for node in graph.nodes}
    assert sent["mul"] == [None, None]
    assert sent["floor"][0].heat == (0.0, 0.0)


def test_several_results_have_one_gradient() -> None:
    x = ag.tensor([[1.0, 5.0], [7.0, 2.0]], requires_grad=True)
    graph = trace_graph((x.max(1).values * 2.0).sum(), backward=True)
    assert graph.nodes[1].shape == ((2,), (2,))
    assert graph.nodes[1].grads.max == 2.0
    assert graph.nodes[0].grads.heat == (0.0, 2.0, 2.0, 0.0)


def test_times_of_ops_add_up_to_the_time_of_the_run() -> None:
    a = ag.randn(1, 1200, 1200, requires_grad=True)

    def run() -> Any:
        y: Any = a
        for _ in range(8):
            y = y.exp().log()
        return y.sum()

    run()
    start = time.perf_counter()
    with ag.observe() as seen:
        y = run()
        y.backward()
    took = time.perf_counter() - start
    graph = trace_graph(y)
    assert sum(node.seconds or 0.0 for node in graph.nodes) <= took
    told = sum(n.seconds for n in seen.nodes) + sum(seen.backward_seconds.values())
    assert told == pytest.approx(took, rel=0.25)  # a second core may be busy with other things


def test_flops_are_told_where_they_are_known() -> None:
    x, w = ag.ones(4, 3), ag.ones(3, 2, requires_grad=True)
    graph = trace_graph(lambda x: (x @ w).tanh().t().sum(), x)
    assert {n.op: n.flops for n in graph.nodes if n.kind == "op"} == {
        "matmul": 2 * 4 * 3 * 2, "tanh": 8, "transpose": 0, "sum": None,
    }  # fmt: skip


def test_ops_of_a_differentiable_backward_have_an_order_and_their_module() -> None:
    layer = nn.Sequential(nn.Linear(2, 2), nn.Tanh())
    x = ag.ones(1, 2, requires_grad=True)
    (g,) = ag.autograd.grad(layer(x).sum(), x, create_graph=True)
    graph = trace_graph(g)
    orders = [(n.order, n.module) for n in graph.nodes if n.kind == "op"]
    assert orders[0] == (0, "Sequential.0 (Linear)")
    assert orders[-1] == (1, "Sequential.0 (Linear)")
    assert (1, "Sequential.1 (Tanh)") in orders
    penalty = g.square().sum()
    assert [n.order for n in trace_graph(penalty).nodes][-2:] == [0, 0]
    (h,) = ag.autograd.grad(penalty, x, create_graph=True)
    assert max(n.order for n in trace_graph(h).nodes) == 2


@pytest.mark.parametrize("scalar", [False, True])
def test_the_derivatives_of_tanh_have_every_order(scalar: bool) -> None:
    x: Any = Value(0.5) if scalar else ag.tensor(0.5, requires_grad=True)
    y: Any = x.tanh()
    for order in range(1, 6):
        if scalar:
            x.grad = 0.0
            y.backward(create_graph=True)
            y = x.grad
        else:
            (y,) = ag.autograd.grad(y, x, create_graph=True)
        graph = trace_graph(y)
        assert max(node.order for node in graph.nodes) == order
        assert graph.nodes[-1].order == order
    t = math.tanh(0.5)
    fifth = 16 - 136 * t**2 + 240 * t**4 - 120 * t**6
    assert float(y) == pytest.approx(fifth, rel=1e-5)


def test_modules_know_who_called_them() -> None:
    graph = of_mlp(2)
    parents = {m.path: m.parent for m in graph.modules}
    assert parents["Sequential"] is None
    assert parents["Sequential.1.0"] == "Sequential.1 (Sequential)"
    assert {m.type for m in graph.modules} == {"Sequential", "Linear", "ReLU"}


class Borrower(nn.Module):
    """Calls a module that it does not own."""

    def __init__(self, other: nn.Module) -> None:
        super().__init__()
        self.others = [other]

    def forward(self, x: ag.Tensor) -> Any:
        return self.others[0](x)


def test_a_borrowed_module_is_told_apart_from_one_s_own() -> None:
    graph = trace_graph(Borrower(nn.ReLU()), ag.ones(2))
    assert graph.nodes[-1].module == "Borrower > ReLU (ReLU)"


def test_an_array_that_two_nodes_keep_counts_once() -> None:
    y, _ = loss()
    graph = trace_graph(y)
    assert [n.saved_bytes for n in graph.nodes[1:4]] == [4 * 3 * 8, 64, 64]
    assert graph.nodes[3].shared_bytes == 64  # tanh keeps its result, square its operand
    assert graph.saved_bytes == 4 * 3 * 8 + 64 == ag.live_graphs().saved_bytes


def test_buffers_are_constants_and_what_is_handed_in_is_input() -> None:
    net = nn.BatchNorm1d(3)
    with ag.no_grad():
        graph = trace_graph(net.eval(), ag.randn(4, 3))
    kinds = {n.name: n.kind for n in graph.nodes if n.is_source}
    assert kinds.pop(None) == "input"
    assert kinds["weight"] == "leaf"


def test_a_run_that_fails_leaves_what_ran_before() -> None:
    w = ag.ones(3, 3, requires_grad=True)
    graph = trace_graph(lambda x: w.exp().relu() + x, ag.ones(2, 5), partial=True)
    assert [n.op for n in graph.nodes] == ["leaf", "exp", "relu", "input", "add"]
    failed = graph.nodes[-1]
    assert (failed.kind, [x.node for x in failed.operands]) == ("error", [2, 3])
    assert "sizes 3 and 5" in failed.error
    assert graph.error.startswith("ShapeError: add got shapes")
    assert failed.line.startswith("tests/render/test_graph_data.py:")


def test_an_error_of_no_op_is_told_as_well() -> None:
    def careless(x: ag.Tensor) -> Any:
        with contextlib.suppress(ValueError):
            _ = x + ag.ones(3)
        x.exp()
        raise KeyError("lost")

    graph = trace_graph(careless, ag.ones(2), partial=True)
    assert [n.op for n in graph.nodes] == ["input", "exp", "KeyError"]
    assert graph.nodes[-1].operands == ()
    with pytest.raises(KeyError, match="lost"):
        trace_graph(careless, ag.ones(2))


def test_asking_for_a_backward_of_nothing_is_refused() -> None:
    with pytest.raises(ag.GraphError, match="no output requires grad, so there is no backward"):
        trace_graph(ag.ones(2).exp(), backward=True)
    y, _ = loss()
    y.backward()
    with pytest.raises(ag.GraphError, match="freed by an earlier backward"):
        trace_graph(y, backward=True)


def graphs() -> list[Graph]:
    ag.manual_seed(0)
    x = ag.tensor([1.0, 0.0, -1.0], requires_grad=True)
    infinite = trace_graph(lambda: (x.log() / 0.0).sum(), backward=True)
    failed = trace_graph(lambda x: x @ x, ag.ones(2, 3), partial=True)
    parts = trace_graph(lambda: ag.ones(2, 3, requires_grad=True).sort(1).values.sum())
    lean = trace_graph(loss()[0])
    return [of_mlp(), infinite, failed, parts, lean, trace_graph(powers_of_two(3))]


@pytest.mark.parametrize("i", range(6))
def test_json_there_and_back_is_the_same_graph(i: int) -> None:
    graph = graphs()[i]
    text = graph.to_json()
    assert Graph.from_json(text) == graph
    json.loads(text, parse_constant=pytest.fail)  # NaN and Infinity are no JSON


@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
def test_a_hostile_name_survives_json(name: str) -> None:
    graph = trace_graph(Value(1.0, name=name) * 2.0)
    text = graph.to_json()
    assert Graph.from_json(text) == graph
    assert text.isascii()
    assert graph.nodes[0].name == name


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "this is no JSON"),
        ("[]", 'this JSON is no graph: it needs "format": "autograd-core graph"'),
        ('{"format": "autograd-core graph", "version": 99}', "version 99; this library reads"),
        ('{"format": "autograd-core graph", "version": 1}', "this graph is damaged: KeyError"),
    ],
)
def test_json_that_is_no_graph_is_refused(text: str, message: str) -> None:
    with pytest.raises(ag.GraphError, match=message):
        Graph.from_json(text)


def chain(length: int) -> Any:
    y: Any = ag.ones(1, requires_grad=True)
    for _ in range(length):
        y = y * 1.0
    return y


def test_a_graph_is_small_and_holds_no_array() -> None:
    y = chain(2_000)
    array = weakref.ref(y._array)
    trace_graph(y)
    tracemalloc.start()
    graph = trace_graph(y)
    used = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert used / 2_000 <= 600
    del y
    gc.collect()
    assert array() is None
    assert len(graph.nodes) == 2_001


def test_a_deep_chain_needs_no_recursion_in_any_form() -> None:
    depth = 3 * sys.getrecursionlimit()
    graph = trace_graph(chain(depth), backward=True)
    assert Graph.from_json(graph.to_json()) == graph
    assert graph.to_text().count("\n") == depth + 3
    assert len(graph.view().boxes) <= 25
    assert "->" in graph.to_dot(collapse=1.0)


def test_forty_doublings_are_quick() -> None:
    y = powers_of_two(40)
    y.backward()
    start = time.perf_counter()
    graph = trace_graph(y)
    assert time.perf_counter() - start < 1.0  # walking its 2**40 paths would take weeks
    assert len(graph.nodes) == 41
    assert graph.nodes[0].grad == 2.0**40
