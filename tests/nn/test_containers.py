"""Lists and dicts of modules and parameters behave as lists and dicts, and are registered."""

from __future__ import annotations

import copy
from typing import Any

import pytest

import autograd_core as ag
import nn


def kinds(modules: Any) -> list[str]:
    return [type(m).__name__ for m in modules]


def three(cls: Any = nn.ModuleList) -> Any:
    members = [nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1)]
    return cls(members) if cls is nn.ModuleList else cls(*members)


both = pytest.mark.parametrize("cls", [nn.ModuleList, nn.Sequential])


@both
def test_members_are_put_in_and_taken_out_anywhere(cls: Any) -> None:
    modules = three(cls)
    assert modules.insert(1, nn.Flatten()) is modules
    assert modules.append(nn.Identity()) is modules
    assert kinds(modules) == ["Linear", "Flatten", "ReLU", "Linear", "Identity"]
    assert type(modules.pop(0)) is nn.Linear
    assert type(modules.pop(-1)) is nn.Identity
    modules[-1] = nn.ReLU()
    del modules[0:1]
    assert kinds(modules) == ["ReLU", "ReLU"]
    modules += [nn.Flatten()]
    assert kinds(modules.extend([nn.Identity()])) == ["ReLU", "ReLU", "Flatten", "Identity"]
    assert [name for name, _ in modules.named_children()] == ["0", "1", "2", "3"]


@both
def test_an_index_beyond_the_end_is_refused(cls: Any) -> None:
    modules = three(cls)
    for use in (
        lambda: modules[3],
        lambda: modules.pop(-4),
        lambda: modules.insert(5, nn.ReLU()),
        lambda: modules.__setitem__(3, nn.ReLU()),
        lambda: modules.__delitem__(3),
    ):
        with pytest.raises(IndexError, match=rf"{cls.__name__} got index -?\d: it has 3 modules"):
            use()


@both
def test_only_modules_are_taken(cls: Any) -> None:
    modules = three(cls)
    for use in (modules.append, lambda x: modules.insert(0, x), lambda x: modules.extend([x])):
        with pytest.raises(TypeError, match=f"{cls.__name__} got a int: it needs modules"):
            use(3)
    with pytest.raises(TypeError, match="extend got a int: it needs something to iterate over"):
        modules.extend(3)
    assert len(modules) == 3


def test_a_part_of_a_list_is_numbered_anew_and_of_a_sequence_keeps_its_names() -> None:
    assert list(dict(three()[1:].named_children())) == ["0", "1"]
    part = three(nn.Sequential)[1:]
    assert list(dict(part.named_children())) == ["1", "2"]
    part.append(nn.Flatten())  # under a name that is free
    assert kinds(part) == ["ReLU", "Linear", "Flatten"]


def test_lists_and_sequences_are_added() -> None:
    more = [nn.Flatten()]
    assert kinds(three() + more) == ["Linear", "ReLU", "Linear", "Flatten"]
    joined = nn.Sequential(nn.ReLU()) + three(nn.Sequential)
    assert list(dict(joined.named_children())) == ["0", "1", "2", "3"]
    with pytest.raises(ValueError, match="Sequential \\+ got a list: it needs another Sequential"):
        kinds(three(nn.Sequential) + more)


def test_a_sequence_times_a_number_runs_the_same_modules_several_times() -> None:
    once = nn.Sequential(nn.Linear(2, 2))
    thrice = 3 * once
    assert len(thrice) == 3
    assert len(list(thrice.parameters())) == 2
    x = ag.ones(2)
    assert thrice(x).tolist() == once(once(once(x))).tolist()
    once *= 2
    assert len(once) == 2
    with pytest.raises(ValueError, match=r"Sequential \* got 0: it must be positive"):
        kinds(once * 0)


def test_a_list_folds_equal_neighbours_when_it_is_shown() -> None:
    blocks = nn.ModuleList([nn.Sequential(nn.ReLU()) for _ in range(2)])
    assert repr(blocks) == "ModuleList(\n  (0-1): 2 x Sequential(\n    (0): ReLU()\n  )\n)"
    assert repr(nn.ModuleList()) == "ModuleList()"


def test_a_dict_of_modules_keeps_order_and_is_a_mapping() -> None:
    modules = nn.ModuleDict([("b", nn.ReLU()), ("a", nn.Linear(1, 1))])
    modules["c"] = nn.Flatten()
    modules.update({"a": nn.Identity()})
    assert list(modules) == list(modules.keys()) == ["b", "a", "c"]
    assert "a" in modules
    assert "d" not in modules
    assert kinds(modules.values()) == ["ReLU", "Identity", "Flatten"]
    assert type(modules.pop("b")) is nn.ReLU
    del modules["c"]
    assert dict(modules.items()) == {"a": modules["a"]}
    modules.clear()
    assert len(modules) == 0
    with pytest.raises(KeyError, match="b"):
        modules["b"]
    with pytest.raises(KeyError, match="training"):
        del modules["training"]


def test_a_dict_of_modules_is_equal_to_itself_alone() -> None:
    one, two = nn.ModuleDict(), nn.ModuleDict()
    assert one != two
    assert len({one, two}) == 2


def test_a_dict_takes_names_that_are_free_and_modules() -> None:
    bad: Any = 3
    with pytest.raises(KeyError, match=r"ModuleDict\.keys is taken by another attribute"):
        nn.ModuleDict({"keys": nn.ReLU()})
    with pytest.raises(TypeError, match="ModuleDict got a key of type int: it must be a str"):
        nn.ModuleDict({bad: nn.ReLU()})
    with pytest.raises(TypeError, match=r"ModuleDict\.x got a int: it must be a Module or None"):
        nn.ModuleDict({"x": bad})


def test_tensors_in_a_parameter_list_become_parameters() -> None:
    kept = nn.Parameter(ag.ones(2, 3))
    members = nn.ParameterList([kept, ag.zeros(2)])
    members.append(ag.ones(1)).extend([ag.ones(4)])
    assert members[0] is kept
    assert all(isinstance(p, nn.Parameter) for p in members)
    assert [name for name, _ in members.named_parameters()] == ["0", "1", "2", "3"]
    members[1] = ag.full((2,), 7.0)
    assert members[1].tolist() == [7.0, 7.0]
    assert len(members[1:3]) == 2
    assert members.pop(0) is kept
    assert list(members.state_dict()) == ["0", "1", "2"]
    with pytest.raises(IndexError, match="ParameterList got index 5: it has 3 items"):
        members[5]
    with pytest.raises(TypeError, match=r"ParameterList\.extend got a Tensor"):
        members.extend(ag.ones(2))


def test_a_parameter_container_shows_shapes_and_holds_anything() -> None:
    assert repr(nn.ParameterList([ag.ones(2, 3), "text"])) == (
        "ParameterList(\n"
        "    (0): Parameter containing: [float32 of size 2x3]\n"
        "    (1): Object of type: str\n"
        ")"
    )
    assert repr(nn.ParameterDict({"a": ag.ones(2)})) == (
        "ParameterDict(  (a): Parameter containing: [float32 of size 2])"
    )


def test_a_dict_of_parameters_is_a_mapping_too() -> None:
    members = nn.ParameterDict({"a": ag.ones(1), "b": ag.zeros(2)})
    members["c"] = ag.ones(3)
    members["note"] = 5
    assert list(members) == ["a", "b", "c", "note"]
    assert list(members.state_dict()) == ["a", "b", "c"]
    assert members.popitem() == ("note", 5)
    assert members.get("note", 6) == 6
    assert members.setdefault("a", ag.zeros(1)) is members["a"]
    other = members | {"d": ag.ones(4)}
    assert list(other) == ["a", "b", "c", "d"]
    assert other["a"] is members["a"]
    members |= {"e": ag.ones(5)}
    assert list(members.copy()) == ["a", "b", "c", "e"]
    assert list(members.fromkeys(["x", "y"], 1).items()) == [("x", 1), ("y", 1)]
    del members["a"]
    assert [name for name, _ in members.named_parameters()] == ["b", "c", "e"]
    with pytest.raises(KeyError, match="ParameterDict is empty"):
        nn.ParameterDict().popitem()
    with pytest.raises(KeyError, match=r"ParameterDict\.training is taken by another attribute"):
        members["training"] = 3


@pytest.mark.parametrize(
    "make",
    [
        three,
        lambda: nn.ModuleDict({"a": nn.Linear(1, 1)}),
        lambda: nn.ParameterList([ag.ones(2)]),
        lambda: nn.ParameterDict({"a": ag.ones(2)}),
    ],
)
def test_a_container_is_copied_whole(make: Any) -> None:
    first = make()
    twin = copy.deepcopy(first)
    assert repr(twin) == repr(first)
    assert list(twin.state_dict()) == list(first.state_dict())
    assert not {id(p) for p in twin.parameters()} & {id(p) for p in first.parameters()}


@pytest.mark.torch
def test_containers_show_themselves_as_pytorchs_do() -> None:
    torch = pytest.importorskip("torch")

    def shown(nn: Any, ones: Any) -> list[str]:
        lists = nn.ModuleList([nn.ReLU(), nn.Linear(2, 2), nn.Linear(2, 2), nn.ReLU()])
        sequence = nn.Sequential(nn.ReLU(), nn.Tanh(), nn.Sigmoid())
        more = [nn.ReLU()]
        found = [repr(lists), repr(lists[1:3]), repr(lists + more), repr(sequence[1:])]
        sequence.pop(0)
        found += [repr(sequence), repr(sequence.insert(0, nn.ReLU())), repr(sequence * 2)]
        found += [repr(nn.ModuleDict({"x": lists})), repr(nn.ParameterList([ones(2, 3), 5]))]
        return found

    theirs = [text.replace("torch.float32", "float32") for text in shown(torch.nn, torch.ones)]
    assert shown(nn, ag.ones) == theirs
