"""Losses that are minus a log-likelihood."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..case import Inputs, LayerCase, classified, loss, normal, tensor_of

CLASS_WEIGHTS = [0.5, 2.0, 1.5]


def chances(*shapes: tuple[int, ...]) -> Inputs:
    """Probabilities, away from 0 and 1."""
    return lambda rng: [rng.uniform(0.1, 0.9, shape) for shape in shapes]


def counted(rng: np.random.Generator) -> list[np.ndarray]:
    """Logs of rates, and counts."""
    return [rng.normal(size=(3, 4)), rng.uniform(0.5, 5.0, (3, 4))]


def with_variances(*shape: int) -> Inputs:
    """Means, values, and variances of a shape."""
    return lambda rng: [
        rng.normal(size=(3, 4)),
        rng.normal(size=(3, 4)),
        rng.uniform(0.5, 2.0, shape),
    ]


def sequences(rng: np.random.Generator) -> list[np.ndarray]:
    """Scores over time, labels with and without repeats, and their lengths."""
    return [
        rng.normal(size=(6, 3, 4)),
        np.array([[1, 1, 2], [3, 2, 0], [1, 0, 0]]),
        np.array([6, 5, 4]),
        np.array([3, 2, 0]),
    ]


def one_row(rng: np.random.Generator) -> list[np.ndarray]:
    """Scores over time, the labels of all samples in one row, and their lengths."""
    return [rng.normal(size=(5, 2, 4)), np.array([1, 0, 3, 3]), np.array([5, 3]), np.array([2, 2])]


def normalised(nn: Any, loss: Any) -> Any:
    """Put log_softmax before a loss: PyTorch's gradient of CTC takes for granted that it is."""

    class Normalised(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.loss = loss

        def forward(self, x: Any, *rest: Any) -> Any:
            return self.loss(nn.functional.log_softmax(x, -1), *rest)

    return Normalised()


ROWS = [
    loss("NLLLoss", lambda nn: nn.NLLLoss(), classified((4, 3), 3)),
    loss(
        "NLLLoss",
        lambda nn: nn.NLLLoss(tensor_of(nn, CLASS_WEIGHTS), ignore_index=1),
        classified((4, 3, 2, 2), 3),
        (),
        ("weight",),
    ),
    loss("NLLLoss", lambda nn: nn.NLLLoss(reduction="none"), classified((4, 3, 2), 3), (4, 2)),
    loss("CrossEntropyLoss", lambda nn: nn.CrossEntropyLoss(), classified((4, 3), 3)),
    loss(
        "CrossEntropyLoss",
        lambda nn: nn.CrossEntropyLoss(reduction="sum", label_smoothing=0.1, ignore_index=1),
        classified((4, 3, 2), 3),
    ),
    loss(
        "CrossEntropyLoss",
        lambda nn: nn.CrossEntropyLoss(tensor_of(nn, CLASS_WEIGHTS)),
        chances((4, 3), (4, 3)),
        (),
        ("weight",),
    ),
    loss("BCELoss", lambda nn: nn.BCELoss(), chances((3, 4), (3, 4))),
    loss(
        "BCELoss",
        lambda nn: nn.BCELoss(tensor_of(nn, [1.0, 0.5, 2.0, 0.0]), reduction="none"),
        chances((3, 4), (3, 4)),
        (3, 4),
        ("weight",),
    ),
    loss("BCEWithLogitsLoss", lambda nn: nn.BCEWithLogitsLoss(), normal((3, 4), (3, 4))),
    loss(
        "BCEWithLogitsLoss",
        lambda nn: nn.BCEWithLogitsLoss(
            tensor_of(nn, [[1.0], [0.5], [2.0]]), pos_weight=tensor_of(nn, [3.0, 1.0, 0.5, 2.0])
        ),
        normal((3, 4), (3, 4)),
        (),
        ("weight", "pos_weight"),
    ),
    loss("KLDivLoss", lambda nn: nn.KLDivLoss(reduction="batchmean"), chances((3, 4), (3, 4))),
    loss(
        "KLDivLoss",
        lambda nn: nn.KLDivLoss(reduction="none", log_target=True),
        normal((3, 4), (3, 4)),
        (3, 4),
    ),
    loss("GaussianNLLLoss", lambda nn: nn.GaussianNLLLoss(), with_variances(3, 4)),
    loss(
        "GaussianNLLLoss",
        lambda nn: nn.GaussianNLLLoss(full=True, reduction="none"),
        with_variances(3),
        (3, 4),
    ),
    loss("GaussianNLLLoss", lambda nn: nn.GaussianNLLLoss(reduction="sum"), with_variances(3, 1)),
    loss("PoissonNLLLoss", lambda nn: nn.PoissonNLLLoss(), counted),
    loss(
        "PoissonNLLLoss", lambda nn: nn.PoissonNLLLoss(full=True, reduction="none"), counted, (3, 4)
    ),
    loss(
        "PoissonNLLLoss",
        lambda nn: nn.PoissonNLLLoss(log_input=False, eps=0.1),
        chances((3, 4), (3, 4)),
    ),
    LayerCase(
        "CTCLoss",
        lambda nn: normalised(nn, nn.CTCLoss()),
        sequences,
        (),
        (),
        "Normalised(\n  (loss): CTCLoss()\n)",
    ),
    LayerCase(
        "CTCLoss",
        lambda nn: normalised(nn, nn.CTCLoss(2, "none")),
        one_row,
        (2,),
        (),
        "Normalised(\n  (loss): CTCLoss()\n)",
    ),
]
