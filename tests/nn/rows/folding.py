"""Windows as columns."""

from ..case import LayerCase, normal

ROWS = [
    LayerCase(
        "Unfold",
        lambda nn: nn.Unfold(2),
        normal((2, 3, 4, 3)),
        (2, 12, 6),
        (),
        "Unfold(kernel_size=2, dilation=1, padding=0, stride=1)",
    ),
    LayerCase(
        "Unfold",
        lambda nn: nn.Unfold((2, 3), dilation=(1, 2), padding=(1, 2), stride=(2, 1)),
        normal((2, 4, 5)),
        (12, 15),
        (),
        "Unfold(kernel_size=(2, 3), dilation=(1, 2), padding=(1, 2), stride=(2, 1))",
    ),
    LayerCase(
        "Fold",
        lambda nn: nn.Fold((4, 3), 2),
        normal((2, 12, 6)),
        (2, 3, 4, 3),
        (),
        "Fold(output_size=(4, 3), kernel_size=2, dilation=1, padding=0, stride=1)",
    ),
    LayerCase(
        "Fold",
        lambda nn: nn.Fold((4, 5), (2, 3), dilation=(1, 2), padding=(1, 2), stride=(2, 1)),
        normal((12, 15)),
        (2, 4, 5),
        (),
        "Fold(output_size=(4, 5), kernel_size=(2, 3), dilation=(1, 2), padding=(1, "
        "2), stride=(2, 1))",
    ),
]
