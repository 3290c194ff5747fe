"""Elementwise ops where their rows do not look: keywords, kinks, dtypes, operators, errors."""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np
import pytest

import autograd_core as ag
from autograd_core.ops import bitwise_and

inf, nan = math.inf, math.nan


def gradients(f: Any, *at: Any) -> list[Any]:
    """Return the gradients of the sum of f, as lists."""
    operands = [ag.tensor(x, dtype=ag.float64, requires_grad=True) for x in at]
    f(*operands).sum().backward()
    return [x.grad.tolist() for x in operands]  # pyright: ignore[reportOptionalMemberAccess]


# Keywords beyond the operands


def test_add_and_sub_take_a_multiple() -> None:
    a, b = ag.tensor([1.0, 2.0], requires_grad=True), ag.tensor([10.0, 20.0], requires_grad=True)
    y = ag.add(a, b, alpha=2) + a.sub(b, alpha=0.5) + ag.rsub(a, b, alpha=3)
    y.sum().backward()
    assert y.tolist() == [21.0 - 4.0 + 7.0, 42.0 - 8.0 + 14.0]
    assert a.grad.tolist() == [-1.0, -1.0]  # pyright: ignore[reportOptionalMemberAccess]
    assert b.grad.tolist() == [2.5, 2.5]  # pyright: ignore[reportOptionalMemberAccess]
    assert ag.ones(2).add_(b.detach(), alpha=0.5).tolist() == [6.0, 11.0]


@pytest.mark.parametrize("name", ["add", "sub"])
def test_integers_take_whole_multiples_only(name: str) -> None:
    x = ag.tensor([1, 2])
    assert ag.add(x, x, alpha=2).tolist() == [3, 6]
    with pytest.raises(ag.DtypeError, match=rf"{name} got alpha=0.5 for integers: .*\.float\(\)"):
        getattr(ag, name)(x, x, alpha=0.5)


def test_an_op_of_two_takes_no_third() -> None:
    with pytest.raises(TypeError, match=r"mul\(\) takes 2 positional arguments"):
        ag.mul(ag.ones(2), ag.ones(2), ag.ones(2))
    with pytest.raises(TypeError, match="alpha"):
        ag.mul(ag.ones(2), ag.ones(2), alpha=2)


def test_div_rounds_down_or_towards_0() -> None:
    x = ag.tensor([7.0, -7.0], requires_grad=True)
    down, nearer = x.div(2, rounding_mode="floor"), ag.div(x, 2, rounding_mode="trunc")
    assert (down.tolist(), nearer.tolist()) == ([3.0, -4.0], [3.0, -3.0])
    (down + nearer).sum().backward()
    assert x.grad.tolist() == [0.0, 0.0]  # pyright: ignore[reportOptionalMemberAccess]
    whole = ag.tensor([7, -7])
    assert ag.div(whole, 2, rounding_mode="trunc").tolist() == [3, -3]
    assert ag.div(whole, 2, rounding_mode="floor").dtype == ag.int64
    assert ag.div(whole, 2, rounding_mode=None).dtype == ag.float32


def test_a_rounding_mode_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="div got rounding_mode='up': it needs None, 'floor' or"):
        ag.div(ag.ones(2), 2, rounding_mode="up")


@pytest.mark.parametrize("f", [ag.floor_divide, ag.remainder, ag.fmod])
def test_integers_cannot_be_divided_by_zero(f: Any) -> None:
    with pytest.raises(
        ag.DtypeError, match=r"got shapes int64\(2,\) and 0: integers cannot be div"
    ):
        f(ag.tensor([1, 2]), 0)
    assert f(ag.tensor([1.0]), 0).isnan().item() is (f is not ag.floor_divide)


# Kinks


def test_fmax_and_fmin_give_a_tie_to_the_first_and_nan_to_nobody() -> None:
    at = [1.0, nan, 2.0, nan], [1.0, 3.0, nan, nan]
    assert gradients(ag.fmax, *at) == [[1.0, 0.0, 1.0, 1.0], [0.0, 1.0, 0.0, 0.0]]
    assert gradients(ag.fmin, *at) == [[1.0, 0.0, 1.0, 1.0], [0.0, 1.0, 0.0, 0.0]]


def test_heaviside_is_flat_but_at_0() -> None:
    x, values = [0.0, -0.0, 1.0, -1.0, nan], [0.5, 2.0, 3.0, 4.0, 5.0]
    y = ag.heaviside(ag.tensor(x), ag.tensor(values))
    assert y.tolist() == [0.5, 2.0, 1.0, 0.0, 0.0]
    assert gradients(ag.heaviside, x, values) == [[0.0] * 5, [1.0, 1.0, 0.0, 0.0, 0.0]]
    assert ag.heaviside(ag.tensor([0, 3]), ag.tensor([7, 7])).dtype == ag.int64
    assert ag.heaviside(ag.zeros(2), 0.5).dtype == ag.float32


def test_the_angle_of_the_origin_is_flat() -> None:
    assert gradients(ag.atan2, [0.0], [0.0]) == [[0.0], [0.0]]


def test_xlogy_of_0_is_0() -> None:
    y = ag.xlogy(ag.tensor([0.0, 0.0, 0.0]), ag.tensor([0.0, -1.0, nan]))
    assert str(y.tolist()) == "[0.0, 0.0, nan]"
    assert gradients(ag.xlogy, [0.0], [0.0])[0] == [0.0]


def test_copysign_of_0_is_flat_and_sees_minus_0() -> None:
    assert (
        str(ag.copysign(ag.tensor([0.0, 3.0]), ag.tensor([-0.0, -0.0])).tolist()) == "[-0.0, -3.0]"
    )
    assert gradients(ag.copysign, [0.0, 3.0], [-1.0, -1.0]) == [[0.0, -1.0], [0.0, 0.0]]


def test_halves_round_to_the_even_neighbour() -> None:
    x = ag.tensor([0.5, 1.5, 2.5, -0.5, 1.25])
    assert x.round().tolist() == [0.0, 2.0, 2.0, 0.0, 1.0]
    assert ag.tensor([1.25, 14.0]).round(decimals=1).tolist() == pytest.approx([1.2, 14.0])
    assert ag.round(ag.tensor([15.0, 25.0]), decimals=-1).tolist() == [20.0, 20.0]


def test_logit_is_nan_outside_unless_it_is_limited() -> None:
    assert str(ag.logit(ag.tensor([0.0, 1.0, -0.5, 1.5])).tolist()) == "[-inf, inf, nan, nan]"
    assert gradients(lambda x: ag.logit(x, eps=0.25), [0.1, 0.5, 0.9]) == [[0.0, 4.0, 0.0]]
    assert str(gradients(ag.logit, [0.0, 1.0, 2.0])) == "[[inf, inf, nan]]"


def test_nan_to_num_lets_gradients_through_where_nothing_was_replaced() -> None:
    x = ag.tensor([nan, inf, -inf, 2.0])
    largest = float(np.finfo(np.float32).max)
    assert ag.nan_to_num(x).tolist() == [0.0, largest, -largest, 2.0]
    assert x.nan_to_num(nan=1.0, posinf=2.0, neginf=3.0).tolist() == [1.0, 2.0, 3.0, 2.0]
    assert gradients(ag.nan_to_num, x.tolist()) == [[0.0, 0.0, 0.0, 1.0]]


def test_sinc_is_smooth_at_0() -> None:
    x = ag.tensor([0.0, 1e-8, 1e-3], dtype=ag.float64, requires_grad=True)
    y = ag.sinc(x)
    (first,) = ag.autograd.grad(y.sum(), x, create_graph=True)
    (second,) = ag.autograd.grad(first.sum(), x)
    c = math.pi**2 / 3
    assert y[0].item() == 1.0
    assert first.tolist() == pytest.approx([0.0, -c * 1e-8, -c * 1e-3], rel=1e-5)
    assert second.tolist() == pytest.approx([-c, -c, -c], rel=1e-5)


def test_lerp_arrives_exactly() -> None:
    x, end = ag.tensor([0.1, 1e8]), ag.tensor([0.7, 0.3])
    assert ag.lerp(x, end, 1.0).tolist() == end.tolist()
    assert x.lerp(end, ag.tensor([0.0, 1.0])).tolist() == [x[0].item(), end[1].item()]


def test_ldexp_and_float_power_widen_as_pytorch_does() -> None:
    assert ag.ldexp(ag.tensor([1.5]), ag.tensor([3])).tolist() == [12.0]
    assert ag.float_power(ag.tensor([2]), 0.5).dtype == ag.float64
    assert ag.float_power(2, ag.tensor([3.0])).dtype == ag.float64
    x = ag.tensor([3.0], requires_grad=True)
    x.float_power(2).sum().backward()
    assert str(x.grad) == "tensor([6.])"


# Gamma functions


@pytest.mark.torch
def test_the_gamma_functions_are_pytorch_s(torch: Any, rng: np.random.Generator) -> None:
    x = np.append(rng.uniform(-3.0, 5.0, 50), [0.0, -0.0, inf])
    ours, theirs = ag.tensor(x), torch.tensor(x)
    for name in ("lgamma", "digamma"):
        y, e = getattr(ag, name)(ours), getattr(torch, name)(theirs)
        np.testing.assert_allclose(y.numpy(), e.numpy(), rtol=1e-9, err_msg=name)
    for n in (1, 2, 3):  # at inf PyTorch has NaN from n = 2 on, where the limit is 0
        y, e = ag.polygamma(n, ours)[:-1], torch.polygamma(n, theirs)[:-1]
        np.testing.assert_allclose(y.numpy(), e.numpy(), rtol=1e-9, atol=1e-9)


def test_polygamma_takes_its_order_first_and_its_method_last() -> None:
    x = ag.tensor([1.0, 2.5])
    assert ag.polygamma(2, x).tolist() == x.polygamma(2).tolist()
    assert ag.polygamma(0, x).tolist() == ag.digamma(x).tolist()
    with pytest.raises(ag.ShapeError, match=r"polygamma got shape \(2,\), n=-1: n must not be neg"):
        ag.polygamma(-1, x)


def test_half_precision_is_computed_in_single() -> None:
    x = ag.tensor([0.5, 1.5], dtype=ag.float16)
    assert ag.erf(x).dtype == ag.float16
    assert ag.erf(x).tolist() == np.array([math.erf(0.5), math.erf(1.5)], np.float16).tolist()


def test_a_chain_of_derivatives_of_lgamma_is_polygamma() -> None:
    x = ag.Value(2.5)
    y = ag.lgamma(x)
    y.backward(create_graph=True)
    first = x.grad
    x.grad = 0.0
    first.backward()
    assert first.data == pytest.approx(ag.digamma(ag.Value(2.5)).data, rel=1e-15)
    assert x.grad == pytest.approx(ag.polygamma(1, ag.Value(2.5)).data, rel=1e-15)


# Operators

BOTH = [operator.floordiv, operator.mod]
BITS = [operator.and_, operator.or_, operator.xor, operator.lshift, operator.rshift]


@pytest.mark.parametrize("f", [*BOTH, *BITS])
def test_an_operator_on_integers_is_numpy_s(f: Any) -> None:
    a, b = np.array([13, 6, 9]), np.array([3, 1, 2])
    for left, right in ((a, b), (a, 3), (3, b)):
        wrapped = [ag.tensor(x) if isinstance(x, np.ndarray) else x for x in (left, right)]
        assert f(*wrapped).tolist() == f(left, right).tolist()


@pytest.mark.parametrize("f", BOTH)
@pytest.mark.parametrize("left", [7.5, -7.5])
def test_floor_and_remainder_of_a_value_are_python_s(f: Any, left: float) -> None:
    assert f(ag.Value(left), 2).data == f(ag.Value(left), ag.Value(2.0)).data == f(left, 2.0)
    assert f(left, ag.Value(2.0)).data == f(left, 2.0)


def test_truths_combine_by_operators() -> None:
    a, b = ag.tensor([True, True, False]), ag.tensor([True, False, False])
    assert (a & b).tolist() == [True, False, False]
    assert (a | b).tolist() == [True, True, False]
    assert (a ^ True).tolist() == [False, False, True]
    assert (~a).tolist() == [False, False, True]
    a &= b
    assert a.tolist() == [True, False, False]


def test_operators_change_integers_in_place() -> None:
    x = ag.tensor([13, 6])
    alias = x
    x //= 2
    x %= 4
    x <<= 3
    x |= 1
    x ^= 3
    x >>= 1
    assert x is alias
    assert x.tolist() == [((13 // 2 % 4 << 3) | 1) >> 1 ^ 1, ((6 // 2 % 4 << 3) | 1) >> 1 ^ 1]


@pytest.mark.parametrize("f", [operator.and_, operator.or_, operator.xor])
def test_floats_have_no_bits(f: Any) -> None:
    with pytest.raises(ag.DtypeError, match=r"float32\(2,\).*: it needs integers or truths"):
        f(ag.ones(2), ag.ones(2))
    with pytest.raises(ag.DtypeError, match=r"bitwise_not got shape float32\(2,\)"):
        _ = ~ag.ones(2)


def test_truths_cannot_be_shifted() -> None:
    with pytest.raises(ag.DtypeError, match=r"bitwise_left_shift got .*: it needs integers"):
        _ = ag.tensor([True]) << ag.tensor([True])


def test_a_value_has_no_bits() -> None:
    with pytest.raises(ag.DtypeError, match="bitwise_and works on arrays; Value holds one number"):
        bitwise_and(ag.Value(1.0), 1)


# Truths


def test_allclose_and_equal_give_python_s_truths() -> None:
    x = ag.tensor([1.0, nan], requires_grad=True)
    assert ag.allclose(x, x) is False
    assert x.allclose(x.detach() + 1e-9, equal_nan=True) is True
    assert ag.equal(ag.ones(2), ag.tensor([1, 1])) is True
    assert ag.ones(2).equal(ag.ones(2, 1)) is False
    assert ag.allclose(ag.Value(1.0), 1.0 + 1e-9) is True


def test_infinities_are_close_to_themselves_only() -> None:
    x = ag.tensor([inf, inf, -inf, 1e30])
    assert ag.isclose(x, ag.tensor([inf, -inf, -inf, inf])).tolist() == [True, False, True, False]


def test_a_negative_tolerance_is_refused() -> None:
    with pytest.raises(ag.ShapeError, match=r"isclose got .*rtol and atol must not be negative"):
        ag.isclose(ag.ones(2), ag.ones(2), rtol=-1.0)


def test_whole_numbers_and_truths_are_finite() -> None:
    for x in (ag.tensor([1, -2]), ag.tensor([True, False])):
        assert x.isfinite().tolist() == x.isreal().tolist() == [True, True]
        for name in ("isnan", "isinf", "isposinf", "isneginf"):
            assert getattr(x, name)().tolist() == [False, False]
    assert ag.tensor([1, -2]).signbit().tolist() == [False, True]
    assert ag.signbit(ag.tensor([0.0, -0.0])).tolist() == [False, True]


def test_nan_counts_as_true() -> None:
    x = ag.tensor([nan, 0.0, -0.0])
    assert x.logical_not().tolist() == [False, True, True]
    assert ag.logical_and(x, 1.0).tolist() == [True, False, False]
    assert ag.logical_not(ag.Value(nan)) is False


def test_where_is_a_method_of_what_is_kept() -> None:
    x = ag.tensor([1.0, 2.0], requires_grad=True)
    x.where(ag.tensor([True, False]), 0.0).sum().backward()
    assert x.grad.tolist() == [1.0, 0.0]  # pyright: ignore[reportOptionalMemberAccess]


def test_a_second_name_is_the_same_function() -> None:
    names = {
        "arcsin": "asin",
        "absolute": "abs",
        "multiply": "mul",
        "greater": "gt",
        "clip": "clamp",
    }
    for second, first in names.items():
        assert getattr(ag, second) is getattr(ag, first)
        assert getattr(ag.Tensor, second) is getattr(ag.Tensor, first)
