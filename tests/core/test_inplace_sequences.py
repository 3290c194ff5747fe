"""Random sequences of views and in-place steps: gradients are right, or an error is raised."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd_core as ag

VIEWS: list[Callable[[Any], Any]] = [
    lambda x: x[1:],
    lambda x: x[..., ::2],
    lambda x: x[0],
    lambda x: x.transpose(0, -1),
    lambda x: x.reshape(-1),
    lambda x: x.unsqueeze(1),
    lambda x: x.detach(),
    lambda x: x.T if x.ndim == 2 else x.reshape(-1),
]
CHANGES: list[Callable[[Any, Any], Any]] = [
    lambda x, other: x.mul_(1.5),
    lambda x, other: x.add_(other.sum() * 0.1),
    lambda x, other: x.tanh_(),
    lambda x, other: x.mul_(other.mean() + 1.0),
    lambda x, other: x.__setitem__(0, other.sum() * 0.5),
    lambda x, other: x.__setitem__(..., 0.25),
    lambda x, other: x.sub_(x * 0.5),
    lambda x, other: x.square_(),
    lambda x, other: x.copy_(other.mean()),
]
FRESH: list[Callable[[Any, Any], Any]] = [
    lambda x, other: x * 2.0,
    lambda x, other: x.tanh(),
    lambda x, other: x * other.mean(),
    lambda x, other: x + 0.5,
]

Step = tuple[int, int, int, int]
seeds = pytest.mark.parametrize("which", range(150))


def sequence(which: int) -> tuple[np.ndarray, list[Step]]:
    rng = np.random.default_rng(which)
    steps = [
        (int(kind), int(rng.integers(100)), int(rng.integers(100)), int(rng.integers(100)))
        for kind in rng.choice(3, size=int(rng.integers(3, 14)), p=[0.4, 0.4, 0.2])
    ]
    return rng.normal(size=(4, 3)), steps


def run(steps: list[Step], leaf: Any) -> Any:
    """Return a number that depends on the leaf through everything the steps made."""
    known = [leaf * 1.0]
    for kind, choice, first, second in steps:
        x, other = known[first % len(known)], known[second % len(known)]
        if kind == 0:
            known.append(VIEWS[choice % len(VIEWS)](x) if x.ndim else x)
        elif kind == 1 and x.ndim:
            CHANGES[choice % len(CHANGES)](x, other)
        elif kind == 2:
            known.append(FRESH[choice % len(FRESH)](x, other))
    return sum((x * x).sum() for x in known)


def gradient(steps: list[Step], leaf: Any) -> np.ndarray | None:
    """Return the gradient, or None where it is refused."""
    try:
        run(steps, leaf).backward()
    except RuntimeError:
        return None
    return leaf.grad.numpy()


def detaches(steps: list[Step]) -> bool:
    return any(kind == 0 and VIEWS[choice % len(VIEWS)] is VIEWS[6] for kind, choice, *_ in steps)


@seeds
def test_a_gradient_is_right_or_refused(which: int) -> None:
    point, steps = sequence(which)
    if detaches(steps):
        pytest.skip("differences do not know what detach() hides")
    found = gradient(steps, ag.tensor(point, requires_grad=True))
    if found is None:
        return
    direction = np.random.default_rng(which).normal(size=point.shape)
    ends = [run(steps, ag.tensor(point + s * 1e-6 * direction)).item() for s in (1, -1)]
    slope = (ends[0] - ends[1]) / 2e-6
    assert np.sum(found * direction) == pytest.approx(slope, rel=1e-6, abs=1e-6)


@pytest.mark.torch
@seeds
def test_it_is_what_pytorch_gives(which: int, torch: Any) -> None:
    point, steps = sequence(which)
    expected = gradient(steps, torch.tensor(point, requires_grad=True))
    found = gradient(steps, ag.tensor(point, requires_grad=True))
    if expected is None:  # what saved less may know more, see the test above
        return
    assert found is not None
    np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-12)


@pytest.mark.torch
def test_most_sequences_are_not_refused(torch: Any) -> None:
    drawn = [sequence(which) for which in range(150)]
    found = [gradient(steps, torch.tensor(x, requires_grad=True)) for x, steps in drawn]
    assert sum(g is not None for g in found) > 75
