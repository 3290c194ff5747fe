"""The error of each function, in units in the last place, is as small as its file states."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numba.core import config

import kernels

Array = np.ndarray[Any, np.dtype[Any]]
COUNT = 1_000_000
pytestmark = pytest.mark.skipif(
    bool(config.DISABLE_JIT),  # pyright: ignore[reportAttributeAccessIssue]
    reason="without compiling the twins run",
)


def _sigmoid(x: Array) -> Array:
    e = np.exp(-np.abs(x))
    return np.where(x < 0, e, 1) / (1 + e)


# The function in wider floats, its bound, the ends in float32, the ends in float64.
ROWS: list[tuple[str, Callable[[Array], Array], float, tuple[float, ...], tuple[float, ...]]] = [
    ("exp", np.exp, 1.0, (-103.0, 88.7), (-745.0, 709.7)),
    ("log", np.log, 1.0, (1e-44, 100.0), (1e-320, 100.0)),
    ("tanh", np.tanh, 2.5, (-10.0, 10.0), (-20.0, 20.0)),
    ("sigmoid", _sigmoid, 2.5, (-103.0, 20.0), (-744.0, 40.0)),
]  # fmt: skip


def units(y: Array, exact: Array) -> float:
    """Return the largest error in units in the last place."""
    wide = np.longdouble if y.dtype == np.float64 else np.float64
    spacing = np.spacing(np.abs(exact).astype(y.dtype)).astype(wide)
    return float(np.max(np.abs(y.astype(wide) - exact) / spacing))


def points(ends: tuple[float, ...], dtype: Any, rng: np.random.Generator) -> Array:
    """Numbers between the ends, half of them of all magnitudes."""
    x = rng.uniform(ends[0], ends[1], COUNT)
    x[::2] *= 10.0 ** rng.uniform(-30.0, 0.0, COUNT // 2)
    return np.maximum(x.astype(dtype), dtype(ends[0]))


def run(name: str, x: Array) -> Array:
    y = np.empty_like(x)
    getattr(kernels.call, name)(x, y)
    return y


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_the_error_is_as_small_as_stated(row: Any, dtype: Any, rng: np.random.Generator) -> None:
    name, function, bound, *ends = row
    wide = np.float64 if dtype is np.float32 else np.longdouble
    if wide is np.longdouble and np.finfo(np.longdouble).nmant < 60:
        pytest.skip("no floats wider than float64 here")
    x = points(ends[dtype is np.float64], dtype, rng)
    assert units(run(name, x), function(x.astype(wide))) <= bound


def test_erf_is_as_exact_as_stated(rng: np.random.Generator) -> None:
    x = points((-4.5, 4.5), np.float32, rng)[:100_000]
    exact = np.array([math.erf(v) for v in x.tolist()])
    assert units(run("erf", x), exact) <= 2.5
    x = points((-6.0, 6.0), np.float64, rng)[:100_000]
    exact = np.array([math.erf(v) for v in x.tolist()])
    assert units(run("erf", x), exact) <= 3.0  # 1 of which may be the oracle's


@pytest.mark.parametrize(
    ("dtype", "low", "bound"), [(np.float32, -12.5, 6.0), (np.float64, -36.0, 7.0)]
)
def test_gelu_keeps_its_digits_where_it_is_small(
    dtype: Any, low: float, bound: float, rng: np.random.Generator
) -> None:
    mpmath = pytest.importorskip("mpmath")
    mpmath.mp.dps = 40
    x = rng.uniform(low, 6.0, 2000).astype(dtype)
    exact = [v * mpmath.erfc(-mpmath.mpf(v) / mpmath.sqrt(2)) / 2 for v in x.tolist()]
    spacing = np.spacing(np.abs(np.array([float(e) for e in exact])).astype(dtype)).tolist()
    pairs = zip(run("gelu", x).tolist(), exact, spacing, strict=True)
    assert max(float(abs(y - e)) / s for y, e, s in pairs) <= bound


def test_exp_goes_down_to_the_smallest_number_and_up_to_the_largest() -> None:
    x = np.array([-103.9, -103.2, -87.4, 88.72], np.float32)
    np.testing.assert_allclose(run("exp", x), np.exp(x.astype(np.float64)).astype(np.float32), 2e-7)
    assert run("exp", np.array([-104.0, 88.73], np.float32)).tolist() == [0.0, math.inf]
    assert run("exp", np.array([-745.13, -745.14])).tolist() == [5e-324, 0.0]
    assert run("exp", np.array([709.79])).tolist() == [math.inf]
