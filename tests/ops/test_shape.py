"""Views, joining, parting, padding and turning: what shares memory, and what is refused."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd_core as ag


def shares(a: Any, b: Any) -> bool:
    return np.shares_memory(a._array, b._array)


VIEWS: dict[str, Callable[[Any], Any]] = {
    "reshape": lambda x: x.reshape(4, 3),
    "view": lambda x: x.view(-1),
    "flatten": lambda x: x.flatten(),
    "flatten nothing": lambda x: x.flatten(1, 1),
    "unflatten": lambda x: x.unflatten(1, (2, -1)),
    "squeeze nothing": lambda x: x.squeeze(),
    "unsqueeze": lambda x: x.unsqueeze(-1),
    "transpose": lambda x: x.transpose(0, 0),
    "permute": lambda x: x.permute(1, 0),
    "movedim": lambda x: x.movedim(0, -1),
    "expand": lambda x: x.expand(2, 3, 4),
    "index": lambda x: x[1],
    "one element": lambda x: x[1, 2],
    "slice": lambda x: x[:, 1:3],
    "narrow": lambda x: x.narrow(0, 1, 2),
    "select": lambda x: x.select(1, -1),
    "diagonal": lambda x: x.diagonal(),
    "unfold": lambda x: x.unfold(1, 2, 1),
    "split": lambda x: x.split(2)[0],
    "unbind": lambda x: x.unbind()[1],
    "hsplit": lambda x: x.hsplit(2)[1],
    "tensor_split": lambda x: x.tensor_split((3, 1))[2],
}


@pytest.mark.parametrize("see", VIEWS.values(), ids=VIEWS)
def test_a_view_shares_the_memory_and_its_changes(see: Callable[[Any], Any]) -> None:
    x = ag.arange(12.0).reshape(3, 4)
    y = see(x)
    assert shares(x, y)
    x.mul_(2.0)
    assert y.tolist() == see(x).tolist()
    assert y._version == x._version


@pytest.mark.parametrize("see", VIEWS.values(), ids=VIEWS)
def test_a_gradient_through_a_view_sees_a_later_change_of_the_base(
    see: Callable[[Any], Any],
) -> None:
    w = ag.ones(3, 4, requires_grad=True)
    x = w * 1.0
    y = see(x)
    x.mul_(3.0)
    (3.0 * y).sum().backward()
    expected = ag.ones(3, 4, requires_grad=True)
    (9.0 * see(expected)).sum().backward()
    assert w.grad.tolist() == expected.grad.tolist()


COPIES: dict[str, Callable[[Any], Any]] = {
    "flip": lambda x: x.flip(()),
    "roll": lambda x: x.roll(0),
    "rot90": lambda x: x.rot90(0),
    "repeat": lambda x: x.repeat(1, 1),
    "repeat_interleave": lambda x: x.repeat_interleave(1, 0),
    "diag": lambda x: x.diag(),
    "tril": lambda x: x.tril(3),
    "cat": lambda x: ag.cat([x]),
    "as_strided": lambda x: x.as_strided((2,), (1,)),
    "mask": lambda x: x[x > -1],
    "positions": lambda x: x[[0, 1]],
}


@pytest.mark.parametrize("copy", COPIES.values(), ids=COPIES)
def test_a_copy_is_one_even_where_nothing_moves(copy: Callable[[Any], Any]) -> None:
    x = ag.arange(12.0).reshape(3, 4)
    assert not shares(x, copy(x))


def test_one_element_is_a_view_that_can_be_written() -> None:
    x = ag.arange(3.0)
    x[1].mul_(10.0)
    assert x.tolist() == [0.0, 10.0, 2.0]


def test_a_diagonal_can_be_written() -> None:
    w = ag.ones(2, 3, requires_grad=True)
    x = w * 1.0
    x.diagonal().mul_(5.0)
    x.sum().backward()
    assert w.grad.tolist() == [[5.0, 1.0, 1.0], [1.0, 5.0, 1.0]]


@pytest.mark.parametrize("part", [lambda x: x.split(2)[0], lambda x: x.unbind()[0]])
def test_one_of_several_results_cannot_be_changed_in_place(part: Callable[[Any], Any]) -> None:
    x = ag.ones(4, 2, requires_grad=True) * 1.0
    with pytest.raises(ag.GraphError, match="this view is one of several results of"):
        part(x).mul_(2.0)
    part(x.detach()).mul_(2.0)


def test_parts_that_nobody_used_send_zeros() -> None:
    x = ag.ones(5, requires_grad=True, dtype=ag.float32)
    _, second, _ = x.split(2)
    second.sum().backward()
    assert x.grad.tolist() == [0.0, 0.0, 1.0, 1.0, 0.0]
    assert x.grad.dtype == ag.float32


def test_windows_that_overlap_cannot_be_written() -> None:
    with pytest.raises(ag.GraphError, match="the memory of this tensor is read-only"):
        ag.ones(5).unfold(0, 3, 1).mul_(2.0)


def test_an_empty_axis_still_has_pieces() -> None:
    x = ag.zeros(0, 3)
    assert [p.shape for p in x.split(2)] == [(0, 3)]
    assert [p.shape for p in x.chunk(2)] == [(0, 3), (0, 3)]
    assert x.unbind() == ()
    assert [p.shape for p in x.tensor_split(2)] == [(0, 3), (0, 3)]
    assert [p.shape for p in x.split(0)] == [(0, 3)]


def test_fewer_chunks_come_than_were_asked_for() -> None:
    assert [len(p) for p in ag.arange(6).chunk(4)] == [2, 2, 2]
    assert [len(p) for p in ag.arange(3).chunk(5)] == [1, 1, 1]


def test_tensor_split_takes_a_tensor_of_cuts() -> None:
    assert [len(p) for p in ag.arange(5).tensor_split(ag.tensor([1, 2]))] == [1, 1, 3]


def test_integers_and_truths_keep_their_dtype() -> None:
    x = ag.arange(4).reshape(2, 2)
    for y in (x.tril(), x.flip(0), x.diag(), x.repeat(2, 1), ag.pad(x, (1, 1), value=2.7)):
        assert y.dtype == ag.int64
    assert ag.pad(x > 1, (1, 0), value=1.0).tolist() == [[True, False, False], [True, True, True]]


def test_pieces_are_cut_by_numpy_s_names_too() -> None:
    x: Any = ag.arange(6.0).reshape(2, 3)
    assert x.split(1, axis=1)[2].tolist() == [[2.0], [5.0]]
    assert x.narrow(axis=1, start=0, length=1).tolist() == [[0.0], [3.0]]
    assert ag.hstack([x, x]).shape == (2, 6)
    assert ag.unflatten(input=x, dim=1, sizes=(3, 1)).shape == (2, 3, 1)


def test_atleast_takes_several_tensors_or_a_sequence() -> None:
    a, b = ag.tensor(1.0), ag.ones(2, 2)
    assert [x.shape for x in ag.atleast_2d(a, b)] == [(1, 1), (2, 2)]
    assert [x.shape for x in ag.atleast_3d([a, b])] == [(1, 1, 1), (2, 2, 1)]


def test_padding_with_a_circle_crops_first_and_with_a_mirror_last() -> None:
    x = ag.arange(3.0).reshape(1, 1, 3)
    assert ag.pad(x, (-1, 2), "circular").flatten().tolist() == [1.0, 2.0, 1.0, 2.0]
    assert ag.pad(x, (-1, 2), "reflect").flatten().tolist() == [1.0, 2.0, 1.0, 0.0]


def test_zeros_pass_triangles_even_beside_nan_and_infinity() -> None:
    x = ag.tensor([[1.0, float("nan")], [float("inf"), 2.0]])
    assert x.tril().triu().tolist() == [[1.0, 0.0], [0.0, 2.0]]


def test_places_of_triangles_read_them() -> None:
    x = ag.arange(12.0).reshape(3, 4)
    low, high = ag.tril_indices(3, 4, -1), ag.triu_indices(3, 4, 2)
    assert low.tolist() == [[1, 2, 2], [0, 0, 1]]
    assert x[low[0], low[1]].tolist() == [4.0, 8.0, 9.0]
    assert x[tuple(high)].tolist() == [2.0, 3.0, 7.0]
    assert ag.tril_indices(0, 2).shape == (2, 0)
    with pytest.raises(ValueError, match=r"tril_indices"):
        ag.tril_indices(-1, 2)


def test_a_size_below_minus_one_is_refused() -> None:
    with pytest.raises(ag.ShapeError, match=r"cannot take the shape \(-2,\): at most one size may"):
        ag.ones(4).reshape(-2)


x34, x3 = ag.ones(3, 4), ag.ones(3)

REFUSED: dict[str, tuple[type[Exception], Callable[[], Any]]] = {
    "reshape got shape (3, 4), shape=(5, -1): cannot take the shape (5, -1): x has 12 elements":
        (ag.ShapeError, lambda: x34.reshape(5, -1)),
    "view got shape (4, 3), shape=(12,): strides":
        (ag.ShapeError, lambda: x34.t().view(12)),
    "flatten got shape (3, 4), start_dim=1, end_dim=0: start_dim 1 comes after end_dim 0":
        (ag.ShapeError, lambda: x34.flatten(1, 0)),
    "unflatten got shape (3, 4): sizes (2, 3) must have the product 4":
        (ag.ShapeError, lambda: x34.unflatten(1, (2, 3))),
    "transpose got shape (3, 4), dim0=0, dim1=2: dim 2 is out of range, it must be in [-2, 1]":
        (IndexError, lambda: x34.transpose(0, 2)),
    "permute got shape (3, 4), dims=(0, 0): dims (0, 0) are not an order of its 2 axes":
        (ag.ShapeError, lambda: x34.permute(0, 0)),
    "movedim got shape (3, 4): 2 sources cannot go to 1 destinations":
        (ag.ShapeError, lambda: x34.movedim((0, 1), 0)),
    "expand got shape (3, 4), shape=(3, 5): cannot expand to (3, 5): axis 1 is 4, not 1":
        (ag.ShapeError, lambda: x34.expand(3, 5)),
    "expand got shape (3,), shape=(-1, 3): cannot expand to (-1, 3): a new axis needs a size":
        (ag.ShapeError, lambda: x3.expand(-1, 3)),
    "broadcast_tensors got shapes (3, 4) and (3,): they do not broadcast":
        (ag.ShapeError, lambda: ag.broadcast_tensors(x34, x3)),
    "cat needs at least one tensor": (ag.ShapeError, lambda: ag.cat([])),
    "cat got shape (): a tensor without axes cannot be joined: see stack":
        (ag.ShapeError, lambda: ag.cat([ag.tensor(1.0)])),
    "view to another dtype is not supported: use .to(dtype)":
        (TypeError, lambda: x34.view(ag.float64)),
    "repeat got shape (3, 4): (2,) must have a number for each of its 2 axes":
        (ag.ShapeError, lambda: x34.repeat(2)),
    "tile got shape (3,): it cannot be repeated (-1,) times: none may be negative":
        (ag.ShapeError, lambda: x3.tile(-1)),
    "repeat_interleave got shapes (3, 4) and (2,): repeats of shape (2,) must be one whole number":
        (ag.ShapeError, lambda: x34.repeat_interleave(ag.tensor([1, 2]), 0)),
    "repeat_interleave got shape (3,): no part can be repeated a negative number of times":
        (ag.ShapeError, lambda: x3.repeat_interleave(-1)),
    "meshgrid got indexing='yx': it must be \"ij\" or \"xy\"":
        (ValueError, lambda: ag.meshgrid(x3, indexing="yx")),
    "meshgrid got shapes (3, 4): it needs vectors or numbers":
        (ag.ShapeError, lambda: ag.meshgrid(x34)),
    "cartesian_prod got shapes (3, 4): it needs vectors":
        (ag.ShapeError, lambda: ag.cartesian_prod(x34)),
    "combinations got shape (3, 4): it needs a vector":
        (ag.ShapeError, lambda: ag.combinations(x34)),
    "block_diag got shapes (3,) and (1, 1, 1): it needs matrices, vectors or numbers":
        (ag.ShapeError, lambda: ag.block_diag(x3, ag.ones(1, 1, 1))),
    "split got shape (3,): the size of a piece must be positive, got 0":
        (ag.ShapeError, lambda: x3.split(0)),
    "split_with_sizes got shape (3,): the sizes (1, 1) must add up to 3, its size along dim 0":
        (ag.ShapeError, lambda: x3.split([1, 1])),
    "chunk got shape (3,): chunks must be at least 1, got 0":
        (ag.ShapeError, lambda: x3.chunk(0)),
    "tensor_split got shape (3,): the number of sections must be at least 1, got 0":
        (ag.ShapeError, lambda: x3.tensor_split(0)),
    "hsplit got shape (3,): its size 3 along dim 0 is not divisible by 2":
        (ag.ShapeError, lambda: x3.hsplit(2)),
    "vsplit got shape (3,): it needs at least 2 axes": (ag.ShapeError, lambda: x3.vsplit(3)),
    "unbind got shape (): a tensor without axes has no parts":
        (IndexError, lambda: ag.tensor(1.0).unbind()),
    "narrow got shape (3,): start 4 is out of range, it must be in [-3, 3]":
        (IndexError, lambda: x3.narrow(0, 4, 0)),
    "narrow got shape (3,): length 3 must be in [0, 2], from 1 on":
        (ag.ShapeError, lambda: x3.narrow(0, 1, 3)),
    "select got shape (3,): index 3 is out of range for dim 0 of size 3":
        (IndexError, lambda: x3.select(0, 3)),
    "unfold got shape (3,), dimension=0, size=4, step=1: windows must fit into the axis of 3":
        (ag.ShapeError, lambda: x3.unfold(0, 4, 1)),
    "as_strided got shape (3,): size (2, 2) and stride (1,) must be equally long":
        (ag.ShapeError, lambda: x3.as_strided((2, 2), (1,))),
    "diagonal got shape (3, 4), dim2=0: it needs two different axes":
        (ag.ShapeError, lambda: x34.diagonal(0, 0, 0)),
    "diag_embed got shape (3,): dim1=0 and dim2=0 must be two different axes of the result":
        (ag.ShapeError, lambda: x3.diag_embed(0, 0, 0)),
    "diag got shape (1, 1, 1): it needs a vector or a matrix":
        (ag.ShapeError, lambda: ag.ones(1, 1, 1).diag()),
    "tril got shape (3,): it needs at least two axes": (ag.ShapeError, lambda: x3.tril()),
    "fliplr got shape (3,): it needs at least two axes": (ag.ShapeError, lambda: x3.fliplr()),
    "flipud got shape (): it needs at least one axis":
        (ag.ShapeError, lambda: ag.tensor(1.0).flipud()),
    "roll got shape (3, 4), shifts=(1, 2): several shifts need as many dims":
        (ag.ShapeError, lambda: x34.roll((1, 2))),
    "roll got shape (3, 4), shifts=(1, 2), dims=(0,): 2 shifts do not fit 1 dims":
        (ag.ShapeError, lambda: x34.roll((1, 2), (0,))),
    "pad got pad=(1, 1, 1, 1) for shape (3,): it needs two numbers for each axis, the last one":
        (ag.ShapeError, lambda: ag.pad(x3, (1, 1, 1, 1))),
    "pad got mode='mirror': it must be one of constant, reflect, replicate, circular":
        (ValueError, lambda: ag.pad(x3, (1, 1), "mirror")),
    "pad got value=1.0 for mode='reflect': only a constant takes one":
        (ValueError, lambda: ag.pad(x3, (1, 1), "reflect", 1.0)),
    "(3, 0) for an axis of 3: it must be between 0 and 2":
        (ag.ShapeError, lambda: ag.pad(x3, (3, 0), "reflect")),
    "crops more than there is": (ag.ShapeError, lambda: ag.pad(x3, (-2, -2))),
}  # fmt: skip


@pytest.mark.parametrize(("text", "case"), REFUSED.items(), ids=[t[:40] for t in REFUSED])
def test_what_does_not_fit_is_said(
    text: str, case: tuple[type[Exception], Callable[[], Any]]
) -> None:
    with pytest.raises(case[0], match=re.escape(text)):
        case[1]()
