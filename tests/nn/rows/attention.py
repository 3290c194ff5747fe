"""Attention with several heads."""

from typing import Any

import numpy as np

from ..case import LayerCase, normal
from ._joined import joined, within

TOGETHER = ("in_proj_weight", "in_proj_bias")
OUT = ("out_proj.weight", "out_proj.bias")


def with_padding(rng: np.random.Generator) -> list[np.ndarray[Any, Any]]:
    """A query, keys, values, and which keys are padding: never all of a row."""
    drawn = normal((3, 2, 4), (5, 2, 3), (5, 2, 6))(rng)
    return [*drawn, np.array([[False, False, True, True, True], [False] * 5])]


ROWS = [
    LayerCase(
        "MultiheadAttention",
        lambda nn: joined(nn, nn.MultiheadAttention(4, 2), lambda layer, x: layer(x, x, x)),
        normal((3, 2, 4)),
        (3 * 2 * 4 + 2 * 3 * 3,),
        within(*TOGETHER, *OUT),
        "Joined(MultiheadAttention)",
    ),
    LayerCase(
        "MultiheadAttention",
        lambda nn: joined(
            nn,
            nn.MultiheadAttention(
                4, 2, add_bias_kv=True, add_zero_attn=True, kdim=3, vdim=6, batch_first=False
            ),
            lambda layer, q, k, v, mask: layer(q, k, v, mask, average_attn_weights=False),
        ),
        with_padding,
        (3 * 2 * 4 + 2 * 2 * 3 * 7,),
        within(
            "q_proj_weight",
            "k_proj_weight",
            "v_proj_weight",
            "in_proj_bias",
            "bias_k",
            "bias_v",
            *OUT,
        ),
        "Joined(MultiheadAttention)",
    ),
    LayerCase(
        "MultiheadAttention",
        lambda nn: joined(
            nn,
            nn.MultiheadAttention(4, 4, bias=False, batch_first=True),
            lambda layer, x, y, mask: layer(x, y, y, need_weights=False, attn_mask=mask),
        ),
        normal((2, 3, 4), (2, 5, 4), (8, 3, 5)),
        (2 * 3 * 4,),
        within("in_proj_weight", "out_proj.weight"),
        "Joined(MultiheadAttention)",
    ),
]
