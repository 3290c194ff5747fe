"""Drawing only looks: nothing of the graph is changed, kept alive or needed that backward freed."""

from __future__ import annotations

import gc
import sys
import weakref
from typing import Any

import numpy as np
import pytest

import autograd_core as ag
from autograd_core.graph import Graph
from tests.render.examples import loss

# Any: a statistic is None where nothing was told, and these tests fail on that.
trace_graph: Any = ag.trace_graph
FORMS = ("to_text", "to_json", "to_dot", "to_mermaid", "to_tree", "to_svg", "to_html")


def counts(y: ag.Tensor, w: ag.Tensor) -> list[int]:
    """How many hold the result, the weight, their arrays, the node and what it came from."""
    return [sys.getrefcount(x) for x in (y, w, y._array, w._array, y._node, *y._node.edges)]


def draw(form: str, y: Any, backward: bool = False) -> str:
    return getattr(trace_graph(y, backward=backward), form)()


@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize("form", FORMS)
def test_drawing_changes_nothing(form: str, backward: bool) -> None:
    y, w = loss()
    y.backward(retain_graph=True)
    gradient = w.grad
    assert gradient is not None
    arrays = [x._array.copy() for x in (y, w, gradient)]
    draw(form, y, backward)  # what a first drawing imports and remembers is not the graph's
    before, saved = counts(y, w), trace_graph(y).saved_bytes
    draw(form, y, backward)
    gc.collect()
    assert counts(y, w) == before
    assert trace_graph(y).saved_bytes == saved > 0
    assert w.grad is gradient
    for x, array in zip((y, w, gradient), arrays, strict=True):
        np.testing.assert_array_equal(x._array, array)
    y.backward()
    np.testing.assert_array_equal(gradient._array, 2 * arrays[2])


@pytest.mark.parametrize("form", FORMS)
def test_a_drawn_value_keeps_its_number_and_gradient(form: str) -> None:
    x: Any = ag.Value(3.0, name="x")
    y: Any = x * x
    y.backward()
    draw(form, y, backward=True)
    assert (x.data, x.grad, y.data, y.grad) == (3.0, 6.0, 9.0, 1.0)


@pytest.mark.parametrize("form", FORMS)
def test_saved_arrays_die_when_they_would_have_died_undrawn(form: str) -> None:
    x: Any = ag.ones(4, requires_grad=True)
    h: Any = x.exp()
    y = h.sum()
    array, result = weakref.ref(h._array), weakref.ref(y)
    del h
    graph = trace_graph(y, backward=True)
    text = getattr(graph, form)()
    assert array() is not None  # exp keeps its result for backward
    y.backward()
    assert array() is None
    del y
    assert result() is None
    assert getattr(graph, form)() == text  # the data of a graph need nothing that ran


@pytest.mark.parametrize("form", FORMS)
def test_a_graph_dies_without_the_collector_after_it_was_drawn(form: str) -> None:
    gc.disable()
    try:
        x: Any = ag.ones(4, requires_grad=True)
        h: Any = x.exp()
        array = weakref.ref(h._array)
        y = h.sum()
        draw(form, y, backward=True)
        del h, y
        assert array() is None
    finally:
        gc.enable()


@pytest.mark.parametrize("form", FORMS)
def test_what_backward_freed_can_be_drawn(form: str) -> None:
    y, _ = loss()
    y.backward()
    assert "tanh" in draw(form, y)


def test_a_drawing_says_what_backward_freed() -> None:
    said = {"to_text": "freed", "to_svg": "saved arrays freed", "to_html": "saved arrays freed"}
    y, _ = loss()
    assert [form for form in said if said[form] in draw(form, y)] == []
    y.backward()
    assert [form for form in said if said[form] in draw(form, y)] == list(said)
    assert [n.freed for n in Graph.from_json(draw("to_json", y)).nodes[1:4]] == [True] * 3
