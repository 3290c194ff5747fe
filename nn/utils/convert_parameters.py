"""All parameters as one vector, and back."""

from __future__ import annotations

from collections.abc import Iterable

import autograd_core as ag
from autograd_core import ShapeError, Tensor


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """Join all elements into one vector; gradients flow back to the parameters."""
    return ag.cat([p.reshape(-1) for p in parameters])


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Set the parameters to the parts of a vector; they then share its memory."""
    if not isinstance(vec, Tensor):
        raise TypeError(f"vector_to_parameters got a {type(vec).__name__}: it needs a Tensor")
    targets = list(parameters)
    needed = sum(p.numel() for p in targets)
    if tuple(vec.shape) != (needed,):
        raise ShapeError(
            f"vector_to_parameters got a vector of shape {tuple(vec.shape)}: the parameters have "
            f"{needed} elements"
        )
    start = 0
    for parameter in targets:
        stop = start + parameter.numel()
        parameter.data = vec.detach()[start:stop].reshape(parameter.shape)
        start = stop
