"""Layers with their ReLU."""

from ..case import BOTH, LayerCase, normal

INNER = tuple(f"0.{name}" for name in BOTH)

ROWS = [
    LayerCase(
        "LinearReLU",
        lambda nn: nn.LinearReLU(nn.Linear(4, 3), nn.ReLU()),
        normal((5, 4)),
        (5, 3),
        INNER,
        "LinearReLU(\n  (0): Linear(in_features=4, out_features=3, bias=True)\n  (1): ReLU()\n)",
        theirs=lambda nn: nn.Sequential(nn.Linear(4, 3), nn.ReLU()),
    ),
    LayerCase(
        "ConvReLU1d",
        lambda nn: nn.ConvReLU1d(nn.Conv1d(2, 3, 3), nn.ReLU()),
        normal((2, 2, 5)),
        (2, 3, 3),
        INNER,
        "ConvReLU1d(\n  (0): Conv1d(2, 3, kernel_size=(3,), stride=(1,))\n  (1): ReLU()\n)",
        theirs=lambda nn: nn.Sequential(nn.Conv1d(2, 3, 3), nn.ReLU()),
    ),
    LayerCase(
        "ConvReLU2d",
        lambda nn: nn.ConvReLU2d(
            nn.Conv2d(2, 3, 3, stride=2, padding=1, padding_mode="circular"), nn.ReLU()
        ),
        normal((2, 2, 5, 4)),
        (2, 3, 3, 2),
        INNER,
        "ConvReLU2d(\n  (0): Conv2d(2, 3, kernel_size=(3, 3), stride=(2, 2), padding=(1, 1), "
        "padding_mode=circular)\n  (1): ReLU()\n)",
        theirs=lambda nn: nn.Sequential(
            nn.Conv2d(2, 3, 3, stride=2, padding=1, padding_mode="circular"), nn.ReLU()
        ),
    ),
    LayerCase(
        "ConvReLU3d",
        lambda nn: nn.ConvReLU3d(nn.Conv3d(1, 2, 2, bias=False), nn.ReLU(inplace=True)),
        normal((2, 1, 3, 3, 3)),
        (2, 2, 2, 2, 2),
        ("0.weight",),
        "ConvReLU3d(\n  (0): Conv3d(1, 2, kernel_size=(2, 2, 2), stride=(1, 1, 1), bias=False)\n"
        "  (1): ReLU(inplace=True)\n)",
        theirs=lambda nn: nn.Sequential(nn.Conv3d(1, 2, 2, bias=False), nn.ReLU(inplace=True)),
    ),
]
