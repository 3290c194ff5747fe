"""Datasets and the loader that cuts them into batches."""

import bisect
import itertools
import math
import operator
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib import import_module
from typing import Any, Generic, Protocol, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

import autograd_core as ag
from autograd_core import Generator, ShapeError, Tensor

from .collate import Batch, default_collate
from .samplers import (
    BatchSampler,
    RandomSampler,
    Sampler,
    SequentialSampler,
    SubsetRandomSampler,
    WeightedRandomSampler,
)

__all__ = [
    "Batch",
    "BatchSampler",
    "ConcatDataset",
    "DataLoader",
    "Dataset",
    "Indexed",
    "RandomSampler",
    "Rows",
    "Sampler",
    "SequentialSampler",
    "Subset",
    "SubsetRandomSampler",
    "TensorDataset",
    "WeightedRandomSampler",
    "default_collate",
    "digits",
    "random_split",
]

Sample = TypeVar("Sample", covariant=True)

# What indexes an array in one step, and so may a dataset's own arrays: neighbours as a slice,
# anything else as row numbers.
Rows: TypeAlias = slice | NDArray[np.int64]


class Indexed(Protocol[Sample]):
    """What a loader needs of a dataset; a list has it too."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> Sample: ...


class Dataset(ABC, Generic[Sample]):
    """Samples by number.

    A dataset that holds arrays overrides `batch` with one indexing step, for instance
    `return [self.images[rows], self.labels[rows]]`; the result must equal the collated samples.
    """

    def __init_subclass__(cls, **options: object) -> None:
        super().__init_subclass__(**options)
        # A batch inherited past a new __getitem__ knows nothing of it and would silently bypass it.
        author = next(kind for kind in cls.__mro__ if "batch" in vars(kind))
        if getattr(author, "__getitem__", cls.__getitem__) is not cls.__getitem__:
            cls.batch = Dataset[Any].batch

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def __getitem__(self, index: int, /) -> Sample: ...

    def batch(self, rows: Rows) -> Batch:
        """The samples of these rows as one batch, sharing no memory with the dataset."""
        return default_collate(_samples(self, rows))

    def __add__(self, other: Indexed[Any]) -> "ConcatDataset[Any]":
        return ConcatDataset([self, other])


class TensorDataset(Dataset[tuple[Tensor, ...]]):
    """Sample i is (tensors[0][i], tensors[1][i], ...)."""

    def __init__(self, *tensors: Tensor) -> None:
        if not tensors:
            raise ValueError("TensorDataset got no tensors: it needs at least one")
        for tensor in tensors:
            if not isinstance(tensor, Tensor):  # pyright: ignore[reportUnnecessaryIsInstance]
                kind = type(tensor).__name__
                raise TypeError(f"TensorDataset got a {kind}: wrap it in autograd_core.tensor(...)")
        if any(t.shape[:1] != tensors[0].shape[:1] or not t.shape for t in tensors):
            shapes = ", ".join(str(tuple(t.shape)) for t in tensors)
            raise ShapeError(f"TensorDataset got shapes {shapes}: all need the same first axis")
        self.tensors = tensors

    def __len__(self) -> int:
        return self.tensors[0].shape[0]

    def __getitem__(self, index: int, /) -> tuple[Tensor, ...]:
        return tuple(tensor[index] for tensor in self.tensors)

    def batch(self, rows: Rows) -> list[Tensor]:
        if isinstance(rows, slice):
            # A slice alone would be a view: changing the batch in place would change the dataset.
            return [tensor[rows].clone() for tensor in self.tensors]
        return [tensor[rows] for tensor in self.tensors]


class Subset(Dataset[Sample]):
    """The samples of a dataset that `indices` name, in that order."""

    def __init__(self, dataset: Indexed[Sample], indices: Sequence[int] | NDArray[Any]) -> None:
        rows = np.asarray(indices)
        if rows.size and rows.dtype.kind not in "iu":
            raise TypeError(
                f"Subset got indices of dtype {rows.dtype}: it needs integers; "
                "np.flatnonzero(mask) makes them from a mask"
            )
        size = len(dataset)
        for index in rows[(rows < -size) | (rows >= size)][:1]:
            raise IndexError(f"Subset got index {index} for a dataset of {size} samples")
        self.dataset = dataset
        self._rows = rows.astype(np.int64)

    @property
    def indices(self) -> list[int]:
        return self._rows.tolist()

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: int, /) -> Sample:
        return self.dataset[int(self._rows[index])]

    def batch(self, rows: Rows) -> Batch:
        return _batch_of(self.dataset, self._rows[rows])


class ConcatDataset(Dataset[Sample]):
    """The samples of several datasets, one after another."""

    def __init__(self, datasets: Iterable[Indexed[Sample]]) -> None:
        self.datasets = list(datasets)
        if not self.datasets:
            raise ValueError("ConcatDataset got no datasets: it needs at least one")
        self.cumulative_sizes = list(itertools.accumulate(map(len, self.datasets)))

    def __len__(self) -> int:
        return self.cumulative_sizes[-1]

    def __getitem__(self, index: int, /) -> Sample:
        place = operator.index(index)
        place += len(self) if place < 0 else 0
        if not 0 <= place < len(self):
            raise IndexError(f"ConcatDataset got index {index} for its {len(self)} samples")
        which = bisect.bisect_right(self.cumulative_sizes, place)
        return self.datasets[which][place - ([0, *self.cumulative_sizes][which])]


def random_split(
    dataset: Indexed[Sample],
    lengths: Sequence[int] | Sequence[float],
    generator: Generator | None = None,
) -> list[Subset[Sample]]:
    """Disjoint random subsets that cover the dataset, of these sizes or fractions of the whole."""
    sizes = _split_sizes(len(dataset), lengths)
    order = ag.randperm(len(dataset), generator=generator).numpy()
    ends = np.cumsum(sizes)
    return [Subset(dataset, order[end - size : end]) for size, end in zip(sizes, ends, strict=True)]


def _split_sizes(total: int, lengths: Sequence[float]) -> list[int]:
    """Fractions are rounded down; what is left over goes to the first parts, one each."""
    if any(length < 0 for length in lengths):
        raise ValueError(f"random_split got lengths {list(lengths)}: none may be negative")
    if any(isinstance(length, float) for length in lengths):
        if not math.isclose(sum(lengths), 1.0):
            raise ValueError(
                f"random_split got fractions {list(lengths)} with sum {sum(lengths):g}: "
                "they must add up to 1"
            )
        sizes = [math.floor(total * fraction) for fraction in lengths]
        for part in range(total - sum(sizes)):
            sizes[part % len(sizes)] += 1
        return sizes
    sizes = [int(length) for length in lengths]
    if sum(sizes) != total:
        raise ValueError(
            f"random_split got lengths {sizes} with sum {sum(sizes)}: "
            f"they must add up to the {total} samples of the dataset"
        )
    return sizes


def _samples(dataset: Indexed[Sample], rows: Rows) -> list[Sample]:
    numbers = range(len(dataset))[rows] if isinstance(rows, slice) else rows.tolist()
    return [dataset[number] for number in numbers]


def _batch_of(dataset: Indexed[Any], rows: Rows) -> Batch:
    if isinstance(dataset, Dataset):
        return dataset.batch(rows)
    return default_collate(_samples(dataset, rows))


class DataLoader(Generic[Sample]):
    """The batches of one epoch, as often as it is iterated; with `shuffle`, each in a new order.

    The order comes from `generator`, or else from the global one (`autograd_core.manual_seed`),
    unless a `sampler` gives it; a `batch_sampler` gives whole batches of sample numbers.
    What is said about workers and pinned memory changes nothing: this process cuts the batches.
    """

    def __init__(
        self,
        dataset: Indexed[Sample],
        batch_size: int = 1,
        shuffle: bool | None = None,
        sampler: Iterable[int] | None = None,
        batch_sampler: Iterable[Sequence[int]] | None = None,
        num_workers: int = 0,
        collate_fn: Callable[[list[Sample]], Batch] | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: Callable[[int], None] | None = None,
        *,
        generator: Generator | None = None,
        prefetch_factor: int | None = None,
        persistent_workers: bool = False,
    ) -> None:
        if not (hasattr(dataset, "__len__") and hasattr(dataset, "__getitem__")):
            kind = type(dataset).__name__
            raise TypeError(f"DataLoader got a {kind}: a dataset needs __len__ and __getitem__")
        if isinstance(batch_size, bool) or not hasattr(batch_size, "__index__") or batch_size < 1:
            raise ValueError(f"DataLoader got batch_size={batch_size!r}: it needs an int >= 1")
        if num_workers < 0:
            raise ValueError(f"DataLoader got num_workers={num_workers}: it needs 0 or more")
        _refuse_two_orders(sampler, shuffle, batch_sampler, batch_size, drop_last)
        if sampler is None:
            random = RandomSampler(dataset, generator=generator)
            sampler = random if shuffle else SequentialSampler(dataset)
        self.dataset = dataset
        self.sampler = sampler
        self.batch_size = operator.index(batch_size) if batch_sampler is None else None
        self.batch_sampler = (
            BatchSampler(sampler, batch_size, drop_last) if batch_sampler is None else batch_sampler
        )
        self.drop_last = drop_last
        self.generator = generator
        self.collate_fn = collate_fn

    def __len__(self) -> int:
        return len(self.batch_sampler)  # pyright: ignore[reportArgumentType]

    def __iter__(self) -> Iterator[Batch]:
        return map(self._fetch, self._epoch())

    def _epoch(self) -> Iterator[Rows]:
        """The rows of each batch; the order is drawn now, not at the first batch."""
        size = self.batch_size
        if size is None:
            return (np.asarray(rows, np.int64) for rows in self.batch_sampler)
        if isinstance(self.sampler, SequentialSampler):
            starts = range(0, len(self) * size, size)
            return (slice(start, start + size) for start in starts)
        order = np.fromiter(self.sampler, np.int64)
        stop = len(order) - len(order) % size if self.drop_last else len(order)
        return (order[start : start + size] for start in range(0, stop, size))

    def _fetch(self, rows: Rows) -> Batch:
        if self.collate_fn is not None:
            return self.collate_fn(_samples(self.dataset, rows))
        return _batch_of(self.dataset, rows)


def _refuse_two_orders(
    sampler: object, shuffle: bool | None, batch_sampler: object, batch_size: int, drop_last: bool
) -> None:
    if sampler is not None and shuffle:
        raise ValueError("DataLoader got a sampler and shuffle=True: the sampler is the order")
    beside = batch_size != 1 or shuffle or sampler is not None or drop_last
    if batch_sampler is not None and beside:
        raise ValueError(
            "DataLoader got a batch_sampler and one of batch_size, shuffle, sampler and "
            "drop_last: the batch_sampler decides all of them"
        )


def digits(test: int = 360, seed: int = 0) -> tuple[TensorDataset, TensorDataset]:
    """Scikit-learn's handwritten digits as (training set, test set).

    Images are float32 of shape (N, 1, 8, 8) in [0, 1], labels int64. The split depends on `seed`
    alone, and each digit has its share of the test set, to within one image.
    """
    images, labels = _load_digits()
    if not 0 < test < len(labels):
        raise ValueError(f"digits got test={test}: it must leave some of the {len(labels)} images")
    train_set, test_set = (
        TensorDataset(ag.tensor(images[rows]), ag.tensor(labels[rows]))
        for rows in _stratified_split(labels, test, seed)
    )
    return train_set, test_set


def _load_digits() -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    try:
        sklearn_datasets = import_module("sklearn.datasets")
    except ImportError as error:
        message = 'digits needs scikit-learn: pip install "autograd-core[demo]"'
        raise ImportError(message) from error
    raw = sklearn_datasets.load_digits()
    brightest = 16
    return (raw.images[:, None] / brightest).astype(np.float32), raw.target.astype(np.int64)


def _stratified_split(
    labels: NDArray[np.int64], test: int, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Row numbers of the training and of the test set, each in random order."""
    total = len(labels)
    # RandomState, because its stream is frozen while that of default_rng may change with NumPy.
    shuffled = np.random.RandomState(seed).permutation(total)
    by_label = shuffled[np.argsort(labels[shuffled], kind="stable")]
    # Evenly spaced picks from rows sorted by label give each label its share.
    is_test = np.zeros(total, dtype=bool)
    is_test[by_label[np.arange(test) * total // test]] = True
    return shuffled[~is_test[shuffled]], shuffled[is_test[shuffled]]
