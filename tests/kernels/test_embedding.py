"""Rows of a table: taken by their numbers, and gradients added where they came from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import kernels
from kernels import embedding

DTYPES = pytest.mark.parametrize("dtype", [np.float32, np.float64])


@pytest.fixture
def threads() -> Iterator[None]:
    before = kernels.get_num_threads()
    yield
    kernels.set_num_threads(before)


@DTYPES
@pytest.mark.parametrize("naive", [False, True], ids=["kernel", "twin"])
def test_rows_are_taken_and_gradients_added_as_numpy_does(
    naive: bool, dtype: Any, rng: np.random.Generator
) -> None:
    for rows, columns, count in ((7, 1, 5), (3, 17, 50), (11, 64, 13), (5, 0, 3), (4, 3, 0)):
        weight = rng.standard_normal((rows, columns)).astype(dtype)
        index = rng.integers(0, rows, count)
        g = rng.standard_normal((count, columns)).astype(dtype)
        out, total = np.full((count, columns), np.nan, dtype), np.zeros_like(weight)
        expected = total.copy()
        np.add.at(expected, index, g)
        if naive:
            with kernels.naive_kernels():
                kernels.call.embedding(weight, index, out)
                kernels.call.embedding_vjp(g, index, -1, total)
        else:
            kernels.call.embedding(weight, index, out)
            kernels.call.embedding_vjp(g, index, -1, total)
        np.testing.assert_array_equal(out, weight[index])
        np.testing.assert_array_equal(total, expected)  # the same order, so the same bits


@pytest.mark.parametrize("naive", [False, True], ids=["kernel", "twin"])
def test_a_skipped_row_gets_nothing_and_what_is_there_stays(naive: bool) -> None:
    g, index, out = np.ones((4, 3)), np.array([0, 1, 1, 2]), np.full((3, 3), 10.0)
    if naive:
        with kernels.naive_kernels():
            kernels.call.embedding_vjp(g, index, 1, out)
    else:
        kernels.call.embedding_vjp(g, index, 1, out)
    assert out[:, 0].tolist() == [11.0, 10.0, 11.0]


def test_the_bits_are_the_same_on_one_thread_and_on_several(
    threads: None, rng: np.random.Generator
) -> None:
    if type(embedding.embedding).__name__ == "function":
        pytest.skip("kernels are not compiled")
    index = rng.integers(0, 20, 3000)
    g = rng.standard_normal((3000, 67)).astype(np.float32)
    found: list[bytes] = []
    for count in (1, kernels.threads.limit()):
        kernels.set_num_threads(count)
        total, out = np.zeros((20, 67), np.float32), np.empty_like(g)
        kernels.call.embedding_vjp(g, index, -1, total)
        kernels.call.embedding(total, index, out)
        found.append(total.tobytes() + out.tobytes())
    assert found[0] == found[1]
