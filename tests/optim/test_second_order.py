"""Optimisers that ask a closure: Newton's methods, Gauss-Newton, L-BFGS, SAM, line searches."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import autograd_core as ag
import nn
import optim
from optim.linesearch import Point, backtracking, cubic_minimum, strong_wolfe
from optim.newton_cg import conjugate_gradients

OF_A_LOSS: list[tuple[str, dict[str, Any]]] = [
    ("Newton", {}),
    ("DampedNewton", {}),
    ("MiniBatchNewton", {"decay": 0.0, "damping": 0.0}),
    ("NewtonCG", {"tolerance": 1e-6}),
    ("NewtonCG", {"tolerance": 1e-6, "search": "line_search"}),
]
of_a_loss = pytest.mark.parametrize(("name", "rates"), OF_A_LOSS, ids=str)


def point(*values: float) -> ag.Tensor:
    return ag.tensor(values, dtype=ag.float64, requires_grad=True)


def rosenbrock(x: Any) -> Any:
    return (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2


def quadratic(rng: np.random.Generator, size: int) -> tuple[ag.Tensor, ag.Tensor]:
    """A positive definite H and the minimum of x.H x / 2 - b.x."""
    a = rng.normal(size=(size, size))
    return ag.tensor(a @ a.T + np.eye(size)), ag.tensor(rng.normal(size=size))


@pytest.mark.parametrize(
    ("name", "rates"),
    [
        ("Newton", {}),
        ("DampedNewton", {"damping": 1e-14}),
        ("MiniBatchNewton", {"damping": 0.0}),
        ("NewtonCG", {"tolerance": 1e-14, "radius": 100.0, "max_iter": 30}),
        ("NewtonCG", {"tolerance": 1e-14, "search": "line_search", "max_iter": 30}),
    ],
    ids=str,
)
def test_a_quadratic_takes_one_step(
    name: str, rates: dict[str, Any], rng: np.random.Generator
) -> None:
    h, center = quadratic(rng, 5)
    x, y = point(*rng.normal(size=3)), point(*rng.normal(size=2))

    def loss() -> ag.Tensor:
        d = ag.cat([x, y]) - center
        return d @ h @ d / 2

    before = loss().item()
    returned = getattr(optim, name)([x, y], **rates).step(loss)
    assert returned.item() == before
    found = ag.cat([x, y]).detach().numpy()
    np.testing.assert_allclose(found, center.numpy(), rtol=1e-9, atol=1e-9)


@of_a_loss
def test_the_valley_of_rosenbrock_is_followed(name: str, rates: dict[str, Any]) -> None:
    x = point(-1.2, 1.0)
    optimizer = getattr(optim, name)([x], **rates)
    for _ in range(40):
        optimizer.step(lambda: rosenbrock(x))
    assert x.tolist() == pytest.approx([1.0, 1.0], abs=1e-8)


def test_lbfgs_follows_the_valley_in_one_call() -> None:
    x = point(-1.2, 1.0)
    optimizer = optim.LBFGS([x], max_iter=100, line_search_fn="strong_wolfe")
    calls: list[float] = []

    def closure() -> ag.Tensor:
        optimizer.zero_grad()
        loss = rosenbrock(x)
        loss.backward()
        calls.append(loss.item())
        return loss

    assert optimizer.step(closure).item() == calls[0]
    assert x.tolist() == pytest.approx([1.0, 1.0], abs=1e-4)
    assert len(calls) == optimizer.state[x]["func_evals"] < 60


@pytest.mark.parametrize("damping", [0.0, 1e-3])
def test_gauss_newton_follows_the_valley(damping: float) -> None:
    x = point(-1.2, 1.0)
    optimizer = optim.GaussNewton([x], damping=damping)
    first = optimizer.step(lambda: (1 - x[0], 10 * (x[1] - x[0] ** 2)))
    assert first.item() == pytest.approx((2.2**2 + 4.4**2) / 2)
    for _ in range(60):
        optimizer.step(lambda: (1 - x[0], 10 * (x[1] - x[0] ** 2)))
    assert x.tolist() == pytest.approx([1.0, 1.0], abs=1e-8)


def test_gauss_newton_solves_least_squares_in_one_step(rng: np.random.Generator) -> None:
    a, b = rng.normal(size=(7, 3)), rng.normal(size=7)
    layer = nn.Linear(3, 1, bias=False, dtype=ag.float64)
    inputs, targets = ag.tensor(a), ag.tensor(b)
    optim.GaussNewton(layer.parameters()).step(lambda: layer(inputs)[:, 0] - targets)
    expected = np.linalg.lstsq(a, b)[0]
    np.testing.assert_allclose(layer.weight.detach().numpy()[0], expected, rtol=1e-10)


def test_a_rate_below_one_damps_newton() -> None:
    x = point(4.0)
    optim.Newton([x], lr=0.25).step(lambda: (x * x).sum())
    assert x.item() == pytest.approx(3.0)


def test_damping_holds_newton_back_where_the_loss_curves_down() -> None:
    """At 0.1 the curvature of x⁴ - x² is negative: Newton's step goes up, to the maximum at 0."""
    plain, damped = point(0.1), point(0.1)
    newton, held = optim.Newton([plain]), optim.DampedNewton([damped])
    for _ in range(20):
        newton.step(lambda: (plain**4 - plain**2).sum())
        held.step(lambda: (damped**4 - damped**2).sum())
    assert plain.item() == pytest.approx(0.0, abs=1e-8)
    assert damped.item() == pytest.approx(0.5**0.5, abs=1e-8)


@pytest.mark.parametrize("search", ["trust_region", "line_search"])
def test_newton_cg_goes_down_where_the_loss_curves_down(search: str) -> None:
    x = point(0.1, -0.2)
    optimizer = optim.NewtonCG([x], search=search)
    for _ in range(20):
        optimizer.step(lambda: (x**4 - x**2).sum())
    assert x.tolist() == pytest.approx([0.5**0.5, -(0.5**0.5)], abs=1e-6)


def test_newton_cg_shrinks_its_region_until_the_loss_falls() -> None:
    x = point(0.0)
    optimizer = optim.NewtonCG([x], radius=64.0, max_radius=64.0, tolerance=0.0)
    loss = lambda: (x**2 / 2 - 8 * x + ag.relu(x - 1) * 100).sum()  # noqa: E731
    start = loss().item()
    optimizer.step(loss)
    assert optimizer.param_groups[0]["radius"] < 64.0
    assert loss().item() < start


def test_parameters_stay_where_no_step_lowers_the_loss() -> None:
    for name in ("DampedNewton", "NewtonCG"):
        x = point(2.0)
        calls: list[int] = []

        def rising(x: ag.Tensor = x, calls: list[int] = calls) -> ag.Tensor:
            calls.append(1)
            return (x * x).sum() + 100.0 * (len(calls) - 1)

        optimizer = getattr(optim, name)([x], max_tries=3)
        optimizer.step(rising)
        assert (x.item(), len(calls)) == (2.0, 4)


@pytest.mark.parametrize("name", ["DampedNewton", "NewtonCG"])
def test_a_loss_of_nan_moves_nothing(name: str) -> None:
    x = point(2.0)
    optimizer = getattr(optim, name)([x])
    before = repr(optimizer)
    assert np.isnan(optimizer.step(lambda: (x * float("nan")).sum()).item())
    assert (x.item(), repr(optimizer)) == (2.0, before)


def test_conjugate_gradients_solve_a_system(rng: np.random.Generator) -> None:
    h, b = (t.numpy() for t in quadratic(rng, 6))
    found = conjugate_gradients(lambda v: h @ v, b, 1e-12, 12)
    np.testing.assert_allclose(found.d, np.linalg.solve(h, -b), rtol=1e-8)
    assert found.value == pytest.approx(b @ found.d + found.d @ h @ found.d / 2)
    inside = conjugate_gradients(lambda v: h @ v, b, 1e-12, 12, radius=0.01)
    assert (np.linalg.norm(inside.d), inside.at_edge) == (pytest.approx(0.01), True)


def test_batches_of_mini_batch_newton_are_averaged(rng: np.random.Generator) -> None:
    x = point(1.0)
    optimizer = optim.MiniBatchNewton([x], decay=0.5, damping=0.0, lr=1.0)
    optimizer.step(lambda: (x * x).sum())
    assert x.item() == pytest.approx(0.0)  # one batch, corrected: its own curvature of 2
    x.data = ag.ones(1, dtype=ag.float64)
    optimizer.step(lambda: (2 * x * x).sum())
    # (0.25 * 2 + 0.5 * 4) / 0.75 = 10 / 3, and the gradient is 4
    assert x.item() == pytest.approx(1 - 4 / (10 / 3))


def test_a_frozen_parameter_is_left_out() -> None:
    x, y = point(3.0), point(5.0).requires_grad_(False)
    optim.Newton([x, y]).step(lambda: ((x - y) ** 2).sum())
    assert (x.item(), y.item()) == (5.0, 5.0)
    with pytest.raises(ag.GraphError, match=r"Newton.step\(\): no parameter requires grad"):
        optim.Newton([y]).step(lambda: (y * y).sum())


def test_a_linear_loss_has_no_newton_step() -> None:
    x = point(1.0, 2.0)
    with pytest.raises(np.linalg.LinAlgError, match=r"Newton got a singular Hessian of shape"):
        optim.Newton([x]).step(lambda: x.sum())
    optim.DampedNewton([x], damping=1.0).step(lambda: x.sum())
    assert x.tolist() == [0.0, 1.0]


@pytest.mark.parametrize("name", ["Newton", "NewtonCG"])
def test_a_closure_must_leave_backward_to_newton(name: str) -> None:
    x = point(1.0)

    def closure() -> ag.Tensor:
        loss = (x**3).sum()
        loss.backward()
        return loss

    with pytest.raises(ag.GraphError, match=rf"{name}.step\(\) cannot .* must leave backward"):
        getattr(optim, name)([x]).step(closure)
    with pytest.raises(ag.GraphError, match=r"cannot differentiate what its closure returned"):
        getattr(optim, name)([x]).step(lambda: 3.0)
    with pytest.raises(ag.GraphError, match="it must be computed from the parameters"):
        getattr(optim, name)([x]).step(lambda: ag.ones(()))
    assert x.item() == 1.0


def test_residuals_must_be_tensors() -> None:
    x = point(1.0)
    with pytest.raises(TypeError, match=r"GaussNewton.step\(\) got 3.0 from its closure: it needs"):
        optim.GaussNewton([x]).step(lambda: 3.0)


def test_backtracking_halves_until_the_loss_falls_enough() -> None:
    assert backtracking(lambda t: (t - 1) ** 2, 1.0, -2.0, 8.0, 10) == 1.0
    assert backtracking(lambda t: 1.0 + t, 1.0, -2.0, 1.0, 10) == 0.0


@pytest.mark.parametrize("first", [1e-3, 0.5, 3.0, 100.0])
def test_a_strong_wolfe_point_satisfies_both_conditions(first: float) -> None:
    def at(t: float) -> Point:
        slope = 4 * (t - 2) ** 3 + 0.3 * np.cos(3 * t)
        return Point(t, (t - 2) ** 4 + 0.1 * np.sin(3 * t), np.array([slope]), slope)

    start = at(0.0)
    found, calls = strong_wolfe(at, start, first, 1.0)
    assert found.loss <= start.loss + 1e-4 * found.t * start.slope
    assert abs(found.slope) <= -0.9 * start.slope
    assert 1 <= calls <= 25


def test_a_cubic_is_minimised_between_its_ends() -> None:
    def at(t: float) -> Point:
        return Point(t, t**3 - 3 * t, np.zeros(1), 3 * t * t - 3)

    assert cubic_minimum(at(0.0), at(3.0), 0.0, 3.0) == pytest.approx(1.0)
    assert cubic_minimum(at(3.0), at(0.0), 0.0, 3.0) == pytest.approx(1.0)
    assert cubic_minimum(at(0.0), at(3.0), 1.5, 3.0) == 1.5
    assert cubic_minimum(at(0.0), at(0.0), 0.0, 3.0) == 1.5
    steep = Point(1.0, float("inf"), np.zeros(1), 1.0)
    assert cubic_minimum(at(0.0), steep, 0.0, 1.0) == 0.5


def test_lbfgs_remembers_a_short_history(rng: np.random.Generator) -> None:
    h, center = quadratic(rng, 6)
    x = point(*rng.normal(size=6))
    rates: dict[str, Any] = {"line_search_fn": "strong_wolfe", "tolerance_change": 1e-14}
    optimizer = optim.LBFGS([x], history_size=3, **rates)

    def closure() -> ag.Tensor:
        optimizer.zero_grad()
        loss = (x - center) @ h @ (x - center) / 2
        loss.backward()
        return loss

    optimizer.step(closure)
    assert [len(optimizer.state[x][name]) for name in ("old_dirs", "old_stps", "ro")] == [3, 3, 3]
    for _ in range(4):
        optimizer.step(closure)
    np.testing.assert_allclose(x.detach().numpy(), center.numpy(), rtol=1e-6)


def test_lbfgs_stops_at_a_stationary_point() -> None:
    x = point(0.0)
    optimizer = optim.LBFGS([x])

    def closure() -> ag.Tensor:
        optimizer.zero_grad()
        loss = (x * x).sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    assert optimizer.state[x]["func_evals"] == 1


def sam_closure(optimizer: Any, x: ag.Tensor, places: list[float]) -> Any:
    def closure() -> ag.Tensor:
        places.append(x.item())
        optimizer.zero_grad()
        loss = (x * x).sum()
        loss.backward()
        return loss

    return closure


def test_sam_steps_by_the_gradient_at_the_worst_point_nearby() -> None:
    x, places = point(1.0), []
    optimizer = optim.SAM([x], optim.SGD, rho=0.5, lr=0.1)
    assert optimizer.step(sam_closure(optimizer, x, places)).item() == 1.0
    assert places == pytest.approx([1.0, 1.5])
    assert x.item() == pytest.approx(1 - 0.1 * 3.0)


def test_sam_may_see_another_batch_second() -> None:
    x, places = point(1.0), []
    optimizer = optim.SAM([x], optim.SGD, rho=0.5, lr=0.1)

    def second() -> None:
        (4 * x).sum().backward()

    optimizer.step(sam_closure(optimizer, x, places), second)
    assert x.item() == pytest.approx(1 - 0.1 * 4.0)


def test_sam_goes_in_two_halves_as_well() -> None:
    x, y = point(1.0), point(1.0)
    one = optim.SAM([x], optim.SGD, rho=0.5, lr=0.1, momentum=0.9)
    two = optim.SAM([y], optim.SGD, rho=0.5, lr=0.1, momentum=0.9)
    for _ in range(3):
        one.step(sam_closure(one, x, []))
        (y * y).sum().backward()
        two.first_step(zero_grad=True)
        (y * y).sum().backward()
        two.second_step(zero_grad=True)
    assert x.tolist() == y.tolist()
    y.grad = ag.ones_like(y)
    with pytest.raises(RuntimeError, match=r"SAM.second_step\(\) needs a first_step\(\) before"):
        two.second_step()
    two.first_step()
    with pytest.raises(RuntimeError, match=r"SAM.first_step\(\) was called twice"):
        two.first_step()


def test_sam_goes_back_where_its_closure_fails() -> None:
    x = point(1.0)
    optimizer = optim.SAM([x], optim.SGD, rho=0.5, lr=0.1)

    def fails() -> None:
        raise KeyError("no more batches")

    with pytest.raises(KeyError, match="no more batches"):
        optimizer.step(sam_closure(optimizer, x, []), fails)
    assert x.item() == 1.0


def test_adaptive_sam_does_not_mind_the_scale_of_a_parameter() -> None:
    """Of f(x) and f(c y) with c y = x, the second perturbs c y by as much as the first x."""
    seen: list[float] = []
    for scale in (1.0, 100.0):
        x = point(1.0 / scale)
        optimizer = optim.SAM([x], optim.SGD, rho=0.5, adaptive=True, lr=0.0)

        def closure(x: ag.Tensor = x, scale: float = scale) -> None:
            seen.append(scale * x.item())
            x.grad = None
            ((scale * x) ** 2).sum().backward()

        optimizer.step(closure)
    assert seen == pytest.approx([1.0, 1.5, 1.0, 1.5])
