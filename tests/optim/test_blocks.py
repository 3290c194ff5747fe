"""Parameters that are joined and cut: who is updated with whom, and what may change in between."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import autograd_core as ag
import optim
from optim import blocks


def parameters(*shapes: tuple[int, ...], dtype: Any = ag.float32) -> list[ag.Tensor]:
    return [ag.ones(shape, dtype=dtype).requires_grad_() for shape in shapes]


def give(params: list[ag.Tensor], value: float = 1.0) -> None:
    for p in params:
        p.grad = ag.full_like(p, value)


def apart(params: list[ag.Tensor], **rates: Any) -> list[optim.Optimizer]:
    """An optimiser for each parameter, to compare with one for all."""
    return [optim.Adam([p], **rates) for p in params]


def copies(params: list[ag.Tensor]) -> list[ag.Tensor]:
    return [p.detach().clone().requires_grad_() for p in params]


def test_small_parameters_are_updated_by_one_call_of_the_rule() -> None:
    calls: list[int] = []

    class Counted(optim.SGD):
        def rule(self, w: Any, g: Any, s: Any, group: Any) -> Any:
            calls.append(w.size)
            return super().rule(w, g, s, group)

    params = [*parameters((3, 4), (), (0,), (5,)), *parameters((2,), dtype=ag.float64)]
    params += parameters((100, 1000))
    optimizer = Counted(params, momentum=0.9)
    for _ in range(2):
        give(params)
        optimizer.step()
    one_step = [18, 2, blocks.BLOCK, blocks.BLOCK, blocks.BLOCK, 100_000 - 3 * blocks.BLOCK]
    assert calls == 2 * one_step


def test_a_rule_about_a_whole_parameter_sees_each_by_itself() -> None:
    shapes: list[tuple[int, ...]] = []

    class Normed(optim.Optimizer):
        def init(self, w: Any, group: Any) -> Any:
            return {"norm": None}

        def rule(self, w: Any, g: Any, s: Any, group: Any) -> Any:
            shapes.append(w.shape)
            s["norm"] = (g * g).sum() ** 0.5
            return w - g / s["norm"]

    params = parameters((2, 2), (), (100, 100))
    optimizer = Normed(params, {})
    give(params, 2.0)
    optimizer.step()
    assert shapes == [(2, 2), (), (100, 100)]
    assert [p.ravel()[0].item() for p in params] == pytest.approx([0.5, 0.0, 0.99])
    assert optimizer.state_dict()["state"][0]["norm"].item() == 4.0


def test_counts_may_differ_from_parameter_to_parameter() -> None:
    together = parameters((3,), (4,), (2, 2))
    alone = copies(together)
    optimizer, others = optim.Adam(together, lr=0.1), apart(alone, lr=0.1)
    for active in ([0, 1, 2], [0, 2], [1], [0, 1, 2], [0, 1, 2]):
        for i in range(3):
            value = ag.full_like(together[i], 0.1 * (i + len(active))) if i in active else None
            together[i].grad = alone[i].grad = value
        optimizer.step()
        for other in others:
            other.step()
    assert [p.tolist() for p in together] == [p.tolist() for p in alone]
    assert [optimizer.state[p]["step"] for p in together] == [4, 4, 4]


def test_a_state_may_be_dropped_or_replaced_in_between() -> None:
    together = parameters((3,), (4,))
    alone = copies(together)
    optimizer, others = optim.Adam(together, lr=0.1), apart(alone, lr=0.1)
    everybody = (optimizer, *others)
    for step in range(4):
        give(together + alone, 0.5 + step)
        if step == 2:
            del optimizer.state[together[0]], others[0].state[alone[0]]
            optimizer.state[together[1]]["exp_avg"] = np.zeros(4, np.float32)
            others[1].state[alone[1]]["exp_avg"] = np.zeros(4, np.float32)
        for each in everybody:
            each.step()
    assert [p.tolist() for p in together] == [p.tolist() for p in alone]


def test_data_may_be_replaced_in_between() -> None:
    params = parameters((3,), (4,))
    optimizer = optim.SGD(params, lr=0.5)
    give(params)
    optimizer.step()
    params[0].data = ag.full(3, 9.0)
    optimizer.step()
    assert params[0].tolist() == [8.5, 8.5, 8.5]
    assert params[1].tolist() == [0.0, 0.0, 0.0, 0.0]


@pytest.mark.parametrize("size", [4, 300])
def test_memory_need_not_be_contiguous(size: int) -> None:
    table = ag.ones(size, 2 * size)
    turned = table.T.requires_grad_()
    plain = ag.ones(2 * size, size).requires_grad_()
    g = ag.tensor(np.arange(2.0 * size * size).reshape(size, 2 * size), dtype=ag.float32)
    optimizer = optim.Adamax([turned, plain], lr=0.1)
    for _ in range(2):
        turned.grad, plain.grad = g.T, g.T.contiguous()
        optimizer.step()
    assert turned.tolist() == plain.tolist()
    assert table[0].tolist() == plain[:, 0].tolist()
    assert not turned.is_contiguous()


def test_the_state_is_written_in_place() -> None:
    for shape in ((3,), (100, 100)):
        params = parameters(shape)
        optimizer = optim.SGD(params, momentum=0.5)
        give(params)
        optimizer.step()
        shown = optimizer.state_dict()["state"][0]["momentum_buffer"]
        optimizer.step()
        assert shown.ravel()[0].item() == 1.5
        assert params[0].grad.ravel()[0].item() == 1.0


@pytest.mark.parametrize("size", [3, blocks.KERNEL])
def test_parameters_on_the_same_memory_are_updated_one_after_the_other(size: int) -> None:
    table = ag.ones(2 * size)
    params = [table[:size].requires_grad_(), table[size:].requires_grad_()]
    apart, tied = optim.SGD(params, lr=0.5), optim.SGD([*params, table[1:].requires_grad_()], lr=1)
    give(params)
    apart.step()
    assert table.tolist() == [0.5] * (2 * size)
    give(tied.param_groups[0]["params"])
    tied.step()
    assert table.tolist() == [-0.5, *[-1.5] * (2 * size - 1)]


def test_a_changed_rate_of_another_kind_is_followed() -> None:
    params = parameters((3,), (4,))
    optimizer = optim.SGD(params, lr=1.0)
    for momentum in (0.0, 0.5, 0.5, 0.0):
        optimizer.param_groups[0]["momentum"] = momentum
        give(params)
        optimizer.step()
    # steps of 1, 1, 1.5 and 1
    assert [p.tolist() for p in params] == [[-3.5] * 3, [-3.5] * 4]
