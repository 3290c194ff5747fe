"""Normalizations of bare arrays, and which of them the kernels compute.

| x                            | who              | why                                          |
|------------------------------|------------------|----------------------------------------------|
| float16                      | as float32       | rounds once                                  |
| fewer than WORTH elements    | NumPy in float64 | the first kernel takes 0.4 s to load; digits |
|                              |                  | survive beside a large mean                  |
| float32, float64             | kernels/*_norm.py | one pass for the statistics, one for y; the  |
|                              |                  | three cotangents together                    |

Mean and 1/√(var + eps) are float64 in any case, with the normalized axes as axes of one element.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from kernels import call

from ..versions import Array
from ..workspaces import workspace
from .shape import Shape, add_reduce

__all__: list[str] = []

WORTH = 1 << 12  # elements
# Elements of a channel up to which those of a group are rows of a layer norm, and in its gradient.
SHORT, SHORTER = 128, 16


class Form(NamedTuple):
    """Which numbers are normalized together, and which share a scale and a shift.

    x in `shape` is normalized over `dims`; weight and bias in the shape `affine` broadcast to it.
    """

    kind: str
    shape: Shape
    dims: Shape
    affine: Shape
    known: bool = False  # mean and var are given, and do not depend on x

    @property
    def centred(self) -> bool:
        return self.kind != "rms_norm"

    @property
    def together(self) -> int:
        return math.prod(self.shape[d] for d in self.dims)

    @property
    def kept(self) -> Shape:
        """The shape of the statistics."""
        return tuple(1 if d in self.dims else n for d, n in enumerate(self.shape))


def by_channels(shape: Shape, known: bool = False) -> Form:
    """Each channel of (n, c, ...) over samples and positions."""
    n, c, *rest = shape
    return Form("batch_norm", (n, c, math.prod(rest)), (0, 2), (c, 1), known)


def by_groups(kind: str, shape: Shape, groups: int) -> Form:
    """Each group of channels of each sample of (n, c, ...)."""
    n, c, *rest = shape
    return Form(kind, (n, groups, c // groups, math.prod(rest)), (2, 3), (groups, c // groups, 1))


def by_rows(kind: str, shape: Shape, axes: int) -> Form:
    """The last axes, for each place along those before."""
    split = len(shape) - axes
    rows, width = math.prod(shape[:split]), math.prod(shape[split:])
    return Form(kind, (rows, width), (1,), (width,))


def forward(
    x: Array, weight: Array | None, bias: Array | None, mean: Any, var: Any, form: Form, eps: float
) -> tuple[Array, Array, Array]:
    """Return (x - mean) / √(var + eps) weight + bias, the mean and 1/√(var + eps)."""
    if x.dtype.char == "e":
        vectors = _wide(weight), _wide(bias), mean, var
        y, mean, rstd = forward(_wide(x), *vectors, form, eps)
        return y.astype(np.float16), mean, rstd
    if x.size < WORTH:
        return _forward_small(x, weight, bias, mean, var, form, eps)
    w, b = _vector(weight, x), _vector(bias, x)
    y, x = np.empty(x.shape, x.dtype), _solid(x, form, SHORT)
    out, stats = y.reshape(x.shape), np.empty((3, math.prod(form.kept)))
    if form.known:
        stats[0], stats[2] = mean, 1.0 / np.sqrt(var + np.float64(eps))
    if len(form.shape) == 3:
        call.batch_norm(x, w, b, eps, out, stats, _columns(form, x.dtype), not form.known)
        stats = stats[::2]
    elif x.ndim == 3:
        call.group_norm(x, w, b, eps, out, stats[:2])
    else:
        w, b = _of_elements(w, form), _of_elements(b, form)
        if b.size and not w.size:  # the kernel shifts only what it scales
            w = np.ones_like(b)
        call.layer_norm(x, w, b, eps, form.centred, out, stats[:2])
    return y, stats[0].reshape(form.kept), stats[1].reshape(form.kept)


def pull(
    g: Array, mean: Array, rstd: Array, x: Array, weight: Array | None, affine: bool, form: Form
) -> tuple[Array, Array, Array]:
    """Return the cotangents of x and, if asked for (affine), of weight and bias, as vectors."""
    if x.dtype.char == "e":
        wide = _wide(g), mean, rstd, _wide(x), _wide(weight)
        dx, dweight, dbias = pull(*wide, affine, form)
        return dx.astype(np.float16), dweight, dbias
    if x.size < WORTH or g.dtype != x.dtype:
        return _pull_small(g, mean, rstd, x, weight, form)
    width = math.prod(form.affine) if affine or weight is not None else 0
    w = np.ones(width, x.dtype) if width and weight is None else _vector(weight, x)
    stats = np.empty((3, mean.size))
    stats[0], stats[1], stats[2] = mean.reshape(-1), rstd.reshape(-1), rstd.reshape(-1)
    dx, x, g = np.empty(x.shape, x.dtype), _solid(x, form, SHORTER), _solid(g, form, SHORTER)
    out = dx.reshape(x.shape)
    if len(form.shape) == 3:
        dweight, dbias = np.empty((2, x.shape[1]))
        work = _columns(form, x.dtype)
        call.batch_norm_vjp(g, x, stats, w, out, dweight, dbias, work, not form.known)
        return dx, dweight, dbias
    if x.ndim == 2:
        w = _of_elements(w, form)
        dweight, dbias = np.empty((2, w.size))
        work = _row_sums(x, w)
        call.layer_norm_vjp(g, x, stats[:2], w, form.centred, out, dweight, dbias, work)
        if w.size > width:  # gradients of elements, each width of them of one channel
            dweight, dbias = (_sum(a.reshape(width, -1), (1,)) for a in (dweight, dbias))
            return dx, dweight.reshape(-1), dbias.reshape(-1)
    else:
        dweight, dbias = np.empty((2, width))
        (sums,) = workspace(stats.dtype, (2, x.shape[0] * x.shape[1]))
        sums = sums.reshape(2, *x.shape[:2])
        call.group_norm_vjp(g, x, stats[:2], w, out, dweight, dbias, sums)
    return dx, dweight, dbias


def _of_elements(vector: Array, form: Form) -> Array:
    """Return the weight of each channel as one for each of its elements."""
    return np.repeat(vector, form.shape[3]) if len(form.shape) == 4 else vector


def _row_sums(x: Array, weight: Array) -> Array:
    """Return the work array of the gradient of layer_norm."""
    from kernels.layer_norm import layer_norm_work

    rows, n = x.shape
    chunks, two, width = layer_norm_work(rows, n, weight.size)
    return workspace(x.dtype, (chunks * two, width))[0].reshape(chunks, two, width)


def _sum(x: Array, axes: Shape) -> Array:
    return add_reduce(x, axes, None, None, True)


def _forward_small(
    x: Array, weight: Any, bias: Any, mean: Any, var: Any, form: Form, eps: float
) -> tuple[Array, Array, Array]:
    wide = x.reshape(form.shape).astype(np.float64)
    count = max(1, form.together)
    if form.known:
        mean, var = (a.reshape(form.kept).astype(np.float64) for a in (mean, var))
        wide -= mean
    else:
        mean = _sum(wide, form.dims) / count if form.centred else np.zeros(form.kept)
        wide -= mean
        var = _sum(wide * wide, form.dims) / count
    rstd = 1.0 / np.sqrt(var + eps)
    wide *= rstd
    if weight is not None:
        wide *= weight.reshape(form.affine)
    if bias is not None:
        wide += bias.reshape(form.affine)
    return wide.astype(x.dtype).reshape(x.shape), mean, rstd


def _pull_small(
    g: Array, mean: Array, rstd: Array, x: Array, weight: Array | None, form: Form
) -> tuple[Array, Array, Array]:
    unit = (x.reshape(form.shape) - mean) * rstd
    g = g.reshape(form.shape).astype(np.float64)
    along = g * unit
    h, hu = (a if weight is None else a * weight.reshape(form.affine) for a in (g, along))
    count = max(1, form.together)
    dx = h * rstd
    if not form.known:
        dx -= unit * (rstd / count * _sum(hu, form.dims))
        dx -= rstd / count * _sum(h, form.dims) if form.centred else 0.0
    affine = (1,) * (g.ndim - len(form.affine)) + form.affine
    shared = tuple(d for d, n in enumerate(affine) if n == 1)
    dweight, dbias = _sum(along, shared), _sum(g, shared)
    return dx.astype(x.dtype).reshape(x.shape), dweight.reshape(-1), dbias.reshape(-1)


def _wide(x: Any) -> Any:
    return None if x is None else x.astype(np.float32)


def _vector(vector: Array | None, like: Array) -> Array:
    """Return a weight or bias as the kernels take it: without gaps and axes, or empty."""
    if vector is None:
        return np.empty(0, like.dtype)
    return np.ascontiguousarray(vector).reshape(-1)


def _cube(form: Form, short: int) -> Shape:
    """Return the shape in which kernels see x: groups of all samples in one axis.

    And groups of short channels are rows, whose every element has a weight.
    """
    if len(form.shape) < 4:
        return form.shape
    n, groups, channels, size = form.shape
    if size < short:
        return n * groups, channels * size
    return n * groups, channels, size


def _solid(x: Array, form: Form, short: int) -> Array:
    return np.ascontiguousarray(x if x.flags.aligned else x.copy()).reshape(_cube(form, short))


def _columns(form: Form, dtype: Any) -> Array:
    """Return the work array of the batch norms."""
    from kernels.batch_norm import batch_norm_work

    return workspace(dtype, batch_norm_work(*form.shape[1:]))[0]
