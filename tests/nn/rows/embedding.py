"""Tables looked up by number."""

import numpy as np

from ..case import Inputs, LayerCase


def numbers(*shape: int) -> Inputs:
    """Rows of a table of five, some of them twice."""
    return lambda rng: [rng.integers(5, size=shape)]


def bags(count: int, *offsets: int) -> Inputs:
    """Rows of a table of five, and where each bag of them starts."""
    return lambda rng: [rng.integers(5, size=count), np.array(offsets)]


def weighted_bags(count: int, *offsets: int) -> Inputs:
    """The same, with a weight for each row."""
    return lambda rng: [*bags(count, *offsets)(rng), rng.normal(size=count)]


WEIGHT = ("weight",)

ROWS = [
    LayerCase(
        "Embedding", lambda nn: nn.Embedding(5, 3), numbers(4), (4, 3), WEIGHT, "Embedding(5, 3)"
    ),
    LayerCase(
        "Embedding",
        lambda nn: nn.Embedding(6, 3, padding_idx=-1, max_norm=20.0, norm_type=1.5),
        numbers(2, 6),
        (2, 6, 3),
        WEIGHT,
        "Embedding(6, 3, padding_idx=5, max_norm=20.0, norm_type=1.5)",
    ),
    LayerCase(
        "EmbeddingBag",
        lambda nn: nn.EmbeddingBag(5, 3),
        numbers(2, 4),
        (2, 3),
        WEIGHT,
        "EmbeddingBag(5, 3, mode='mean')",
    ),
    LayerCase(
        "EmbeddingBag",
        lambda nn: nn.EmbeddingBag(5, 3, padding_idx=0, norm_type=3.0),
        bags(9, 0, 0, 4, 9),
        (4, 3),
        WEIGHT,
        "EmbeddingBag(5, 3, norm_type=3.0, mode='mean', padding_idx=0)",
    ),
    LayerCase(
        "EmbeddingBag",
        lambda nn: nn.EmbeddingBag(5, 3, mode="max", padding_idx=2),
        bags(9, 0, 3, 3, 8),
        (4, 3),
        WEIGHT,
        "EmbeddingBag(5, 3, mode='max', padding_idx=2)",
    ),
    LayerCase(
        "EmbeddingBag",
        lambda nn: nn.EmbeddingBag(5, 3, mode="sum", include_last_offset=True),
        weighted_bags(9, 0, 3, 3, 9),
        (3, 3),
        WEIGHT,
        "EmbeddingBag(5, 3, mode='sum')",
    ),
]
