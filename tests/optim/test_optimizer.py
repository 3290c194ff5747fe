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
        "SGD (\nParameter Group 0\n    dampening: 0\n    differentiable: False\n    foreach: None\n"
        "    fused: None\n    lr: 0.1\n    maximize: False\n    momentum: 0\n    nesterov: False\n"
        "    velocity: False\n    weight_decay: 0\n)"
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
        (lambda w: optim.Adam([w], betas=ONE), r"betas=\(0.9,\): it needs two numbers"),
        (lambda w: optim.Adam([{"params": [w], "lr": -2}]), "Adam got lr=-2: it must be 0 or more"),
        (
            lambda w: optim.SGD([w], lr=ag.ones(2)),
            r"SGD got lr of shape \(2,\): it needs",
        ),
        (lambda w: optim.AdamW([w], weight_decay=-1), "AdamW got weight_decay=-1: it must be"),
        (lambda w: optim.Adagrad([w], lr_decay=-1), "Adagrad got lr_decay=-1: it must be 0 or"),
        (lambda w: optim.Adadelta([w], rho=1.1), r"Adadelta got rho=1.1: it must be in \[0, 1\]"),
        (lambda w: optim.RMSprop([w], alpha=-1), "RMSprop got alpha=-1: it must be 0 or more"),
        (lambda w: optim.Adamax([w], betas=(0, 1)), r"Adamax got betas=\(0, 1\): it needs two"),
        (lambda w: optim.NAdam([w], momentum_decay=-1), "NAdam got momentum_decay=-1: it must"),
        (lambda w: optim.RAdam([w], betas=(-1, 0)), r"RAdam got betas=\(-1, 0\): it needs two"),
        (lambda w: optim.ASGD([w], lambd=-1), "ASGD got lambd=-1: it must be 0 or more"),
        (lambda w: optim.Rprop([w], etas=(1, 2)), r"Rprop got etas=\(1, 2\): it needs one in"),
        (lambda w: optim.Rprop([w], step_sizes=(2, 1)), r"step_sizes=\(2, 1\): it needs the small"),
        (lambda w: optim.Adafactor([w], beta2_decay=1), "beta2_decay=1: it must be 0 or less"),
        (lambda w: optim.Adafactor([w], d=0.5), "Adafactor got d=0.5: it must be 1 or more"),
        (lambda w: optim.Adafactor([w], eps=(None, -1)), r"eps=\(None, -1\): both must be 0 or"),
        (lambda w: optim.Muon([w]), r"Muon got a parameter of shape \(1,\): it updates matrices"),
        (lambda w: muon(adjust_lr_fn="no"), "adjust_lr_fn='no': it must be one of None, 'orig"),
        (lambda w: muon(ns_coefficients=(1, 2)), r"ns_coefficients=\(1, 2\): it needs three"),
        (lambda w: muon(ns_steps=100), r"ns_steps=100: it must be in \[0, 100\)"),
        (lambda w: optim.LBFGS([w], line_search_fn="no"), "line_search_fn='no': it must be one"),
        (lambda w: optim.LBFGS([w], lr=-1), "LBFGS got lr=-1: it must be 0 or more"),
        (lambda w: optim.LBFGS([{"params": w}, {"params": weight()}]), "LBFGS got a second group"),
        (lambda w: optim.Newton([w], lr=-1), "Newton got lr=-1: it must be 0 or more"),
        (lambda w: optim.DampedNewton([w], damping=0), "DampedNewton got damping=0: it must be ab"),
        (lambda w: optim.DampedNewton([w], increase=1), "decrease=0.1 and increase=1: the damping"),
        (lambda w: optim.MiniBatchNewton([w], decay=1), r"got decay=\(0, 1\): it needs two num"),
        (lambda w: optim.NewtonCG([w], search="no"), "NewtonCG got search='no': it must be one of"),
        (lambda w: optim.NewtonCG([w], radius=0), "NewtonCG got radius=0: it must be above 0"),
        (lambda w: optim.NewtonCG([w], max_iter=0), "NewtonCG got max_iter=0: it must be above 0"),
        (lambda w: optim.GaussNewton([w], damping=-1), "GaussNewton got damping=-1: it must be"),
        (lambda w: optim.SAM([w], optim.SGD, rho=-1), "SAM got rho=-1: it must be 0 or more"),
        (lambda w: optim.SAM([w], optim.SGD, lr=-1), "SGD got lr=-1: it must be 0 or more"),
        (lambda w: optim.SGD([("w", w), weight()]), "some parameters with names and some without"),
        (lambda w: optim.SGD([{"params": [("w", w)]}, {"params": weight()}]), "SGD got some param"),
    ],
)
def test_values_out_of_range_are_refused(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make(weight())


def muon(**rates: Any) -> optim.Muon:
    return optim.Muon([ag.ones(2, 2, requires_grad=True)], **rates)


def test_what_no_step_can_do_is_refused() -> None:
    with pytest.raises(ag.GraphError, match="Adam got differentiable=True: its steps change"):
        optim.Adam([weight()], differentiable=True)
    with pytest.raises(RuntimeError, match="SGD got foreach=True and fused=True: only one"):
        optim.SGD([weight()], foreach=True, fused=True)
    with pytest.raises(TypeError, match="SGD got lr='fast': it needs a number"):
        optim.SGD([weight()], lr="fast")
    with pytest.raises(TypeError, match="SAM got base_optimizer='SGD': it needs a class"):
        optim.SAM([weight()], "SGD")  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["LBFGS", "Newton", "NewtonCG", "GaussNewton", "DampedNewton"])
def test_a_missing_closure_is_named(name: str) -> None:
    optimizer = getattr(optim, name)([weight()])
    with pytest.raises(TypeError, match=rf"{name}.step\(\) got None: it needs a closure"):
        optimizer.step()
    with pytest.raises(TypeError, match=r"SGD.step\(\) got 3: it needs a closure"):
        optim.SGD([weight()]).step(3)  # type: ignore[arg-type]


def test_parameters_of_the_wrong_kind_are_refused() -> None:
    with pytest.raises(TypeError, match="SGD got a set: its order changes from run to run"):
        optim.SGD({weight()})
    with pytest.raises(TypeError, match="SGD got a group that is a list: it needs a dict"):
        optim.SGD([weight()]).add_param_group([weight()])  # type: ignore[arg-type]
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
        def init(self, w: Any, group: Any) -> dict[str, Any]:
            return {}

    a = weight()
    with_gradient(a)
    with pytest.raises(NotImplementedError, match=r"Half does not define rule\(\)"):
        Half([a], {}).step()
    with pytest.raises(NotImplementedError, match=r"Optimizer does not define init\(\)"):
        optim.Optimizer([a], {}).step()


def test_rates_may_be_tensors() -> None:
    a, b = weight(), weight()
    one = optim.Adam([a], lr=ag.tensor(0.1), betas=(ag.tensor(0.5), ag.tensor(0.25)))
    two = optim.Adam([b], lr=float(np.float32(0.1)), betas=(0.5, 0.25))
    with_gradient(a, b)
    for optimizer in (one, two):
        optimizer.step()
    assert a.item() == b.item()
    one.param_groups[0]["lr"].fill_(0.0)
    one.step()
    assert a.item() == b.item()


def test_names_of_parameters_are_kept() -> None:
    layer = nn.Linear(2, 1)
    optimizer = optim.SGD(layer.named_parameters())
    assert optimizer.param_groups[0]["param_names"] == ["weight", "bias"]
    assert optimizer.param_groups[0]["params"] == [layer.weight, layer.bias]


def test_a_result_that_retains_its_gradient_may_be_a_parameter() -> None:
    result = weight() * 2
    with pytest.raises(ValueError, match="SGD got the result of an operation"):
        optim.SGD([result])
    result.retain_grad()
    optim.SGD([result])


def test_a_gradient_that_no_longer_fits_is_refused() -> None:
    a, b = weight(), ag.ones(3, requires_grad=True)
    optimizer = optim.SGD([a, b])
    with_gradient(a, b)
    a.data = ag.ones(2)
    with pytest.raises(ag.ShapeError, match=r"SGD got a gradient of shape \(1,\) and float32 for "):
        optimizer.step()
    a.data = ag.ones(1, dtype=ag.float64)
    with pytest.raises(ag.ShapeError, match=r"parameter of shape \(1,\) and float64: its data was"):
        optimizer.step()
    assert b.tolist() == [1.0, 1.0, 1.0]


def test_hooks_run_around_a_step() -> None:
    a, seen = weight(), []
    optimizer = optim.SGD([a], lr=0.5)
    with_gradient(a)

    def before(optimizer: optim.Optimizer, args: Any, kwargs: Any) -> None:
        seen.append(("before", args, kwargs, a.item()))

    handle = optimizer.register_step_pre_hook(before)
    optimizer.register_step_post_hook(lambda o, args, kwargs: seen.append(("after", a.item())))
    optimizer.step()
    handle.remove()
    optimizer.step(closure=None)
    assert seen == [("before", (), {}, 1.0), ("after", 0.5), ("after", 0.0)]


def test_a_hook_may_change_the_arguments_of_a_step() -> None:
    a = weight()
    optimizer = optim.LBFGS([a])  # a step of its own
    optimizer.register_step_pre_hook(lambda o, args, kwargs: ((lambda: ag.tensor(7.0),), {}))
    assert optimizer.step().item() == 7.0
    optimizer.register_step_pre_hook(lambda o, args, kwargs: 3)
    with pytest.raises(RuntimeError, match="LBFGS: a step_pre_hook returned 3: it must return No"):
        optimizer.step()


def test_hooks_see_and_replace_state_dicts() -> None:
    a, seen = weight(), []
    optimizer = optim.SGD([a], lr=0.5)
    optimizer.register_state_dict_pre_hook(lambda o: seen.append("second"))
    optimizer.register_state_dict_pre_hook(lambda o: seen.append("first"), prepend=True)
    optimizer.register_state_dict_post_hook(lambda o, saved: {**saved, "epoch": 3})
    saved = optimizer.state_dict()
    assert (seen, saved["epoch"]) == (["first", "second"], 3)

    def slower(optimizer: optim.Optimizer, saved: Any) -> Any:
        return {**saved, "param_groups": [{**saved["param_groups"][0], "lr": 0.25}]}

    optimizer.register_load_state_dict_pre_hook(slower)
    optimizer.register_load_state_dict_post_hook(lambda o: seen.append(o.param_groups[0]["lr"]))
    optimizer.load_state_dict(saved)
    assert seen[-1] == 0.25


def test_numbers_of_the_state_are_kept_exactly() -> None:
    a, b = weight(), weight()
    one, two = optim.NAdam([a]), optim.NAdam([b])
    with_gradient(a)
    one.step()
    assert one.state[a]["mu_product"] != float(np.float32(one.state[a]["mu_product"]))
    two.load_state_dict(one.state_dict())
    assert two.state[b]["mu_product"] == one.state[a]["mu_product"]
    assert isinstance(two.state[b]["step"], int)


def test_an_optimizer_written_for_pytorch_runs() -> None:
    class Halve(optim.Optimizer):
        def __init__(self, params: Any, share: float = 0.5) -> None:
            super().__init__(params, {"share": share})

        def step(self, closure: Any = None) -> None:
            for group in self.param_groups:
                for p in group["params"]:
                    self.state[p]["steps"] = self.state[p].get("steps", 0) + 1
                    p.data.mul_(group["share"])

    a, seen = weight(), []
    optimizer = Halve([a])
    optimizer.register_step_post_hook(lambda *_: seen.append(a.item()))
    optimizer.step()
    optimizer.step()
    assert seen == [0.5, 0.25]
    saved = optimizer.state_dict()
    assert saved["state"] == {0: {"steps": 2}}
    other = Halve([weight()])
    other.load_state_dict(saved)
    assert list(other.state.values()) == [{"steps": 2}]
