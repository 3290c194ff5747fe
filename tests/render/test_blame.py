"""observe(blame=...): the picture of what led to an error, or to the first NaN."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest

import autograd_core as ag
import nn
from autograd_core.graph import trace_graph
from autograd_core.render.neighbourhood import around


def test_an_error_names_the_picture_of_what_led_to_it(tmp_path: Path) -> None:
    path = tmp_path / "why.svg"
    net = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(5, 2))
    with pytest.raises(ag.ShapeError) as caught, ag.observe(blame=path):
        net(ag.ones(2, 3))
    assert str(caught.value) == (
        "Sequential.2 (Linear(5, 2)): got x of shape (2, 4): its last axis must be 5; "
        f"a picture of what led there is in {path}"
    )
    picture = path.read_text("utf-8")
    for text in ("relu", "f32[2, 4]", "ShapeError", "test_blame.py:"):
        assert text in picture


def test_an_op_that_failed_shows_what_it_was_given(tmp_path: Path) -> None:
    path = tmp_path / "why.txt"
    w = ag.ones(3, 3, requires_grad=True)
    with (
        pytest.raises(ag.ShapeError, match=r"axis -1 do not broadcast; a picture .*why\.txt"),
        ag.observe(blame=path),
    ):
        _ = (w @ w).exp() + ag.ones(2, 5)
    assert "= failed add(%2, %3)" in path.read_text()


def test_the_first_nan_is_warned_of_and_drawn(tmp_path: Path) -> None:
    path = tmp_path / "nan.svg"
    x: Any = ag.tensor([-1.0, 1.0], requires_grad=True)
    with (
        pytest.warns(RuntimeWarning, match=r"NaN born here in log, .*test_blame.py:\d+; a pic"),
        ag.observe(blame=path),
    ):
        (x.log() * 2.0).sum()
    assert "NaN born here" in path.read_text("utf-8")


def test_a_nan_of_backward_is_found_too(tmp_path: Path) -> None:
    x = ag.zeros(2, requires_grad=True)
    with (
        pytest.warns(RuntimeWarning, match="Inf born here, backward in sqrt"),
        ag.observe(blame=tmp_path / "nan.svg"),
    ):
        x.sqrt().sum().backward()


def test_a_run_without_fault_leaves_no_picture(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with ag.observe(blame=tmp_path / "a.svg"):
            ag.ones(2).exp()
    assert not list(tmp_path.iterdir())


def test_an_error_is_raised_even_where_no_picture_can_be_written(tmp_path: Path) -> None:
    with (
        pytest.raises(ValueError, match=r"broadcast; a picture of it could not be written: .*No s"),
        ag.observe(blame=tmp_path / "absent" / "a.svg"),
    ):
        _ = ag.ones(2) + ag.ones(3)
    with pytest.raises(KeyError) as caught, ag.observe(blame=tmp_path / "a.svg"):
        raise KeyError(3)
    assert caught.value.__notes__ == [f"a picture of what led there is in {tmp_path / 'a.svg'}"]


def test_an_interrupt_draws_nothing(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), ag.observe(blame=tmp_path / "a.svg"):
        raise KeyboardInterrupt
    assert not list(tmp_path.iterdir())


def test_only_the_neighbourhood_is_drawn() -> None:
    y: Any = ag.ones(1, requires_grad=True)
    for _ in range(100):
        y = y.exp()
    near = around(trace_graph(y), [60])
    assert {58, 59, 60, 61} <= near
    assert len(near) <= 20


def test_a_level_s_colour_wins_over_that_of_the_kind() -> None:
    x: Any = ag.ones(2, requires_grad=True)
    picture = trace_graph(lambda: (x * float("nan")).sum()).to_svg(color_by="value")
    assert 'class="node op op result"' in picture  # a NaN has no level
    level = picture.index(".l18>rect")
    assert picture.index(".op>rect") < level < picture.index(".l18>text")
