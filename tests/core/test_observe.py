"""observe(): every op that runs inside, with its result, its line, its time and what it sent."""

from __future__ import annotations

import re
import weakref
from typing import Any, ClassVar

import numpy as np
import pytest

import autograd_core as ag


def test_ops_are_kept_whether_or_not_they_require_grad() -> None:
    x, w = ag.ones(2), ag.ones(2, requires_grad=True)
    with ag.observe() as seen:
        y = x.exp()
        z = y * w
    assert [node.op.name for node in seen.nodes] == ["exp", "mul"]
    assert not y.requires_grad
    assert z.requires_grad
    assert seen.nodes[1].sources[0] is seen.nodes[0]
    np.testing.assert_array_equal(seen.nodes[0].result, y.numpy())
    assert all(node.seconds >= 0.0 for node in seen.nodes)


def test_nothing_is_kept_after_it() -> None:
    with ag.observe() as seen:
        pass
    ag.ones(2).exp()
    assert seen.nodes == []


def test_the_line_is_the_user_s() -> None:
    with ag.observe() as seen:
        ag.ones(2).exp()  # the line that is meant
    (file, number) = seen.nodes[0].line.rsplit(":", 1)
    assert file.endswith("test_observe.py")
    with open(__file__, encoding="utf-8") as source:
        assert "the line that is meant" in source.read().splitlines()[int(number) - 1]


def test_a_change_in_place_is_told_with_what_it_wrote() -> None:
    class Watcher(ag.observe):
        changes: ClassVar[list[Any]] = []

        def replaced(self, old: Any, new: Any) -> None:
            self.changes.append((old.tolist(), new.tolist()))

    with Watcher() as seen:
        x = ag.ones(2) * 3
        x.mul_(2)
    assert seen.changes == [([6.0, 6.0], [6.0, 6.0])]


def test_an_observed_run_gives_the_same_numbers_and_gradients() -> None:
    x: Any = ag.tensor([[1.0, 3.0], [2.0, 0.0]], requires_grad=True)

    def f() -> ag.Tensor:
        return (x.max(1).values * ag.cat([x[0], x[1]])[:2].exp()).sum()

    plain = f()
    plain.backward()
    expected = x.grad.tolist()
    x.grad.zero_()
    with ag.observe():
        seen = f()
        seen.backward()
    assert seen.item() == plain.item()
    assert x.grad.tolist() == expected


def test_what_backward_sends_along_each_edge_adds_up_to_the_gradient() -> None:
    x = ag.tensor([1.0, 2.0], dtype=ag.float64, requires_grad=True)
    with ag.observe() as seen:
        (x * x + x.exp()).sum().backward()
    to_x = [g for _, source, g in seen.contributions if source is x]
    assert len(to_x) == 3
    np.testing.assert_allclose(sum(to_x), x.grad.numpy(), rtol=1e-15)


def test_a_backward_outside_is_not_noted() -> None:
    x = ag.ones(2, requires_grad=True)
    with ag.observe() as seen:
        y = x.exp().sum()
    y.backward()
    assert seen.contributions == []


def test_what_ran_before_an_error_is_kept_and_the_mode_ends() -> None:
    with ag.observe() as seen, pytest.raises(ag.ShapeError, match="add got shapes"):
        _ = ag.ones(2).exp() + ag.ones(3)
    assert [node.op.name for node in seen.nodes] == ["exp"]
    ag.ones(2).exp()
    assert len(seen.nodes) == 1


def test_an_observer_within_another_takes_over_until_it_ends() -> None:
    with ag.observe() as outer:
        ag.ones(1).exp()
        with ag.observe() as inner:
            ag.ones(1).log()
        ag.ones(1).tanh()
    assert [node.op.name for node in outer.nodes] == ["exp", "tanh"]
    assert [node.op.name for node in inner.nodes] == ["log"]


def test_an_observer_lets_go_of_everything_with_itself() -> None:
    with ag.observe() as seen:
        array = weakref.ref(ag.ones(2).exp()._array)
    assert array() is not None
    del seen
    assert array() is None


@pytest.mark.parametrize(
    "call",
    [
        lambda x: x.exp(), lambda x: x * x, lambda x: x.sum(0), lambda x: x.t(), lambda x: 2.0 - x,
        lambda x: ag.where(x > 0.0, x, x), lambda x: x.max(0).values, lambda x: ag.stack([x, x]),
    ],
    ids=["one", "two", "parameters", "view", "number", "three", "results", "variadic"],
)  # fmt: skip
@pytest.mark.parametrize("tracked", [False, True])
def test_every_shape_of_call_is_observed_alike(call: Any, tracked: bool) -> None:
    x = ag.ones(2, 3, requires_grad=tracked)
    with ag.observe() as seen:
        y = call(x)
    node = seen.nodes[-1]
    result = node.result[0] if isinstance(node.result, tuple) else node.result
    np.testing.assert_array_equal(result, y.detach().numpy())
    assert any(source is x for source in node.sources) or len(seen.nodes) > 1
    assert node.line.startswith("tests/core/test_observe.py:")
    assert node.seconds > 0.0
    assert (y.grad_fn is not None) == tracked
    if tracked:
        y.sum().backward()
        assert x.grad is not None


def test_an_op_that_raises_is_kept_as_the_failure() -> None:
    x = ag.ones(2)
    with ag.observe() as seen, pytest.raises(ag.ShapeError):
        _ = x * ag.ones(3)
    assert seen.failure is not None
    assert (seen.failure.op, seen.failure.slots, seen.failure.sources[0]) == ("mul", ("a", "b"), x)
    assert seen.nodes == []


def test_lean_recording_keeps_no_lines() -> None:
    x = ag.ones(1, requires_grad=True)
    assert not hasattr(x.exp().grad_fn, "line")
    with ag.observe():
        assert re.search(r":\d+$", x.exp().grad_fn.line)
