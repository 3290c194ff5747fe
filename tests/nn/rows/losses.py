"""Losses of numbers."""

from ..case import loss, normal

PAIR = normal((3, 4), (3, 4))

ROWS = [
    loss("MSELoss", lambda nn: nn.MSELoss(), PAIR),
    loss("MSELoss", lambda nn: nn.MSELoss(reduction="none"), PAIR, (3, 4)),
    loss("MSELoss", lambda nn: nn.MSELoss(None, None, "sum"), PAIR),
    loss(
        "HalfMSELoss",
        lambda nn: nn.HalfMSELoss(),
        PAIR,
        theirs=lambda nn: lambda x, y: 0.5 * nn.functional.mse_loss(x, y),
    ),
    loss("L1Loss", lambda nn: nn.L1Loss(), PAIR),
    loss("L1Loss", lambda nn: nn.L1Loss(reduction="none"), PAIR, (3, 4)),
    loss("SmoothL1Loss", lambda nn: nn.SmoothL1Loss(), PAIR),
    loss("SmoothL1Loss", lambda nn: nn.SmoothL1Loss(reduction="none", beta=0.5), PAIR, (3, 4)),
    loss("SmoothL1Loss", lambda nn: nn.SmoothL1Loss(beta=0.0), PAIR),
    loss("HuberLoss", lambda nn: nn.HuberLoss(), PAIR),
    loss("HuberLoss", lambda nn: nn.HuberLoss("none", 0.5), PAIR, (3, 4)),
]
