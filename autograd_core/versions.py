"""When arrays were overwritten: one clock orders the recording of nodes and in-place changes.

A storage is the ndarray that owns the memory; every view of it, `.data` and `detach()` included,
leads back to it through `ndarray.base`. Only storages that were overwritten at least once have
an entry, so a tensor that is never changed in place costs nothing here.
"""

from __future__ import annotations

import itertools
import weakref
import zlib
from collections.abc import Iterable
from typing import Any

import numpy as np

from .modes import peek

Array = np.ndarray[Any, np.dtype[Any]]

tick = itertools.count(1).__next__
latest = 0  # time of the last overwrite of any storage

_lines: dict[int, str] = {}  # id of an overwritten storage -> the user's line, while observed
_entries: dict[int, tuple[weakref.ref[Array], int, int]] = {}  # id -> owner, time, count


class ForeignArray(np.ndarray[Any, np.dtype[Any]]):
    """An array whose memory somebody else may write to: shared by `from_numpy` or DLPack.

    Slices of it are foreign too. A node that keeps one keeps its checksum beside it.
    """


def owner(array: Array) -> Array:
    """Return the array that owns the memory."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


def touch(array: Array) -> None:
    """Note that the storage of `array` has just been overwritten."""
    touch_all((array,))


def touch_all(arrays: Iterable[Array]) -> None:
    """Note that the storages of these arrays have just been overwritten, all at one time."""
    global latest
    latest = now = tick()
    observer = peek().observer
    for array in arrays:
        storage = array if array.base is None else owner(array)
        key = id(storage)
        entry = _entries.get(key)
        if entry is None:
            reference = weakref.ref(storage, lambda _, key=key: _forget(key))
            _entries[key] = (reference, now, 1)
        else:
            _entries[key] = (entry[0], now, entry[2] + 1)
        if observer is not None:
            _lines[key] = observer.user_line()


def _forget(key: int) -> None:
    _entries.pop(key, None)
    _lines.pop(key, None)


def overwritten_since(array: Array, time: int) -> bool:
    """Tell whether the storage of `array` was overwritten after `time`."""
    if latest <= time:
        return False
    entry = _entries.get(id(owner(array)))
    return entry is not None and entry[1] > time


def count(array: Array) -> int:
    """Return how often the storage of `array` was overwritten."""
    entry = _entries.get(id(owner(array)))
    return 0 if entry is None else entry[2]


def line_of_change(array: Array) -> str | None:
    """Return the line that overwrote the storage of `array` last, if that was observed."""
    return _lines.get(id(owner(array)))


def checksum(array: Array) -> int:
    """Return a checksum of the elements."""
    return zlib.crc32(np.ascontiguousarray(array).data)
