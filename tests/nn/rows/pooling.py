"""Poolings."""

import numpy as np

from ..case import Inputs, LayerCase, normal


def found(shape: tuple[int, ...], size: int) -> Inputs:
    """Numbers of this shape, and different places for them among `size` for each channel."""

    def draw(rng: np.random.Generator) -> list[np.ndarray]:
        count = int(np.prod(shape[2:]))
        places = [rng.permutation(size)[:count] for _ in range(shape[0] * shape[1])]
        return [rng.normal(size=shape), np.reshape(places, shape)]

    return draw


ROWS = [
    LayerCase(
        "MaxPool1d",
        lambda nn: nn.MaxPool1d(3),
        normal((2, 3, 7)),
        (2, 3, 2),
        (),
        "MaxPool1d(kernel_size=3, stride=3, padding=0, dilation=1, ceil_mode=False)",
    ),
    LayerCase(
        "MaxPool1d",
        lambda nn: nn.MaxPool1d(2, stride=1, padding=1, dilation=2),
        normal((3, 6)),
        (3, 6),
        (),
        "MaxPool1d(kernel_size=2, stride=1, padding=1, dilation=2, ceil_mode=False)",
    ),
    LayerCase(
        "MaxPool2d",
        lambda nn: nn.MaxPool2d((3, 2), stride=2, padding=1, ceil_mode=True),
        normal((2, 2, 5, 6)),
        (2, 2, 3, 4),
        (),
        "MaxPool2d(kernel_size=(3, 2), stride=2, padding=1, dilation=1, ceil_mode=True)",
    ),
    LayerCase(
        "MaxPool2d",
        lambda nn: nn.MaxPool2d(2),
        normal((3, 4, 4)),
        (3, 2, 2),
        (),
        "MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)",
    ),
    LayerCase(
        "MaxPool3d",
        lambda nn: nn.MaxPool3d((1, 2, 3), stride=(1, 2, 1)),
        normal((2, 2, 2, 4, 3)),
        (2, 2, 2, 2, 1),
        (),
        "MaxPool3d(kernel_size=(1, 2, 3), stride=(1, 2, 1), padding=0, dilation=1, "
        "ceil_mode=False)",
    ),
    LayerCase(
        "AvgPool1d",
        lambda nn: nn.AvgPool1d(3, stride=2, padding=1),
        normal((2, 3, 6)),
        (2, 3, 3),
        (),
        "AvgPool1d(kernel_size=(3,), stride=(2,), padding=(1,))",
    ),
    LayerCase(
        "AvgPool2d",
        lambda nn: nn.AvgPool2d(2),
        normal((2, 3, 4, 5)),
        (2, 3, 2, 2),
        (),
        "AvgPool2d(kernel_size=2, stride=2, padding=0)",
    ),
    LayerCase(
        "AvgPool2d",
        lambda nn: nn.AvgPool2d((3, 2), 2, 1, ceil_mode=True, count_include_pad=False),
        normal((2, 2, 5, 4)),
        (2, 2, 3, 3),
        (),
        "AvgPool2d(kernel_size=(3, 2), stride=2, padding=1)",
    ),
    LayerCase(
        "AvgPool2d",
        lambda nn: nn.AvgPool2d(3, 1, 1),
        normal((2, 4, 3)),
        (2, 4, 3),
        (),
        "AvgPool2d(kernel_size=3, stride=1, padding=1)",
    ),
    LayerCase(
        "AvgPool3d",
        lambda nn: nn.AvgPool3d(2, 1, divisor_override=3),
        normal((1, 2, 3, 3, 2)),
        (1, 2, 2, 2, 1),
        (),
        "AvgPool3d(kernel_size=2, stride=1, padding=0)",
    ),
    LayerCase(
        "LPPool1d",
        lambda nn: nn.LPPool1d(2, 3, stride=2),
        normal((2, 3, 7)),
        (2, 3, 3),
        (),
        "LPPool1d(norm_type=2, kernel_size=3, stride=2, ceil_mode=False)",
    ),
    LayerCase(
        "LPPool2d",
        lambda nn: nn.LPPool2d(2, (2, 3), ceil_mode=True),
        normal((2, 3, 5, 4)),
        (2, 3, 3, 2),
        (),
        "LPPool2d(norm_type=2, kernel_size=(2, 3), stride=None, ceil_mode=True)",
    ),
    LayerCase(
        "LPPool3d",
        lambda nn: nn.LPPool3d(2, 2),
        normal((1, 2, 2, 4, 3)),
        (1, 2, 1, 2, 1),
        (),
        "LPPool3d(norm_type=2, kernel_size=2, stride=None, ceil_mode=False)",
    ),
    LayerCase(
        "AdaptiveAvgPool1d",
        lambda nn: nn.AdaptiveAvgPool1d(3),
        normal((2, 3, 7)),
        (2, 3, 3),
        (),
        "AdaptiveAvgPool1d(output_size=3)",
    ),
    LayerCase(
        "AdaptiveAvgPool2d",
        lambda nn: nn.AdaptiveAvgPool2d((2, None)),
        normal((2, 3, 5, 3)),
        (2, 3, 2, 3),
        (),
        "AdaptiveAvgPool2d(output_size=(2, None))",
    ),
    LayerCase(
        "AdaptiveAvgPool2d",
        lambda nn: nn.AdaptiveAvgPool2d(1),
        normal((2, 3, 4, 5)),
        (2, 3, 1, 1),
        (),
        "AdaptiveAvgPool2d(output_size=1)",
    ),
    LayerCase(
        "AdaptiveAvgPool3d",
        lambda nn: nn.AdaptiveAvgPool3d((1, 2, 3)),
        normal((1, 2, 3, 4, 3)),
        (1, 2, 1, 2, 3),
        (),
        "AdaptiveAvgPool3d(output_size=(1, 2, 3))",
    ),
    LayerCase(
        "AdaptiveMaxPool1d",
        lambda nn: nn.AdaptiveMaxPool1d(3),
        normal((2, 3, 7)),
        (2, 3, 3),
        (),
        "AdaptiveMaxPool1d(output_size=3)",
    ),
    LayerCase(
        "AdaptiveMaxPool2d",
        lambda nn: nn.AdaptiveMaxPool2d((3, 2)),
        normal((2, 3, 6, 4)),
        (2, 3, 3, 2),
        (),
        "AdaptiveMaxPool2d(output_size=(3, 2))",
    ),
    LayerCase(
        "AdaptiveMaxPool3d",
        lambda nn: nn.AdaptiveMaxPool3d(2),
        normal((1, 2, 3, 4, 3)),
        (1, 2, 2, 2, 2),
        (),
        "AdaptiveMaxPool3d(output_size=2)",
    ),
    LayerCase(
        "MaxUnpool1d",
        lambda nn: nn.MaxUnpool1d(2),
        found((2, 3, 3), 6),
        (2, 3, 6),
        (),
        "MaxUnpool1d(kernel_size=(2,), stride=(2,), padding=(0,))",
    ),
    LayerCase(
        "MaxUnpool2d",
        lambda nn: nn.MaxUnpool2d((3, 2), stride=2, padding=(1, 0)),
        found((2, 2, 3, 2), 20),
        (2, 2, 5, 4),
        (),
        "MaxUnpool2d(kernel_size=(3, 2), stride=(2, 2), padding=(1, 0))",
    ),
    LayerCase(
        "MaxUnpool3d",
        lambda nn: nn.MaxUnpool3d(2),
        found((1, 2, 1, 2, 1), 16),
        (1, 2, 2, 4, 2),
        (),
        "MaxUnpool3d(kernel_size=(2, 2, 2), stride=(2, 2, 2), padding=(0, 0, 0))",
    ),
]
