"""What may be asked of a tensor by a function as well as by a method."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .recording import Traced

if TYPE_CHECKING:
    from ._tensor import Tensor

__all__ = ["is_floating_point", "is_tensor", "numel"]


def is_tensor(x: Any) -> bool:
    """Tell whether x is a Tensor."""
    return isinstance(x, Traced)


def is_floating_point(input: Tensor) -> bool:
    """Tell whether gradients can flow through it."""
    return input.is_floating_point()


def numel(input: Tensor) -> int:
    """Return the number of elements."""
    return input.numel()
