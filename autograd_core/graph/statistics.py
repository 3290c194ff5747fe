"""What is said of an array in place of its elements."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

FEW = 16  # elements that are told one by one


class Statistics(NamedTuple):
    """Least, greatest, mean and root mean square of the finite elements; how many are not finite.

    The four are None where no element is finite. Of at most 16 elements `heat` holds each, in the
    order of memory, None for a NaN.
    """

    size: int
    min: float | None = None
    mean: float | None = None
    max: float | None = None
    rms: float | None = None
    nans: int = 0
    infs: int = 0
    heat: tuple[float | None, ...] = ()

    @property
    def item(self) -> float | None:
        """The number, where there is exactly one."""
        if self.size != 1:
            return None
        return math.nan if self.heat[0] is None else self.heat[0]

    @property
    def finite(self) -> bool:
        """Whether every element is."""
        return not self.nans and not self.infs


def of_number(x: float) -> Statistics:
    """Return the statistics of one number."""
    if math.isfinite(x):
        return Statistics(1, x, x, x, abs(x), heat=(x,))
    if math.isnan(x):
        return Statistics(1, nans=1, heat=(None,))
    return Statistics(1, infs=1, heat=(x,))


def of_array(array: Any) -> Statistics:
    """Return the statistics of an array; of several, as if they were one."""
    if isinstance(array, (tuple, list)):
        array = np.concatenate([np.ravel(a) for a in _numeric(array)])
    array = np.asarray(array)
    if array.size == 1:
        return of_number(float(array.reshape(-1)[0]))
    if array.size == 0:
        return Statistics(0)
    heat = ()
    if array.size <= FEW:
        heat = tuple(None if math.isnan(x) else x for x in map(float, array.ravel().tolist()))
    known = array
    if array.dtype.kind == "f" and not (finite := np.isfinite(array)).all():
        known = array[finite]
    missing = array.size - known.size
    nans = int(np.isnan(array).sum()) if missing else 0
    least, mean, greatest, rms = _moments(known)
    return Statistics(array.size, least, mean, greatest, rms, nans, missing - nans, heat)


def _numeric(arrays: Sequence[Any]) -> list[Any]:
    """Leave out indices, which stand beside values in results such as max's."""
    floating = [a for a in arrays if np.asarray(a).dtype.kind == "f"]
    return floating or list(arrays)


def _moments(array: Any) -> tuple[float | None, ...]:
    """Return least, mean, greatest and RMS, without overflow of the squares."""
    if not array.size:
        return None, None, None, None
    least, greatest = float(array.min()), float(array.max())
    largest = max(abs(least), abs(greatest))
    if largest in (0.0, math.inf):
        return least, 0.0, greatest, largest
    scaled = np.divide(array, largest, dtype=np.float64).ravel()
    mean = float(scaled.mean()) * largest
    return least, mean, greatest, math.sqrt(float(scaled @ scaled) / scaled.size) * largest
