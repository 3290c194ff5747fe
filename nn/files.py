"""Values by name in files, .safetensors or .npz: PyTorch's names and layouts, never a pickle.

A save is all or nothing: the bytes go to a new file in the same folder, which takes the old one's
place when they are on the disk. A file carries checksums, and what does not agree is not loaded.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, cast

import numpy as np

import autograd_core as ag
from autograd_core import Tensor
from autograd_core.dtypes import KNOWN
from autograd_core.versions import Array

from .module import Module
from .state import StateError

Arrays = dict[str, Array]
PathLike = str | os.PathLike[str]

CHECKSUM = "sha256"  # its name in the metadata of .safetensors, and in the comment of .npz


class FileError(StateError):
    """A file holds no values that could be loaded, or values have no place in a file."""


def save(values: Module | Mapping[str, Any], path: PathLike) -> None:
    """Write a module's state_dict(), or tensors and arrays by name, to a .safetensors or .npz file.

    Where that fails, whatever stood at `path` before still stands there.
    """
    kind = Path(path).suffix
    if kind not in ENCODERS:
        raise FileError(
            f"save got the path {os.fspath(path)!r}: it must end in .safetensors or .npz"
        )
    state = values.state_dict() if isinstance(values, Module) else values
    arrays = {name: _array(name, value) for name, value in state.items()}
    write_atomically(Path(path), ENCODERS[kind](arrays))


def load(path: PathLike, model: Module | None = None, strict: bool = True) -> dict[str, Tensor]:
    """Return the tensors of a .safetensors or .npz file by name; put them into a model too.

    Where anything is wrong with the file, or does not fit the model, nothing changes. Tensors in
    bfloat16, which NumPy has not, are read as float32.
    """
    path = Path(path)
    raw = path.read_bytes()
    try:
        arrays = _decoder(path, raw)(raw)
        state = {name: ag.tensor(arrays[name]) for name in sorted(arrays)}
        if model is not None:
            model.load_state_dict(state, strict)
    except ImportError:
        raise
    except Exception as error:  # damaged bytes may raise anything in those who read them
        raise FileError(f"{path} was not loaded: {error}") from error
    return state


def write_atomically(path: Path, raw: bytes) -> None:
    """Write a file that appears complete or not at all, whatever dies."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(raw)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, _permissions(path))
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _permissions(path: Path) -> int:
    """Return those of the file that stands there, or what a new file gets."""
    if path.exists():
        return path.stat().st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def _sync_folder(folder: Path) -> None:
    """Put the new name on the disk too, where the system lets a folder be opened."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _array(name: str, value: Any) -> Array:
    """Return a value as an array whose memory is in order, as files want it."""
    if not isinstance(name, str) or not name:
        raise FileError(f"save got the name {name!r}: names must be strings that are not empty")
    if not isinstance(value, (Tensor, np.ndarray)):
        raise FileError(
            f"save got a {type(value).__name__} as {name!r}: it needs tensors or arrays"
        )
    array = value.detach().numpy() if isinstance(value, Tensor) else cast("Array", value)
    if array.dtype not in KNOWN:
        raise FileError(f"save got {array.dtype} as {name!r}: it needs numbers or booleans")
    # safetensors writes memory as it lies, in whatever order. (ascontiguousarray has no shape ().)
    return np.asarray(array, order="C")


# What the two kinds of file are.


def _library(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError as error:
        message = '.safetensors files need safetensors: pip install "autograd-core[files]"'
        raise ImportError(message) from error


def _checksum(arrays: Arrays) -> str:
    """Return a digest of names, dtypes, shapes and elements, in the order of the names."""
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = arrays[name]
        digest.update(f"{len(name)} {name} {array.dtype} {array.shape}".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def _verify(arrays: Arrays, checksum: str | None) -> None:
    """Compare with the checksum, which files that others wrote have not."""
    if checksum is not None and checksum != _checksum(arrays):
        raise FileError("its checksum does not agree: it was damaged after it was written")


def _to_safetensors(arrays: Arrays) -> bytes:
    return _library("safetensors.numpy").save(arrays, {"format": "pt", CHECKSUM: _checksum(arrays)})


_DTYPES = {
    "F16": ag.float16, "F32": ag.float32, "F64": ag.float64, "U8": ag.uint8, "I8": ag.int8,
    "I16": ag.int16, "I32": ag.int32, "I64": ag.int64, "BOOL": ag.bool,
}  # fmt: skip


def _from_safetensors(raw: bytes) -> Arrays:
    read = _library("safetensors").deserialize(raw)
    stored = {name: _stored(name, tensor["dtype"], tensor) for name, tensor in read}
    length = int.from_bytes(raw[:8], "little")
    metadata = json.loads(raw[8 : 8 + length]).get("__metadata__", {})
    _verify(stored, metadata.get(CHECKSUM))
    return stored


def _stored(name: str, kind: str, tensor: Mapping[str, Any]) -> Array:
    """Return one tensor of a file; bfloat16 is the upper half of float32."""
    shape = tuple(tensor["shape"])
    if kind == "BF16":
        halves = np.frombuffer(tensor["data"], np.uint16).astype(np.uint32)
        return (halves << 16).view(np.float32).reshape(shape)
    if kind not in _DTYPES:
        known = ", ".join(_DTYPES)
        raise FileError(f"{name} is stored as {kind}: it must be BF16 or one of {known}")
    return np.frombuffer(tensor["data"], _DTYPES[kind]).reshape(shape)


def _to_npz(arrays: Arrays) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:  # np.savez has names that it keeps for itself
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
                np.lib.format.write_array(file, array, allow_pickle=False)
        archive.comment = f"{CHECKSUM} {_checksum(arrays)}".encode()
    return buffer.getvalue()


def _from_npz(raw: bytes) -> Arrays:
    with np.load(io.BytesIO(raw), allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files}
        comment = archive.zip.comment.decode("latin-1")
    for name, array in cast("dict[str, Any]", arrays).items():
        if isinstance(array, bytes):
            raise FileError(f"{name} is no array: the file is a zip archive, but not .npz")
        if array.dtype not in KNOWN:
            raise FileError(f"{name} holds {array.dtype}: it must hold numbers or booleans")
    kind, _, checksum = comment.partition(" ")
    _verify(arrays, checksum if kind == CHECKSUM else None)
    return arrays


ENCODERS: dict[str, Callable[[Arrays], bytes]] = {
    ".safetensors": _to_safetensors,
    ".npz": _to_npz,
}


def _decoder(path: Path, raw: bytes) -> Callable[[bytes], Arrays]:
    """Return what reads a file, going by its first bytes and not by its name."""
    if raw[:4] == b"PK\x03\x04":
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            names = archive.namelist()
        if any(Path(name).name == "data.pkl" for name in names):
            raise _is_a_pickle(path)
        return _from_npz
    # .safetensors begins with a length in 8 bytes, then JSON; it may begin as a pickle does.
    if raw[:1] == b"\x80" and raw[8:9] != b"{":
        raise _is_a_pickle(path)
    return _from_safetensors


def _is_a_pickle(path: Path) -> FileError:
    return FileError(
        "it is a pickle, as torch.save writes it, which could run any code. Where PyTorch is "
        "installed, and you trust the file, convert it with\n"
        "    import torch, safetensors.torch\n"
        f'    state = torch.load("{path}", map_location="cpu", weights_only=True)\n'
        "    state = {name: x.clone().contiguous() for name, x in state.items()}\n"
        f'    safetensors.torch.save_file(state, "{path.with_suffix(".safetensors")}")'
    )
