"""Errors name the layer they come from."""

from __future__ import annotations

import re
from typing import Any

import pytest

import autograd_core as ag
import nn


class Broken(nn.Module):
    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    def forward(self, x: Any) -> Any:
        raise self.error from KeyError("cause")


def message(model: nn.Module, x: ag.Tensor) -> str:
    with pytest.raises(ag.ShapeError) as caught:
        model(x)
    return str(caught.value)


def test_a_layer_alone_names_itself() -> None:
    assert message(nn.Linear(3, 4), ag.ones(2, 5)) == (
        "Linear(3, 4) got x of shape (2, 5): its last axis must be 3"
    )


def test_a_layer_in_a_model_is_found_by_its_path() -> None:
    model = nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Linear(3, 4))
    assert message(model, ag.ones(2, 6)) == (
        "Sequential.2 (Linear(3, 4)): got x of shape (2, 5): its last axis must be 3"
    )


def test_a_path_goes_through_every_level() -> None:
    model = nn.Sequential(nn.Sequential({"head": nn.Linear(3, 4)}))
    assert message(model, ag.ones(5)).startswith("Sequential.0.head (Linear(3, 4)): got x of")


def test_a_module_kept_in_a_list_is_named_though_nobody_owns_it() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers = [nn.Linear(3, 4)]

        def forward(self, x: ag.Tensor) -> ag.Tensor:
            return self.layers[0](x)

    assert message(Net(), ag.ones(5)).startswith("Net > Linear (Linear(3, 4)): got x of shape (5,)")


@pytest.mark.parametrize(
    ("x", "expected"),
    [
        (ag.ones(2, 5), "got x of shape (2, 5): it must be (N, C, H, W) or (C, H, W)"),
        (ag.ones(1, 2, 5, 5), "got x of shape (1, 2, 5, 5): it must have 3 channels"),
        (
            ag.ones(1, 3, 4, 9),
            "got x of shape (1, 3, 4, 9): with its padding it must be at least 5 x 5",
        ),
    ],
)
def test_a_convolution_says_what_it_needs(x: ag.Tensor, expected: str) -> None:
    conv = nn.Conv2d(3, 8, 5)
    assert message(conv, x) == f"{conv!r} {expected}"


def test_an_error_of_an_op_names_the_module_that_called_it() -> None:
    class Net(nn.Module):
        def forward(self, x: ag.Tensor) -> ag.Tensor:
            return x @ ag.ones(3, 4)

    assert re.match(r"Net:? .*matmul", message(Net(), ag.ones(2, 5)))


@pytest.mark.parametrize("kind", [ValueError, ag.ShapeError, ag.DtypeError])
def test_an_error_stays_the_same_object_with_its_cause(kind: type[Exception]) -> None:
    error = kind("no good")
    model = nn.Sequential(Broken(error))
    with pytest.raises(kind) as caught:
        model(1)
    assert caught.value is error
    assert str(error) == "Sequential.0 (Broken): no good"
    assert isinstance(error.__cause__, KeyError)


@pytest.mark.parametrize("error", [KeyError("k"), TypeError("t"), RuntimeError("r")])
def test_other_errors_are_left_alone(error: Exception) -> None:
    before = error.args
    with pytest.raises(type(error)) as caught:
        nn.Sequential(Broken(error))(1)
    assert caught.value.args == before


def test_an_error_that_a_model_handles_leaves_no_trace() -> None:
    class Careful(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first = nn.Linear(3, 4)
            self.second = nn.Linear(5, 4)

        def forward(self, x: ag.Tensor) -> ag.Tensor:
            try:
                return self.first(x)
            except ag.ShapeError:
                return self.second(x)

    assert Careful()(ag.ones(2, 5)).shape == (2, 4)
    assert message(Careful(), ag.ones(2, 6)).startswith("Careful.second (Linear(5, 4)): got x")


def test_an_error_with_several_arguments_keeps_them() -> None:
    error = UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid")
    before = error.args
    with pytest.raises(UnicodeDecodeError) as caught:
        Broken(error)(1)
    assert caught.value.args == before


def test_the_running_module_is_known_inside_and_forgotten_outside() -> None:
    from autograd_core.modes import current

    class Net(nn.Module):
        def forward(self, x: Any) -> Any:
            scope = current().scope
            assert scope is not None
            return scope.module(), scope.parent.module() if scope.parent else None

    inner = Net()
    outer = nn.Sequential(inner)
    assert outer(1) == (inner, outer)
    assert inner(1) == (inner, None)
    assert current().scope is None
