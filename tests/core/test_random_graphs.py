"""Random programs with shared values: backwards against forwards, differences and PyTorch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

import autograd_core as ag
from autograd_core import engine
from autograd_core.modes import Switch

SHAPES = [(2, 3), (3,), (2, 1), ()]
# Smooth, and bounded so that no chain of them grows out of hand.
ONE: list[Callable[[Any], Any]] = [
    lambda x: x.tanh(),
    lambda x: x.sigmoid(),
    lambda x: (0.1 * x).exp(),
    lambda x: (x * x + 1.0).log(),
    lambda x: (x * x + 0.5).sqrt(),
    lambda x: -x,
    lambda x: x.sum(),
    lambda x: x.reshape(-1)[:2].sum(),
    lambda x: x.mean() * x,
    lambda x: x.softmax(-1) if x.ndim else x,
    lambda x: x.transpose(0, 1).transpose(0, 1) if x.ndim == 2 else x,
]
TWO: list[Callable[[Any, Any], Any]] = [
    lambda a, b: a + b,
    lambda a, b: a - 0.5 * b,
    lambda a, b: (a * b).tanh(),
    lambda a, b: a / (b * b + 1.0),
    lambda a, b: a * a.sigmoid() + b,
]

Program = list[tuple[int, tuple[int, ...]]]
seeds = pytest.mark.parametrize("seed_of_graph", range(40))


def program(rng: np.random.Generator) -> Program:
    """Draw 5 to 60 steps; each takes results of any earlier ones, often the same ones."""
    steps: Program = []
    for known in range(len(SHAPES), len(SHAPES) + int(rng.integers(5, 61))):
        if rng.random() < 0.4:
            steps.append((int(rng.integers(len(ONE))), (int(rng.integers(known)),)))
        else:
            pair = (int(rng.integers(known)), int(rng.integers(known)))
            steps.append((int(rng.integers(len(TWO))), pair))
    return steps


def run(steps: Program, leaves: Sequence[Any]) -> Any:
    known = list(leaves)
    for which, places in steps:
        operands = [known[i] for i in places]
        known.append(ONE[which](*operands) if len(places) == 1 else TWO[which](*operands))
    return sum(x.sum() * 0.1 for x in known[-4:])


def drawn(seed: int) -> tuple[Program, list[np.ndarray], list[np.ndarray]]:
    rng = np.random.default_rng(seed)
    points, tangents = ([np.asarray(rng.normal(size=s)) for s in SHAPES] for _ in range(2))
    return program(rng), points, tangents


def tensors(points: list[np.ndarray]) -> list[Any]:
    return [ag.tensor(x, requires_grad=True) for x in points]


def slope(steps: Program, points: list[np.ndarray], tangents: list[np.ndarray]) -> float:
    step = 1e-6
    ends = [
        run(steps, [ag.tensor(x + s * step * t) for x, t in zip(points, tangents, strict=True)])
        for s in (1, -1)
    ]
    return (ends[0].item() - ends[1].item()) / (2 * step)


@seeds
def test_backwards_forwards_and_differences_agree(seed_of_graph: int) -> None:
    steps, points, tangents = drawn(seed_of_graph)
    leaves = tensors(points)
    with Switch(forward=True):
        y = run(steps, leaves)
        (forwards,) = engine.push([y], dict(zip(leaves, tangents, strict=True)))
    grads = ag.autograd.grad(y, leaves, materialize_grads=True)
    terms = [g.numpy() * t for g, t in zip(grads, tangents, strict=True)]
    backwards = sum(term.sum() for term in terms)
    size = 1.0 + sum(np.abs(term).sum() for term in terms)
    forwards = 0.0 if forwards is None else forwards.item()
    assert abs(backwards - forwards) <= 1e-12 * size
    assert abs(backwards - slope(steps, points, tangents)) <= 1e-7 * size


@seeds
def test_second_derivatives_agree_both_ways(seed_of_graph: int) -> None:
    steps, points, tangents = drawn(seed_of_graph)
    leaves = tensors(points)
    directions = dict(zip(leaves, tangents, strict=True))
    with Switch(forward=True):
        grads: Any = ag.autograd.grad(
            run(steps, leaves), leaves, create_graph=True, materialize_grads=True
        )
        arrived = engine.push(grads, directions)
    along: Any = sum((g * ag.tensor(t)).sum() for g, t in zip(grads, tangents, strict=True))
    if not along.requires_grad:
        assert arrived == [None] * len(leaves)
        return
    seconds = ag.autograd.grad(along, leaves, materialize_grads=True)
    for g, t in zip(seconds, arrived, strict=True):
        t = np.zeros(g.shape) if t is None else t
        np.testing.assert_allclose(g.numpy(), t, rtol=1e-10, atol=1e-10)


@seeds
def test_a_second_run_gives_the_same_bits(seed_of_graph: int) -> None:
    steps, points, _ = drawn(seed_of_graph)
    runs = []
    for _ in range(2):
        leaves = tensors(points)
        run(steps, leaves).backward()
        runs.append([None if x.grad is None else x.grad.numpy().tobytes() for x in leaves])
    assert runs[0] == runs[1]


@pytest.mark.torch
@seeds
def test_pytorch_gives_the_same_gradients(seed_of_graph: int, torch: Any) -> None:
    steps, points, _ = drawn(seed_of_graph)
    ours, theirs = tensors(points), [torch.tensor(x, requires_grad=True) for x in points]
    y, e = run(steps, ours), run(steps, theirs)
    assert y.item() == pytest.approx(e.item(), rel=1e-12)
    y.backward()
    e.backward()
    for x, z in zip(ours, theirs, strict=True):
        assert (x.grad is None) == (z.grad is None)
        if x.grad is not None:
            np.testing.assert_allclose(x.grad.numpy(), z.grad.numpy(), rtol=1e-10, atol=1e-12)
