"""Samplers, the loader that is given one, and datasets one after another."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import autograd_core as ag
from training.data import (
    BatchSampler,
    ConcatDataset,
    DataLoader,
    RandomSampler,
    SequentialSampler,
    SubsetRandomSampler,
    TensorDataset,
    WeightedRandomSampler,
)

TEN = range(10)


def test_a_loader_takes_the_order_of_its_sampler() -> None:
    loader = DataLoader(TEN, 2, sampler=[3, 1, 4, 1, 5])
    assert [batch.tolist() for batch in loader] == [[3, 1], [4, 1], [5]]
    assert len(loader) == 3
    short = DataLoader(TEN, 2, sampler=[3, 1, 4, 1, 5], drop_last=True)
    assert [batch.tolist() for batch in short] == [[3, 1], [4, 1]]
    assert len(short) == 2


def test_a_batch_sampler_gives_whole_batches() -> None:
    loader = DataLoader(TEN, batch_sampler=[[9, 0], [4]])
    assert [batch.tolist() for batch in loader] == [[9, 0], [4]]
    assert (len(loader), loader.batch_size) == (2, None)


def test_a_loader_says_which_sampler_it_made() -> None:
    assert isinstance(DataLoader(TEN).sampler, SequentialSampler)
    shuffled = DataLoader(TEN, shuffle=True)
    assert isinstance(shuffled.sampler, RandomSampler)
    assert len(shuffled.sampler) == 10


def test_batches_are_cut_in_the_order_of_the_sampler() -> None:
    batches = BatchSampler(SequentialSampler(range(5)), 2)
    assert (list(batches), len(batches)) == ([[0, 1], [2, 3], [4]], 3)
    dropped = BatchSampler([7, 8, 9], 2, drop_last=True)
    assert (list(dropped), len(dropped)) == ([[7, 8]], 1)


def test_a_random_sampler_gives_each_sample_once() -> None:
    sampler = RandomSampler(TEN, generator=ag.Generator().manual_seed(1))
    first, second = list(sampler), list(sampler)
    assert sorted(first) == sorted(second) == list(TEN)
    assert first != second
    assert first == list(RandomSampler(TEN, generator=ag.Generator().manual_seed(1)))


def test_a_random_sampler_of_more_than_there_are_begins_again() -> None:
    drawn = list(RandomSampler(range(3), num_samples=7))
    assert (sorted(drawn[:3]), sorted(drawn[3:6]), len(drawn)) == ([0, 1, 2], [0, 1, 2], 7)
    assert list(RandomSampler([])) == []


def test_with_replacement_samples_come_again() -> None:
    sampler = RandomSampler(TEN, replacement=True, num_samples=100)
    drawn = list(sampler)
    assert len(drawn) == len(sampler) == 100
    assert set(drawn) <= set(TEN)
    assert len(set(drawn)) > 5


def test_a_subset_sampler_shuffles_its_indices() -> None:
    sampler = SubsetRandomSampler([8, 2, 5])
    assert (sorted(sampler), len(sampler)) == ([2, 5, 8], 3)
    assert {tuple(sampler) for _ in range(50)} > {(8, 2, 5)}


def test_a_weighted_sampler_draws_in_proportion() -> None:
    sampler = WeightedRandomSampler([0.0, 3.0, 1.0], 4000)
    counts = np.bincount(list(sampler), minlength=3)
    assert len(sampler) == 4000
    assert counts[0] == 0
    assert counts[1] / 4000 == pytest.approx(0.75, abs=0.04)  # six standard deviations
    assert sorted(WeightedRandomSampler([1.0, 2.0, 3.0], 3, replacement=False)) == [0, 1, 2]


def test_concatenated_datasets_count_on() -> None:
    both = TensorDataset(ag.arange(2)) + TensorDataset(ag.arange(10, 13))
    assert isinstance(both, ConcatDataset)
    assert (len(both), both.cumulative_sizes) == (5, [2, 5])
    assert [both[k][0].item() for k in (0, 1, 2, 4, -1, -5)] == [0, 1, 10, 12, 12, 0]
    assert [x.tolist() for (x,) in DataLoader(both, 3)] == [[0, 1, 10], [11, 12]]
    for index in (5, -6):
        with pytest.raises(IndexError, match=f"got index {index} for its 5 samples"):
            both[index]


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: RandomSampler(TEN, num_samples=0), "RandomSampler got num_samples=0: it needs"),
        (lambda: WeightedRandomSampler([1.0], 0), "WeightedRandomSampler got num_samples=0"),
        (lambda: BatchSampler(TEN, 0), "BatchSampler got batch_size=0: it needs an int >= 1"),
        (lambda: ConcatDataset([]), "ConcatDataset got no datasets: it needs at least one"),
    ],
)
def test_what_cannot_be_sampled_is_refused(build: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build()
