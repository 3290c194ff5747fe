"""trace_graph: the same program gives the same plain data, and text and DOT drawn from it."""

from __future__ import annotations

import math
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import autograd_core as ag
import nn
from autograd_core import trace_graph

Value: Any = ag.Value


def loss() -> tuple[ag.Tensor, ag.Tensor, ag.Tensor]:
    x, w = ag.ones(4, 3), ag.full((3, 2), 0.5, requires_grad=True)
    w.name = "W1"
    return (x @ w).tanh().square().mean(), x, w


def test_nodes_come_in_topological_order_numbered_from_zero() -> None:
    graph = trace_graph(loss()[0])
    assert [node.number for node in graph.nodes] == list(range(len(graph.nodes)))
    assert [node.op for node in graph.nodes] == ["leaf", "matmul", "tanh", "square", "mean"]
    for node in graph.nodes:
        assert all(o.node is None or o.node < node.number for o in node.operands)
    assert graph.outputs == (4,)


def test_a_lean_graph_knows_structure_shapes_and_saved_bytes() -> None:
    y, _, _ = loss()
    graph = trace_graph(y)
    leaf, product, tanh, square, _ = graph.nodes
    assert (leaf.kind, leaf.name, leaf.shape, leaf.dtype) == ("leaf", "W1", (3, 2), "float32")
    assert (product.shape, product.slots, product.label) == ((4, 2), ("a", "b"), "@")
    assert product.operands[0].text == "f32[4, 3]"
    assert product.operands[1].node == 0
    assert (product.saved_bytes, tanh.saved_bytes, square.saved_bytes) == (48, 32, 32)
    assert square.shared_bytes == 32  # the result of tanh, which keeps it as well
    assert graph.saved_bytes == 80
    assert (tanh.value, tanh.line) == (None, None)


def test_a_graph_after_backward_says_what_was_freed() -> None:
    y, _, _ = loss()
    y.backward()
    graph = trace_graph(y)
    assert graph.saved_bytes == 0
    assert [node.saved_bytes for node in graph.nodes[1:4]] == [None, None, None]
    assert "freed" in graph.to_text()


def test_an_observed_call_also_knows_values_lines_times_and_inputs() -> None:
    w = ag.tensor([1.0, 2.0], requires_grad=True)
    graph = trace_graph(lambda x: (x * w).sum(), ag.tensor([3.0, 4.0]), names={"w": w})
    assert {node.kind for node in graph.nodes} == {"input", "leaf", "op"}
    total: Any = graph.nodes[-1]
    assert total.value == 11.0
    assert re.fullmatch(r".*test_graph\.py:\d+", total.line)
    assert total.seconds > 0.0
    assert [node.name for node in graph.nodes if node.kind == "leaf"] == ["w"]


def test_operands_without_gradient_are_seen_when_observed() -> None:
    graph = trace_graph(lambda x: (x.exp() + 1.0).log(), ag.zeros(2))
    assert [node.op for node in graph.nodes] == ["input", "exp", "add", "log"]


def test_both_operands_of_a_square_are_drawn() -> None:
    x = Value(3.0, name="x")
    graph = trace_graph(x * x)
    assert [operand.node for operand in graph.nodes[1].operands] == [0, 0]
    assert graph.to_dot().count("n0 -> n1") == 2


def test_a_value_s_graph_shows_numbers_and_gradients() -> None:
    x = Value(3.0, name="x")
    y = x * x + x.tanh()
    y.backward()
    graph = trace_graph(y)
    assert [node.op for node in graph.nodes] == ["leaf", "mul", "tanh", "add"]
    leaf, product, _, total = graph.nodes
    assert (leaf.name, leaf.value, product.value) == ("x", 3.0, 9.0)
    assert leaf.grad == pytest.approx(6.0 + 1.0 - math.tanh(3.0) ** 2)
    assert total.grad == 1.0


def test_one_of_several_results_is_named_by_its_place() -> None:
    x = ag.tensor([[1.0, 2.0]], requires_grad=True)
    graph = trace_graph(x.max(1).values * 2.0)
    product = graph.nodes[-1]
    assert (product.operands[0].node, product.operands[0].part) == (1, 0)
    assert "%1.0" in graph.to_text()


def test_modules_give_their_paths() -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Sequential(nn.Linear(4, 2)))
    graph = trace_graph(model, ag.ones(5, 3))
    paths = [node.module for node in graph.nodes if node.kind == "op"]
    assert paths == ["Sequential.0 (Linear)", "Sequential.1 (ReLU)", "Sequential.2.0 (Linear)"]
    lean = trace_graph(model(ag.ones(5, 3)))
    assert [node.module for node in lean.nodes if node.kind == "op"] == paths


def test_text_has_one_line_for_each_node() -> None:
    lines = trace_graph(loss()[0]).to_text().splitlines()
    assert len(lines) == 5 + 2
    assert re.match(r"%0 = leaf W1 +f32\[3, 2\]  val \[0.5, 0.5\] mean 0.5 rms 0.5$", lines[0])
    assert re.match(r"%1 = matmul\(f32\[4, 3\], %0\) +f32\[4, 2\]  saves 48 B  48 flops$", lines[1])
    assert lines[-2] == "return %4"
    assert lines[-1] == "# 4 ops, 1 leaves and inputs, 80 bytes saved"
    assert str(trace_graph(loss()[0])) == trace_graph(loss()[0]).to_text()


def test_slots_are_named_where_their_order_matters() -> None:
    x, y = Value(1.0), Value(2.0)
    assert '[label="a"' in trace_graph(x / y).to_dot()
    assert '[label="a"' not in trace_graph(x + y).to_dot()


HOSTILE = [
    '"]; evil -> n0 [label="',
    "a\\",
    "\\n",
    "x\ny\r\tz",
    "\x00\x1b[31m",
    "</script>",
    "ünï→cødé",
    "<b>",
]


@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
def test_a_hostile_name_stays_a_name(name: str) -> None:
    x = Value(1.0, name=name)
    dot = trace_graph(x * 2.0).to_dot()
    assert not any(c < " " and c != "\n" for c in dot)
    # Strings of DOT end at the first quotation mark that no backslash escapes.
    bare = re.sub(r'"(?:[^"\\]|\\.)*"', "S", dot)
    assert '"' not in bare
    assert "evil" not in bare
    assert bare.count("->") == 1


def test_dot_and_text_can_be_written_to_files(tmp_path: Path) -> None:
    graph = trace_graph(loss()[0])
    for name, write in {"a.dot": graph.to_dot, "a.txt": graph.to_text}.items():
        text = write(str(tmp_path / name))
        assert (tmp_path / name).read_text(encoding="utf-8") == text


def test_the_same_program_gives_the_same_bytes_in_another_process() -> None:
    program = (
        "import autograd_core as ag\n"
        "x = ag.ones(4, 3); w = ag.full((3, 2), 0.5, requires_grad=True)\n"
        "g = ag.trace_graph((x @ w).tanh().square().mean())\n"
        "print(g.to_text() + g.to_dot())"
    )
    root = Path(__file__).resolve().parents[2]
    runs = [
        subprocess.run(
            [sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=True
        ).stdout
        for _ in range(2)
    ]
    assert runs[0] == runs[1]
    assert not re.search(r"0x[0-9a-f]{6}", runs[0])


def test_forty_doublings_are_eighty_arrows() -> None:
    x = Value(1.0)
    for _ in range(40):
        x = x + x
    graph = trace_graph(x)
    assert len(graph.nodes) == 41
    assert graph.to_dot().count("->") == 80


def test_a_graph_of_thousands_of_nodes_is_traced_without_recursion() -> None:
    x = ag.ones(1, requires_grad=True)
    y = x
    for _ in range(20_000):
        y = y * 1.0
    assert len(trace_graph(y).nodes) == 20_001


def test_tracing_leaves_the_graph_as_it_was() -> None:
    y, _, w = loss()
    trace_graph(y).to_dot()
    assert w.grad is None
    y.backward()
    assert w.grad is not None


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: trace_graph(3.0), TypeError, "got a float: it needs a Tensor, a Value, or a fu"),
        (lambda: trace_graph(ag.ones(1), ag.ones(1)), TypeError, "inputs only after a function"),
        (lambda: trace_graph(lambda: None), ag.GraphError, "must return a Tensor, a Value, or sev"),
    ],
    ids=["number", "inputs", "nothing"],
)
def test_what_has_no_graph_is_refused(call: Any, error: type, text: str) -> None:
    with pytest.raises(error, match=text):
        call()


def test_a_leaf_alone_is_a_graph_and_may_be_named() -> None:
    for x in (ag.zeros(1, requires_grad=True), ag.zeros(2, requires_grad=True), ag.zeros(2)):
        graph = trace_graph(x, names={"x": x})
        assert [node.name for node in graph.nodes] == ["x"]
        assert graph.outputs == (0,)
