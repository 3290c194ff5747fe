"""What the rates of a group are, and what they may be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from numbers import Real
from typing import Any, cast

import autograd_core as ag

Group = dict[str, Any]


def given(arguments: Mapping[str, Any]) -> Group:
    """Return the arguments of an optimiser's __init__, its locals(), but for its parameters."""
    return {k: v for k, v in arguments.items() if k not in ("self", "params", "__class__")}


def plain(who: str, group: Mapping[str, Any]) -> Group:
    """Return the rates of a group with tensors and NumPy's scalars as Python numbers.

    A float64 scalar of NumPy would widen a float32 update.
    """
    return {name: _plain(who, name, rate) for name, rate in group.items() if name != "params"}


def _plain(who: str, name: str, rate: Any) -> Any:
    if isinstance(rate, tuple):  # betas
        return tuple([_plain(who, name, part) for part in cast("tuple[Any, ...]", rate)])
    if not hasattr(rate, "item"):
        return rate
    if prod(rate.shape) != 1:
        raise ValueError(f"{who} got {name} of shape {tuple(rate.shape)}: it needs one number")
    return rate.item()


def same_for_all(who: str, group: Group) -> None:
    """Refuse what no optimiser can do; foreach, fused and capturable make no difference here."""
    if group.get("differentiable"):
        raise ag.GraphError(
            f"{who} got differentiable=True: its steps change parameters without being recorded; "
            "for derivatives of an update write it with operators, on results of grad()"
        )
    if group.get("foreach") and group.get("fused"):
        raise RuntimeError(f"{who} got foreach=True and fused=True: only one of them can be")


def not_negative(who: str, group: Group, *names: str) -> None:
    """Refuse rates that are below zero, or no number at all."""
    for name in names:
        if not _real(who, name, group[name]) >= 0:  # so written, nan is refused as well
            raise ValueError(f"{who} got {name}={group[name]}: it must be 0 or more")


def positive(who: str, group: Group, *names: str) -> None:
    """Refuse rates that are zero or below."""
    for name in names:
        if not _real(who, name, group[name]) > 0:
            raise ValueError(f"{who} got {name}={group[name]}: it must be above 0")


def share(who: str, group: Group, *names: str) -> None:
    """Refuse rates outside [0, 1]."""
    for name in names:
        if not 0 <= _real(who, name, group[name]) <= 1:
            raise ValueError(f"{who} got {name}={group[name]}: it must be in [0, 1]")


def two_decays(who: str, group: Group, name: str) -> None:
    """Refuse the weights of two running averages unless both are in [0, 1)."""
    if not all(0 <= value < 1 for value in pair(who, group, name)):
        raise ValueError(f"{who} got {name}={group[name]}: it needs two numbers in [0, 1)")


def pair(who: str, group: Group, name: str) -> Sequence[Any]:
    """Return a rate that must be two numbers."""
    values = group[name]
    if not isinstance(values, (tuple, list)) or len(cast("Sequence[Any]", values)) != 2:
        raise ValueError(f"{who} got {name}={values}: it needs two numbers")
    return cast("Sequence[Any]", values)


def one_of(who: str, group: Group, name: str, *choices: Any) -> None:
    """Refuse a rate that is none of the choices."""
    if group[name] not in choices:
        listed = ", ".join(map(repr, choices))
        raise ValueError(f"{who} got {name}={group[name]!r}: it must be one of {listed}")


def _real(who: str, name: str, value: Any) -> Any:
    if not isinstance(value, Real):
        raise TypeError(f"{who} got {name}={value!r}: it needs a number")
    return value
