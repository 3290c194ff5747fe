"""Layers that leave out at random: here at evaluation, where nothing is random."""

from ..case import LayerCase, normal

SHAPES = {
    "Dropout": (3, 4),
    "Dropout1d": (3, 4),
    "Dropout2d": (2, 3, 4, 2),
    "Dropout3d": (2, 3, 2, 2, 2),
    "AlphaDropout": (3, 4),
    "FeatureAlphaDropout": (2, 3, 4),
}

ROWS = [
    *(
        LayerCase(
            name,
            lambda nn, name=name: getattr(nn, name)(0.25).eval(),
            normal(shape),
            shape,
            (),
            f"{name}(p=0.25, inplace=False)",
        )
        for name, shape in SHAPES.items()
    ),
    LayerCase(
        "VanillaDropout",
        lambda nn: nn.VanillaDropout(0.25).eval(),
        normal((3, 4)),
        (3, 4),
        (),
        "VanillaDropout(p=0.25)",
        theirs=lambda nn: lambda x: 0.75 * x,
    ),
]
