"""The state of an optimiser as plain data, out (`state_dict`) and in again (`load_state_dict`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

import autograd_core as ag
from autograd_core import Tensor
from nn.state import StateError

from .blocks import is_array

if TYPE_CHECKING:
    from .optimizer import Group, Optimizer, Slots


def collect(optimizer: Optimizer) -> dict[str, Any]:
    """Number the parameters in the order of the groups; state is found under their numbers."""
    numbers = {parameter: i for i, parameter in enumerate(_parameters(optimizer))}
    groups = [
        group | {"params": [numbers[parameter] for parameter in group["params"]]}
        for group in optimizer.param_groups
    ]
    show = _public if _has_rule(optimizer) else _shown
    shown = {numbers[p]: show(slots) for p, slots in optimizer.state.items()}
    state = {number: slots for number, slots in shown.items() if slots}
    return {"state": state, "param_groups": groups}


def load(optimizer: Optimizer, saved: Mapping[str, Any]) -> None:
    """Check everything, and only then take anything over."""
    who = type(optimizer).__name__
    if "state" not in saved or any("params" not in g for g in saved.get("param_groups", [{}])):
        raise StateError(
            f"{who} got a state dict without 'state' or without groups of 'params': "
            "it needs one that an optimiser's state_dict() made"
        )
    groups = _matched(optimizer, saved["param_groups"])
    numbers = [number for group in saved["param_groups"] for number in group["params"]]
    owners = [
        (parameter, optimizer_group | loaded)
        for optimizer_group, loaded in zip(optimizer.param_groups, groups, strict=True)
        for parameter in optimizer_group["params"]
    ]
    by_number = dict(zip(numbers, owners, strict=True))
    state: dict[Tensor, Slots] = {}
    for number, slots in saved["state"].items():
        if number not in by_number:
            raise StateError(f"{who} got state for parameter {number}: no group has it")
        parameter, group = by_number[number]
        if _has_rule(optimizer):
            told = f"{who}, parameter {number}:"
            state[parameter] = _private(told, optimizer, parameter, group, slots)
        else:
            state[parameter] = _hidden(slots)
    for group, loaded in zip(optimizer.param_groups, groups, strict=True):
        group.update(loaded)
    optimizer.state.clear()
    optimizer.state.update(state)


def _has_rule(optimizer: Optimizer) -> bool:
    """Tell whether init() says what the state of a parameter is; a step of its own may not."""
    from .optimizer import Optimizer

    return type(optimizer).init is not Optimizer.init


def _parameters(optimizer: Optimizer) -> list[Tensor]:
    return [parameter for group in optimizer.param_groups for parameter in group["params"]]


def _matched(optimizer: Optimizer, saved: list[Group]) -> list[Group]:
    """Return the saved rates of each group, after a look at whether they can be its own."""
    sizes = [len(group["params"]) for group in optimizer.param_groups]
    got = [len(group["params"]) for group in saved]
    if got != sizes:
        who = type(optimizer).__name__
        raise StateError(f"{who} got groups of {got} parameters: it has groups of {sizes}")
    rates = [{name: rate for name, rate in g.items() if name != "params"} for g in saved]
    for group, loaded in zip(optimizer.param_groups, rates, strict=True):
        optimizer._check_rates(group | loaded)
    return rates


def _public(slots: Slots) -> dict[str, Tensor]:
    """Show arrays as tensors on the same memory, and numbers as 0-d tensors, as PyTorch does."""
    return {
        name: ag.tensor(float(slot), dtype=ag.float32 if isinstance(slot, int) else ag.float64)
        if isinstance(slot, (int, float))
        else Tensor._wrap(slot)
        for name, slot in slots.items()
        if slot is not None
    }


def _private(
    who: str, optimizer: Optimizer, parameter: Tensor, group: Group, saved: Mapping[str, Any]
) -> Slots:
    """Copy saved slots into what `init` makes: arrays of the parameter's dtype, and numbers."""
    slots = optimizer.init(np.asarray(parameter._array), group)
    missing = [name for name, slot in slots.items() if slot is not None and name not in saved]
    unknown = [name for name in saved if name not in slots]
    if missing or unknown:
        raise StateError(f"{who} got {', '.join(saved) or 'nothing'}, needs {', '.join(slots)}")
    for name, value in saved.items():
        if value is None:
            continue
        array, known = np.array(value), slots[name]
        shape = known.shape if is_array(known) else tuple(parameter.shape)
        if isinstance(known, (int, float)):
            shape = ()
        if array.shape != shape:
            raise StateError(f"{who} got {name} of shape {array.shape}, needs {shape}")
        if isinstance(known, (int, float)):
            slots[name] = type(known)(array)
        else:
            slots[name] = array.astype(parameter.dtype, copy=False)
    return slots


def _shown(slot: Any) -> Any:
    """Show arrays as tensors on the same memory, in whatever they stand."""
    if isinstance(slot, dict):
        return {name: _shown(x) for name, x in slot.items()}  # pyright: ignore
    if isinstance(slot, list):
        return [_shown(x) for x in slot]  # pyright: ignore
    return Tensor._wrap(slot) if is_array(slot) else slot


def _hidden(saved: Any) -> Any:
    """Copy what `_shown` made back into bare arrays."""
    if isinstance(saved, Mapping):
        return {name: _hidden(x) for name, x in saved.items()}  # pyright: ignore
    if isinstance(saved, list):
        return [_hidden(x) for x in saved]  # pyright: ignore
    return np.array(saved) if hasattr(saved, "dtype") else saved
