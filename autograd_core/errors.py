"""The errors this package raises: each is caught by a handler written for PyTorch or for NumPy."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np


class ShapeError(ValueError, RuntimeError):
    """Shapes or sizes do not fit."""


class DtypeError(TypeError, RuntimeError):
    """A dtype is unknown, or an operation is not defined for it."""


class LinAlgError(np.linalg.LinAlgError, RuntimeError):
    """A matrix is singular, not positive-definite, or has no factors."""


class GraphError(RuntimeError):
    """The recorded graph cannot give the derivative that was asked for."""


def blamed(who: str, operands: Iterable[Any], error: Exception) -> Exception:
    """Return an error of a composition with its name and the shapes it got, said once."""
    if getattr(error, "explained", False):
        return error
    shapes = [str(tuple(x.shape)) for x in _flat(operands) if hasattr(x, "shape")]
    noun = "shapes" if len(shapes) > 1 else "shape"
    got = f" got {noun} {' and '.join(shapes)}" if shapes else ""
    ours: dict[type[Exception], type[Exception]] = {ValueError: ShapeError, TypeError: DtypeError}
    kind = ours.get(type(error), type(error))
    try:
        better = kind(f"{who}{got}: {error}")
    except TypeError:  # a kind of error that wants more than its text
        return error
    better.explained = True  # pyright: ignore[reportAttributeAccessIssue]
    return better


def _flat(operands: Iterable[Any]) -> Iterator[Any]:
    for x in operands:
        yield from x if isinstance(x, (tuple, list)) else (x,)
