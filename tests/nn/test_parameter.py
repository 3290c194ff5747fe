"""A parameter is a leaf on the memory it was given."""

from __future__ import annotations

import pytest

import autograd_core as ag
import nn


def test_a_parameter_shares_memory_and_requires_grad() -> None:
    data = ag.ones(2)
    parameter = nn.Parameter(data)
    assert parameter.requires_grad
    assert parameter.is_leaf
    data.fill_(3.0)
    assert parameter.tolist() == [3.0, 3.0]
    assert not data.requires_grad


def test_a_parameter_of_a_result_is_a_leaf() -> None:
    parameter = nn.Parameter(ag.ones(2, requires_grad=True) * 2)
    (parameter * 3).sum().backward()
    assert parameter.is_leaf
    assert parameter.grad.tolist() == [3.0, 3.0]


def test_an_op_on_a_parameter_gives_a_plain_tensor() -> None:
    assert type(nn.Parameter(ag.ones(2)) * 2) is ag.Tensor


def test_a_parameter_shows_what_it_is() -> None:
    parameter = nn.Parameter(ag.ones(2))
    assert repr(parameter) == f"Parameter containing:\n{ag.ones(2, requires_grad=True)!r}"


def test_integers_are_parameters_only_without_gradient() -> None:
    assert nn.Parameter(ag.tensor([1]), requires_grad=False).dtype == ag.int64
    with pytest.raises(ag.DtypeError, match="Parameter got data of dtype int64: only floating"):
        nn.Parameter(ag.tensor([1]))


def test_a_parameter_without_data_is_empty() -> None:
    assert nn.Parameter().shape == (0,)
