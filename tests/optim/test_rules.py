"""Every optimiser, by its rows: PyTorch's numbers, and those of the papers worked out by hand."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import autograd_core as ag
import optim
from optim import blocks
from tests.optim.cases import OPTIMIZERS, OptimizerCase

every_optimizer = pytest.mark.parametrize("case", OPTIMIZERS, ids=str)
by_a_rule = pytest.mark.parametrize(
    "case", [case for case in OPTIMIZERS if getattr(optim, case.name).elementwise], ids=str
)
in_pytorch = pytest.mark.parametrize(
    "case", [case for case in OPTIMIZERS if not case.ours_only], ids=str
)


def leaves(
    case: OptimizerCase, rng: np.random.Generator, dtype: Any = ag.float64
) -> list[ag.Tensor]:
    drawn = [rng.normal(size=shape) for shape in case.shapes]
    return [ag.tensor(w, dtype=dtype, requires_grad=True) for w in drawn]


def make(case: OptimizerCase, params: Any, **rates: Any) -> optim.Optimizer:
    return getattr(optim, case.name)(params, **(case.rates | rates))


def objective(case: OptimizerCase, optimizer: Any, params: Any) -> Any:
    """The closure that a step needs, for either library: 0 where every element is 0.5."""

    def residuals() -> list[Any]:
        return [(1 + i) * (w - 0.5) + 0.1 * (w - 0.5) ** 3 for i, w in enumerate(params)]

    def loss() -> Any:
        return sum((r * r).sum() for r in residuals()) / 2

    def backward() -> Any:
        optimizer.zero_grad()
        value = loss()
        value.backward()
        return value.detach()

    return {"": None, "residuals": residuals, "loss": loss, "backward": backward}[case.closure]


def steps(case: OptimizerCase, optimizer: Any, params: Any, gradients: Any) -> None:
    """As many steps as there are gradients; where a closure finds its own, those are not used."""
    closure = objective(case, optimizer, params)
    for step in gradients:
        if closure is None:
            for parameter, g in zip(params, step, strict=True):
                parameter.grad = like(parameter, g)
            optimizer.step()
        else:
            optimizer.step(closure)


def like(parameter: Any, g: np.ndarray) -> Any:
    if isinstance(parameter, ag.Tensor):
        return ag.tensor(g, dtype=parameter.dtype)
    return pytest.importorskip("torch").tensor(g, dtype=parameter.dtype)


def random_gradients(
    case: OptimizerCase, rng: np.random.Generator, count: int = 20
) -> list[list[np.ndarray]]:
    return [[np.asarray(rng.normal(size=s)) for s in case.shapes] for _ in range(count)]


@pytest.fixture
def torch(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """PyTorch, with its numbers beside arrays in float64, and Muon not in bfloat16."""
    torch = pytest.importorskip("torch")
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    monkeypatch.setattr(torch.Tensor, "bfloat16", torch.Tensor.clone)
    yield torch
    torch.set_default_dtype(before)


def translated(torch: Any, x: Any) -> Any:
    """A tree of ours in PyTorch's tensors."""
    if isinstance(x, dict):
        return {key: translated(torch, value) for key, value in x.items()}
    if isinstance(x, list):
        return [translated(torch, value) for value in x]
    return torch.tensor(x.numpy()) if isinstance(x, ag.Tensor) else x


def numbers(x: Any) -> Any:
    """A tensor, a number or a list of them in nested lists of numbers."""
    if isinstance(x, list):
        return [numbers(value) for value in x]
    return x.tolist() if hasattr(x, "tolist") else x


def close(ours: Any, theirs: Any) -> None:
    ours, theirs = numbers(ours), numbers(theirs)
    if isinstance(ours, list) and isinstance(ours[0], list):
        for a, b in zip(ours, theirs, strict=True):
            close(a, b)
    else:
        np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-12)


@pytest.mark.torch
@in_pytorch
def test_twenty_steps_agree_with_pytorch(
    case: OptimizerCase, rng: np.random.Generator, torch: Any
) -> None:
    ours, gradients = leaves(case, rng), random_gradients(case, rng)
    theirs = [torch.tensor(p.detach().numpy(), requires_grad=True) for p in ours]
    optimizer, other = make(case, ours), getattr(torch.optim, case.name)(theirs, **case.rates)
    steps(case, optimizer, ours, gradients)
    steps(case, other, theirs, gradients)
    for p, q in zip(ours, theirs, strict=True):
        close(p, q)
    agree(optimizer.state_dict(), other.state_dict())


def agree(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    """Compare the state, and rates; "al" is PyTorch's memo, "velocity" a form of our own.

    Near the minimum ro and H_diag are quotients of differences that have hardly a digit left;
    what they are computed from is compared.
    """
    assert ours["state"].keys() == theirs["state"].keys()
    for number, slots in ours["state"].items():
        assert slots.keys() == theirs["state"][number].keys() - {"al"}
        for name, slot in slots.items():
            if name not in ("ro", "H_diag"):
                close(slot, theirs["state"][number][name])
    for group, other in zip(ours["param_groups"], theirs["param_groups"], strict=True):
        assert {name: rate for name, rate in group.items() if name != "velocity"} == other


@pytest.mark.torch
@in_pytorch
def test_pytorch_continues_from_our_state(
    case: OptimizerCase, rng: np.random.Generator, torch: Any
) -> None:
    ours, gradients = leaves(case, rng), random_gradients(case, rng, 4)
    optimizer = make(case, ours)
    steps(case, optimizer, ours, gradients[:2])
    theirs = [torch.tensor(p.detach().numpy(), requires_grad=True) for p in ours]
    other = getattr(torch.optim, case.name)(theirs, **case.rates)
    other.load_state_dict(translated(torch, optimizer.state_dict()))
    steps(case, optimizer, ours, gradients[2:])
    steps(case, other, theirs, gradients[2:])
    for p, q in zip(ours, theirs, strict=True):
        close(p, q)


@every_optimizer
def test_float32_stays_float32(case: OptimizerCase, rng: np.random.Generator) -> None:
    params = leaves(case, rng, ag.float32)
    optimizer = make(case, params)
    optimizer.param_groups[0]["lr"] = np.float64(0.1)
    steps(case, optimizer, params, random_gradients(case, rng, 3))
    assert all(p.dtype == ag.float32 for p in params)
    slots = [slot for s in optimizer.state_dict()["state"].values() for slot in s.values()]
    arrays = [slot for slot in slots if isinstance(slot, ag.Tensor) and slot.ndim]
    assert all(slot.dtype == ag.float32 for slot in arrays)


@every_optimizer
def test_state_has_pytorchs_names(case: OptimizerCase, rng: np.random.Generator) -> None:
    params = leaves(case, rng)
    optimizer = make(case, params)
    steps(case, optimizer, params, random_gradients(case, rng, 2))
    state = optimizer.state_dict()["state"]
    assert set(state.get(0, ())) == set(case.slots)


@every_optimizer
def test_a_loaded_state_continues_bit_for_bit(
    case: OptimizerCase, rng: np.random.Generator
) -> None:
    one, gradients = leaves(case, rng), random_gradients(case, rng, 6)
    first = make(case, one)
    steps(case, first, one, gradients[:3])
    two = [p.detach().clone().requires_grad_() for p in one]
    needed = {name: case.rates[name] for name in case.rates if name == "base_optimizer"}
    second = getattr(optim, case.name)(two, lr=9.0, **needed)
    second.load_state_dict(copy.deepcopy(first.state_dict()))
    assert second.param_groups[0]["lr"] == first.param_groups[0]["lr"]
    for optimizer, params in ((first, one), (second, two)):
        steps(case, optimizer, params, gradients[3:])
    assert [p.tolist() for p in one] == [p.tolist() for p in two]


@every_optimizer
def test_a_copied_optimizer_goes_the_same_way(
    case: OptimizerCase, rng: np.random.Generator
) -> None:
    params, gradients = leaves(case, rng), random_gradients(case, rng, 4)
    optimizer = make(case, params)
    steps(case, optimizer, params, gradients[:2])
    twin, twins = copy.deepcopy((optimizer, params))
    steps(case, optimizer, params, gradients[2:])
    assert [p.tolist() for p in twins] != [p.tolist() for p in params]
    steps(case, twin, twins, gradients[2:])
    assert [p.tolist() for p in twins] == [p.tolist() for p in params]


@every_optimizer
def test_a_minimum_is_reached(case: OptimizerCase) -> None:
    sign = -1.0 if case.rates.get("maximize") else 1.0
    w = ag.tensor([[3.0, -2.0]], dtype=ag.float64, requires_grad=True)
    optimizer = make(case, [w])
    if "weight_decay" in optimizer.param_groups[0]:
        optimizer.param_groups[0]["weight_decay"] = 0.0
    for i in range(300):
        optimizer.param_groups[0]["lr"] = case.rate * (1 - i / 300)
        closure = objective(case, optimizer, [w])
        if closure is None:
            optimizer.zero_grad()
            (sign * ((w - 0.5) ** 2).sum()).backward()
        optimizer.step(closure)
    # Running averages swing around the minimum before they settle.
    assert w.tolist() == [pytest.approx([0.5, 0.5], abs=5e-3)]


@by_a_rule
def test_joining_and_cutting_change_no_bit(
    case: OptimizerCase, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    start, gradients = leaves(case, rng, ag.float32), random_gradients(case, rng, 4)
    found: list[Any] = []
    for small, block in ((2048, 32768), (2048, 10), (0, 5), (0, 32768)):
        monkeypatch.setattr(blocks, "SMALL", small)
        monkeypatch.setattr(blocks, "BLOCK", block)
        params = [p.detach().clone().requires_grad_() for p in start]
        optimizer = make(case, params)
        steps(case, optimizer, params, gradients)
        state = [slots.values() for slots in optimizer.state_dict()["state"].values()]
        found.append(([p.tolist() for p in params], [[x.tolist() for x in s] for s in state]))
    assert all(other == found[0] for other in found[1:])


def one_weight(optimizer_class: Any, gradients: list[float], **rates: Any) -> list[float]:
    """The path of one weight from 1 under given gradients."""
    w = ag.tensor(1.0, dtype=ag.float64, requires_grad=True)
    optimizer = optimizer_class([w], **rates)
    path: list[float] = []
    for g in gradients:
        w.grad = ag.tensor(g, dtype=ag.float64)
        optimizer.step()
        path.append(w.item())
    return path


def test_sgd_by_hand() -> None:
    assert one_weight(optim.SGD, [2.0, -1.0], lr=0.1) == pytest.approx([0.8, 0.9])
    assert one_weight(optim.SGD, [2.0], lr=0.1, weight_decay=0.5) == pytest.approx([0.75])
    # m = 2, then 0.9 * 2 + 1 = 2.8
    assert one_weight(optim.SGD, [2.0, 1.0], lr=0.1, momentum=0.9) == pytest.approx([0.8, 0.52])
    # the first m is not dampened: 2, then 0.9 * 2 + 0.5 * 1 = 2.3
    assert one_weight(optim.SGD, [2.0, 1.0], lr=0.1, momentum=0.9, dampening=0.5) == pytest.approx(
        [0.8, 0.57]
    )
    # 2 + 0.9 * 2 = 3.8
    assert one_weight(optim.SGD, [2.0], lr=0.1, momentum=0.9, nesterov=True) == pytest.approx(
        [0.62]
    )


def test_adam_by_hand() -> None:
    # The first step is lr * sign(g) up to eps, whatever the size of the gradient.
    assert one_weight(optim.Adam, [1e-3], lr=0.1) == pytest.approx([0.9], abs=1e-5)
    assert one_weight(optim.Adam, [-1e3], lr=0.1) == pytest.approx([1.1], abs=1e-5)
    m, v, w = 0.0, 0.0, 1.0
    path: list[float] = []
    gradients = [2.0, -1.0, 0.5, 3.0]
    for t, g in enumerate(gradients, start=1):
        m = 0.9 * m + 0.1 * g
        v = 0.999 * v + 0.001 * g**2
        w -= 0.01 * (m / (1 - 0.9**t)) / (math.sqrt(v / (1 - 0.999**t)) + 1e-8)
        path.append(w)
    assert one_weight(optim.Adam, gradients, lr=0.01) == pytest.approx(path, rel=1e-14)


def test_amsgrad_remembers_the_largest_square() -> None:
    gradients = [10.0, 0.0, 0.0, 1.0]
    plain = one_weight(optim.Adam, gradients, lr=0.1, betas=(0.0, 0.1))
    kept = one_weight(optim.Adam, gradients, lr=0.1, betas=(0.0, 0.1), amsgrad=True)
    assert kept[0] == plain[0]
    # v is 0.9 * 100 from the first step on, and only its bias correction changes.
    assert kept[-2] - kept[-1] == pytest.approx(0.1 / math.sqrt(90 / (1 - 0.1**4)), rel=1e-6)
    assert plain[-2] - plain[-1] > 5 * (kept[-2] - kept[-1])


def test_a_velocity_goes_the_same_way_until_the_rate_changes() -> None:
    gradients = [2.0, -1.0, 0.5, 3.0]
    for rates in ({}, {"nesterov": True}, {"dampening": 0.5}):
        rates = {"lr": 0.1, "momentum": 0.9, **rates}
        plain = one_weight(optim.SGD, gradients, **rates)
        assert one_weight(optim.SGD, gradients, **rates, velocity=True) == pytest.approx(plain)


def test_a_velocity_keeps_the_rate_it_was_gained_with() -> None:
    ends: dict[bool, float] = {}
    for velocity in (False, True):
        w = ag.tensor(1.0, dtype=ag.float64, requires_grad=True)
        optimizer = optim.SGD([w], lr=0.1, momentum=0.5, velocity=velocity)
        for lr in (0.1, 0.01):
            optimizer.param_groups[0]["lr"] = lr
            w.grad = ag.tensor(1.0, dtype=ag.float64)
            optimizer.step()
        ends[velocity] = w.item()
    # m = 1, then 1.5: 1 - 0.1 - 0.015;  v = -0.1, then 0.5 * -0.1 - 0.01: 1 - 0.1 - 0.06
    assert ends == {False: pytest.approx(0.885), True: pytest.approx(0.84)}


def test_gradient_descent_shrinks_each_eigendirection_by_its_own_factor(
    rng: np.random.Generator,
) -> None:
    """alpha_i(s+1) = (1 - eta lambda_i) alpha_i(s) for w - w* = sum_i alpha_i q_i."""
    eigenvalues = np.array([0.1, 1.0, 3.0])
    q, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    h, center = ag.tensor(q @ np.diag(eigenvalues) @ q.T), ag.tensor(rng.normal(size=3))
    w = ag.tensor(rng.normal(size=3), requires_grad=True)
    optimizer = optim.SGD([w], lr=0.5)
    for _ in range(10):
        before = q.T @ (w - center).detach().numpy()
        optimizer.zero_grad()
        ((w - center) @ h @ (w - center) / 2).backward()
        optimizer.step()
        after = q.T @ (w - center).detach().numpy()
        np.testing.assert_allclose(after, (1 - 0.5 * eigenvalues) * before, rtol=1e-9)


def test_an_l2_penalty_is_weight_decay_for_sgd_but_not_for_adam() -> None:
    def end(optimizer_class: Any, penalty: float, **rates: Any) -> list[float]:
        w = ag.tensor([1.0, -3.0], dtype=ag.float64, requires_grad=True)
        optimizer = optimizer_class([w], **rates)
        for _ in range(5):
            optimizer.zero_grad()
            (((w - 2.0) ** 2).sum() + penalty / 2 * (w * w).sum()).backward()
            optimizer.step()
        return w.tolist()

    assert end(optim.SGD, 0.3, lr=0.1) == pytest.approx(end(optim.SGD, 0, lr=0.1, weight_decay=0.3))
    # Decoupled, w <- (1 - lr decay) w - lr g is the same line.
    w = np.array([1.0, -3.0])
    for _ in range(5):
        w = (1 - 0.1 * 0.3) * w - 0.1 * 2 * (w - 2.0)
    assert end(optim.SGD, 0, lr=0.1, weight_decay=0.3) == pytest.approx(w.tolist())
    penalty = end(optim.Adam, 0.3, lr=0.1)
    assert end(optim.Adam, 0, lr=0.1, weight_decay=0.3) == pytest.approx(penalty)
    decoupled = end(optim.AdamW, 0, lr=0.1, weight_decay=0.3)
    assert max(abs(a - b) for a, b in zip(decoupled, penalty, strict=True)) > 0.01


def test_adagrad_and_rmsprop_by_hand() -> None:
    # G = 4, then 5;  v = 0.1 * 4, then 0.9 * 0.4 + 0.1 * 1
    assert one_weight(optim.Adagrad, [2.0, 1.0], lr=0.1, eps=0) == pytest.approx(
        [0.9, 0.9 - 0.1 / math.sqrt(5)]
    )
    assert one_weight(optim.RMSprop, [2.0, 1.0], lr=0.1, alpha=0.9, eps=0) == pytest.approx(
        [1 - 0.2 / math.sqrt(0.4), 1 - 0.2 / math.sqrt(0.4) - 0.1 / math.sqrt(0.46)]
    )


def test_rprop_skips_the_step_where_the_sign_changes() -> None:
    path = one_weight(optim.Rprop, [3.0, 1.0, -2.0, -5.0], lr=0.1, etas=(0.5, 1.5))
    # steps 0.1, 0.15, none, and again 0.075 with nothing to compare with
    assert path == pytest.approx([0.9, 0.75, 0.75, 0.825])


def test_asgd_averages_its_iterates_from_t0_on() -> None:
    w = ag.tensor(0.0, dtype=ag.float64, requires_grad=True)
    optimizer = optim.ASGD([w], lr=1.0, lambd=0.0, t0=1)
    seen: list[float] = []
    for g in (-1.0, -2.0, -3.0, -4.0):
        w.grad = ag.tensor(g, dtype=ag.float64)
        optimizer.step()
        seen.append(w.item())
    assert seen == [1.0, 3.0, 6.0, 10.0]
    # mu is 1 for the first two steps and then 1, 1/2: the mean of 6 and 10
    assert optimizer.state[w]["ax"].item() == pytest.approx(8.0)


def test_muon_steps_along_a_nearly_orthogonal_matrix(rng: np.random.Generator) -> None:
    w = ag.zeros(6, 3, dtype=ag.float64, requires_grad=True)
    optimizer = optim.Muon([w], lr=1.0, weight_decay=0.0)
    w.grad = ag.tensor(rng.normal(size=(6, 3)))
    optimizer.step()
    sizes = np.linalg.svd(w.detach().numpy() / math.sqrt(6 / 3), compute_uv=False)
    assert 0.5 < sizes.min() <= sizes.max() < 1.5


def test_adafactor_remembers_rows_and_columns_only() -> None:
    w, b = ag.ones(2, 3, 4, requires_grad=True), ag.ones(5, requires_grad=True)
    optimizer = optim.Adafactor([w, b])
    w.grad, b.grad = ag.ones_like(w), ag.ones_like(b)
    optimizer.step()
    shapes = {name: x.shape for name, x in optimizer.state_dict()["state"][0].items()}
    assert shapes == {"step": (), "row_var": (2, 3, 1), "col_var": (2, 1, 4)}
    assert optimizer.state_dict()["state"][1]["variance"].shape == (5,)
