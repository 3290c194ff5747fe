"""Layers that multiply by a matrix."""

from ..case import BOTH, LayerCase, normal

ROWS = [
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
]
