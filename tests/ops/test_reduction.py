"""Reductions and running totals where they are not smooth, not finite, empty or wrongly called."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import autograd_core as ag

inf, nan = math.inf, math.nan


def gradient(f: Any, x: Any) -> list[Any]:
    """Return the gradient of the sum of f at x."""
    leaf = ag.tensor(x, dtype=ag.float64, requires_grad=True)
    y = f(leaf)
    (y if isinstance(y, ag.Tensor) else y[0]).sum().backward()
    return leaf.grad.tolist()


def hessian(f: Any, x: list[float]) -> list[Any]:
    leaf = ag.tensor(x, dtype=ag.float64, requires_grad=True)
    slope: Any = ag.autograd.grad(f(leaf), [leaf], create_graph=True)[0]
    rows: Any = [ag.autograd.grad(slope[i], [leaf], retain_graph=True) for i in range(len(x))]
    return [row.tolist() for (row,) in rows]


def test_prod_differentiates_past_zeros() -> None:
    assert gradient(lambda x: x.prod(), [2.0, 0.0, 3.0]) == [0.0, 6.0, 0.0]
    assert gradient(lambda x: x.prod(), [2.0, 0.0, 3.0, 0.0]) == [0.0] * 4
    assert gradient(lambda x: x.prod(1), [[0.0, 5.0], [2.0, 3.0]]) == [[5.0, 0.0], [3.0, 2.0]]


def test_prod_has_the_right_second_derivative_with_zeros() -> None:
    assert hessian(lambda x: x.prod(), [2.0, 0.0, 3.0]) == [[0, 3, 0], [3, 0, 2], [0, 2, 0]]
    assert hessian(lambda x: x.prod(), [0.0, 5.0, 0.0]) == [[0, 0, 5], [0, 0, 0], [5, 0, 0]]


def test_prod_s_gradient_neither_overflows_nor_vanishes_with_the_product() -> None:
    assert gradient(lambda x: x.prod(), [1e-200, 1e-200, 1e300]) == [1e100, 1e100, 0.0]


def test_cumprod_differentiates_past_zeros() -> None:
    assert gradient(lambda x: x.cumprod(0), [2.0, 0.0, 3.0, 0.0, 4.0]) == [1, 8, 0, 0, 0]
    assert hessian(lambda x: x.cumprod(0).sum(), [0.0, 0.0]) == [[0, 1], [1, 0]]


def test_std_of_equal_numbers_is_flat() -> None:
    assert gradient(lambda x: x.std(), [0.1, 0.1, 0.1]) == [0.0] * 3
    assert ag.tensor([0.1] * 7).std().item() == 0.0
    assert gradient(lambda x: x.var(), [2.0, 2.0]) == [0.0, 0.0]


def test_the_variance_of_one_number_is_nan() -> None:
    assert math.isnan(ag.tensor([2.0]).var().item())
    assert ag.tensor([2.0]).var(correction=0).item() == 0.0
    assert math.isnan(ag.tensor([]).var().item())


@pytest.mark.parametrize("dim", [None, 1])
def test_the_variance_keeps_its_digits_beside_a_large_mean(
    dim: int | None, rng: np.random.Generator
) -> None:
    x = rng.normal(1e4, 1e-2, (4, 5000)).astype(np.float32)
    exact = x.astype(np.float64).var(dim, ddof=1)
    np.testing.assert_allclose(ag.tensor(x).var(dim).numpy(), exact, rtol=1e-5)


def test_float16_adds_up_in_float32() -> None:
    x = ag.full((5000, 2), 1.0, dtype=ag.float16)
    assert x.sum(0).tolist() == [5000.0, 5000.0]
    assert x.mean(0).tolist() == [1.0, 1.0]
    assert x.cumsum(0)[-1].tolist() == [5000.0, 5000.0]
    assert x.softmax(0).dtype == x.norm().dtype == x.var().dtype == ag.float16


def test_var_understands_the_older_unbiased() -> None:
    x = ag.tensor([1.0, 2.0, 4.0])
    assert x.var(False).item() == x.var(0, False).item() == x.var(correction=0).item()
    assert x.std(unbiased=True).item() == x.std().item()
    assert ag.std_mean(x, False)[0].item() == x.std(correction=0).item()
    with pytest.raises(TypeError, match=r"var got .*unbiased and correction say the same"):
        x.var(unbiased=True, correction=1)


@pytest.mark.parametrize("p", [0.5, 1.0, 1.5, 2.0, 3.0, inf, -inf, -1.0])
def test_a_norm_of_zeros_is_flat(p: float) -> None:
    assert gradient(lambda x: x.norm(p), [0.0, 0.0]) == [0.0, 0.0]


def test_a_norm_is_flat_in_an_element_that_is_zero() -> None:
    for p in (0.5, 1.0, 1.5, 2.0, 3.0):
        assert gradient(lambda x, p=p: x.norm(p), [0.0, 3.0])[0] == 0.0
    assert gradient(lambda x: x.norm(0), [0.0, 3.0]) == [0.0, 0.0]
    assert gradient(lambda x: x.norm(inf), [1.0, -3.0, 3.0]) == [0.0, -0.5, 0.5]
    assert gradient(lambda x: ag.dist(x, x.detach()), [1.0, 2.0]) == [0.0, 0.0]


def test_the_second_derivative_of_a_norm_at_zero_is_finite() -> None:
    assert np.isfinite(hessian(lambda x: x.norm(), [0.0, 0.0])).all()


def test_renorm_leaves_short_slices_alone() -> None:
    y = ag.tensor([[3.0, 4.0], [0.1, 0.1]]).renorm(2, 0, 1.0)
    np.testing.assert_allclose(y.numpy(), [[0.6, 0.8], [0.1, 0.1]], rtol=1e-6)


def test_nan_wins_in_extremes_and_medians() -> None:
    x = ag.tensor([2.0, nan, 1.0])
    picked = [x.max(), x.min(), x.median(), x.amax(0), x.quantile(0.0)]
    picked += [x.max(0).values, x.median(0).values, x.aminmax().min]
    assert all(math.isnan(y.item()) for y in picked)
    assert x.max(0).indices.item() == x.median(0).indices.item() == 1


def test_nan_does_not_count_where_it_is_told_so() -> None:
    x = ag.tensor([2.0, nan, 1.0, 4.0])
    found = [x.nansum(), x.nanmean(), x.nanmedian(), x.nanmedian(0).values, x.nanquantile(1.0)]
    assert [y.item() for y in found] == pytest.approx([7.0, 7 / 3, 2.0, 2.0, 4.0])
    assert gradient(lambda x: x.nansum(), [3.0, nan]) == [1.0, 0.0]
    nothing = ag.tensor([nan, nan])
    assert nothing.nansum().item() == 0.0
    assert all(math.isnan(y.item()) for y in (nothing.nanmean(), nothing.nanmedian()))


def test_equal_extremes_and_medians_share_the_gradient() -> None:
    assert gradient(lambda x: x.max(), [3.0, nan, nan]) == [0.0, 0.5, 0.5]
    assert gradient(lambda x: x.median(), [2.0, 2.0, 1.0, 3.0]) == [0.5, 0.5, 0.0, 0.0]
    assert gradient(lambda x: x.nanmedian(), [2.0, nan, 1.0, nan, 1.0]) == [0, 0, 0.5, 0, 0.5]
    assert gradient(lambda x: x.aminmax(dim=0).min, [3.0, 2.0, 2.0]) == [0.0, 0.5, 0.5]


def test_the_median_is_the_lower_of_two() -> None:
    assert ag.tensor([4.0, 1.0, 3.0, 2.0]).median().item() == 2.0
    assert ag.tensor([4, 1, 3, 2]).median(0).values.item() == 2


def test_running_extremes_go_to_the_latest_of_equals() -> None:
    y = ag.tensor([2.0, 1.0, 2.0, nan, 3.0, nan, 3.0]).cummax(0)
    assert str(y.values.tolist()) == "[2.0, 2.0, 2.0, nan, nan, nan, nan]"
    assert y.indices.tolist() == [0, 0, 2, 3, 3, 5, 5]
    assert gradient(lambda x: x.cummin(0), [2.0, 3.0, 2.0]) == [2.0, 0.0, 1.0]


def test_logsumexp_bears_large_numbers_and_infinities() -> None:
    x = ag.tensor([[1e4, -1e4], [-inf, -inf], [inf, 1.0]])
    assert x.logsumexp(1).tolist() == [1e4, -inf, inf]
    assert ag.zeros(2, 0).logsumexp(1).tolist() == [-inf, -inf]
    assert x.softmax(1)[0].tolist() == [1.0, 0.0]
    assert x.log_softmax(1)[0].tolist() == [0.0, -2e4]


def test_logcumsumexp_bears_large_numbers_and_infinities() -> None:
    y = ag.tensor([1e4, -1e4, 1e4]).logcumsumexp(0)
    assert y.tolist() == pytest.approx([1e4, 1e4, 1e4 + math.log(2.0)])
    found = gradient(lambda x: x.logcumsumexp(0), [1e4, -1e4, 1e4])
    np.testing.assert_allclose(found, [2.5, 0.0, 0.5])
    found = gradient(lambda x: x.logcumsumexp(0)[2:], [-inf, -inf, 1.0, 1.0])
    np.testing.assert_allclose(found, [0.0, 0.0, 1.5, 0.5])


def test_reductions_of_nothing_give_their_identity() -> None:
    x = ag.zeros(0, 3)
    assert (x.prod().item(), x.all().item(), x.any().item()) == (1.0, True, False)
    assert x.prod(0).tolist() == [1.0] * 3
    assert x.count_nonzero().item() == 0
    assert x.norm().item() == x.nansum().item() == 0.0
    assert x.cumsum(0).shape == x.softmax(0).shape == (0, 3)
    assert x.amax(1).shape == x.max(1).values.shape == (0,)


@pytest.mark.parametrize(
    "name", ["amax", "amin", "max", "min", "argmax", "argmin", "median", "mode", "nanmedian"]
)
def test_an_axis_of_size_0_has_no_extreme(name: str) -> None:
    with pytest.raises(IndexError, match=r"none along axis 0, which has size 0"):
        getattr(ag.zeros(0, 3), name)(0)


def test_what_has_no_identity_refuses_nothing() -> None:
    with pytest.raises(ag.ShapeError, match=r"norm got shape \(0,\), p=inf.*among no elements"):
        ag.zeros(0).norm(inf)
    with pytest.raises(ag.ShapeError, match=r"quantile got shape \(0,\): there is none"):
        ag.zeros(0).quantile(0.5)
    assert math.isnan(ag.zeros(0).median().item())


def test_truths_of_bytes_are_bytes() -> None:
    x = ag.tensor([1, 0], dtype=ag.uint8)
    assert (x.all().dtype, x.any(0).dtype, x.prod().dtype) == (ag.uint8, ag.uint8, ag.int64)


def test_numpy_s_names_are_understood() -> None:
    x = ag.ones(2, 3)
    assert x.var(axis=1, keepdims=True).shape == x.nansum(axis=1, keepdims=True).shape == (2, 1)
    assert x.max(axis=1).values.shape == x.median(axis=1).values.shape == (2,)
    assert x.cumsum(axis=0).shape == (2, 3)
    assert ag.quantile(input=x, q=0.5, axis=0, keepdims=True).shape == (1, 3)


def test_an_axis_out_of_range_is_named() -> None:
    x = ag.ones(2, 3)
    for call in (x.sum, x.max, x.argmax, x.var, x.cumsum, x.median, x.prod, x.softmax, x.diff):
        with pytest.raises(IndexError, match=r"dim 2 is out of range, it must be in \[-2, 1\]"):
            call(dim=2)


@pytest.mark.parametrize("name", ["var", "std", "norm", "nanmean"])
def test_whole_numbers_have_no_statistics(name: str) -> None:
    with pytest.raises(ag.DtypeError, match=rf"{name} got .*floating dtype.*\.float\(\) first"):
        getattr(ag.tensor([1, 2]), name)()


def test_a_quantile_outside_of_0_and_1_is_refused() -> None:
    x = ag.ones(3)
    with pytest.raises(ValueError, match=r"quantile got shape \(3,\): q is 1.5.*in \[0, 1\]"):
        x.quantile(1.5)
    with pytest.raises(ValueError, match=r"interpolation is 'cubic', it must be one of linear"):
        x.quantile(0.5, interpolation="cubic")
    with pytest.raises(ag.ShapeError, match=r"q has shape \(1, 1\)"):
        x.quantile(ag.ones(1, 1))
    with pytest.raises(ag.DtypeError, match=r"quantile got .*not int64"):
        ag.tensor([1]).quantile(0.5)


def test_quantiles_make_a_new_first_axis() -> None:
    x = ag.ones(2, 3, 4)
    q = ag.tensor([0.1, 0.9])
    assert x.quantile(q, 1).shape == (2, 2, 4)
    assert x.quantile(q, 1, keepdim=True).shape == (2, 2, 1, 4)
    assert x.quantile(0.5, keepdim=True).shape == (1, 1, 1)
    assert gradient(lambda x: x.quantile(0.5), [2.0, 2.0, 2.0, 7.0]) == [0.0, 0.5, 0.5, 0.0]


def test_wrong_calls_of_norms_are_refused() -> None:
    with pytest.raises(ValueError, match=r"norm got shape \(2, 2\): p is 'max'.*'fro' or 'nuc'"):
        ag.ones(2, 2).norm("max")
    with pytest.raises(ag.ShapeError, match=r"renorm got shape .*at least two axes"):
        ag.ones(2).renorm(2, 0, 1.0)
    with pytest.raises(ValueError, match=r"maxnorm is -1.0"):
        ag.ones(2, 2).renorm(2, 0, -1.0)


def test_differences_need_an_axis_and_a_count() -> None:
    with pytest.raises(ag.ShapeError, match=r"diff got shape \(\): it needs at least one axis"):
        ag.tensor(1.0).diff()
    with pytest.raises(ValueError, match="n is -1, it must not be negative"):
        ag.ones(3).diff(-1)
    assert ag.ones(3).diff(5).shape == (0,)


def test_areas_need_a_point_for_each_height() -> None:
    with pytest.raises(ag.ShapeError, match=r"trapezoid got shapes .*one point for each of the 3"):
        ag.trapezoid(ag.ones(2, 3), ag.ones(2))
    with pytest.raises(ag.ShapeError, match=r"cumulative_trapezoid got shape .*at least one axis"):
        ag.cumulative_trapezoid(ag.tensor(1.0))
    assert ag.trapezoid(ag.tensor([1, 2, 4])).item() == 4.5
    assert ag.trapz is ag.trapezoid
