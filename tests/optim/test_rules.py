"""Every optimiser, by its rows: PyTorch's numbers, and those of the papers worked out by hand."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import autograd_core as ag
import optim
from tests.optim.cases import OPTIMIZERS, OptimizerCase

every_optimizer = pytest.mark.parametrize("case", OPTIMIZERS, ids=str)
SHAPES = [(3, 4), (5,), ()]


def leaves(rng: np.random.Generator, dtype: Any = ag.float64) -> list[ag.Tensor]:
    drawn = [rng.normal(size=shape) for shape in SHAPES]
    return [ag.tensor(w, dtype=dtype, requires_grad=True) for w in drawn]


def make(case: OptimizerCase, params: Any) -> optim.Optimizer:
    return getattr(optim, case.name)(params, **case.rates)


def steps(optimizer: optim.Optimizer, params: list[ag.Tensor], grads: Any) -> None:
    for step in grads:
        for parameter, g in zip(params, step, strict=True):
            parameter.grad = ag.tensor(g, dtype=parameter.dtype)
        optimizer.step()


def random_gradients(rng: np.random.Generator, count: int = 20) -> list[list[np.ndarray]]:
    return [[np.asarray(rng.normal(size=shape)) for shape in SHAPES] for _ in range(count)]


@pytest.mark.torch
@every_optimizer
def test_twenty_steps_agree_with_pytorch(case: OptimizerCase, rng: np.random.Generator) -> None:
    torch = pytest.importorskip("torch")
    ours = leaves(rng)
    theirs = [torch.tensor(p.detach().numpy(), requires_grad=True) for p in ours]
    optimizer, other = make(case, ours), getattr(torch.optim, case.name)(theirs, **case.rates)
    for step in random_gradients(rng):
        steps(optimizer, ours, [step])
        for q, g in zip(theirs, step, strict=True):
            q.grad = torch.tensor(g)
        other.step()
    for p, q in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(p.detach().numpy(), q.detach().numpy(), rtol=1e-12, atol=1e-12)
    agree(optimizer.state_dict(), other.state_dict())


def agree(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    """Compare the state, and those rates that PyTorch's state dict has as well."""
    assert ours["state"].keys() == theirs["state"].keys()
    for number, slots in ours["state"].items():
        assert slots.keys() == theirs["state"][number].keys()
        for name, slot in slots.items():
            np.testing.assert_allclose(slot.numpy(), theirs["state"][number][name], rtol=1e-12)
    for group, other in zip(ours["param_groups"], theirs["param_groups"], strict=True):
        assert group.items() <= other.items()


@pytest.mark.torch
@every_optimizer
def test_pytorch_continues_from_our_state(case: OptimizerCase, rng: np.random.Generator) -> None:
    torch = pytest.importorskip("torch")
    ours, gradients = leaves(rng), random_gradients(rng, 4)
    optimizer = make(case, ours)
    steps(optimizer, ours, gradients[:2])
    theirs = [torch.tensor(p.detach().numpy(), requires_grad=True) for p in ours]
    other = getattr(torch.optim, case.name)(theirs, **case.rates)
    saved = optimizer.state_dict()
    saved["state"] = {
        number: {name: torch.tensor(slot.numpy()) for name, slot in slots.items()}
        for number, slots in saved["state"].items()
    }
    other.load_state_dict(saved)
    steps(optimizer, ours, gradients[2:])
    for step in gradients[2:]:
        for q, g in zip(theirs, step, strict=True):
            q.grad = torch.tensor(g)
        other.step()
    for p, q in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(p.detach().numpy(), q.detach().numpy(), rtol=1e-12, atol=1e-12)


@every_optimizer
def test_float32_stays_float32(case: OptimizerCase, rng: np.random.Generator) -> None:
    params = leaves(rng, ag.float32)
    optimizer = make(case, params)
    optimizer.param_groups[0]["lr"] = np.float64(0.1)
    steps(optimizer, params, random_gradients(rng, 3))
    assert all(p.dtype == ag.float32 for p in params)
    slots = [slot for s in optimizer.state_dict()["state"].values() for slot in s.values()]
    assert all(slot.dtype == ag.float32 for slot in slots)


@every_optimizer
def test_state_has_pytorchs_names(case: OptimizerCase, rng: np.random.Generator) -> None:
    params = leaves(rng)
    optimizer = make(case, params)
    steps(optimizer, params, random_gradients(rng, 2))
    state = optimizer.state_dict()["state"]
    assert len(state) == (len(params) if case.slots else 0)
    assert all(tuple(slots) == case.slots for slots in state.values())


@every_optimizer
def test_a_loaded_state_continues_bit_for_bit(
    case: OptimizerCase, rng: np.random.Generator
) -> None:
    one, gradients = leaves(rng), random_gradients(rng, 6)
    first = make(case, one)
    steps(first, one, gradients[:3])
    two = [p.detach().clone().requires_grad_() for p in one]
    second = getattr(optim, case.name)(two, lr=9.0)
    second.load_state_dict(first.state_dict())
    assert second.param_groups[0]["lr"] == first.param_groups[0]["lr"]
    for optimizer, params in ((first, one), (second, two)):
        steps(optimizer, params, gradients[3:])
    assert [p.tolist() for p in one] == [p.tolist() for p in two]


@every_optimizer
def test_a_quadratic_is_minimised(case: OptimizerCase) -> None:
    sign = -1.0 if case.rates.get("maximize") else 1.0
    w = ag.tensor([3.0, -2.0], dtype=ag.float64, requires_grad=True)
    optimizer = make(case, [w])
    for group in optimizer.param_groups:
        group["lr"] = 0.05
    for _ in range(500):
        optimizer.zero_grad()
        (sign * (w * w).sum()).backward()
        optimizer.step()
    # At a fixed rate the averages swing around the minimum before they settle.
    assert w.tolist() == pytest.approx([0.0, 0.0], abs=5e-3)


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
