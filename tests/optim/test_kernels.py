"""Optimisers whose rule a kernel runs: the same bits, whoever has a gradient and whenever."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

import autograd_core as ag
import kernels
import optim
from kernels import updates
from optim import blocks

from .cases import OPTIMIZERS, OptimizerCase

CASES = [case for case in OPTIMIZERS if getattr(optim, case.name).kernel]
every_case = pytest.mark.parametrize("case", CASES, ids=str)
every_dtype = pytest.mark.parametrize("dtype", [ag.float32, ag.float64], ids=str)
SHAPES = ((3, 4), (), (0, 2), (70,), (2, 3, 5))
# Else the twins run, which round elsewhere.
COMPILED = type(updates.adam).__name__ != "function" and os.environ.get("NAIVE_KERNELS", "0") == "0"

Params = list[ag.Tensor]


@contextmanager
def calls() -> Generator[list[int]]:
    """Collect how many parameters each call of an update kernel is about."""
    counts: list[int] = []
    names = {getattr(optim, case.name).kernel for case in CASES}
    with pytest.MonkeyPatch.context() as patch:
        for name in names:
            run = getattr(kernels.call, name)

            def noted(like: Any, ids: Any, *rates: Any, run: Any = run) -> None:
                counts.append(len(ids))
                run(like, ids, *rates)

            patch.setattr(kernels.call, name, noted)
        yield counts


def parameters(rng: np.random.Generator, dtype: Any, shapes: Any = SHAPES) -> Params:
    drawn = [np.asarray(rng.standard_normal(shape)) for shape in shapes]
    return [ag.tensor(w, dtype=dtype).requires_grad_() for w in drawn]


def copies(params: Params) -> Params:
    return [p.detach().clone().requires_grad_() for p in params]


def build(case: OptimizerCase, params: Params) -> Any:
    return getattr(optim, case.name)(params, **case.rates)


def give(rng: np.random.Generator, *lists: Params, but: tuple[int, ...] = ()) -> None:
    for i, same in enumerate(zip(*lists, strict=True)):
        g = rng.standard_normal(tuple(same[0].shape))
        for p in same:
            p.grad = None if i in but else ag.tensor(g, dtype=p.dtype)


def step_by_rule(optimizer: Any) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "KERNEL", math.inf)
        optimizer.step()


def everything(optimizer: Any) -> list[Any]:
    """All parameters and what is remembered of them, as arrays and their names."""
    groups, state = optimizer.param_groups, optimizer.state_dict()["state"]
    found = [("w", p.detach().numpy()) for group in groups for p in group["params"]]
    return [*found, *((k, x.numpy()) for slots in state.values() for k, x in slots.items())]


def compare(one: Any, other: Any) -> None:
    found, expected = everything(one), everything(other)
    assert [name for name, _ in found] == [name for name, _ in expected]
    for (_, x), (_, y) in zip(found, expected, strict=True):
        assert x.dtype == y.dtype
        rtol = 0 if COMPILED else 8 * np.finfo(x.dtype).eps
        np.testing.assert_allclose(x, y, rtol=rtol, atol=0)


@pytest.fixture
def from_one_element_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "KERNEL", 1)


@every_dtype
@every_case
def test_the_kernel_leaves_the_bits_that_the_rule_leaves(
    case: OptimizerCase, dtype: Any, from_one_element_on: None, rng: np.random.Generator
) -> None:
    params = parameters(rng, dtype)
    by_kernel, by_rule = build(case, params), build(case, copies(params))
    others = by_rule.param_groups[0]["params"]
    with calls() as counts:
        for absent in ((3,), (3, 4), (3,), (0,), (), ()):
            give(rng, params, others, but=absent)
            by_kernel.step()
            step_by_rule(by_rule)
            compare(by_kernel, by_rule)
    assert bool(counts) != ("velocity" in case.rates)


def test_parameters_of_both_dtypes_and_frozen_ones_go_together(
    from_one_element_on: None, rng: np.random.Generator
) -> None:
    params = [*parameters(rng, ag.float32), *parameters(rng, ag.float64)]
    params += parameters(rng, ag.float16)
    by_kernel, by_rule = optim.AdamW(params), optim.AdamW(copies(params))
    with calls() as counts:
        for _ in range(3):
            give(rng, params, by_rule.param_groups[0]["params"])
            by_kernel.step()
            step_by_rule(by_rule)
    assert counts == [5, 5] * 3
    compare(by_kernel, by_rule)


@pytest.mark.parametrize(
    ("kind", "rates"),
    [
        ("SGD", [{"momentum": 0.0}, {"momentum": 0.9}, {"momentum": 0.9, "velocity": True}]),
        ("Adam", [{"amsgrad": False}, {"amsgrad": True}, {"amsgrad": True}]),
        ("RMSprop", [{"centered": False}, {"centered": True}, {"momentum": 0.5}]),
    ],
)
def test_rates_that_need_other_slots_may_come_and_go(
    kind: str, rates: list[dict[str, Any]], from_one_element_on: None, rng: np.random.Generator
) -> None:
    params = parameters(rng, ag.float32)
    one = getattr(optim, kind)(params)
    other = getattr(optim, kind)(copies(params))
    for changed in (*rates, *rates[::-1]):
        for optimizer in (one, other):
            optimizer.param_groups[0].update(changed)
        for _ in range(3):
            give(rng, params, other.param_groups[0]["params"])
            one.step()
            step_by_rule(other)
            compare(one, other)


def test_slots_may_be_replaced_and_loaded_in_between(
    from_one_element_on: None, rng: np.random.Generator
) -> None:
    params = parameters(rng, ag.float32)
    one, other = optim.Adam(params), optim.Adam(copies(params))
    mirrored = other.param_groups[0]["params"]
    for step in range(6):
        give(rng, params, mirrored)
        one.step()
        step_by_rule(other)
        for optimizer, p in ((one, params[3]), (other, mirrored[3])):
            if step == 1:
                optimizer.state[p]["exp_avg"] = np.ones(70, np.float32)
            if step == 2:
                del optimizer.state[p]
            if step == 3:
                optimizer.load_state_dict(optimizer.state_dict())
            if step == 4:
                p.data = ag.ones(70)
        compare(one, other)


def test_memory_with_gaps_is_left_to_the_rule_and_such_gradients_are_copied(
    from_one_element_on: None, rng: np.random.Generator
) -> None:
    turned = ag.ones(3, 4).T.requires_grad_()
    plain = ag.ones(4, 3).requires_grad_()
    g = ag.tensor(rng.standard_normal((3, 4)), dtype=ag.float32)
    optimizer = optim.Adagrad([turned, plain], lr=0.1)
    with calls() as counts:
        for _ in range(2):
            turned.grad = plain.grad = g.T
            optimizer.step()
    assert counts == [1, 1]
    assert turned.tolist() == plain.tolist()
    assert not turned.is_contiguous()


def test_memory_that_is_read_only_is_refused_as_by_the_rule(from_one_element_on: None) -> None:
    fixed = np.ones(3, np.float32)
    fixed.flags.writeable = False
    p = ag.from_numpy(fixed).requires_grad_()
    p.grad = ag.ones(3)
    with pytest.raises(ValueError, match="read-only"):
        optim.SGD([p]).step()
    assert fixed.tolist() == [1.0, 1.0, 1.0]


def test_a_rule_of_ones_own_is_the_one_that_runs(
    from_one_element_on: None, rng: np.random.Generator
) -> None:
    class Upwards(optim.SGD):
        def rule(self, w: Any, g: Any, s: Any, group: Any) -> Any:
            return w + group["lr"] * g

    class Mixed(Upwards, optim.SGD):
        pass

    class Renamed(optim.SGD):
        pass

    assert (Upwards.kernel, Mixed.kernel, Renamed.kernel) == ("", "", "sgd")
    (p,) = parameters(rng, ag.float32, [(3,)])
    before = p.detach().clone()
    p.grad = ag.ones(3)
    Mixed([p], lr=1.0).step()
    assert p.tolist() == (before + 1.0).tolist()


def test_only_sizes_decide_whether_the_kernel_runs(rng: np.random.Generator) -> None:
    half = blocks.KERNEL // 2
    params = parameters(rng, ag.float32, [(half,), (half - 1,), (1,)])
    optimizer = optim.SGD(params)
    with calls() as counts:
        give(rng, params)
        optimizer.step()
        assert counts == [3]
        params[2].grad = None
        optimizer.step()
        assert counts == [3]


def test_an_update_by_the_kernel_is_an_overwrite(rng: np.random.Generator) -> None:
    (w,) = parameters(rng, ag.float32, [(blocks.KERNEL,)])
    y = (w * w).sum()
    w.grad = ag.ones_like(w)
    optim.SGD([w]).step()
    with pytest.raises(ag.GraphError, match="changed in place"):
        y.backward()


def test_small_networks_do_not_load_numba() -> None:
    code = (
        "import sys, autograd_core as ag, optim\n"
        "from nn.utils import clip_grad_norm_\n"
        "w = ag.ones(100, 100).requires_grad_()\n"
        "w.grad = ag.ones(100, 100)\n"
        "clip_grad_norm_([w], 1.0)\n"
        "optim.Adam([w]).step()\n"
        "sys.exit('numba' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
