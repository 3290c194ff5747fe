"""repr(tensor) is PyTorch's, up to the text of grad_fn."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import autograd_core as ag

inf, nan = float("inf"), float("nan")


def unwrapped(text: str) -> str:
    """Return a text with every note on the line before: names of dtypes are shorter here."""
    return re.sub(r",\s+(dtype|requires_grad|grad_fn|size)=", r", \1=", text.replace("torch.", ""))


POINTS: list[Any] = [
    1.5, 3, True, -0.0, nan, inf, [], [1.0, 2.0], [1, -20, 300], [True, False],
    [1.5, nan, -inf], [1.0, nan, inf], [1e-5, 1.0], [1e-10, 1e10], [1e5, 1e-5, 0.0],
    [123456.0, 1.0], [123456.789, 1.0], [1e8, 1.0], [1e9, 2e9], [0.1, 1000.0], [0.1, 99.5],
    [0.00001, 0.00002], [1e-3, 1.0], [12345678, 1], [0.0, 0.0], [-1.0, 1.0], [100000.5],
    [[1.0, 2.0], [3.0, 4.0]], [[[1, 2]], [[3, 4]]], [[True], [False]], [[]], [[], []],
    [nan, nan], [inf], [1e38, -1e38], [0.5], [1e-7], [99999.0, 0.5], [1e4, 0.1234567],
]  # fmt: skip

SHAPES = [(3, 4), (30,), (50,), (2, 3, 4), (2, 2, 2, 2), (1001,), (40, 40), (2000, 2), (7, 200),
          (12, 12, 12), (0,), (2, 0), (0, 3), (1, 1, 1), (100, 11)]  # fmt: skip

DTYPES = ["float64", "float16", "int32", "int16", "int8", "uint8", "int64", "bool"]


@pytest.mark.torch
@pytest.mark.parametrize("data", POINTS, ids=str)
def test_small_tensors_print_as_in_pytorch(data: Any, torch: Any) -> None:
    assert repr(ag.tensor(data)) == repr(torch.tensor(data))


@pytest.mark.torch
@pytest.mark.parametrize("data", POINTS, ids=str)
def test_double_precision_prints_as_in_pytorch(data: Any, torch: Any) -> None:
    ours, theirs = ag.tensor(data, dtype=ag.float64), torch.tensor(data, dtype=torch.float64)
    assert unwrapped(repr(ours)) == unwrapped(repr(theirs))


@pytest.mark.torch
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("scale", [1.0, 1e-6, 1e6, 1e12])
def test_random_tensors_of_many_shapes_print_as_in_pytorch(
    shape: tuple[int, ...], scale: float, torch: Any, rng: np.random.Generator
) -> None:
    x = (rng.normal(size=shape) * scale).astype(np.float32)
    whole = rng.integers(-1000, 1000, shape)
    for array in (x, whole, whole.astype(np.float32), whole > 0):
        assert unwrapped(repr(ag.tensor(array))) == unwrapped(repr(torch.tensor(array)))


@pytest.mark.torch
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(), (3,), (25,), (40, 40)], ids=str)
def test_every_dtype_prints_as_in_pytorch(
    dtype: str, shape: tuple[int, ...], torch: Any, rng: np.random.Generator
) -> None:
    x = np.asarray(rng.integers(0, 100, shape)).astype(dtype)
    assert unwrapped(repr(ag.tensor(x))) == unwrapped(repr(torch.tensor(x)))


@pytest.mark.torch
@pytest.mark.parametrize("shape", [(), (2,), (19,), (20,), (3, 3)], ids=str)
def test_notes_stand_where_they_stand_in_pytorch(shape: tuple[int, ...], torch: Any) -> None:
    ours, theirs = ag.zeros(shape, requires_grad=True), torch.zeros(shape, requires_grad=True)
    assert repr(ours) == repr(theirs)
    made = re.sub(r"<\w+>", "<MulBackward0>", unwrapped(repr(ours * 2.0)))
    assert made == unwrapped(repr(theirs * 2.0))
    assert unwrapped(repr(ours.double().detach())) == unwrapped(repr(theirs.double().detach()))


def test_a_result_names_the_op_that_made_it() -> None:
    x = ag.ones(2, requires_grad=True)
    assert repr(x) == "tensor([1., 1.], requires_grad=True)"
    assert repr(x * 2) == "tensor([2., 2.], grad_fn=<mul>)"
    assert repr(x.detach()) == str(x.detach()) == "tensor([1., 1.])"


def test_one_number_formats_as_a_number() -> None:
    assert f"{ag.tensor(3.14159):.2f}" == "3.14"
    assert f"{ag.tensor(3)}" == "3"
    assert f"{ag.tensor([1.0])}" == "tensor([1.])"


def test_a_size_prints_as_one() -> None:
    assert repr(ag.zeros(2, 3).size()) == "Size([2, 3])"
    assert ag.zeros(2, 3).size().numel() == 6


@pytest.fixture
def default_style() -> Iterator[None]:
    yield
    ag.set_printoptions(profile="default")


@pytest.mark.usefixtures("default_style")
def test_the_user_says_how_much_prints() -> None:
    ag.set_printoptions(precision=2, threshold=5, edgeitems=1)
    assert repr(ag.arange(6) / 7) == "tensor([0.00,  ..., 0.71])"
    ag.set_printoptions(sci_mode=True)
    assert repr(ag.ones(1) / 3) == "tensor([3.33e-01])"
    ag.set_printoptions(profile="short")
    assert repr(ag.arange(6) / 7) == "tensor([0.00, 0.14, 0.29, 0.43, 0.57, 0.71])"
    ag.set_printoptions(profile="default")
    assert repr(ag.ones(1) / 3) == "tensor([0.3333])"
    with pytest.raises(ValueError, match="got profile='long': use default, short, full"):
        ag.set_printoptions(profile="long")
