"""Derivatives as functions of functions: values, nesting, structures, and what is refused."""

from __future__ import annotations

import math
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd_core as ag
import nn
from autograd_core import func

Vector = Callable[[Any], Any]


def vector(*numbers: float) -> ag.Tensor:
    return ag.tensor(numbers, dtype=ag.float64)


def close(actual: Any, expected: Any, rtol: float = 1e-12) -> None:
    np.testing.assert_allclose(actual.detach().numpy(), np.asarray(expected), rtol, 1e-14)


def wave(x: Any) -> Any:
    return (x.tanh() * x**2).sum()


# A function of both libraries, from a vector to a vector, with a Hessian that is not diagonal.
def mixed(x: Any) -> Any:
    return (x.exp() * x.sum()).tanh() + x[0] * x


POINT = [0.3, -0.2, 0.5]
DIRECTION = [1.0, -2.0, 0.25]


# One variable


def test_five_derivatives_of_tanh_by_nesting_grad() -> None:
    t = math.tanh(0.3)
    s = 1 - t * t
    expected = [
        t,
        s,
        -2 * t * s,
        s * (6 * t**2 - 2),
        s * (16 * t - 24 * t**3),
        s * (16 - 120 * t**2 + 120 * t**4),
    ]
    f: Vector = lambda x: x.tanh()  # noqa: E731 - each round replaces it
    for value in expected:
        assert f(ag.tensor(0.3, dtype=ag.float64)).item() == pytest.approx(value, rel=1e-11)
        f = func.grad(f)


def test_five_derivatives_of_tanh_by_nesting_jvp() -> None:
    def derivative(f: Vector) -> Vector:
        return lambda x: func.jvp(f, (x,), (ag.ones_like(x),))[1]

    f: Vector = lambda x: x.tanh()  # noqa: E731 - each round replaces it
    for _ in range(5):
        f = derivative(f)
    t = math.tanh(0.3)
    expected = (1 - t * t) * (16 - 120 * t**2 + 120 * t**4)
    assert f(ag.tensor(0.3, dtype=ag.float64)).item() == pytest.approx(expected, rel=1e-11)


@pytest.mark.parametrize("outer", ["grad", "jvp"])
@pytest.mark.parametrize("inner", ["grad", "jvp"])
def test_perturbations_of_two_levels_are_not_confused(outer: str, inner: str) -> None:
    def derivative(kind: str, f: Vector, x: Any) -> Any:
        if kind == "grad":
            return func.grad(f)(x)
        return func.jvp(f, (x,), (ag.ones_like(x),))[1]

    # d/dx x (d/dy (x + y)) = 1, and 2 for those who confuse x with y.
    def f(x: Any) -> Any:
        return x * derivative(inner, lambda y: x + y, ag.tensor(1.0))

    assert derivative(outer, f, ag.tensor(1.0)).item() == 1.0


def test_an_inner_derivative_at_the_outer_point_depends_on_it() -> None:
    f = func.grad(lambda x: x * func.grad(lambda y: x * y * y)(x))  # 2 x³
    assert f(ag.tensor(3.0)).item() == 54.0


def test_a_tensor_that_requires_grad_outside_is_differentiated_through() -> None:
    w = ag.tensor(2.0, requires_grad=True)
    g = func.grad(lambda x: w * x**3)(ag.tensor(3.0))
    g.backward()
    assert g.item() == 54.0
    assert w.grad.item() == 27.0


def test_inside_no_grad_the_result_is_not_tracked() -> None:
    x = ag.tensor(3.0, requires_grad=True)
    with ag.no_grad():
        g = func.grad(lambda x: x * x)(x)
    assert g.item() == 6.0
    assert not g.requires_grad
    assert func.grad(lambda x: x * x)(x).requires_grad


def test_no_grad_inside_the_function_is_a_constant() -> None:
    def f(x: Any) -> Any:
        with ag.no_grad():
            constant = func.grad(lambda y: y**3)(x)
        return x * constant

    assert func.grad(f)(ag.tensor(2.0)).item() == 12.0


def test_the_point_is_left_as_it_was() -> None:
    x = vector(1.0, 2.0)
    func.hessian(wave)(x)
    assert x.grad is None
    assert not x.requires_grad


# Products


def test_jvp_and_vjp_are_adjoint(rng: np.random.Generator) -> None:
    x, t, u = (ag.tensor(rng.standard_normal(3)) for _ in range(3))
    y, pushed = func.jvp(mixed, (x,), (t,))
    z, pull = func.vjp(mixed, x)
    close(y, z.numpy())
    assert (u * pushed).sum().item() == pytest.approx((pull(u)[0] * t).sum().item(), rel=1e-12)


def test_vjp_can_be_pulled_again_unless_told_to_let_go() -> None:
    _, pull = func.vjp(lambda x: x.exp(), vector(0.0, 1.0))
    assert pull(vector(1.0, 0.0))[0].tolist() == pull(vector(1.0, 0.0))[0].tolist() == [1.0, 0.0]
    pull(vector(1.0, 0.0), retain_graph=False)
    with pytest.raises(ag.GraphError, match="exp was freed by an earlier backward"):
        pull(vector(1.0, 0.0))


def test_vjp_is_linear_in_a_cotangent_that_is_itself_differentiated() -> None:
    _, pull = func.vjp(mixed, vector(*POINT))
    jacobian = func.jacrev(mixed)(vector(*POINT))
    close(func.jacrev(lambda u: pull(u)[0])(vector(*DIRECTION)), jacobian.numpy().T)


def test_hvp_is_the_hessian_times_a_vector() -> None:
    x, t = vector(*POINT), vector(*DIRECTION)
    f = lambda x: mixed(x).sum()  # noqa: E731
    value, (product,) = func.hvp(f, (x,), (t,))
    assert value.item() == f(x).item()
    close(product, func.hessian(f)(x).numpy() @ t.numpy())


def test_the_gauss_newton_product_is_the_matrix_product(rng: np.random.Generator) -> None:
    x, t = vector(*POINT), vector(*DIRECTION)
    loss = lambda y: (y**4).sum()  # noqa: E731
    value, (product,) = func.ggnvp(mixed, loss, (x,), (t,))
    j = func.jacrev(mixed)(x).numpy()
    h = func.hessian(loss)(mixed(x)).numpy()
    assert value.item() == loss(mixed(x)).item()
    close(product, j.T @ h @ j @ t.numpy())


def test_the_gauss_newton_product_takes_models_with_several_outputs() -> None:
    model = lambda x: {"a": x**2, "b": [x.exp()]}  # noqa: E731
    loss = lambda y: (y["a"] * y["b"][0]).sum()  # noqa: E731
    _, (product,) = func.ggnvp(model, loss, (vector(0.5),), (vector(1.0),))
    # Jᵀ H J = 2 (x²)' (eˣ)'
    close(product, [2 * 2 * 0.5 * math.exp(0.5)])


# Whole matrices


@pytest.mark.parametrize("whole", [func.jacrev, func.jacfwd])
def test_a_jacobian_has_the_output_s_shape_and_then_the_input_s(whole: Any) -> None:
    a = ag.tensor(np.arange(6.0).reshape(2, 3))
    j = whole(lambda x: a @ x)(ag.tensor(np.ones((3, 2))))
    assert j.shape == (2, 2, 3, 2)
    expected = np.einsum("ik,jl->ijkl", a.numpy(), np.eye(2))
    close(j, expected)


@pytest.mark.parametrize("first", [func.jacrev, func.jacfwd])
@pytest.mark.parametrize("second", [func.jacrev, func.jacfwd])
def test_every_way_to_second_derivatives_gives_the_same(first: Any, second: Any) -> None:
    x = vector(*POINT)
    h = first(second(mixed))(x)
    assert h.shape == (3, 3, 3)
    close(h, func.hessian(mixed)(x).numpy())
    close(h, h.numpy().swapaxes(1, 2))


def test_the_eigenvalues_of_a_quadratic_s_hessian(rng: np.random.Generator) -> None:
    q = np.linalg.qr(rng.standard_normal((5, 5))).Q
    eigenvalues = np.array([0.5, 1.0, 2.0, 4.0, 8.0])
    a = ag.tensor(q * eigenvalues @ q.T)
    h = func.hessian(lambda x: 0.5 * (x @ a @ x))(ag.tensor(rng.standard_normal(5)))
    np.testing.assert_allclose(np.linalg.eigvalsh(h.numpy()), eigenvalues, rtol=1e-12)


def test_an_output_that_does_not_depend_on_the_input_has_a_zero_jacobian() -> None:
    for whole in (func.jacrev, func.jacfwd):
        close(whole(lambda x: ag.ones(2, dtype=ag.float64))(vector(1.0, 2.0)), np.zeros((2, 2)))


def peak_of(call: Callable[[], Any]) -> int:
    call()
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("whole", [func.jacrev, func.jacfwd])
def test_a_jacobian_costs_its_own_memory_and_that_of_one_pass(whole: Any) -> None:
    n = 200
    w, x = ag.ones(n, n, dtype=ag.float64), ag.ones(n, dtype=ag.float64)

    def f(x: Any) -> Any:
        for _ in range(20):
            x = (w @ x).tanh()
        return x

    result = n * n * 8
    one_pass = 2 * peak_of(lambda: func.vjp(f, x)[1](x))  # what it saves, and room for its nodes
    assert peak_of(lambda: whole(f)(x)) <= result + one_pass + 64_000


# Structures


def test_arguments_and_results_may_be_nested() -> None:
    params = {"w": vector(1.0, 2.0), "b": [vector(0.5)]}
    f = lambda p: (p["w"] ** 2).sum() * p["b"][0].sum()  # noqa: E731
    g = func.grad(f)(params)
    assert g["w"].tolist() == [1.0, 2.0]
    assert g["b"][0].tolist() == [5.0]
    h = func.hessian(f)(params)
    assert h["w"]["w"].tolist() == [[1.0, 0.0], [0.0, 1.0]]
    assert h["w"]["b"][0].tolist() == [[2.0], [4.0]]
    assert h["b"][0]["b"][0].tolist() == [[0.0]]


def test_tangents_are_matched_to_primals_by_key() -> None:
    f = lambda p: p["a"] * p["b"]  # noqa: E731
    primals = {"a": vector(2.0), "b": vector(10.0)}
    _, t = func.jvp(f, (primals,), ({"b": vector(0.0), "a": vector(1.0)},))
    assert t.tolist() == [10.0]


def test_argnums_choose_what_is_differentiated() -> None:
    f = lambda a, b, scale=1.0: (a * b * scale).sum()  # noqa: E731
    a, b = vector(2.0), vector(3.0)
    assert func.grad(f, argnums=1)(a, b, scale=10.0).tolist() == [20.0]
    assert func.grad(f, argnums=-2)(a, b).tolist() == [3.0]
    ga, gb = func.grad(f, argnums=(0, 1))(a, b)
    assert (ga.tolist(), gb.tolist()) == ([3.0], [2.0])
    h = func.hessian(f, argnums=(0, 1))(a, b)
    assert h[0][1].tolist() == [[1.0]]


def test_aux_comes_back_without_history() -> None:
    f = lambda x: ((x * x).sum(), {"x": x, "n": 3})  # noqa: E731
    g, aux = func.grad(f, has_aux=True)(vector(2.0))
    assert (g.tolist(), aux["n"], aux["x"].requires_grad) == ([4.0], 3, False)
    g, (value, aux) = func.grad_and_value(f, has_aux=True)(vector(2.0))
    assert (value.item(), aux["x"].tolist()) == (4.0, [2.0])
    _, _, aux = func.vjp(f, vector(2.0), has_aux=True)
    assert aux["n"] == 3
    _, _, aux = func.jvp(f, (vector(2.0),), (vector(1.0),), has_aux=True)
    assert aux["n"] == 3
    for whole in (func.jacrev, func.jacfwd):
        j, aux = whole(f, has_aux=True)(vector(2.0))
        assert (j.tolist(), aux["n"]) == ([4.0], 3)


# Batches and modules


def loss_of_one(params: dict[str, Any], x: Any, y: Any) -> Any:
    return ((x @ params["w"] + params["b"]).tanh() - y).square().sum()


def test_per_sample_gradients_are_those_of_a_loop(rng: np.random.Generator) -> None:
    params = {"w": ag.tensor(rng.standard_normal((4, 2))), "b": ag.tensor(rng.standard_normal(2))}
    x, y = ag.tensor(rng.standard_normal((5, 4))), ag.tensor(rng.standard_normal((5, 2)))
    found = func.per_sample_grad(loss_of_one)(params, x, y)
    assert found["w"].shape == (5, 4, 2)
    for i in range(5):
        leaf = {name: p.clone().requires_grad_() for name, p in params.items()}
        loss_of_one(leaf, x[i], y[i]).backward()
        for name in params:
            np.testing.assert_array_equal(found[name][i].numpy(), leaf[name].grad.numpy())


def test_vmap_maps_chosen_axes_of_nested_arguments() -> None:
    x = ag.tensor(np.arange(6.0).reshape(2, 3))
    double = func.vmap(lambda d, k: {"y": d["x"] * k}, in_dims=({"x": 1}, None), out_dims=-1)
    np.testing.assert_array_equal(double({"x": x}, 2.0)["y"].numpy(), 2 * x.numpy())
    first, second = func.vmap(lambda v: (v, v.sum()), out_dims=(1, 0))(x)
    assert first.tolist() == x.t().tolist()
    assert second.tolist() == [3.0, 12.0]


def test_vmap_can_be_differentiated() -> None:
    x = ag.tensor(np.arange(6.0).reshape(2, 3))
    g = func.grad(lambda x: func.vmap(lambda row: (row**3).sum())(x).sum())(x)
    np.testing.assert_allclose(g.numpy(), 3 * x.numpy() ** 2)


def test_a_module_is_called_with_other_parameters() -> None:
    layer = nn.Linear(3, 2)
    weight = layer.weight
    given = {"weight": ag.ones(2, 3), "bias": ag.zeros(2)}
    assert func.functional_call(layer, given, ag.ones(1, 3)).tolist() == [[3.0, 3.0]]
    assert layer.weight is weight
    g = func.grad(lambda p: func.functional_call(layer, p, (ag.ones(1, 3),)).sum())(given)
    assert g["weight"].tolist() == [[1.0] * 3] * 2
    assert func.functional_call(layer, [given, {"bias": ag.ones(2)}], ag.ones(1, 3)).tolist() == [
        [4.0, 4.0]
    ]


def test_parameters_come_back_after_an_error() -> None:
    layer = nn.Linear(3, 2)
    weight = layer.weight
    with pytest.raises(ag.ShapeError):
        func.functional_call(layer, {"weight": ag.ones(2, 3)}, ag.ones(1, 4))
    assert layer.weight is weight


def test_tied_weights_are_replaced_together() -> None:
    model = nn.Sequential(nn.Linear(2, 2, bias=False), nn.Linear(2, 2, bias=False))
    model[1].weight = model[0].weight
    given = {"0.weight": ag.eye(2) * 3.0}
    assert func.functional_call(model, given, ag.ones(1, 2)).tolist() == [[9.0, 9.0]]
    alone = func.functional_call(model, given, ag.ones(1, 2), tie_weights=False)
    expected = 3.0 * model[0].weight.detach().numpy().sum(1)[None]
    np.testing.assert_allclose(alone.detach().numpy(), expected, rtol=1e-5)  # float32


# What is refused


def returns(x: Any) -> Vector:
    return lambda _: x


REFUSED = [
    (lambda: func.grad(returns(None))(vector(1.0)), TypeError,
     r"grad: the function returned nothing, it must return a Tensor or a nested dict"),
    (lambda: func.grad(returns(3.0))(vector(1.0)), TypeError,
     "grad: the function returned a float"),
    (lambda: func.vjp(returns(()), vector(1.0)), TypeError, "vjp: the function returned nothing"),
    (lambda: func.jacfwd(returns([np.ones(2)]))(vector(1.0)), TypeError,
     "jacfwd: the function returned a ndarray"),
    (lambda: func.grad(lambda x: x * 2)(vector(1.0, 2.0)), ag.ShapeError,
     r"must return a scalar tensor, it returned shape \(2,\): reduce it, as with .sum\(\), or use"),
    (lambda: func.grad(lambda x: {"loss": x})(vector(1.0)), ag.ShapeError, "it returned a dict"),
    (lambda: func.grad(wave)([1.0, 2.0]), TypeError,
     "grad: an argument to differentiate is a float, it must be a Tensor"),
    (lambda: func.grad(wave)(ag.tensor([1, 2])), ag.DtypeError,
     r"cannot differentiate with respect to a tensor of int64: convert it with .float\(\) first"),
    (lambda: func.grad(wave)({}), ValueError, "grad: there is no argument to differentiate"),
    (lambda: func.grad(wave, argnums=1)(vector(1.0)), ValueError,
     "grad: argnums=1 names none of 1 arguments"),
    (lambda: func.grad(wave, argnums=())(vector(1.0)), ValueError, r"argnums=\(\) names none"),
    (lambda: func.grad(wave, has_aux=True)(vector(1.0)), TypeError,
     r"with has_aux the function must return \(output, aux\), it returned a Tensor"),
    (lambda: func.jvp(wave, (vector(1.0),), (vector(1.0, 2.0),)), ag.ShapeError,
     r"jvp: tangent 0 has shape \(2,\), it must be \(1,\)"),
    (lambda: func.jvp(wave, (vector(1.0),), (1.0,)), TypeError,
     "jvp: tangent 0 is a float, it must be a Tensor"),
    (lambda: func.jvp(wave, (vector(1.0),), ()), ValueError,
     r"jvp: the tangents are \(\): they must be built like \(\*\)"),
    (lambda: func.vjp(mixed, vector(1.0, 2.0))[1](vector(1.0)), ag.ShapeError,
     r"vjp: cotangent 0 has shape \(1,\), it must be \(2,\)"),
    (lambda: func.vmap(wave)(vector(1.0), vector(1.0, 2.0)), ag.ShapeError,
     r"vmap: the mapped axes have sizes \[1, 2\]: there must be one, all must agree"),
    (lambda: func.vmap(wave)(ag.zeros(0, 2)), ag.ShapeError, r"sizes \[0\].* must not be 0"),
    (lambda: func.vmap(wave, in_dims=2)(vector(1.0)), IndexError,
     r"vmap: a tensor of shape \(1,\) has no axis 2 to map"),
    (lambda: func.vmap(wave)(3.0), TypeError, "give it the axis None in in_dims"),
    (lambda: func.vmap(wave, in_dims=(0, 0))(vector(1.0)), ValueError,
     r"vmap: in_dims is built like \[\*, \*\], the arguments like \(\*\)"),
    (lambda: func.vmap(returns(1.0))(vector(1.0)), TypeError,
     "vmap: the function returned a float"),
    (lambda: func.vmap(wave, out_dims=(0, 1))(vector(1.0)), ValueError,
     r"vmap: out_dims names 2 results, the function returned \*"),
    (lambda: func.functional_call(nn.Linear(2, 2), {"wait": 1}, ag.ones(1, 2)), KeyError,
     "functional_call: Linear has no parameter or buffer 'wait'"),
    (lambda: func.functional_call(nn.Linear(2, 2), {}, ag.ones(1, 2), strict=True), KeyError,
     "functional_call: strict, and weight, bias is not given"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "kind", "text"), REFUSED)
def test_misuse_is_explained(call: Callable[[], Any], kind: type[Exception], text: str) -> None:
    with pytest.raises(kind, match=text):
        call()


# PyTorch's opinion


# PyTorch's own forward mode compiles a part of itself in a way that it warns about.
ITS_OWN_WARNING = pytest.mark.filterwarnings("ignore:.*torch.jit.script.*:DeprecationWarning")


@ITS_OWN_WARNING
@pytest.mark.torch
@pytest.mark.parametrize("name", ["jacrev", "jacfwd", "hessian"])
def test_whole_matrices_are_pytorch_s(torch: Any, name: str) -> None:
    expected = getattr(torch.func, name)(mixed)(torch.tensor(POINT, dtype=torch.float64))
    close(getattr(func, name)(mixed)(vector(*POINT)), expected.numpy())


@ITS_OWN_WARNING
@pytest.mark.torch
def test_products_are_pytorch_s(torch: Any) -> None:
    x, t = (torch.tensor(numbers, dtype=torch.float64) for numbers in (POINT, DIRECTION))
    _, expected = torch.func.jvp(mixed, (x,), (t,))
    close(func.jvp(mixed, (vector(*POINT),), (vector(*DIRECTION),))[1], expected.numpy())
    _, pull = torch.func.vjp(mixed, x)
    close(func.vjp(mixed, vector(*POINT))[1](vector(*DIRECTION))[0], pull(t)[0].numpy())


@pytest.mark.torch
def test_structures_are_pytorch_s(torch: Any) -> None:
    def f(p: Any, x: Any) -> Any:
        return {"y": p["w"] * x, "z": [(p["w"] ** 2).sum()]}

    def shapes(tree: Any) -> Any:
        if isinstance(tree, dict):
            return {key: shapes(item) for key, item in tree.items()}
        if isinstance(tree, (list, tuple)):
            return type(tree)(shapes(item) for item in tree)
        return tuple(tree.shape)

    theirs = torch.func.jacrev(f, argnums=(0, 1))({"w": torch.ones(2)}, torch.ones(2))
    ours = func.jacrev(f, argnums=(0, 1))({"w": ag.ones(2)}, ag.ones(2))
    assert shapes(ours) == shapes(theirs)
