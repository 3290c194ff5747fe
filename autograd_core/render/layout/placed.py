"""What a layout is given and what it gives: sizes in, coordinates out, all whole pixels."""

from __future__ import annotations

from dataclasses import dataclass

Point = tuple[int, int]


@dataclass(frozen=True)
class Room:
    """The size a box needs; `head` is room above it for what is written on its arrows.

    `foot` is room below it, for the sheets that a stack shows.
    """

    width: int
    height: int
    head: int = 0
    foot: int = 0


@dataclass(frozen=True)
class Placed:
    """A rectangle: its left upper corner and its size; `rank` counts rows within its frame."""

    x: int
    y: int
    width: int
    height: int
    rank: int = 0


@dataclass(frozen=True)
class Frame:
    """One frame around boxes of a cluster: its `part`, of `parts`, that is free of strangers."""

    cluster: int  # place in View.clusters
    part: int
    parts: int
    place: Placed
    title_at: int  # x where its title begins


@dataclass(frozen=True)
class Route:
    """The way of an arrow, from the border of a box to that of another.

    `points` are joined by curves with vertical ends where they go down, and by straight lines
    where they do not; those of a `spline` are control points of Bezier curves, but for the last
    one, to which a vertical line leads.
    """

    points: tuple[Point, ...]
    spline: bool = False


@dataclass(frozen=True)
class Layout:
    """Places of all boxes and ways of all arrows, in the order of the view."""

    width: int
    height: int
    boxes: tuple[Placed, ...]
    routes: tuple[Route, ...]
    frames: tuple[Frame, ...]  # outer ones first
