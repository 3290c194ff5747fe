"""What the rates of a group may be."""

from __future__ import annotations

from typing import Any


def not_negative(who: str, group: dict[str, Any], *names: str) -> None:
    """Refuse rates that are below zero, or no number at all."""
    for name in names:
        if not group[name] >= 0:  # so written, nan is refused as well
            raise ValueError(f"{who} got {name}={group[name]}: it must be 0 or more")


def two_decays(who: str, group: dict[str, Any], name: str) -> None:
    """Refuse the weights of two running averages unless both are in [0, 1)."""
    values = group[name]
    if len(values) != 2 or not all(0 <= value < 1 for value in values):
        raise ValueError(f"{who} got {name}={values}: it needs two numbers in [0, 1)")
