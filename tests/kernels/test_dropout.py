"""Masks from counters: the published numbers, frequencies, and one mask however it is made."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numba.core import config

import kernels
from kernels import dropout
from kernels.pair import PAIRS

Array = np.ndarray[Any, np.dtype[Any]]
KEY = 0x0123456789ABCDEF


def run(x: Array, p: float = 0.5, key: int = KEY, counter: int = 0) -> Array:
    out = np.full_like(x, 77.0)
    below = round(p * 2**32)
    kernels.call.dropout(x, np.uint64(key), np.uint64(counter), 1 / (1 - p), below, out)
    return out


def naive(x: Array, **known: Any) -> Array:
    with kernels.naive_kernels():
        return run(x, **known)


@pytest.mark.skipif(
    bool(config.DISABLE_JIT),  # pyright: ignore[reportAttributeAccessIssue]
    reason="Python's whole numbers do not wrap around",
)
def test_philox_gives_the_published_words() -> None:
    zero, ones = np.uint64(0), np.uint64(2**64 - 1)
    expected = (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)
    assert dropout.philox(zero, zero) == expected
    assert dropout.philox(ones, zero) != expected
    assert dropout.philox(zero, ones) != expected


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, 63, 64, 65, 200, 1009])
def test_a_kernel_agrees_with_its_twin(size: int, dtype: Any, rng: np.random.Generator) -> None:
    x = rng.standard_normal(size).astype(dtype)
    settings: tuple[dict[str, Any], ...] = (
        {"p": 0.3},
        {"p": 0.5, "counter": 2**64 - 7},
        {"p": 0.0, "key": 1},
    )
    for known in settings:
        np.testing.assert_allclose(run(x, **known), naive(x, **known), rtol=1e-6)


def test_the_bits_are_the_same_on_one_thread_and_on_several(rng: np.random.Generator) -> None:
    x = rng.standard_normal(dropout.PARALLEL_FROM + 1001).astype(np.float32)
    kernel = PAIRS["dropout"].compile(x.dtype)
    if kernel is PAIRS["dropout"].naive:
        pytest.skip("without compiling the twin runs")
    one, several = np.empty_like(x), np.empty_like(x)
    for out, parallel in ((one, False), (several, True)):
        kernel(x, np.uint64(KEY), np.uint64(3), 2.0, 2**31, out, parallel)
    assert one.tobytes() == several.tobytes()


def test_a_stream_goes_on_where_the_first_array_ended() -> None:
    whole = run(np.ones(640, np.float32))
    rest = run(np.ones(512, np.float32), counter=16 * (128 // 64))
    np.testing.assert_array_equal(whole[128:], rest)


@pytest.mark.parametrize("p", [0.0, 0.1, 0.5, 0.9])
def test_elements_are_left_out_as_often_as_asked(p: float) -> None:
    size = 1 << 18 if PAIRS["dropout"].ready else 1 << 12
    y = run(np.ones(size, np.float32), p)
    kept = y != 0
    assert abs(kept.mean() - (1 - p)) <= 5 * (p * (1 - p) / size) ** 0.5
    np.testing.assert_allclose(y[kept], 1 / (1 - p), rtol=1e-6)


def test_neighbours_rows_and_keys_are_independent() -> None:
    size = 1 << 16
    x = np.ones(size, np.float32)
    one, other = run(x) - 1.0, run(x, key=KEY + 1) - 1.0
    bound = 5 / size**0.5
    for shift in (1, 16, 64, 1024):
        assert abs(np.mean(one[shift:] * one[:-shift])) <= bound
    assert abs(np.mean(one * other)) <= bound


def test_what_is_left_out_is_multiplied_by_zero() -> None:
    y = run(np.full(256, np.inf, np.float32))
    assert set(np.isnan(y).tolist()) == {True, False}  # 0 times inf
    assert np.isinf(y[~np.isnan(y)]).all()
