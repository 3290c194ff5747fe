"""In-place changes: the history that they rewrite, the views that follow, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import autograd_core as ag


def leaf(*numbers: float) -> ag.Tensor:
    return ag.tensor(numbers, dtype=ag.float64, requires_grad=True)


def test_a_changed_result_has_the_history_of_the_op() -> None:
    x = leaf(1.0, 2.0)
    y = x * 3.0
    assert y.mul_(2.0) is y
    y += x
    y.sum().backward()
    assert y.tolist() == [7.0, 14.0]
    assert x.grad.tolist() == [7.0, 7.0]


def test_an_assigned_part_gets_the_gradient_and_the_old_one_gets_none() -> None:
    x, v = leaf(1.0, 2.0, 3.0), leaf(5.0)
    y = x * 2.0
    y[1] = v[0] * 10.0
    (y * ag.tensor([1.0, 2.0, 3.0], dtype=ag.float64)).sum().backward()
    assert x.grad.tolist() == [2.0, 0.0, 6.0]
    assert v.grad.tolist() == [20.0]


def test_a_plain_tensor_takes_on_the_history_of_what_is_written_into_it() -> None:
    x, buffer = leaf(2.0), ag.zeros(3, dtype=ag.float64)
    buffer[1] = x[0] * x[0]
    assert buffer.requires_grad
    buffer.sum().backward()
    assert x.grad.tolist() == [4.0]


def test_a_change_of_a_view_reaches_its_base() -> None:
    x = leaf(1.0, 2.0, 3.0)
    base = x * 1.0
    base[1:].mul_(10.0)
    base.sum().backward()
    assert base.tolist() == [1.0, 20.0, 30.0]
    assert x.grad.tolist() == [1.0, 10.0, 10.0]


def test_a_change_of_the_base_reaches_its_views() -> None:
    x = leaf(1.0, 2.0, 3.0, 4.0)
    base = x * 1.0
    view = base.reshape(2, 2).t()[0]
    base.mul_(ag.tensor([1.0, 10.0, 100.0, 1000.0], dtype=ag.float64))
    assert view.tolist() == [1.0, 300.0]
    view.sum().backward()
    assert x.grad.tolist() == [1.0, 0.0, 100.0, 0.0]


def test_a_change_of_one_view_reaches_the_others() -> None:
    x = leaf(1.0, 2.0, 3.0)
    base = x * 1.0
    head, tail = base[:2], base[1:]
    head.mul_(5.0)
    (tail * ag.tensor([1.0, 2.0], dtype=ag.float64)).sum().backward()
    assert tail.tolist() == [10.0, 3.0]
    assert x.grad.tolist() == [0.0, 5.0, 2.0]


def test_what_was_computed_before_keeps_its_own_gradient() -> None:
    x = leaf(3.0)
    y = x * 2.0
    before = y + 0.0
    y.mul_(10.0)
    (before + y).sum().backward()
    assert x.grad.tolist() == [22.0]


def test_an_overwritten_operand_is_an_error_that_names_it() -> None:
    x, y = leaf(1.0, 2.0), leaf(3.0, 4.0) * 1.0
    z = x * y
    y.add_(1.0)
    with pytest.raises(
        ag.GraphError,
        match=r"mul of shapes \(2,\) and \(2,\) saved its operand 'b', which was changed in place "
        r"afterwards: clone\(\) it before changing it, .*; run under detect_anomaly\(\)",
    ):
        z.sum().backward()


def test_an_overwritten_result_is_an_error_that_names_it() -> None:
    y = leaf(1.0).exp()
    with ag.no_grad():
        y.mul_(2.0)
    with pytest.raises(ag.GraphError, match=r"exp of shapes \(1,\) saved its result, which was ch"):
        y.sum().backward()


def test_an_observed_run_names_the_line_that_recorded_it() -> None:
    with ag.observe():
        y = leaf(1.0).exp()
    with ag.no_grad():
        y.zero_()
    with pytest.raises(ag.GraphError, match=r"recorded at .*test_inplace\.py:\d+"):
        y.sum().backward()


@pytest.mark.parametrize(
    "change",
    [
        lambda y: y.data.zero_(),
        lambda y: y.detach().zero_(),
        lambda y: y[1:].data.zero_(),
        lambda y: y.data.reshape(2, 1)[0].fill_(3.0),
    ],
    ids=["data", "detach", "view", "deep view"],
)
def test_a_change_through_any_handle_on_the_memory_is_seen(change: Any) -> None:
    y = leaf(1.0, 2.0).tanh()
    change(y)
    with pytest.raises(ag.GraphError, match="saved its result, which was changed in place"):
        y.sum().backward()


def test_a_change_that_no_rule_minds_is_none() -> None:
    x = leaf(1.0, 2.0)
    y = x + 1.0
    z = y + 1.0
    y.mul_(3.0)
    (y + z).sum().backward()
    assert x.grad.tolist() == [4.0, 4.0]


def test_a_change_after_backward_hurts_nobody() -> None:
    x = leaf(1.0)
    y = x.exp()
    y.sum().backward()
    with ag.no_grad():
        x.add_(1.0)
    assert x.tolist() == [2.0]


def test_views_data_and_detach_count_the_same_changes() -> None:
    x = ag.zeros(4)
    view, data = x[1:], x.data
    assert x._version == 0
    view.add_(1.0)
    data.mul_(2.0)
    x[0] = 5.0
    assert (x._version, view._version, data._version, x.detach()._version) == (3, 3, 3, 3)
    assert x.tolist() == [5.0, 2.0, 2.0, 2.0]
    assert x.clone()._version == 0


def test_assigning_data_replaces_the_memory_and_keeps_the_leaf() -> None:
    w = leaf(1.0, 2.0)
    y = w * w
    w.data = ag.tensor([5.0, 6.0], dtype=ag.float64)
    assert w.requires_grad
    with pytest.raises(ag.GraphError, match="changed in place"):
        y.sum().backward()
    (w * w).sum().backward()
    assert w.grad.tolist() == [10.0, 12.0]


def test_a_leaf_that_requires_grad_is_not_changed_behind_its_back() -> None:
    w = leaf(1.0, 2.0)
    for change in (lambda: w.add_(1.0), lambda: w.__setitem__(0, 1.0), lambda: w.__imul__(2.0)):
        with pytest.raises(
            ag.GraphError,
            match=r"would change a leaf of shape \(2,\) that requires grad in place: use no_grad",
        ):
            change()
    with pytest.raises(ag.GraphError, match="would change a view of a leaf"):
        w[1:].add_(1.0)
    with ag.no_grad():
        w -= 0.5
    assert w.tolist() == [0.5, 1.5]
    assert w.is_leaf
    assert w.requires_grad


def test_an_expanded_view_cannot_be_written() -> None:
    x = ag.zeros(3, 1).expand(3, 4)
    with pytest.raises(ag.GraphError, match=r"share one place in memory; clone\(\) it first"):
        x.add_(1.0)
    with pytest.raises(ag.GraphError, match=r"expanded view of shape \(3, 4\)"):
        x[0, 0] = 1.0


def test_read_only_memory_cannot_be_written() -> None:
    array = np.zeros(3)
    array.flags.writeable = False
    with pytest.raises(ag.GraphError, match=r"memory of this tensor is read-only; clone\(\) it"):
        ag.from_numpy(array).add_(1.0)


def test_a_result_that_does_not_fit_is_refused_and_nothing_changes() -> None:
    x = ag.ones(3)
    with pytest.raises(
        ag.ShapeError,
        match=r"add_ would change a tensor of shape \(3,\) in place to \(2, 3\)",
    ):
        x += ag.ones(2, 3)
    with pytest.raises(ag.ShapeError, match=r"value of shape \(2,\) for \[0:3\] of a tensor"):
        x[0:3] = ag.zeros(2)
    with pytest.raises(ag.DtypeError, match="a result of float32 cannot be stored in a int64"):
        ag.ones(3, dtype=ag.int64).add_(0.5)
    with pytest.raises(IndexError, match=r"\[7\] of a tensor of shape \(3,\)"):
        x[7] = 1.0
    assert x.tolist() == [1.0, 1.0, 1.0]


def test_memory_changed_from_numpy_behind_the_graph_is_an_error() -> None:
    array = np.ones(3)
    x = ag.from_numpy(array)
    w = leaf(1.0, 2.0, 3.0)
    y = (w * x).sum()
    array[0] = 7.0
    with pytest.raises(ag.GraphError, match="saved its operand 'b', which was changed in place"):
        y.backward()


def test_memory_of_numpy_that_stays_as_it_is_gives_gradients() -> None:
    array = np.array([1.0, 2.0])
    w = leaf(3.0, 4.0)
    y = (w * ag.from_numpy(array)[:]).sum()
    y.backward()
    assert w.grad.tolist() == [1.0, 2.0]
    array[0] = 9.0  # after backward nobody minds
    with pytest.raises(ag.GraphError, match="freed"):
        y.backward()


def test_a_tensor_may_be_assigned_to_a_part_of_itself() -> None:
    x = ag.arange(4.0)
    x[1:] = x[:-1]
    assert x.tolist() == [0.0, 0.0, 1.0, 2.0]


def test_copying_a_leaf_in_gives_it_the_gradient() -> None:
    x, buffer = leaf(1.0, 2.0), ag.zeros(2, dtype=ag.float64)
    buffer.copy_(x).mul_(3.0)
    buffer.sum().backward()
    assert x.grad.tolist() == [3.0, 3.0]


def test_filling_cuts_the_history_off() -> None:
    x = leaf(1.0, 2.0)
    y = x * 2.0
    y.zero_()
    (y + x).sum().backward()
    assert x.grad.tolist() == [1.0, 1.0]


def test_a_change_in_place_keeps_the_old_numbers_that_its_own_derivative_needs() -> None:
    x = ag.tensor([1.0, 2.0, 4.0], requires_grad=True)
    y = x * 1.0
    y.log_()
    y.mul_(y)
    y[1:].mul_(ag.tensor([3.0, 3.0]))
    y.sum().backward()
    logs = np.log([1.0, 2.0, 4.0])
    np.testing.assert_allclose(x.grad.numpy(), 2 * logs / [1.0, 2.0, 4.0] * [1, 3, 3], rtol=1e-6)


def test_overwriting_the_last_of_several_saved_results_is_noticed() -> None:
    values, indices = (ag.tensor([[1.0, 3.0], [4.0, 2.0]], requires_grad=True) * 1).max(1)
    indices.zero_()
    with pytest.raises(ag.GraphError, match=r"max_along .* saved its result, which was changed"):
        values.sum().backward()
