"""The range test, the curvature of a loss, and paths down surfaces."""

from __future__ import annotations

import io
import math
from typing import Any

import numpy as np
import pytest

import autograd_core as ag
import nn
import nn.functional as F
import optim
from optim import paths
from optim.curvature import hessian_product
from optim.lr_finder import RangeTest

# The range test


def regression(rng: Any) -> tuple[Any, list[tuple[ag.Tensor, ag.Tensor]]]:
    inputs = rng.normal(size=(6, 8, 3))
    targets = inputs @ np.array([[1.0], [-2.0], [0.5]])
    batches = [
        (ag.tensor(x, dtype=ag.float32), ag.tensor(t, dtype=ag.float32))
        for x, t in zip(inputs, targets, strict=True)
    ]
    return nn.Sequential(nn.Linear(3, 16), nn.ReLU(), nn.Linear(16, 1)), batches


def snapshot(model: nn.Module, optimizer: optim.Optimizer) -> Any:
    values = {name: value.tolist() for name, value in model.state_dict().items()}
    grads = [None if p.grad is None else p.grad.tolist() for p in model.parameters()]
    state = optimizer.state_dict()
    slots = {
        n: {name: np.array(slot).tolist() for name, slot in s.items()}
        for n, s in state["state"].items()
    }
    return values, grads, slots, state["param_groups"], [m.training for m in model.modules()]


def test_the_rate_grows_geometrically_until_the_loss_diverges(rng: Any) -> None:
    model, batches = regression(rng)
    test = optim.find_lr(model, optim.SGD(model.parameters()), batches, F.mse_loss, 1e-5, 100.0, 80)
    assert test.diverged
    assert 10 < len(test.rates) == len(test.losses) == len(test.smoothed) < 80
    assert test.rates[0] == 1e-5
    assert np.diff(np.log(test.rates)) == pytest.approx(math.log(1e7) / 79)
    assert 1e-3 < test.suggestion() < 1.0
    assert test.smoothed[-1] > 4 * min(test.smoothed)


def test_a_range_without_divergence_is_gone_through(rng: Any) -> None:
    model, batches = regression(rng)
    optimizer = optim.SGD(model.parameters())
    test = optim.find_lr(model, optimizer, batches, F.mse_loss, 1e-6, 1e-3, 20)
    assert not test.diverged
    assert len(test.rates) == 20
    assert test.rates[-1] == pytest.approx(1e-3)


def test_model_and_optimizer_are_what_they_were(rng: Any) -> None:
    model, batches = regression(rng)
    optimizer = optim.Adam(model.parameters(), lr=0.01)
    F.mse_loss(model(batches[0][0]), batches[0][1]).backward()
    optimizer.step()
    model[0].eval()
    before = snapshot(model, optimizer)
    grads = [p.grad for p in model.parameters()]
    optim.find_lr(model, optimizer, batches, F.mse_loss, num_iter=30)
    assert snapshot(model, optimizer) == before
    assert all(p.grad is g for p, g in zip(model.parameters(), grads, strict=True))


def test_they_are_so_after_an_error_as_well(rng: Any) -> None:
    model, batches = regression(rng)
    optimizer = optim.SGD(model.parameters(), momentum=0.9)
    before = snapshot(model, optimizer)
    broken = [*batches, (ag.zeros(8, 4), ag.zeros(8, 1))]
    with pytest.raises(ag.ShapeError):
        optim.find_lr(model, optimizer, broken, F.mse_loss)
    assert snapshot(model, optimizer) == before


def test_the_average_counts_its_own_weights(rng: Any) -> None:
    model, batches = regression(rng)
    optimizer = optim.SGD(model.parameters())
    test = optim.find_lr(model, optimizer, batches, F.mse_loss, 1e-9, 1e-8, 3, smoothing=0.5)
    a, b, c = test.losses
    assert test.smoothed == pytest.approx([a, (a + 2 * b) / 3, (a + 2 * b + 4 * c) / 7])


def test_the_suggestion_is_where_the_loss_falls_most_steeply() -> None:
    rates = tuple(np.geomspace(1e-4, 1.0, 41))
    losses = tuple(1.0 - np.tanh(np.log(np.array(rates) / 0.01)))
    assert RangeTest(rates, losses, losses, 4, False).suggestion() == pytest.approx(0.01)
    rising = tuple(np.arange(1.0, 42.0))
    with pytest.raises(ValueError, match="never fell after its first 4 steps: begin with a smal"):
        RangeTest(rates, rising, rising, 4, True).suggestion()


def test_a_loss_that_is_no_number_ends_the_test(rng: Any) -> None:
    model, batches = regression(rng)
    optimizer = optim.SGD(model.parameters())
    poisoned = [batches[0], (batches[1][0] * math.nan, batches[1][1])]
    test = optim.find_lr(model, optimizer, poisoned, F.mse_loss)
    assert test.diverged
    assert len(test.losses) == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"start_lr": 0.0}, "start_lr=0.0 and end_lr=10.0: it needs 0 < start_lr < end_lr"),
        ({"start_lr": 1.0, "end_lr": 0.1}, "it needs 0 < start_lr < end_lr"),
        ({"num_iter": 1}, "find_lr got num_iter=1: it needs at least 2 steps"),
        ({"smoothing": 1.0}, r"find_lr got smoothing=1.0: it must be in \[0, 1\)"),
        ({"diverges_at": 1.0}, "find_lr got diverges_at=1.0: it must be above 1"),
        ({"batches": []}, "find_lr got no batches, or an iterator that is used up"),
    ],
)
def test_a_range_test_that_cannot_be_is_refused(
    options: dict[str, Any], message: str, rng: Any
) -> None:
    model, batches = regression(rng)
    arguments: dict[str, Any] = {"batches": batches, "loss": F.mse_loss} | options
    with pytest.raises(ValueError, match=message):
        optim.find_lr(model, optim.SGD(model.parameters()), **arguments)


def test_an_iterator_is_not_enough(rng: Any) -> None:
    model, batches = regression(rng)
    with pytest.raises(ValueError, match="an iterator that is used up"):
        optim.find_lr(model, optim.SGD(model.parameters()), iter(batches), F.mse_loss)


# Curvature


def bowl(eigenvalues: Any, rng: Any) -> tuple[Any, list[ag.Tensor], np.ndarray]:
    """A quadratic of two parameters whose Hessian has these eigenvalues."""
    values = np.array(eigenvalues)
    q, _ = np.linalg.qr(rng.normal(size=(values.size, values.size)))
    H = ag.tensor(q @ np.diag(values) @ q.T, dtype=ag.float64)
    half = values.size // 2
    a = ag.tensor(rng.normal(size=(1, half)), dtype=ag.float64, requires_grad=True)
    b = ag.tensor(rng.normal(size=values.size - half), dtype=ag.float64, requires_grad=True)

    def closure() -> ag.Tensor:
        w = ag.cat([a.reshape(-1), b])
        return 0.5 * (w @ (H @ w))

    return closure, [a, b], H.numpy()


def test_extreme_eigenvalues_are_found(rng: Any) -> None:
    closure, params, H = bowl([-3.0, *np.linspace(0.0, 5.0, 40), 7.0], rng)
    for found, wanted in (
        (optim.lambda_max(closure, params), 7.0),
        (optim.lambda_min(closure, params), -3.0),
    ):
        assert found.value == pytest.approx(wanted, rel=1e-10)
        assert found.residual <= 7e-6
        assert np.linalg.norm(H @ found.vector - found.value * found.vector) == pytest.approx(
            found.residual, abs=1e-12
        )
        assert np.linalg.norm(found.vector) == pytest.approx(1.0)
        assert found.steps < 42
    assert optim.max_stable_rate(closure, params) == pytest.approx(2 / 7)
    assert all(p.grad is None for p in params)


def test_some_eigenvalue_is_within_the_residual(rng: Any) -> None:
    values = np.exp(rng.normal(size=60))
    closure, params, _ = bowl(values, rng)
    for steps in range(1, 12):
        found = optim.lambda_max(closure, params, max_steps=steps)
        assert found.steps == steps
        assert np.abs(values - found.value).min() <= found.residual + 1e-12
        assert found.value <= values.max() + 1e-12


def test_equal_eigenvalues_take_one_step(rng: Any) -> None:
    closure, params, _ = bowl([2.0] * 9, rng)
    found = optim.lambda_max(closure, params)
    assert (found.value, found.steps) == (pytest.approx(2.0), 1)


def test_a_linear_loss_has_no_limit() -> None:
    w = ag.ones(3, requires_grad=True)
    assert optim.lambda_max(lambda: w.sum(), [w]).value == 0.0
    assert optim.max_stable_rate(lambda: w.sum(), [w]) == math.inf
    assert optim.max_stable_rate(lambda: -(w * w).sum(), [w]) == math.inf


def test_the_hessian_of_a_network_is_the_full_one(rng: Any) -> None:
    model = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1)).double()
    x, unused = ag.tensor(rng.normal(size=(5, 2))), ag.zeros(1, requires_grad=True)
    params = [*model.parameters(), unused]

    def loss() -> ag.Tensor:
        return (ag.tanh(model(x)) ** 2).sum()

    product = hessian_product(loss, params)
    size = sum(p.numel() for p in params)
    H = np.array([product(row) for row in np.eye(size)])
    np.testing.assert_allclose(H, H.T, atol=1e-12)
    assert not H[-1].any()
    values = np.linalg.eigvalsh(H)
    assert optim.lambda_max(loss, params).value == pytest.approx(values[-1])
    assert optim.lambda_min(loss, params).value == pytest.approx(values[0])


def test_beyond_the_largest_stable_rate_gradient_descent_diverges(rng: Any) -> None:
    closure, params, _ = bowl([0.5, 1.0, 4.0, 9.0], rng)
    limit = optim.max_stable_rate(closure, params)
    first = closure().item()

    def after(rate: float) -> float:
        fresh = [p.detach().clone() for p in params]
        optimizer = optim.SGD(params, lr=rate)
        for _ in range(300):
            optimizer.zero_grad()
            closure().backward()
            optimizer.step()
        last = closure().item()
        with ag.no_grad():
            for p, value in zip(params, fresh, strict=True):
                p.copy_(value)
        return last

    assert after(0.98 * limit) < 1e-3 * first
    assert after(1.02 * limit) > 1e3 * first


def test_sharpness_of_a_bowl_is_the_height_of_its_corners() -> None:
    # At the minimum 0 of f = 1 + (a x² + b y²) / 2 the box is |z| <= epsilon.
    w = ag.zeros(2, dtype=ag.float64, requires_grad=True)
    scale = ag.tensor([3.0, 50.0], dtype=ag.float64)
    found = optim.sharpness(lambda: 1 + 0.5 * (scale * w * w).sum(), [w], epsilon=0.1)
    assert found == pytest.approx(100 * 0.5 * 53 * 0.01 / 2)
    assert w.tolist() == [0.0, 0.0]


def test_the_box_grows_with_the_parameters() -> None:
    w = ag.tensor([3.0], dtype=ag.float64, requires_grad=True)
    found = optim.sharpness(lambda: w.sum(), [w], epsilon=0.01)
    assert found == pytest.approx(100 * 0.01 * (3 + 1) / (1 + 3))


def test_a_maximum_inside_the_box_is_found() -> None:
    w = ag.tensor([0.0], dtype=ag.float64, requires_grad=True)
    found = optim.sharpness(lambda: 1 - ((w - 0.03) ** 2).sum(), [w], epsilon=0.1, steps=60)
    assert found == pytest.approx(100 * 0.03**2 / (2 - 0.03**2), rel=1e-6)


def test_sharpness_in_a_random_plane_is_less_than_in_all(rng: Any) -> None:
    closure, params, _ = bowl(np.linspace(0.1, 3.0, 20), rng)
    with ag.no_grad():
        for p in params:
            p.zero_()
    whole = optim.sharpness(closure, params, 0.01)
    plane = optim.sharpness(closure, params, 0.01, 2, generator=ag.Generator().manual_seed(1))
    again = optim.sharpness(closure, params, 0.01, 2, generator=ag.Generator().manual_seed(1))
    assert 0 < plane == again
    # A (20, 2) with normal entries stretches z by at most about √20 + √2.
    assert plane < 100 * 0.5 * 3.0 * 2 * 0.01**2 * 40
    assert whole <= 100 * 0.5 * 3.0 * 20 * 0.01**2


def test_a_sharp_minimum_is_sharper_than_a_flat_one(rng: Any) -> None:
    flat, flat_params, _ = bowl(np.linspace(0.1, 1.0, 12), rng)
    sharp, sharp_params, _ = bowl(np.linspace(10.0, 100.0, 12), rng)
    for p in [*flat_params, *sharp_params]:
        with ag.no_grad():
            p.zero_()
    assert optim.sharpness(sharp, sharp_params) > 50 * optim.sharpness(flat, flat_params)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda w: optim.lambda_max(lambda: w, [w]), ag.ShapeError, r"a scalar, it returned sha"),
        (lambda w: optim.lambda_max(lambda: w.sum(), []), ValueError, "needs parameters, got none"),
        (lambda w: optim.lambda_min(lambda: w.sum(), [w], 0), ValueError, "got max_steps=0: it ne"),
        (
            lambda w: optim.lambda_max(lambda: (w / 0.0).sum() ** 2, [w]),
            ValueError,
            "the Hessian of this loss has entries that are not finite",
        ),
        (
            lambda w: optim.sharpness(lambda: w.sum(), [w], 0.0),
            ValueError,
            "got epsilon=0.0: it mu",
        ),
        (
            lambda w: optim.sharpness(lambda: w.sum(), [w], dimension=0),
            ValueError,
            "got dimension=0: it",
        ),
    ],
)
def test_what_has_no_curvature_is_refused(call: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        call(ag.ones(2, requires_grad=True))


# Surfaces and paths

SURFACES = {
    "quadratic": paths.quadratic(25.0),
    "rosenbrock": paths.rosenbrock(),
    "beale": paths.beale(),
    **paths.ERROR_SURFACES,
}


@pytest.mark.parametrize("name", SURFACES)
def test_minima_are_where_the_gradient_is_zero(name: str) -> None:
    surface = SURFACES[name]
    for place in surface.minima:
        w = ag.tensor(place, dtype=ag.float64, requires_grad=True)
        surface.at(w).backward()
        assert w.grad.tolist() == pytest.approx([0.0, 0.0], abs=1e-9)
        assert np.linalg.eigvalsh(surface.hessian(place)).min() > 0
        assert surface.x_range[0] < place[0] < surface.x_range[1]
        assert surface.y_range[0] < place[1] < surface.y_range[1]


def test_a_grid_has_rows_along_y() -> None:
    x, y, height = paths.quadratic(4.0).grid(5)
    assert height.shape == (5, 5)
    assert height[1, 3] == pytest.approx(0.5 * (x[3] ** 2 + 4.0 * y[1] ** 2))


@pytest.mark.parametrize(
    ("name", "hessian", "condition"),
    [
        ("far from zero", [[20402, 20200], [20200, 20002]], 40005.9),
        ("centred", [[2, 0], [0, 2]], 1.0),
        ("unlike scales", [[0.02, 0], [0, 200]], 10000.0),
        ("one scale", [[2, 0], [0, 2]], 1.0),
    ],
)
def test_inputs_far_from_zero_or_on_unlike_scales_make_a_ravine(
    name: str, hessian: Any, condition: float
) -> None:
    surface = paths.ERROR_SURFACES[name]
    np.testing.assert_allclose(surface.hessian(), hessian, rtol=1e-12, atol=1e-12)
    assert surface.condition() == pytest.approx(condition, rel=1e-6)


def test_known_surfaces_have_their_heights_and_condition() -> None:
    assert paths.rosenbrock().function(0.0, 0.0) == 1.0
    assert paths.beale().function(0.0, 0.0) == pytest.approx(1.5**2 + 2.25**2 + 2.625**2)
    assert paths.quadratic(25.0).condition() == pytest.approx(25.0)
    assert np.linalg.eigvalsh(paths.saddle().hessian()).tolist() == [-1.0, 1.0]
    flat = paths.squared_error("flat", [(1.0, 1.0), (2.0, 2.0)], (1.0, 2.0))
    assert flat.condition() > 1e15


def test_gradient_descent_shrinks_each_coordinate_by_its_eigenvalue() -> None:
    surface = paths.quadratic(10.0)
    found = paths.path(surface, lambda w: optim.SGD(w, lr=0.15), 20)
    t = np.arange(21)
    x, y = surface.start
    np.testing.assert_allclose(found.points[:, 0], x * (1 - 0.15) ** t, rtol=1e-12)
    np.testing.assert_allclose(found.points[:, 1], y * (1 - 1.5) ** t, rtol=1e-12)
    assert found.heights[0] == surface.function(x, y)
    assert (found.name, len(found.heights)) == ("SGD", 21)


def test_momentum_is_ahead_in_a_ravine() -> None:
    makes: dict[str, paths.Make] = {
        "plain": lambda w: optim.SGD(w, lr=0.035),
        "momentum": lambda w: optim.SGD(w, lr=0.035, momentum=0.8),
    }
    plain, momentum = paths.paths(paths.quadratic(50.0), makes, 80)
    assert [plain.name, momentum.name] == ["plain", "momentum"]
    assert momentum.heights[-1] < 0.01 * plain.heights[-1]


@pytest.mark.parametrize("make", [optim.Newton, optim.DampedNewton, optim.NewtonCG, optim.LBFGS])
def test_optimisers_that_call_the_closure_go_down_too(make: Any) -> None:
    found = paths.path(paths.quadratic(10.0), make, 20)
    assert found.heights[-1] < 1e-6 * found.heights[0]


def test_a_path_may_start_elsewhere_and_leave_a_saddle() -> None:
    found = paths.path(paths.saddle(), lambda w: optim.SGD(w, lr=0.1), 60, (0.5, 0.01), "down")
    assert found.points[0].tolist() == [0.5, 0.01]
    assert found.heights[-1] < -1.0


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: paths.quadratic(0.0), ValueError, "quadratic got condition=0.0: it must be"),
        (
            lambda: paths.squared_error("e", [(1.0, 2.0)], (1.0, 2.0)),
            ag.ShapeError,
            r"inputs of shape \(1, 2\) and targets of shape \(2,\): it needs \(samples, 2\)",
        ),
    ],
)
def test_surfaces_that_cannot_be_are_refused(call: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        call()


# Pictures


def drawn(figure: Any) -> Any:
    """Draw, since much goes wrong only then; return the axes."""
    figure.savefig(io.BytesIO(), format="png", dpi=50)
    return figure.axes[0]


def test_a_range_test_is_drawn_with_its_suggestion(rng: Any) -> None:
    pytest.importorskip("matplotlib")
    model, batches = regression(rng)
    test = optim.find_lr(model, optim.SGD(model.parameters()), batches, F.mse_loss, 1e-5, 100.0)
    axes = drawn(test.figure())
    losses, smoothed, line = (np.asarray(line.get_xydata()) for line in axes.lines)
    assert losses[:, 1].tolist() == list(test.losses)
    assert smoothed[:, 0].tolist() == list(test.rates)
    assert line[0, 0] == test.suggestion()
    assert axes.get_title() == "Range test, ended by divergence"
    low, high = axes.get_ylim()
    assert low < min(test.losses) < max(test.losses[:30]) < high < max(test.losses)


def test_what_left_the_picture_is_not_followed() -> None:
    pytest.importorskip("matplotlib")
    from optim.figures import contours

    surface = paths.quadratic(10.0)
    found = paths.path(surface, lambda w: optim.SGD(w, lr=0.3), 9)
    inside = np.abs(found.points[:, 1]) <= 2.5
    assert inside.tolist() == [True] + [False] * 9
    line = drawn(contours(surface, [found])).lines[1]
    assert np.asarray(line.get_xydata()).tolist() == found.points[:2].tolist()


@pytest.mark.parametrize("losses", [(1.0, 2.0, math.inf), (math.nan,) * 3])
def test_a_test_without_a_fall_is_drawn_without_a_suggestion(losses: Any) -> None:
    pytest.importorskip("matplotlib")
    assert len(drawn(RangeTest((0.1, 1.0, 10.0), losses, losses, 9, True).figure()).lines) == 2


@pytest.mark.parametrize("name", [*SURFACES, "saddle", "level"])
def test_paths_are_drawn_on_contours(name: str) -> None:
    pytest.importorskip("matplotlib")
    from optim.figures import LEVELS, contours

    more = {"saddle": paths.saddle(), "level": paths.squared_error("level", [(0.0, 0.0)], [1.0])}
    surface = (SURFACES | more)[name]
    found = paths.paths(surface, {"plain": lambda w: optim.SGD(w, lr=1e-5)}, 3)
    figure = contours(surface, found)
    axes = drawn(figure)
    assert np.asarray(axes.lines[0].get_xydata()).tolist() == found[0].points.tolist()
    assert figure.legends[0].get_texts()[0].get_text().startswith("plain, ")
    assert axes.get_title() == surface.name
    *_, height = surface.grid()
    *_, lines = axes.collections
    assert len(lines.levels) == LEVELS + 1
    if name != "level":  # half of the area is below the level in the middle
        assert lines.levels[LEVELS // 2] == pytest.approx(np.median(height))
