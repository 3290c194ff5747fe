"""What a row of the layers' table says; the rows are in `rows/`, one file a family."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
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


def tensor_of(nn: Any, numbers: Any) -> Any:
    """A tensor of the library that nn belongs to: for what a row gives its layer."""
    library = "autograd_core" if nn.__name__ == "nn" else nn.__name__.partition(".")[0]
    return import_module(library).tensor(numbers)


@dataclass(frozen=True)
class LayerCase:
    """`make` builds it, `parameters` are its names, `output` its shape for `inputs`.

    `theirs` stands for PyTorch's layer where there is none, or one that computes something else:
    a function of its nn that returns a layer, or a function of its tensors.
    """

    name: str
    make: Callable[[Any], Any]
    inputs: Inputs
    output: tuple[int, ...]
    parameters: tuple[str, ...] = ()
    text: str = ""
    buffers: tuple[str, ...] = ()  # what state_dict() has beside the parameters
    theirs: Callable[[Any], Any] | None = None

    def __str__(self) -> str:
        return self.text or self.name


BOTH = ("weight", "bias")


def loss(
    name: str,
    make: Callable[[Any], Any],
    inputs: Inputs,
    output: tuple[int, ...] = (),
    buffers: tuple[str, ...] = (),
    theirs: Callable[[Any], Any] | None = None,
) -> LayerCase:
    """The row of a loss: it has no parameters, and its repr is its name."""
    return LayerCase(name, make, inputs, output, (), f"{name}()", buffers, theirs)
