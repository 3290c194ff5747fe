"""The summary of a model: every module, its output's shape, its own parameters."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd_core as ag
import nn
import nn.functional as F


def model() -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(1, 16, 3), nn.ReLU(), nn.Flatten(), nn.Linear(576, 10))


def test_the_table_shows_names_types_shapes_and_parameters() -> None:
    assert str(nn.summary(model(), (1, 8, 8))) == (
        "name          type        output shape   parameters  multiply adds  saved bytes\n"
        "-------------------------------------------------------------------------------\n"
        "Sequential    Sequential  (1, 10)                 0              0            0\n"
        "Sequential.0  Conv2d      (1, 16, 6, 6)         160          5,184          256\n"
        "Sequential.1  ReLU        (1, 16, 6, 6)           0              0        2,304\n"
        "Sequential.2  Flatten     (1, 576)                0              0            0\n"
        "Sequential.3  Linear      (1, 10)             5,770          5,760            0\n"
        "-------------------------------------------------------------------------------\n"
        "total                                         5,930         10,944        2,560"
    )


def test_without_input_the_table_shows_parameters_alone() -> None:
    assert str(nn.summary(nn.Linear(2, 3))) == (
        "name    type    output shape  parameters\n"
        "----------------------------------------\n"
        "Linear  Linear  -                      9\n"
        "----------------------------------------\n"
        "total                                  9"
    )


class Does(nn.Module):
    """A function as a module."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__()
        self.function = function

    def forward(self, *x: ag.Tensor) -> Any:
        return self.function(*x)


def einsum(equation: str) -> Does:
    return Does(lambda *x: ag.einsum(equation, *x))


@pytest.mark.parametrize(
    ("net", "shapes", "count"),
    [
        (nn.Linear(3, 4), [(5, 3)], 5 * 3 * 4),
        (nn.Conv2d(4, 6, 3, groups=2), [(2, 4, 8, 8)], 2 * 6 * 6 * 6 * 2 * 9),
        (nn.Conv1d(2, 3, 4, padding=3), [(2, 5)], 3 * 8 * 2 * 4),
        (nn.ConvTranspose2d(4, 6, 3), [(2, 4, 5, 5)], 2 * 4 * 5 * 5 * 6 * 9),
        (nn.ConvTranspose2d(4, 6, 3, stride=2, groups=2), [(2, 4, 5, 5)], 2 * 4 * 5 * 5 * 3 * 9),
        (Does(ag.matmul), [(7, 2, 3), (7, 3, 5)], 7 * 2 * 3 * 5),
        (Does(ag.matmul), [(7, 2, 3), (3,)], 7 * 2 * 3),
        (Does(ag.dot), [(3,), (3,)], 3),
        (Does(ag.bmm), [(7, 2, 3), (7, 3, 5)], 7 * 2 * 3 * 5),
        (Does(ag.addmm), [(2, 5), (2, 3), (3, 5)], 2 * 3 * 5),
        (Does(ag.addmm), [(5,), (2, 3), (3, 5)], 2 * 3 * 5),
        (Does(ag.baddbmm), [(7, 2, 5), (7, 2, 3), (7, 3, 5)], 7 * 2 * 3 * 5),
        (Does(ag.addbmm), [(2, 5), (7, 2, 3), (7, 3, 5)], 7 * 2 * 3 * 5),
        (einsum("bij,bkj->bik"), [(7, 2, 3), (7, 5, 3)], 7 * 2 * 5 * 3),
        (einsum("ij,jk,kl->il"), [(2, 3), (3, 4), (4, 5)], 2 * 3 * 4 + 2 * 4 * 5),
        (einsum("ij->i"), [(2, 3)], 0),
        (nn.Bilinear(3, 4, 5), [(2, 3), (2, 4)], 2 * 3 * 4 + 2 * 5 * 3 * 4),
        (
            Does(F.scaled_dot_product_attention),
            [(2, 4, 3), (2, 5, 3), (2, 5, 6)],
            2 * 4 * 5 * (3 + 6),
        ),
        # The projections of what comes in and goes out, and two heads that see three numbers.
        (
            Does(nn.MultiheadAttention(6, 2)),
            [(4, 1, 6), (5, 1, 6), (5, 1, 6)],
            (4 + 5 + 5 + 4) * 6 * 6 + 2 * 4 * 5 * (3 + 3),
        ),
        (nn.LSTM(3, 4), [(5, 2, 3)], 5 * 2 * (3 + 4) * 4 * 4),
        (nn.ReLU(), [(3,)], 0),
    ],
)
def test_multiply_adds_follow_from_the_shapes(net: nn.Module, shapes: Any, count: int) -> None:
    assert nn.summary(net, *(ag.ones(*shape) for shape in shapes)).multiply_adds == count
    net.requires_grad_(False)
    assert nn.summary(net, *(ag.ones(*shape) for shape in shapes)).multiply_adds == count


def test_a_module_that_runs_twice_counts_twice() -> None:
    shared = nn.Linear(2, 2)
    summary = nn.summary(nn.Sequential(shared, shared), (2,))
    assert summary.multiply_adds == 8
    assert summary.parameters == 6


def test_saved_bytes_are_what_the_graph_keeps_beside_the_parameters() -> None:
    net = nn.Sequential(nn.Linear(10, 20), nn.Tanh(), nn.Linear(20, 30), nn.Tanh())
    x = ag.ones(8, 10)
    rows = net.summary(x).rows
    # The first keeps its input; each tanh its result, which the next product shares.
    assert [row.saved_bytes for row in rows] == [0, 8 * 10 * 4, 8 * 20 * 4, 0, 8 * 30 * 4]
    with ag.no_grad():
        assert net.summary(x).saved_bytes == 8 * 60 * 4
    assert net.requires_grad_(False).summary(x).saved_bytes == 0


def test_a_tensor_is_taken_as_it_is() -> None:
    rows = model().summary(ag.zeros(5, 1, 8, 8)).rows
    assert [row.outputs for row in rows][-1] == ((5, 10),)


def test_a_list_of_tensors_is_one_input_and_no_shape() -> None:
    class Join(nn.Module):
        def forward(self, parts: list[ag.Tensor]) -> ag.Tensor:
            return ag.cat(parts)

    assert nn.summary(Join(), [ag.ones(2), ag.ones(3)]).rows[0].outputs == ((5,),)


def test_without_input_nothing_is_run() -> None:
    summary = nn.summary(nn.models.fc_net())
    assert summary.parameters == 99_710
    assert all(row.outputs == () for row in summary.rows)


def test_frozen_and_shared_parameters_are_counted_as_such() -> None:
    first = nn.Linear(2, 2)
    net = nn.Sequential(first, first, nn.Linear(2, 3).requires_grad_(False))
    summary = nn.summary(net, (2,))
    assert (summary.parameters, summary.trainable) == (15, 6)
    assert str(summary).splitlines()[-1].split() == ["trainable", "6"]


def test_the_model_is_left_as_it_was() -> None:
    net = model().double()
    net[1].eval()
    nn.summary(net, (1, 8, 8))
    assert [m.training for m in net.modules()] == [True, True, False, True, True]
    assert not any("forward" in vars(m) for m in net.modules())
    with pytest.raises(ag.ShapeError, match=r"Sequential.0 \(Conv2d\(.*must have 1 channels"):
        nn.summary(net, (2, 8, 8))
    assert net.training
    assert not any("forward" in vars(m) for m in net.modules())


def test_a_module_with_several_outputs_shows_all_shapes() -> None:
    class Pair(nn.Module):
        def forward(self, x: ag.Tensor) -> tuple[ag.Tensor, ag.Tensor]:
            return x, x.sum()

    assert nn.summary(Pair(), (2,)).rows[0].outputs == ((1, 2), ())
    assert "(1, 2), ()" in str(nn.summary(Pair(), (2,)))


def test_times_are_printed_only_if_asked_for() -> None:
    net = nn.Sequential(nn.Linear(3, 4), nn.Tanh())
    plain, timed = net.summary((3,)), net.summary((3,), times=True)
    assert all(row.seconds is not None for row in plain.rows)
    assert "time" not in str(plain)
    head, _, *rows = str(timed).splitlines()
    assert head.endswith("  time")
    assert all(re.search(r" [\d.]+ (us|ms|s)$", row) for row in rows[1:3])
    assert timed.seconds == sum(row.seconds or 0.0 for row in timed.rows) > 0.0
    assert "time" not in str(nn.summary(net, times=True))


def test_gradients_are_shown_once_there_are_some() -> None:
    net = nn.Sequential(nn.Linear(3, 4), nn.Tanh())
    net(ag.ones(2, 3)).sum().backward()
    first: Any = net[0]
    grads = np.concatenate([p.grad.numpy().ravel() for p in first.parameters()])
    row = net.summary((3,)).rows[1]
    assert row.grad_rms == pytest.approx(np.sqrt(np.mean(grads.astype(float) ** 2)))
    lines = str(net.summary()).splitlines()
    assert lines[0].endswith("grad rms")
    assert re.search(r" \d\.\de[+-]\d\d #########?$", lines[3])
    assert lines[4].endswith("-")
