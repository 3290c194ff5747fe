"""Recurrent layers: cells stepping through a sequence, in layers and in both directions."""

from __future__ import annotations

import math
import warnings
from typing import Any

import autograd_core as ag
from autograd_core import Generator, ShapeError, Tensor

from . import functional as F
from . import init
from .cells import KINDS, Kind, State, Weights, as_states, check_sizes, rnn_mode
from .module import Module
from .parameter import unset
from .utils.rnn import PackedSequence


def scan(kind: Kind, steps: list[Tensor], first: State, w: Weights) -> tuple[list[Tensor], State]:
    """Step through time; return the hidden state of every step, and each sequence's last state.

    steps[t] (N_t, gates) is what the input adds. N_t may fall, when short sequences end and are
    put aside, or grow, when these are read backwards: each begins with its row of `first`.
    """
    state = tuple(part[: steps[0].shape[0]] for part in first)
    outputs: list[Tensor] = []
    ended: list[State] = []
    for x in steps:
        n, running = x.shape[0], state[0].shape[0]
        if n < running:
            ended.append(tuple(part[n:] for part in state))
            state = tuple(part[:n] for part in state)
        elif n > running:
            begun = [part[running:n] for part in first]
            state = tuple(ag.cat(pair) for pair in zip(state, begun, strict=True))
        state = kind.step(x, state, w)
        outputs.append(state[0])
    if ended:
        state = tuple(ag.cat(parts) for parts in zip(state, *reversed(ended), strict=True))
    return outputs, state


class _Recurrent(Module):
    """What all recurrent layers share."""

    def __init__(
        self,
        mode: str,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: Any = None,
        *,
        generator: Generator | None = None,
    ) -> None:
        super().__init__()
        self.mode = mode
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bias = bias
        self.batch_first = batch_first
        self.dropout = dropout
        self.bidirectional = bidirectional
        self.proj_size = proj_size
        self._check()
        for layer, suffix in self._cells():
            for name, shape in self._shapes(layer):
                setattr(self, f"{name}_l{layer}{suffix}", unset(shape, device, dtype))
        self.reset_parameters(generator)

    def _check(self) -> None:
        who = type(self).__name__
        check_sizes(
            who,
            input_size=self.input_size,
            hidden_size=self.hidden_size,
            num_layers=self.num_layers,
        )
        for name in ("bias", "batch_first"):
            if not isinstance(getattr(self, name), bool):
                raise TypeError(f"{who} got {name}={getattr(self, name)!r}: it must be a bool")
        if isinstance(self.dropout, bool) or not 0 <= self.dropout <= 1:
            raise ValueError(f"{who} got dropout={self.dropout}: it must be in [0, 1]")
        if not 0 <= self.proj_size < self.hidden_size:
            raise ValueError(
                f"{who} got proj_size={self.proj_size}: it must be at least 0 and "
                f"below hidden_size={self.hidden_size}"
            )
        if self.dropout and self.num_layers == 1:
            warnings.warn(
                f"{who} got dropout={self.dropout} and num_layers=1: dropout stands between "
                "layers, so it does nothing here",
                stacklevel=4,
            )

    def _cells(self) -> list[tuple[int, str]]:
        """Return the layer and the suffix of each cell, in the order of the first states."""
        suffixes = ("", "_reverse") if self.bidirectional else ("",)
        return [(layer, suffix) for layer in range(self.num_layers) for suffix in suffixes]

    def _shapes(self, layer: int) -> list[tuple[str, tuple[int, ...]]]:
        """Return the names and shapes of the parameters of one cell, in order."""
        wide, out = KINDS[self.mode].gates * self.hidden_size, self.proj_size or self.hidden_size
        inputs = out * (2 if self.bidirectional else 1) if layer else self.input_size
        shapes: list[tuple[str, tuple[int, ...]]] = [
            ("weight_ih", (wide, inputs)),
            ("weight_hh", (wide, out)),
        ]
        if self.bias:
            shapes += [("bias_ih", (wide,)), ("bias_hh", (wide,))]
        if self.proj_size:
            shapes += [("weight_hr", (self.proj_size, self.hidden_size))]
        return shapes

    def _names(self, layer: int, suffix: str) -> list[str]:
        return [f"{name}_l{layer}{suffix}" for name, _ in self._shapes(layer)]

    @property
    def all_weights(self) -> list[list[Tensor]]:
        """The parameters of each cell: layer by layer, forwards before backwards."""
        return [[getattr(self, name) for name in self._names(*cell)] for cell in self._cells()]

    def flatten_parameters(self) -> None:
        """Do nothing: the parameters need not lie one after the other."""

    def reset_parameters(self, generator: Generator | None = None) -> None:
        """Draw all parameters uniformly from ±1/√hidden_size."""
        bound = 1.0 / math.sqrt(self.hidden_size)
        for parameter in self.parameters():
            init.uniform_(parameter, -bound, bound, generator)

    def _weights(self, layer: int, suffix: str) -> Weights:
        end = f"_l{layer}{suffix}"
        names = [name for name, _ in self._shapes(layer)]
        found = {name: getattr(self, name + end) for name in names}
        return Weights(**{name.removeprefix("weight_"): p for name, p in found.items()})

    def _forward(self, input: Tensor | PackedSequence, hx: Any) -> tuple[Any, State]:
        if isinstance(input, PackedSequence):
            return self._packed(input, hx)
        shape, batched = tuple(input.shape), input.ndim == 3
        self._check_input(shape, (2, 3))
        x = input if batched else input.unsqueeze(1)
        if batched and self.batch_first:
            x = x.transpose(0, 1)
        if not x.shape[0]:
            raise ShapeError(f"got input of shape {shape}: it needs at least one time step")
        first = self._first(x, x.shape[1], hx, batched)
        y, last = self._layers(x, None, first)
        if not batched:
            return y.squeeze(1), tuple(part.squeeze(1) for part in last)
        return y.transpose(0, 1) if self.batch_first else y, last

    def _packed(self, input: PackedSequence, hx: Any) -> tuple[PackedSequence, State]:
        data, order, back = input.data, input.sorted_indices, input.unsorted_indices
        self._check_input(tuple(data.shape), (2,))
        sizes = input.batch_sizes.tolist()
        first = self._first(data, sizes[0], hx, True)
        if order is not None and hx is not None:
            first = tuple(part.index_select(1, order) for part in first)
        y, last = self._layers(data, sizes, first)
        if back is not None:
            last = tuple(part.index_select(1, back) for part in last)
        return PackedSequence(y, *input[1:]), last

    def _layers(self, x: Tensor, sizes: list[int] | None, first: State) -> tuple[Tensor, State]:
        """Run all layers on x (T, N, features), or on rows (rows, features) with their sizes."""
        kind, cells = KINDS[self.mode], self._cells()
        lasts: list[State] = []
        directions = len(cells) // self.num_layers
        firsts = list(zip(*(part.unbind(0) for part in first), strict=True))
        for layer in range(self.num_layers):
            if layer and self.dropout:
                x = F.dropout(x, self.dropout, self.training)
            outputs: list[Tensor] = []
            for k in range(layer * directions, (layer + 1) * directions):
                w = self._weights(*cells[k])
                steps = list(_cut(kind.inputs(x, w), sizes))
                backwards = k % directions == 1
                ys, last = scan(kind, steps[::-1] if backwards else steps, firsts[k], w)
                outputs.append(_join(ys[::-1] if backwards else ys, sizes))
                lasts.append(last)
            x = outputs[0] if directions == 1 else ag.cat(outputs, -1)
        return x, tuple(ag.stack(parts) for parts in zip(*lasts, strict=True))

    def _first(self, x: Tensor, n: int, hx: Any, batched: bool) -> State:
        """Return the first states as (cells, N, size) each; zeros where none are given."""
        cells, kind = len(self._cells()), KINDS[self.mode]
        sizes = (self.proj_size or self.hidden_size, self.hidden_size)[: kind.states]
        if hx is None:
            return tuple(x.new_zeros((cells, n, size)) for size in sizes)
        given = as_states(hx, kind.states)
        for part, size in zip(given, sizes, strict=True):
            wanted = (cells, n, size) if batched else (cells, size)
            if tuple(part.shape) != wanted:
                raise ShapeError(
                    f"got a first state of shape {tuple(part.shape)}: "
                    f"with this input it must be {wanted}"
                )
        return given if batched else tuple(part.unsqueeze(1) for part in given)

    def _check_input(self, shape: tuple[int, ...], axes: tuple[int, ...]) -> None:
        if len(shape) not in axes:
            order = "(N, T, features)" if self.batch_first else "(T, N, features)"
            needed = f"{order} or (T, features)" if 3 in axes else "packed rows (rows, features)"
            raise ShapeError(f"got input of shape {shape}: it must be {needed}")
        if shape[-1] != self.input_size:
            raise ShapeError(f"got input of shape {shape}: its last axis must be {self.input_size}")

    def extra_repr(self) -> str:
        usual = (
            ("proj_size", 0),
            ("num_layers", 1),
            ("bias", True),
            ("batch_first", False),
            ("dropout", 0),
            ("bidirectional", False),
        )
        parts = [f"{name}={getattr(self, name)}" for name, x in usual if getattr(self, name) != x]
        return ", ".join([str(self.input_size), str(self.hidden_size), *parts])


def _cut(x: Tensor, sizes: list[int] | None) -> tuple[Tensor, ...]:
    """Cut into time steps."""
    return ag.unbind(x) if sizes is None else ag.split(x, sizes)


def _join(steps: list[Tensor], sizes: list[int] | None) -> Tensor:
    """Undo `_cut`."""
    return ag.stack(steps) if sizes is None else ag.cat(steps)


class RNN(_Recurrent):
    """h_t = tanh(W_ih x_t + b_ih + W_hh h_{t-1} + b_hh), or relu, in `num_layers` layers.

    x (T, N, input_size), or (N, T, input_size) with batch_first, or without N, or packed, and h_0
    (layers · directions, N, hidden_size), by default 0. Returns every h_t of the last layer
    (T, N, directions · hidden_size) and the last h of every layer and direction. Elman 1990.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: Any = None,
        dtype: Any = None,
        *,
        generator: Generator | None = None,
    ) -> None:
        super().__init__(
            rnn_mode("RNN", nonlinearity), input_size, hidden_size, num_layers, bias, batch_first,
            dropout, bidirectional, 0, device, dtype, generator=generator,
        )  # fmt: skip
        self.nonlinearity = nonlinearity

    def forward(self, input: Any, hx: Tensor | None = None) -> tuple[Any, Tensor]:
        y, (h,) = self._forward(input, hx)
        return y, h


class LSTM(_Recurrent):
    """c_t = f c_{t-1} + i n and h_t = o tanh(c_t), as in LSTMCell, in `num_layers` layers.

    Shapes are those of RNN; the state is (h, c). With proj_size the hidden state is W_hr h_t,
    of that size. Hochreiter and Schmidhuber 1997; projections: Sak et al. 2014.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: Any = None,
        *,
        generator: Generator | None = None,
    ) -> None:
        super().__init__(
            "LSTM", input_size, hidden_size, num_layers, bias, batch_first,
            dropout, bidirectional, proj_size, device, dtype, generator=generator,
        )  # fmt: skip

    def forward(
        self, input: Any, hx: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Any, tuple[Tensor, Tensor]]:
        y, (h, c) = self._forward(input, hx)
        return y, (h, c)


class GRU(_Recurrent):
    """h_t = (1 - z) n + z h_{t-1}, as in GRUCell, in `num_layers` layers; shapes as in RNN."""

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: Any = None,
        dtype: Any = None,
        *,
        generator: Generator | None = None,
    ) -> None:
        super().__init__(
            "GRU", input_size, hidden_size, num_layers, bias, batch_first,
            dropout, bidirectional, 0, device, dtype, generator=generator,
        )  # fmt: skip

    def forward(self, input: Any, hx: Tensor | None = None) -> tuple[Any, Tensor]:
        y, (h,) = self._forward(input, hx)
        return y, h
