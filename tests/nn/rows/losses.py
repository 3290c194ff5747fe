"""Losses."""

from ..case import LayerCase, classified, normal

ROWS = [
    LayerCase("MSELoss", lambda nn: nn.MSELoss(), normal((3, 4), (3, 4)), (), (), "MSELoss()"),
    LayerCase(
        "MSELoss",
        lambda nn: nn.MSELoss(reduction="none"),
        normal((3, 4), (3, 4)),
        (3, 4),
        (),
        "MSELoss()",
    ),
    LayerCase(
        "CrossEntropyLoss",
        lambda nn: nn.CrossEntropyLoss(),
        classified((4, 3), 3),
        (),
        (),
        "CrossEntropyLoss()",
    ),
    LayerCase(
        "CrossEntropyLoss",
        lambda nn: nn.CrossEntropyLoss(reduction="sum", label_smoothing=0.1, ignore_index=1),
        classified((4, 3, 2), 3),
        (),
        (),
        "CrossEntropyLoss()",
    ),
]
