"""Values go out by path and come in again, all of them or none."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import autograd_core as ag
import nn
from nn.state import StateError


def model() -> nn.Sequential:
    return nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))


def values(m: nn.Module) -> dict[str, Any]:
    return {name: value.tolist() for name, value in m.state_dict().items()}


def test_a_state_dict_shares_memory_and_needs_no_gradient() -> None:
    m = model()
    state = m.state_dict()
    with ag.no_grad():
        m[0].bias.fill_(7.0)
    assert state["0.bias"].tolist() == [7.0] * 3
    assert not any(value.requires_grad for value in state.values())
    assert m.state_dict(keep_vars=True)["0.bias"] is m[0].bias


def test_state_goes_into_a_given_dict_under_a_prefix() -> None:
    state = {"kept": ag.ones(1)}
    assert nn.Linear(1, 1).state_dict(destination=state, prefix="net.") is state
    assert list(state) == ["kept", "net.weight", "net.bias"]


def test_what_was_saved_is_loaded() -> None:
    source, target = model(), model()
    parameters = list(target.parameters())
    keys = target.load_state_dict(source.state_dict())
    assert values(target) == values(source)
    assert [id(p) for p in target.parameters()] == [id(p) for p in parameters]
    assert repr(keys) == "<All keys matched successfully>"
    with ag.no_grad():
        source[0].bias.add_(1)
    assert values(target) != values(source)


def test_arrays_are_loaded_and_cast() -> None:
    layer = nn.Linear(1, 1)
    layer.load_state_dict({"weight": np.array([[1.5]]), "bias": ag.tensor([2])})
    assert layer.weight.dtype == ag.float32
    assert (layer.weight.item(), layer.bias.item()) == (1.5, 2.0)


def test_assigning_takes_the_tensors_themselves() -> None:
    layer = nn.Linear(1, 1).requires_grad_(False)
    given = ag.tensor([[3.0]], dtype=ag.float64)
    layer.load_state_dict({"weight": given, "bias": ag.zeros(1)}, assign=True)
    assert layer.weight.dtype == ag.float64
    assert isinstance(layer.weight, nn.Parameter)
    assert not layer.weight.requires_grad
    given.fill_(4.0)
    assert layer.weight.item() == 4.0


def test_assigning_reaches_buffers_and_children() -> None:
    layer = nn.CrossEntropyLoss(weight=ag.ones(2))
    given = ag.tensor([1.0, 2.0])
    nn.Sequential(layer).load_state_dict({"0.weight": given}, assign=True)
    assert layer.weight is given


def test_a_failed_load_says_everything_and_changes_nothing() -> None:
    m = model()
    before = values(m)
    state: dict[str, Any] = {name: ag.zeros(value.shape) for name, value in m.state_dict().items()}
    del state["0.bias"]
    state |= {"2.weight": ag.zeros(2, 3), "2.bias": 1.0, "3.weight": ag.zeros(1)}
    with pytest.raises(StateError) as caught:
        m.load_state_dict(state)
    assert str(caught.value) == (
        "Sequential cannot load this state dict:\n"
        "    missing: 0.bias\n"
        "    unexpected: 3.weight\n"
        "    2.weight: got shape (2, 3), needs (1, 3)\n"
        "    2.bias: got a float, needs a Tensor"
    )
    assert values(m) == before


def test_what_is_missing_or_unexpected_may_be_allowed_but_not_a_wrong_shape() -> None:
    layer = nn.Linear(1, 1)
    keys = layer.load_state_dict({"weight": ag.ones(1, 1), "more": ag.ones(1)}, strict=False)
    assert (keys.missing_keys, keys.unexpected_keys) == (["bias"], ["more"])
    assert repr(keys) == "Keys(missing_keys=['bias'], unexpected_keys=['more'])"
    with pytest.raises(StateError, match=r"weight: got shape \(2, 1\), needs \(1, 1\)"):
        layer.load_state_dict({"weight": ag.ones(2, 1)}, strict=False)
    with pytest.raises(StateError, match=r"weight: got dtype complex128, needs float32"):
        layer.load_state_dict({"weight": np.ones((1, 1), complex)}, strict=False)


def test_a_state_dict_is_a_mapping() -> None:
    with pytest.raises(TypeError, match="load_state_dict got a list: it needs a mapping"):
        nn.ReLU().load_state_dict([])  # pyright: ignore[reportArgumentType]


def test_a_handler_for_pytorchs_error_catches_ours() -> None:
    with pytest.raises(RuntimeError, match="missing: weight, bias"):
        nn.Linear(1, 1).load_state_dict({})
