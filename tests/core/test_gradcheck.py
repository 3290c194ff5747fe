"""gradcheck and gradgradcheck: what they let pass, what they find, and how they say it."""

from __future__ import annotations

from typing import Any

import pytest

import autograd_core as ag
from autograd_core.autograd import Function, GradcheckError, gradcheck, gradgradcheck


def leaf(*numbers: float) -> Any:
    return ag.tensor(numbers, dtype=ag.float64, requires_grad=True)


def claims(slope: Any) -> Any:
    """x² whose backward multiplies by slope(x) instead of 2 x."""

    class Square(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            (x,) = ctx.saved_tensors
            return g * slope(x)

        @staticmethod
        def jvp(ctx: Any, t: Any) -> Any:
            (x,) = ctx.saved_tensors
            return t * 2.0 * x

    return Square.apply


def test_right_gradients_pass() -> None:
    a, b = leaf(0.5, -1.0), leaf(2.0)
    assert gradcheck(lambda a, b: (a * b, (a / b).exp()), (a, b), check_forward_ad=True)
    assert gradgradcheck(lambda a, b: (a * b, (a / b).exp()), (a, b))
    assert gradcheck(lambda x: x.tanh(), a)


def test_what_is_no_variable_is_left_alone() -> None:
    places = ag.tensor([1, 0])
    assert gradcheck(lambda x, k, n: x[k] * n, (leaf(0.5, 2.0), places, 3.0))
    assert gradcheck(lambda x: (x.exp(), x.argmax()), leaf(0.5, 2.0))  # the second is no float


def test_a_wrong_gradient_names_input_index_and_both_values() -> None:
    with pytest.raises(
        GradcheckError,
        match=r"^gradcheck: d\(output 0\[1\]\) / d\(input 0\[1\]\) at -1 is -3 by backward and -2 "
        r"by differences$",
    ):
        gradcheck(claims(lambda x: x * 2.0 + (x < 0) * x), (leaf(0.5, -1.0),))


def test_the_place_in_outputs_and_inputs_of_many_is_named() -> None:
    wrong = claims(lambda x: 0.0 * x)
    f = lambda a, b: (a * 2.0, wrong(b).reshape(2, 1))  # noqa: E731
    with pytest.raises(
        GradcheckError, match=r"d\(output 1\[0, 0\]\) / d\(input 1\[0\]\) at 1 is 0"
    ):
        gradcheck(f, (leaf(0.5), leaf(1.0, 3.0)))


def test_a_scalar_has_no_index() -> None:
    with pytest.raises(GradcheckError, match=r"d\(output 0\) / d\(input 0\) at 2 is 0 by backward"):
        gradcheck(claims(lambda x: 0.0 * x), (ag.tensor(2.0, dtype=ag.float64).requires_grad_(),))


@pytest.mark.parametrize(
    ("function", "left", "right"),
    [(ag.relu, 0, 1), (ag.abs, -1, 1), (lambda x: ag.maximum(x, 2.0 * x), 1, 2)],
    ids=["relu", "abs", "maximum"],
)
def test_a_kink_nearby_is_pointed_out(function: Any, left: int, right: int) -> None:
    with pytest.raises(
        GradcheckError,
        match=rf"; there is a kink nearby \(slope {left} to the left, {right} to the right\)$",
    ):
        gradcheck(lambda x: function(x) + 0.0 * x, (leaf(1.0, 2e-7),))


def test_a_detached_part_is_found() -> None:
    with pytest.raises(GradcheckError, match=r"at 0.5 is 0.5 by backward and 1 by differences"):
        gradcheck(lambda x: x * x.detach(), (leaf(0.5),))


def test_failure_may_be_returned() -> None:
    assert not gradcheck(claims(lambda x: x), (leaf(0.5),), raise_exception=False)
    assert not gradgradcheck(claims(lambda x: 2.0 * x.detach()), leaf(0.5), raise_exception=False)


def test_a_wrong_second_derivative_is_found_where_the_first_is_right() -> None:
    f = claims(lambda x: 2.0 * x.detach())
    assert gradcheck(f, (leaf(0.5),))
    with pytest.raises(
        GradcheckError, match=r"d\(output 0\[0\]\) / d\(input 0\[0\]\) at 0.5 is 0 by"
    ):
        gradgradcheck(f, (leaf(0.5),))


def test_random_directions_find_it_too() -> None:
    with pytest.raises(
        GradcheckError,
        match=r"along random direction 0 the derivative is \S+ by backward and \S+ by",
    ):
        gradcheck(claims(lambda x: x), (leaf(0.5, 2.0),), fast_mode=True)
    assert gradcheck(claims(lambda x: 2.0 * x), (leaf(0.5, 2.0),), fast_mode=True)


def test_forward_mode_is_compared_with_backward() -> None:
    wrong = claims(lambda x: 2.0 * x)

    class Half(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return wrong(x)

        @staticmethod
        def jvp(ctx: Any, t: Any) -> Any:
            return t

    with pytest.raises(
        GradcheckError, match=r"random direction 0 the derivative is \S+ by forward"
    ):
        gradcheck(Half.apply, (leaf(0.5, 2.0),), check_backward_ad=False, check_forward_ad=True)


def test_second_derivatives_along_given_cotangents() -> None:
    w = ag.tensor([2.0, 3.0], dtype=ag.float64, requires_grad=True)
    assert gradgradcheck(lambda x: x.exp(), leaf(0.5, 2.0), w)


def test_outputs_that_do_not_depend_on_the_inputs_pass() -> None:
    constant = ag.ones(2, dtype=ag.float64)
    assert gradcheck(lambda x: (x * 2.0, constant), leaf(0.5))
    assert gradgradcheck(lambda x: (x**3, constant), leaf(0.5))


def test_what_cannot_be_checked_is_said() -> None:
    with pytest.raises(
        ag.GraphError, match="no input requires grad, so there is nothing to check:"
    ):
        gradcheck(ag.exp, (ag.ones(2, dtype=ag.float64),))
    with pytest.raises(
        ag.DtypeError,
        match=r"input 0 is float32: differences need float64, convert it with .double",
    ):
        gradcheck(ag.exp, (ag.ones(2, requires_grad=True),))
    with pytest.raises(
        TypeError, match="the function returned nothing, it must return a Tensor or"
    ):
        gradcheck(lambda x: None, leaf(0.5))
    with pytest.raises(TypeError, match="the function returned a float"):
        gradcheck(lambda x: (x, 1.0), leaf(0.5))


def test_the_inputs_are_left_as_they_were() -> None:
    x = leaf(0.5, 2.0)
    gradcheck(lambda x: x.exp(), x)
    assert x.grad is None
    assert x.tolist() == [0.5, 2.0]
