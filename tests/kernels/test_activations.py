"""Kernels of one element each: against their twins, at the edges, on one thread and on several."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import kernels
from kernels import templates
from kernels.pair import PAIRS

Array = np.ndarray[Any, np.dtype[Any]]
inf, nan = math.inf, math.nan

# With the numbers that follow the arrays.
PARAMS: dict[str, tuple[float, ...]] = {
    "elu": (0.7, 2.0, 1.5), "elu_vjp": (0.7, 2.0, 1.5), "hardtanh": (-0.5, 1.0),
    "hardtanh_vjp": (-0.5, 1.0),
    "leaky_relu": (0.01,), "leaky_relu_vjp": (0.01,), "silu": (1.702,), "silu_vjp": (1.702,),
    "softplus": (2.0, 5.0), "softplus_vjp": (2.0, 5.0), "threshold": (0.25, -3.0),
    "threshold_vjp": (0.25,),
}  # fmt: skip
NAMES = kernels.FAMILIES["activations"]
every_kernel = pytest.mark.parametrize("name", NAMES)
every_dtype = pytest.mark.parametrize("dtype", [np.float32, np.float64])
FINITE_EDGES = [0.0, -0.0, 1.0, -1.0, 1e-30, -1e-30, 12.0, -12.0, 40.0, -40.0]


def operands(name: str, x: Array, g: Array) -> tuple[Any, ...]:
    return (*((g, x) if name.endswith("_vjp") else (x,)), *PARAMS.get(name, ()))


def run(name: str, x: Array, g: Array) -> Array:
    out = np.full_like(x, 77.0)
    getattr(kernels.call, name)(*operands(name, x, g), out)
    return out


@every_dtype
@every_kernel
def test_a_kernel_agrees_with_its_twin(name: str, dtype: Any, rng: np.random.Generator) -> None:
    for size in (0, 1, 7, 64, 97, 500):
        x, g = (rng.uniform(-6.0, 6.0, size).astype(dtype) for _ in range(2))
        if size == 500:
            x[: len(FINITE_EDGES)] = FINITE_EDGES
        fast = run(name, x, g)
        with kernels.naive_kernels():
            naive = run(name, x, g)
        pair = PAIRS[name]
        # Tolerances are those of float32; float64 is as much closer as it is finer.
        scale = 1e-8 if dtype is np.float64 else 1.0
        np.testing.assert_allclose(fast, naive, rtol=scale * pair.rtol, atol=scale * pair.atol)


@every_kernel
def test_the_bits_are_the_same_on_one_thread_and_on_several(
    name: str, rng: np.random.Generator
) -> None:
    size = templates.PARALLEL_FROM + 1001
    x, g = (rng.standard_normal(size).astype(np.float32) for _ in range(2))
    one, several = np.empty_like(x), np.empty_like(x)
    kernel = PAIRS[name].compile(x.dtype)
    if kernel is PAIRS[name].naive:
        pytest.skip("without compiling the twin runs")
    kernel(*operands(name, x, g), one, False)
    kernel(*operands(name, x, g), several, True)
    assert one.tobytes() == several.tobytes()


@every_dtype
@pytest.mark.parametrize("name", [name for name in NAMES if not name.startswith("hardtanh")])
def test_nan_stays_nan(name: str, dtype: Any) -> None:
    x = np.full(40, nan, dtype)
    one = np.ones_like(x)
    slopes_that_ignore_x = {"elu_vjp", "leaky_relu_vjp", "relu_vjp", "threshold_vjp"}
    g = x if name in slopes_that_ignore_x else one
    assert np.isnan(run(name, x, g)).all()


LIMITS = [
    ("exp", {inf: inf, -inf: 0.0, 0.0: 1.0, 1e30: inf, -1e30: 0.0}),
    ("log", {inf: inf, 0.0: -inf, -1.0: nan, -inf: nan, 1.0: 0.0}),
    ("tanh", {inf: 1.0, -inf: -1.0, 1e30: 1.0, 0.0: 0.0}),
    ("sigmoid", {inf: 1.0, -inf: 0.0, 0.0: 0.5, -1e30: 0.0}),
    ("erf", {inf: 1.0, -inf: -1.0, 0.0: 0.0, 7.0: 1.0}),
    ("gelu", {inf: inf, 1e30: 1e30, -1e30: 0.0}),
    ("softplus", {inf: inf, -inf: 0.0, 1e30: 1e30}),
    ("elu", {inf: inf, -inf: -1.4}),
    ("relu", {inf: inf, -inf: 0.0}),
    ("hardtanh", {inf: 1.0, -inf: -0.5, nan: nan}),
]


@every_dtype
@pytest.mark.parametrize(("name", "limits"), LIMITS)
def test_limits_are_reached(name: str, limits: dict[float, float], dtype: Any) -> None:
    x = np.array(list(limits), dtype)
    np.testing.assert_array_equal(run(name, x, x), np.array(list(limits.values()), dtype))


def test_the_log_of_minus_zero_is_that_of_zero() -> None:
    x = np.array([-0.0])
    assert run("log", x, x).tolist() == [-inf]


@pytest.mark.parametrize("name", ["tanh", "erf"])
def test_the_sign_of_zero_stays(name: str) -> None:
    x = np.array([0.0, -0.0], np.float32)
    assert np.signbit(run(name, x, x)).tolist() == [False, True]


@every_kernel
def test_read_only_arrays_are_taken(name: str) -> None:
    x = np.linspace(0.1, 0.9, 33)
    expected = run(name, x, x)
    x.flags.writeable = False
    np.testing.assert_array_equal(run(name, x, x), expected)


@pytest.mark.parametrize("name", [name for name in NAMES if name + "_vjp" in NAMES])
def test_a_gradient_is_the_slope(name: str, rng: np.random.Generator) -> None:
    x = rng.uniform(-4.0, 4.0, 200)
    for kink in (-0.5, 0.0, 0.25, 1.0, 2.5):
        x = x[np.abs(x - kink) > 1e-4]
    at = run(name, x, x) if name in ("tanh", "sigmoid") else x
    h = 1e-6
    slope = (run(name, x + h, x) - run(name, x - h, x)) / (2 * h)
    np.testing.assert_allclose(run(f"{name}_vjp", at, np.ones_like(x)), slope, rtol=1e-6, atol=1e-8)
