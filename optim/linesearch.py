"""How far to go along a direction."""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite
from typing import NamedTuple

import numpy as np

from .blocks import Array

SUFFICIENT, FLAT = 1e-4, 0.9  # c1 and c2 of the Wolfe conditions


class Point(NamedTuple):
    """The loss at w + t d, its gradient there, and the slope g·d along the direction."""

    t: float
    loss: float
    g: Array
    slope: float


def backtracking(
    loss_at: Callable[[float], float], start: float, slope: float, t: float, max_tries: int
) -> float:
    """Halve t until the loss falls by a share of what the slope promises; 0 where it never does.

    The condition of Armijo (1966); Nocedal and Wright, algorithm 3.1.
    """
    for _ in range(max_tries):
        if loss_at(t) <= start + SUFFICIENT * t * slope:
            return t
        t /= 2
    return 0.0


def strong_wolfe(
    at: Callable[[float], Point],
    start: Point,
    t: float,
    size: float,
    tolerance_change: float = 1e-9,
    max_evaluations: int = 25,
) -> tuple[Point, int]:
    """Find a point where the loss fell enough and the slope is nearly flat, first trying t.

    Nocedal and Wright, algorithms 3.5 (steps grow until an interval holds such a point) and 3.6
    (the interval shrinks), by cubic interpolation. `size` is the largest element of the
    direction: an interval that moves no parameter by tolerance_change is small enough. Returns the
    best point and how often `at` was called.
    """
    before, new = start, at(t)
    for i in range(max_evaluations):
        fell = _fell(new, start) and not (i > 1 and new.loss >= before.loss)
        if fell and _is_flat(new, start):
            return new, i + 1
        if not fell or new.slope >= 0:
            return _zoom(at, start, _Interval.of(before, new), size, tolerance_change,
                         max_evaluations, i)  # fmt: skip
        low = new.t + 0.01 * (new.t - before.t)
        t = cubic_minimum(before, new, low, 10 * new.t)
        before, new = new, at(t)
    return (start if start.loss <= new.loss else new), max_evaluations + 1


class _Interval(NamedTuple):
    """Two points, of which `low` has the lower loss, with a minimum in between."""

    low: Point
    high: Point

    @classmethod
    def of(cls, a: Point, b: Point) -> _Interval:
        return cls(a, b) if a.loss <= b.loss else cls(b, a)


def _zoom(
    at: Callable[[float], Point],
    start: Point,
    interval: _Interval,
    size: float,
    tolerance_change: float,
    max_evaluations: int,
    i: int,
) -> tuple[Point, int]:
    """Shrink the interval until its lower end will do."""
    stuck = False
    while i < max_evaluations:
        low, high = interval
        if abs(high.t - low.t) * size < tolerance_change:
            break
        left, right = sorted((low.t, high.t))
        t, stuck = _off_the_ends(cubic_minimum(low, high, left, right), left, right, stuck)
        new, i = at(t), i + 1
        if not _fell(new, start) or new.loss >= low.loss:
            interval = _Interval.of(low, new)
            continue
        if _is_flat(new, start):
            return new, i + 1
        interval = _Interval(new, low if new.slope * (high.t - low.t) >= 0 else high)
    return interval.low, i + 1


def _off_the_ends(t: float, left: float, right: float, stuck: bool) -> tuple[float, bool]:
    """Move t a tenth inwards where it is at an end, or was near one twice in a row."""
    margin = 0.1 * (right - left)
    if min(right - t, t - left) >= margin:
        return t, False
    if stuck or t >= right or t <= left:
        return (right - margin if abs(t - right) < abs(t - left) else left + margin), False
    return t, True


def _fell(new: Point, start: Point) -> bool:
    return not new.loss > start.loss + SUFFICIENT * new.t * start.slope


def _is_flat(new: Point, start: Point) -> bool:
    return abs(new.slope) <= -FLAT * start.slope


def cubic_minimum(a: Point, b: Point, low: float, high: float) -> float:
    """Return the minimum in [low, high] of the cubic with the losses and slopes of two points.

    The middle where there is none (Nocedal and Wright, equation 3.59).
    """
    if a.t > b.t:
        a, b = b, a
    with np.errstate(all="ignore"):
        length = np.float64(b.t - a.t)
        d1 = a.slope + b.slope - 3 * (b.loss - a.loss) / length
        d2 = np.sqrt(d1 * d1 - a.slope * b.slope)
        t = float(b.t - length * (b.slope + d2 - d1) / (b.slope - a.slope + 2 * d2))
    return min(max(t, low), high) if isfinite(t) else (low + high) / 2
