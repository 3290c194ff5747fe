"""Making one batch out of a list of samples."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

import autograd_core as ag
from autograd_core import ShapeError, Tensor

__all__ = ["Batch", "default_collate"]

# Tensors in the structure of the samples; which one, no signature can say.
Batch: TypeAlias = Any


def default_collate(samples: Sequence[Any]) -> Batch:
    """One batch from a list of samples, along a new first axis.

    Tensors and arrays are stacked, numbers become tensors (bool, int64, the default float),
    strings stay a list; tuples, lists and dicts are collated field by field. A plain tuple
    becomes a list, as in PyTorch.
    """
    if not samples:
        raise ValueError("default_collate got no samples: it needs at least one")
    first = samples[0]
    if isinstance(first, Tensor):
        _refuse_unequal("shapes", (tuple(sample.shape) for sample in samples))
        return ag.stack(list(samples))
    if isinstance(first, np.ndarray | np.generic):
        _refuse_unequal("shapes", (np.shape(sample) for sample in samples))
        return ag.tensor(np.stack(samples))
    if isinstance(first, bool | int | float):
        return ag.tensor(list(samples))
    if isinstance(first, str | bytes):
        return list(samples)
    if isinstance(first, Mapping):
        return _collate_mappings(samples)
    if isinstance(first, tuple | list):
        return _collate_sequences(samples)
    raise TypeError(
        f"default_collate got samples of type {type(first).__name__}: it needs tensors, arrays, "
        "numbers, strings, or tuples, lists and dicts of these; give DataLoader a collate_fn"
    )


def _collate_mappings(samples: Sequence[Mapping[Any, Any]]) -> dict[Any, Batch]:
    _refuse_unequal("keys", (sorted(map(str, sample)) for sample in samples))
    return {key: default_collate([sample[key] for sample in samples]) for key in samples[0]}


def _collate_sequences(samples: Sequence[Any]) -> Batch:
    _refuse_unequal("lengths", (len(sample) for sample in samples))
    fields = [default_collate(column) for column in zip(*samples, strict=True)]
    first = samples[0]
    return type(first)(*fields) if hasattr(first, "_fields") else fields


def _refuse_unequal(what: str, values: Iterable[object]) -> None:
    """Refuse samples that differ in one respect; the message quotes the first two that do."""
    first, *others = values
    for other in others:
        if other != first:
            raise ShapeError(
                f"default_collate got samples of different {what}, {first} and {other}: "
                "make them equal, or give DataLoader a collate_fn"
            )
