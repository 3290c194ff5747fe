"""What shows the progress of a training, on a terminal and elsewhere."""

from __future__ import annotations

import sys

import numpy as np
import pytest

import autograd_core as ag
from training.data import DataLoader, TensorDataset
from training.loop import Epoch, Evaluation
from training.progress import watch


def show(epochs: int = 2) -> list[list[int]]:
    """Go over four numbers in two batches an epoch; give the batches of each epoch."""
    batches = DataLoader(TensorDataset(ag.arange(4)), 2)
    seen: list[list[int]] = []
    with watch("net", batches, epochs) as watched:
        for number in range(1, epochs + 1):
            seen.append([int(x.sum()) for (x,) in watched])
            test = Evaluation(0.25, 0.875, np.zeros(1, np.int64))
            watched.epoch(Epoch(number, 0.5, test, 1.0))
    return seen


LINES = [
    "net       epoch 1/2  train loss 0.5000  test loss 0.2500  accuracy 87.50%",
    "net       epoch 2/2  train loss 0.5000  test loss 0.2500  accuracy 87.50%",
]


def test_a_pipe_gets_a_line_an_epoch(capsys: pytest.CaptureFixture[str]) -> None:
    assert show() == [[1, 5], [1, 5]]
    assert capsys.readouterr().out.splitlines() == LINES


def pass_for_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the captured output say that it is one, 80 columns wide."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)


def test_a_terminal_without_rich_gets_a_line_an_epoch(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pass_for_a_terminal(monkeypatch)
    monkeypatch.setitem(sys.modules, "rich.progress", None)
    assert show() == [[1, 5], [1, 5]]
    assert capsys.readouterr().out.splitlines() == LINES


def test_a_terminal_gets_a_bar_that_fits_into_80_columns(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pass_for_a_terminal(monkeypatch)
    assert show(epochs=20) == [[1, 5]] * 20
    drawn = capsys.readouterr().out
    assert "\x1b[" in drawn
    assert "epoch 20/20  87.50% right" in drawn
