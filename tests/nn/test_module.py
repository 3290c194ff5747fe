"""What a module owns, how it is walked, and what changes it as a whole."""

from __future__ import annotations

import copy
import gc
import pickle
import weakref
from typing import Any

import pytest

import autograd_core as ag
import nn


class Block(nn.Module):
    first: Any
    second: Any
    scale: Any

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(2, 3)
        self.scale = nn.Parameter(ag.ones(3))
        self.register_buffer("mean", ag.zeros(3))
        self.register_buffer("cache", ag.zeros(1), persistent=False)
        self.plain = ag.zeros(2)
        self.second = nn.Linear(3, 1, bias=False)

    def forward(self, x: ag.Tensor) -> ag.Tensor:
        return self.second(self.first(x) * self.scale)


class Tied(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a = nn.Linear(2, 2)
        self.b = self.a
        self.weight = self.a.weight


def names(found: Any) -> list[str]:
    return [name for name, _ in found]


def test_parameters_come_in_order_own_before_children() -> None:
    assert names(Block().named_parameters()) == [
        "scale",
        "first.weight",
        "first.bias",
        "second.weight",
    ]
    assert names(Block().named_parameters(prefix="net", recurse=False)) == ["net.scale"]


def test_modules_come_parents_first() -> None:
    model = nn.Sequential(Block(), nn.ReLU())
    assert names(model.named_modules()) == ["", "0", "0.first", "0.second", "1"]
    assert names(model.named_children()) == ["0", "1"]
    assert next(model.modules()) is model
    assert list(model.children()) == [model[0], model[1]]


def test_buffers_are_known_by_name_and_plain_tensors_are_not_state() -> None:
    block = Block()
    assert names(block.named_buffers()) == ["mean", "cache"]
    assert "mean" in block.state_dict()
    assert not {"cache", "plain"} & set(block.state_dict())
    block.mean = ag.ones(3)
    assert next(block.buffers()).tolist() == [1.0, 1.0, 1.0]
    block.mean = None
    assert names(block.named_buffers()) == ["cache"]


def test_what_stands_under_two_names_is_walked_once_and_saved_twice() -> None:
    tied = Tied()
    assert names(tied.named_parameters()) == ["weight", "a.bias"]
    assert names(tied.named_modules()) == ["", "a"]
    assert names(tied.named_modules(remove_duplicate=False)) == ["", "a", "b"]
    assert list(tied.state_dict()) == ["weight", "a.weight", "a.bias", "b.weight", "b.bias"]


def test_a_deleted_or_replaced_member_is_gone() -> None:
    block = Block()
    del block.scale, block.mean
    block.first = nn.Linear(2, 3, bias=False)
    block.second = None
    assert names(block.named_parameters()) == ["first.weight"]
    assert names(block.named_buffers()) == ["cache"]
    block.scale = ag.ones(3)
    assert names(block.named_buffers()) == ["cache"]


def test_train_and_eval_reach_every_module() -> None:
    model = nn.Sequential(Block(), nn.ReLU())
    assert model.eval() is model
    assert not any(m.training for m in model.modules())
    assert all(m.training for m in model.train().modules())


def test_gradients_are_dropped_or_made_zero() -> None:
    block = Block()
    block(ag.ones(1, 2)).sum().backward()
    block.zero_grad(set_to_none=False)
    assert all(p.grad is not None and not p.grad.numpy().any() for p in block.parameters())
    block.zero_grad()
    assert all(p.grad is None for p in block.parameters())


def test_a_frozen_module_gets_no_gradient() -> None:
    block = Block()
    block.first.requires_grad_(False)
    block(ag.ones(1, 2)).sum().backward()
    assert block.first.weight.grad is None
    assert block.scale.grad is not None


def test_apply_goes_children_first() -> None:
    seen: list[str] = []
    model = nn.Sequential(nn.Linear(1, 1), nn.Sequential(nn.ReLU()))
    assert model.apply(lambda m: seen.append(type(m).__name__)) is model
    assert seen == ["Linear", "ReLU", "Sequential", "Sequential"]


def test_to_converts_what_is_floating_and_keeps_the_objects() -> None:
    block = Block()
    block.register_buffer("count", ag.tensor(3))
    before = list(block.parameters())
    block(ag.ones(1, 2)).sum().backward()
    assert block.to("cpu", ag.float64).cpu() is block
    assert [id(p) for p in block.parameters()] == [id(p) for p in before]
    assert all(p.dtype == p.grad.dtype == ag.float64 and p.is_leaf for p in before)
    assert block.mean.dtype == ag.float64
    assert block.count.dtype == ag.int64
    assert block.to(ag.ones(1)).scale.dtype == ag.float32
    assert block.double().to(dtype=ag.float32).to("cpu").float().scale.dtype == ag.float32


def test_to_keeps_the_values() -> None:
    layer = nn.Linear(2, 2)
    before = layer.weight.tolist()
    assert layer.double().weight.tolist() == before


def test_a_module_is_found_by_its_path() -> None:
    model = nn.Sequential(Block())
    assert model.get_submodule("0.first") is model[0].first
    assert model.get_submodule("") is model
    with pytest.raises(AttributeError, match="Block has no module named 'third'"):
        model.get_submodule("0.third")


def test_parameters_and_buffers_are_found_by_their_paths() -> None:
    model = nn.Sequential(Block())
    assert model.get_parameter("0.first.weight") is model[0].first.weight
    assert model[0].get_parameter("scale") is model[0].scale
    assert model.get_buffer("0.mean") is model[0].mean
    with pytest.raises(AttributeError, match="Block has no parameter named 'mean'"):
        model.get_parameter("0.mean")
    with pytest.raises(AttributeError, match="Block has no buffer named 'scale'"):
        model.get_buffer("0.scale")


def test_a_module_is_put_at_a_path() -> None:
    model = nn.Sequential(Block())
    model.set_submodule("0.first", nn.Linear(2, 3, bias=False))
    model.set_submodule("0.third", nn.ReLU())
    assert model[0].first.bias is None
    with pytest.raises(AttributeError, match="Block has no module named 'fourth'"):
        model.set_submodule("0.fourth", nn.ReLU(), strict=True)
    with pytest.raises(ValueError, match="got an empty path: a module cannot replace itself"):
        model.set_submodule("", nn.ReLU())


def test_other_dtypes_have_methods_of_their_own() -> None:
    block = Block()
    assert block.half().scale.dtype == ag.float16
    assert block.type(ag.float64).mean.dtype == ag.float64
    assert block.float().scale.dtype == ag.float32


def test_members_whose_names_are_numbers_are_not_offered_as_attributes() -> None:
    offered = dir(nn.Sequential(nn.ReLU()))
    assert "0" not in offered
    assert {"forward", "training", "parameters"} <= set(offered)


def test_what_is_shared_stays_shared_in_a_copy() -> None:
    twin = copy.deepcopy(Tied())
    assert twin.a is twin.b
    assert twin.weight is twin.a.weight


def test_a_call_leaves_the_mode_as_it_was_whatever_happens_inside() -> None:
    from autograd_core.modes import current

    class Frozen(nn.Module):
        def forward(self, x: ag.Tensor) -> ag.Tensor:
            ag.set_grad_enabled(False)
            return x * 2

    x = ag.ones(1, requires_grad=True)
    layer, relu = Frozen(), nn.ReLU()
    try:
        for _ in range(2):
            assert not layer(x).requires_grad
            assert not ag.is_grad_enabled()  # as in PyTorch, it stays in force
            assert current().scope is None
            ag.set_grad_enabled(True)
            assert relu(x).requires_grad
    finally:
        ag.set_grad_enabled(True)


def test_a_module_forgets_the_observer_that_it_ran_under() -> None:
    layer, x = nn.ReLU(), ag.ones(1)
    layer(x)
    with ag.observe() as seen:
        layer(x)
    assert [node.op.name for node in seen.nodes] == ["relu"]
    layer(x)
    assert len(seen.nodes) == 1
    alive = weakref.ref(seen)
    del seen
    gc.collect()
    assert alive() is None


def test_one_module_runs_in_several_threads_at_once() -> None:
    from concurrent.futures import ThreadPoolExecutor

    model = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 1))
    x = ag.ones(2, 4)
    expected = model(x).tolist()

    def work(_: int) -> bool:
        with ag.no_grad():
            return all(model(x).tolist() == expected for _ in range(50))

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(work, range(8)))


def test_a_module_can_be_copied_and_pickled() -> None:
    model = nn.Sequential(Block(), nn.ReLU())
    x = ag.ones(1, 2)
    for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert repr(twin) == repr(model)
        assert twin(x).tolist() == model(x).tolist()
        assert all(isinstance(p, nn.Parameter) and p.requires_grad for p in twin.parameters())
        assert not {id(p) for p in twin.parameters()} & {id(p) for p in model.parameters()}


def test_a_model_dies_by_reference_count() -> None:
    gc.disable()
    try:
        model = nn.Sequential(Block(), nn.ReLU())
        model(ag.ones(1, 2)).sum().backward()
        alive = weakref.ref(model)
        del model
        assert alive() is None
    finally:
        gc.enable()


def test_repr_nests_as_deep_as_the_modules() -> None:
    assert repr(nn.Sequential(Block())) == (
        "Sequential(\n"
        "  (0): Block(\n"
        "    (first): Linear(in_features=2, out_features=3, bias=True)\n"
        "    (second): Linear(in_features=3, out_features=1, bias=False)\n"
        "  )\n"
        ")"
    )


def test_members_before_init_are_refused() -> None:
    class Hasty(nn.Module):
        def __init__(self, member: Any) -> None:
            self.member = member

    for member in (nn.ReLU(), nn.Parameter(ag.ones(1))):
        with pytest.raises(AttributeError, match=r"got 'member' too early: call super\(\)"):
            Hasty(member)


def test_a_registered_name_keeps_its_kind() -> None:
    block = Block()
    with pytest.raises(TypeError, match=r"Block\.scale got a Tensor: it must be a Parameter or"):
        block.scale = ag.ones(3)
    with pytest.raises(TypeError, match=r"Block\.first got a float: it must be a Module or None"):
        block.first = 1.0
    with pytest.raises(TypeError, match=r"Block\.mean got a list: it must be a Tensor or None"):
        block.mean = [0.0]


def test_registering_checks_name_and_kind() -> None:
    block = Block()
    with pytest.raises(KeyError, match=r"has no dots and is not empty"):
        block.register_module("a.b", nn.ReLU())
    with pytest.raises(KeyError, match=r"Block\.forward is taken by another attribute"):
        block.register_parameter("forward", None)
    with pytest.raises(KeyError, match=r"Block\.plain is taken by another attribute"):
        block.add_module("plain", nn.ReLU())
    with pytest.raises(TypeError, match=r"Block\.new got a Tensor: it must be a Parameter or None"):
        block.register_parameter("new", ag.ones(1))  # pyright: ignore[reportArgumentType]
    block.register_parameter("later", None)
    block.register_parameter("later", nn.Parameter(ag.ones(1)))
    assert "later" in block.state_dict()


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(ValueError, match=r"train\(\) got mode=1: it must be True or False"):
        nn.ReLU().train(1)  # pyright: ignore[reportArgumentType]
    with pytest.raises(NotImplementedError, match=r"Module does not define forward\(\)"):
        nn.Module()(1)
    with pytest.raises(ValueError, match="device 'cuda' is not available"):
        nn.ReLU().to("cuda")
    with pytest.raises(ag.DtypeError, match=r"Module.to got dtype int64: parameters need a float"):
        nn.ReLU().to(ag.int64)


@pytest.mark.torch
def test_walks_give_pytorchs_names() -> None:
    torch = pytest.importorskip("torch")

    def build(nn: Any) -> Any:
        shared = nn.Linear(2, 2)
        return nn.Sequential(shared, nn.Sequential(nn.ReLU(), shared), nn.Conv2d(1, 1, 1))

    ours, theirs = build(nn), build(torch.nn)
    assert repr(ours) == repr(theirs)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    for walk in ("named_parameters", "named_modules", "named_children"):
        assert names(getattr(ours, walk)()) == names(getattr(theirs, walk)())
    for walk in ("named_parameters", "named_modules"):
        assert names(getattr(ours, walk)(remove_duplicate=False)) == names(
            getattr(theirs, walk)(remove_duplicate=False)
        )
