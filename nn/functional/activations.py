"""Elementwise nonlinearities and softmaxes."""

from __future__ import annotations

from autograd_core import Tensor, ops

__all__ = ["log_softmax", "relu", "softmax"]

log_softmax = ops.log_softmax
softmax = ops.softmax


def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """max(x, 0)."""
    return input.relu_() if inplace else ops.relu(input)
