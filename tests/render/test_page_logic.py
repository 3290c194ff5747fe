"""The page's scripts under node: the same gradients, places and findings as in Python."""

from __future__ import annotations

import random
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import autograd_core as ag
import nn
from autograd_core.graph import Graph, trace_graph
from autograd_core.render.page import document
from autograd_core.render.page.content import Content
from autograd_core.render.words import number_text, statistics_text
from tests.render import examples
from tests.render.scripts import evaluated, record_of

LAST = """{
  return graphs.map((graph) => {
    const replay = new Replay(graph);
    return graph.nodes.map((node) => {
      const g = replay.gradient(node.number);
      return g && g.size === 1 ? [g.item, replay.received[node.number]] : g;
    });
  });
}"""


def expression(seed: int, steps: int = 12) -> Any:
    """A random expression of Values in which most are used more than once."""
    draw = random.Random(seed)
    known: list[Any] = [ag.Value(draw.uniform(-2.0, 2.0), name=f"x{i}") for i in range(3)]
    for _ in range(steps):
        a, b = draw.choice(known), draw.choice(known)
        known.append(draw.choice([
            lambda a=a, b=b: a * b, lambda a=a, b=b: a + b, lambda a=a, b=b: a - b,
            lambda a=a: a.tanh(), lambda a=a: a.sin(), lambda a=a, b=b: a / (b * b + 1.0),
            lambda a=a: a**2,
        ])())  # fmt: skip
    return known[-1] * known[-2] + known[-3]


def same(graphs: list[Graph]) -> None:
    """Assert that gradients added up step by step are those of the engine, to the last bit."""
    told = evaluated(LAST, *[record_of(graph) for graph in graphs])
    for graph, grads in zip(graphs, told, strict=True):
        for node, got in zip(graph.nodes, grads, strict=True):
            if node.grads is None:
                assert got is None
            elif node.grads.size == 1:
                assert got[0] == node.grad


def test_the_replay_of_values_ends_at_their_gradients_exactly() -> None:
    graphs: list[Graph] = []
    for seed in range(50):
        y = expression(seed)
        y.backward()
        graphs.append(trace_graph(y))
    same(graphs)


def test_the_replay_of_a_graph_pulled_apart_from_values_is_exact_as_well() -> None:
    same([trace_graph(expression(seed), backward=True) for seed in range(20)])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_replay_of_tensors_of_one_element_adds_in_their_precision(dtype: str) -> None:
    graphs: list[Graph] = []
    for seed in range(10):
        draw = random.Random(seed)
        x, y = (ag.tensor(draw.uniform(-2, 2), dtype=dtype, requires_grad=True) for _ in "xy")
        z = x
        for _ in range(8):
            z = draw.choice([z * x, z + y, (z * 0.3).tanh(), z * z + x])
        graphs.append(trace_graph(z, backward=True))
    same(graphs)


def test_a_result_that_is_used_further_begins_with_its_own_gradient() -> None:
    x: Any = ag.Value(0.3, name="x")
    y = x.tanh()
    graph = trace_graph([y, (y * 3.1).sin()], backward=True)
    same([graph])
    begun = evaluated("{ return beginnings(graph).start.map((s) => s && s.item) }",
                      record_of(graph))  # fmt: skip
    assert begun[graph.outputs[0]] == 1


def test_gradients_of_two_backwards_are_all_there() -> None:
    y = expression(3)
    y.backward()
    y.backward()
    same([trace_graph(y)])


def test_each_step_tells_rule_product_and_running_sum() -> None:
    x: Any = ag.Value(3.0, name="x")
    y = x * x + x.sin()
    y.backward()
    record = record_of(trace_graph(y))
    told = evaluated(
        "{ const r = new Replay(graph); return r.steps.map((_, i) => r.go(i + 1).told()) }", record
    )
    assert [step["title"] for step in told] == [
        "Forward: %1 mul", "Forward: %2 sin", "Forward: %3 add", "Backward begins",
        "Backward: %3 add", "Backward: %2 sin", "Backward: %1 mul",
    ]  # fmt: skip
    lines = [(line["what"], line["text"]) for line in told[-1]["lines"]]
    assert lines == [
        ("g, from above", "1"),
        ("d(a * b)/da", "b = 3.0"),
        ("sends to x", "3"),
        ("x.grad", "-0.989992 + 3 = 2.01001"),
        ("d(a * b)/db", "a = 3.0"),
        ("sends to x", "3"),
        ("x.grad", "2.01001 + 3 = 5.01001"),
    ]
    assert ("d sin(x)/dx", "cos(x) = -0.989992") in [
        (line["what"], line["text"]) for line in told[-2]["lines"]
    ]


def test_arrays_tell_how_many_parts_have_arrived() -> None:
    w = ag.randn(3, 3, requires_grad=True)
    graph = trace_graph(lambda x: ((x @ w).tanh() @ w).square().mean(), ag.ones(2, 3),
                        backward=True)  # fmt: skip
    leaf = next(node.number for node in graph.nodes if node.kind == "leaf")
    told = evaluated(
        "{ const r = new Replay(graph);"
        f" return r.steps.map((_, i) => r.go(i + 1).gradient({leaf}))"
        ".map((g) => g && (g.parts === undefined ? 'all' : `${g.parts} of ${g.of}`)) }",
        record_of(graph),
    )
    assert list(dict.fromkeys(told)) == [None, "1 of 2", "all"]


def test_numbers_are_written_as_python_writes_them() -> None:
    draw = random.Random(0)
    numbers = [draw.uniform(-1, 1) * 10.0 ** draw.randint(-12, 12) for _ in range(300)]
    numbers += [0.0, 1.0, -3.0, 123456.0, 9999.0, 1e-4, 1e-5, 1e4, 2.5e-5, 1e300]
    told = evaluated("{ return given.map((x) => [numberText(x), numberText(x, 6)]) }",
                     given=numbers)  # fmt: skip
    assert told == [[number_text(x), number_text(x, 6)] for x in numbers]


def tiny(depth: int, width: int = 3) -> nn.Module:
    """Modules in one another, with ways around each."""

    class Around(nn.Module):
        def __init__(self, inner: nn.Module) -> None:
            super().__init__()
            self.inner, self.last = inner, nn.Linear(width, width)

        def forward(self, x: Any) -> Any:
            return (self.last(self.inner(x).relu()) + x).tanh() * x

    return tiny_end(width) if not depth else Around(tiny(depth - 1, width))


def tiny_end(width: int) -> nn.Module:
    return nn.Sequential(nn.Linear(width, width), nn.LayerNorm(width))


@cache
def pictures() -> dict[str, Graph]:
    return {
        "stack": examples.of_mlp(3),
        "long stack": examples.of_mlp(30),
        "nested": trace_graph(tiny(4), ag.ones(2, 3), backward=True),
        "recurrent": trace_graph(examples.recurrent(60), backward=True),
        "values": trace_graph(expression(1, 400), backward=True),
        "few values": trace_graph(expression(2, 60)),
        "one leaf": trace_graph(ag.Value(1.0, name="x")),
    }


PICTURES = ["stack", "long stack", "nested", "recurrent", "values", "few values", "one leaf"]


@pytest.mark.parametrize("name", PICTURES)
def test_what_is_open_at_first_stands_where_python_put_it(name: str) -> None:
    content = Content(pictures()[name], "", "auto")
    record = content.record()
    rows = record["sections"]
    corners = {0: (0, 0)}
    wanted: list[list[int]] = []
    for number, row in enumerate(rows):
        if number not in corners:
            continue
        left, top = corners[number]
        _, centres, *_ = record["layouts"][row[12]]
        for i, what in enumerate(row[13]):
            x, y = left + centres[2 * i], top + centres[2 * i + 1]
            frame = rows[-what][8:10] if what < 0 else [0, 0]
            if frame[0]:
                corner = x - frame[0] // 2, y - frame[1] // 2
                corners[-what] = corner[0] + 14, corner[1] + 24
                wanted.append([what, *corner, *frame])
    scene = evaluated(
        "{ const open = new Set(graph.sections.filter((s) => s.openWidth).map((s) => s.number));"
        "const s = sceneOf(graph, open); return [s.width, s.height, s.frames.map((f) =>"
        " [f.what, f.x, f.y, f.width, f.height])] }",
        record,
    )
    assert scene[:2] == record["layouts"][rows[0][12]][0][:2]
    assert sorted(scene[2]) == sorted(wanted)


GEOMETRY = (Path(__file__).parent / "page_geometry.js").read_text("utf-8")


@pytest.mark.parametrize("name", PICTURES)
def test_boxes_stay_apart_and_arrows_joined_whatever_is_open(name: str) -> None:
    records = [record_of(pictures()[name], collapse) for collapse in ("auto", 0.0, 1.0)]
    wrong = f"{{ return graphs.map((graph) => {GEOMETRY}) }}"
    assert evaluated(wrong, *records, given=[0, 0.2, 0.4, 0.6, 0.8, 1]) == [[], [], []]


def test_an_open_section_shows_what_is_in_it_and_no_more() -> None:
    graph = pictures()["nested"]
    record = record_of(graph)
    boxes = evaluated(
        "{ const all = new Set(graph.sections.map((s) => s.number)); return [all, new Set()]"
        ".map((open) => sceneOf(graph, open).boxes.filter((b) => !b.chip).map((b) => b.what)) }",
        record,
    )
    assert sorted(boxes[0]) == list(range(len(graph.nodes)))
    assert any(what < 0 for what in boxes[1])
    assert len(boxes[1]) < len(boxes[0])


@pytest.mark.parametrize(
    ("query", "test"),
    [
        ("relu", lambda n: "relu" in f"{n.op} {n.module}".lower()),
        ("param", lambda n: n.kind == "leaf"),
        ("linear weight", lambda n: False),
        ("[4, 8]", lambda n: n.shape == (4, 8)),
        ("4x8 relu", lambda n: n.shape == (4, 8) and n.op == "relu"),
        ("grad>1e-2", lambda n: n.grads is not None and n.grads.rms > 1e-2),
        ("size<=8 param", lambda n: n.kind == "leaf" and n.values.size <= 8),
        ("result", lambda n: n.number == 12),
        ("nan", lambda n: False),
        ("inf", lambda n: False),
        ("changed", lambda n: False),
    ],
)  # fmt: skip
def test_a_search_finds_what_python_finds(query: str, test: Any) -> None:
    graph = examples.of_mlp(3)
    found = evaluated(f"{{ return search(graph, {query!r}).filter((n) => n >= 0) }}",
                      record_of(graph))  # fmt: skip
    assert found == [node.number for node in graph.nodes if test(node)]


def test_a_search_finds_modules_by_name_first() -> None:
    record = record_of(examples.of_mlp(3))
    found = evaluated("{ return search(graph, 'sequential.1 relu') }", record)
    labels = [record["strings"][record["sections"][-n][4]] for n in found if n < 0]
    assert labels == ["Sequential.1.1 (ReLU)"]
    assert evaluated("{ return search(graph, '  ') }", record) == []


def test_statistics_are_told_as_in_the_listing() -> None:
    graph = examples.of_mlp(2)
    told = evaluated("{ return graph.nodes.map((n) => statisticsText(n.value)) }",
                     record_of(graph))  # fmt: skip
    plain = [statistics_text(node.values) for node in graph.nodes if node.values is not None]
    plain = [text.replace("] mean", "], mean").replace(" rms", ", rms") for text in plain]
    assert told == plain


def test_scripts_before_search_need_no_browser() -> None:
    assert "document" not in document.source(document.LOGIC)
