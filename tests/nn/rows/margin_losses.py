"""Losses that vanish as soon as a margin is kept."""

from __future__ import annotations

import numpy as np

from ..case import Inputs, LayerCase, classified, loss, normal, tensor_of


def signed(*shapes: tuple[int, ...], target: tuple[int, ...]) -> Inputs:
    """Inputs of these shapes, and a target of 1 and -1."""
    return lambda rng: [*normal(*shapes)(rng), rng.choice([-1, 1], size=target)]


def named(rng: np.random.Generator) -> list[np.ndarray]:
    """Scores, and the classes of each sample, closed with -1; what follows does not count."""
    return [rng.normal(size=(3, 4)), np.array([[2, 0, -1, 1], [-1, 3, 3, 3], [1, 3, 0, 2]])]


TRIPLET = normal((3, 4), (3, 4), (3, 4))
SIGNED = signed((3, 4), target=(3, 4))
SCORES = classified((3, 4), 4)
WEIGHTS = [0.5, 2.0, 1.5, 1.0]

ROWS = [
    loss(
        "HingeLoss",
        lambda nn: nn.HingeLoss(),
        SIGNED,
        theirs=lambda nn: lambda x, y: nn.functional.relu(1.0 - y * x).mean(),
    ),
    loss("SoftMarginLoss", lambda nn: nn.SoftMarginLoss(), SIGNED),
    loss("SoftMarginLoss", lambda nn: nn.SoftMarginLoss(reduction="none"), SIGNED, (3, 4)),
    loss("HingeEmbeddingLoss", lambda nn: nn.HingeEmbeddingLoss(), SIGNED),
    loss(
        "HingeEmbeddingLoss",
        lambda nn: nn.HingeEmbeddingLoss(0.5, reduction="none"),
        SIGNED,
        (3, 4),
    ),
    loss(
        "CosineEmbeddingLoss",
        lambda nn: nn.CosineEmbeddingLoss(),
        signed((5, 4), (5, 4), target=(5,)),
    ),
    loss(
        "CosineEmbeddingLoss",
        lambda nn: nn.CosineEmbeddingLoss(-0.5, reduction="none"),
        signed((5, 4), (5, 4), target=(5,)),
        (5,),
    ),
    loss("MultiMarginLoss", lambda nn: nn.MultiMarginLoss(), SCORES),
    loss("MultiMarginLoss", lambda nn: nn.MultiMarginLoss(2, 0.5, reduction="none"), SCORES, (3,)),
    loss(
        "MultiMarginLoss",
        lambda nn: nn.MultiMarginLoss(weight=tensor_of(nn, WEIGHTS)),
        SCORES,
        (),
        ("weight",),
    ),
    loss("MultiLabelMarginLoss", lambda nn: nn.MultiLabelMarginLoss(), named),
    loss("MultiLabelMarginLoss", lambda nn: nn.MultiLabelMarginLoss(reduction="none"), named, (3,)),
    loss(
        "MultiLabelSoftMarginLoss", lambda nn: nn.MultiLabelSoftMarginLoss(), normal((3, 4), (3, 4))
    ),
    loss(
        "MultiLabelSoftMarginLoss",
        lambda nn: nn.MultiLabelSoftMarginLoss(tensor_of(nn, WEIGHTS), reduction="none"),
        normal((3, 4), (3, 4)),
        (3,),
        ("weight",),
    ),
    loss("MarginRankingLoss", lambda nn: nn.MarginRankingLoss(), signed((5,), (5,), target=(5,))),
    loss(
        "MarginRankingLoss",
        lambda nn: nn.MarginRankingLoss(0.5, reduction="none"),
        signed((5, 1), (5, 2), target=(1, 2)),
        (5, 2),
    ),
    loss("TripletMarginLoss", lambda nn: nn.TripletMarginLoss(), TRIPLET),
    loss(
        "TripletMarginLoss",
        lambda nn: nn.TripletMarginLoss(2.0, p=3.0, swap=True, reduction="none"),
        TRIPLET,
        (3,),
    ),
    LayerCase(
        "TripletMarginWithDistanceLoss",
        lambda nn: nn.TripletMarginWithDistanceLoss(swap=True),
        TRIPLET,
        (),
        (),
        "TripletMarginWithDistanceLoss(\n  (distance_function): PairwiseDistance()\n)",
    ),
    loss(
        "TripletMarginWithDistanceLoss",
        lambda nn: nn.TripletMarginWithDistanceLoss(
            distance_function=lambda a, b: (a - b).abs().sum(-1), margin=2.0, reduction="sum"
        ),
        TRIPLET,
    ),
]
