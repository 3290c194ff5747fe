"""Checkpoints and hooks on saved tensors: what is kept, what is computed again, what is noticed."""

from __future__ import annotations

import gc
import math
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd_core as ag
import nn
from autograd_core import func
from autograd_core.checkpoint import checkpoint, checkpoint_sequential

saved_tensors_hooks = ag.autograd.graph.saved_tensors_hooks
save_on_cpu = ag.autograd.graph.save_on_cpu

Layer = Callable[[Any], Any]


def leaf(*numbers: float) -> Any:
    return ag.tensor(numbers, dtype=ag.float64, requires_grad=True)


def noisy(x: Any) -> Any:
    return (x.tanh() * ag.rand(*x.shape, dtype=ag.float64)).exp()


# Computing again


def test_gradients_are_those_without_a_checkpoint_to_the_last_bit() -> None:
    x = leaf(0.5, -1.0)
    f = lambda x: (x.tanh() * x.exp()).tanh()  # noqa: E731
    plain = ag.autograd.grad(f(x).sum(), x)[0]
    again = ag.autograd.grad(checkpoint(f, x).sum(), x)[0]
    assert again.tolist() == plain.tolist()


def test_the_function_runs_twice_and_no_more() -> None:
    runs = []

    def f(x: Any) -> Any:
        runs.append(1)
        return x.exp().exp().exp()

    x = leaf(0.1)
    y = checkpoint(f, x)
    assert len(runs) == 1
    y.backward()
    assert len(runs) == 2


def test_without_recording_it_is_an_ordinary_call() -> None:
    runs = []
    with ag.no_grad():
        y = checkpoint(lambda x: runs.append(1) or x.exp(), leaf(0.1))
    assert not y.requires_grad
    assert len(runs) == 1


def test_random_numbers_are_the_same_the_second_time() -> None:
    x = leaf(0.5, -1.0, 2.0)
    ag.manual_seed(7)
    plain = ag.autograd.grad(noisy(x).sum(), x)[0]
    after_plain = ag.rand(1).item()
    ag.manual_seed(7)
    y = checkpoint(noisy, x).sum()
    after_checkpoint = ag.rand(1).item()
    state = ag.get_rng_state()
    again = ag.autograd.grad(y, x)[0]
    assert again.tolist() == plain.tolist()
    assert after_checkpoint == after_plain
    assert ag.get_rng_state().tolist() == state.tolist()  # backward draws nothing of its own


def test_parameters_that_the_function_closes_over_get_their_gradients() -> None:
    layer = nn.Linear(3, 3)
    x = ag.ones(2, 3)
    layer(x).tanh().sum().backward()
    expected = layer.weight.grad.tolist()
    layer.zero_grad()
    checkpoint(lambda x: layer(x).tanh(), x).sum().backward()
    assert layer.weight.grad.tolist() == expected


def test_checkpoints_nest() -> None:
    x = leaf(0.3)
    inner = lambda x: checkpoint(lambda x: x.exp().tanh(), x)  # noqa: E731
    y = checkpoint(lambda x: inner(x.tanh()).exp(), x)
    expected = ag.autograd.grad(x.tanh().exp().tanh().exp(), x)[0]
    assert ag.autograd.grad(y, x)[0].tolist() == expected.tolist()


def test_a_second_derivative_through_a_checkpoint() -> None:
    x = leaf(0.3)
    g: Any = ag.autograd.grad(checkpoint(lambda x: x.tanh() ** 2, x), x, create_graph=True)[0]
    found = ag.autograd.grad(g, x)[0].item()
    t = math.tanh(0.3)
    s = 1 - t * t
    assert found == pytest.approx(2 * s * s - 4 * t * t * s, rel=1e-13)
    h = func.hessian(lambda x: checkpoint(lambda x: x.tanh() ** 2, x).sum())(x.detach())
    assert h.item() == pytest.approx(found, rel=1e-13)


def test_a_retained_checkpoint_can_be_walked_again() -> None:
    x = leaf(0.3)
    y = checkpoint(lambda x: x.exp().exp(), x)
    y.backward(retain_graph=True)
    y.backward()
    assert x.grad.item() == pytest.approx(2 * math.exp(0.3) * math.exp(math.exp(0.3)))
    with pytest.raises(ag.GraphError, match="exp was freed by an earlier backward"):
        y.backward()


def test_the_mode_of_a_backward_is_the_same_before_and_after_a_second_run() -> None:
    modes = []

    class Spy(ag.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x * 1.0

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            modes.append(ag.is_grad_enabled())
            return g

    x = leaf(0.3)
    Spy.apply(checkpoint(lambda x: x.exp(), Spy.apply(x))).backward()
    assert modes == [False, False]


def test_segments_of_a_chain_give_the_same_gradient() -> None:
    layers = [nn.Linear(4, 4) for _ in range(7)]
    model = nn.Sequential(*layers)
    x = ag.ones(2, 4, requires_grad=True)
    expected = ag.autograd.grad(model(x).sum(), x)[0].tolist()
    for segments in (1, 2, 3, 7):
        y = checkpoint_sequential(model, segments, x)
        assert ag.autograd.grad(y.sum(), x)[0].tolist() == expected


SIZE = 20_000  # elements of an activation: 160 kB


def peak_of_chain(n: int, segments: int) -> int:
    """Peak bytes of a step through n layers that each save one activation, above the input."""
    layers: list[Layer] = [lambda x: x.tanh()] * n
    x = ag.ones(SIZE, dtype=ag.float64, requires_grad=True)

    def step() -> None:
        x.grad = None
        checkpoint_sequential(layers, segments, x).sum().backward()

    step()
    x.grad = None
    gc.collect()
    tracemalloc.start()
    try:
        step()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("n", [16, 64, 144])
def test_segments_of_sqrt_n_hold_2_sqrt_n_activations(n: int) -> None:
    root = math.isqrt(n)
    activation = SIZE * 8
    assert peak_of_chain(n, 1) >= n * activation
    # The inputs of the segments, what one segment saves, and a few arrays in work.
    assert peak_of_chain(n, root) <= (2 * root + 6) * activation


# What would make the second run differ


def test_random_numbers_that_would_differ_are_refused() -> None:
    y = checkpoint(noisy, leaf(0.5), preserve_rng_state=False)
    ag.rand(1)
    with pytest.raises(ag.GraphError, match="with preserve_rng_state=False it would draw others"):
        y.backward()


def test_a_function_that_saves_more_or_less_is_refused() -> None:
    times = iter([1, 2])

    def f(x: Any) -> Any:
        for _ in range(next(times)):
            x = x.exp()
        return x

    with pytest.raises(
        ag.GraphError, match="second run saved 2 tensors and the first 1: the function must do"
    ):
        checkpoint(f, leaf(0.1)).backward()


def test_a_function_that_saves_another_shape_is_refused() -> None:
    sizes = iter([1, 3])
    with pytest.raises(
        ag.GraphError,
        match=r"tensor 0 was float64\(1,\) in the first run and is float64\(3,\) in the second",
    ):
        checkpoint(lambda x: x.expand(next(sizes)).exp().sum(), leaf(0.1)).backward()


CHANGED = r"checkpoint: a tensor of shape \(1,\) that the function uses was changed in place since"


def test_an_argument_changed_before_backward_is_noticed() -> None:
    x = leaf(1.0)
    u = x * 1.0
    y = checkpoint(lambda u: (u + 1.0).exp(), u)  # no rule needs u, the second run does
    with ag.no_grad():
        u.mul_(2.0)
    with pytest.raises(ag.GraphError, match=CHANGED):
        y.backward()


def test_a_parameter_changed_before_backward_is_noticed() -> None:
    w = leaf(2.0)
    y = checkpoint(lambda x: x * w, leaf(1.0))
    with ag.no_grad():
        w.mul_(3.0)
    with pytest.raises(ag.GraphError, match=CHANGED):
        y.backward()


def test_an_overwrite_inside_the_function_is_noticed() -> None:
    def f(x: Any) -> Any:
        y = x.exp()
        with ag.no_grad():
            y.mul_(2.0)
        return y + x

    with pytest.raises(ag.GraphError, match="changed in place"):
        checkpoint(f, leaf(1.0)).backward()


@pytest.mark.parametrize("segments", [0, 4])
def test_a_chain_cannot_be_cut_into_any_number_of_segments(segments: int) -> None:
    with pytest.raises(
        ValueError, match=rf"cannot cut 3 layers into {segments} segments: .* between 1 and 3"
    ):
        checkpoint_sequential([ag.Tensor.exp] * 3, segments, leaf(1.0))


# Hooks on what is saved


def test_saved_tensors_pass_through_the_hooks_and_come_back() -> None:
    packed, unpacked = [], []

    def pack(x: Any) -> Any:
        packed.append(x.shape)
        return x.numpy().astype(np.float32)

    def unpack(array: Any) -> Any:
        unpacked.append(array.dtype)
        return ag.tensor(array, dtype=ag.float64)

    x = leaf(0.5, 0.25)
    with saved_tensors_hooks(pack, unpack):
        y = (x.exp() * x).sum()
    assert len(packed) == 3  # exp keeps its result, mul both operands
    y.backward()
    assert unpacked == [np.float32] * 3
    np.testing.assert_allclose(x.grad, np.exp([0.5, 0.25]) * [1.5, 1.25], rtol=1e-6)


def test_hooks_end_with_their_block_and_inner_ones_win() -> None:
    seen = []

    def naming(name: str) -> Any:
        return saved_tensors_hooks(lambda x: seen.append(name) or x, lambda x: x)

    x = leaf(1.0)
    with naming("outer"):
        x.exp()
        with naming("inner"):
            x.exp()
        x.exp()
    x.exp()
    assert seen == ["outer", "inner", "outer"]


def test_save_on_cpu_keeps_copies() -> None:
    x = leaf(1.0)
    u = x * 1.0
    with save_on_cpu():
        y = u.square()
    with ag.no_grad():
        u.mul_(5.0)  # the copy is as it was
    y.backward()
    assert x.grad.tolist() == [2.0]


def test_an_overwrite_of_what_a_hook_kept_as_it_is_is_noticed() -> None:
    x = leaf(1.0)
    u = x * 1.0
    with saved_tensors_hooks(lambda x: x, lambda x: x):
        y = u.square()
    with ag.no_grad():
        u.mul_(5.0)
    with pytest.raises(ag.GraphError, match=r"of shape \(1,\) that was saved for backward was ch"):
        y.backward()


def test_a_foreign_owner_s_overwrite_behind_a_hook_is_noticed() -> None:
    memory = np.array([1.0, 2.0])
    x, w = ag.from_numpy(memory), leaf(3.0, 4.0)
    with saved_tensors_hooks(lambda x: x, lambda x: x):
        y = (x * w).sum()
    memory[0] = 9.0
    with pytest.raises(ag.GraphError, match="that was saved for backward was changed in place"):
        y.backward()


@pytest.mark.parametrize(
    ("unpack", "kind", "text"),
    [
        (lambda x: 1.0, TypeError, "the unpack hook returned a float: it must return a Tensor"),
        (lambda x: x[:1], ag.GraphError,
         r"the unpack hook returned a tensor of shape \(1,\) for a saved one of shape \(2,\)"),
    ],
)  # fmt: skip
def test_what_unpack_returns_must_be_the_tensor(unpack: Any, kind: Any, text: str) -> None:
    with saved_tensors_hooks(lambda x: x, unpack):
        y = leaf(1.0, 2.0).exp().sum()
    with pytest.raises(kind, match=text):
        y.backward()


def test_hooks_must_be_functions() -> None:
    no_functions: Any = (None, None)
    with pytest.raises(TypeError, match="saved_tensors_hooks needs two functions"):
        saved_tensors_hooks(*no_functions).__enter__()
