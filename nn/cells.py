"""Recurrent cells: one step in time. The layers in recurrent.py make the same steps."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from autograd_core import Generator, ShapeError, Tensor, ops
from autograd_core.ops.gates import gru_gates, gru_hidden, lstm_cell, lstm_gates, lstm_hidden

from . import init
from .module import Module
from .parameter import Parameter, unset

State = tuple[Tensor, ...]  # h, or h and c


class Weights(NamedTuple):
    """The parameters of one cell: of the input, of the hidden state, and of the projection."""

    ih: Parameter
    hh: Parameter
    bias_ih: Parameter | None = None
    bias_hh: Parameter | None = None
    hr: Parameter | None = None


class Kind(NamedTuple):
    """How a cell steps: step(what the input adds to the gates, last state, weights)."""

    gates: int
    states: int
    step: Callable[[Tensor, State, Weights], State]
    one_bias: bool = True  # the two biases only ever occur as their sum

    def inputs(self, x: Tensor, w: Weights) -> Tensor:
        """What inputs add to the gates; this part has no history, so it is done for all at once."""
        bias = w.bias_ih
        if self.one_bias and bias is not None:
            bias = bias + w.bias_hh
        return ops.linear(x, w.ih, bias)


def _tanh_step(x: Tensor, state: State, w: Weights) -> State:
    return (ops.tanh(x + ops.linear(state[0], w.hh)),)


def _relu_step(x: Tensor, state: State, w: Weights) -> State:
    return (ops.relu(x + ops.linear(state[0], w.hh)),)


def _lstm_step(x: Tensor, state: State, w: Weights) -> State:
    h, c = state
    gates = lstm_gates(x + ops.linear(h, w.hh))
    c = lstm_cell(gates, c)
    h = lstm_hidden(gates, c)
    return (h if w.hr is None else ops.linear(h, w.hr)), c


def _gru_step(x: Tensor, state: State, w: Weights) -> State:
    gates = gru_gates(x, ops.linear(state[0], w.hh, w.bias_hh))
    return (gru_hidden(gates, state[0]),)


KINDS = {
    "RNN_TANH": Kind(1, 1, _tanh_step),
    "RNN_RELU": Kind(1, 1, _relu_step),
    "LSTM": Kind(4, 2, _lstm_step),
    "GRU": Kind(3, 1, _gru_step, one_bias=False),
}


def rnn_mode(who: str, nonlinearity: str) -> str:
    """Return the kind of a plain recurrent cell."""
    if nonlinearity not in ("tanh", "relu"):
        raise ValueError(f"{who} got nonlinearity={nonlinearity!r}: it must be 'tanh' or 'relu'")
    return f"RNN_{nonlinearity.upper()}"


def check_sizes(who: str, **sizes: int) -> None:
    """Raise where a size of a layer is not a positive whole number."""
    for name, size in sizes.items():
        if not isinstance(size, int) or isinstance(size, bool):
            raise TypeError(f"{who} got {name}={size!r}: it must be an int")
        if size < 1:
            raise ValueError(f"{who} got {name}={size}: it must be at least 1")


def as_states(hx: Any, count: int) -> State:
    """Return what was given as the first state as a tuple of that many tensors."""
    given: tuple[Any, ...] = (hx,) if count == 1 else tuple(hx) if _sequence(hx) else ()
    if len(given) != count or not all(isinstance(x, Tensor) for x in given):
        needed = "a tensor" if count == 1 else "two tensors, (h_0, c_0)"
        got = f"{len(hx)} of them" if _sequence(hx) else f"a {type(hx).__name__}"
        raise TypeError(f"the first state must be {needed}, not {got}")
    return given


def _sequence(hx: Any) -> bool:
    return isinstance(hx, (tuple, list))


class _Cell(Module):
    """What all cells share: the parameters, and one step."""

    mode: str

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        generator: Generator | None = None,
    ) -> None:
        super().__init__()
        check_sizes(type(self).__name__, input_size=input_size, hidden_size=hidden_size)
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.bias = bias
        wide = KINDS[self.mode].gates * hidden_size
        self.weight_ih = unset((wide, input_size), device, dtype)
        self.weight_hh = unset((wide, hidden_size), device, dtype)
        self.bias_ih = unset((wide,), device, dtype) if bias else None
        self.bias_hh = unset((wide,), device, dtype) if bias else None
        self.reset_parameters(generator)

    def reset_parameters(self, generator: Generator | None = None) -> None:
        """Draw all parameters uniformly from ±1/√hidden_size."""
        bound = 1.0 / math.sqrt(self.hidden_size)
        for parameter in self.parameters():
            init.uniform_(parameter, -bound, bound, generator)

    def _step(self, x: Tensor, hx: Any) -> State:
        shape, kind = tuple(x.shape), KINDS[self.mode]
        if len(shape) not in (1, 2) or shape[-1] != self.input_size:
            n = self.input_size
            raise ShapeError(f"got input of shape {shape}: it must be (N, {n}) or ({n})")
        wanted = (*shape[:-1], self.hidden_size)
        zero = x.new_zeros(wanted)
        state = (zero,) * kind.states if hx is None else as_states(hx, kind.states)
        for part in state:
            if tuple(part.shape) != wanted:
                got = f"got input of shape {shape} and a state of shape {tuple(part.shape)}"
                raise ShapeError(f"{got}: the state must be {wanted}")
        w = Weights(self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh)
        return kind.step(kind.inputs(x, w), state, w)

    def extra_repr(self) -> str:
        bias = "" if self.bias else ", bias=False"
        return f"{self.input_size}, {self.hidden_size}{bias}"


class RNNCell(_Cell):
    """h' = tanh(W_ih x + b_ih + W_hh h + b_hh), or relu.

    x (N, input_size) and h (N, hidden_size), or both without N; h is zero by default.
    """

    mode = "RNN_TANH"  # or "RNN_RELU", with the same parameters

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: str = "tanh",
        device: Any = None,
        dtype: Any = None,
        *,
        generator: Generator | None = None,
    ) -> None:
        mode = rnn_mode("RNNCell", nonlinearity)
        super().__init__(input_size, hidden_size, bias, device, dtype, generator=generator)
        self.mode = mode
        self.nonlinearity = nonlinearity

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        return self._step(input, hx)[0]

    def extra_repr(self) -> str:
        other = "" if self.nonlinearity == "tanh" else f", nonlinearity={self.nonlinearity}"
        return super().extra_repr() + other


class LSTMCell(_Cell):
    """c' = f c + i n and h' = o tanh(c'), with gates i, f, n, o = σ, σ, tanh, σ of W [x, h] + b.

    x (N, input_size), h and c (N, hidden_size), or all without N; returns (h', c').
    Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000.
    """

    mode = "LSTM"

    def forward(
        self, input: Tensor, hx: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor, Tensor]:
        h, c = self._step(input, hx)
        return h, c


class GRUCell(_Cell):
    """h' = (1 - z) n + z h, where n = tanh(W_n x + b_n + r (U_n h + c_n)).

    The gates r and z are σ(W x + b + U h + c), each with its own W, b, U and c. x (N, input_size)
    and h (N, hidden_size), or both without N; h is zero by default. Cho et al. 2014, but with the
    reset gate after the product, as PyTorch has it.
    """

    mode = "GRU"

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        return self._step(input, hx)[0]
