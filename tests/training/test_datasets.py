"""MNIST and CIFAR-10 from files: written here on a small scale, and the real ones."""

import gzip
import hashlib
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autograd_core as ag
from training.data import DataLoader, Subset, default_collate
from training.datasets import CIFAR10, MNIST, ImageDataset
from training.transforms import Compose, Lambda, Normalize, ToTensor

Bytes = np.ndarray[Any, np.dtype[np.uint8]]

IMAGES = np.random.default_rng(0).integers(0, 256, (12, 28, 28), dtype=np.uint8)
LABELS = (np.arange(12) % 10).astype(np.uint8)
CLASSES = ["ape", "bee", "cat", "dog", "emu", "fox", "gnu", "hen", "ibis", "jay"]


def idx(array: Bytes) -> bytes:
    return struct.pack(f">{1 + array.ndim}I", 0x800 + array.ndim, *array.shape) + array.tobytes()


def write_mnist(folder: Path, pack: Callable[[bytes], bytes] = bytes, suffix: str = "") -> Path:
    """Twelve training images and the first five of them as test images."""
    folder.mkdir(parents=True, exist_ok=True)
    for part, count in (("train", 12), ("t10k", 5)):
        for kind, array in (("images-idx3", IMAGES), ("labels-idx1", LABELS)):
            path = folder / f"{part}-{kind}-ubyte{suffix}"
            path.write_bytes(pack(idx(array[:count])))
    return folder


def write_cifar(folder: Path, pack: Callable[[bytes], bytes] = bytes, suffix: str = "") -> Path:
    """Six files of two records; record k has label k % 10 and colour planes k, 100 + k, 200 + k."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "batches.meta.txt").write_text("\n".join(CLASSES) + "\n\n")
    for part in range(6):
        name = f"data_batch_{part + 1}.bin" if part < 5 else "test_batch.bin"
        records = [
            bytes([k % 10]) + b"".join(bytes([plane + k]) * 1024 for plane in (0, 100, 200))
            for k in (2 * part, 2 * part + 1)
        ]
        (folder / f"{name}{suffix}").write_bytes(pack(b"".join(records)))
    return folder


STORED = [("", bytes, ""), ("", gzip.compress, ".gz"), ("below", bytes, ""), ("", bytes, ".gz")]
STORED_IDS = ["plain", "gzip", "in the folder below", "plain under a gzip name"]


@pytest.mark.parametrize(("where", "pack", "suffix"), STORED, ids=STORED_IDS)
def test_mnist_reads_its_files(
    tmp_path: Path, where: str, pack: Callable[[bytes], bytes], suffix: str
) -> None:
    write_mnist(tmp_path / "MNIST" / "raw" if where else tmp_path, pack, suffix)
    train, test = MNIST(tmp_path), MNIST(str(tmp_path), train=False, download=True)
    assert (len(train), len(test)) == (12, 5)
    assert (train.data.dtype, train.targets.dtype) == (ag.uint8, ag.int64)
    np.testing.assert_array_equal(train.data.numpy(), IMAGES)
    np.testing.assert_array_equal(test.targets.numpy(), LABELS[:5])
    assert train.classes[3] == "3 - three"


@pytest.mark.parametrize(("where", "pack", "suffix"), STORED, ids=STORED_IDS)
def test_cifar_reads_its_files(
    tmp_path: Path, where: str, pack: Callable[[bytes], bytes], suffix: str
) -> None:
    write_cifar(tmp_path / "cifar-10-batches-bin" if where else tmp_path, pack, suffix)
    train, test = CIFAR10(tmp_path), CIFAR10(tmp_path, train=False, download=True)
    assert train.data.shape == (10, 32, 32, 3)
    assert test.data.shape == (2, 32, 32, 3)
    assert (train.data.dtype, train.targets.dtype) == (ag.uint8, ag.int64)
    assert train.targets.tolist() == list(range(10))
    assert train.data.numpy()[7, 5, 6].tolist() == [7, 107, 207]
    assert test.data.numpy()[1, 0, 0].tolist() == [11, 111, 211]
    assert train.classes == CLASSES


def test_cifar_keeps_rows_and_columns_apart(tmp_path: Path) -> None:
    write_cifar(tmp_path)
    planes = np.random.default_rng(1).integers(0, 256, (3, 32, 32), dtype=np.uint8)
    (tmp_path / "test_batch.bin").write_bytes(b"\x04" + planes.tobytes())
    image, label = CIFAR10(tmp_path, train=False)[0]
    assert label == 4
    np.testing.assert_array_equal(image.transpose(2, 0, 1), planes)


def test_a_sample_is_an_image_of_its_own_and_a_python_label(tmp_path: Path) -> None:
    dataset = MNIST(write_mnist(tmp_path))
    image, label = dataset[3]
    assert type(label) is int
    image[:] = 0
    np.testing.assert_array_equal(dataset[3][0], IMAGES[3])


def test_both_transforms_are_applied(tmp_path: Path) -> None:
    dataset = MNIST(write_mnist(tmp_path), True, ToTensor(), lambda label: label + 100)
    image, label = dataset[2]
    assert image.shape == (1, 28, 28)
    assert label == 102


def test_replaced_data_and_targets_are_used(tmp_path: Path) -> None:
    dataset = MNIST(write_mnist(tmp_path))
    dataset.data, dataset.targets = dataset.data[:3], dataset.targets[:3]
    assert len(dataset) == 3
    assert [labels.tolist() for _, labels in DataLoader(dataset, 2)] == [[0, 1], [2]]


class Inverted(MNIST):
    """A new __getitem__ on top of an inherited batch."""

    def __getitem__(self, index: int, /) -> tuple[Any, Any]:
        image, label = super().__getitem__(index)
        return 255 - image, label


TRANSFORMS = {
    "none": (None, None),
    "batch form": (Compose([ToTensor(), Normalize((0.1307,), (0.3081,))]), None),
    "row by row": (Compose([ToTensor(), Lambda(lambda x: x - 1)]), lambda label: label / 2),
    "arrays": (Lambda(lambda image: image[::-1]), None),
    "empty": (Compose([]), None),
    "batch form on labels": (ToTensor(), Compose([])),
}


@pytest.mark.parametrize("rows", [slice(2, 7), np.array([11, 0, 0, 4])], ids=["slice", "scattered"])
@pytest.mark.parametrize("name", TRANSFORMS)
@pytest.mark.parametrize("kind", [MNIST, Inverted, CIFAR10])
def test_batch_equals_collated_samples(
    tmp_path: Path, kind: type[ImageDataset], name: str, rows: Any
) -> None:
    write_mnist(tmp_path)
    write_cifar(tmp_path)
    image_transform, label_transform = TRANSFORMS[name]
    if kind is CIFAR10 and not isinstance(rows, slice):
        rows = np.array([9, 0, 0, 4])
    dataset = kind(tmp_path, True, image_transform, label_transform)  # pyright: ignore
    picked = np.arange(len(dataset))[rows].tolist()
    for got, want in zip(
        dataset.batch(rows), default_collate([dataset[i] for i in picked]), strict=True
    ):
        assert (got.dtype, got.shape) == (want.dtype, want.shape)
        np.testing.assert_array_equal(got.numpy(), want.numpy())


def test_a_batch_shares_no_memory_with_the_dataset(tmp_path: Path) -> None:
    dataset = MNIST(write_mnist(tmp_path), transform=Compose([]))
    images, labels = dataset.batch(slice(0, 5))
    images.zero_()
    labels.zero_()
    np.testing.assert_array_equal(dataset.data.numpy(), IMAGES)
    np.testing.assert_array_equal(dataset.targets.numpy(), LABELS)


def test_a_subset_takes_whole_batches_from_its_dataset(tmp_path: Path) -> None:
    sizes: list[tuple[int, ...]] = []

    class Recording(ToTensor):
        def batched(self) -> Callable[[Bytes], ag.Tensor]:
            return lambda images: (
                sizes.append(images.shape) or super(Recording, self).batched()(images)
            )

    subset = Subset(MNIST(write_mnist(tmp_path), transform=Recording()), [8, 3, 1, 0, 9])
    labels = [labels.tolist() for _, labels in DataLoader(subset, batch_size=3)]
    assert labels == [[8, 3, 1], [0, 9]]
    assert sizes == [(3, 28, 28), (2, 28, 28)]


def test_repr_names_the_dataset(tmp_path: Path) -> None:
    text = repr(MNIST(write_mnist(tmp_path), transform=ToTensor()))
    assert text == "MNIST(data=(12, 28, 28), transform=ToTensor())"


def test_missing_files_are_named_with_their_folders(tmp_path: Path) -> None:
    (write_mnist(tmp_path) / "t10k-labels-idx1-ubyte").unlink()
    with pytest.raises(FileNotFoundError) as caught:
        MNIST(tmp_path, train=False)
    assert str(caught.value) == (
        f"MNIST found no t10k-labels-idx1-ubyte: put them into {tmp_path} or "
        f"{tmp_path / 'MNIST' / 'raw'}, as they are or gzipped (.gz)"
    )


def test_download_only_says_what_to_put_where(tmp_path: Path) -> None:
    message = "CIFAR10 found no batches.meta.txt, test_batch.bin: .*download=True never fetches"
    with pytest.raises(FileNotFoundError, match=message):
        CIFAR10(tmp_path, train=False, download=True)


IMAGE_FILE, LABEL_FILE = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"
TEST_FILE = "test_batch.bin"
LONG = b"\x00" * 3073
WRONG_LABEL = np.where(np.arange(12) == 3, 12, LABELS).astype(np.uint8)

DAMAGE = {
    "mnist cut short": (IMAGE_FILE, idx(IMAGES)[:-1], r"is 9,423 bytes long: its header says \[12"),
    "mnist too long": (
        LABEL_FILE,
        idx(LABELS) + b"x",
        r"is 21 bytes long: .* it must be 20; fetch",
    ),
    "mnist without header": (
        LABEL_FILE,
        idx(LABELS)[:6],
        r"is 6 bytes long: .* it must be 8; fetch",
    ),
    "mnist empty": (LABEL_FILE, b"", "starts with 0x00000000: an IDX file of 1 axes starts with"),
    "mnist swapped": (IMAGE_FILE, idx(LABELS), "starts with 0x00000801: .* 3 axes .* 0x00000803"),
    "mnist counts differ": (LABEL_FILE, idx(LABELS[:9]), "got 12 images in .* but 9 labels in"),
    "mnist label": (LABEL_FILE, idx(WRONG_LABEL), "labels item 3 as 12: labels must be 0 to 9"),
    "mnist gzip cut": (IMAGE_FILE, gzip.compress(idx(IMAGES))[:-20], "is broken gzip .*: fetch"),
    "mnist gzip flipped": (
        LABEL_FILE,
        gzip.compress(idx(LABELS))[:-8] + bytes(8),
        "is broken gzip .*CRC.*: fetch the file again",
    ),
    "cifar cut short": (
        TEST_FILE,
        LONG[:-1],
        "holds 3,072 bytes: it must hold whole records of 3,073",
    ),
    "cifar empty": (TEST_FILE, b"", "holds 0 bytes: it must hold whole records of 3,073; fetch"),
    "cifar label": (
        TEST_FILE,
        LONG + b"\x0a" + LONG[1:],
        "labels item 1 as 10: labels must be 0 to 9",
    ),
    "cifar gzip cut": (
        TEST_FILE,
        gzip.compress(LONG)[:20],
        "is broken gzip .*: fetch the file again",
    ),
}


@pytest.mark.parametrize(("name", "content", "message"), DAMAGE.values(), ids=DAMAGE)
def test_damaged_files_are_refused_by_name(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    write_mnist(tmp_path)
    write_cifar(tmp_path)
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=message) as caught:
        CIFAR10(tmp_path, train=False) if name == TEST_FILE else MNIST(tmp_path)
    assert str(tmp_path / name) in str(caught.value)


def test_verify_insists_on_the_original_files(tmp_path: Path) -> None:
    write_mnist(tmp_path)
    md5 = hashlib.md5(idx(IMAGES), usedforsecurity=False).hexdigest()
    with pytest.raises(ValueError, match=f"{IMAGE_FILE} has MD5 {md5}: MNIST's own has 6bbc9ace"):
        MNIST(tmp_path, verify=True)


@pytest.mark.parametrize(("train", "count"), [(True, 60_000), (False, 10_000)])
def test_the_real_mnist_is_verified_and_whole(data_dir: Path, train: bool, count: int) -> None:
    dataset = MNIST(data_dir / "mnist", train=train, verify=True)
    assert dataset.data.shape == (count, 28, 28)
    assert set(dataset.targets.tolist()) == set(range(10))


def test_mean_and_deviation_of_the_real_mnist_are_the_known_ones(data_dir: Path) -> None:
    dataset = MNIST(data_dir / "mnist", transform=ToTensor())
    pixels = dataset.data.numpy()
    mean = pixels.mean(dtype=np.float64) / 255
    assert mean == pytest.approx(0.1307, abs=5e-5)
    assert pixels.std(dtype=np.float64) / 255 == pytest.approx(0.3081, abs=5e-5)
    total = sum(
        float(images.numpy().sum(dtype=np.float64)) for images, _ in DataLoader(dataset, 600)
    )
    assert total / pixels.size == pytest.approx(mean, rel=1e-6)


def test_the_real_cifar_sample_has_balanced_classes(data_dir: Path) -> None:
    train, test = (CIFAR10(data_dir / "cifar10-12k", train=train) for train in (True, False))
    assert train.data.shape == (10_000, 32, 32, 3)
    assert test.data.shape == (2_000, 32, 32, 3)
    assert np.bincount(train.targets.numpy()).tolist() == [1000] * 10
    assert train.classes[0] == "airplane"
