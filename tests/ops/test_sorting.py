"""Orders, selections and counts: ties, NaN, several results, and what is refused."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import autograd_core as ag

nan = math.nan


def test_equal_elements_keep_their_order() -> None:
    x = ag.tensor([2.0, 1.0, 2.0, 1.0])
    assert x.argsort().tolist() == [1, 3, 0, 2]
    assert x.argsort(descending=True).tolist() == [0, 2, 1, 3]


@pytest.mark.parametrize("dtype", [ag.float32, ag.int64], ids=str)
def test_a_long_row_with_equals_is_sorted_stably(dtype: Any, rng: np.random.Generator) -> None:
    x = rng.integers(0, 50, 5000).astype(dtype)
    np.testing.assert_array_equal(ag.tensor(x).argsort().numpy(), x.argsort(kind="stable"))


def test_nan_is_the_largest() -> None:
    x = ag.tensor([2.0, nan, 1.0, nan])
    assert x.argsort().tolist() == [2, 0, 1, 3]
    assert x.argsort(descending=True).tolist() == [1, 3, 0, 2]
    assert x.topk(3).indices.tolist() == [1, 3, 0]
    assert x.kthvalue(2).values.item() == 2.0
    assert math.isnan(x.kthvalue(3).values.item())


def test_results_have_names_and_gradients_go_to_their_places() -> None:
    x = ag.tensor([3.0, 1.0, 2.0], requires_grad=True)
    y = x.sort()
    assert (y.values.tolist(), y.indices.tolist()) == ([1.0, 2.0, 3.0], [1, 2, 0])
    assert y.indices.dtype == ag.int64
    assert not y.indices.requires_grad
    (y.values * ag.tensor([1.0, 10.0, 100.0])).sum().backward()
    assert x.grad.tolist() == [100.0, 1.0, 10.0]


def test_truths_and_whole_numbers_sort() -> None:
    assert ag.tensor([True, False]).sort().indices.tolist() == [1, 0]
    assert ag.tensor([3, 1, 2]).topk(2).values.tolist() == [3, 2]
    assert ag.tensor([[3, 1], [1, 3]]).msort().tolist() == [[1, 1], [3, 3]]


def test_topk_takes_equals_in_the_order_of_their_places() -> None:
    x = ag.tensor([1.0, 5.0, 5.0, 0.0])
    assert x.topk(3).indices.tolist() == [1, 2, 0]
    assert x.topk(2, largest=False).indices.tolist() == [3, 0]


@pytest.mark.parametrize(("name", "low", "k"), [("topk", 0, 4), ("kthvalue", 1, 0)])
def test_a_rank_out_of_range_is_refused(name: str, low: int, k: int) -> None:
    with pytest.raises(
        ag.ShapeError, match=rf"{name} got shape \(3,\), k={k}: k is out of range.*\[{low}, 3\]"
    ):
        getattr(ag.ones(3), name)(k)


def test_mode_is_the_smallest_of_the_most_frequent_and_comes_last() -> None:
    y = ag.tensor([[3.0, 1.0, 3.0, 1.0], [2.0, 5.0, 5.0, 0.0]]).mode()
    assert (y.values.tolist(), y.indices.tolist()) == ([1.0, 5.0], [3, 2])


def test_unique_gives_what_is_asked_for() -> None:
    x = ag.tensor([3, 1, 3])
    assert isinstance(x.unique(), ag.Tensor)
    values, counts = x.unique(return_counts=True)
    assert (values.tolist(), counts.tolist()) == ([1, 3], [1, 2])
    assert x.unique(return_inverse=True)[1].tolist() == [1, 0, 1]
    assert x.unique_consecutive().tolist() == [3, 1, 3]


def test_each_nan_is_unique() -> None:
    assert len(ag.tensor([nan, nan, 1.0]).unique()) == 3
    assert len(ag.tensor([nan, nan, 1.0]).unique_consecutive()) == 3


def test_unique_of_nothing_is_nothing() -> None:
    assert ag.zeros(0).unique().shape == ag.zeros(0).unique_consecutive().shape == (0,)


def test_bincount_adds_weights_in_their_dtype() -> None:
    x = ag.tensor([1, 2, 1])
    assert x.bincount(ag.tensor([0.5, 1.0, 2.0])).tolist() == [0.0, 2.5, 1.0]
    assert x.bincount(ag.tensor([0.5, 1.0, 2.0])).dtype == ag.float32
    assert x.bincount(ag.tensor([1, 2, 3])).dtype == ag.float64
    assert ag.tensor([], dtype=ag.int64).bincount().shape == (0,)


@pytest.mark.parametrize("x", [[-1], [[1]], [1.5]])
def test_bincount_needs_whole_numbers_in_a_row(x: Any) -> None:
    with pytest.raises(ag.ShapeError, match=r"bincount got .*whole numbers, none negative"):
        ag.tensor(x).bincount()


def test_bincount_needs_one_weight_each() -> None:
    with pytest.raises(ag.ShapeError, match="one weight for each number"):
        ag.tensor([1]).bincount(ag.ones(2))
    with pytest.raises(ag.ShapeError, match="minlength is -1"):
        ag.tensor([1]).bincount(minlength=-1)


def test_searchsorted_goes_before_or_after_equals() -> None:
    edges = ag.tensor([1.0, 3.0, 5.0])
    assert ag.searchsorted(edges, ag.tensor([3.0, nan])).tolist() == [1, 3]
    assert ag.searchsorted(edges, ag.tensor([3.0]), side="right").tolist() == [2]
    assert ag.searchsorted(edges, 2.0).item() == 1
    assert ag.bucketize(3, edges, right=True, out_int32=True).dtype == ag.int32


def test_searchsorted_refuses_sides_and_shapes_that_do_not_fit() -> None:
    rows = ag.tensor([[1.0, 2.0], [3.0, 4.0]])
    with pytest.raises(ag.ShapeError, match=r"searchsorted got .*all axes but the last"):
        ag.searchsorted(rows, ag.ones(3))
    with pytest.raises(ValueError, match="side 'left' contradicts right=True"):
        ag.searchsorted(rows[0], ag.ones(3), right=True, side="left")
    with pytest.raises(ValueError, match="side is 'middle', it must be 'left' or 'right'"):
        ag.searchsorted(rows[0], ag.ones(3), side="middle")


def test_isin_takes_numbers_and_does_not_find_nan() -> None:
    assert ag.isin(ag.tensor([1, 2]), 2).tolist() == [False, True]
    assert ag.isin(1, ag.tensor([1])).item() is True
    assert ag.isin(ag.tensor([nan]), ag.tensor([nan])).tolist() == [False]


def test_histc_leaves_out_what_lies_outside() -> None:
    x = ag.tensor([1.0, 2.0, 2.0, 3.0, nan, 9.0])
    assert x.histc(4, 0, 4).tolist() == [0.0, 1.0, 2.0, 1.0]
    assert ag.tensor([1.0, 2.0, 2.0, 3.0]).histc(4).tolist() == [1.0, 0.0, 2.0, 1.0]
    assert ag.ones(3).histc(4).tolist() == [0.0, 0.0, 3.0, 0.0]
    assert ag.zeros(0).histc(2).tolist() == [0.0, 0.0]


def test_wrong_calls_of_histc_are_refused() -> None:
    with pytest.raises(ValueError, match=r"histc got .*bins is 0, it must be positive"):
        ag.ones(3).histc(0)
    with pytest.raises(ValueError, match="max is 1, it must not be below min, which is 3"):
        ag.ones(3).histc(2, 3, 1)
    with pytest.raises(ValueError, match="the range from nan to nan must be finite"):
        ag.tensor([nan]).histc()
    with pytest.raises(ag.DtypeError, match=r"histc got .*floating dtype, not int64"):
        ag.tensor([1]).histc()


def test_a_histogram_takes_edges_and_weights() -> None:
    x = ag.tensor([1.0, 2.0, 2.0, 3.0])
    assert x.histogram(4).bin_edges.tolist() == [1.0, 1.5, 2.0, 2.5, 3.0]
    y = x.histogram(ag.tensor([0.0, 2.0, 3.0]), density=True)
    assert y.hist.tolist() == [0.125, 0.75]
    assert x.histogram(2, range=(1.0, 3.0), weight=ag.ones(4) * 2).hist.tolist() == [2.0, 6.0]


@pytest.mark.parametrize(
    ("pick", "places"),
    [
        (lambda x: x.max(0).values, [0.0, 2.0, 0.0]),
        (lambda x: x.topk(2).values, [0.0, 2.0, 2.0]),
        (lambda x: x.sort().values, [2.0, 2.0, 2.0]),
    ],
    ids=["max", "topk", "sort"],
)
def test_the_values_that_were_picked_may_be_changed_in_place(pick: Any, places: Any) -> None:
    x = ag.tensor([1.0, 3.0, 2.0], requires_grad=True)
    pick(x).mul_(2).sum().backward()
    assert x.grad.tolist() == places
