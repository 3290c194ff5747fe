"""The page as a file: self-contained, small, readable without scripts, safe whatever names say."""

from __future__ import annotations

import base64
import hashlib
import itertools
import math
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import autograd_core as ag
import nn
from autograd_core.graph import Graph, trace_graph
from autograd_core.render.colors import DARK, LIGHT, contrast
from autograd_core.render.fonts import shown
from autograd_core.render.page import document
from autograd_core.render.words import visible
from tests.render import examples
from tests.render.scripts import Parts, evaluated, record_of


def scalar_graph() -> Graph:
    x: Any = ag.Value(3.0, name="x")
    y = x * x + x.sin()
    y.backward()
    return trace_graph(y)


@pytest.fixture(scope="module")
def page() -> str:
    return examples.of_mlp().to_html(title="A stack")


def test_a_page_asks_for_nothing_from_outside(page: str) -> None:
    assert re.findall(r"https?:|//[a-z]|\ssrc=|\bhref=|@import|url\((?!#)", page) == []


def test_the_policy_allows_only_the_hashes_of_what_stands_in_the_page(page: str) -> None:
    parts = Parts(page)
    policy = next(a["content"] for _, a in parts.elements if a.get("http-equiv"))
    assert policy is not None
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    scripts = [text for text in parts.texts["script"] if not text.startswith("{")]
    for text in [*scripts, *parts.texts["style"]]:
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy
    assert policy.count("sha256-") == len(scripts) + len(parts.texts["style"]) == 4


def test_no_element_has_a_style_or_a_handler_of_its_own(page: str) -> None:
    names = {name for _, attributes in Parts(page).elements for name in attributes}
    assert not [name for name in names if name == "style" or name.startswith("on")]


def test_the_scripts_make_no_code_or_markup_of_text() -> None:
    text = document.source(document.SCRIPTS)
    found = re.findall(r"innerHTML|outerHTML|insertAdjacent|\beval\b|\bFunction\b|document\.write",
                       text)  # fmt: skip
    assert found == []


def test_scripts_and_styles_are_small(page: str) -> None:
    parts = Parts(page)
    fixed = [parts.texts["style"][0], parts.texts["script"][0], parts.texts["script"][-1]]
    assert sum(len(text.encode()) for text in fixed) <= 80_000


def test_ten_thousand_nodes_are_told_in_four_megabytes() -> None:
    graph = examples.of_mlp(2_500)
    size = len(document.embedded(record_of(graph)))
    assert len(graph.nodes) >= 10_000
    assert size <= min(400 * len(graph.nodes), 4_000_000)


def of_name(name: str) -> Parts:
    """Return the page of a graph that says a name wherever one can stand."""
    x: Any = ag.Value(3.0, name=name)
    graph = trace_graph(x * x, names={name: x})
    text = Graph(graph.nodes, graph.outputs, graph.modules, error=name).to_html(title=name)
    text.encode()
    return Parts(text)


def test_a_hostile_name_is_shown_and_does_nothing_else(page: str) -> None:
    tags = {tag for tag, _ in Parts(page).elements}
    pages = [of_name(name) for name in examples.HOSTILE]
    assert len(pages) >= 30
    for name, parts in zip(examples.HOSTILE, pages, strict=True):
        assert {tag for tag, _ in parts.elements} <= tags
        assert parts.count("script") == 3
        assert visible(shown(name)) in parts.data()["strings"]
    told = evaluated(
        "{ return graphs.map((graph) => [graph.nodes.length, graph.nodes[0].name, "
        "search(graph, 'param').length, sceneOf(graph, new Set()).boxes.length]) }",
        *[parts.data() for parts in pages],
    )
    assert told == [[2, visible(shown(name)), 1, 2] for name in examples.HOSTILE]


def test_names_of_modules_that_are_no_names_do_nothing() -> None:
    blocks = nn.Sequential()
    for i, name in enumerate(["</script><script>", "__proto__", "\u202e\x01", "<!--"]):
        blocks.add_module(name, nn.Linear(2, 2) if i % 2 else nn.ReLU())
    parts = Parts(trace_graph(blocks, ag.ones(1, 2), backward=True).to_html())
    assert parts.count("script") == 3
    scene = "{ return sceneOf(graph, new Set(graph.sections.map((s) => s.number))).boxes.length }"
    assert evaluated(scene, parts.data()) == 9


def test_all_numbers_can_be_read_without_scripts() -> None:
    graph = scalar_graph()
    parts = Parts(graph.to_html())
    assert parts.count("noscript") == 0
    assert parts.count("svg") == 2  # the picture, and the empty one for the scripts
    cells = parts.texts["td"]
    for node in graph.nodes:
        assert repr(node.value) in cells
        assert repr(node.grad) in cells
        assert all(repr(x.sent.item) in ", ".join(cells) for x in node.operands if x.sent)
    assert parts.texts["th"][8:] == ["%0 x", "%1", "%2", "%3"]


def test_a_long_table_says_what_it_leaves_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(document, "ROWS", 3)
    monkeypatch.setattr(document, "SOME", 2)
    parts = Parts(scalar_graph().to_html())
    assert parts.texts["caption"] == ["All 4 nodes, the first 2 of them; to_text() has all"]
    assert parts.count("tr") == 3


def test_the_same_program_gives_the_same_bytes_in_any_process() -> None:
    code = (
        "import autograd_core as ag, nn; ag.manual_seed(0)\n"
        "net = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))\n"
        "print(ag.trace_graph(net, ag.ones(2, 3), backward=True).to_html())"
    )
    runs = [
        subprocess.run([sys.executable, "-c", code], env=os.environ | {"PYTHONHASHSEED": seed},
                       capture_output=True, check=True).stdout
        for seed in ("1", "2")
    ]  # fmt: skip
    assert runs[0] == runs[1]
    assert len(runs[0]) > 60_000


def notes(graph: Graph) -> str:
    return " ".join(record_of(graph)["notes"])


def ways_of(graph: Graph) -> list[str]:
    """Return the ways of the steps of a replay."""
    return evaluated("{ return stepsOf(graph).map((step) => step.way) }", record_of(graph))


def test_a_graph_without_gradients_says_so_and_only_goes_forward() -> None:
    graph = trace_graph(lambda x: (x * 2.0).sin(), ag.ones(3))
    assert "No backward was recorded" in notes(graph)
    assert ways_of(graph) == ["forward", "forward"]


def test_a_graph_whose_arrays_are_freed_says_so() -> None:
    loss, _ = examples.loss()
    loss.backward()
    graph = trace_graph(loss)
    assert "Backward has freed" in notes(graph)
    assert "Values were not recorded" in notes(graph)
    assert set(ways_of(graph)) == {"forward"}


def test_a_run_that_failed_is_told_up_to_its_error() -> None:
    graph = trace_graph(lambda x: x.sin() @ ag.ones(5, 2), ag.ones(3, 4), partial=True)
    assert "Stopped by" in notes(graph)
    told = evaluated("{ const r = new Replay(graph); r.still = false; return r.told() }",
                     record_of(graph))  # fmt: skip
    assert "matmul" in told["title"]
    assert "shapes" in told["lines"][-1]["text"]


def test_nan_and_infinity_are_told_as_such() -> None:
    x = ag.tensor([0.0, -1.0, 1.0], requires_grad=True)
    graph = trace_graph(lambda x: (x.log() * 0.0).sum(), x, backward=True)
    record = record_of(graph)
    told = evaluated("{ return [...search(graph, 'nan'), '|', ...search(graph, 'inf')] }", record)
    kinds = [graph.nodes[n].op if n != "|" else n for n in told]
    assert kinds == ["leaf", "log", "mul", "sum", "|", "log"]
    texts = evaluated("{ return graph.nodes.map((n) => n.value && statisticsText(n.value)) }",
                      record)  # fmt: skip
    assert texts[graph.outputs[0]] == "nan"
    assert "inf 1" in texts[1]
    assert graph.to_html()


@pytest.mark.parametrize(("theme", "ring"), [(LIGHT, "light"), (DARK, "dark")])
def test_the_ring_of_the_focus_is_seen_on_everything_around(theme: Any, ring: str) -> None:
    color = document.RINGS[ring]
    assert contrast(color, theme.page) >= 3.0
    for fill in theme.fills().values():
        assert contrast(color, fill) >= 3.0


def test_both_themes_and_less_motion_are_in_the_style(page: str) -> None:
    style = Parts(page).texts["style"][0]
    assert style.count(f"--page:{DARK.page}") == style.count(f"--page:{LIGHT.page}") == 2
    moving = style.partition("(prefers-reduced-motion:no-preference)")
    assert "animation" in moving[2]
    assert "animation" not in moving[0]
    assert "transition" not in style


@pytest.mark.parametrize(
    ("choices", "error", "message"),
    [
        ({"theme": "print"}, ValueError, "theme is 'print'; of a page it must be one of auto"),
        ({"collapse": 2}, ValueError, 'collapse is 2; it must be "auto" or lie between 0 and 1'),
        ({"other": 3}, TypeError, "graph_diff got before of type int, not a Graph"),
        ({"other": scalar_graph(), "tolerance": math.nan}, ValueError, "tolerance nan"),
    ],
)
def test_a_choice_that_cannot_be_is_refused(
    choices: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=re.escape(message)):
        scalar_graph().to_html(**choices)


def test_a_page_is_written_to_a_file_and_returned(tmp_path: Path) -> None:
    path = tmp_path / "g.html"
    text = scalar_graph().to_html(path, theme="dark")
    assert path.read_text("utf-8") == text
    assert '<html lang="en" data-theme="dark">' in text


def test_every_node_stands_in_one_section_and_every_edge_in_its_arrows() -> None:
    for graph in (examples.of_mlp(8), trace_graph(examples.recurrent(40), backward=True)):
        record = record_of(graph)
        items = [n for row in record["sections"] for i, n in enumerate(row[13]) if n >= 0
                 and i not in row[14]]  # fmt: skip
        assert sorted(items) == list(range(len(graph.nodes)))
        everything = "new Set(graph.sections.map((s) => s.number))"
        missing = evaluated(
            f"{{ const all = {everything}; const lost = []; for (const open of [all, new Set()])"
            "graph.nodes.forEach((n) => n.operands.forEach((x, slot) => { if (x.node !== null "
            "&& boxOf(graph, open, x.node) !== boxOf(graph, open, n.number) "
            "&& !pathOf(graph, open, x.node, n.number, slot).length) "
            "lost.push([n.number, slot]) })); return lost }",
            record,
        )
        assert missing == []


def test_mutated_names_do_not_meet_in_the_strings() -> None:
    names = [a + b for a, b in itertools.product("ab<", repeat=2)]
    values: dict[str, Any] = {name: ag.Value(1.0, name=name) for name in names}
    total = sum(values.values())
    record = record_of(trace_graph(total, names=values))
    told = evaluated("{ return graph.nodes.map((n) => n.name).filter(Boolean) }", record)
    assert sorted(told) == sorted(names)


def test_writing_a_page_changes_nothing_and_is_not_observed() -> None:
    w = ag.randn(3, 3, requires_grad=True)
    with ag.observe() as seen:
        loss = (ag.ones(2, 3) @ w).sigmoid().sum()
        before = len(seen.nodes)
        with ag.no_grad():
            text = trace_graph(loss).to_html()
        assert len(seen.nodes) == before
    assert w.grad is None
    loss.backward()
    assert w.grad is not None
    assert "g @ b.T" in text


def test_a_differentiable_backward_has_its_place_in_the_page() -> None:
    x = ag.tensor([0.3, 0.2], requires_grad=True)
    g: Any = ag.autograd.grad(x.tanh().sum(), [x], create_graph=True)[0]
    graph = trace_graph((g * g).sum(), backward=True)
    assert max(node.order for node in graph.nodes) == 1
    orders = evaluated("{ return graph.nodes.map((n) => n.order) }", record_of(graph))
    assert orders == [node.order for node in graph.nodes]
