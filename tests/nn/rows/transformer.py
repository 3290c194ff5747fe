"""Transformers, small and without dropout."""

from typing import Any

from ..case import LayerCase, normal
from ._joined import joined, within

SMALL: dict[str, Any] = {"dim_feedforward": 5, "dropout": 0.0}
ATTENTION = ("in_proj_weight", "in_proj_bias", "out_proj.weight", "out_proj.bias")
BOTH = ("weight", "bias")
ENCODER = (
    *(f"self_attn.{name}" for name in ATTENTION),
    *(f"{layer}.{name}" for layer in ("linear1", "linear2", "norm1", "norm2") for name in BOTH),
)
DECODER = (
    *ENCODER[:4],
    *(f"multihead_attn.{name}" for name in ATTENTION),
    *ENCODER[4:],
    *(f"norm3.{name}" for name in BOTH),
)


def stacked(where: str, layer: tuple[str, ...], count: int) -> tuple[str, ...]:
    names = [f"layers.{i}.{name}" for i in range(count) for name in layer]
    return tuple(f"{where}{name}" for name in [*names, *(f"norm.{name}" for name in BOTH)])


ROWS = [
    LayerCase(
        "TransformerEncoderLayer",
        lambda nn: joined(nn, nn.TransformerEncoderLayer(4, 2, **SMALL)),
        normal((3, 2, 4)),
        (3 * 2 * 4,),
        within(*ENCODER),
        "Joined(TransformerEncoderLayer)",
    ),
    LayerCase(
        "TransformerEncoderLayer",
        lambda nn: joined(
            nn,
            nn.TransformerEncoderLayer(
                4, 2, activation="gelu", norm_first=True, batch_first=True, bias=False, **SMALL
            ),
        ),
        normal((2, 3, 4), (3, 3)),
        (2 * 3 * 4,),
        within(*(name for name in ENCODER if "bias" not in name)),
        "Joined(TransformerEncoderLayer)",
    ),
    LayerCase(
        "TransformerDecoderLayer",
        lambda nn: joined(nn, nn.TransformerDecoderLayer(4, 2, **SMALL)),
        normal((3, 2, 4), (5, 2, 4), (3, 3), (3, 5)),
        (3 * 2 * 4,),
        within(*DECODER),
        "Joined(TransformerDecoderLayer)",
    ),
    LayerCase(
        "TransformerDecoderLayer",
        lambda nn: joined(nn, nn.TransformerDecoderLayer(4, 2, norm_first=True, **SMALL)),
        normal((3, 4), (5, 4)),
        (3 * 4,),
        within(*DECODER),
        "Joined(TransformerDecoderLayer)",
    ),
    LayerCase(
        "TransformerEncoder",
        lambda nn: joined(
            nn,
            nn.TransformerEncoder(
                nn.TransformerEncoderLayer(4, 2, batch_first=True, **SMALL), 2, nn.LayerNorm(4)
            ),
        ),
        normal((2, 3, 4)),
        (2 * 3 * 4,),
        within(*stacked("", ENCODER, 2)),
        "Joined(TransformerEncoder)",
    ),
    LayerCase(
        "TransformerDecoder",
        lambda nn: joined(
            nn,
            nn.TransformerDecoder(nn.TransformerDecoderLayer(4, 2, **SMALL), 2, nn.LayerNorm(4)),
        ),
        normal((3, 2, 4), (2, 2, 4)),
        (3 * 2 * 4,),
        within(*stacked("", DECODER, 2)),
        "Joined(TransformerDecoder)",
    ),
    LayerCase(
        "Transformer",
        lambda nn: joined(nn, nn.Transformer(4, 2, 1, 1, batch_first=True, **SMALL)),
        normal((2, 3, 4), (2, 5, 4)),
        (2 * 5 * 4,),
        within(*stacked("encoder.", ENCODER, 1), *stacked("decoder.", DECODER, 1)),
        "Joined(Transformer)",
    ),
]
