"""Making tensors: values, shapes and dtypes as in PyTorch, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import autograd_core as ag

NUMBERS: Any = [1.0]  # which are no array
DATA: list[Any] = [
    1, 1.5, True, [], [[]], [1, 2], [1, 2.5], [True, False], [True, 2], [[1, 2], [3, 4]],
    (1.0, 2.0),
]  # fmt: skip
CALLS = [
    lambda t: t.zeros(2, 3), lambda t: t.zeros((2, 3)), lambda t: t.ones(2, dtype=t.int64),
    lambda t: t.full((2, 3), 7), lambda t: t.full((2,), 0.5), lambda t: t.full((2,), True),
    lambda t: t.arange(5), lambda t: t.arange(5.0), lambda t: t.arange(1, 2, 0.25),
    lambda t: t.arange(5, 1, -2), lambda t: t.arange(0, 1, 0.1), lambda t: t.arange(2, 2),
    lambda t: t.arange(3, dtype=t.float64), lambda t: t.eye(3),
    lambda t: t.eye(2, 3, dtype=t.float64),
    lambda t: t.linspace(0, 1, 5), lambda t: t.linspace(3.0, -1.0, 4, dtype=t.float64),
    lambda t: t.linspace(2, 5, 1), lambda t: t.zeros_like(t.ones(2, dtype=t.int32)),
    lambda t: t.ones_like(t.zeros(2, 3), dtype=t.float64), lambda t: t.full_like(t.zeros(2), 3),
    lambda t: t.zeros(()), lambda t: t.zeros(0, 3),
]  # fmt: skip


@pytest.mark.torch
@pytest.mark.parametrize("data", DATA, ids=str)
def test_data_becomes_what_it_becomes_in_pytorch(data: Any, torch: Any) -> None:
    ours, theirs = ag.tensor(data), torch.tensor(data)
    assert f"torch.{ours.dtype}" == str(theirs.dtype)
    assert ours.shape == tuple(theirs.shape)
    assert ours.tolist() == theirs.tolist()


@pytest.mark.torch
@pytest.mark.parametrize("i", range(len(CALLS)))
def test_a_maker_makes_what_pytorch_makes(i: int, torch: Any) -> None:
    ours, theirs = CALLS[i](ag), CALLS[i](torch)
    assert f"torch.{ours.dtype}" == str(theirs.dtype)
    assert ours.shape == tuple(theirs.shape)
    np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-6)


def test_tensor_copies_and_as_tensor_and_from_numpy_do_not() -> None:
    array = np.zeros(3)
    copy, shared, same = ag.tensor(array), ag.as_tensor(array), ag.from_numpy(array)
    array[0] = 5.0
    assert copy.tolist() == [0.0, 0.0, 0.0]
    assert shared.tolist() == same.tolist() == [5.0, 0.0, 0.0]
    assert ag.as_tensor(shared) is shared
    assert ag.as_tensor([1, 2]).dtype == ag.int64
    assert ag.as_tensor(array, dtype=ag.float32).dtype == ag.float32


def test_arrays_and_their_scalars_keep_their_dtype() -> None:
    assert ag.tensor(np.zeros(2, np.float32)).dtype == ag.float32
    assert ag.tensor(np.arange(2, dtype=np.int16)).dtype == ag.int16
    assert ag.tensor(np.float64(1.5)).dtype == ag.float64
    assert ag.tensor([np.float64(1.5)]).dtype == ag.float64
    assert ag.tensor(np.zeros((2, 3)).T).is_contiguous()


def test_tensors_nest_in_lists() -> None:
    x = ag.tensor([1.0, 2.0])
    assert ag.tensor([x[0], x[1]]).tolist() == [1.0, 2.0]
    assert ag.tensor(x, dtype=ag.float64).dtype == ag.float64


def test_a_made_tensor_may_require_grad() -> None:
    makers = [
        ag.zeros(2, requires_grad=True), ag.ones(2, requires_grad=True),
        ag.full((2,), 1.0, requires_grad=True), ag.eye(2, requires_grad=True),
        ag.arange(2.0, requires_grad=True), ag.linspace(0, 1, 2, requires_grad=True),
        ag.zeros_like(ag.zeros(2), requires_grad=True), ag.tensor(1.0, requires_grad=True),
    ]  # fmt: skip
    assert all(x.requires_grad and x.is_leaf for x in makers)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ([[1, 2], [3]], r"ragged sequence: .*\(item 0 is 2 elements, item 1 is 1 elements\)"),
        ([1, [2]], r"item 0 is a number, item 1 is 1 elements"),
        ([[[1], [2]], [[3], [4, 5]]], "item 0 is 1 elements, item 1 is 2 elements"),
    ],
    ids=str,
)
def test_ragged_lists_are_refused_with_the_place(data: Any, text: str) -> None:
    with pytest.raises(ag.ShapeError, match=text):
        ag.tensor(data)


@pytest.mark.parametrize("data", ["text", ["a"], None, [1, None], object()], ids=str)
def test_what_is_not_a_number_is_refused(data: Any) -> None:
    with pytest.raises(ag.DtypeError, match="it needs numbers, or sequences of numbers"):
        ag.tensor(data)


@pytest.mark.parametrize("dtype", [np.complex64, "nonsense", np.uint16], ids=str)
def test_an_unknown_dtype_is_refused(dtype: Any) -> None:
    with pytest.raises(ag.DtypeError, match=r"unknown dtype .*: use one of bool, float16"):
        ag.zeros(2, dtype=dtype)
    with pytest.raises(ag.DtypeError, match="unknown dtype"):
        ag.from_numpy(np.zeros(2, np.complex64))


def test_sizes_that_cannot_be_are_refused() -> None:
    with pytest.raises(
        ag.ShapeError, match=r"zeros got the size \(2, -1\): no size may be negative"
    ):
        ag.zeros(2, -1)
    with pytest.raises(TypeError, match=r"ones got the size \(2.5,\): it needs whole numbers"):
        ag.ones(2.5)
    with pytest.raises(ValueError, match=r"arange\(0, 5, -1\) never arrives"):
        ag.arange(0, 5, -1)
    with pytest.raises(ValueError, match="never arrives"):
        ag.arange(0, 5, 0)
    with pytest.raises(TypeError, match="from_numpy got a list: it needs an ndarray"):
        ag.from_numpy(NUMBERS)
    with pytest.raises(ValueError, match="device 'cuda' is not available"):
        ag.zeros(2, device="cuda")


def test_a_range_of_integers_rounds_its_bounds_first() -> None:
    assert ag.arange(-0.9, 5.5, 2.5, dtype=ag.int64).tolist() == [0, 2, 4]
    assert ag.linspace(4.3, -2.9, 4, dtype=ag.int64).tolist() == [4, 2, 0, -2]


def test_a_range_needs_finite_bounds() -> None:
    with pytest.raises(ag.ShapeError, match=r"arange got the bound inf: it must be finite"):
        ag.arange(0, np.inf, 2)
    with pytest.raises(
        ag.ShapeError, match=r"eye got the size \(-1, -1\): no size may be negative"
    ):
        ag.eye(-1)


def test_a_size_may_be_given_by_name() -> None:
    for name in ("zeros", "ones", "empty", "rand", "randn"):
        make = getattr(ag, name)
        assert make(size=(2, 3)).shape == make(2, 3).shape == (2, 3)
    assert ag.ones(2).new_zeros(size=(4,)).shape == (4,)


def test_logspace_gives_powers() -> None:
    assert ag.logspace(0, 3, 4).tolist() == [1.0, 10.0, 100.0, 1000.0]
    assert ag.logspace(0, 2, 3, base=2, dtype=ag.int64).tolist() == [1, 2, 4]
    with pytest.raises(ag.ShapeError, match=r"logspace got the bound inf: it must be finite"):
        ag.logspace(0, np.inf, 2)
