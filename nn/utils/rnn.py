"""Sequences of different lengths in one tensor: padded, or packed without padding.

A packed batch holds, for each time step, a row for every sequence that is still running, the
longest sequence first; `batch_sizes` says how many rows each time step has.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, Self

import numpy as np

import autograd_core as ag
from autograd_core import ShapeError, Tensor

__all__ = [
    "PackedSequence", "invert_permutation", "pack_padded_sequence", "pack_sequence",
    "pad_packed_sequence", "pad_sequence", "unpack_sequence", "unpad_sequence",
]  # fmt: skip


class _Packed(NamedTuple):
    data: Tensor
    batch_sizes: Tensor
    sorted_indices: Tensor | None
    unsorted_indices: Tensor | None


class PackedSequence(_Packed):
    """data (rows of all time steps, *), batch_sizes (T), and the order of the sequences.

    sorted_indices[k] is the place that sequence k of the packed order had in the batch.
    """

    def __new__(
        cls,
        data: Tensor,
        batch_sizes: Tensor,
        sorted_indices: Tensor | None = None,
        unsorted_indices: Tensor | None = None,
    ) -> Self:
        if sum(batch_sizes.tolist()) != data.shape[0]:
            raise ShapeError(
                f"PackedSequence got {data.shape[0]} rows of data and batch_sizes "
                f"{batch_sizes.tolist()}: these must add up to the rows"
            )
        if unsorted_indices is None:
            unsorted_indices = invert_permutation(sorted_indices)
        return super().__new__(cls, data, batch_sizes, sorted_indices, unsorted_indices)

    def to(self, *args: Any, **kwargs: Any) -> Self:
        """Convert the data; the sizes and the order stay whole numbers."""
        return self._with(self.data.to(*args, **kwargs))

    def float(self) -> Self:
        """Convert the data to float32."""
        return self._with(self.data.to(ag.float32))

    def double(self) -> Self:
        """Convert the data to float64."""
        return self._with(self.data.to(ag.float64))

    def cpu(self) -> Self:
        """Return this sequence: it is on the CPU."""
        return self

    def _with(self, data: Tensor) -> Self:
        return type(self)(data, *self[1:])


def invert_permutation(permutation: Tensor | None) -> Tensor | None:
    """Return the order that undoes `permutation`."""
    return None if permutation is None else permutation.argsort()


def pad_sequence(
    sequences: Tensor | Sequence[Tensor],
    batch_first: bool = False,
    padding_value: float = 0.0,
    padding_side: str = "right",
) -> Tensor:
    """Stack sequences (L_i, *) as (T, N, *), or (N, T, *) with batch_first, T the longest L_i."""
    given = list(sequences)
    if padding_side not in ("left", "right"):
        got = f"padding_side={padding_side!r}"
        raise ValueError(f"pad_sequence got {got}: it must be 'left' or 'right'")
    if not given or any(not x.ndim or x.shape[1:] != given[0].shape[1:] for x in given):
        raise ShapeError(
            f"pad_sequence got shapes {[tuple(x.shape) for x in given]}: "
            "it needs sequences that agree in all axes but the first"
        )
    longest = max(x.shape[0] for x in given)
    padded: list[Tensor] = []
    for x in given:
        missing = longest - x.shape[0]
        around = (missing, 0) if padding_side == "left" else (0, missing)
        padded.append(ag.pad(x, (0, 0) * (x.ndim - 1) + around, value=padding_value))
    return ag.stack(padded, 0 if batch_first else 1)


def unpad_sequence(
    padded_sequences: Tensor, lengths: Tensor | Iterable[int], batch_first: bool = False
) -> list[Tensor]:
    """Return the sequences (L_i, *) that pad_sequence made one tensor of."""
    rows = padded_sequences if batch_first else padded_sequences.transpose(0, 1)
    counts = _counts("unpad_sequence", lengths, (rows.shape[0], rows.shape[1]), least=0)
    return [rows[i, :n] for i, n in enumerate(counts.tolist())]


def pack_padded_sequence(
    input: Tensor,
    lengths: Tensor | Iterable[int],
    batch_first: bool = False,
    enforce_sorted: bool = True,
) -> PackedSequence:
    """Drop the padding of input (T, N, *), or (N, T, *) with batch_first.

    With enforce_sorted the lengths must not increase; else the sequences are sorted here.
    """
    who = "pack_padded_sequence"
    if input.ndim < 2:
        raise ShapeError(f"{who} got input of shape {tuple(input.shape)}: it needs 2 axes or more")
    size = (input.shape[0], input.shape[1]) if batch_first else (input.shape[1], input.shape[0])
    counts = _counts(who, lengths, size, least=1)
    order = np.argsort(-counts, kind="stable")
    if enforce_sorted and (np.diff(counts) > 0).any():
        raise ShapeError(
            f"{who} got lengths {counts.tolist()}: they must not increase; "
            "pass enforce_sorted=False to have them sorted"
        )
    times, columns, sizes = _rows(counts[order])
    columns = order[columns]
    data = input[(columns, times) if batch_first else (times, columns)]
    return PackedSequence(data, ag.tensor(sizes), None if enforce_sorted else ag.tensor(order))


def pad_packed_sequence(
    sequence: PackedSequence,
    batch_first: bool = False,
    padding_value: float = 0.0,
    total_length: int | None = None,
) -> tuple[Tensor, Tensor]:
    """Return what pack_padded_sequence packed, (T, N, *) or (N, T, *), and the lengths (N)."""
    data, sizes = sequence.data, sequence.batch_sizes.numpy()
    widest = int(sizes[0])
    longest = len(sizes)
    if total_length is not None and total_length < longest:
        raise ShapeError(
            f"pad_packed_sequence got total_length={total_length}: "
            f"the longest sequence has {longest} time steps"
        )
    counts = np.count_nonzero(np.greater.outer(sizes, np.arange(widest)), 0)
    times, columns, _ = _rows(counts)
    if sequence.sorted_indices is not None:
        order = sequence.sorted_indices.numpy()
        columns, counts = order[columns], counts[np.argsort(order)]
    length = longest if total_length is None else total_length
    size = (len(counts), length) if batch_first else (length, len(counts))
    blank = ag.full((*size, *data.shape[1:]), padding_value, dtype=data.dtype)
    places = [columns, times] if batch_first else [times, columns]
    return ag.index_put(blank, places, data), ag.tensor(counts)


def pack_sequence(sequences: Sequence[Tensor], enforce_sorted: bool = True) -> PackedSequence:
    """Pack sequences (L_i, *); without enforce_sorted they may come in any order."""
    lengths = [x.shape[0] for x in sequences]
    return pack_padded_sequence(pad_sequence(sequences), lengths, enforce_sorted=enforce_sorted)


def unpack_sequence(packed_sequences: PackedSequence) -> list[Tensor]:
    """Return the sequences that pack_sequence packed."""
    padded, lengths = pad_packed_sequence(packed_sequences, batch_first=True)
    return unpad_sequence(padded, lengths, batch_first=True)


def _counts(who: str, lengths: Any, size: tuple[int, int], least: int) -> Any:
    """Return the lengths as an array: one for each of size[0], from `least` to size[1]."""
    given = lengths.numpy() if isinstance(lengths, Tensor) else np.asarray(list(lengths))
    n, longest = size
    fits = given.shape == (n,) and given.dtype.kind in "iu"
    if not fits or (given < least).any() or (given > longest).any():
        raise ShapeError(
            f"{who} got lengths {given.tolist()}: it needs {n} whole numbers "
            f"from {least} to {longest}"
        )
    return given.astype(np.int64)


def _rows(counts: Any) -> tuple[Any, Any, Any]:
    """Return the time and the sequence of every packed row, and how many rows each time has."""
    running = np.less.outer(np.arange(int(counts[0])), counts)
    times, columns = np.nonzero(running)
    return times, columns, np.count_nonzero(running, 1)
