"""live_graphs(): how many nodes are alive, what they keep, and which variable holds them."""

from __future__ import annotations

import gc
import re
import threading
from types import SimpleNamespace
from typing import Any

import pytest

import autograd_core as ag
from autograd_core.live import LiveGraphs, live_graphs


@pytest.fixture(autouse=True)
def a_clean_start() -> None:
    """Let go of graphs that an earlier test left in a cycle."""
    gc.collect()


def line_of(text: str) -> str:
    with open(__file__, encoding="utf-8") as source:
        number = next(i for i, line in enumerate(source, start=1) if line.rstrip().endswith(text))
    return f"test_live.py:{number}"


def here(report: LiveGraphs) -> list[str]:
    """The lines of the report about this file."""
    return [str(holder) for holder in report.holders if "test_live.py" in holder.place]


def test_a_sum_that_keeps_every_step_is_named_with_nodes_bytes_and_line() -> None:
    x = ag.ones(1000, requires_grad=True)
    total_loss: Any = 0.0
    for _ in range(10):
        total_loss = total_loss + x.exp().sum()
    report = live_graphs()  # the leak
    # exp keeps its result: ten times 4,000 bytes; exp, sum and add ten times
    assert here(report) == [f"30 nodes, 40 kB, kept alive by total_loss, {line_of('# the leak')}"]
    assert report.nodes >= 30
    assert f"  {here(report)[0]}" in str(report).splitlines()


def test_the_largest_comes_first_and_containers_are_looked_into() -> None:
    x = ag.ones(250, requires_grad=True)
    losses = [x.exp().sum() for _ in range(4)]
    state = {"last": {"of": x.exp()}}
    model = SimpleNamespace(cache=x.exp().exp())
    report = live_graphs()  # three leaks
    place = line_of("# three leaks")
    assert here(report) == [
        f"8 nodes, 4.0 kB, kept alive by losses, {place}",
        f"2 nodes, 2.0 kB, kept alive by model.cache, {place}",
        f"1 nodes, 1.0 kB, kept alive by state, {place}",
    ]
    assert (len(losses), len(state), model is None) == (4, 1, False)


def test_a_gradient_with_history_is_named() -> None:
    x = ag.ones(2, requires_grad=True)
    (x**3).sum().backward(create_graph=True)
    assert any("kept alive by x.grad" in line for line in here(live_graphs()))
    x.grad = None


def test_what_detach_and_backward_let_go_is_not_counted() -> None:
    x = ag.ones(1000, requires_grad=True)
    loss = x.exp().sum()
    loss.backward()
    kept = loss.detach()
    (line,) = here(live_graphs())
    assert line.startswith("2 nodes, 0 B, kept alive by loss, ")
    del loss
    assert here(live_graphs()) == []
    assert kept.item() > 0.0


def test_values_are_graphs_too() -> None:
    a: Any = ag.Value(2.0)
    b = a * a + a
    (line,) = here(live_graphs())
    assert line.startswith("2 nodes, 0 B, kept alive by b, ")
    assert b.data == 6.0


def test_the_frame_of_another_thread_is_looked_at() -> None:
    ready, done = threading.Event(), threading.Event()

    def hold() -> None:
        in_thread = ag.ones(2, requires_grad=True).exp()
        ready.set()
        done.wait(30.0)
        assert in_thread.requires_grad

    thread = threading.Thread(target=hold)
    thread.start()
    try:
        assert ready.wait(30.0)
        assert any("kept alive by in_thread, " in line for line in here(live_graphs()))
    finally:
        done.set()
        thread.join()


def test_sizes_are_said_in_two_or_three_figures() -> None:
    sizes = [0, 999, 1000, 1500, 41_234_567, 999_999, 2_500_000_000]
    texts = [
        str(LiveGraphs(1, n, ())).partition("alive, ")[2].partition(" saved")[0] for n in sizes
    ]
    assert texts == ["0 B", "999 B", "1.0 kB", "1.5 kB", "41 MB", "1000 kB", "2.5 GB"]


def test_numbers_of_nodes_are_grouped_by_thousands() -> None:
    x = ag.ones(1, requires_grad=True)
    y = x
    for _ in range(3212):
        y = y + 1.0
    (line,) = here(live_graphs())
    assert re.match(r"3,212 nodes, 0 B, kept alive by y, test_live\.py:\d+$", line)


def test_no_graph_and_no_holder_are_said() -> None:
    assert str(LiveGraphs(0, 0, ())) == "no graph is alive"
    assert str(LiveGraphs(2, 8, ())).splitlines() == [
        "2 nodes alive, 8 B saved for backward",
        "  no variable of a running frame leads to them: look at objects and closures",
    ]
