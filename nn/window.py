"""Where a sliding window fits: padding, reach and number of positions, for height and width."""

from __future__ import annotations

from collections.abc import Sequence

Pair = tuple[int, int]


def pair(who: str, name: str, value: int | Sequence[int], least: int) -> Pair:
    """Give one number for both axes, or one for each."""
    numbers = (value, value) if isinstance(value, int) else tuple(value)
    if len(numbers) != 2 or any(n < least for n in numbers):
        raise ValueError(f"{who} got {name}={value}: it must be one or two numbers >= {least}")
    return numbers


def reach(kernel: Pair, dilation: Pair) -> Pair:
    """Return how many pixels the dilated kernel spans."""
    return dilation[0] * (kernel[0] - 1) + 1, dilation[1] * (kernel[1] - 1) + 1


def around(padding: str | Pair, kernel: Pair, dilation: Pair) -> tuple[Pair, Pair]:
    """Return the padding (before, after) of height and of width; "same" may need one more after."""
    if padding == "valid":
        return (0, 0), (0, 0)
    if isinstance(padding, str):
        height, width = ((n - 1) for n in reach(kernel, dilation))
        return (height // 2, height - height // 2), (width // 2, width - width // 2)
    return (padding[0], padding[0]), (padding[1], padding[1])


def positions(size: Pair, kernel: Pair, stride: Pair, padding: str | Pair, dilation: Pair) -> Pair:
    """Return the size of the output; below 1 where the kernel does not fit."""
    (top, bottom), (left, right) = around(padding, kernel, dilation)
    height, width = reach(kernel, dilation)
    return (
        (size[0] + top + bottom - height) // stride[0] + 1,
        (size[1] + left + right - width) // stride[1] + 1,
    )
