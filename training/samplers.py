"""In which order a loader takes the samples of a dataset."""

import itertools
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence, Sized
from typing import Any

import autograd_core as ag
from autograd_core import Generator

__all__ = [
    "BatchSampler",
    "RandomSampler",
    "Sampler",
    "SequentialSampler",
    "SubsetRandomSampler",
    "WeightedRandomSampler",
]


class Sampler(ABC):
    """Gives the numbers of one epoch's samples, as often as it is iterated."""

    @abstractmethod
    def __iter__(self) -> Iterator[Any]: ...


class SequentialSampler(Sampler):
    """0, 1, 2, ..."""

    def __init__(self, data_source: Sized) -> None:
        self.data_source = data_source

    def __len__(self) -> int:
        return len(self.data_source)

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self)))


class RandomSampler(Sampler):
    """Each sample once in a new order; or `num_samples` of them, with repeats if asked for."""

    def __init__(
        self,
        data_source: Sized,
        replacement: bool = False,
        num_samples: int | None = None,
        generator: Generator | None = None,
    ) -> None:
        if num_samples is not None and num_samples < 1:
            raise ValueError(f"RandomSampler got num_samples={num_samples}: it needs at least 1")
        self.data_source = data_source
        self.replacement = replacement
        self.generator = generator
        self._wanted = num_samples

    @property
    def num_samples(self) -> int:
        return len(self.data_source) if self._wanted is None else self._wanted

    def __len__(self) -> int:
        return self.num_samples

    def __iter__(self) -> Iterator[int]:
        size = len(self.data_source)
        if self.replacement:
            return iter(ag.randint(size, (len(self),), generator=self.generator).tolist())
        # More samples than there are: one order after another.
        rounds = range(-(-len(self) // size) if size else 0)
        orders = [ag.randperm(size, generator=self.generator).tolist() for _ in rounds]
        return itertools.islice(itertools.chain(*orders), len(self))


class SubsetRandomSampler(Sampler):
    """The samples that `indices` name, in a new order."""

    def __init__(self, indices: Sequence[int], generator: Generator | None = None) -> None:
        self.indices = indices
        self.generator = generator

    def __len__(self) -> int:
        return len(self.indices)

    def __iter__(self) -> Iterator[int]:
        order = ag.randperm(len(self), generator=self.generator).tolist()
        return map(self.indices.__getitem__, order)


class WeightedRandomSampler(Sampler):
    """Samples in proportion to their weights, with repeats unless `replacement` is False."""

    def __init__(
        self,
        weights: Sequence[float],
        num_samples: int,
        replacement: bool = True,
        generator: Generator | None = None,
    ) -> None:
        if num_samples < 1:
            raise ValueError(
                f"WeightedRandomSampler got num_samples={num_samples}: it needs at least 1"
            )
        self.weights = ag.as_tensor(weights, dtype=ag.float64)
        self.num_samples = num_samples
        self.replacement = replacement
        self.generator = generator

    def __len__(self) -> int:
        return self.num_samples

    def __iter__(self) -> Iterator[int]:
        drawn = ag.multinomial(
            self.weights, self.num_samples, self.replacement, generator=self.generator
        )
        return iter(drawn.tolist())


class BatchSampler(Sampler):
    """Lists of `batch_size` numbers from another sampler; the last may be shorter."""

    def __init__(self, sampler: Iterable[int], batch_size: int, drop_last: bool = False) -> None:
        if batch_size < 1:
            raise ValueError(f"BatchSampler got batch_size={batch_size!r}: it needs an int >= 1")
        self.sampler = sampler
        self.batch_size = batch_size
        self.drop_last = drop_last

    def __len__(self) -> int:
        whole, rest = divmod(len(self.sampler), self.batch_size)  # pyright: ignore
        return whole + (rest > 0 and not self.drop_last)

    def __iter__(self) -> Iterator[list[int]]:
        numbers = iter(self.sampler)
        while batch := list(itertools.islice(numbers, self.batch_size)):
            if len(batch) == self.batch_size or not self.drop_last:
                yield batch
