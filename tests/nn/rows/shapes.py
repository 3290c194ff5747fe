"""Layers that only change the shape."""

from ..case import LayerCase, normal

ROWS = [
    LayerCase(
        "Flatten",
        lambda nn: nn.Flatten(),
        normal((2, 3, 4)),
        (2, 12),
        (),
        "Flatten(start_dim=1, end_dim=-1)",
    ),
    LayerCase(
        "Flatten",
        lambda nn: nn.Flatten(0, 1),
        normal((2, 3, 4)),
        (6, 4),
        (),
        "Flatten(start_dim=0, end_dim=1)",
    ),
    LayerCase(
        "Unflatten",
        lambda nn: nn.Unflatten(1, (2, -1, 3)),
        normal((4, 12)),
        (4, 2, 2, 3),
        (),
        "Unflatten(dim=1, unflattened_size=(2, -1, 3))",
    ),
    LayerCase(
        "Unflatten",
        lambda nn: nn.Unflatten(-2, [3, 1]),
        normal((2, 3, 4)),
        (2, 3, 1, 4),
        (),
        "Unflatten(dim=-2, unflattened_size=(3, 1))",
        theirs=lambda nn: nn.Unflatten(-2, (3, 1)),
    ),
]
