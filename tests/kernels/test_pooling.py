"""Pooling: against the twins over windows of all kinds, ties, NaN, threads and known results."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import kernels
from kernels import average_pool, max_pool, pool_windows

Array = np.ndarray[Any, np.dtype[Any]]
DTYPES = pytest.mark.parametrize("dtype", [np.float32, np.float64])
ADAPTIVE = np.array([[0] * 3, [1] * 3, [0] * 3, [1] * 3])


def window(
    kernel: int, stride: int, padding: int = 0, dilation: int = 1, deep: bool = False
) -> Array:
    """A window over h and w, and over d where it is deep."""
    plane = np.array([kernel, stride, padding, dilation])
    return np.stack([plane if deep else np.array([1, 1, 0, 1]), plane, plane], 1)


def outputs(shape: tuple[int, ...], w: Array, ceil: bool = False) -> tuple[int, ...]:
    kernel, stride, padding, dilation = w
    room = np.array(shape[1:]) + 2 * padding - dilation * (kernel - 1) - 1
    count = (-(-room // stride) if ceil else room // stride) + 1
    beyond = (count - 1) * stride >= np.array(shape[1:]) + padding
    return shape[0], *(count - (ceil & beyond)).tolist()


# Shape of x, window, size of y: fast paths, edges, wide rows, few outputs, ceil, three axes.
ROWS = [
    ((3, 1, 6, 8), window(2, 2), False),
    ((2, 1, 7, 70), window(2, 2), True),
    ((2, 1, 9, 41), window(3, 2, 1), False),
    ((1, 1, 8, 37), window(3, 1, 1), False),
    ((2, 1, 11, 13), window(3, 3, 1), True),
    ((1, 1, 10, 60), window(2, 5), False),
    ((2, 1, 3, 3), window(3, 1), False),
    ((1, 1, 40, 41), window(20, 7, 3), False),
    ((2, 5, 6, 7), window(3, 2, 1, deep=True), False),
    # Small planes: inside, several at a time and an odd rest; too large for that; many elements.
    ((25, 1, 8, 8), window(3, 3), False),
    ((19, 1, 10, 7), window(3, 2), False),
    ((9, 6, 6, 6), window(2, 3, deep=True), False),
    ((2, 1, 33, 40), window(3, 3), False),
    ((2, 1, 15, 15), window(5, 5), False),
]
DILATED = [((2, 1, 15, 44), window(3, 1, 1, 2), False), ((1, 1, 17, 40), window(2, 2, 1, 3), False)]
KINDS = [(True, 0), (False, 0), (True, 5)]


def sizes(rows: Any) -> list[tuple[tuple[int, ...], Array, tuple[int, ...]]]:
    fixed = [(shape, w, outputs(shape, w, ceil)) for shape, w, ceil in rows]
    adaptive = [
        ((2, 1, 7, 10), 3, 4),
        ((2, 1, 6, 20), 1, 1),
        ((1, 1, 8, 32), 4, 4),
        ((1, 3, 5, 9), 7, 9),
    ]
    return fixed + [(shape, ADAPTIVE, (shape[0], 1, h, w)) for shape, h, w in adaptive]


@pytest.fixture
def threads() -> Iterator[None]:
    before = kernels.get_num_threads()
    yield
    kernels.set_num_threads(before)


def largest(x: Array, w: Array, size: tuple[int, ...]) -> tuple[Array, Array]:
    y, at = np.empty(size, x.dtype), np.empty(size, np.int64)
    table = np.empty(pool_windows.table_shape(size[1:]), np.int64)
    maps = np.empty(max_pool.max_maps(w, x.shape[1:], size[1:]), np.int64)
    kernels.call.max_pool(x, w, y, at, table, maps)
    return y, at


def averages(x: Array, g: Array, w: Array, include: bool, divisor: int) -> tuple[Array, Array]:
    y, dx = np.empty_like(g), np.empty_like(x)
    table = np.empty(pool_windows.table_shape(g.shape[1:]), np.int64)
    sizes = w, x.shape[1:], g.shape[1:]
    work = np.full(average_pool.average_work(*sizes), np.nan, x.dtype)
    maps = np.empty(average_pool.average_maps(*sizes), np.int64)
    kernels.call.average_pool(x, w, include, divisor, y, table, work, maps)
    maps = np.empty(average_pool.average_vjp_maps(*sizes), np.int64)
    kernels.call.average_pool_vjp(g, w, include, divisor, dx, table, work, maps)
    return y, dx


@DTYPES
@pytest.mark.parametrize(("shape", "w", "size"), sizes(ROWS + DILATED))
def test_the_largest_and_where_it_stands_agree_with_the_twin(
    shape: tuple[int, ...], w: Array, size: tuple[int, ...], dtype: Any, rng: np.random.Generator
) -> None:
    x = rng.integers(-3, 4, shape).astype(dtype)  # many ties
    x[rng.random(shape) < 0.05] = math.nan
    x[rng.random(shape) < 0.4] = -math.inf
    fast = largest(x, w, size)
    with kernels.naive_kernels():
        naive = largest(x, w, size)
    np.testing.assert_array_equal(fast[0], naive[0])
    np.testing.assert_array_equal(fast[1], naive[1])


@DTYPES
@pytest.mark.parametrize(("shape", "w", "size"), sizes(ROWS))
def test_averages_and_their_vjp_agree_with_the_twins(
    shape: tuple[int, ...], w: Array, size: tuple[int, ...], dtype: Any, rng: np.random.Generator
) -> None:
    x, g = rng.standard_normal(shape).astype(dtype), rng.standard_normal(size).astype(dtype)
    close = 1e-6 if dtype == np.float32 else 1e-14
    for include, divisor in KINDS:
        fast = averages(x, g, w, include, divisor)
        with kernels.naive_kernels():
            naive = averages(x, g, w, include, divisor)
        np.testing.assert_allclose(fast[0], naive[0], rtol=close, atol=close)
        np.testing.assert_allclose(fast[1], naive[1], rtol=close, atol=4 * close)


@pytest.mark.torch
@pytest.mark.parametrize(("shape", "w", "size"), sizes(ROWS + DILATED))
def test_windows_are_those_of_pytorch(
    shape: tuple[int, ...], w: Array, size: tuple[int, ...], rng: np.random.Generator
) -> None:
    torch = pytest.importorskip("torch")
    F = torch.nn.functional
    x, g = rng.standard_normal(shape), rng.standard_normal(size)
    t = torch.tensor(x[:, None], requires_grad=True)
    kernel, stride, padding, dilation = (tuple(row.tolist()) for row in w)
    adaptive = kernel[1] == 0
    ceil = not adaptive and outputs(shape, w) != size
    if adaptive:
        expected, at = F.adaptive_max_pool3d(t, size[1:], return_indices=True)
    else:
        expected, at = F.max_pool3d(t, kernel, stride, padding, dilation, ceil, True)
    found = largest(x, w, size)
    np.testing.assert_array_equal(found[0], expected[:, 0].detach())
    np.testing.assert_array_equal(found[1], at[:, 0])
    if max(dilation) > 1:
        return
    for include, divisor in KINDS[1:2] if adaptive else KINDS:
        if adaptive:
            y = F.adaptive_avg_pool3d(t, size[1:])
        else:
            y = F.avg_pool3d(t, kernel, stride, padding, ceil, include, divisor or None)
        (dx,) = torch.autograd.grad(y, t, torch.tensor(g[:, None]))
        mine = averages(x, g, w, include, divisor)
        np.testing.assert_allclose(mine[0], y[:, 0].detach(), rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(mine[1], dx[:, 0], rtol=1e-12, atol=1e-14)


@DTYPES
def test_gradients_are_added_where_the_largest_stood(dtype: Any) -> None:
    g = np.arange(1, 7, dtype=dtype).reshape(2, 3)
    at = np.array([[0, 3, 3], [-1, 1, 1]])
    for naive in (False, True):
        dx = np.full((2, 4), np.nan, dtype)
        if naive:
            with kernels.naive_kernels():
                kernels.call.max_pool_vjp(g, at, dx)
        else:
            kernels.call.max_pool_vjp(g, at, dx)
        assert dx.tolist() == [[1, 0, 0, 5], [0, 11, 0, 0]]


def test_no_planes_are_no_work() -> None:
    y, at = largest(np.empty((0, 1, 4, 4)), window(2, 2), (0, 1, 2, 2))
    assert y.shape == at.shape == (0, 1, 2, 2)


def test_the_bits_are_the_same_on_one_thread_and_on_several(
    threads: None, rng: np.random.Generator
) -> None:
    if type(max_pool.max_pool).__name__ == "function":
        pytest.skip("kernels are not compiled")
    x = rng.standard_normal((180, 1, 30, 31)).astype(np.float32)
    found: list[bytes] = []
    for count in (1, kernels.threads.limit()):
        kernels.set_num_threads(count)
        for w in (window(3, 2, 1), ADAPTIVE):
            size = outputs(x.shape, w) if w[0, 1] else (180, 1, 7, 7)
            y, at = largest(x, w, size)
            dx = np.empty((180, 30 * 31), np.float32)
            kernels.call.max_pool_vjp(y.reshape(180, -1), at.reshape(180, -1), dx)
            more = averages(x, y, w, False, 0)
            found.append(b"".join(a.tobytes() for a in (y, at, dx, *more)))
    assert found[:2] == found[2:]
