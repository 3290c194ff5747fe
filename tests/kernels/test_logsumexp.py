"""The log of the sum of exp and its gradient: against twins, the definition, and at infinities."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import kernels
from kernels import logsumexp as family
from kernels.pair import PAIRS

Array = np.ndarray[Any, np.dtype[Any]]
inf, nan = math.inf, math.nan
every_dtype = pytest.mark.parametrize("dtype", [np.float32, np.float64])
# (rows, n, columns): short rows, more than a block of them, long ones, columns, none.
SHAPES = [
    (1, 1, 1), (7, 10, 1), (1500, 3, 1), (3, 255, 1), (3, 256, 1), (2, 1009, 1), (2, 7, 33),
    (1, 1, 5), (0, 3, 1), (0, 3, 4), (2, 3, 0),
]  # fmt: skip
every_shape = pytest.mark.parametrize("shape", SHAPES, ids=str)
eps = {np.float32: 6e-7, np.float64: 2e-15}


def logsumexp(x: Array) -> Array:
    out = np.full((x.shape[0], x.shape[2]), 77.0, x.dtype)
    kernels.call.logsumexp(x, np.full(family.workspace(*x.shape), nan, x.dtype), out)
    return out


def vjp(g: Array, x: Array, y: Array) -> Array:
    out = np.full_like(x, 77.0)
    kernels.call.logsumexp_vjp(g, x, y, out)
    return out


def draw(rng: np.random.Generator, shape: tuple[int, ...], dtype: Any) -> tuple[Array, Array]:
    x = (3.0 * rng.standard_normal(shape)).astype(dtype)
    return x, rng.uniform(1.0, 2.0, (shape[0], shape[2])).astype(dtype)


@every_dtype
@every_shape
def test_both_are_the_definition(
    shape: tuple[int, ...], dtype: Any, rng: np.random.Generator
) -> None:
    x, g = draw(rng, shape, dtype)
    e = np.exp(x.astype(np.float64))
    exact = np.log(e.sum(1))
    y = logsumexp(x)
    np.testing.assert_allclose(y, exact, rtol=2 * eps[dtype], atol=2 * eps[dtype])
    slopes = g[:, None] * e / e.sum(1, keepdims=True)
    np.testing.assert_allclose(vjp(g, x, y), slopes, rtol=20 * eps[dtype])


@pytest.mark.parametrize("shape", SHAPES[1:7], ids=str)
def test_a_kernel_agrees_with_its_twin(shape: tuple[int, ...], rng: np.random.Generator) -> None:
    x, g = draw(rng, shape, np.float32)
    y = logsumexp(x)
    fast = y, vjp(g, x, y)
    with kernels.naive_kernels():
        naive = logsumexp(x), vjp(g, x, y)
    for f, n in zip(fast, naive, strict=True):
        np.testing.assert_allclose(f, n, rtol=4e-6, atol=4e-6)


@pytest.mark.parametrize("shape", [(3001, 31, 1), (70, 1009, 1), (40, 11, 307)], ids=str)
def test_the_bits_are_the_same_on_one_thread_and_on_several(
    shape: tuple[int, ...], rng: np.random.Generator
) -> None:
    x, g = draw(rng, shape, np.float32)
    forward, backward = (PAIRS[name].compile(x.dtype) for name in ("logsumexp", "logsumexp_vjp"))
    if forward is PAIRS["logsumexp"].naive:
        pytest.skip("without compiling the twin runs")
    found: list[bytes] = []
    for parallel in (False, True):
        y, dx = np.empty_like(g), np.empty_like(x)
        forward(x, np.empty(family.workspace(*shape), np.float32), y, parallel)
        backward(g, x, y, dx, parallel)
        found.append(y.tobytes() + dx.tobytes())
    assert found[0] == found[1]


@pytest.mark.parametrize("shape", [(1, 10, 1), (1, 600, 1), (1, 10, 3)], ids=str)
def test_infinities_and_nan(shape: tuple[int, ...]) -> None:
    x = np.zeros(shape, np.float32)
    for large, expected in ((1e30, 1e30), (1e4, 1e4), (inf, inf), (nan, nan), (-nan, nan)):
        x[0, 3] = large
        np.testing.assert_array_equal(logsumexp(x), np.full((1, shape[2]), expected, np.float32))
    x[0, 3], x[0, 4] = inf, nan
    assert np.isnan(logsumexp(x)).all()
    x[...] = -inf
    assert (logsumexp(x) == -inf).all()
    x[0, 3] = -1e4
    assert (logsumexp(x) == -1e4).all()
