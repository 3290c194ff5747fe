"""Sizes of sliding windows, as layers take and check them."""

from __future__ import annotations

from typing import Any

from autograd_core import ShapeError
from autograd_core.ops import windows
from autograd_core.ops.windows import Pairs, Sizes

AXES = {1: "L", 2: "H, W", 3: "D, H, W"}


def numbers(who: str, name: str, value: Any, axes: int, least: int) -> Sizes:
    """Give one number for all axes, or one for each, as one for each."""
    try:
        return windows.numbers(name, value, axes, least)
    except ShapeError as error:
        raise ShapeError(f"{who} got {error}") from None


def check_input(shape: tuple[int, ...], axes: int, channels: int | None = None) -> None:
    """Raise unless x is a batch of images, or one, with the right number of channels."""
    if len(shape) not in (axes + 1, axes + 2):
        names = AXES[axes]
        raise ShapeError(f"got x of shape {shape}: it must be (N, C, {names}) or (C, {names})")
    if channels is not None and shape[-axes - 1] != channels:
        raise ShapeError(f"got x of shape {shape}: it must have {channels} channels")


def last_first(widths: Pairs) -> list[int]:
    """Give widths of padding in the order of `pad`: before and after, the last axis first."""
    return [n for pair in reversed(widths) for n in pair]
