"""What every optimiser shares: groups, the loop, state, and what it refuses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import autograd_core as ag
import nn
import optim
from nn.state import StateError

ONE: Any = (0.9,)


def weight(value: float = 1.0) -> ag.Tensor:
    return ag.tensor([value], requires_grad=True)


def with_gradient(*parameters: ag.Tensor) -> None:
    for parameter in parameters:
        parameter.grad = ag.ones_like(parameter)


def test_a_group_has_rates_of_its_own() -> None:
    a, b = weight(), weight()
    optimizer = optim.SGD([{"params": [a]}, {"params": b, "lr": 0.5}], lr=0.1)
    with_gradient(a, b)
    optimizer.step()
    assert (a.item(), b.item()) == pytest.approx((0.9, 0.5))
    assert [group["lr"] for group in optimizer.param_groups] == [0.1, 0.5]


def test_a_group_may_come_later() -> None:
    a, b = weight(), weight()
    optimizer = optim.SGD([a], lr=0.1)
    optimizer.add_param_group({"params": [b], "lr": 1.0})
    with_gradient(a, b)
    optimizer.step()
    assert (a.item(), b.item()) == pytest.approx((0.9, 0.0))


def test_rates_are_read_at_every_step() -> None:
    a = weight()
    optimizer = optim.SGD(iter([a]), lr=0.1)
    with_gradient(a)
    optimizer.param_groups[0]["lr"] = 0.5
    optimizer.step()
    assert a.item() == 0.5


def test_a_parameter_without_gradient_is_left_alone() -> None:
    a, b = weight(), weight()
    optimizer = optim.Adam([a, b])
    with_gradient(a)
    optimizer.step()
    assert b.item() == 1.0
    assert list(optimizer.state_dict()["state"]) == [0]


def test_a_step_changes_the_parameter_in_place_without_recording() -> None:
    layer = nn.Linear(2, 1)
    view = layer.weight.detach()
    optimizer = optim.SGD(layer.parameters(), lr=1.0)
    layer(ag.ones(1, 2)).sum().backward()
    before = view.tolist()
    optimizer.step()
    assert view.tolist() != before
    assert view.tolist() == layer.weight.tolist()
    assert layer.weight.is_leaf


def test_a_backward_through_an_overwritten_weight_is_refused() -> None:
    layer = nn.Linear(2, 1)
    x = ag.ones(1, 2, requires_grad=True)
    loss = layer(x).sum()
    with_gradient(*layer.parameters())
    optim.SGD(layer.parameters()).step()
    with pytest.raises(ag.GraphError, match=r"overwritten|changed"):
        loss.backward()


def test_a_closure_is_run_with_recording_and_its_value_returned() -> None:
    a = weight()
    optimizer = optim.SGD([a], lr=0.1)

    def closure() -> ag.Tensor:
        optimizer.zero_grad()
        loss = (a * a).sum()
        loss.backward()
        return loss

    with ag.no_grad():
        loss = optimizer.step(closure)
    assert loss.item() == 1.0
    assert a.item() == pytest.approx(0.8)
    assert optimizer.step() is None


def test_gradients_are_dropped_or_made_zero() -> None:
    a = weight()
    optimizer = optim.SGD([a])
    with_gradient(a)
    optimizer.zero_grad(set_to_none=False)
    assert a.grad is not None
    assert a.grad.tolist() == [0.0]
    optimizer.zero_grad()
    assert a.grad is None


def test_a_weight_that_overflows_is_infinite_and_silent() -> None:
    a = weight(3e38)
    optimizer = optim.SGD([a], lr=3e38)
    a.grad = ag.tensor([-10.0])
    optimizer.step()
    assert a.item() == float("inf")


def test_repr_lists_the_rates() -> None:
    assert repr(optim.SGD([weight()], lr=0.1)) == (
        "SGD (\nParameter Group 0\n    dampening: 0\n    lr: 0.1\n    maximize: False\n"
        "    momentum: 0\n    nesterov: False\n    weight_decay: 0\n)"
    )


def test_parameters_are_numbered_through_the_groups() -> None:
    a, b, c = weight(), weight(), weight()
    optimizer = optim.Adam([{"params": [a, b]}, {"params": [c], "lr": 0.5}])
    with_gradient(c)
    optimizer.step()
    saved = optimizer.state_dict()
    assert [group["params"] for group in saved["param_groups"]] == [[0, 1], [2]]
    assert saved["param_groups"][1]["lr"] == 0.5
    assert list(saved["state"]) == [2]
    assert saved["state"][2]["step"].item() == 1.0


def test_a_loaded_state_is_a_copy() -> None:
    a, b = weight(), weight()
    one, two = optim.SGD([a], momentum=0.9), optim.SGD([b], momentum=0.9)
    with_gradient(a, b)
    one.step()
    two.load_state_dict(one.state_dict())
    two.step()
    assert one.state[a]["momentum_buffer"].tolist() == [1.0]
    assert two.state[b]["momentum_buffer"].tolist() == pytest.approx([1.9])


def test_state_in_another_width_is_cast_to_the_parameter() -> None:
    a = weight()
    optimizer = optim.SGD([a], momentum=0.9)
    state = {0: {"momentum_buffer": np.array([2.0])}}
    optimizer.load_state_dict({"state": state, "param_groups": [{"params": [0]}]})
    assert optimizer.state[a]["momentum_buffer"].dtype == np.float32


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"state": {1: {}}}, "Adam got state for parameter 1: no group has it"),
        ({"state": {0: {"step": 1}}}, "Adam, parameter 0: got step, needs step, exp_avg, exp_avg"),
        (
            {"state": {0: {"step": 1, "exp_avg": np.ones(2), "exp_avg_sq": np.ones(1)}}},
            r"Adam, parameter 0: got exp_avg of shape \(2,\), needs \(1,\)",
        ),
        (
            {"state": {0: {"step": 1, "exp_avg": np.ones(1), "exp_avg_sq": np.ones(1), "mu": 1}}},
            "got step, exp_avg, exp_avg_sq, mu, needs step",
        ),
        ({"param_groups": []}, r"Adam got groups of \[\] parameters: it has groups of \[1\]"),
        (
            {"param_groups": [{"params": [0, 1]}]},
            r"Adam got groups of \[2\] parameters: it has groups of \[1\]",
        ),
        ({"param_groups": [{"lr": 1}]}, "Adam got a state dict without 'state' or without groups"),
        ({"param_groups": [{"params": [0], "lr": -1.0}]}, "Adam got lr=-1.0: it must be 0 or more"),
    ],
)
def test_a_wrong_state_dict_is_refused_and_changes_nothing(
    change: dict[str, Any], message: str
) -> None:
    a = weight()
    optimizer = optim.Adam([a], lr=0.1)
    with_gradient(a)
    optimizer.step()
    before = repr(optimizer.state_dict())
    with pytest.raises(ValueError, match=message):
        optimizer.load_state_dict({"state": {}, "param_groups": [{"params": [0]}]} | change)
    assert repr(optimizer.state_dict()) == before


def test_the_state_of_another_optimiser_is_refused() -> None:
    a, b = weight(), weight()
    adam, sgd = optim.Adam([a]), optim.SGD([b])
    with_gradient(a)
    adam.step()
    with pytest.raises(StateError, match="SGD, parameter 0: got step, exp_avg, exp_avg_sq, needs"):
        sgd.load_state_dict(adam.state_dict())


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda w: optim.SGD([]), "SGD got no parameters"),
        (lambda w: optim.SGD([{"params": []}]), "SGD got no parameters"),
        (lambda w: optim.SGD([w, w]), r"SGD got the same parameter twice, of shape \(1,\)"),
        (lambda w: optim.SGD([{"params": w}, {"params": w}]), "SGD got the same parameter twice"),
        (lambda w: optim.SGD([w * 2]), "SGD got the result of an operation, of shape"),
        (lambda w: optim.SGD([w], lr=-1), "SGD got lr=-1: it must be 0 or more"),
        (lambda w: optim.SGD([w], lr=float("nan")), "SGD got lr=nan: it must be 0 or more"),
        (lambda w: optim.SGD([w], momentum=-1), "SGD got momentum=-1: it must be 0 or more"),
        (lambda w: optim.SGD([w], weight_decay=-1), "SGD got weight_decay=-1: it must be"),
        (lambda w: optim.SGD([w], nesterov=True), "nesterov=True with momentum=0 and dampening=0"),
        (lambda w: optim.Adam([w], eps=-1), "Adam got eps=-1: it must be 0 or more"),
        (lambda w: optim.Adam([w], betas=(0.9, 1.0)), r"betas=\(0.9, 1.0\): it needs two numbers"),
        (lambda w: optim.Adam([w], betas=ONE), r"betas=\(0.9,\): it needs two numbers in"),
        (lambda w: optim.Adam([{"params": [w], "lr": -2}]), "Adam got lr=-2: it must be 0 or more"),
    ],
)
def test_values_out_of_range_are_refused(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make(weight())


def test_parameters_of_the_wrong_kind_are_refused() -> None:
    with pytest.raises(TypeError, match="SGD got a Tensor: it needs an iterable of tensors"):
        optim.SGD(weight())
    with pytest.raises(TypeError, match="SGD got a ndarray: it updates tensors only"):
        optim.SGD([np.ones(1)])


def test_a_slot_that_is_none_is_not_there_yet() -> None:
    a = weight()
    optimizer = optim.SGD([a], lr=0.1, momentum=0.9)
    state = {0: {"momentum_buffer": None}}
    optimizer.load_state_dict({"state": state, "param_groups": [{"params": [0]}]})
    with_gradient(a)
    optimizer.step()
    assert a.item() == pytest.approx(0.9)


def test_a_rule_must_be_defined() -> None:
    class Half(optim.Optimizer):
        def init(self, w: Any) -> dict[str, Any]:
            return {}

    a = weight()
    with_gradient(a)
    with pytest.raises(NotImplementedError, match=r"Half does not define rule\(\)"):
        Half([a], {}).step()
    with pytest.raises(NotImplementedError, match=r"Optimizer does not define init\(\)"):
        optim.Optimizer([a], {}).step()
