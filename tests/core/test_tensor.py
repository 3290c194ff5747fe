"""Tensor: what it says about itself, its operators, conversions and Python's protocols."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import autograd_core as ag


def test_a_tensor_says_what_it_is() -> None:
    x = ag.zeros(2, 3, dtype=ag.float64)
    assert (x.shape, x.dtype, x.ndim, x.dim(), x.numel()) == ((2, 3), ag.float64, 2, 2, 6)
    assert (x.size(), x.size(0), x.size(-1), len(x)) == ((2, 3), 2, 3, 2)
    assert (x.itemsize, x.element_size(), x.nbytes) == (8, 8, 48)
    assert (x.stride(), x.stride(0), x.T.stride()) == ((3, 1), 3, (1, 3))
    assert x.is_leaf
    assert x.grad_fn is None
    assert not x.is_cuda
    assert ag.is_tensor(x)
    assert not ag.is_tensor(np.zeros(1))


def test_contiguous_copies_only_where_it_must() -> None:
    x = ag.arange(6).reshape(2, 3)
    assert x.contiguous() is x
    turned = x.t().contiguous()
    assert turned.is_contiguous()
    assert turned.tolist() == x.T.tolist()
    assert x.data_ptr() == x.view(6).data_ptr() != turned.data_ptr()


@pytest.mark.parametrize("dim", [2, -3])
def test_a_dim_out_of_range_is_an_index_error_that_names_the_op(dim: int) -> None:
    x = ag.zeros(2, 3)
    calls = {
        "sum": lambda: x.sum(dim),
        "softmax": lambda: x.softmax(dim),
        "max_along": lambda: x.max(dim),
        "argmax": lambda: x.argmax(dim),
        "transpose": lambda: x.transpose(0, dim),
        "cat": lambda: ag.cat([x, x], dim),
        "logsumexp": lambda: x.logsumexp(dim),
        "log_softmax": lambda: x.log_softmax(dim),
        "take_along_dim": lambda: x.take_along_dim(ag.zeros(1, 1, dtype=ag.int64), dim),
    }
    for name, call in calls.items():
        with pytest.raises(IndexError, match=rf"{name} got .*out of (range|bounds)"):
            call()
    with pytest.raises(IndexError, match="out of range"):
        x.size(dim)


def test_a_dim_named_twice_is_refused() -> None:
    with pytest.raises(ag.ShapeError, match=r"sum got .*dim \(0, -2\) names an axis twice"):
        ag.zeros(2, 3).sum((0, -2))
    with pytest.raises(ag.ShapeError, match=r"dims \(0, 0\) are not an order of its 2 axes"):
        ag.zeros(2, 3).permute(0, 0)


@pytest.mark.parametrize(
    ("key", "text"),
    [
        (2, r"\[2\]|index 2 is out of bounds"),
        ((0, 0, 0), "too many indices"),
        ([0, 5], "index 5 is out of bounds"),
        (
            ag.tensor([True, False, True]),
            r"a mask of shape \(3,\) was given for axes of shape \(2,\)",
        ),
    ],
    ids=["int", "too many", "list", "mask"],
)
def test_an_index_out_of_range_is_an_index_error(key: Any, text: str) -> None:
    with pytest.raises(IndexError, match=text):
        ag.zeros(2, 3)[key]


def test_an_index_of_another_kind_is_refused() -> None:
    for key, kind in (("a", "str"), ([0.5], "float64"), ({}, "dict")):
        with pytest.raises(IndexError, match=rf"is made of ints, slices, None, .*, not {kind}"):
            ag.zeros(2, 3)[key]


def test_one_element_of_a_vector_shares_its_memory() -> None:
    x = ag.arange(3.0)
    y = x[1]
    x[1] = 7.0
    assert y.item() == 7.0
    y.add_(1.0)
    assert x.tolist() == [0.0, 8.0, 2.0]


def test_operators_take_numbers_on_either_side() -> None:
    x = ag.tensor([1.0, 2.0])
    assert (x + 1).tolist() == (1 + x).tolist() == [2.0, 3.0]
    assert (3 - x).tolist() == [2.0, 1.0]
    assert (x - 3).tolist() == [-2.0, -1.0]
    assert (2 * x / 4).tolist() == [0.5, 1.0]
    assert (2 / x).tolist() == [2.0, 1.0]
    assert (x**2).tolist() == [1.0, 4.0]
    assert (2**x).tolist() == [2.0, 4.0]
    assert (-x).tolist() == (x * -1).tolist()
    assert (+x).tolist() == abs(-x).tolist() == [1.0, 2.0]
    assert (x @ x).item() == 5.0
    assert ((x > 1) == ag.tensor([False, True])).all()
    assert (x <= 1).tolist() == (x < 2).tolist() == [True, False]
    assert (x != 1).tolist() == (x >= 2).tolist() == [False, True]


def test_equality_compares_elements_and_hash_is_identity() -> None:
    x, y = ag.ones(2), ag.ones(2)
    assert (x == y).tolist() == [True, True]
    assert len({x, y}) == 2
    assert 1.0 in x
    assert 2.0 not in x


def test_iteration_gives_rows_that_carry_gradients() -> None:
    x = ag.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    first, second = x
    (first * second).sum().backward()
    assert x.grad.tolist() == [[3.0, 4.0], [1.0, 2.0]]
    for call in (len, iter):
        with pytest.raises(TypeError, match=r"(of|over) a 0-d tensor"):
            call(ag.tensor(1.0))


def test_one_number_can_be_taken_out() -> None:
    x = ag.tensor([2.5])
    assert (x.item(), float(x), int(x), bool(x)) == (2.5, 2.5, 2, True)
    assert math.sqrt(ag.tensor(4.0)) == 2.0
    assert [10, 20, 30][ag.tensor(1)] == 20
    assert list(range(ag.tensor(2))) == [0, 1]
    with pytest.raises(
        ag.ShapeError, match=r"item\(\) got shape \(2,\): it needs a tensor with ex"
    ):
        ag.zeros(2).item()
    with pytest.raises(ag.ShapeError, match=r"truth of a tensor of shape \(2,\) is ambiguous: use"):
        bool(ag.zeros(2))
    with pytest.raises(TypeError, match="only an integer tensor with one element"):
        [1][ag.tensor(0.0)]


def test_conversions_keep_what_is_right_already_and_carry_gradients() -> None:
    x = ag.ones(2, requires_grad=True)
    assert x.to(ag.float32) is x.float() is x.cpu() is x.to("cpu") is x
    assert x.to("cpu", ag.float64).dtype == x.double().dtype == x.to(dtype="float64").dtype
    x.double().sum().backward()
    assert x.grad.dtype == ag.float32
    kinds = [x.half(), x.long(), x.int(), x.short(), x.char(), x.byte(), x.bool()]
    names = ["float16", "int64", "int32", "int16", "int8", "uint8", "bool"]
    assert [str(k.dtype) for k in kinds] == names
    assert not x.long().requires_grad
    assert x.type_as(ag.zeros(1, dtype=ag.float64)).dtype == ag.float64
    assert x.to(ag.zeros(1, dtype=ag.int64)).dtype == ag.int64
    with pytest.raises(RuntimeError, match="this is a CPU library"):
        x.cuda()
    with pytest.raises(ValueError, match="device 'cuda' is not available"):
        x.to("cuda")
    assert not ag.cuda.is_available()


def test_fresh_tensors_take_their_dtype_from_another() -> None:
    x = ag.zeros(1, dtype=ag.int32)
    fresh = [
        x.new_zeros(2),
        x.new_ones(2),
        x.new_empty(2),
        x.new_full((2,), 7),
        x.new_tensor([1, 2]),
    ]
    assert {y.dtype for y in fresh} == {ag.int32}
    assert {y.shape for y in fresh} == {(2,)}
    assert x.new_ones(2, dtype=ag.float64).dtype == ag.float64


def test_detach_shares_memory_and_clone_shares_gradients() -> None:
    x = ag.ones(2, requires_grad=True)
    d, c = x.detach(), x.clone()
    d[0] = 5.0
    assert x.tolist() == [5.0, 1.0]
    assert c.tolist() == [1.0, 1.0]
    c.sum().backward()
    assert x.grad.tolist() == [1.0, 1.0]
    y = x * 2
    assert not y.detach_().requires_grad
    assert y.is_leaf
    with pytest.raises(ag.GraphError, match=r"detach_\(\) of a view"):
        (x * 2)[0].detach_()


def test_axis_and_keepdims_are_understood() -> None:
    x: Any = ag.arange(6.0).reshape(2, 3)
    assert x.sum(axis=0).tolist() == x.sum(dim=0).tolist()
    assert x.mean(axis=1, keepdims=True).shape == (2, 1)
    assert x.max(axis=1).values.tolist() == [2.0, 5.0]
    assert ag.softmax(input=x, dim=-1).tolist() == x.softmax(-1).tolist()


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda x: x.sum(dimension=0), "sum got an unexpected or repeated argument 'dimension'"),
        (lambda x: x.sum(0, dim=0), "sum got an unexpected or repeated argument 'dim'"),
        (lambda x: x.transpose(0), "transpose"),
        (lambda x: ag.transpose(x, dim0=0), "transpose misses the argument dim1"),
        (lambda x: ag.maximum(x, x, x), "maximum takes 2 arrays, got 3|takes 2 positional"),
        (lambda x: x.sum("rows"), "dim"),
    ],
    ids=["unknown", "twice", "few", "missing", "many", "kind"],
)
def test_a_call_that_does_not_fit_is_refused(call: Any, text: str) -> None:
    with pytest.raises(TypeError, match=text):
        call(ag.zeros(2, 3))


def test_views_that_cannot_be_are_refused_with_advice() -> None:
    x = ag.arange(6).reshape(2, 3)
    with pytest.raises(
        ag.ShapeError, match=r"view got .* \(4, 2\)\D*x has 6 elements|has 6 elements"
    ):
        x.view(4, 2)
    with pytest.raises(
        ag.ShapeError, match=r"cannot be viewed as .*: use reshape\(\), which copies"
    ):
        x.t().view(6)
    with pytest.raises(ag.ShapeError, match="at most one size may be -1"):
        x.reshape(-1, -1)
    with pytest.raises(
        TypeError, match=r"view to another dtype is not supported: use .to\(dtype\)"
    ):
        x.view(ag.float32)


def test_errors_are_caught_by_handlers_written_for_pytorch_and_for_numpy() -> None:
    assert issubclass(ag.ShapeError, (ValueError, RuntimeError))
    for kinds in ((ValueError,), (RuntimeError,)):
        with pytest.raises(kinds):
            _ = ag.zeros(2) + ag.zeros(3)
    for kinds in ((TypeError,), (RuntimeError,)):
        with pytest.raises(kinds):
            ag.zeros(2, dtype=ag.int64).mean()


def test_a_name_stays_with_the_tensor() -> None:
    x = ag.zeros(1)
    assert x.name is None
    x.name = "W1"
    assert x.name == "W1"


def test_an_unknown_operand_is_named() -> None:
    plain: Any = ag.zeros(2)
    with pytest.raises(
        ag.DtypeError, match="add got a str: it needs a Tensor, an ndarray or a number"
    ):
        _ = plain + "one"
    with pytest.raises(ag.DtypeError, match="matmul got a list"):
        _ = plain @ [1.0, 2.0]


def test_operands_may_have_pytorchs_names() -> None:
    a, b = ag.tensor([1.0, 4.0]), ag.tensor([2.0, 3.0])
    assert ag.add(input=a, other=b).tolist() == ag.add(a, other=b).tolist() == [3.0, 7.0]
    assert ag.add(input=a, other=b, alpha=2).tolist() == [5.0, 10.0]
    assert a.mul(other=b).tolist() == ag.mul(input=a, other=b).tolist() == [2.0, 12.0]
    assert ag.sqrt(input=a).tolist() == [1.0, 2.0]
    assert ag.where(condition=a > 2, input=a, other=b).tolist() == [2.0, 4.0]
    assert ag.equal(input=a, other=a)
    assert ag.allclose(input=a, other=a)


def test_where_a_condition_holds_are_its_places() -> None:
    rows, columns = ag.where(ag.tensor([[0, 1], [1, 1]]))
    assert (rows.tolist(), columns.tolist()) == ([0, 1, 1], [1, 0, 1])


def test_a_tensor_answers_functions_as_it_answers_methods() -> None:
    x = ag.zeros(2, 3)
    assert (ag.numel(x), x.ndimension(), ag.is_floating_point(x)) == (6, 2, True)
    assert not ag.is_floating_point(x.long())
    assert x.H.shape == (3, 2)
