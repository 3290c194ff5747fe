"""Coordinates from Graphviz: the same boxes and arrows, and our own layout where it fails."""

from __future__ import annotations

import shutil
import subprocess
from importlib import import_module
from typing import Any

import pytest

from autograd_core.render import svg
from autograd_core.render.cards import cards
from autograd_core.render.layout import with_dot
from tests.render import geometry, inspection, views
from tests.render.gallery import GALLERY

execute: Any = import_module("graphviz.backend.execute")
found = pytest.mark.skipif(
    shutil.which("dot") is None, reason="needs Graphviz: apt install graphviz"
)


@found
@pytest.mark.parametrize("name", ["square_and_sine", "residual", "rnn3"])
def test_dot_draws_the_same_boxes_and_arrows(name: str) -> None:
    view = GALLERY[name]()
    drawn = svg.write(view, engine="dot")
    assert inspection.faults(view, drawn) == []
    assert drawn != svg.write(view)


@found
@pytest.mark.parametrize("name", ["diamond", "six deep", "called twice", "hub", "disconnected"])
def test_dot_leaves_no_fault_in_chosen_shapes(name: str) -> None:
    view = views.SHAPES[name]
    rooms = [card.room for card in cards(view)]
    layout = with_dot.arrange_with_dot(view, rooms, [60] * len(view.clusters))
    assert layout is not None
    assert list(geometry.overlaps(layout, rooms)) == []
    assert list(geometry.misplaced(view, layout)) == []
    assert list(geometry.loose_ends(view, layout)) == []


def test_without_the_program_our_own_layout_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    view = views.SQUARE
    assert svg.write(view, engine="dot") == svg.write(view, engine="builtin")


def test_when_the_program_takes_too_long_our_own_layout_is_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    limits: list[float] = []

    def slow(command: list[str], *, timeout: float, **options: Any) -> None:
        limits.append(timeout)
        raise subprocess.TimeoutExpired(command, timeout)

    monkeypatch.setattr(with_dot.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(execute, "run_check", slow)
    view = views.SQUARE
    assert svg.write(view, engine="dot") == svg.write(view, engine="builtin")
    assert limits == [10.0]


def test_no_name_reaches_the_program() -> None:
    view = views.SHAPES["six deep"]
    rooms = [card.room for card in cards(view)]
    joined = with_dot.ends(view)
    text = "\n".join(with_dot._graph(view, rooms, [60] * len(view.clusters), joined))
    assert "op" not in text.replace("outputorder", "")
    assert "level" not in text
    assert text.count("subgraph") == 6
    assert text.count("{") == text.count("}")
