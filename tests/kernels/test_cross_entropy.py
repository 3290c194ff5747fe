"""Cross entropy of rows and its gradients: against twins, the definition, and at extremes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import kernels
from kernels import cross_entropy as family
from kernels.pair import PAIRS

Array = np.ndarray[Any, np.dtype[Any]]
inf, nan = math.inf, math.nan
IGNORED = -100
# Short rows, long ones, more than a block of them, none.
SHAPES = [(1, 1), (7, 10), (1500, 3), (4, 97), (3, 255), (3, 256), (2, 1009), (0, 5)]
every_dtype = pytest.mark.parametrize("dtype", [np.float32, np.float64])
every_shape = pytest.mark.parametrize("shape", SHAPES, ids=str)
eps = {np.float32: 6e-7, np.float64: 2e-15}


def loss(x: Array, t: Array, w: Array, e: float) -> tuple[Array, list[float]]:
    """Return the losses, and what they and the weights add up to, and the first wrong row."""
    out, totals = np.full(len(x), 77.0, x.dtype), np.full(3, 77.0)
    work = np.full(family.workspace(*x.shape), nan, x.dtype)
    kernels.call.cross_entropy(x, t, w, IGNORED, e, work, out, totals)
    return out, totals.tolist()


def slope(x: Array, t: Array, w: Array, e: float, g: Array, mean: bool) -> Array:
    out, work = np.full_like(x, 77.0), np.full(family.workspace(*x.shape), nan, x.dtype)
    kernels.call.cross_entropy_vjp(x, t, w, IGNORED, e, g, mean, work, out)
    return out


def soft(x: Array, p: Array, g: Array) -> tuple[Array, Array]:
    work = np.full(family.workspace(*x.shape), nan, x.dtype)
    losses, slopes = np.full(len(x), 77.0, x.dtype), np.full_like(x, 77.0)
    kernels.call.soft_cross_entropy(x, p, work, losses)
    kernels.call.soft_cross_entropy_vjp(g, x, p, work, slopes)
    return losses, slopes


def draw(rng: np.random.Generator, shape: Any, dtype: Any) -> tuple[Array, Array, Array]:
    """Scores, classes of which some are to be ignored, and weights."""
    t = rng.integers(0, shape[1], shape[0])
    t[3::4] = IGNORED
    weight = rng.uniform(0.5, 2.0, shape[1]).astype(dtype)
    return (3.0 * rng.standard_normal(shape)).astype(dtype), t, weight


def softmax(x: Array) -> Array:
    wide = x.astype(np.float64)
    e = np.exp(wide - wide.max(1, keepdims=True, initial=-1e300))
    return e / e.sum(1, keepdims=True)


def wanted_of(shape: tuple[int, int], t: Array, weight: Array, e: float) -> Array:
    """Return what each class of each row is to count; nothing where the row is ignored."""
    hit = np.eye(shape[1])[np.maximum(t, 0)] * (1 - e) + e / shape[1]
    return hit * weight * (t != IGNORED)[:, None]


@every_dtype
@pytest.mark.parametrize("e", [0.0, 0.1])
@pytest.mark.parametrize("weighed", [False, True])
@every_shape
def test_losses_and_slopes_are_the_definition(
    shape: tuple[int, int], weighed: bool, e: float, dtype: Any, rng: np.random.Generator
) -> None:
    x, t, weight = draw(rng, shape, dtype)
    one = weight if weighed else np.ones_like(weight)
    weight = weight if weighed else weight[:0]
    p, wanted = softmax(x), wanted_of(shape, t, one, e)
    losses, totals = loss(x, t, weight, e)
    exact = -(wanted * np.log(p)).sum(1)
    close: Any = {"rtol": 6 * eps[dtype], "atol": 20 * eps[dtype]}
    np.testing.assert_allclose(losses, exact, **close)
    counted = float(one[t[t != IGNORED]].sum(dtype=np.float64))
    np.testing.assert_allclose(totals, [exact.sum(), counted, -1.0], rtol=1e-6)
    slopes = p * wanted.sum(1, keepdims=True) - wanted
    g = rng.standard_normal(len(x)).astype(dtype)
    if len(x) > 1:
        found = slope(x, t, weight, e, g, False)
        np.testing.assert_allclose(found, slopes * g[:, None], atol=60 * eps[dtype])
    found = slope(x, t, weight, e, np.ones(1, dtype), True)
    np.testing.assert_allclose(found, slopes / (counted or 1.0), atol=60 * eps[dtype])


@every_dtype
@every_shape
def test_losses_against_probabilities_are_the_definition(
    shape: tuple[int, int], dtype: Any, rng: np.random.Generator
) -> None:
    x, _, _ = draw(rng, shape, dtype)
    p, g = softmax(rng.standard_normal(shape)).astype(dtype), rng.uniform(1, 2, shape[0])
    losses, slopes = soft(x, p, g.astype(dtype))
    q = softmax(x)
    close: Any = {"rtol": 6 * eps[dtype], "atol": 20 * eps[dtype]}
    np.testing.assert_allclose(losses, -(p * np.log(q)).sum(1), **close)
    exact = g[:, None] * (q * p.sum(1, keepdims=True, dtype=np.float64) - p)
    np.testing.assert_allclose(slopes, exact, atol=60 * eps[dtype])


@pytest.mark.parametrize("shape", [(7, 10), (3, 300)], ids=str)
def test_a_kernel_agrees_with_its_twin(shape: tuple[int, int], rng: np.random.Generator) -> None:
    x, t, weight = draw(rng, shape, np.float32)
    g, p = rng.uniform(1, 2, shape[0]).astype(np.float32), softmax(x).astype(np.float32)

    def everything() -> list[Array]:
        losses, totals = loss(x, t, weight, 0.2)
        slopes = [slope(x, t, weight, 0.2, g, False), slope(x, t, weight[:0], 0.0, g[:1], True)]
        return [losses, np.array(totals), *slopes, *soft(x, p, g)]

    fast = everything()
    with kernels.naive_kernels():
        naive = everything()
    for f, n in zip(fast, naive, strict=True):
        np.testing.assert_allclose(f, n, rtol=4e-6, atol=4e-6)


@pytest.mark.parametrize("shape", [(7001, 10), (70, 1009)], ids=str)
def test_the_bits_are_the_same_on_one_thread_and_on_several(
    shape: tuple[int, int], rng: np.random.Generator
) -> None:
    x, t, weight = draw(rng, shape, np.float32)
    p, g, rows = softmax(x).astype(np.float32), np.ones(len(x), np.float32), len(x)
    calls: dict[str, tuple[Any, ...]] = {
        "cross_entropy": (x, t, weight, IGNORED, 0.1),
        "cross_entropy_vjp": (x, t, weight, IGNORED, 0.1, g, True),
        "soft_cross_entropy": (x, p),
        "soft_cross_entropy_vjp": (g, x, p),
    }
    for name, operands in calls.items():
        kernel = PAIRS[name].compile(np.dtype(np.float32))
        if kernel is PAIRS[name].naive:
            pytest.skip("without compiling the twin runs")
        found: list[bytes] = []
        for parallel in (False, True):
            out = np.empty_like(x) if name.endswith("vjp") else np.empty(rows, np.float32)
            totals = [np.empty(3)] if name == "cross_entropy" else []
            work = np.empty(family.workspace(*shape), np.float32)
            kernel(*operands, work, out, *totals, parallel)
            found.append(out.tobytes() + b"".join(a.tobytes() for a in totals))
        assert found[0] == found[1]


def test_extremes() -> None:
    x = np.array([[1e30, 0.0], [0.0, -inf], [0.0, nan], [-1e4, 1e4]], np.float32)
    losses, _ = loss(x, np.array([1, 1, 0, 0]), np.empty(0, np.float32), 0.0)
    np.testing.assert_array_equal(losses, np.array([1e30, inf, nan, 2e4], np.float32))


def test_an_ignored_row_is_0_whatever_it_holds() -> None:
    x = np.array([[nan, 0.0], [inf, -inf], [0.0, 0.0]], np.float32)
    t, none = np.array([IGNORED, IGNORED, 1]), np.empty(0, np.float32)
    for e in (0.0, 0.1):
        assert loss(x, t, none, e)[0][:2].tolist() == [0.0, 0.0]
        assert not slope(x, t, none, e, np.ones(1, np.float32), True)[:2].any()


def test_a_class_without_weight_counts_nothing_even_where_it_is_impossible() -> None:
    x, w = np.array([[-inf, 0.0, 0.0]], np.float32), np.array([0.0, 1.0, 1.0], np.float32)
    assert loss(x, np.array([0]), w, 0.0) == (np.zeros(1, np.float32), [0.0, 0.0, -1.0])


@pytest.mark.parametrize("wrong", [-1, 3, 1 << 40, -(1 << 40)])
def test_a_class_that_is_none_is_told_and_touches_nothing(wrong: int) -> None:
    x, none = np.zeros((4, 3), np.float32), np.empty(0, np.float32)
    t = np.array([0, wrong, wrong, 2])
    losses, totals = loss(x, t, none, 0.0)
    assert totals[2] == 1
    assert losses[1] == 0
    assert not slope(x, t, none, 0.0, np.ones(4, np.float32), False)[1:3].any()
