"""What recurrent cells do between their products: gates, and the states that these let through.

Gates lie side by side along the last axis, each as wide as the state, in PyTorch's order:
input, forget, new, output for the LSTM; reset, update, new for the GRU. All are sigmoids but the
new state, which is a tanh.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import ShapeError
from ..op import op
from ..versions import Array
from .elementwise import tanh
from .joining import cat
from .products import same_dtype

__all__: list[str] = []  # cells call them; users call the cells

RESET, UPDATE, NEW = range(3)
INPUT, FORGET, CELL, OUTPUT = range(4)


def _gate(x: Any, k: int, gates: int) -> Any:
    """Return gate k of so many."""
    width = x.shape[-1] // gates
    return x[..., k * width : (k + 1) * width]


def _activated(x: Array, new: int, gates: int) -> Array:
    """Return the sigmoid of every gate but the new state, which keeps its x."""
    y = np.negative(x)
    np.exp(y, y)
    y += 1.0
    np.divide(1.0, y, y)
    _gate(y, new, gates)[...] = _gate(x, new, gates)
    return y


def _slope(y: Any, new: int, gates: int) -> Any:
    """Return y (1 - y), the derivative of a sigmoid, and (1 + y) (1 - y), that of the tanh."""
    one = np.zeros(y.shape[-1:], y.dtype)
    _gate(one, new, gates)[...] = 1.0
    return (y + one) * (1.0 - y)


def _check_gates(gates: Array, state: Array, count: int) -> None:
    if gates.shape != (*state.shape[:-1], count * state.shape[-1]):
        raise ShapeError(f"the gates must have the state's shape, the last axis {count} times")
    same_dtype(gates, state)


def _lstm_slope(g: Any, y: Any) -> Any:
    return g * _slope(y, CELL, 4)


@op(vjp=[_lstm_slope], jvp=[_lstm_slope], promotes=True, floats_only=True)
def lstm_gates(x: Array) -> Array:
    """i, f, n, o = σ, σ, tanh, σ of the four parts of x (..., 4 H)."""
    if not x.ndim or x.shape[-1] % 4:
        raise ShapeError("the last axis must hold four gates of one width")
    y = _activated(x, CELL, 4)
    new = _gate(y, CELL, 4)
    np.tanh(new, new)
    return y


def _lstm_cell_gates(g: Any, gates: Any, c: Any) -> Any:
    i, n = _gate(gates, INPUT, 4), _gate(gates, CELL, 4)
    return cat([g * n, g * c, g * i, np.zeros(g.shape, g.dtype)], -1)


def _lstm_cell_push(t: Any, gates: Any, c: Any) -> Any:
    i, n = _gate(gates, INPUT, 4), _gate(gates, CELL, 4)
    return _gate(t, FORGET, 4) * c + _gate(t, INPUT, 4) * n + i * _gate(t, CELL, 4)


@op(
    vjp=[_lstm_cell_gates, lambda g, gates: g * _gate(gates, FORGET, 4)],
    jvp=[_lstm_cell_push, lambda t, gates: t * _gate(gates, FORGET, 4)],
)
def lstm_cell(gates: Array, c: Array) -> Array:
    """The next cell state, f c + i n: gates (..., 4 H), c (..., H)."""
    _check_gates(gates, c, 4)
    y = _gate(gates, FORGET, 4) * c
    y += _gate(gates, INPUT, 4) * _gate(gates, CELL, 4)
    return y


def _lstm_hidden_gates(g: Any, c: Any) -> Any:
    return cat([np.zeros((*c.shape[:-1], 3 * c.shape[-1]), g.dtype), g * tanh(c)], -1)


def _lstm_hidden_cell(g: Any, gates: Any, c: Any) -> Any:
    squashed = tanh(c)
    return g * (_gate(gates, OUTPUT, 4) * (1.0 - squashed * squashed))


@op(
    vjp=[_lstm_hidden_gates, _lstm_hidden_cell],
    jvp=[lambda t, c: _gate(t, OUTPUT, 4) * tanh(c), _lstm_hidden_cell],
)
def lstm_hidden(gates: Array, c: Array) -> Array:
    """The hidden state, o tanh(c): gates (..., 4 H), c (..., H)."""
    _check_gates(gates, c, 4)
    y = np.tanh(c)
    y *= _gate(gates, OUTPUT, 4)
    return y


def _gru_pull(g: Any, y: Any, a: Any) -> tuple[Any, Any, Any]:
    """Return the cotangents of what the sigmoids and the tanh were taken of."""
    p = g * _slope(y, NEW, 3)
    r, new = _gate(y, RESET, 3), _gate(p, NEW, 3)
    through_reset = new * _gate(a, NEW, 3) * (r * (1.0 - r))
    return _gate(p, RESET, 3) + through_reset, _gate(p, UPDATE, 3), new


def _gru_pull_a(g: Any, y: Any, a: Any) -> Any:
    reset, update, new = _gru_pull(g, y, a)
    return cat([reset, update, new * _gate(y, RESET, 3)], -1)


def _gru_push(t: Any, new: Any, y: Any, a: Any) -> Any:
    """Push t through the sigmoids, and through the tanh of which `new` is the own tangent."""
    slope = _slope(y, NEW, 3)
    p = t * slope
    reset = _gate(p, RESET, 3)
    new = (new + reset * _gate(a, NEW, 3)) * _gate(slope, NEW, 3)
    return cat([reset, _gate(p, UPDATE, 3), new], -1)


@op(
    vjp=[lambda g, y, a: cat(list(_gru_pull(g, y, a)), -1), _gru_pull_a],
    jvp=[
        lambda t, y, a: _gru_push(t, _gate(t, NEW, 3), y, a),
        lambda t, y, a: _gru_push(t, _gate(t, NEW, 3) * _gate(y, RESET, 3), y, a),
    ],
)
def gru_gates(x: Array, a: Array) -> Array:
    """r = σ(x_r + a_r), z = σ(x_z + a_z), n = tanh(x_n + r a_n).

    x (..., 3 H) comes from the input and a (..., 3 H) from the last hidden state.
    """
    if not x.ndim or x.shape[-1] % 3 or x.shape != a.shape:
        raise ShapeError("both must have one shape, whose last axis holds three gates of one width")
    same_dtype(x, a)
    y = _activated(x + a, NEW, 3)
    new = np.multiply(_gate(y, RESET, 3), _gate(a, NEW, 3))
    new += _gate(x, NEW, 3)
    np.tanh(new, _gate(y, NEW, 3))
    return y


def _gru_hidden_gates(g: Any, gates: Any, h: Any) -> Any:
    update, new = _gate(gates, UPDATE, 3), _gate(gates, NEW, 3)
    return cat([np.zeros(g.shape, g.dtype), g * (h - new), g * (1.0 - update)], -1)


def _gru_hidden_push(t: Any, gates: Any, h: Any) -> Any:
    update, new = _gate(gates, UPDATE, 3), _gate(gates, NEW, 3)
    return _gate(t, UPDATE, 3) * (h - new) + _gate(t, NEW, 3) * (1.0 - update)


@op(
    vjp=[_gru_hidden_gates, lambda g, gates: g * _gate(gates, UPDATE, 3)],
    jvp=[_gru_hidden_push, lambda t, gates: t * _gate(gates, UPDATE, 3)],
)
def gru_hidden(gates: Array, h: Array) -> Array:
    """The next hidden state, (1 - z) n + z h: gates (..., 3 H), h (..., H)."""
    _check_gates(gates, h, 3)
    new = _gate(gates, NEW, 3)
    y = h - new
    y *= _gate(gates, UPDATE, 3)
    y += new
    return y
