"""Layers that multiply by a matrix, by two, or by none."""

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
    LayerCase(
        "Identity",
        lambda nn: nn.Identity(54, unused=True),
        normal((2, 3)),
        (2, 3),
        (),
        "Identity()",
    ),
    LayerCase(
        "Bilinear",
        lambda nn: nn.Bilinear(3, 4, 2),
        normal((5, 3), (5, 4)),
        (5, 2),
        BOTH,
        "Bilinear(in1_features=3, in2_features=4, out_features=2, bias=True)",
    ),
    LayerCase(
        "Bilinear",
        lambda nn: nn.Bilinear(3, 4, 2, bias=False),
        normal((2, 5, 3), (2, 5, 4)),
        (2, 5, 2),
        ("weight",),
        "Bilinear(in1_features=3, in2_features=4, out_features=2, bias=False)",
    ),
]
