"""MNIST and CIFAR-10 from files on disk; nothing here touches the network."""

import gzip
import hashlib
import math
import zlib
from collections.abc import Iterable, Sequence
from os import PathLike
from pathlib import Path
from typing import Any, ClassVar, TypeAlias

import numpy as np
from numpy.typing import NDArray

import autograd_core as ag
from autograd_core import Tensor
from training.data import Batch, Dataset, Rows, default_collate
from training.transforms import Step, Transform

__all__ = ["CIFAR10", "MNIST", "ImageDataset"]

Bytes: TypeAlias = NDArray[np.uint8]
Root: TypeAlias = str | PathLike[str]

GZIP_MAGIC = b"\x1f\x8b"
DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
IDX_MAGIC = {1: 0x00000801, 3: 0x00000803}  # unsigned bytes with this many axes


class ImageDataset(Dataset[tuple[Any, Any]]):
    """Labelled images as two tensors: `data`, uint8 (N, H, W) or (N, H, W, C), and `targets`.

    A sample is (image, label): a uint8 array of its own and an int, each after its transform.
    """

    def __init__(
        self,
        images: Bytes,
        labels: NDArray[Any],
        classes: Sequence[str],
        transform: Step | None = None,
        target_transform: Step | None = None,
    ) -> None:
        self.data = ag.tensor(images)
        self.targets = ag.tensor(labels.astype(np.int64))
        self.classes = list(classes)
        self.transform = transform
        self.target_transform = target_transform

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, index: int, /) -> tuple[Any, Any]:
        image, label = self.data.numpy()[index].copy(), int(self.targets[index])
        return (
            image if self.transform is None else self.transform(image),
            label if self.target_transform is None else self.target_transform(label),
        )

    def batch(self, rows: Rows) -> Batch:
        # A copy, since a slice would let a transform write into the dataset.
        images, labels = np.array(self.data.numpy()[rows]), self.targets.numpy()[rows]
        return [
            _transformed(self.transform, images, images),
            _transformed(self.target_transform, labels, labels.tolist()),
        ]

    def __repr__(self) -> str:
        return f"{type(self).__name__}(data={tuple(self.data.shape)}, transform={self.transform!r})"


def _transformed(transform: Step | None, array: NDArray[Any], each: Iterable[Any]) -> Batch:
    """The array through the transform: at once if it has a batch form, else one item at a time."""
    if transform is None:
        return ag.tensor(array)
    if isinstance(transform, Transform) and (at_once := transform.batched()) is not None:
        result = at_once(array)
        return result if isinstance(result, Tensor) else ag.tensor(result)
    return default_collate([transform(item) for item in each])


class MNIST(ImageDataset):
    """70,000 handwritten digits, 28 x 28, from IDX files in `root` or `root/MNIST/raw`.

    Any data in this layout will do (Fashion-MNIST, KMNIST); `verify=True` insists on the four
    original files by their MD5. `download=True` is accepted, and uses the files that are there.
    """

    CLASSES = tuple(f"{digit} - {word}" for digit, word in enumerate(DIGITS))
    MD5: ClassVar[dict[str, str]] = {  # of the uncompressed files
        "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
        "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
        "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
        "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
    }

    def __init__(
        self,
        root: Root,
        train: bool = True,
        transform: Step | None = None,
        target_transform: Step | None = None,
        download: bool = False,
        *,
        verify: bool = False,
    ) -> None:
        part = "train" if train else "t10k"
        names = [f"{part}-images-idx3-ubyte", f"{part}-labels-idx1-ubyte"]
        paths = _locate("MNIST", Path(root), "MNIST/raw", names, download)
        images, labels = (
            _read_idx(path, axes, md5=self.MD5[name] if verify else None)
            for path, axes, name in zip(paths, (3, 1), names, strict=True)
        )
        if len(images) != len(labels):
            raise ValueError(
                f"MNIST got {len(images)} images in {paths[0]} but {len(labels)} labels in "
                f"{paths[1]}: both must be of one set"
            )
        _check_labels(paths[1], labels, len(self.CLASSES))
        super().__init__(images, labels, self.CLASSES, transform, target_transform)


class CIFAR10(ImageDataset):
    """Small photographs of ten kinds of things, (32, 32, 3), from the binary files.

    They are read from `root` or `root/cifar-10-batches-bin`. `download=True` is accepted, and uses
    the files that are there.
    """

    # A record is one byte of label, then three planes of colour.
    PLANES = (3, 32, 32)
    RECORD = 1 + math.prod(PLANES)

    def __init__(
        self,
        root: Root,
        train: bool = True,
        transform: Step | None = None,
        target_transform: Step | None = None,
        download: bool = False,
    ) -> None:
        parts = [f"data_batch_{k}.bin" for k in range(1, 6)] if train else ["test_batch.bin"]
        names = ["batches.meta.txt", *parts]
        meta, *paths = _locate("CIFAR10", Path(root), "cifar-10-batches-bin", names, download)
        classes = _read(meta).decode().split()
        records = np.concatenate([self._read_records(path, len(classes)) for path in paths])
        images = records[:, 1:].reshape(-1, *self.PLANES).transpose(0, 2, 3, 1)
        images = np.ascontiguousarray(images)
        super().__init__(images, records[:, 0], classes, transform, target_transform)

    def _read_records(self, path: Path, classes: int) -> Bytes:
        data = np.frombuffer(_read(path), dtype=np.uint8)
        if len(data) % self.RECORD or not len(data):
            raise ValueError(
                f"{path} holds {len(data):,} bytes: it must hold whole records of {self.RECORD:,}; "
                "fetch the file again"
            )
        records = data.reshape(-1, self.RECORD)
        _check_labels(path, records[:, 0], classes)
        return records


def _locate(who: str, root: Path, folder: str, names: list[str], download: bool) -> list[Path]:
    """Each file, plain or gzipped, in the root or in the folder below it."""
    folders = [root, root / folder]
    found = [
        next((p for f in folders for p in (f / name, f / f"{name}.gz") if p.is_file()), None)
        for name in names
    ]
    missing = [name for name, path in zip(names, found, strict=True) if path is None]
    if missing:
        note = "; download=True never fetches anything here" if download else ""
        raise FileNotFoundError(
            f"{who} found no {', '.join(missing)}: put them into {folders[0]} or {folders[1]}, "
            f"as they are or gzipped (.gz){note}"
        )
    return [path for path in found if path is not None]


def _read(path: Path) -> bytes:
    raw = path.read_bytes()
    # By content, not by suffix: browsers unpack a .gz on the way and leave its name.
    if not raw.startswith(GZIP_MAGIC):
        return raw
    try:
        return gzip.decompress(raw)
    except (EOFError, OSError, zlib.error) as error:
        raise ValueError(f"{path} is broken gzip ({error}): fetch the file again") from error


def _read_idx(path: Path, axes: int, md5: str | None) -> Bytes:
    """An IDX file of bytes: a magic number, the size of each axis, the values."""
    data = _read(path)
    if md5 is not None:
        _verify(path, data, md5)
    magic, want = int.from_bytes(data[:4], "big"), IDX_MAGIC[axes]
    if magic != want:
        raise ValueError(
            f"{path} starts with 0x{magic:08x}: an IDX file of {axes} axes starts with 0x{want:08x}"
        )
    header = 4 + 4 * axes
    shape = [int.from_bytes(data[at : at + 4], "big") for at in range(4, header, 4)]
    if len(data) != header + math.prod(shape):
        raise ValueError(
            f"{path} is {len(data):,} bytes long: its header says {shape}, so it must be "
            f"{header + math.prod(shape):,}; fetch the file again"
        )
    return np.frombuffer(data, dtype=np.uint8, offset=header).reshape(shape)


def _verify(path: Path, data: bytes, want: str) -> None:
    got = hashlib.md5(data, usedforsecurity=False).hexdigest()
    if got != want:
        raise ValueError(
            f"{path} has MD5 {got}: MNIST's own has {want}; verify=False reads any data "
            "of this layout"
        )


def _check_labels(path: Path, labels: Bytes, classes: int) -> None:
    for item in np.flatnonzero(labels >= classes)[:1]:
        raise ValueError(
            f"{path} labels item {item} as {labels[item]}: labels must be 0 to {classes - 1}"
        )
