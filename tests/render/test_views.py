"""Views: aliases, folds with honest counts, collapse, badges, colours, what was cut off."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import numpy as np
import pytest

import autograd_core as ag
import nn
from autograd_core.graph import Graph
from autograd_core.render.quantities import QUANTITIES, machine
from autograd_core.render.view import Box, View
from tests.render.examples import loss, mlp, of_mlp, powers_of_two, recurrent

Value: Any = ag.Value
trace_graph: Any = ag.trace_graph


def box_of(view: View, **facts: Any) -> Box:
    """Return the only box of which these facts hold."""
    found = [b for b in view.boxes if all(getattr(b, k) == v for k, v in facts.items())]
    assert len(found) == 1
    return found[0]


def test_every_op_has_a_box_and_every_slot_an_arrow() -> None:
    graph = trace_graph(loss()[0], backward=True)
    view = graph.view(collapse=0.0)
    assert [b.node for b in view.boxes] == [0, 1, 2, 3, 4]
    assert [(a.source, a.target, a.slot) for a in view.arrows] == [
        ("n0", "n1", 1), ("n1", "n2", 0), ("n2", "n3", 0), ("n3", "n4", 0),
    ]  # fmt: skip
    assert view.outputs == ("n4",)
    assert view.description.startswith("4 operations, 1 parameter")
    for arrow in view.arrows:
        operand = graph.nodes[int(arrow.target[1:])].operands[arrow.slot]
        assert operand.sent is not None
        assert arrow.contribution == pytest.approx(operand.sent.rms)


def test_both_uses_in_a_square_are_arrows_of_their_own() -> None:
    x = Value(3.0, name="x")
    (x * x).backward()
    view = trace_graph(x * x, backward=True).view()
    assert [(a.slot, a.slot_name, a.label) for a in view.arrows] == [(0, "", "3"), (1, "", "3")]


def test_slots_are_named_where_order_matters() -> None:
    x, y = Value(1.0), Value(2.0)
    for z, names in ((x / y, ["a", "b"]), (x - y, ["a", "b"]), (x + y, ["", ""]), (x.exp(), [""])):
        assert [a.slot_name for a in trace_graph(z).view().arrows] == names


def test_a_leaf_used_more_than_twice_has_a_chip_at_each_further_use() -> None:
    x = Value(2.0, name="x")
    y: Any = x.exp() + x.tanh()
    assert not [b for b in trace_graph(y).view().boxes if b.kind == "alias"]
    view = trace_graph(y * x).view()
    assert [b.id for b in view.boxes if b.node == 0] == ["n0", "n0.use2", "n0.use3"]
    assert Counter(a.source for a in view.arrows if a.source.startswith("n0")) == {
        "n0": 1, "n0.use2": 1, "n0.use3": 1,
    }  # fmt: skip


def test_the_same_weights_used_many_times_fold_into_one_box() -> None:
    graph = trace_graph(recurrent(100))
    view = graph.view()
    fold = box_of(view, kind="fold")
    assert fold.badges == ("x100 same weights",)
    assert fold.stack
    assert fold.lines[:2] == ("500 ops", "96 parameters")
    assert fold.saved_bytes == graph.saved_bytes  # the square keeps what tanh keeps
    assert len(view.boxes) == 3
    assert len(graph.view(collapse=0.0).boxes) == 502 + 300


def test_layers_of_one_kind_with_weights_of_their_own_are_so_called() -> None:
    view = of_mlp(40).view()
    fold = box_of(view, kind="fold")
    assert "40 layers like this" in fold.badges
    assert fold.lines[:2] == ("80 ops", f"{40 * 72:,} parameters")


def test_blocks_that_are_wired_differently_do_not_fold() -> None:
    x = ag.ones(2, requires_grad=True)
    y = x
    for _ in range(3):
        y = y.exp() + x
    fold = [b for b in trace_graph(y).view(collapse=1.0).boxes if b.kind == "fold"]
    assert [b.badges for b in fold] == [("x3 same weights",)]
    first = z = x.exp()
    for k in range(6):
        z = z.exp() + (first if k % 2 else z)
    assert not [b for b in trace_graph(z).view(collapse=1.0).boxes if b.kind == "fold"]


@pytest.mark.parametrize("depth", [3, 12, 60])
def test_collapsing_more_shows_less_and_loses_nothing(depth: int) -> None:
    graph = of_mlp(depth)
    ops = sum(n.kind == "op" for n in graph.nodes)
    weights = sum(int(np.prod(n.shape)) for n in graph.nodes if n.kind == "leaf")
    before: set[int] = set(range(len(graph.nodes)))
    count = len(graph.nodes) + 1
    for t in np.linspace(0.0, 1.0, 11):
        view = graph.view(collapse=float(t))
        shown = {b.node for b in view.boxes if b.node is not None}
        assert shown <= before
        assert len(view.boxes) <= count
        before, count = shown, len(view.boxes)
        assert summed(view, "ops?") + sum(b.kind == "op" for b in view.boxes) + single(view) == ops
        open_weights = sum(
            int(np.prod(graph.nodes[b.node].shape)) for b in view.boxes if b.kind == "leaf"
        )
        assert summed(view, "parameters?") + open_weights == weights
        saved = sum((b.saved_bytes or 0) for b in view.boxes if b.node is None)
        assert saved <= graph.saved_bytes
    assert count <= 3


def summed(view: View, word: str) -> int:
    """Add up what the closed boxes say they hold."""
    found = [re.fullmatch(rf"([\d,]+) {word}", x) for b in view.boxes for x in b.lines]
    return sum(int(m[1].replace(",", "")) for m in found if m)


def single(view: View) -> int:
    """Count closed modules of one op, which do not say so."""
    closed = [b for b in view.boxes if b.kind in ("module", "fold")]
    return sum(not any(re.fullmatch(r"[\d,]+ ops", x) for x in b.lines) for b in closed)


@pytest.mark.parametrize(
    "graph",
    [
        lambda: of_mlp(1), lambda: of_mlp(30), lambda: of_mlp(80),
        lambda: trace_graph(recurrent(60)), lambda: trace_graph(powers_of_two(99)),
        lambda: trace_graph(unlike(400)), lambda: trace_graph(hub(300)),
        lambda: trace_graph(nn.TransformerEncoder(
            nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), 6), ag.randn(1, 3, 8)),
    ],
    ids=["one", "30", "80", "recurrent", "doublings", "unlike", "hub", "transformer"],
)  # fmt: skip
def test_the_automatic_view_fits_the_readable_band(graph: Any) -> None:
    made = graph()
    ops = sum(n.kind == "op" for n in made.nodes)
    view = made.view()
    assert 1 <= len(view.boxes) <= (40 if ops <= 100 else 25)
    check(view)


def unlike(length: int) -> Any:
    """A chain without any pattern."""
    rng = np.random.default_rng(7)
    y: Any = ag.ones(1, requires_grad=True)
    for k in rng.integers(0, 5, length):
        y = [y.exp, y.tanh, y.sin, y.cos, y.neg][k]()
    return y


def hub(ways: int) -> Any:
    """One op with many operands."""
    return ag.stack([ag.ones(2, requires_grad=True) for _ in range(ways)]).sum()


def check(view: View) -> None:
    """Every arrow joins two boxes, each box once, earlier ones first; clusters exist."""
    place = {box.id: i for i, box in enumerate(view.boxes)}
    assert len(place) == len(view.boxes)
    for arrow in view.arrows:
        assert place[arrow.source] < place[arrow.target]
    clusters = {c.id: c.parent for c in view.clusters}
    assert {b.cluster for b in view.boxes} - {None} <= set(clusters)
    assert set(clusters.values()) - {None} <= set(clusters)


def random_dag(rng: np.random.Generator, size: int) -> list[Any]:
    """Some results of ops on earlier results, some of them leaves."""
    made: list[Any] = [ag.ones(2, requires_grad=True)]
    for _ in range(size):
        a, b = (made[i] for i in rng.integers(0, len(made), 2))
        ways = [a + b, a * b, a.exp(), ag.ones(2, requires_grad=True), ag.stack([a, b]).max(0)[0]]
        made.append(ways[rng.integers(0, 5)])
    return made[-3:]


@pytest.mark.parametrize("size", [0, 1, 5, 30, 100, 300])
def test_random_graphs_give_sound_views(size: int, rng: np.random.Generator) -> None:
    graph = trace_graph(random_dag(rng, size))
    slots = sum(x.node is not None for n in graph.nodes for x in n.operands)
    for t in (0.0, 0.3, 0.6, 1.0, "auto"):
        view = graph.view(collapse=t)
        check(view)
        inside = slots - sum(a.count for a in view.arrows)
        assert inside == 0 if t == 0.0 else inside >= 0
    assert {b.node for b in graph.view(collapse=0.0).boxes} == set(range(len(graph.nodes)))


def test_a_cluster_holds_exactly_the_nodes_of_its_module() -> None:
    net: nn.Module = nn.Linear(3, 3)
    for _ in range(6):
        net = nn.Sequential(net, nn.ReLU())
    graph = trace_graph(net, ag.ones(1, 3))
    view = graph.view(collapse=0.0)
    assert len(view.clusters) == 13
    paths = {m.label: m.path for m in graph.modules}
    for box in view.boxes:
        node = graph.nodes[box.node]
        if node.kind == "op":
            assert box.cluster == f"module:{paths[node.module]}"
        elif node.kind == "input":
            assert box.cluster is None


def test_a_module_called_twice_with_others_between_makes_no_circle() -> None:
    shared = nn.Sequential(nn.Linear(2, 2), nn.Tanh())
    view = trace_graph(nn.Sequential(shared, nn.ReLU(), shared), ag.ones(1, 2)).view(collapse=0.6)
    assert [b.id for b in view.boxes if b.kind == "module"] == [
        "module:Sequential.0", "module:Sequential.1", "module:Sequential.0#2",
    ]  # fmt: skip
    check(view)


def deep(activation: type[nn.Module], depth: int) -> Graph:
    """A deep net of 32 units; weights after Glorot, or He for ReLU."""
    net = mlp(depth, 32, activation)
    for module in net.modules():
        if isinstance(module, nn.Linear):
            if activation is nn.ReLU:
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            else:
                nn.init.xavier_uniform_(module.weight)
            assert module.bias is not None
            nn.init.zeros_(module.bias)
    return trace_graph(lambda x: net(x).square().mean(), ag.randn(16, 32), backward=True)


def badges(view: View) -> list[str]:
    return [text for box in (*view.boxes, *view.clusters) for text in box.badges]


def test_vanishing_gradients_show_in_a_deep_sigmoid_net_and_not_with_relu_and_he() -> None:
    sigmoid = deep(nn.Sigmoid, 20).view(collapse=0.0)
    assert [b for b in badges(sigmoid) if b.startswith("vanishing")]
    first = next(c for c in sigmoid.clusters if c.id == "module:Sequential.0.0")
    assert re.fullmatch(r"vanishing \de-\d\d", first.badges[0])
    assert badges(deep(nn.ReLU, 20).view(collapse=0.0)) == []


def test_a_closed_module_tells_what_vanishes_inside() -> None:
    assert any("vanishing in" in b for b in badges(deep(nn.Sigmoid, 20).view(collapse=1.0)))


PLANTED: dict[str, Any] = {
    "log of a negative": lambda x: (x - 5.0).log(),
    "sqrt of a negative": lambda x: (x - 5.0).sqrt() * 2.0,
    "zero over zero": lambda x: (x * 0.0) / (x * 0.0),
    "inf minus inf": lambda x: (x * 1e38 * 1e38) - (x * 1e38 * 1e38),
    "log of zero": lambda x: (x * 0.0).log().exp().sum() + (x * 0.0).log(),
    "overflow of exp": lambda x: (x * 1000.0).exp() + 1.0,
    "power of a negative": lambda x: (x - 5.0) ** 0.5,
    "acos beyond one": lambda x: (x + 5.0).acos(),
    "zero times inf": lambda x: (x * 0.0) * (x * 0.0).reciprocal(),
    "division by zero": lambda x: x / (x * 0.0),
}
BORN: dict[str, dict[str, str]] = {
    "log of a negative": {"log": "NaN"},
    "sqrt of a negative": {"sqrt": "NaN"},
    "zero over zero": {"div": "NaN"},
    "inf minus inf": {"mul": "Inf", "sub": "NaN"},
    "log of zero": {"log": "Inf"},
    "overflow of exp": {"exp": "Inf"},
    "power of a negative": {"pow": "NaN"},
    "acos beyond one": {"acos": "NaN"},
    "zero times inf": {"reciprocal": "Inf", "mul": "NaN"},
    "division by zero": {"div": "Inf"},
}


@pytest.mark.parametrize("case", PLANTED)
def test_what_is_not_finite_is_flagged_where_it_was_born(case: str) -> None:
    graph = trace_graph(lambda x: (PLANTED[case](x) * 1.0).sum(), ag.rand(4) + 0.1)
    flagged = {b.op: b.badges for b in graph.view(collapse=0.0).boxes if b.badges}
    assert flagged == {op: (f"{kind} born here",) for op, kind in BORN[case].items()}


BACKWARD: dict[str, tuple[Any, str, str]] = {
    "sqrt": (lambda x: (x * 0.0).sqrt(), "sqrt", "Inf"),
    "norm": (lambda x: (x * 0.0).square().sum().sqrt(), "sqrt", "Inf"),
    "abs power": (lambda x: (x * 0.0).abs() ** 0.5, "pow", "Inf"),
    "log times zero": (lambda x: (x * 0.0).log() * 0.0, "log", "NaN"),
    "where over log": (
        lambda x: ag.where(x > 9.0, (x * 0.0).sqrt(), ag.zeros(4)), "sqrt", "NaN",
    ),
    "asin": (lambda x: (x * 0.0 + 1.0).asin(), "asin", "Inf"),
    "acosh": (lambda x: (x * 0.0 + 1.0).acosh(), "acosh", "Inf"),
    "atanh": (lambda x: (x * 0.0 + 1.0).atanh() * 0.0, "atanh", "NaN"),
    "huge": (lambda x: x * 1e30 * 1e30, "mul", "Inf"),
    "reciprocal": (lambda x: (x * 1e-30).reciprocal(), "reciprocal", "Inf"),
}  # fmt: skip


@pytest.mark.parametrize("case", BACKWARD)
def test_what_is_not_finite_in_backward_is_flagged_too(case: str) -> None:
    function, op, kind = BACKWARD[case]
    x = (ag.rand(4) + 0.1).requires_grad_()
    graph = trace_graph(lambda: function(x).sum(), backward=True)
    flagged = [
        (graph.nodes[b.node].op, text)
        for b in graph.view(collapse=0.0).boxes
        for text in b.badges
        if text.endswith("backward")
    ]
    assert (op, f"{kind} born here, backward") in flagged


def test_an_infinity_of_a_mask_is_no_birth() -> None:
    mask = ag.tensor([True, False, True])
    graph = trace_graph(
        lambda x: ag.where(mask, x, float("-inf")).softmax(0).sum(), ag.randn(3), backward=False
    )
    assert badges(graph.view()) == []


@pytest.mark.parametrize("quantity", QUANTITIES)
def test_every_quantity_colours_boxes(quantity: str) -> None:
    view = of_mlp(2).view(collapse=0.0, color_by=quantity)
    assert view.color_by == quantity
    ops = [b for b in view.boxes if b.kind == "op"]
    if quantity in ("op", "module"):
        assert all(b.group for b in ops)
        assert view.scale is None
    else:
        assert view.scale is not None
        assert all(b.level is not None and 0.0 <= b.level <= 1.0 for b in ops)


def test_levels_follow_the_magnitude_over_twelve_decades() -> None:
    x: Any = Value(1.0)
    y = x * 1e-6 * 1e3 * 1e6
    y.backward()
    levels = [b.level for b in trace_graph(y).view(color_by="grad").boxes]
    assert levels == pytest.approx([1.0, 1.0, 1.0, 0.75])
    zero = trace_graph(Value(0.0) * 1.0).view(color_by="value")
    assert [b.level for b in zero.boxes] == [0.0, 0.0]


def test_the_machine_has_limits_that_are_measured_once() -> None:
    assert machine() is machine()
    assert all(1e8 < flops < 1e14 for flops in machine().flops.values())
    assert 1e8 < machine().bandwidth < 1e13


def test_bytes_colour_by_the_size_of_results() -> None:
    graph = trace_graph(lambda x: (x.repeat(3, 1) * 2.0).sum(), ag.ones(1, 10))
    levels = {b.op: b.level for b in graph.view(color_by="bytes").boxes}
    assert levels["mul"] == 1.0
    assert levels["input"] == pytest.approx(1 / 3)
    assert levels["sum"] == pytest.approx(1 / 30)


def test_freed_and_saved_arrays_are_told() -> None:
    y, _ = loss()
    live = trace_graph(y).view()
    assert live.caption == "160 B saved for backward"
    assert box_of(live, op="tanh").saved_bytes == 64
    y.backward()
    freed = trace_graph(y).view()
    assert box_of(freed, op="tanh").freed
    assert freed.caption == "saved arrays freed"


def test_a_view_of_the_same_memory_is_dotted() -> None:
    x = ag.ones(2, 3, requires_grad=True)
    view = trace_graph(x.t().exp()).view()
    assert [a.dotted for a in view.arrows] == [True, False]


def test_forward_and_backward_can_be_shown_apart() -> None:
    x = ag.tensor([0.5], requires_grad=True)
    (g,) = ag.autograd.grad(x.tanh().sum(), x, create_graph=True)
    graph = trace_graph(g)
    both, forward, back = (graph.view(view=v) for v in ("both", "forward", "backward"))
    ops = {b.id for b in both.boxes if b.kind == "op"}
    ahead, behind = ({b.id for b in v.boxes if b.kind == "op"} for v in (forward, back))
    assert (ahead | behind, ahead & behind) == (ops, set())
    assert "n1" in ahead
    assert box_of(back, id="n1").kind == "input"  # the forward's result is given
    assert {b.order for b in back.boxes} == {0, 1}


def test_an_op_that_failed_is_the_last_box() -> None:
    graph = trace_graph(lambda x: x.exp() @ x, ag.ones(2, 3), partial=True)
    last = graph.view().boxes[-1]
    assert (last.kind, last.op) == ("error", "matmul")
    assert last.lines[0] == "got f32[2, 3], f32[2, 3]"
    assert any("test_views.py" in line for line in last.lines)


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"collapse": 1.5}, 'collapse is 1.5; it must be "auto" or lie between 0 and 1'),
        ({"collapse": "all"}, "collapse is 'all'; it must be"),
        ({"color_by": "mood"}, "color_by is 'mood'; it must be one of grad, value"),
        ({"view": "up"}, "view is 'up'; it must be one of both, forward, backward"),
    ],
)
def test_a_choice_that_is_none_is_refused(choices: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        trace_graph(loss()[0]).view(**choices)
