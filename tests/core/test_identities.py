"""Identities of the lecture on derivatives by vectors, checked at random points.

SS1 to SS4 are of scalars. C6 to C11 are in numerator layout: the derivative of a scalar by a
vector is a row, and d(Ax)/dx is A. A Jacobian here has the output's shape and then the input's,
which for vectors is the numerator layout, rows and columns written as vectors.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd_core as ag
from autograd_core.func import grad, jacfwd, jacrev, vjp

N = 4


@pytest.fixture
def scalar(rng: np.random.Generator) -> Any:
    return ag.tensor(rng.standard_normal(), dtype=ag.float64)


@pytest.fixture
def x(rng: np.random.Generator) -> Any:
    return ag.tensor(rng.standard_normal(N))


@pytest.fixture
def a(rng: np.random.Generator) -> Any:
    return ag.tensor(rng.standard_normal(N))


@pytest.fixture
def square(rng: np.random.Generator) -> Any:
    return ag.tensor(rng.standard_normal((N, N)))


def same(left: Any, right: Any) -> None:
    np.testing.assert_allclose(left.numpy(), right.numpy(), rtol=1e-12, atol=1e-14)


def u(x: Any) -> Any:
    return x.tanh() * x


def v(x: Any) -> Any:
    return (x * x).exp()


def test_ss1_the_derivative_of_a_sum(scalar: Any) -> None:
    same(grad(lambda x: u(x) + v(x))(scalar), grad(u)(scalar) + grad(v)(scalar))


def test_ss2_the_product_rule(scalar: Any) -> None:
    same(
        grad(lambda x: u(x) * v(x))(scalar),
        u(scalar) * grad(v)(scalar) + v(scalar) * grad(u)(scalar),
    )


def test_ss3_the_chain_rule(scalar: Any) -> None:
    same(grad(lambda x: v(u(x)))(scalar), grad(v)(u(scalar)) * grad(u)(scalar))


def test_ss4_the_chain_rule_of_three(scalar: Any) -> None:
    same(
        grad(lambda x: u(v(u(x))))(scalar),
        grad(u)(v(u(scalar))) * grad(v)(u(scalar)) * grad(u)(scalar),
    )


# The scalar or vector of x, given a and A, and its derivative.
VECTOR_RULES: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "C6: a'x": (lambda x, a, A: a @ x, lambda x, a, A: a),
    "C6: x'a": (lambda x, a, A: x @ a, lambda x, a, A: a),
    "C7: x'x": (lambda x, a, A: x @ x, lambda x, a, A: 2 * x),
    "C8: (x'a)²": (lambda x, a, A: (x @ a) ** 2, lambda x, a, A: 2 * (x @ a) * a),
    "C9: Ax": (lambda x, a, A: A @ x, lambda x, a, A: A),
    "C10: x'A": (lambda x, a, A: x @ A, lambda x, a, A: A.T),
    "C11: x'Ax": (lambda x, a, A: x @ A @ x, lambda x, a, A: x @ (A + A.T)),
}


@pytest.mark.parametrize("whole", [jacrev, jacfwd])
@pytest.mark.parametrize("rule", VECTOR_RULES)
def test_derivatives_by_a_vector(rule: str, whole: Any, x: Any, a: Any, square: Any) -> None:
    function, expected = VECTOR_RULES[rule]
    same(whole(lambda x: function(x, a, square))(x), expected(x, a, square))


def test_c8_as_the_row_times_the_matrix_of_the_lecture(x: Any, a: Any) -> None:
    same(grad(lambda x: (x @ a) ** 2)(x), 2 * (x @ (a[:, None] * a)))


def test_a_vector_jacobian_product_never_multiplies_two_matrices(square: Any, x: Any) -> None:
    # The gradient of u'(Wx) is W'u: (m)(m x n), and no (n x m)(m x m) on the way.
    _, pull = vjp(lambda x: square @ x, x)
    same(pull(x)[0], square.T @ x)


def test_the_network_of_the_lecture_by_hand(rng: np.random.Generator) -> None:
    def sigma(x: Any) -> Any:
        return 1.0 / (1.0 + (-x).exp())

    w1, b1, w2, b2, x, y = (
        ag.tensor(rng.standard_normal(s), requires_grad=i < 5)
        for i, s in enumerate([(3, 2), (3,), (2, 3), (2,), (2,), (2,)])
    )
    u = w1 @ x
    a = u + b1
    h = sigma(a)
    z = w2 @ h
    d = z + b2 - y
    (d @ d).backward()

    gz = 2.0 * d.detach()
    gh = w2.detach().T @ gz
    ga = gh * h.detach() * (1.0 - h.detach())
    same(b2.grad, gz)
    same(w2.grad, gz[:, None] * h.detach())
    same(b1.grad, ga)
    same(w1.grad, ga[:, None] * x.detach())
    same(x.grad, w1.detach().T @ ga)


def test_a_matrix_by_matrix_jacobian_contracts_to_the_gradient(rng: np.random.Generator) -> None:
    x, w, g = (ag.tensor(rng.standard_normal(s)) for s in ((2, 3), (3, 4), (2, 4)))
    jacobian = jacrev(lambda x: (x @ w).tanh())(x)
    _, pull = vjp(lambda x: (x @ w).tanh(), x)
    contracted = np.einsum("klij,kl->ij", jacobian.numpy(), g.numpy())
    np.testing.assert_allclose(pull(g)[0].numpy(), contracted, rtol=1e-12)


def test_the_gradient_of_a_layer_s_weight_is_an_outer_product(x: Any, a: Any, square: Any) -> None:
    # dL/dW = (delta * sigma'(Wz)) z'
    found = grad(lambda w: (w @ x).tanh() @ a)(square)
    slope = 1.0 - (square @ x).tanh() ** 2
    same(found, (a * slope)[:, None] * x)


def test_the_gradient_of_a_function_of_a_linear_map(x: Any, square: Any) -> None:
    f = lambda z: (z.tanh() * z).sum()  # noqa: E731
    same(grad(lambda x: f(square @ x))(x), square.T @ grad(f)(square @ x))


def test_a_batch_in_columns_is_the_batch_in_rows_turned(rng: np.random.Generator) -> None:
    w, b, columns = (ag.tensor(rng.standard_normal(s)) for s in ((3, 2), (3, 1), (2, 5)))
    as_columns = (w @ columns + b).tanh()
    as_rows = (columns.T @ w.T + b.T).tanh()
    same(as_columns.T, as_rows)


def test_a_skip_connection_adds_the_gradient_of_the_output(x: Any, a: Any, square: Any) -> None:
    # y = F(x) + x: dL/dx = dL/dy dF/dx + dL/dy
    f = lambda x: (square @ x).tanh()  # noqa: E731
    _, pull = vjp(lambda x: f(x) + x, x)
    same(pull(a)[0], a @ jacrev(f)(x) + a)


def test_softmax_with_cross_entropy_sends_the_error_back(rng: np.random.Generator) -> None:
    scores, target = ag.tensor(rng.standard_normal(5)), 2

    def loss(scores: Any) -> Any:
        return scores.exp().sum().log() - scores[target]

    p = scores.exp() / scores.exp().sum()
    one_hot = ag.tensor(np.eye(5)[target])
    same(grad(loss)(scores), p - one_hot)


def test_batch_normalisation_by_its_steps(rng: np.random.Generator) -> None:
    x, g = (ag.tensor(rng.standard_normal(6)) for _ in range(2))
    eps, m = 1e-5, 6

    def normalize(x: Any) -> Any:
        centred = x - x.mean()
        return centred / ((centred**2).mean() + eps).sqrt()

    mean = x.mean()
    variance = ((x - mean) ** 2).mean()
    by_variance = (g * (x - mean)).sum() * -0.5 * (variance + eps) ** -1.5
    by_mean = -g.sum() / (variance + eps).sqrt() + by_variance * (-2.0 * (x - mean)).mean()
    by_x = g / (variance + eps).sqrt() + by_variance * 2.0 * (x - mean) / m + by_mean / m
    same(vjp(normalize, x)[1](g)[0], by_x)
