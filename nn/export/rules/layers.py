"""Rules of products, convolutions, poolings, norms and resizing."""

from __future__ import annotations

import math
import string
from typing import Any

import numpy as np

from autograd_core.ops.windows import reach

from ..compared import Batch
from ..edges import Edge, NoForm
from .shapes import swapped


def linear(x: Edge, weight: Edge, bias: Edge | None) -> Edge:
    if x.ndim == 2 and weight.ndim == 2:
        return x.do("Gemm", weight, bias, transB=1)
    y = x.do("MatMul", swapped(weight, 0, 1) if weight.ndim == 2 else weight)
    return y if bias is None else y + bias


def contract(a: Edge, b: Edge, spec: Any) -> Edge:
    indices = dict.fromkeys(i for part in spec for i in part)
    letters = dict(zip(indices, string.ascii_letters, strict=False))
    first, second, result = ("".join(letters[i] for i in part) for part in spec)
    return a.do("Einsum", b, equation=f"{first},{second}->{result}")


def ends(padding: Any) -> list[int]:
    """Return the padding of all beginnings, then of all ends."""
    if any(n < 0 for pair in padding for n in pair):
        raise NoForm("it cuts off elements: its padding is negative")
    return [pair[side] for side in (0, 1) for pair in padding]


def whole(padding: Any) -> list[int]:
    """Return the padding of windows, of which none reaches into what is cut off at the end."""
    return ends([(low, max(high, 0)) for low, high in padding])


def conv(x: Edge, weight: Edge, bias: Edge | None, stride: Any, padding: Any, dilation: Any,
         groups: int) -> Edge:  # fmt: skip
    return x.do(
        "Conv", weight, bias, kernel_shape=weight.shape[2:], strides=stride, pads=ends(padding),
        dilations=dilation, group=groups,
    )  # fmt: skip


def conv_transpose(y_bar: Edge, weight: Edge, bias: Edge | None, size: Any, stride: Any,
                   padding: Any, dilation: Any, groups: int) -> Edge:  # fmt: skip
    spans = reach(weight.shape[2:], dilation)
    more = [
        n - ((m - 1) * s + span - sum(pair))
        for n, m, s, span, pair in zip(size, y_bar.shape[2:], stride, spans, padding, strict=True)
    ]
    return y_bar.do(
        "ConvTranspose", weight, bias, kernel_shape=weight.shape[2:], strides=stride,
        pads=ends(padding), dilations=dilation, group=groups, output_padding=more,
    )  # fmt: skip


def max_pool(x: Edge, kernel: Any, stride: Any, padding: Any, dilation: Any) -> list[Any]:
    values = x.do(
        "MaxPool", kernel_shape=kernel, strides=stride, pads=whole(padding), dilations=dilation
    )
    return [values, None]  # ONNX counts places through the batch, not within an image


def avg_pool(x: Edge, divisor: Any, kernel: Any, stride: Any, padding: Any) -> Edge:
    means = x.do(
        "AveragePool", kernel_shape=kernel, strides=stride, pads=whole(padding), count_include_pad=1
    )
    count = math.prod(kernel)
    if isinstance(divisor, Edge):
        return means * count / divisor.cast(x.dtype)
    return means if divisor == count else means * (count / divisor)


def adaptive_avg_pool(x: Edge, output: Any) -> Edge:
    if set(output) != {1}:
        raise NoForm(f"its windows, {tuple(output)} of {tuple(x.shape[2:])}, have several sizes")
    return x.do("GlobalAveragePool")


def standardize(x: Edge, weight: Any, bias: Any, mean: Any, var: Any, form: Any, eps: float,
                y: Edge) -> list[Any]:  # fmt: skip
    """Batch norm with known statistics, or layer norm; or else the formula of all norms."""
    if form.known:
        channels = (x.shape[1],)
        weight, bias = _filled(x, weight, 1.0, channels), _filled(x, bias, 0.0, channels)
        values = x.do("BatchNormalization", weight, bias, mean, var, epsilon=eps)
    elif form.kind == "layer_norm" and weight is not None:
        values = x.do("LayerNormalization", weight, bias, axis=-weight.ndim, epsilon=eps)
    else:
        values = _unit(x.reshape(form.shape), form, eps)
        values = values if weight is None else values * weight.reshape(form.affine)
        values = values if bias is None else values + bias.reshape(form.affine)
        values = values.reshape(y.shape)
    return [values, None, None]


def _unit(x: Edge, form: Any, eps: float) -> Edge:
    dims = x.ints(*form.dims)
    d = x - x.do("ReduceMean", dims) if form.centred else x
    return d / ((d * d).do("ReduceMean", dims) + eps).do("Sqrt")


def _filled(x: Edge, given: Edge | None, value: float, shape: Any) -> Edge:
    return x.graph.constant(np.full(shape, value, x.dtype)) if given is None else given


def resize(x: Edge, size: Any, mode: str, aligned: bool, scales: Any) -> Edge:
    if mode not in ("nearest", "linear"):
        raise NoForm(f"its mode {mode!r} has other weights there")
    if any(isinstance(n, Batch) for n in (*size, *x.shape[2:])):
        raise NoForm("its size depends on the size of the batch")
    exact = [n * (s or 0) == m for n, m, s in zip(x.shape[2:], size, scales, strict=True)]
    if not aligned and not all(exact) and any(scales):
        raise NoForm(f"its scales {scales} do not give its size {size} exactly")
    half = "align_corners" if aligned else "half_pixel"
    given: dict[str, Any] = {
        "coordinate_transformation_mode": "asymmetric" if mode == "nearest" else half
    }
    if mode == "nearest":
        given["nearest_mode"] = "floor"
    given |= {"mode": mode, "axes": list(range(2, x.ndim))}
    return x.do("Resize", None, None, x.ints(*size), **given)


RULES: dict[str, Any] = {
    "matmul": "MatMul",
    "mm": "MatMul",
    "linear": linear,
    "contract": contract,
    "conv": conv,
    "conv_transpose": conv_transpose,
    "max_pool": max_pool,
    "avg_pool": avg_pool,
    "adaptive_avg_pool": adaptive_avg_pool,
    "standardize": standardize,
    "resize": resize,
}
