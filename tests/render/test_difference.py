"""Differences of two graphs: edits planted on purpose are found, and nothing else is."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

import pytest

import autograd_core as ag
import nn
from autograd_core.graph import Graph, graph_diff, trace_graph
from tests.render import examples
from tests.render.scripts import Parts, evaluated


def net() -> Graph:
    ag.manual_seed(0)
    return trace_graph(nn.Sequential(
        nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 8), nn.Tanh(), nn.Linear(8, 2)
    ), ag.ones(3, 4), backward=True)  # fmt: skip


def edited(change: Callable[[dict[str, Any], list[Any]], None]) -> Graph:
    """Return the net after a change of its data."""
    data = json.loads(net().to_json())
    change(data, data["nodes"])
    return Graph.from_json(json.dumps(data))


def planted(seed: int) -> tuple[Graph, int]:
    """Return the net with one op's shape, dtype, label, value, gradient, wiring or name changed."""
    draw = random.Random(seed)
    graph = net()
    ops = [node.number for node in graph.nodes if node.kind == "op"]
    number = draw.choice(ops)

    def change(data: dict[str, Any], nodes: list[Any]) -> None:
        node, what = nodes[number], seed % 7
        if what == 0:
            node["shape"] = [*node["shape"], 1]
        elif what == 1:
            node["dtype"] = "float16"
        elif what == 2:
            node["label"] += "'"
        elif what in (3, 4):
            statistics = node["values" if what == 3 else "grads"]
            statistics["rms"] *= 1.001
        elif what == 5:
            operand = node["operands"][0]
            operand["node"] = next(n for n in range(number) if n != operand["node"])
        else:
            node["name"] = "renamed"

    return edited(change), number


@pytest.mark.parametrize("seed", range(20))
def test_a_planted_edit_is_found_and_nothing_else(seed: int) -> None:
    after, number = planted(seed)
    found = graph_diff(net(), after)
    assert [(c.kind, c.before, c.after) for c in found.changes] == [("changed", number, number)]
    assert f"%{number} " in found.to_text()


def test_graphs_that_are_the_same_do_not_differ() -> None:
    for make in (net, lambda: examples.of_mlp(3)):
        ag.manual_seed(1)
        first = make()
        ag.manual_seed(1)
        found = graph_diff(first, make())
        assert not found
        assert len(found) == 0
        assert found.to_text() == "# 0 added, 0 removed, 0 changed\n"


def test_ops_added_and_removed_are_told_as_such() -> None:
    x = ag.tensor([0.5, 0.2], dtype="float64", requires_grad=True)
    short = trace_graph(lambda x: (x * 2.0).sin().sum(), x)
    long = trace_graph(lambda x: (x * 2.0).abs().sin().sum(), x)
    assert [(c.kind, c.text.split()[1]) for c in graph_diff(short, long).changes] == [
        ("added", "abs")
    ]
    found = graph_diff(long, short)
    assert [(c.kind, c.text.split()[1]) for c in found.changes] == [("removed", "abs")]
    assert found.to_text().splitlines()[0].startswith("- %2 abs")


def test_swapped_operands_are_a_change_of_both_slots() -> None:
    a: Any = ag.Value(2.0, name="a")
    b: Any = ag.Value(2.0, name="b")
    found = graph_diff(trace_graph(a - b), trace_graph(b - a))
    assert found.changes[-1].text.endswith("a is %1 b, was %0 a; b is %0 a, was %1 b")


def test_a_leaf_without_a_name_is_matched_by_its_use() -> None:
    def loss(width: int) -> Graph:
        w = ag.ones(3, width, requires_grad=True)
        return trace_graph((ag.ones(2, 3) @ w).sum())

    kinds = {c.kind for c in graph_diff(loss(2), loss(5)).changes}
    assert kinds == {"changed"}


def test_numbers_within_the_tolerance_are_equal() -> None:
    x: Any = ag.Value(1.0, name="x")
    y: Any = ag.Value(1.0 + 1e-9, name="x")
    assert not graph_diff(trace_graph(x * x), trace_graph(y * y))
    found = graph_diff(trace_graph(x * x), trace_graph(y * y), tolerance=1e-12)
    assert len(found) == 2
    assert "value 1.000000001, was 1.0" in found.to_text()


def test_nan_differs_from_numbers_and_not_from_nan() -> None:
    nan: Any = ag.Value(float("nan"), name="x")
    one: Any = ag.Value(1.0, name="x")
    assert not graph_diff(trace_graph(nan * nan), trace_graph(nan * nan))
    assert len(graph_diff(trace_graph(one * one), trace_graph(nan * nan))) == 2


def test_many_ops_of_one_module_are_matched_in_time() -> None:
    def chain(n: int, odd: int) -> Graph:
        x: Any = ag.Value(0.5, name="x")
        for i in range(n):
            x = x.tanh() if i == odd else x.sin()
        return trace_graph(x)

    found = graph_diff(chain(5_000, 10), chain(5_000, 4_000))
    assert {c.kind for c in found.changes} == {"added", "removed", "changed"}


def test_the_page_marks_what_changed_and_lists_what_is_gone() -> None:
    x = ag.tensor([0.5, 0.2], dtype="float64", requires_grad=True)
    before = trace_graph(lambda x: (x * 2.0).abs().sin().sum(), x)
    after = trace_graph(lambda x: (x * 2.5).sin().exp().sum(), x)
    parts = Parts(after.to_html(other=before))
    record = parts.data()
    assert [text for text in record["removed"] if "abs" in text]
    marks = evaluated("{ return graph.nodes.map((n) => n.marks.join()) }", record)
    assert marks[3] == "+ added"
    assert marks[1].startswith("~ b is 2.5, was 2")
    assert evaluated("{ return search(graph, 'changed') }", record)
    assert any("1 added, 1 removed" in text for text in parts.texts["p"])


def test_the_page_of_a_graph_and_itself_says_so() -> None:
    parts = Parts(net().to_html(other=net()))
    assert any("no differences" in text for text in parts.texts["p"])


def test_only_graphs_are_compared() -> None:
    with pytest.raises(TypeError, match="graph_diff got after of type str, not a Graph"):
        graph_diff(net(), "x")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="got tolerance -1; it must be at least 0"):
        graph_diff(net(), net(), tolerance=-1)
