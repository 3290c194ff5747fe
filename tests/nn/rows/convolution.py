"""Convolutions."""

from ..case import BOTH, LayerCase, normal

ROWS = [
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
]
