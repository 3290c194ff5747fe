"""Text, rails, DOT and Mermaid: what they say, and that no name can break them."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import autograd_core as ag
import nn
from autograd_core.graph import Graph, GraphNode, trace_graph
from autograd_core.render.text import graph_text
from tests.render.examples import HOSTILE, loss, of_mlp, powers_of_two
from tests.render.test_graph_data import graphs

Value: Any = ag.Value
ROOT = Path(__file__).resolve().parents[2]


def structure(node: GraphNode) -> tuple[Any, ...]:
    """Return all of a node but its numbers."""
    operands = [(x.node, x.part, x.text, x.sent is None) for x in node.operands]
    facts = (node.kind, node.op, node.label, node.slots, node.shape, node.dtype, node.name)
    more = (node.module, node.line, node.order, node.view, node.saved_bytes, node.shared_bytes)
    return (operands, *facts, *more, node.flops, node.error)


@pytest.mark.parametrize("i", range(6))
def test_text_there_and_back_is_the_same_graph(i: int) -> None:
    graph = graphs()[i]
    text = graph.to_text(times=True)
    again = Graph.from_text(text)
    assert again.to_text(times=True) == text
    assert [structure(n) for n in again.nodes] == [structure(n) for n in graph.nodes]
    assert (again.outputs, again.modules, again.error) == (
        graph.outputs,
        graph.modules,
        graph.error,
    )
    for one, other in zip(again.nodes, graph.nodes, strict=True):
        if other.value is not None:
            assert one.value == pytest.approx(other.value, rel=1e-3, nan_ok=True)


def test_every_fact_stands_in_a_node_s_line() -> None:
    x = Value(0.5, name="x")
    y = (x * x).tanh()
    y.backward()
    lines = trace_graph(y).to_text().splitlines()
    assert lines[0] == "%0 = leaf(Value) x  f64[]  val 0.5  grad 0.94"
    assert lines[1] == "%1 = mul(%0, %0)    f64[]  val 0.25  grad 0.94  sends 0.47, 0.47"
    line = of_mlp().to_text().splitlines()[3]
    expected = r"%3 = linear\(%0, %1, %2\) +f32\[4, 8\]  val \[.*\] mean .* rms .*  grad \[.*\] .*"
    assert re.match(expected + r"  sends -, .*, .*  saves 128 B  512 flops  in .*  at .*:\d+", line)


def test_lines_can_be_cut_to_a_width() -> None:
    text = of_mlp().to_text(width=60)
    assert max(map(len, text.splitlines()[:13])) == 60
    assert "\N{HORIZONTAL ELLIPSIS}" in text
    assert ".." in of_mlp().to_text(width=60, ascii=True)


def test_colour_is_for_those_who_ask_and_allow_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    graph = of_mlp()
    assert "\x1b[" not in str(graph)
    colored = graph.to_text(color=True)
    assert re.sub(r"\x1b\[\d+m", "", colored) == str(graph)
    assert "\x1b[1m%0" in colored
    monkeypatch.setenv("NO_COLOR", "1")
    assert graph.to_text(color=True) == str(graph)


def named(name: str) -> Graph:
    """A graph in which a name stands wherever one can stand."""

    class Odd(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.w = nn.Parameter(ag.ones(2))

        def forward(self, x: ag.Tensor) -> Any:
            return (x * self.w).sum()

    with contextlib.suppress(ValueError):  # which Python allows no class
        Odd.__name__ = name
    x = ag.ones(2)
    return trace_graph(nn.Sequential(Odd()), x, names={name: x}, backward=True)


@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
@pytest.mark.parametrize("ascii", [False, True])
def test_a_hostile_name_survives_text(name: str, ascii: bool) -> None:
    graph = named(name)
    text = graph.to_text(ascii=ascii)
    text.encode("ascii" if ascii else "utf-8")
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", text)
    assert len(text.split("\n")) == len(of_length(graph)) + 1
    again = Graph.from_text(text)
    assert again.nodes[0].name == name
    assert [structure(n) for n in again.nodes] == [structure(n) for n in graph.nodes]
    assert again.modules == graph.modules


def of_length(graph: Graph) -> list[str]:
    return [*("" for _ in graph.nodes), "return", *("" for _ in graph.modules), "#"]


@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
def test_a_hostile_name_survives_dot_and_mermaid(name: str) -> None:
    plain, graph = named("plain"), named(name)
    dot, mermaid = graph.to_dot(), graph.to_mermaid()
    for text in (dot, mermaid):
        text.encode()
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f\u2028\u202e]", text)
    # Strings of DOT end at the first quotation mark that no backslash escapes.
    for text, usual, string in (
        (dot, plain.to_dot(), r'"(?:[^"\\]|\\.)*"'),
        (mermaid, plain.to_mermaid(), r'"[^"]*"'),
    ):
        assert re.sub(string, "S", text) == re.sub(string, "S", usual)
    assert not re.search(r"[<>&](?!br>)", re.sub(r"<br>|-\.?->", "", mermaid))


def test_a_module_is_a_cluster_of_dot() -> None:
    dot = of_mlp(2).to_dot()
    assert dot.count("subgraph cluster_") == 7
    assert dot.count("{") == dot.count("}")
    assert "n0 -> n3 [label=" in dot
    assert dot.count("->") == 8


def test_closed_sections_are_boxes_of_dot() -> None:
    dot = of_mlp(40).to_dot(collapse="auto")
    assert "40 layers like this" in dot
    assert dot.count("->") == 1


def test_mermaid_shows_boxes_clusters_and_arrows() -> None:
    mermaid = of_mlp(2).to_mermaid()
    assert mermaid.startswith("flowchart TD\n")
    assert mermaid.count("-->") + mermaid.count("-.->") == 8
    assert mermaid.count("subgraph ") == mermaid.count("\n  end\n") == 7


def test_mermaid_is_refused_what_it_would_not_draw() -> None:
    with pytest.raises(ag.GraphError, match="has 600 arrows, and Mermaid takes 500: close more"):
        trace_graph(powers_of_two(300)).to_mermaid()
    many = of_mlp(110)
    with pytest.raises(ag.GraphError, match="characters, and Mermaid takes 50,000"):
        many.to_mermaid()
    assert many.to_mermaid(collapse="auto").count("\n") < 40


TREE = """\
o %3 add(%1, %2)  f64[]  = 3.761  grad 1
+-+
| o %2 tanh(x)  f64[]  = 0.9951  grad 1
o %1 mul(x, x)  f64[]  = 9  grad 1
"""


def test_a_tree_has_a_rail_for_each_use() -> None:
    x = Value(3.0, name="x")
    y = x * x + x.tanh()
    y.backward()
    tree = trace_graph(y).to_tree(ascii=True)
    assert tree == TREE.replace("3.761", "9.995")
    assert trace_graph(y).to_tree().startswith("● %3 add(%1, %2)")


def test_rails_that_lead_to_one_node_meet_again() -> None:
    x = Value(3.0, name="x")
    h = x.exp()
    tree = trace_graph(h.sin() * h.cos()).to_tree(ascii=True).splitlines()
    assert [line[:4].rstrip() for line in tree] == ["o %4", "+-+", "| o", "o |", "+-+", "o %1"]


@pytest.mark.parametrize("ways", [2, 20, 55])
def test_a_tree_fits_a_hundred_columns(ways: int) -> None:
    x = ag.ones(2, requires_grad=True)
    y = ag.stack([(x * float(k)).exp() if ways < 30 else x * float(k) for k in range(ways)]).sum()
    tree = trace_graph(y).to_tree()
    assert max(map(len, tree.splitlines())) <= 100
    assert sum("%" in line and "mul(" in line for line in tree.splitlines()) == ways


def test_a_tree_of_many_ops_is_refused() -> None:
    with pytest.raises(ag.GraphError, match="has 61 ops, and a tree is readable up to 60"):
        trace_graph(powers_of_two(61)).to_tree()


@pytest.mark.parametrize("line", ["nonsense", "%0 = leaf x  f32[2]  mood 3", "%0 = mul(  f32[2]"])
def test_text_that_is_no_graph_is_refused(line: str) -> None:
    with pytest.raises(ag.GraphError, match="a graph's text"):
        Graph.from_text(line)


def test_a_text_s_length_follows_the_nodes() -> None:
    graph = trace_graph(powers_of_two(500))
    assert len(graph_text(graph).splitlines()) == 501 + 2


def test_a_notebook_gets_a_picture_and_text() -> None:
    shown: Any = of_mlp(40)._repr_mimebundle_()
    assert set(shown) == {"text/plain", "image/svg+xml"}
    assert len(shown["text/plain"].splitlines()) == 60
    assert "more lines" in shown["text/plain"]
    assert shown["image/svg+xml"].lstrip().startswith("<svg")
    assert len(shown["image/svg+xml"]) <= 300_000


def test_a_value_draws_itself_in_a_notebook() -> None:
    x = Value(3.0, name="x")
    shown = (x * x)._repr_mimebundle_()
    assert shown["text/plain"] == "Value(data=9, grad=0)"
    assert "<svg" in shown["image/svg+xml"]
    assert set(powers_of_two(200)._repr_mimebundle_()) == {"text/plain"}


PROGRAM = """
import autograd_core as ag, nn
ag.manual_seed(1)
model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
g = ag.trace_graph(model, ag.randn(2, 3), backward=True)
print(g.to_text() + g.to_tree() + g.to_dot() + g.to_mermaid() + g.to_svg())
y, _ = model(ag.ones(2, 3)).sum(), 0
print(ag.trace_graph(y).to_json())
"""


def test_two_processes_write_the_same_bytes() -> None:
    runs = [
        subprocess.run(
            [sys.executable, "-c", PROGRAM],
            cwd=ROOT, capture_output=True, text=True, check=True,
            env=os.environ | {"PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    ]  # fmt: skip
    assert runs[0] == runs[1]
    assert "0x" not in runs[0]


def test_a_lean_graph_in_text_stays_as_it_is_read() -> None:
    graph = trace_graph(loss()[0])
    assert Graph.from_text(str(graph)).saved_bytes == graph.saved_bytes
