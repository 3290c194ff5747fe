"""Rows of a table picked by number, singly or a bag of them at a time."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

import autograd_core as ag
from autograd_core import DtypeError, ShapeError, Tensor
from autograd_core.ops.lookup import embedding as rows_of

__all__ = ["embedding", "embedding_bag"]


def embedding(
    input: Tensor,
    weight: Tensor,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Tensor:
    """weight[input]: numbers (...) into a table (n, d) give (..., d).

    Row padding_idx gets no gradient. With max_norm the rows used are first shortened to it, in
    place. scale_grad_by_freq divides each row's gradient by how often it is used here. The
    gradient is dense, with sparse=True as well.
    """
    places = _places("embedding", input, weight)
    padding = row_in_table("embedding", padding_idx, weight.shape[0])
    _shorten(weight, places, max_norm, norm_type)
    return _rows(weight, places, padding, scale_grad_by_freq)


def row_in_table(who: str, padding_idx: int | None, count: int) -> int | None:
    """Return padding_idx counted from the front."""
    if padding_idx is None:
        return None
    if not -count <= padding_idx < count:
        raise ValueError(
            f"{who} got padding_idx={padding_idx}: it must be a row of the table of {count}"
        )
    return padding_idx % count


def _integers(who: str, what: str, x: Any) -> np.ndarray:
    array = x._array if isinstance(x, Tensor) else np.asarray(x)
    if array.dtype.kind not in "iu":
        raise DtypeError(f"{who} got {what} of dtype {array.dtype}: it needs int64 or int32")
    return array


def _places(who: str, input: Any, weight: Tensor) -> np.ndarray:
    """Return the row numbers, once all of them are known to be in the table."""
    if weight.ndim != 2:
        raise ShapeError(
            f"{who} got a weight of shape {tuple(weight.shape)}: it must be (rows, features)"
        )
    places, count = _integers(who, "input", input), weight.shape[0]
    if places.size and not 0 <= places.min() <= places.max() < count:
        where = tuple(map(int, np.argwhere((places < 0) | (places >= count))[0]))
        raise IndexError(f"{who} got {places[where]} at {where}: it must be in [0, {count})")
    return places


def _shorten(weight: Tensor, places: np.ndarray, max_norm: float | None, norm_type: float) -> None:
    """Bring each row that is used, and longer than max_norm, down to it."""
    if max_norm is None:
        return
    with ag.no_grad():
        used = np.unique(places)
        norms = ag.linalg.vector_norm(weight[used], norm_type, dim=1).numpy()
        long = norms > max_norm
        factors = (max_norm / (norms[long] + 1e-7))[:, None].astype(weight.dtype)
        weight[used[long]] = weight[used[long]] * ag.tensor(factors)


def _rows(weight: Tensor, places: np.ndarray, padding: int | None, by_frequency: bool) -> Tensor:
    """Return the rows; their gradients are left out, or divided, as asked."""
    rows = rows_of(weight, places, -1 if padding is None else padding)
    if by_frequency:
        share = 1.0 / np.bincount(places.reshape(-1), minlength=1)[places]
        fixed = rows.detach()
        rows = fixed + (rows - fixed) * ag.tensor(share[..., None].astype(rows.dtype))
    return rows


class _Bags(NamedTuple):
    """The bags laid end to end: the row of each member, its bag, and how many bags there are."""

    places: np.ndarray
    bags: np.ndarray
    number: int
    members: np.ndarray  # which of the given ones these are


def embedding_bag(
    input: Tensor,
    weight: Tensor,
    offsets: Tensor | None = None,
    max_norm: float | None = None,
    norm_type: float = 2,
    scale_grad_by_freq: bool = False,
    mode: str = "mean",
    sparse: bool = False,
    per_sample_weights: Tensor | None = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> Tensor:
    """Sum, mean or maximum of the rows of each bag: (bags, d).

    The bags are the rows of input (bags, length); or input has one axis and bag i starts at
    offsets[i], where include_last_offset adds the end of the last. Members equal to padding_idx
    do not count, and an empty bag gives zeros.
    """
    places = _places("embedding_bag", input, weight)
    padding = row_in_table("embedding_bag", padding_idx, weight.shape[0])
    _check_mode(places, mode, scale_grad_by_freq, sparse, per_sample_weights)
    bags = _bags(places, offsets, include_last_offset, padding)
    _shorten(weight, places, max_norm, norm_type)
    rows = _rows(weight, bags.places, None, scale_grad_by_freq)
    if mode == "max":
        return _largest(rows, bags)
    if per_sample_weights is not None:
        rows = rows * per_sample_weights.reshape(-1)[bags.members].unsqueeze(1)
    total = ag.zeros(bags.number, weight.shape[1], dtype=weight.dtype)
    total = total.index_add(0, ag.tensor(bags.bags), rows)
    if mode == "sum":
        return total
    sizes = np.maximum(np.bincount(bags.bags, minlength=bags.number), 1)
    return total / ag.tensor(sizes[:, None].astype(weight.dtype))


def _check_mode(
    places: np.ndarray, mode: str, by_frequency: bool, sparse: bool, weights: Tensor | None
) -> None:
    if mode not in ("sum", "mean", "max"):
        raise ValueError(f"embedding_bag got mode={mode!r}: it must be 'sum', 'mean' or 'max'")
    if mode == "max" and (by_frequency or sparse):
        option = "scale_grad_by_freq" if by_frequency else "sparse"
        raise ValueError(f"embedding_bag got mode='max' and {option}=True: it needs sum or mean")
    if weights is None:
        return
    if mode != "sum":
        raise NotImplementedError(
            f"embedding_bag got per_sample_weights and mode={mode!r}: weights need mode='sum'"
        )
    if tuple(weights.shape) != places.shape:
        raise ShapeError(
            f"embedding_bag got per_sample_weights of shape {tuple(weights.shape)} for input of "
            f"shape {places.shape}: the shapes must be equal"
        )


def _bags(
    places: np.ndarray, offsets: Any, include_last_offset: bool, padding: int | None
) -> _Bags:
    """Read off the bags, without their padding."""
    if places.ndim == 2:
        if offsets is not None:
            raise ValueError(
                "embedding_bag got offsets and an input of two axes: its rows are bags"
            )
        sizes = np.full(places.shape[0], places.shape[1])
    elif places.ndim == 1:
        sizes = _sizes(offsets, places.size, include_last_offset)
    else:
        raise ShapeError(
            f"embedding_bag got input of shape {places.shape}: it must have one axis or two"
        )
    bags = np.repeat(np.arange(len(sizes)), sizes)
    flat = places.reshape(-1)[: len(bags)]
    members = np.arange(len(bags)) if padding is None else np.flatnonzero(flat != padding)
    return _Bags(flat[members], bags[members], len(sizes), members)


def _sizes(offsets: Any, count: int, include_last_offset: bool) -> np.ndarray:
    if offsets is None:
        raise ValueError("embedding_bag got an input of one axis and no offsets: where bags start")
    starts = _integers("embedding_bag", "offsets", offsets)
    if starts.ndim != 1 or (include_last_offset and not starts.size):
        raise ShapeError(
            f"embedding_bag got offsets of shape {starts.shape}: they must have one axis"
            + (" and an end" if include_last_offset else "")
        )
    edges = starts if include_last_offset else np.append(starts, count)
    if edges[0] != 0 or edges[-1] > count or (np.diff(edges) < 0).any():
        raise ValueError(
            f"embedding_bag got offsets {starts.tolist()}: they must begin with 0, not decrease, "
            f"and end within the {count} of the input"
        )
    return np.diff(edges)


def _largest(rows: Tensor, bags: _Bags) -> Tensor:
    """Return the maximum of each bag by columns; of equals the first gets the gradient."""
    filled, starts = np.unique(bags.bags, return_index=True)
    values = rows.detach().numpy()
    parts = np.split(values, starts[1:]) if len(filled) else []
    first = [start + part.argmax(0) for start, part in zip(starts, parts, strict=True)]
    y = ag.zeros(bags.number, rows.shape[1], dtype=rows.dtype)
    if not first:
        return y
    return y.index_copy(0, ag.tensor(filled), rows[np.stack(first), np.arange(rows.shape[1])])
