"""The summary of a model: every module, its output's shape, its own parameters."""

from __future__ import annotations

import pytest

import autograd_core as ag
import nn


def model() -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(1, 16, 3), nn.ReLU(), nn.Flatten(), nn.Linear(576, 10))


def test_the_table_shows_names_types_shapes_and_parameters() -> None:
    assert str(nn.summary(model(), (1, 8, 8))) == (
        "name          type        output shape   parameters\n"
        "---------------------------------------------------\n"
        "Sequential    Sequential  (1, 10)                 0\n"
        "Sequential.0  Conv2d      (1, 16, 6, 6)         160\n"
        "Sequential.1  ReLU        (1, 16, 6, 6)           0\n"
        "Sequential.2  Flatten     (1, 576)                0\n"
        "Sequential.3  Linear      (1, 10)             5,770\n"
        "---------------------------------------------------\n"
        "total                                         5,930"
    )


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
