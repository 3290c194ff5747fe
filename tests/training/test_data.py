"""Datasets, splits, collating, the loader and the digits."""

import sys
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pytest

import autograd_core as ag
from training.data import (
    DataLoader,
    Dataset,
    Rows,
    Subset,
    TensorDataset,
    default_collate,
    digits,
    random_split,
)


class Squares(Dataset[tuple[int, float]]):
    """Collated row by row: it has no batch of its own."""

    def __len__(self) -> int:
        return 10

    def __getitem__(self, index: int) -> tuple[int, float]:
        return index, float(index) ** 2


class Doubled(TensorDataset):
    """A new __getitem__ on top of an inherited batch."""

    def __getitem__(self, index: int) -> tuple[ag.Tensor, ...]:
        return tuple(2 * x for x in super().__getitem__(index))


class Tripling:
    """A new __getitem__ that is mixed in."""

    def __getitem__(self, index: int) -> tuple[ag.Tensor, ...]:
        return tuple(3 * x for x in super().__getitem__(index))  # pyright: ignore


class Tripled(Tripling, TensorDataset):
    pass


class Wrapped(TensorDataset):
    """Both forms of its own: the batch must survive."""

    def __getitem__(self, index: int) -> tuple[ag.Tensor, ...]:
        return tuple(x + 1 for x in super().__getitem__(index))

    def batch(self, rows: Rows) -> list[ag.Tensor]:
        return [x + 1 for x in super().batch(rows)]


class Renamed(Wrapped):
    pass


def tensors(count: int = 10) -> TensorDataset:
    return TensorDataset(ag.arange(3 * count).view(count, 3), ag.arange(count))


def numbers(batches: DataLoader) -> list[list[int]]:
    """The second field of every batch, which in these tests counts the samples."""
    return [labels.tolist() for _, labels in batches]


def assert_same(left: list[ag.Tensor], right: list[ag.Tensor]) -> None:
    assert len(left) == len(right)
    for x, y in zip(left, right, strict=True):
        assert (x.dtype, x.shape) == (y.dtype, y.shape)
        np.testing.assert_array_equal(x.numpy(), y.numpy())


DATASETS = {
    "tensors": tensors(),
    "subset": Subset(tensors(20), range(19, 0, -2)),
    "subset of rows": Subset(Squares(), range(10)),
    "overridden row": Doubled(ag.arange(10)),
    "mixed-in row": Tripled(ag.arange(10)),
    "row and batch": Renamed(ag.arange(10)),
}
ROWS = [slice(2, 5), slice(8, 12), np.array([7, 0, 7, 3])]


@pytest.mark.parametrize("rows", ROWS, ids=["inside", "past the end", "scattered"])
@pytest.mark.parametrize("dataset", DATASETS.values(), ids=DATASETS)
def test_batch_equals_collated_samples(dataset: Dataset[object], rows: Rows) -> None:
    picked = range(len(dataset))[rows] if isinstance(rows, slice) else rows.tolist()
    assert_same(dataset.batch(rows), default_collate([dataset[i] for i in picked]))


def test_a_batch_written_with_its_row_is_inherited() -> None:
    assert Renamed.batch is Wrapped.batch


def test_sample_of_tensors_is_a_tuple_of_rows() -> None:
    image, label = tensors()[4]
    assert image.tolist() == [12, 13, 14]
    assert label.item() == 4


@pytest.mark.parametrize("shuffle", [False, True])
def test_writing_into_a_batch_leaves_the_dataset_alone(shuffle: bool) -> None:
    dataset = tensors()
    for _, labels in DataLoader(dataset, batch_size=4, shuffle=shuffle):
        labels.add_(100)
    assert dataset.tensors[1].tolist() == list(range(10))


def test_batches_of_a_leaf_carry_gradients_back_to_it() -> None:
    x = ag.ones(4, requires_grad=True)
    (batch,) = next(iter(DataLoader(TensorDataset(x), batch_size=3)))
    batch.sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [1, 1, 1, 0]


def test_tensor_dataset_refuses_what_has_no_common_first_axis() -> None:
    with pytest.raises(ag.ShapeError, match=r"got shapes \(2, 3\), \(4,\): all need the same"):
        TensorDataset(ag.zeros(2, 3), ag.zeros(4))
    with pytest.raises(ag.ShapeError, match=r"got shapes \(\): all need the same first axis"):
        TensorDataset(ag.tensor(1.0))
    with pytest.raises(TypeError, match=r"got a ndarray: wrap it in autograd_core\.tensor"):
        TensorDataset(np.zeros(3))  # pyright: ignore[reportArgumentType]
    with pytest.raises(ValueError, match="got no tensors: it needs at least one"):
        TensorDataset()


def test_subset_keeps_the_order_of_its_indices() -> None:
    subset = Subset(tensors(), [5, -1, 5])
    assert subset.indices == [5, -1, 5]
    assert [int(label) for _, label in (subset[i] for i in range(3))] == [5, 9, 5]


def test_subset_refuses_masks_and_indices_outside() -> None:
    with pytest.raises(TypeError, match="indices of dtype bool: it needs integers"):
        Subset(tensors(2), np.array([True, False]))
    with pytest.raises(IndexError, match="got index 2 for a dataset of 2 samples"):
        Subset(tensors(2), [0, 2])


@pytest.mark.parametrize(
    ("lengths", "sizes"),
    [
        ([7, 3], [7, 3]),
        ([0.5, 0.5], [5, 5]),
        ([1 / 3, 1 / 3, 1 / 3], [4, 3, 3]),
        ([10, 0], [10, 0]),
    ],
)
def test_random_split_covers_the_dataset_once(lengths: list[float], sizes: list[int]) -> None:
    parts = random_split(tensors(), lengths)
    assert [len(part) for part in parts] == sizes
    assert sorted(i for part in parts for i in part.indices) == list(range(10))


def test_random_split_repeats_with_its_generator() -> None:
    first, second = (
        random_split(tensors(), [5, 5], generator=ag.Generator().manual_seed(3))[0].indices
        for _ in range(2)
    )
    assert first == second != list(range(5))


@pytest.mark.parametrize(
    ("lengths", "message"),
    [
        ([4, 5], r"lengths \[4, 5\] with sum 9: they must add up to the 10 samples"),
        ([0.5, 0.4], r"fractions \[0.5, 0.4\] with sum 0.9: they must add up to 1"),
        ([11, -1], r"lengths \[11, -1\]: none may be negative"),
    ],
)
def test_random_split_refuses_lengths_that_do_not_fit(lengths: list[float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        random_split(tensors(), lengths)


class Pair(NamedTuple):
    x: int
    y: int


def test_numbers_collate_to_tensors_of_pytorch_kinds() -> None:
    assert default_collate([1, 2]).dtype == ag.int64
    assert default_collate([1.0, 2.0]).dtype == ag.float32
    assert default_collate([True, False]).dtype == ag.bool
    assert default_collate([np.uint8(3), np.uint8(4)]).dtype == ag.uint8


def test_containers_collate_field_by_field() -> None:
    batch = default_collate([{"x": (1, [2.0]), "name": "a"}, {"x": (3, [4.0]), "name": "b"}])
    assert batch["name"] == ["a", "b"]
    count, (value,) = batch["x"]
    assert count.tolist() == [1, 3]
    assert value.tolist() == [2.0, 4.0]
    assert default_collate([Pair(1, 2), Pair(3, 4)]).y.tolist() == [2, 4]


def test_arrays_and_tensors_collate_along_a_new_axis() -> None:
    assert default_collate([np.zeros((2, 3), np.float64)] * 4).shape == (4, 2, 3)
    assert default_collate([ag.zeros(2, 3)] * 4).shape == (4, 2, 3)


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        ([ag.zeros(2), ag.zeros(3)], r"different shapes, \(2,\) and \(3,\): make them equal"),
        ([np.zeros(2), np.zeros(3)], r"different shapes, \(2,\) and \(3,\): make them equal"),
        ([(1, 2), (1,)], "different lengths, 2 and 1: make them equal"),
        ([{"a": 1}, {"b": 1}], r"different keys, \['a'\] and \['b'\]: make them equal"),
        ([], "got no samples: it needs at least one"),
    ],
)
def test_samples_that_differ_do_not_collate(samples: list[object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        default_collate(samples)


def test_unknown_samples_do_not_collate() -> None:
    with pytest.raises(TypeError, match="samples of type object: it needs tensors, arrays"):
        default_collate([object()])


def test_batches_come_in_order_and_the_last_is_smaller() -> None:
    loader = DataLoader(tensors(), batch_size=4)
    assert numbers(loader) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert len(loader) == 3


def test_drop_last_drops_the_smaller_batch() -> None:
    loader = DataLoader(tensors(), batch_size=4, drop_last=True)
    assert numbers(loader) == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert len(loader) == 2


@pytest.mark.parametrize("drop_last", [False, True])
@pytest.mark.parametrize("count", [1, 4, 5, 8])
def test_lengths_and_batches_are_pytorchs(count: int, drop_last: bool) -> None:
    torch_data = pytest.importorskip("torch.utils.data")
    loader = DataLoader(range(count), 4, drop_last=drop_last)
    theirs = torch_data.DataLoader(range(count), 4, drop_last=drop_last)
    assert len(loader) == len(theirs)
    assert [b.tolist() for b in loader] == [b.tolist() for b in theirs]


def test_shuffled_epochs_hold_every_sample_in_ever_new_orders() -> None:
    loader = DataLoader(tensors(40), batch_size=7, shuffle=True)
    first, second = ([i for batch in numbers(loader) for i in batch] for _ in range(2))
    assert sorted(first) == sorted(second) == list(range(40))
    assert first != second


@pytest.mark.parametrize("own", [False, True], ids=["global generator", "own generator"])
def test_order_repeats_from_the_seed(own: bool) -> None:
    def two_epochs() -> list[list[list[int]]]:
        generator = ag.Generator().manual_seed(5) if own else None
        ag.manual_seed(5)
        loader = DataLoader(tensors(), batch_size=3, shuffle=True, generator=generator)
        return [numbers(loader), numbers(loader)]

    assert two_epochs() == two_epochs()


def test_concurrent_iterators_do_not_disturb_each_other() -> None:
    loader = DataLoader(tensors(), batch_size=2, shuffle=True)
    ag.manual_seed(1)
    alone = [numbers(loader), numbers(loader)]
    ag.manual_seed(1)
    pairs = [(x[1].tolist(), y[1].tolist()) for x, y in zip(loader, loader, strict=True)]
    together = [[x for x, _ in pairs], [y for _, y in pairs]]
    assert together == alone


def test_collate_fn_gets_the_list_of_samples() -> None:
    loader = DataLoader(Squares(), batch_size=2, collate_fn=lambda samples: samples)
    assert next(iter(loader)) == [(0, 0.0), (1, 1.0)]


def test_a_list_serves_as_dataset() -> None:
    (images, labels), *_ = DataLoader([(0.5, 1), (1.5, 2)], batch_size=2)
    assert images.tolist() == [0.5, 1.5]
    assert labels.tolist() == [1, 2]
    (part,) = random_split([3, 4, 5], [1.0])
    assert sorted(next(iter(DataLoader(part, batch_size=3))).tolist()) == [3, 4, 5]


def test_an_empty_dataset_has_no_batches() -> None:
    assert list(DataLoader([], batch_size=2, shuffle=True)) == []


def test_what_is_said_about_workers_changes_nothing() -> None:
    loader = DataLoader(
        dataset=tensors(), batch_size=5, num_workers=2, pin_memory=True, persistent_workers=True
    )
    assert (loader.batch_size, len(loader.dataset)) == (5, 10)
    assert numbers(loader) == numbers(DataLoader(tensors(), 5))


def loader_of(batch_size: object) -> DataLoader[int]:
    return DataLoader([1], batch_size)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: loader_of(0), "batch_size=0: it needs an int >= 1"),
        (lambda: loader_of(2.0), r"batch_size=2\.0: it needs an int >= 1"),
        (lambda: loader_of(None), "batch_size=None: it needs an int >= 1"),
        (lambda: DataLoader([1], num_workers=-1), "num_workers=-1: it needs 0 or more"),
        (lambda: DataLoader([1], sampler=[0], shuffle=True), "the sampler is the order"),
        (lambda: DataLoader([1], 2, batch_sampler=[[0]]), "the batch_sampler decides all of them"),
    ],
)
def test_loader_refuses_options_it_has_not(build: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build()


def test_loader_refuses_a_dataset_without_length() -> None:
    with pytest.raises(TypeError, match="got a generator: a dataset needs __len__ and __getitem__"):
        DataLoader(x for x in range(3))  # pyright: ignore[reportArgumentType]


def test_digits_are_scaled_images_with_labels() -> None:
    pytest.importorskip("sklearn")
    train, test = digits()
    assert (len(train), len(test)) == (1437, 360)
    for images, labels in (train.tensors, test.tensors):
        assert images.dtype == ag.float32
        assert labels.dtype == ag.int64
        assert images.shape[1:] == (1, 8, 8)
        assert (images.min().item(), images.max().item()) == (0.0, 1.0)


def test_digits_split_holds_each_image_once() -> None:
    load_digits = pytest.importorskip("sklearn.datasets").load_digits
    train, test = digits(test=100)
    ours = np.concatenate([part.tensors[0].numpy().reshape(-1, 64) for part in (train, test)])
    theirs = load_digits().data
    assert sorted(map(tuple, ours * 16)) == sorted(map(tuple, theirs))


def test_digits_split_gives_each_digit_its_share_in_mixed_order() -> None:
    pytest.importorskip("sklearn")
    train, test = digits()
    counts = [np.bincount(part.tensors[1].numpy(), minlength=10) for part in (train, test)]
    share = sum(counts) * 360 / 1797
    assert np.abs(counts[1] - share).max() <= 1
    # Sorted labels would change 9 times; shuffled ones change 9 times in 10.
    assert np.count_nonzero(np.diff(test.tensors[1].numpy())) > 300


def test_digits_split_depends_on_its_seed_alone() -> None:
    pytest.importorskip("sklearn")
    ag.manual_seed(1)
    first = digits()
    ag.manual_seed(2)
    assert_same(list(first[1].tensors), list(digits()[1].tensors))
    assert first[1].tensors[1].tolist() != digits(seed=1)[1].tensors[1].tolist()


@pytest.mark.parametrize("test", [0, 1797, -1])
def test_digits_refuses_an_empty_part(test: int) -> None:
    pytest.importorskip("sklearn")
    with pytest.raises(ValueError, match=f"test={test}: it must leave some of the 1797 images"):
        digits(test=test)


def test_digits_without_scikit_learn_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(ImportError, match=r'pip install "autograd-core\[demo\]"'):
        digits()
