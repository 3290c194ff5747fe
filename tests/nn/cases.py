"""One row per layer, or more; each is built from `nn` here and from PyTorch's `nn` alike."""

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

LAYERS = [
    LayerCase(
        "Linear",
        lambda nn: nn.Linear(3, 4),
        normal((5, 3)),
        (5, 4),
        BOTH,
        "Linear(in_features=3, out_features=4, bias=True)",
    ),
    LayerCase(
        "Linear",
        lambda nn: nn.Linear(3, 2, bias=False),
        normal((2, 5, 3)),
        (2, 5, 2),
        ("weight",),
        "Linear(in_features=3, out_features=2, bias=False)",
    ),
    LayerCase(
        "Linear",
        lambda nn: nn.Linear(3, 2),
        normal((3,)),
        (2,),
        BOTH,
        "Linear(in_features=3, out_features=2, bias=True)",
    ),
    LayerCase(
        "Conv2d",
        lambda nn: nn.Conv2d(2, 3, 3),
        normal((2, 2, 5, 4)),
        (2, 3, 3, 2),
        BOTH,
        "Conv2d(2, 3, kernel_size=(3, 3), stride=(1, 1))",
    ),
    LayerCase(
        "Conv2d",
        lambda nn: nn.Conv2d(4, 2, (3, 2), stride=(2, 1), padding=(2, 1), groups=2, bias=False),
        normal((2, 4, 5, 4)),
        (2, 2, 4, 5),
        ("weight",),
        "Conv2d(4, 2, kernel_size=(3, 2), stride=(2, 1), padding=(2, 1), groups=2, bias=False)",
    ),
    LayerCase(
        "Conv2d",
        lambda nn: nn.Conv2d(1, 2, 3, padding="same", dilation=(2, 1)),
        normal((1, 1, 5, 4)),
        (1, 2, 5, 4),
        BOTH,
        "Conv2d(1, 2, kernel_size=(3, 3), stride=(1, 1), padding=same, dilation=(2, 1))",
    ),
    LayerCase(
        "Conv2d",
        lambda nn: nn.Conv2d(1, 2, 3, stride=2, padding="valid"),
        normal((1, 1, 5, 4)),
        (1, 2, 2, 1),
        BOTH,
        "Conv2d(1, 2, kernel_size=(3, 3), stride=(2, 2), padding=valid)",
    ),
    LayerCase(
        "Conv2d",
        lambda nn: nn.Conv2d(1, 2, 2, padding="same"),
        normal((1, 4, 4)),
        (2, 4, 4),
        BOTH,
        "Conv2d(1, 2, kernel_size=(2, 2), stride=(1, 1), padding=same)",
    ),
    LayerCase(
        "Conv2d",
        lambda nn: nn.Conv2d(1, 2, 3, padding=1, padding_mode="reflect"),
        normal((2, 1, 4, 4)),
        (2, 2, 4, 4),
        BOTH,
        "Conv2d(1, 2, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1), padding_mode=reflect)",
    ),
    LayerCase("ReLU", lambda nn: nn.ReLU(), normal((3, 4)), (3, 4), (), "ReLU()"),
    LayerCase(
        "Flatten",
        lambda nn: nn.Flatten(),
        normal((2, 3, 4)),
        (2, 12),
        (),
        "Flatten(start_dim=1, end_dim=-1)",
    ),
    LayerCase(
        "Sequential",
        lambda nn: nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Sequential(nn.Linear(4, 2))),
        normal((5, 3)),
        (5, 2),
        ("0.weight", "0.bias", "2.0.weight", "2.0.bias"),
        """Sequential(
  (0): Linear(in_features=3, out_features=4, bias=True)
  (1): ReLU()
  (2): Sequential(
    (0): Linear(in_features=4, out_features=2, bias=True)
  )
)""",
    ),
    LayerCase("MSELoss", lambda nn: nn.MSELoss(), normal((3, 4), (3, 4)), (), (), "MSELoss()"),
    LayerCase(
        "MSELoss",
        lambda nn: nn.MSELoss(reduction="none"),
        normal((3, 4), (3, 4)),
        (3, 4),
        (),
        "MSELoss()",
    ),
    LayerCase(
        "CrossEntropyLoss",
        lambda nn: nn.CrossEntropyLoss(),
        classified((4, 3), 3),
        (),
        (),
        "CrossEntropyLoss()",
    ),
    LayerCase(
        "CrossEntropyLoss",
        lambda nn: nn.CrossEntropyLoss(reduction="sum", label_smoothing=0.1, ignore_index=1),
        classified((4, 3, 2), 3),
        (),
        (),
        "CrossEntropyLoss()",
    ),
]
