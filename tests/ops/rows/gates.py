"""Rows of the ops inside recurrent cells."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.ops.case import Array, OpCase


def _sigmoid(x: Array) -> Array:
    return 1.0 / (1.0 + np.exp(-x))


def _lstm_gates(x: Array) -> Array:
    i, f, n, o = np.split(x, 4, -1)
    return np.concatenate([_sigmoid(i), _sigmoid(f), np.tanh(n), _sigmoid(o)], -1)


def _lstm_cell(gates: Array, c: Array) -> Array:
    i, f, n, _ = np.split(gates, 4, -1)
    return f * c + i * n


def _gru_gates(x: Array, a: Array) -> Array:
    (x_r, x_z, x_n), (a_r, a_z, a_n) = np.split(x, 3, -1), np.split(a, 3, -1)
    r, z = _sigmoid(x_r + a_r), _sigmoid(x_z + a_z)
    return np.concatenate([r, z, np.tanh(x_n + r * a_n)], -1)


def _gru_hidden(gates: Array, h: Array) -> Array:
    _, z, n = np.split(gates, 3, -1)
    return (1.0 - z) * n + z * h


def _torch_lstm_gates(torch: Any, x: Any) -> Any:
    i, f, n, o = x.chunk(4, -1)
    return torch.cat([i.sigmoid(), f.sigmoid(), n.tanh(), o.sigmoid()], -1)


def _torch_gru_gates(torch: Any, x: Any, a: Any) -> Any:
    (x_r, x_z, x_n), (a_r, a_z, a_n) = x.chunk(3, -1), a.chunk(3, -1)
    r = (x_r + a_r).sigmoid()
    return torch.cat([r, (x_z + a_z).sigmoid(), (x_n + r * a_n).tanh()], -1)


CASES = [
    OpCase("lstm_gates", ((2, 8),), reference=_lstm_gates, torch=_torch_lstm_gates,
           wrong=((2, 6),)),
    OpCase("lstm_cell", ((2, 12), (2, 3)), reference=_lstm_cell, torch=None,
           wrong=((2, 12), (2, 4))),
    OpCase("lstm_hidden", ((2, 8), (2, 2)), wrong=((2, 8), (1, 2)), torch=None,
           reference=lambda gates, c: np.split(gates, 4, -1)[3] * np.tanh(c)),
    OpCase("gru_gates", ((2, 6), (2, 6)), reference=_gru_gates, torch=_torch_gru_gates,
           wrong=((2, 6), (2, 9))),
    OpCase("gru_hidden", ((2, 9), (2, 3)), reference=_gru_hidden, torch=None,
           wrong=((2, 9), (2, 9))),
]  # fmt: skip
