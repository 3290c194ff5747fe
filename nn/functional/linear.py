"""Linear and bilinear maps."""

from __future__ import annotations

from autograd_core import ShapeError, Tensor, einsum, ops

__all__ = ["bilinear", "linear", "squared_distances"]

linear = ops.linear


def bilinear(input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """y[o] = Σ_ij x1[i] A[o, i, j] x2[j] + b[o], for x1 (..., in1), x2 (..., in2), A (o, in1, in2).

    The axes of x1 and x2 but the last are equal.
    """
    shapes = tuple(input1.shape), tuple(input2.shape), tuple(weight.shape)
    first, second, table = shapes
    if len(table) != 3 or first[-1:] != table[1:2] or second[-1:] != table[2:]:
        raise ShapeError(
            f"bilinear got inputs of shapes {first} and {second} and a weight of shape {table}: "
            "the weight must be (out, last axis of the one, last axis of the other)"
        )
    if first[:-1] != second[:-1]:
        raise ShapeError(
            f"bilinear got inputs of shapes {first} and {second}: all axes but the last must agree"
        )
    y = einsum("...i,oij,...j->...o", input1, weight, input2)
    return y if bias is None else y + bias


def squared_distances(input: Tensor, points: Tensor) -> Tensor:
    """y[i] = Σ_j (x[j] - w[i, j])², for x (..., in) and w (out, in).

    The differences are made, and not x² - 2 x w + w², which loses digits where x is near w.
    """
    return (input.unsqueeze(-2) - points).square().sum(-1)
