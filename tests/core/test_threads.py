"""Threads: each has modes of its own, and ops run in all of them at once."""

from __future__ import annotations

import asyncio
import contextvars
import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Thread
from typing import Any

import pytest

import autograd_core as ag

WORKERS = 4


def at_once(work: Callable[[int], Any]) -> list[Any]:
    """Run work(0), work(1), ... in threads that start together; their errors are raised here."""
    barrier = Barrier(WORKERS)

    def started(i: int) -> Any:
        barrier.wait(10)
        return work(i)

    with ThreadPoolExecutor(WORKERS) as pool:
        return list(pool.map(started, range(WORKERS)))


def slope(x: float) -> float:
    leaf = ag.tensor(x, dtype=ag.float64, requires_grad=True)
    y = leaf
    for _ in range(50):
        y = (y * y + 1.0).sqrt().log().tanh() + leaf
    y.backward()
    return leaf.grad.item()


def test_a_mode_belongs_to_its_thread() -> None:
    found: list[bool] = []
    with ag.no_grad():
        thread = Thread(target=lambda: found.append(ag.is_grad_enabled()))
        thread.start()
        thread.join()
        assert not ag.is_grad_enabled()
    assert found == [True]


def test_threads_switch_modes_without_touching_each_other() -> None:
    def work(i: int) -> list[bool]:
        seen: list[bool] = []
        for _ in range(200):
            with ag.set_grad_enabled(i % 2 == 0):
                seen.append((ag.ones(1, requires_grad=True) * 2.0).requires_grad)
        return seen

    assert at_once(work) == [[i % 2 == 0] * 200 for i in range(WORKERS)]


def test_ops_and_backwards_in_four_threads_give_what_one_gives() -> None:
    points = [0.3, 0.7, -1.1, 2.0]
    alone = [slope(x) for x in points]

    def work(i: int) -> list[float]:
        return [slope(points[i]) for _ in range(20)]

    assert at_once(work) == [[g] * 20 for g in alone]


def test_threads_share_leaves_and_ask_for_gradients_of_their_own() -> None:
    shared = ag.tensor(0.5, dtype=ag.float64, requires_grad=True)

    def work(i: int) -> float:
        (g,) = ag.autograd.grad((shared * float(i)).exp(), shared)
        return g.item()

    assert at_once(work) == pytest.approx([i * math.exp(0.5 * i) for i in range(WORKERS)])


def test_a_copied_context_takes_its_mode_to_another_thread() -> None:
    ag.ones(1).exp()  # so that the context is the one of a thread that has run ops
    with ag.no_grad():
        context = contextvars.copy_context()

    def work() -> tuple[bool, float]:
        return ag.is_grad_enabled(), ag.zeros(1).log().item()

    found: list[Any] = []
    thread = Thread(target=lambda: found.append(context.run(work)))
    thread.start()
    thread.join()
    assert found == [(False, -math.inf)]


def test_copied_contexts_run_ops_at_the_same_time() -> None:
    ag.ones(1).exp()
    contexts = [contextvars.copy_context() for _ in range(WORKERS)]

    def work(i: int) -> float:
        return contexts[i].run(lambda: sum(slope(0.7) for _ in range(20)) / 20)

    assert at_once(work) == pytest.approx([slope(0.7)] * WORKERS)


def test_copied_contexts_stay_silent_where_numpy_would_warn() -> None:
    ag.ones(1).exp()
    contexts = [contextvars.copy_context() for _ in range(WORKERS)]

    def work(i: int) -> list[float]:
        x = ag.zeros(20_000)
        return contexts[i].run(lambda: [x.log()[0].item() for _ in range(50)])

    assert at_once(work) == [[-math.inf] * 50] * WORKERS


def test_tasks_keep_their_modes_apart() -> None:
    async def work(on: bool) -> list[bool]:
        seen: list[bool] = []
        with ag.set_grad_enabled(on):
            for _ in range(5):
                await asyncio.sleep(0)
                seen.append((ag.ones(1, requires_grad=True) * 2.0).requires_grad)
        return seen

    async def both() -> list[list[bool]]:
        return list(await asyncio.gather(work(True), work(False)))

    assert asyncio.run(both()) == [[True] * 5, [False] * 5]
