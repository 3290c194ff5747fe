"""Convolution kernels: against their twins, the path by columns, and themselves on more threads."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import kernels
import kernels.follow
from autograd_core.ops import conv_arrays
from autograd_core.ops.windows import positions
from kernels.conv_plan import plan
from tests.kernels.test_threads import run

Array = np.ndarray[Any, np.dtype[Any]]
Geometry = dict[str, Any]
DTYPES = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def geometry(rng: np.random.Generator, axes: int, largest: int = 12) -> Geometry:
    """Sizes of a convolution that fits, with padding that differs before and after."""
    groups = int(rng.choice([1, 1, 2, 3]))
    kernel, stride, dilation = (tuple(int(n) for n in rng.integers(1, m, axes)) for m in (5, 4, 3))
    padding = tuple((int(a), int(b)) for a, b in rng.integers(0, 4, (axes, 2)))
    least = [
        max(1, d * (k - 1) + 1 - low - high)
        for k, d, (low, high) in zip(kernel, dilation, padding, strict=True)
    ]
    size = tuple(int(rng.integers(n, max(n + 1, largest))) for n in least)
    return {
        "shape": (int(rng.integers(1, 4)), groups * int(rng.integers(1, 6)), *size),
        "weight": (groups * int(rng.choice([1, 2, 3, 7, 14, 15, 33])), *kernel),
        "stride": stride, "padding": padding, "dilation": dilation, "groups": groups,
    }  # fmt: skip


def operands(g: Geometry, rng: np.random.Generator, dtype: Any) -> tuple[Array, ...]:
    """x, weight, bias and a cotangent of the result."""
    (n, c, *size), (out, *kernel) = g["shape"], g["weight"]
    counts = positions(tuple(size), tuple(kernel), g["stride"], g["padding"], g["dilation"])
    shapes = (n, c, *size), (out, c // g["groups"], *kernel), (out,), (n, out, *counts)
    return tuple(rng.standard_normal(shape).astype(dtype) for shape in shapes)


def all_three(g: Geometry, x: Array, weight: Array, bias: Array, y_bar: Array) -> list[Array]:
    """The result, and what it pulls back to x and to the weight."""
    rest = g["stride"], g["padding"], g["dilation"], g["groups"]
    return [
        conv_arrays.forward(x, weight, bias, *rest),
        conv_arrays.transposed(y_bar, weight, None, x.shape[2:], *rest),
        conv_arrays.weight_gradient(x, y_bar, weight.shape[2:], *rest),
    ]


@pytest.mark.parametrize("axes", [1, 2, 3])
@DTYPES
def test_kernels_agree_with_columns(
    axes: int, dtype: Any, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(40 if axes < 3 else 15):
        g = geometry(rng, axes, 12 if axes < 3 else 7)
        given = operands(g, rng, dtype)
        monkeypatch.setattr(conv_arrays, "WORTH", 0)
        ours = all_three(g, *given)
        monkeypatch.setattr(conv_arrays, "WORTH", 1 << 60)
        columns = all_three(g, *(x.astype(np.float64) for x in given))
        for a, b in zip(ours, columns, strict=True):
            bound = 50 * np.finfo(dtype).eps * max(1.0, np.abs(b).max())
            np.testing.assert_allclose(a, b, rtol=0, atol=bound, err_msg=str(g))


@DTYPES
def test_kernels_agree_with_their_twins(
    dtype: Any, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conv_arrays, "WORTH", 0)
    for axes in (1, 2, 3):
        for _ in range(3):
            g = geometry(rng, axes, 5)
            given = operands(g, rng, dtype)
            fast = all_three(g, *given)
            with kernels.naive_kernels():
                naive = all_three(g, *given)
            for a, b in zip(fast, naive, strict=True):
                np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-4, err_msg=str(g))


@pytest.mark.parametrize("follow", ["RELU", "TANH", "SIGMOID"])
def test_what_follows_is_applied_to_every_result(
    follow: str, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    apply: Any = {
        "RELU": lambda y: np.maximum(y, 0),
        "TANH": np.tanh,
        "SIGMOID": lambda y: 1 / (1 + np.exp(-y)),
    }[follow]
    monkeypatch.setattr(conv_arrays, "WORTH", 0)
    forward: Any = conv_arrays.forward
    large: Geometry = {
        "shape": (2, 8, 150, 300), "weight": (5, 3, 3), "stride": (1, 1),
        "padding": ((1, 1), (1, 1)), "dilation": (1, 1), "groups": 1,
    }  # fmt: skip
    pointwise = large | {"weight": (5, 1, 1), "padding": ((0, 0), (0, 0))}
    for g in (*(geometry(rng, axes, 9) for axes in (1, 1, 2, 2, 2, 3)), large, pointwise):
        x, w, bias, _ = operands(g, rng, np.float64)
        rest = x, w, bias, g["stride"], g["padding"], g["dilation"], g["groups"]
        plain = forward(*rest)
        fused = forward(*rest, getattr(kernels.follow, follow))
        np.testing.assert_allclose(fused, apply(plain), rtol=1e-12, atol=1e-12, err_msg=str(g))


def test_sums_of_channels_agree_with_their_twin(rng: np.random.Generator) -> None:
    for shape in ((1, 1, 1), (3, 5, 7), (2, 3, 200), (0, 2, 3), (2, 3, 0)):
        x = rng.standard_normal(shape)
        fast, naive = np.empty(shape[1]), np.empty(shape[1])
        kernels.call.sum_channels(x, fast)
        with kernels.naive_kernels():
            kernels.call.sum_channels(x, naive)
        np.testing.assert_allclose(fast, naive, rtol=1e-12, atol=1e-12)


@DTYPES
def test_kernels_of_one_element_are_products(
    dtype: Any, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conv_arrays, "WORTH", 0)
    shapes = ((3, 5, 7), 4, 1), ((2, 3, 4, 5), 1, 2), ((2, 33, 3, 5, 4), 40, 1), ((2, 3, 9), 2, 3)
    for shape, out, stride in shapes:
        axes = len(shape) - 2
        g: Geometry = {
            "shape": shape, "weight": (out, *(1,) * axes), "stride": (stride,) * axes,
            "padding": ((0, 0),) * axes, "dilation": (1,) * axes, "groups": 1,
        }  # fmt: skip
        x, w, bias, y_bar = given = operands(g, rng, dtype)
        plain, seen = w.reshape(out, -1), (..., *(slice(None, None, stride),) * axes)
        mixed = np.einsum("oc,nc...->no...", plain, x[seen]) + bias.reshape(-1, *(1,) * axes)
        pulled = np.zeros_like(x)
        pulled[seen] = np.einsum("oc,no...->nc...", plain, y_bar)
        flat = (a.reshape(*a.shape[:2], -1) for a in (y_bar, x[seen]))
        weight = np.einsum("nop,ncp->oc", *flat).reshape(w.shape)
        for most in (0, 1 << 60):
            monkeypatch.setattr(conv_arrays, "ADDED", most)
            for a, b in zip(all_three(g, *given), (mixed, pulled, weight), strict=True):
                np.testing.assert_allclose(a, b, rtol=2e-4, atol=2e-4)


def test_bands_of_a_large_image_join(rng: np.random.Generator) -> None:
    """An image whose stage would be too large is cut into bands."""
    for shape, weight in (((1, 8, 300, 300), (5, 3, 3)), ((1, 64, 9000), (6, 5))):
        axes = len(weight) - 1
        g: Geometry = {
            "shape": shape, "weight": weight, "stride": (1,) * axes, "padding": ((1, 1),) * axes,
            "dilation": (1,) * axes, "groups": 1,
        }  # fmt: skip
        x, w, bias, y_bar = operands(g, rng, np.float64)
        source = (1, *shape[2:])[-3:] if axes == 2 else (1, 1, shape[2])
        result = (1,) * (3 - axes) + y_bar.shape[2:]
        kernel = (1,) * (3 - axes) + weight[1:]
        pads = (0,) * (3 - axes) + (1,) * axes
        ones = (1, 1, 1)
        planned = plan(
            "forward", 1, shape[1], weight[0], 1, source, result, kernel, ones, pads, ones
        )  # fmt: skip
        assert planned.geometry[17] > 1  # bands
        rest = g["stride"], g["padding"], g["dilation"], 1
        ours = all_three(g, x, w, bias, y_bar)
        columns = (
            conv_arrays._forward_by_columns(x, w, bias, y_bar.shape[2:], *rest),
            conv_arrays._transposed_by_columns(y_bar, w, None, x.shape[2:], *rest),
            conv_arrays._weight_by_columns(x, y_bar, w.shape, *rest),
        )
        for a, b in zip(ours, columns, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-9)


def test_nan_and_infinity_stay_where_windows_see_them(rng: np.random.Generator) -> None:
    x = rng.standard_normal((2, 3, 12, 12)).astype(np.float32)
    w = rng.standard_normal((4, 3, 3, 3)).astype(np.float32)
    x[0, 1, 5, 6], x[1, 2, 0, 0] = np.nan, np.inf
    y = conv_arrays.forward(x, w, None, (1, 1), ((1, 1), (1, 1)), (1, 1), 1)
    seen = np.zeros(y.shape, bool)
    seen[0, :, 4:7, 5:8] = True
    assert np.array_equal(np.isnan(y[0]), seen[0])
    assert np.array_equal(np.isinf(y[1]), np.isinf(y[1]) & (np.indices((12, 12)).max(0) < 2))
    assert np.isinf(y[1, :, :2, :2]).all()
    g = np.ones_like(y)
    dw = conv_arrays.weight_gradient(x[1:], g[1:], (3, 3), (1, 1), ((1, 1), (1, 1)), (1, 1), 1)
    # The corner is seen by the places of the kernel from its middle on, and by no others.
    hit = np.zeros(dw.shape, bool)
    hit[:, 2, :2, :2] = True
    assert np.array_equal(np.isinf(dw), hit)
    assert not np.isnan(dw).any()


BITS = """
import hashlib, numpy as np, kernels
from autograd_core.ops import conv_arrays as c
rng = np.random.default_rng(0)
x = rng.standard_normal((9, 6, 30, 31)).astype("f")
w = rng.standard_normal((10, 3, 3, 3)).astype("f")
rest = (2, 1), ((1, 1), (1, 1)), (1, 1), 2
for threads in (1, 2, 4, 8):
    kernels.set_num_threads(threads)
    y = c.forward(x, w, None, *rest)
    parts = [
        y, c.transposed(y, w, None, (30, 31), *rest), c.weight_gradient(x, y, (3, 3), *rest),
        c.bias_gradient(y),
    ]
    print(threads, hashlib.sha256(b"".join(p.tobytes() for p in parts)).hexdigest())
"""


def test_the_bits_are_the_same_on_one_two_four_and_eight_threads() -> None:
    found = run(BITS, NUMBA_NUM_THREADS="8").splitlines()
    assert [line.split()[0] for line in found] == ["1", "2", "4", "8"]
    assert len({line.split()[1] for line in found}) == 1
