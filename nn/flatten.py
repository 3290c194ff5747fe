"""Layers that only change the shape."""

from __future__ import annotations

from collections.abc import Sequence

from autograd_core import Tensor

from .module import Module


class Flatten(Module):
    """Join the axes from start_dim to end_dim: (N, C, H, W) becomes (N, C H W)."""

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__()
        self.start_dim = start_dim
        self.end_dim = end_dim

    def forward(self, input: Tensor) -> Tensor:
        return input.flatten(self.start_dim, self.end_dim)

    def extra_repr(self) -> str:
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"


class Unflatten(Module):
    """Split one axis into several: with dim=1 and unflattened_size (C, H, W), (N, C H W) into
    (N, C, H, W). One of the sizes may be -1, and is what is left.
    """

    def __init__(self, dim: int, unflattened_size: Sequence[int]) -> None:
        super().__init__()
        sizes = tuple(unflattened_size) if isinstance(unflattened_size, Sequence) else None
        if sizes is None or not all(isinstance(n, int) for n in sizes):
            raise TypeError(
                f"Unflatten got unflattened_size={unflattened_size!r}: it must be a tuple of ints"
            )
        if not isinstance(dim, int):
            raise TypeError(f"Unflatten got dim={dim!r}: it must be an int; axes have no names")
        self.dim = dim
        self.unflattened_size = sizes

    def forward(self, input: Tensor) -> Tensor:
        return input.unflatten(self.dim, self.unflattened_size)

    def extra_repr(self) -> str:
        return f"dim={self.dim}, unflattened_size={self.unflattened_size}"
