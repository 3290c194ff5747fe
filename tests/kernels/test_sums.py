"""Sums of rows: against the twin, as exact as NumPy's, the same bits on any number of threads."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import kernels
from kernels import sums
from kernels.pair import PAIRS

Array = np.ndarray[Any, np.dtype[Any]]
every_dtype = pytest.mark.parametrize("dtype", [np.float32, np.float64])
# None, groups of short rows and what is left of them, long rows, blocks and pieces of them.
SHAPES = [
    (0, 3), (3, 0), (1, 1), (1, 5), (16, 7), (35, 64), (33, 100), (17, 256), (5, 257), (3, 2049),
    (2, sums.PIECE + 3), (1, 3 * sums.PIECE),
]  # fmt: skip
every_shape = pytest.mark.parametrize("shape", SHAPES, ids=str)


def row_sum(x: Array, divisor: float = 1.0) -> Array:
    out, work = np.full(len(x), 77.0, x.dtype), np.full(sums.workspace(*x.shape), math.nan)
    kernels.call.row_sum(x, divisor, work, out)
    return out


@every_dtype
@every_shape
def test_sums_agree_with_the_twin(
    shape: tuple[int, int], dtype: Any, rng: np.random.Generator
) -> None:
    x = rng.standard_normal(shape).astype(dtype)
    fast = row_sum(x, 7.0)
    with kernels.naive_kernels():
        naive = row_sum(x, 7.0)
    close = 2e-7 if dtype == np.float32 else 4e-16
    np.testing.assert_allclose(fast, naive, rtol=0, atol=close * np.abs(x).sum(1).max(initial=1))


@pytest.mark.parametrize("n", [100, 256, 784, 12544, 1 << 17])
def test_sums_are_as_exact_as_those_of_numpy(n: int, rng: np.random.Generator) -> None:
    x = rng.uniform(0.0, 1.0, (max(20, 20000 // n), n)).astype(np.float32)
    exact = x.sum(1, dtype=np.float64)

    def error(found: Array) -> float:
        return float(np.sqrt(np.mean((found / exact - 1.0) ** 2)))

    unit = float(np.finfo(np.float32).eps)
    assert error(row_sum(x)) <= max(error(x.sum(1)), unit / 2)


@pytest.mark.parametrize("shape", [(9001, 64), (4003, 100), (500, 1000), (1, 1 << 18)], ids=str)
def test_the_bits_are_the_same_on_one_thread_and_on_several(
    shape: tuple[int, int], rng: np.random.Generator
) -> None:
    x = rng.standard_normal(shape).astype(np.float32)
    kernel, spread = (PAIRS[name].compile(x.dtype) for name in ("row_sum", "row_spread"))
    if kernel is PAIRS["row_sum"].naive:
        pytest.skip("without compiling the twin runs")
    found: list[bytes] = []
    for parallel in (False, True):
        out, wide = np.empty(len(x), np.float32), np.empty_like(x)
        kernel(x, 3.0, np.empty(sums.workspace(*shape)), out, parallel)
        spread(out, 3.0, wide, parallel)
        found.append(out.tobytes() + wide.tobytes())
    assert found[0] == found[1]


@pytest.mark.parametrize("n", [40, 3000])
def test_nan_and_infinity_stay_in_their_row(n: int) -> None:
    x = np.ones((19, n), np.float32)
    x[2, 5], x[4, n - 1], x[18, 0], x[6, 0], x[6, 1] = math.nan, math.inf, -math.inf, 1e38, 3e38
    y = row_sum(x)
    assert np.isnan(y[2])
    assert y[[4, 18, 6]].tolist() == [math.inf, -math.inf, math.inf]
    rest = np.delete(y, [2, 4, 6, 18])
    np.testing.assert_array_equal(rest, n)


def test_a_mean_divides_and_does_not_multiply_by_the_reciprocal() -> None:
    x = np.full((20, 49), 3.0)
    np.testing.assert_array_equal(row_sum(x, 49.0), 3.0)


@every_dtype
@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (1, 1), (5, 17), (3, 1000)], ids=str)
def test_numbers_are_spread_over_rows(
    shape: tuple[int, int], dtype: Any, rng: np.random.Generator
) -> None:
    g, out = rng.standard_normal(shape[0]).astype(dtype), np.full(shape, 77.0, dtype)
    kernels.call.row_spread(g, 3.0, out)
    np.testing.assert_array_equal(out, np.broadcast_to((g / dtype(3))[:, None], shape))
    with kernels.naive_kernels():
        kernels.call.row_spread(g, 5.0, out)
    np.testing.assert_array_equal(out, np.broadcast_to((g / dtype(5))[:, None], shape))
