"""Softmax, its logarithm and their gradients: against twins and the definition."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import kernels
from kernels import softmax as family
from kernels.pair import PAIRS

Array = np.ndarray[Any, np.dtype[Any]]
inf, nan = math.inf, math.nan

# (rows, n, columns): short rows, long ones, more than a block of them, and columns.
SHAPES = [
    (1, 1, 1), (3, 2, 1), (7, 10, 1), (1500, 3, 1), (5, 63, 1), (4, 97, 1), (3, 255, 1),
    (3, 256, 1), (2, 511, 1), (2, 512, 1), (2, 1009, 1), (1, 1, 5), (3, 4, 2), (2, 7, 33),
    (2, 5, 130), (0, 3, 1), (3, 0, 1), (2, 3, 0), (0, 3, 4), (3, 0, 4),
]  # fmt: skip
LARGE = [(3001, 31, 1), (70, 1009, 1), (40, 11, 307)]
FORWARD, BACKWARD = ("softmax", "log_softmax"), ("softmax_vjp", "log_softmax_vjp")
every_dtype = pytest.mark.parametrize("dtype", [np.float32, np.float64])
eps = {np.float32: 6e-7, np.float64: 2e-15}


def run(name: str, *operands: Any, work: tuple[int, ...] | None = None) -> Array:
    like = operands[0]
    out = np.full_like(like, 77.0)
    shape = work or family.workspace(like.shape[0], like.shape[2])
    kernel = getattr(kernels.call, name.removeprefix("log_"))
    kernel(*operands, name.startswith("log_"), np.empty(shape, like.dtype), out)
    return out


def softmax(x: Array) -> Array:
    e = np.exp(x - x.max(1, keepdims=True, initial=-1e300))
    return e / e.sum(1, keepdims=True)


def draw(rng: np.random.Generator, shape: tuple[int, ...], dtype: Any) -> Array:
    return (3.0 * rng.standard_normal(shape)).astype(dtype)


@every_dtype
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_forward_is_the_definition(
    shape: tuple[int, ...], dtype: Any, rng: np.random.Generator
) -> None:
    x = draw(rng, shape, dtype)
    exact = softmax(x.astype(np.float64))
    np.testing.assert_allclose(run("softmax", x), exact, rtol=10 * eps[dtype])
    np.testing.assert_allclose(
        run("log_softmax", x), np.log(exact), rtol=eps[dtype], atol=10 * eps[dtype]
    )


@every_dtype
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_gradients_are_the_definition(
    shape: tuple[int, ...], dtype: Any, rng: np.random.Generator
) -> None:
    x, g = draw(rng, shape, dtype), draw(rng, shape, dtype)
    y = softmax(x.astype(np.float64))
    exact = y * (g - (g * y).sum(1, keepdims=True))
    found = run("softmax_vjp", g, y.astype(dtype))
    np.testing.assert_allclose(found, exact, atol=40 * eps[dtype])
    exact = g - y * g.sum(1, keepdims=True, dtype=np.float64)
    found = run("log_softmax_vjp", g, np.log(y).astype(dtype))
    np.testing.assert_allclose(found, exact, atol=100 * eps[dtype], rtol=100 * eps[dtype])


@pytest.mark.parametrize(
    "shape", [(7, 10, 1), (2, 100, 1), (2, 600, 1), (2, 7, 33), (0, 3, 1)], ids=str
)
@pytest.mark.parametrize("name", [*FORWARD, *BACKWARD])
def test_a_kernel_agrees_with_its_twin(
    name: str, shape: tuple[int, ...], rng: np.random.Generator
) -> None:
    x, g = draw(rng, shape, np.float32), draw(rng, shape, np.float32)
    y = softmax(x.astype(np.float64)).astype(np.float32)
    operands = (x,) if name in FORWARD else (g, np.log(y) if name.startswith("log_") else y)
    fast = run(name, *operands)
    with kernels.naive_kernels():
        naive = run(name, *operands)
    np.testing.assert_allclose(fast, naive, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("shape", LARGE, ids=str)
@pytest.mark.parametrize("name", [*FORWARD, *BACKWARD])
def test_the_bits_are_the_same_on_one_thread_and_on_several(
    name: str, shape: tuple[int, ...], rng: np.random.Generator
) -> None:
    x, g = draw(rng, shape, np.float32), draw(rng, shape, np.float32)
    operands = (x,) if name in FORWARD else (g, -np.abs(x))
    log = name.startswith("log_")
    same_bits(name.removeprefix("log_"), (*operands, log), (2, shape[0] * shape[2]), x)


def same_bits(name: str, operands: tuple[Any, ...], work: tuple[int, ...], like: Array) -> None:
    kernel = PAIRS[name].compile(np.dtype(np.float32))
    if kernel is PAIRS[name].naive:
        pytest.skip("without compiling the twin runs")
    one, several = np.empty_like(like), np.empty_like(like)
    for out, parallel in ((one, False), (several, True)):
        kernel(*operands, np.empty(work, np.float32), out, parallel)
    assert one.tobytes() == several.tobytes()


@pytest.mark.parametrize("shape", [(1, 10, 1), (1, 100, 1), (1, 600, 1), (1, 10, 3)], ids=str)
def test_extremes(shape: tuple[int, ...]) -> None:
    x = np.zeros(shape, np.float32)
    x[0, 3] = 1e30
    expected = np.zeros_like(x)
    expected[0, 3] = 1.0
    np.testing.assert_array_equal(run("softmax", x), expected)
    x[0, 3] = -inf
    assert (run("softmax", x)[0, 3] == 0.0).all()
    assert (run("log_softmax", x)[0, 3] == -inf).all()
    for bad in (nan, -nan, inf):
        x[0, 3] = bad
        assert np.isnan(run("softmax", x)[0, 3]).all()
    x[...] = -inf
    assert np.isnan(run("softmax", x)).all()
