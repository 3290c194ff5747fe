"""What a row of the layers' table says; the rows are in `rows/`, one file a family."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Inputs = Callable[[np.random.Generator], list[np.ndarray]]


def normal(*shapes: tuple[int, ...]) -> Inputs:
    """Inputs of these shapes; none of their numbers is near the kink of relu at 0."""

    def draw(rng: np.random.Generator) -> list[np.ndarray]:
        drawn = [rng.normal(size=shape) for shape in shapes]
        return [x + 0.1 * np.sign(x) for x in drawn]

    return draw


def classified(shape: tuple[int, ...], classes: int) -> Inputs:
    """Scores of this shape, classes second, and the right class for each."""

    def draw(rng: np.random.Generator) -> list[np.ndarray]:
        return [rng.normal(size=shape), rng.integers(classes, size=shape[:1] + shape[2:])]

    return draw


@dataclass(frozen=True)
class LayerCase:
    """`make` builds it, `parameters` are its names, `output` its shape for `inputs`."""

    name: str
    make: Callable[[Any], Any]
    inputs: Inputs
    output: tuple[int, ...]
    parameters: tuple[str, ...] = ()
    text: str = ""

    def __str__(self) -> str:
        return self.text or self.name


BOTH = ("weight", "bias")
