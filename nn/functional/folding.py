"""Windows as columns, and columns as windows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from autograd_core import ShapeError
from autograd_core.op import aliased
from autograd_core.ops.columns import col2im, im2col
from autograd_core.ops.windows import Pairs, Sizes, batched, check_fit, numbers, positions

__all__ = ["fold", "unfold"]

Count = int | Sequence[int]


def _geometry(
    kernel_size: Count, stride: Count, padding: Count, dilation: Count
) -> tuple[Sizes, Sizes, Pairs, Sizes]:
    edges = numbers("padding", padding, 2, 0)
    return (
        numbers("kernel_size", kernel_size, 2, 1),
        numbers("stride", stride, 2, 1),
        tuple((p, p) for p in edges),
        numbers("dilation", dilation, 2, 1),
    )


@aliased
def unfold(
    x: Any, kernel_size: Count, dilation: Count = 1, padding: Count = 0, stride: Count = 1
) -> Any:
    """What each window of x (n, c, h, w) or (c, h, w) sees: (n, c kh kw, windows)."""
    x, alone = batched(x, 2)
    kernel, steps, pairs, gaps = _geometry(kernel_size, stride, padding, dilation)
    check_fit(tuple(x.shape[2:]), kernel, pairs, gaps)
    y = im2col(x, kernel, steps, pairs, gaps)
    return y[0] if alone else y


@aliased
def fold(
    x: Any,
    output_size: Count,
    kernel_size: Count,
    dilation: Count = 1,
    padding: Count = 0,
    stride: Count = 1,
) -> Any:
    """Columns (n, c kh kw, windows) added into images (n, c, *output_size); see unfold."""
    if len(x.shape) not in (2, 3):
        raise ShapeError("it must have the axes (n, c kh kw, windows) or (c kh kw, windows)")
    alone = len(x.shape) == 2
    kernel, steps, pairs, gaps = _geometry(kernel_size, stride, padding, dilation)
    size = numbers("output_size", output_size, 2, 1)
    check_fit(size, kernel, pairs, gaps)
    if x.shape[-2] % math.prod(kernel):
        raise ShapeError(f"a kernel of {kernel} does not divide its {x.shape[-2]} rows")
    windows = math.prod(positions(size, kernel, steps, pairs, gaps))
    if x.shape[-1] != windows:
        raise ShapeError(f"it has {x.shape[-1]} columns for {windows} windows in {size}")
    y = col2im(x[None] if alone else x, size, kernel, steps, pairs, gaps)
    return y[0] if alone else y
