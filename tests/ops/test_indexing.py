"""Indices, masks and scattering: PyTorch's order of axes, repeated places, and what is refused."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd_core as ag


def test_a_number_beside_an_array_is_taken_first() -> None:
    x = ag.zeros(2, 3, 4, 5)
    assert x[0, :, [0, 1]].shape == (3, 2, 5)  # NumPy: (2, 3, 5)
    assert x[:, [0, 1], :, 0].shape == (2, 2, 4)  # NumPy: (2, 2, 4), the pair first
    assert x[ag.tensor(0), :, [0, 1]].shape == (3, 2, 5)


def test_a_number_beside_an_array_is_assigned_first() -> None:
    w = ag.ones(2, 3, 2, requires_grad=True)
    v = ag.arange(6.0).reshape(3, 2).requires_grad_()
    x = w * 1.0
    x[0, :, [1, 0]] = v
    assert x[0].tolist() == [[1.0, 0.0], [3.0, 2.0], [5.0, 4.0]]
    x.sum().backward()
    assert w.grad.tolist() == [[[0.0] * 2] * 3, [[1.0] * 2] * 3]
    assert v.grad.tolist() == [[1.0] * 2] * 3


def test_true_and_false_add_an_axis() -> None:
    x = ag.zeros(2, 3)
    assert x[True].shape == (1, 2, 3)
    assert x[False].shape == (0, 2, 3)
    assert x[0, True].shape == (1, 3)
    assert x[[0, 1], True].shape == (2, 3)
    assert ag.tensor(1.0)[ag.tensor(True)].tolist() == [1.0]


def test_an_index_is_kept_as_it_was() -> None:
    x = ag.ones(3, requires_grad=True)
    rows, mask = np.array([0, 1]), ag.tensor([True, False, False])
    y = (x[rows] * x[rows]).sum() + x[mask].sum()
    rows[:] = 2
    mask.logical_not_()
    y.backward()
    assert x.grad.tolist() == [3.0, 2.0, 0.0]


def test_a_place_picked_twice_gets_both_gradients() -> None:
    x = ag.ones(3, 2, requires_grad=True)
    (x[[0, 0, 2]] * ag.tensor([[1.0], [2.0], [4.0]])).sum().backward()
    assert x.grad.tolist() == [[3.0, 3.0], [0.0, 0.0], [4.0, 4.0]]


@pytest.mark.parametrize(
    "write",
    [
        lambda x, at, v: x.index_put((at,), v),
        lambda x, at, v: x.put(at, v),
        lambda x, at, v: x.scatter(0, at, v),
        lambda x, at, v: x.index_copy(0, at, v),
        lambda x, at, v: assigned(x, at, v),
    ],
    ids=["index_put", "put", "scatter", "index_copy", "index assignment"],
)
def test_of_several_writes_to_one_place_the_last_gets_the_gradient(
    write: Callable[[Any, Any, Any], Any],
) -> None:
    x, v = ag.zeros(3, requires_grad=True), ag.tensor([1.0, 2.0, 3.0], requires_grad=True)
    y = write(x, ag.tensor([1, 1, 0]), v)
    assert y.tolist() == [3.0, 2.0, 0.0]
    (y * ag.tensor([10.0, 20.0, 30.0])).sum().backward()
    assert v.grad.tolist() == [0.0, 20.0, 10.0]
    assert x.grad.tolist() == [0.0, 0.0, 30.0]


def assigned(x: Any, at: Any, v: Any) -> Any:
    y = x * 1.0
    y[at] = v
    return y


def test_the_last_write_stays_whatever_the_memory_order_of_the_values() -> None:
    x = ag.zeros(2, dtype=ag.float64)
    places = ag.tensor([[0, 1], [1, 0]])
    values = ag.tensor([[1.0, 2.0], [3.0, 4.0]], dtype=ag.float64)
    for v in (values, values.t().contiguous().t()):
        leaf = v.clone().requires_grad_()
        y = x.index_put((places,), leaf)
        assert y.tolist() == [4.0, 3.0]
        y.sum().backward()
        assert leaf.grad.tolist() == [[0.0, 0.0], [1.0, 1.0]]


def test_extremes_that_tie_share_the_gradient() -> None:
    x = ag.tensor([1.0, 5.0], requires_grad=True)
    v = ag.tensor([1.0, 1.0, 0.0], requires_grad=True)
    y = x.scatter_reduce(0, ag.tensor([0, 0, 1]), v, "amax")
    y.sum().backward()
    assert x.grad.tolist() == pytest.approx([1 / 3, 1.0])
    assert v.grad.tolist() == pytest.approx([1 / 3, 1 / 3, 0.0])


def test_products_with_zeros_have_right_derivatives_of_both_orders() -> None:
    v = ag.tensor([0.0, 3.0, 5.0], requires_grad=True, dtype=ag.float64)
    y = ag.ones(1, dtype=ag.float64).scatter_reduce(0, ag.tensor([0, 0, 0]), v, "prod")
    g: Any = ag.autograd.grad(y.sum(), v, create_graph=True)[0]
    assert g.tolist() == [15.0, 0.0, 0.0]
    (h,) = ag.autograd.grad(g[0], v)
    assert h.tolist() == [0.0, 5.0, 3.0]


def test_what_nothing_was_scattered_to_stays_without_include_self() -> None:
    x, at = ag.tensor([1.0, 2.0, 3.0]), ag.tensor([0, 0])
    for reduce, first in {"sum": 9, "prod": 20, "mean": 4.5, "amax": 5, "amin": 4}.items():
        y = x.scatter_reduce(0, at, ag.tensor([4.0, 5.0]), reduce, include_self=False)
        assert y.tolist() == [first, 2.0, 3.0]


def test_whole_numbers_can_be_scattered() -> None:
    x, at = ag.tensor([1, 2]), ag.tensor([0, 0])
    assert x.scatter_reduce(0, at, ag.tensor([7, 3]), "amin", include_self=False).tolist() == [3, 2]
    assert x.scatter_add(0, at, ag.tensor([7, 3])).tolist() == [11, 2]


def test_an_empty_index_of_any_shape_scatters_nothing() -> None:
    x, nothing = ag.ones(2, 2), ag.zeros(0, dtype=ag.int64)
    assert x.scatter_add(1, nothing, ag.ones(3)).tolist() == x.tolist()
    assert x.gather(0, nothing).shape == (0,)


def test_a_mask_picks_and_fills_by_broadcasting() -> None:
    x, mask = ag.arange(6.0).reshape(2, 3), ag.tensor([True, False, True])
    assert x.masked_select(mask).tolist() == [0.0, 2.0, 3.0, 5.0]
    assert x.masked_fill(mask, -1.0).tolist() == [[-1.0, 1.0, -1.0], [-1.0, 4.0, -1.0]]
    v = ag.tensor(7.0, requires_grad=True)
    x.masked_fill(mask, v).sum().backward()
    assert v.grad.item() == 4.0


def test_a_mask_of_everything_reads_and_writes_strided_memory() -> None:
    x = ag.arange(6.0).reshape(2, 3).t()
    mask = x > 2.0
    assert x[mask].tolist() == [3.0, 4.0, 5.0]
    x[mask] = ag.tensor([7.0, 8.0, 9.0])
    assert x.tolist() == [[0.0, 7.0], [1.0, 8.0], [2.0, 9.0]]


def test_places_of_what_is_not_zero() -> None:
    x = ag.tensor([[0.0, 2.0], [float("nan"), 0.0]])
    assert x.nonzero().tolist() == [[0, 1], [1, 0]]
    assert [places.tolist() for places in x.nonzero(as_tuple=True)] == [[0, 1], [1, 0]]
    assert ag.tensor(3.0).nonzero().shape == (1, 0)
    assert ag.tensor(3.0).nonzero(as_tuple=True)[0].tolist() == [0]


IN_PLACE: dict[str, tuple[Any, ...]] = {
    "index_add_": (0, ag.tensor([0, 0]), ag.ones(2, 3)),
    "index_copy_": (0, ag.tensor([1]), ag.ones(1, 3)),
    "index_fill_": (1, ag.tensor([-1]), 5.0),
    "index_put_": ((ag.tensor([1]), ag.tensor([2])), ag.tensor([9.0])),
    "scatter_": (0, ag.tensor([[1, 0, 1]]), ag.ones(1, 3)),
    "scatter_add_": (0, ag.tensor([[1, 0, 1]]), ag.ones(1, 3)),
    "scatter_reduce_": (0, ag.tensor([[1, 0, 1]]), ag.full((1, 3), 2.0), "prod"),
    "masked_fill_": (ag.tensor([True, False, True]), 4.0),
    "masked_scatter_": (ag.tensor([True, False, True]), ag.arange(4.0)),
    "put_": (ag.tensor([0, -1]), ag.tensor([1.0, 2.0])),
    "tril_": (), "triu_": (1,),
}  # fmt: skip


@pytest.mark.parametrize(("name", "arguments"), IN_PLACE.items(), ids=IN_PLACE)
def test_a_form_in_place_is_the_function_written_back(
    name: str, arguments: tuple[Any, ...]
) -> None:
    first, second = (ag.arange(6.0).reshape(2, 3).requires_grad_() for _ in range(2))
    expected = getattr(first * 2.0, name[:-1])(*arguments)
    x = second * 2.0
    assert getattr(x, name)(*arguments) is x
    assert x.tolist() == expected.tolist()
    (expected * expected).sum().backward()
    (x * x).sum().backward()
    assert first.grad.tolist() == second.grad.tolist()


def test_a_diagonal_is_filled_in_place() -> None:
    assert ag.zeros(2, 3).fill_diagonal_(1.0).tolist() == [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
    tall = ag.zeros(4, 2)
    assert tall.clone().fill_diagonal_(1.0).sum().item() == 2.0
    assert tall.fill_diagonal_(1.0, wrap=True).tolist() == [[1, 0], [0, 1], [0, 0], [1, 0]]
    assert ag.zeros(2, 2, 2).fill_diagonal_(3.0).sum().item() == 6.0
    with pytest.raises(ag.ShapeError, match=r"fill_diagonal_ got shape \(3,\): it needs a matrix"):
        ag.zeros(3).fill_diagonal_(1.0)


def test_a_handle_can_change_its_shape_in_place() -> None:
    leaf = ag.arange(6.0).reshape(2, 3).requires_grad_()
    x = leaf * 1.0
    row = x[0]
    assert x.t_() is x
    assert x.unsqueeze_(0).shape == (1, 3, 2)
    x.mul_(2.0)
    assert row.tolist() == [0.0, 2.0, 4.0]
    (x.squeeze_().transpose_(0, 1) * row).sum().backward()
    expected = ag.arange(6.0).reshape(2, 3).requires_grad_()
    twice = expected * 2.0
    (twice * twice[0]).sum().backward()
    assert leaf.grad.tolist() == expected.grad.tolist()


def test_a_view_of_what_changed_its_shape_follows_later_changes() -> None:
    leaf = ag.ones(2, 3, requires_grad=True)
    x = leaf * 1.0
    x.t_()
    view = x[0]
    x[0] = 5.0
    view.sum().backward()
    assert view.tolist() == [5.0, 5.0]
    assert leaf.grad.tolist() == [[0.0] * 3] * 2


def test_a_leaf_that_requires_grad_keeps_its_shape() -> None:
    w = ag.ones(2, 3, requires_grad=True)
    with pytest.raises(ag.GraphError, match=r"t_ would change a leaf of shape \(2, 3\) that"):
        w.t_()
    with ag.no_grad():
        assert w.t_().shape == (3, 2)
        assert w.requires_grad
        with pytest.raises(ag.GraphError, match=r"inside no_grad\(\) would lose the history"):
            made.unsqueeze_(0)
    with pytest.raises(IndexError, match="unsqueeze got shape"):
        ag.ones(2).unsqueeze_(5)


made = ag.ones(2, requires_grad=True) * 1.0
x34, x3 = ag.ones(3, 4), ag.ones(3)
TWO, FAR, BACK = ag.tensor([0, 1]), ag.tensor([0, 9]), ag.tensor([-1, 0])
SQUARE, HALF = ag.tensor([[0, 1], [1, 0]]), ag.tensor([0.5])

REFUSED: dict[str, tuple[type[Exception], Callable[[], Any]]] = {
    "getitem got shape (3,): the step of a slice must be greater than 0, got -1":
        (ValueError, lambda: x3[::-1]),
    "index got shape (3,), key=(3,): index 3 is out of bounds": (IndexError, lambda: x3[3]),
    "too many indices": (IndexError, lambda: x3[0, 0]),
    "getitem got shape (3,): an index is made of ints, slices, None, ... and masks, not float64":
        (IndexError, lambda: x3[1.0]),
    "getitem got shape (3,): a mask of shape (1,) was given for axes of shape (3,): they must be":
        (IndexError, lambda: x3[ag.tensor([True])]),
    "index got shape (3,), key=(array([5]),): index 5 is out of bounds":
        (IndexError, lambda: x3[[5]]),
    "index assignment got shape (3,): the step of a slice must be greater than 0, got -2":
        (ValueError, lambda: x3.__setitem__(slice(None, None, -2), 1.0)),
    "index assignment got a value of shape (2,) for [0:1] of a tensor of shape (3,)":
        (ag.ShapeError, lambda: x3.__setitem__(slice(0, 1), ag.ones(2))),
    "index_put got shapes (3, 4) and (2,) and (3,): values of shape (3,) do not fit":
        (ag.ShapeError, lambda: x34.index_put((TWO,), x3)),
    "gather got shapes (3, 4) and (2,): the index of shape (2,) must have 2 axes":
        (ag.ShapeError, lambda: x34.gather(0, TWO)),
    "gather got shapes (3,) and (2,): index 9 is out of range for dim 0 of size 3":
        (IndexError, lambda: x3.gather(0, FAR)),
    "gather got shapes (3,) and (2,): index -1 is out of range for dim 0 of size 3":
        (IndexError, lambda: x3.gather(0, BACK)),
    "gather got shapes (3,) and (1,): an index must be made of whole numbers, got float32":
        (TypeError, lambda: x3.gather(0, HALF)),
    "take_along_dim got shapes (3, 4) and (2,): indices of shape (2,) must have 2 axes":
        (ag.ShapeError, lambda: ag.take_along_dim(x34, TWO, 0)),
    "put_along_dim got values of shape (3,) and indices of shape (2,): they must have one shape":
        (ag.ShapeError, lambda: ag.put_along_dim(x3, TWO, (3,), 0)),
    "take got shapes (3,) and (2,): index 9 is out of bounds": (IndexError, lambda: x3.take(FAR)),
    "put got shapes (3,) and (2,) and (3,): the source has 3 elements for 2 places":
        (ag.ShapeError, lambda: x3.put(TWO, x3)),
    "scatter got shapes (3,) and (2,): it needs src or value":
        (TypeError, lambda: x3.scatter(0, TWO)),
    "scatter got shapes (3,) and (2,): reduce must be \"add\" or \"multiply\", got 'max'":
        (ValueError, lambda: x3.scatter(0, TWO, 1.0, reduce="max")),
    "scatter_add got shapes (3,) and (2,) and (1,): the index of shape (2,) is larger than src":
        (ag.ShapeError, lambda: x3.scatter_add(0, TWO, ag.ones(1))),
    "scatter_reduce got shapes (3,) and (2,) and (3,): reduce='max' must be one of sum, prod":
        (ValueError, lambda: x3.scatter_reduce(0, TWO, x3, "max")),
    "scatter_reduce got shapes (2,) and (2,) and (2,): the mean needs a floating dtype, got int64":
        (TypeError, lambda: TWO.scatter_reduce(0, TWO, TWO, "mean")),
    "index_select got shapes (3, 4) and (2, 2): the index of shape (2, 2) must be a vector":
        (ag.ShapeError, lambda: x34.index_select(0, SQUARE)),
    "index_select got shapes (3, 4) and (2,): index 9 is out of range for dim 0 of size 3":
        (IndexError, lambda: x34.index_select(0, FAR)),
    "index_add got shapes (3,) and (2,) and (3,): the source of shape (3,) must have the shape":
        (ag.ShapeError, lambda: x3.index_add(0, TWO, x3)),
    "index_add got shapes () and (2,) and (2,): a tensor without axes needs one index and one":
        (ag.ShapeError, lambda: ag.tensor(1.0).index_add(0, ag.tensor([0, 0]), ag.ones(2))),
    "index_fill got shapes (3,) and (2,) and (3,): the value of shape (3,) must be a single":
        (ag.ShapeError, lambda: x3.index_fill(0, TWO, x3)),
    "masked_fill got shapes (3,) and (3,): the mask must be bool, got float32":
        (TypeError, lambda: x3.masked_fill(x3, 1.0)),
    "masked_fill got shapes (3,) and (3,) and (3,): the value of shape (3,) must be a single":
        (ag.ShapeError, lambda: x3.masked_fill(x3 > 0, x3)),
    "masked_fill got shapes (2,) and (2,): 1.5 cannot be stored in a tensor of int64":
        (TypeError, lambda: TWO.masked_fill(TWO > 0, 1.5)),
    "masked_scatter got shapes (3,) and (3,) and (1,): the source has 1 elements for 3 places":
        (ag.ShapeError, lambda: x3.masked_scatter(x3 > 0, ag.ones(1))),
    "one_hot got shape (2,), num_classes=1: class 1 is out of range, it must be in [0, 1)":
        (IndexError, lambda: ag.one_hot(TWO, 1)),
    "class -1 is out of range, it must be in [0, 1)": (IndexError, lambda: ag.one_hot(BACK)),
    "num_classes must be given, and positive, where there are no classes":
        (ValueError, lambda: ag.one_hot(ag.zeros(0, dtype=ag.int64))),
}  # fmt: skip


@pytest.mark.parametrize(("text", "case"), REFUSED.items(), ids=[t[:40] for t in REFUSED])
def test_what_does_not_fit_is_said(
    text: str, case: tuple[type[Exception], Callable[[], Any]]
) -> None:
    with pytest.raises(case[0], match=re.escape(text)):
        case[1]()
