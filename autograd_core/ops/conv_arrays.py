"""Convolutions of bare arrays, and which of them the kernels compute.

| operands                       | who                    | why                                |
|--------------------------------|------------------------|------------------------------------|
| float16                        | as float32             | rounds once                        |
| fewer than WORTH multiply-adds | columns and NumPy      | the first kernel takes 0.4 s to    |
|                                |                        | load, which small arrays do not pay|
| a kernel of 1, no padding, one | kernels/gemm.py        | a product of weight and sample     |
| group                          |                        |                                    |
| other float32, float64         | kernels/conv.py,       | reads windows where they lie: no   |
|                                | kernels/conv_weight.py | columns, 1.5 MB of work a thread   |
| - rows of images are long      | positions as vectors   | each place of the kernel sees      |
|                                |                        | neighbours (conv_plan.py)          |
| - they are short, channels not | channels as vectors    | fewer lanes wasted (_lanes_win)    |
| - a weight's gradient          | channels as vectors    | a sum over positions               |
| - the same, few channels       | positions as vectors   | fewer lanes wasted (_along_wins)   |
| anything else                  | columns and NumPy      | whole numbers                      |

Columns are what each window sees, one after the other (im2col); they are made for a few samples
at a time, 4 MiB or one sample, and multiplied by the weights. The weight's gradient is a product
only for samples of ADDED multiply-adds: one after the other brings its own.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from kernels import call
from kernels.follow import NONE
from kernels.threads import limit

from ..matrices import FLOATS, followed, multiply
from ..versions import Array
from ..workspaces import workspace
from .windows import Pairs, Sizes, add_windows, blocks, cropped, padded, positions, single, windows

__all__: list[str] = []

WORTH = 1 << 16  # multiply-adds
ADDED = 1 << 22


def forward(x: Array, weight: Array, bias: Array | None, stride: Sizes, padding: Pairs,
            dilation: Sizes, groups: int, follow: int = NONE) -> Array:  # fmt: skip
    """Slide the weight over x, add the bias, and apply what follows."""
    if x.dtype.char == "e":
        return single(forward, x, weight, bias, stride, padding, dilation, groups, follow)
    size = positions(x.shape[2:], weight.shape[2:], stride, padding, dilation)
    if _worth(x, weight, math.prod(size)):
        if _pointwise(weight.shape[2:], padding, groups):
            return _mix(_every(x, stride), weight.reshape(len(weight), -1), bias, follow)
        pads = tuple(low for low, _ in padding)
        return _slide("forward", x, weight, bias, size, stride, pads, dilation, groups, follow)
    y = _forward_by_columns(x, weight, bias, size, stride, padding, dilation, groups)
    return followed(y, follow)


def transposed(y: Array, weight: Array, bias: Array | None, size: Sizes, stride: Sizes,
               padding: Pairs, dilation: Sizes, groups: int) -> Array:  # fmt: skip
    """Add the weight, times each element of y, where `forward` saw it; and add the bias."""
    if y.dtype.char == "e":
        return single(transposed, y, weight, bias, size, stride, padding, dilation, groups)
    if _worth(y, weight, math.prod(y.shape[2:])):
        if _pointwise(weight.shape[2:], padding, groups):
            x = _mix(y, weight.reshape(len(weight), -1).T, bias)
            return _spread(x, bias, size, stride)
        pads = tuple(low for low, _ in padding)
        return _slide("transposed", y, weight, bias, size, stride, pads, dilation, groups)
    return _transposed_by_columns(y, weight, bias, size, stride, padding, dilation, groups)


def weight_gradient(x: Array, y: Array, kernel: Sizes, stride: Sizes, padding: Pairs,
                    dilation: Sizes, groups: int) -> Array:  # fmt: skip
    """Sum, for each place in the kernel, what `forward` saw there times what became of it."""
    if x.dtype.char == "e":
        return single(weight_gradient, x, y, kernel, stride, padding, dilation, groups)
    shape = (y.shape[1], x.shape[1] // groups, *kernel)
    if not _worth(x, np.broadcast_to(x.dtype.type(0), shape), math.prod(y.shape[2:])):
        return _weight_by_columns(x, y, shape, stride, padding, dilation, groups)
    if _pointwise(kernel, padding, groups) and math.prod((*shape, *y.shape[2:])) >= ADDED:
        return _mix_gradient(_every(x, stride), y).reshape(shape)
    from kernels import conv_weight

    x, y = _solid(x, len(kernel)), np.ascontiguousarray(y)
    pads = tuple(low for low, _ in padding)
    few = conv_weight.most_accumulators(math.prod(shape))
    plan = _plan("weight", x, shape, y.shape[2:], stride, pads, dilation, groups, few)
    weight = np.empty(shape, x.dtype)
    work, totals = workspace(
        x.dtype, (limit(), conv_weight.workspace(plan)), conv_weight.accumulators(plan, len(x))
    )
    call.correlate(
        x, y.reshape(*y.shape[:2], -1), weight.reshape(shape[0], -1), totals, plan.geometry,
        plan.far_x, plan.begins, plan.to, work,
    )  # fmt: skip
    return weight


def bias_gradient(g: Array) -> Array:
    """Sum over samples and positions: (n, c, *size) -> (c)."""
    if g.dtype not in FLOATS or g.size < WORTH:
        return np.add.reduce(g, (0, *range(2, g.ndim)))
    out = np.empty(g.shape[1], g.dtype)
    call.sum_channels(np.ascontiguousarray(g).reshape(*g.shape[:2], -1), out)
    return out


def _worth(x: Array, weight: Array, places: int) -> bool:
    """Whether the kernels compute it: x and weight of one floating dtype, and enough to do."""
    work = x.shape[0] * weight.size * places
    return work >= WORTH and x.dtype in FLOATS and weight.dtype == x.dtype


def _pointwise(kernel: Sizes, padding: Pairs, groups: int) -> bool:
    """Whether each result is a mix of the channels at one place."""
    return groups == 1 and set(kernel) == {1} and not np.any(padding)


def _every(x: Array, stride: Sizes) -> Array:
    """Return the places of x that are seen."""
    return np.ascontiguousarray(x[(..., *(slice(None, None, step) for step in stride))])


def _spread(x: Array, bias: Array | None, size: Sizes, stride: Sizes) -> Array:
    """Put x where it was seen, among places that have the bias alone."""
    if x.shape[2:] == size:
        return x
    whole = np.zeros((*x.shape[:2], *size), x.dtype)
    if bias is not None:
        whole += bias.reshape(-1, *(1,) * len(size))
    whole[(..., *(slice(None, None, step) for step in stride))] = x
    return whole


def _mix(x: Array, weight: Array, bias: Array | None, follow: int = NONE) -> Array:
    """follow(weight x[n] + bias): x (n, c, *size), weight (o, c), bias (o) -> (n, o, *size)."""
    n, c, *size = x.shape
    y = np.empty((n, len(weight), math.prod(size)), x.dtype)
    if bias is not None:
        y[:] = bias[:, None]
    columns = x.reshape(n, c, -1)
    multiply(
        np.broadcast_to(weight, (n, *weight.shape)), columns, y, None, bias is not None, follow
    )
    return y.reshape(n, len(weight), *size)


def _mix_gradient(x: Array, y: Array) -> Array:
    """The sum over n of y[n] x[n]ᵀ: x (n, c, *size), y (n, o, *size) -> (o, c)."""
    x, y = x.reshape(*x.shape[:2], -1), y.reshape(*y.shape[:2], -1)
    weight = np.zeros((1, y.shape[1], x.shape[1]), x.dtype)
    for n in range(len(x)):
        multiply(y[n : n + 1], x[n : n + 1].transpose(0, 2, 1), weight, add=n > 0)
    return weight


def _three(sizes: Sizes, filler: int = 1) -> tuple[int, int, int]:
    """Return three sizes, the missing ones in front."""
    a, b, c = (filler,) * (3 - len(sizes)) + tuple(sizes)
    return a, b, c


def _solid(x: Array, axes: int) -> Array:
    """Return x without gaps, with three spatial axes."""
    return np.ascontiguousarray(x).reshape(*x.shape[:2], *_three(x.shape[2:]))


def _plan(kind: str, x: Array, weight: Sizes, result: Sizes, stride: Sizes, pads: Sizes,
          dilation: Sizes, groups: int, fewest: int | None = None) -> Any:  # fmt: skip
    from kernels.conv_plan import FEWEST, plan

    inputs, outputs = weight[1], weight[0] // groups
    channels, rows = (outputs, inputs) if kind == "transposed" else (inputs, outputs)
    return plan(
        kind, len(x), channels, rows, groups, x.shape[2:], _three(result), _three(weight[2:]),
        _three(stride), _three(pads, 0), _three(dilation), fewest or FEWEST,
    )  # fmt: skip


def _slide(kind: str, x: Array, weight: Array, bias: Array | None, size: Sizes,
           stride: Sizes, pads: Sizes, dilation: Sizes, groups: int,
           follow: int = NONE) -> Array:  # fmt: skip
    x = _solid(x, len(size))
    plan = _plan(kind, x, weight.shape, size, stride, pads, dilation, groups)
    rows = weight.shape[1] * groups if kind == "transposed" else weight.shape[0]
    y = np.empty((len(x), rows, *size), x.dtype)
    work, panel = workspace(x.dtype, (limit(), plan.work), (1, plan.panel))
    nothing = np.empty(0, x.dtype)
    call.slide(
        x, np.ascontiguousarray(weight).reshape(-1),
        nothing if bias is None else np.ascontiguousarray(bias), _solid(y, len(size)),
        plan.geometry, plan.phases, plan.far_w, plan.far_x, work, panel[0],
        plan.at, plan.to, follow,
    )  # fmt: skip
    return y


def _matrices(weight: Array, groups: int) -> Array:
    """Return the weight as a matrix for each group: (groups, out / groups, c / groups k)."""
    out = weight.shape[0]
    return weight.reshape(groups, out // groups, math.prod(weight.shape[1:]))


def _forward_by_columns(x: Array, weight: Array, bias: Array | None, counts: Sizes, stride: Sizes,
                        padding: Pairs, dilation: Sizes, groups: int) -> Array:  # fmt: skip
    n, c = x.shape[:2]
    out, kernel = weight.shape[0], weight.shape[2:]
    y = np.empty((n, groups, out // groups, math.prod(counts)), x.dtype)
    rows, length = c * math.prod(kernel), math.prod(counts)
    for part in blocks(n, rows * length * x.itemsize):
        seen = windows(padded(x[part], padding), kernel, stride, dilation)
        columns = seen.reshape(len(seen), groups, rows // groups, length)
        np.matmul(_matrices(weight, groups), columns, out=y[part])
    if bias is not None:
        y += bias.reshape(groups, -1, 1)
    return y.reshape(n, out, *counts)


def _transposed_by_columns(y: Array, weight: Array, bias: Array | None, size: Sizes, stride: Sizes,
                           padding: Pairs, dilation: Sizes, groups: int) -> Array:  # fmt: skip
    n, out, *counts = y.shape
    c, kernel = weight.shape[1] * groups, weight.shape[2:]
    wide = (m + low + high for m, (low, high) in zip(size, padding, strict=True))
    x = np.zeros((n, c, *wide), y.dtype)
    flat = y.reshape(n, groups, out // groups, math.prod(counts))
    weights = _matrices(weight, groups).transpose(0, 2, 1)
    for part in blocks(n, c * math.prod(kernel) * math.prod(counts) * x.itemsize):
        columns = weights @ flat[part]
        add_windows(x[part], columns.reshape(-1, c, *kernel, *counts), stride, dilation)
    x = cropped(x, padding)
    if bias is not None:
        x += bias.reshape((1, -1) + (1,) * len(stride))
    return x


def _weight_by_columns(x: Array, y: Array, shape: Sizes, stride: Sizes, padding: Pairs,
                       dilation: Sizes, groups: int) -> Array:  # fmt: skip
    (n, c), out, kernel = x.shape[:2], shape[0], shape[2:]
    rows, length = c * math.prod(kernel), math.prod(y.shape[2:])
    weight = np.zeros((groups, out // groups, rows // groups), x.dtype)
    for part in blocks(n, rows * length * x.itemsize):
        seen = windows(padded(x[part], padding), kernel, stride, dilation)
        samples_last = (*range(1, 2 + len(kernel)), 0, *range(2 + len(kernel), seen.ndim))
        columns = seen.transpose(samples_last).reshape(groups, rows // groups, -1)
        g = y[part].reshape(-1, out, length).transpose(1, 0, 2)
        weight += g.reshape(groups, out // groups, -1) @ columns.transpose(0, 2, 1)
    return weight.reshape(shape)
