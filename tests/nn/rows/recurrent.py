"""Recurrent cells and layers."""

from ..case import LayerCase, normal
from ._joined import joined, within

CELL = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")


def of_cells(*ends: str, bias: bool = True, projected: bool = False) -> tuple[str, ...]:
    names = (*CELL[: 4 if bias else 2], *(("weight_hr",) if projected else ()))
    return within(*(f"{name}_{end}" for end in ends for name in names))


ROWS = [
    LayerCase(
        "RNNCell",
        lambda nn: nn.RNNCell(3, 4),
        normal((2, 3), (2, 4)),
        (2, 4),
        CELL,
        "RNNCell(3, 4)",
    ),
    LayerCase(
        "RNNCell",
        lambda nn: nn.RNNCell(3, 4, bias=False, nonlinearity="relu"),
        normal((3,)),
        (4,),
        CELL[:2],
        "RNNCell(3, 4, bias=False, nonlinearity=relu)",
    ),
    LayerCase(
        "LSTMCell",
        lambda nn: joined(nn, nn.LSTMCell(3, 4), lambda cell, x, h, c: cell(x, (h, c))),
        normal((2, 3), (2, 4), (2, 4)),
        (16,),
        within(*CELL),
        "Joined(LSTMCell(3, 4))",
    ),
    LayerCase(
        "GRUCell",
        lambda nn: nn.GRUCell(3, 4),
        normal((2, 3), (2, 4)),
        (2, 4),
        CELL,
        "GRUCell(3, 4)",
    ),
    LayerCase(
        "RNN",
        lambda nn: joined(nn, nn.RNN(3, 4)),
        normal((5, 2, 3)),
        (5 * 2 * 4 + 2 * 4,),
        of_cells("l0"),
        "Joined(RNN(3, 4))",
    ),
    LayerCase(
        "RNN",
        lambda nn: joined(nn, nn.RNN(3, 4, 2, "relu", bidirectional=True)),
        normal((3, 2, 3), (4, 2, 4)),
        (3 * 2 * 8 + 4 * 2 * 4,),
        of_cells("l0", "l0_reverse", "l1", "l1_reverse"),
        "Joined(RNN(3, 4, num_layers=2, bidirectional=True))",
    ),
    LayerCase(
        "LSTM",
        lambda nn: joined(nn, nn.LSTM(3, 4, 2)),
        normal((5, 2, 3)),
        (5 * 2 * 4 + 2 * (2 * 2 * 4),),
        of_cells("l0", "l1"),
        "Joined(LSTM(3, 4, num_layers=2))",
    ),
    LayerCase(
        "LSTM",
        lambda nn: joined(
            nn,
            nn.LSTM(3, 4, 2, bias=False, batch_first=True, bidirectional=True, proj_size=2),
            lambda lstm, x, h, c: lstm(x, (h, c)),
        ),
        normal((2, 4, 3), (4, 2, 2), (4, 2, 4)),
        (2 * 4 * 4 + 4 * 2 * 2 + 4 * 2 * 4,),
        of_cells("l0", "l0_reverse", "l1", "l1_reverse", bias=False, projected=True),
        "Joined(LSTM(3, 4, proj_size=2, num_layers=2, bias=False, batch_first=True, "
        "bidirectional=True))",
    ),
    LayerCase(
        "GRU",
        lambda nn: joined(nn, nn.GRU(3, 4, bidirectional=True)),
        normal((5, 2, 3)),
        (5 * 2 * 8 + 2 * 2 * 4,),
        of_cells("l0", "l0_reverse"),
        "Joined(GRU(3, 4, bidirectional=True))",
    ),
    LayerCase(
        "GRU",
        lambda nn: joined(nn, nn.GRU(3, 4, bias=False)),
        normal((5, 3), (1, 4)),
        (5 * 4 + 4,),
        of_cells("l0", bias=False),
        "Joined(GRU(3, 4, bias=False))",
    ),
]
