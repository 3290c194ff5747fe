"""The errors this package raises: each is caught by a handler written for PyTorch or for NumPy."""

from __future__ import annotations


class ShapeError(ValueError, RuntimeError):
    """Shapes or sizes do not fit."""


class DtypeError(TypeError, RuntimeError):
    """A dtype is unknown, or an operation is not defined for it."""


class GraphError(RuntimeError):
    """The recorded graph cannot give the derivative that was asked for."""
