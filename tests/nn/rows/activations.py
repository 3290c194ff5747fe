"""Elementwise nonlinearities."""

from ..case import LayerCase, normal

ROWS = [
    LayerCase("ReLU", lambda nn: nn.ReLU(), normal((3, 4)), (3, 4), (), "ReLU()"),
    LayerCase(
        "Flatten",
        lambda nn: nn.Flatten(),
        normal((2, 3, 4)),
        (2, 12),
        (),
        "Flatten(start_dim=1, end_dim=-1)",
    ),
]
