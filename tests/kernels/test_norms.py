"""Norms: against their twins and float64 formulas, over shapes, large means, threads and NaN."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import kernels
from kernels import batch_norm, layer_norm

Array = np.ndarray[Any, np.dtype[Any]]
DTYPES = pytest.mark.parametrize("dtype", [np.float32, np.float64])
# Rows short and long, columns beyond a block, an odd rest, one channel, one element, none.
SHAPES = [
    (5, 3, 1), (7, 2, 5), (40, 3, 20), (37, 2, 64), (300, 3, 1), (3, 4, 131), (2, 1, 5),
    (1, 2, 3), (3, 0, 4), (0, 2, 3),
]  # fmt: skip
EPS = 1e-5


@pytest.fixture
def threads() -> Iterator[None]:
    before = kernels.get_num_threads()
    yield
    kernels.set_num_threads(before)


def batch(x: Array, g: Array, weight: Array, bias: Array) -> list[Array]:
    _, c, s = x.shape
    y, dx, stats = np.empty_like(x), np.empty_like(x), np.empty((3, c))
    dweight, dbias = np.empty(c), np.empty(c)
    work = np.full(batch_norm.batch_norm_work(c, s), np.nan, x.dtype)
    kernels.call.batch_norm(x, weight, bias, EPS, y, stats, work, True)
    kernels.call.batch_norm_vjp(g, x, stats, weight, dx, dweight, dbias, work, True)
    return [y, dx, dweight, dbias, *stats[:2]]


def layer(x: Array, g: Array, weight: Array, bias: Array, centred: bool = True) -> list[Array]:
    r, n = x.shape
    y, dx, stats = np.empty_like(x), np.empty_like(x), np.empty((2, r))
    dweight, dbias = np.zeros(weight.size), np.zeros(weight.size)
    work = np.full(layer_norm.layer_norm_work(r, n, weight.size), np.nan, x.dtype)
    kernels.call.layer_norm(x, weight, bias, EPS, centred, y, stats)
    kernels.call.layer_norm_vjp(g, x, stats, weight, centred, dx, dweight, dbias, work)
    return [y, dx, dweight, dbias]


def group(x: Array, g: Array, weight: Array, bias: Array) -> list[Array]:
    r, k, _ = x.shape
    y, dx, stats = np.empty_like(x), np.empty_like(x), np.empty((2, r))
    dweight, dbias = np.zeros(weight.size), np.zeros(weight.size)
    kernels.call.group_norm(x, weight, bias, EPS, y, stats)
    sums = np.empty((2, r, k))
    kernels.call.group_norm_vjp(g, x, stats, weight, dx, dweight, dbias, sums)
    return [y, dx, dweight, dbias]


def draw(rng: np.random.Generator, dtype: Any, *shape: int) -> Array:
    return rng.standard_normal(shape).astype(dtype)


def runs(rng: np.random.Generator, dtype: Any, n: int, c: int, s: int) -> Iterator[tuple[Any, ...]]:
    """Every norm on x (n, c, s), with and without weight and bias: the name, what runs, on what."""
    x, g = draw(rng, dtype, n, c, s) + dtype(3), draw(rng, dtype, n, c, s)
    none = np.empty(0, dtype)
    flat, gs = x.reshape(n, c * s), g.reshape(n, c * s)
    halves = 2 if c % 2 == 0 and c else 1
    parts = (n * halves, c // halves, s)
    for bare in (False, True):
        affine = [none if bare else draw(rng, dtype, c) for _ in range(2)]
        wide = [none if bare else draw(rng, dtype, c * s) for _ in range(2)]
        yield "batch", batch, (x, g, *affine)
        yield "group", group, (x.reshape(parts), g.reshape(parts), *affine)
        yield "layer", layer, (flat, gs, *wide)
        yield "rms", layer, (flat, gs, wide[0], none, False)
        if not c % 3 and c * s > 30:  # rows of three kinds, each with weights of its own
            yield "kinds", layer, (x.reshape(-1, c * s // 3), g.reshape(-1, c * s // 3), *wide)


@DTYPES
@pytest.mark.parametrize("shape", SHAPES)
def test_a_norm_and_its_vjp_agree_with_their_twins(
    shape: tuple[int, int, int], dtype: Any, rng: np.random.Generator
) -> None:
    close = 2e-5 if dtype == np.float32 else 1e-12
    for name, run, arguments in runs(rng, dtype, *shape):
        if not arguments[0].size and name != "batch":
            continue
        fast = run(*arguments)
        with kernels.naive_kernels():
            naive = run(*arguments)
        for a, b in zip(fast, naive, strict=True):
            size = np.abs(b).max() if b.size else 0
            np.testing.assert_allclose(a, b, rtol=close, atol=close * size, err_msg=name)


def test_the_variance_does_not_drown_where_the_mean_is_large(rng: np.random.Generator) -> None:
    for n, c, s in ((64, 3, 1), (8, 3, 49), (4, 2, 3000)):
        x = (1e4 + 1e-2 * rng.standard_normal((n, c, s))).astype(np.float32)
        exact = x.astype(np.float64)
        weight, bias = np.ones(c, np.float32), np.zeros(c, np.float32)
        mean, variance = exact.mean((0, 2)), exact.var((0, 2))
        y = (exact - mean[:, None]) / np.sqrt(variance + EPS)[:, None]
        g = draw(rng, np.float32, n, c, s)
        found = batch(x, g, weight, bias)
        np.testing.assert_allclose(found[0], y, atol=1e-5)
        np.testing.assert_allclose(found[4], mean, rtol=1e-9)
        np.testing.assert_allclose(found[5], variance, rtol=1e-5)
        dweight = (g * y).sum((0, 2))
        np.testing.assert_allclose(found[2], dweight, atol=1e-5 * np.abs(g * y).sum())
        if s == 3000:
            row, gs = x.reshape(n, -1), g.reshape(n, -1)
            y = row - row.astype(float).mean(1, keepdims=True)
            y /= np.sqrt(row.astype(float).var(1, keepdims=True) + EPS)
            none = np.empty(0, np.float32)
            np.testing.assert_allclose(layer(row, gs, none, none)[0], y, atol=1e-5)


def test_a_first_row_unlike_the_rest_does_not_spoil_the_variance(rng: np.random.Generator) -> None:
    x = draw(rng, np.float32, 500, 2, 1)
    x[0] = 1e4
    one, zero = np.ones(2, np.float32), np.zeros(2, np.float32)
    variance = batch(x, x, one, zero)[5]
    np.testing.assert_allclose(variance, x.astype(float).var((0, 2)), rtol=1e-4)


def test_the_bits_are_the_same_on_one_thread_and_on_several(
    threads: None, rng: np.random.Generator
) -> None:
    if type(batch_norm.batch_norm).__name__ == "function":
        pytest.skip("kernels are not compiled")
    for shape in ((64, 40, 133), (1200, 64, 2)):
        seed = rng.integers(1 << 30)
        kernels.set_num_threads(1)
        alone = [
            run(*rest) for _, run, rest in runs(np.random.default_rng(seed), np.float32, *shape)
        ]
        kernels.set_num_threads(kernels.threads.limit())
        several = [
            run(*rest) for _, run, rest in runs(np.random.default_rng(seed), np.float32, *shape)
        ]
        assert b"".join(a.tobytes() for found in alone for a in found) == b"".join(
            a.tobytes() for found in several for a in found
        )


def test_without_training_the_statistics_are_those_given(rng: np.random.Generator) -> None:
    for s in (1, 200):
        x = draw(rng, np.float64, 3, 4, s)
        mean, variance = rng.standard_normal(4), rng.uniform(0.5, 2.0, 4)
        stats = np.stack([mean, variance, 1 / np.sqrt(variance + EPS)])
        known, y, none = stats.copy(), np.empty_like(x), np.empty(0)
        work = np.empty(batch_norm.batch_norm_work(4, s))
        kernels.call.batch_norm(x, none, none, EPS, y, stats, work, False)
        np.testing.assert_allclose(
            y, (x - mean[:, None]) * known[2][:, None], rtol=1e-12, atol=1e-14
        )
        np.testing.assert_array_equal(stats, known)
        weight, dx = rng.standard_normal(4), np.empty_like(x)
        g, (dweight, dbias) = rng.standard_normal(x.shape), np.empty((2, 4))
        x[0, 0, 0] = math.inf  # which has no part in dx
        kernels.call.batch_norm_vjp(g, x, stats, weight, dx, dweight, dbias, work, False)
        np.testing.assert_allclose(dx, g * (weight * known[2])[:, None], rtol=1e-12)
        units = (x[:, 1:] - mean[1:, None]) * known[2, 1:, None]
        np.testing.assert_allclose(dweight[1:], (g[:, 1:] * units).sum((0, 2)), rtol=1e-10)
        np.testing.assert_allclose(dbias, g.sum((0, 2)), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_nan_and_infinity_stay_in_their_channel_or_row(
    bad: float, rng: np.random.Generator
) -> None:
    none = np.empty(0)
    for s in (1, 150):
        x = draw(rng, np.float64, 4, 3, s)
        x[2, 1, 0] = bad
        with np.errstate(invalid="ignore"):
            y = batch(x, x, none, none)[0]
            rows = layer(x.reshape(4, -1), x.reshape(4, -1), none, none)[0]
        assert np.isnan(y[:, 1]).all()
        assert np.isfinite(y[:, [0, 2]]).all()
        assert np.isnan(rows[2]).all()
        assert np.isfinite(rows[[0, 1, 3]]).all()


def test_equal_elements_have_variance_zero() -> None:
    x = np.full((5, 2, 100), 0.1, np.float32)
    found = batch(x, x, np.empty(0, np.float32), np.empty(0, np.float32))
    np.testing.assert_allclose(found[5], 0, atol=1e-15)
    np.testing.assert_allclose(found[0], 0, atol=1e-5)
