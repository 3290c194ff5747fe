"""Functions hung on a module: before and after forward, in backward, at saving and loading."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

import autograd_core as ag
import nn
from nn.hooks import HookError


class Scaled(nn.Module):
    """x times a factor that may be given by name."""

    def forward(self, x: Any, factor: float = 1.0) -> Any:
        return x * factor


def doubled(module: nn.Module, args: Any, output: Any) -> Any:
    return output * 2


# Around forward


def test_a_forward_hook_sees_and_may_replace_the_output() -> None:
    seen: list[Any] = []
    layer = Scaled()
    layer.register_forward_hook(lambda m, args, y: seen.append((m, args, y.tolist())))
    layer.register_forward_hook(doubled)
    x = ag.ones(2)
    assert layer(x, 3.0).tolist() == [6.0, 6.0]
    assert seen == [(layer, (x, 3.0), [3.0, 3.0])]


def test_a_pre_hook_may_replace_the_arguments() -> None:
    layer = Scaled()
    layer.register_forward_pre_hook(lambda m, args: args[0] + 1)
    assert layer(ag.ones(1)).item() == 2.0
    layer.register_forward_pre_hook(lambda m, args: (args[0], 10.0))
    assert layer(ag.ones(1)).item() == 20.0


def test_hooks_with_keywords_see_and_replace_them() -> None:
    layer = Scaled()
    seen: list[Any] = []
    layer.register_forward_pre_hook(
        lambda m, args, kwargs: (args, kwargs | {"factor": 5.0}), with_kwargs=True
    )
    layer.register_forward_hook(
        lambda m, args, kwargs, y: seen.append((kwargs, y.item())), with_kwargs=True
    )
    layer(ag.ones(1), factor=2.0)
    assert seen == [({"factor": 5.0}, 5.0)]


def test_hooks_run_in_order_and_the_prepended_first() -> None:
    order: list[str] = []

    def note(name: str) -> Any:
        return lambda *given: order.append(name)

    layer = nn.ReLU()
    for register in (layer.register_forward_pre_hook, layer.register_forward_hook):
        register(note("a"))
        register(note("b"))
        register(note("first"), prepend=True)
    layer(ag.ones(1))
    assert order == ["first", "a", "b"] * 2


def test_a_removed_hook_is_not_called() -> None:
    layer = nn.ReLU()
    handle = layer.register_forward_hook(doubled)
    with layer.register_forward_hook(doubled):
        assert layer(ag.ones(1)).item() == 4.0
    assert layer(ag.ones(1)).item() == 2.0
    handle.remove()
    handle.remove()
    assert layer(ag.ones(1)).item() == 1.0


def test_a_hook_may_remove_itself_while_it_runs() -> None:
    layer, calls = nn.ReLU(), []

    def once(*given: Any) -> None:
        calls.append(1)
        handle.remove()

    handle = layer.register_forward_hook(once)
    layer(ag.ones(1))
    layer(ag.ones(1))
    assert calls == [1]


def test_a_hook_that_is_always_called_is_called_after_an_error() -> None:
    layer = nn.Linear(2, 2)
    seen: list[Any] = []
    layer.register_forward_hook(lambda *given: seen.append(given[-1]), always_call=True)
    layer.register_forward_hook(lambda *given: seen.append("never"))
    with pytest.raises(ag.ShapeError, match="its last axis must be 2"):
        layer(ag.ones(3))
    assert seen == [None]


def test_an_error_of_a_hook_after_an_error_is_a_warning() -> None:
    def broken(*given: Any) -> None:
        raise KeyError("second")

    layer = nn.Linear(2, 2)
    layer.register_forward_hook(broken, always_call=True)
    with (
        pytest.warns(UserWarning, match=r"always_call=True raised while another.*second"),
        pytest.raises(ag.ShapeError, match="its last axis must be 2"),
    ):
        layer(ag.ones(3))


def test_the_module_is_running_while_its_hooks_run() -> None:
    from autograd_core.modes import current

    scopes: list[Any] = []
    layer = nn.ReLU()
    layer.register_forward_pre_hook(lambda m, args: scopes.append(current().scope.module()))
    layer(ag.ones(1))
    assert scopes == [layer]
    assert current().scope is None


def test_a_pre_hook_with_keywords_returns_both_or_nothing() -> None:
    layer = Scaled()
    layer.register_forward_pre_hook(lambda m, args, kwargs: args, with_kwargs=True)
    with pytest.raises(HookError, match=r"with_kwargs=True returned something else than None or"):
        layer(ag.ones(1))


def test_hooks_are_copied_and_pickled_with_the_module() -> None:
    layer = nn.ReLU()
    handle = layer.register_forward_hook(doubled)
    twins = [copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))]
    handle.remove()
    assert layer(ag.ones(1)).item() == 1.0
    assert [twin(ag.ones(1)).item() for twin in twins] == [2.0, 2.0]


# In backward


def test_a_backward_hook_sees_gradients_of_inputs_and_outputs() -> None:
    layer, seen = nn.Linear(2, 1, bias=False), []
    layer.register_full_backward_hook(lambda m, gi, go: seen.append((m, gi, go)))
    x = ag.ones(1, 2, requires_grad=True)
    (layer(x) * 3).sum().backward()
    ((module, (grad_input,), (grad_output,)),) = seen
    assert module is layer
    assert grad_output.tolist() == [[3.0]]
    assert grad_input.tolist() == x.grad.tolist() == (3 * layer.weight).tolist()


def test_a_backward_hook_may_replace_the_gradient_of_the_input_only() -> None:
    layer = nn.Linear(2, 1, bias=False)
    layer.register_full_backward_hook(lambda m, gi, go: (gi[0] * 0 + 7,))
    x = ag.ones(1, 2, requires_grad=True)
    layer(x).sum().backward()
    assert x.grad.tolist() == [[7.0, 7.0]]
    assert layer.weight.grad.tolist() == [[1.0, 1.0]]


def test_a_backward_pre_hook_may_replace_the_gradient_of_the_output() -> None:
    layer = nn.Linear(2, 1, bias=False)
    layer.register_full_backward_pre_hook(lambda m, go: (go[0] * 10,))
    seen: list[Any] = []
    layer.register_full_backward_hook(lambda m, gi, go: seen.append(go[0].tolist()))
    x = ag.ones(1, 2, requires_grad=True)
    layer(x).sum().backward()
    assert layer.weight.grad.tolist() == [[10.0, 10.0]]
    assert seen == [[[10.0]]]


def test_a_backward_hook_fires_where_no_input_has_a_gradient() -> None:
    layer, seen = nn.Linear(2, 1), []
    layer.register_full_backward_hook(lambda m, gi, go: seen.append((gi, go[0].tolist())))
    layer(ag.ones(1, 2)).sum().backward()
    assert seen == [((None,), [[1.0]])]


class TwoInTwoOut(nn.Module):
    """(x y, x + y); z is carried along."""

    def forward(self, x: Any, z: Any, y: Any) -> Any:
        return x * y, z, x + y


def test_what_is_no_tensor_or_unused_stands_as_none() -> None:
    layer, seen = TwoInTwoOut(), []
    layer.register_full_backward_hook(lambda m, gi, go: seen.append((gi, go)))
    x, y = ag.ones(2, requires_grad=True), ag.ones(2)
    first, number, _ = layer(x, 5, y)
    assert number == 5
    first.sum().backward()
    (((gx, gz, gy), (g1, g2, g3)),) = seen
    assert (gz, gy, g2, g3) == (None, None, None, None)
    assert gx.tolist() == g1.tolist() == [1.0, 1.0]


def test_nothing_is_watched_without_grad() -> None:
    layer, seen = nn.Linear(2, 1), []
    layer.register_full_backward_hook(lambda *given: seen.append(given))
    with ag.no_grad():
        assert not layer(ag.ones(1, 2)).requires_grad
    assert seen == []


def test_backward_hooks_do_not_change_derivatives_of_any_order() -> None:
    layer, plain = nn.Tanh(), nn.Tanh()
    layer.register_full_backward_hook(lambda m, gi, go: None)
    layer.register_full_backward_pre_hook(lambda m, go: None)
    x = ag.tensor([0.3, -0.7], dtype=ag.float64)

    def second(f: Any) -> Any:
        return ag.func.hessian(lambda x: f(x).sum())(x).tolist()

    assert second(layer) == second(plain)
    tangent = ag.func.jvp(lambda x: layer(x), (x,), (ag.ones_like(x),))[1]
    assert tangent.tolist() == ag.func.jvp(lambda x: plain(x), (x,), (ag.ones_like(x),))[1].tolist()


@pytest.mark.parametrize("kind", ["full_backward_hook", "full_backward_pre_hook"])
def test_a_backward_hook_returns_as_many_gradients_as_it_got(kind: str) -> None:
    layer = nn.Linear(2, 1)
    getattr(layer, f"register_{kind}")(lambda m, *grads: (None, None))
    name = kind.replace("_", " ").replace("pre ", "pre-")
    with pytest.raises(HookError, match=f"a {name} returned 2 gradients: it must return 1"):
        layer(ag.ones(1, 2, requires_grad=True)).sum().backward()


# At saving and loading


def test_state_hooks_see_each_module_with_its_prefix() -> None:
    model = nn.Sequential(nn.Linear(1, 1))
    seen: list[Any] = []
    model[0].register_state_dict_pre_hook(lambda m, prefix, keep: seen.append((prefix, keep)))
    model[0].register_state_dict_post_hook(lambda m, state, prefix, meta: seen.append(list(state)))
    model.register_state_dict_post_hook(
        lambda m, state, prefix, meta: state.update(note=ag.ones(1))
    )
    assert list(model.state_dict()) == ["0.weight", "0.bias", "note"]
    assert seen == [("0.", False), ["0.weight", "0.bias"]]


def test_a_load_hook_may_rename_what_is_loaded() -> None:
    def rename(m: Any, state: Any, prefix: str, *rest: Any) -> None:
        state[f"{prefix}weight"] = state.pop(f"{prefix}kernel")

    model = nn.Sequential(nn.Linear(2, 1, bias=False))
    model[0].register_load_state_dict_pre_hook(rename)
    given = {"0.kernel": ag.tensor([[1.0, 2.0]])}
    model.load_state_dict(given)
    assert model[0].weight.tolist() == [[1.0, 2.0]]
    assert list(given) == ["0.kernel"]


def test_a_load_hook_may_object() -> None:
    layer = nn.Linear(1, 1)
    before = layer.weight.item()
    layer.register_load_state_dict_pre_hook(lambda *given: given[-1].append("too old"))
    with pytest.raises(ValueError, match="cannot load this state dict:\n    too old"):
        layer.load_state_dict({"weight": ag.ones(1, 1), "bias": ag.ones(1)})
    assert layer.weight.item() == before


def test_hooks_after_loading_see_the_values_children_first() -> None:
    model = nn.Sequential(nn.Linear(1, 1, bias=False))
    seen: list[Any] = []
    model.register_load_state_dict_post_hook(lambda m, keys: seen.append(keys.unexpected_keys))
    model[0].register_load_state_dict_post_hook(lambda m, keys: seen.append(m.weight.item()))
    model.load_state_dict({"0.weight": ag.tensor([[4.0]]), "more": ag.ones(1)}, strict=False)
    assert seen == [4.0, ["more"]]


@pytest.mark.parametrize("kind", ["state_dict", "load_state_dict"])
def test_post_hooks_of_state_return_nothing(kind: str) -> None:
    layer = nn.Linear(1, 1)
    getattr(layer, f"register_{kind}_post_hook")(lambda *given: 1)
    with pytest.raises(HookError, match=f"a {kind} post-hook returned a int: it must return None"):
        layer.load_state_dict(layer.state_dict())


# PyTorch as the second opinion


@pytest.mark.torch
def test_backward_hooks_see_what_pytorchs_see(rng: np.random.Generator) -> None:
    torch = pytest.importorskip("torch")
    x, y, w = (rng.normal(size=3) for _ in range(3))

    def run(nn: Any, tensor: Any, module: Any) -> list[Any]:
        seen: list[Any] = []

        def show(grads: Any) -> list[Any]:
            return [None if g is None else g.tolist() for g in grads]

        def replace(m: Any, gi: Any, go: Any) -> Any:
            seen.append((show(gi), show(go)))
            return tuple(None if g is None else 2 * g for g in gi)

        module.register_full_backward_hook(replace)
        module.register_full_backward_pre_hook(lambda m, go: tuple(
            None if g is None else g + 1 for g in go
        ))  # fmt: skip
        a, b = tensor(x, requires_grad=True), tensor(y, requires_grad=True)
        first, _, last = module(a, 5, b)
        ((first + last) * tensor(w)).sum().backward()
        return [*seen, a.grad.tolist(), b.grad.tolist()]

    class Theirs(torch.nn.Module):
        forward = TwoInTwoOut.forward

    ours = run(nn, ag.tensor, TwoInTwoOut())
    assert ours == run(torch.nn, torch.tensor, Theirs())
