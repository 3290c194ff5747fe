"""The error and gamma functions: against their twins, against mpmath, and at the edges."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import kernels
import kernels.special as special
from kernels.pair import PAIRS

inf, nan = math.inf, math.nan
Array = np.ndarray[Any, np.dtype[Any]]

# Where each is compared: name, parameters, lowest and highest argument.
ROWS = [
    ("erfc", (), -6.0, 26.0),
    ("erfinv", (), -1.0, 1.0),
    ("lgamma", (), 0.0, 30.0),
    ("lgamma", (), -10.0, 0.0),
    ("digamma", (), 0.0, 30.0),
    ("digamma", (), -10.0, 0.0),
    *(("polygamma", (n,), low, low + 20.0) for n in (1, 2, 5, 10, 30) for low in (-20.0, 0.0)),
]  # fmt: skip
every_row = pytest.mark.parametrize(("name", "params", "low", "high"), ROWS)
EDGES = np.array([0.0, -0.0, 1.0, -1.0, 2.0, -2.0, 1e-308, -2.5, 1e308, -1e308, inf, -inf, nan])


def run(name: str, x: Array, *params: int) -> Array:
    y = np.empty_like(x)
    with np.errstate(all="ignore"):
        getattr(kernels.call, name)(x, *params, y)
    return y


@every_row
def test_a_kernel_agrees_with_its_twin(
    name: str, params: tuple[int, ...], low: float, high: float, rng: np.random.Generator
) -> None:
    pair = PAIRS[name]
    x = np.append(rng.uniform(low, high, 200), EDGES)
    fast = run(name, x, *params)
    with kernels.naive_kernels():
        naive = run(name, x, *params)
    np.testing.assert_allclose(fast, naive, rtol=pair.rtol, atol=pair.atol)


@every_row
def test_float32_is_float64_rounded_once(
    name: str, params: tuple[int, ...], low: float, high: float, rng: np.random.Generator
) -> None:
    x = rng.uniform(low, high, 200).astype(np.float32)
    y = run(name, x, *params)
    with np.errstate(over="ignore"):
        exact = run(name, x.astype(np.float64), *params).astype(np.float32)
    assert y.dtype == np.float32
    np.testing.assert_array_equal(y, exact)


# The relative error that kernels/special.py states; below 0 there are zeros in between.
BOUNDS = {"erfc": 2e-15, "erfinv": 2e-15, "lgamma": 1e-14, "digamma": 1e-14,
          "polygamma": 1e-14}  # fmt: skip


@every_row
def test_the_error_is_as_small_as_stated(
    name: str, params: tuple[int, ...], low: float, high: float, rng: np.random.Generator
) -> None:
    mpmath = pytest.importorskip("mpmath")
    mpmath.mp.dps = 40
    exact = {"digamma": mpmath.digamma, "polygamma": lambda v: mpmath.polygamma(params[0], v),
             "lgamma": lambda v: mpmath.log(abs(mpmath.gamma(v)))}  # fmt: skip
    f = exact.get(name) or getattr(mpmath, name)
    x = rng.uniform(low, high, 100)
    bound = BOUNDS[name]
    for v, y in zip(x.tolist(), run(name, x, *params).tolist(), strict=True):
        e = f(mpmath.mpf(v))
        cancelled = (
            float(abs(math.pi / math.tan(math.pi * v))) if name == "digamma" and v < 0 else 0
        )
        if name == "polygamma" and v < 0 and params[0] % 2 == 0:
            cancelled = float(abs(mpmath.polygamma(params[0], 1 - mpmath.mpf(v)))) + abs(y)
            cancelled += float(mpmath.factorial(params[0])) * abs(v - round(v)) ** -(
                params[0] + 1.0
            )
        slack = 1e-14 * (1.0 if name == "lgamma" else cancelled)
        assert abs(y - e) <= bound * abs(e) + slack, (v, y, e)


def test_digamma_keeps_its_digits_around_its_zero() -> None:
    zero, slope = 1.4616321449683623, 0.9676722454476212
    rest = 9.549995429965697e-17  # which the zero has beyond the float
    assert run("digamma", np.array([zero]))[0] == pytest.approx(-slope * rest, rel=1e-13)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("erfc", {inf: 0.0, -inf: 2.0, nan: nan, 0.0: 1.0}),
        ("erfinv", {1.0: inf, -1.0: -inf, 1.5: nan, -inf: nan, nan: nan, 5e-324: 5e-324}),
        ("lgamma", {0.0: inf, -1.0: inf, 1.0: 0.0, 2.0: 0.0, inf: inf, -inf: inf, 1e308: inf}),
        ("digamma", {-1.0: nan, inf: inf, -inf: nan, 1.0: -0.5772156649015329}),
    ],
)
def test_a_kernel_at_the_edges(name: str, expected: dict[float, float]) -> None:
    for v, y in expected.items():
        found = run(name, np.array([v]))
        np.testing.assert_allclose(found, y, rtol=2e-15, err_msg=str(v))


def test_digamma_at_0_goes_by_its_sign() -> None:
    assert run("digamma", np.array([0.0, -0.0])).tolist() == [-inf, inf]


def test_polygamma_at_the_edges() -> None:
    x = np.array([0.0, -3.0, inf, -inf, nan, 1.0])
    zeta3 = 1.2020569031595942
    expected = [inf, inf, 0.0, nan, nan, math.pi**2 / 6]
    np.testing.assert_allclose(run("polygamma", x, 1), expected, rtol=1e-15)
    expected = [-inf, -inf, 0.0, nan, nan, -2 * zeta3]
    np.testing.assert_allclose(run("polygamma", x, 2), expected, rtol=1e-15)


def test_the_recurrences_of_the_gamma_functions_hold(rng: np.random.Generator) -> None:
    x = rng.uniform(0.1, 20.0, 100)
    np.testing.assert_allclose(run("lgamma", x + 1), run("lgamma", x) + np.log(x), atol=1e-13)
    np.testing.assert_allclose(run("digamma", x + 1), run("digamma", x) + 1 / x, atol=1e-14)
    for n in (1, 2, 3):
        step = (-1) ** n * math.factorial(n) * x ** -(n + 1.0)
        found, before = run("polygamma", x + 1, n), run("polygamma", x, n)
        np.testing.assert_allclose(
            found, before + step, rtol=1e-13, atol=1e-15 * np.abs(before).max()
        )


def test_erfinv_undoes_erf(rng: np.random.Generator) -> None:
    x = rng.uniform(-0.999, 0.999, 200)
    np.testing.assert_allclose(run("erf", run("erfinv", x)), x, rtol=1e-15, atol=1e-16)


def test_every_kernel_of_the_family_has_a_row() -> None:
    assert {name for name in PAIRS if hasattr(special, name)} == {row[0] for row in ROWS}


@pytest.mark.parametrize("name", sorted(BOUNDS))
def test_a_kernel_takes_read_only_and_empty_arrays(name: str) -> None:
    params = (2,) if name == "polygamma" else ()
    x = np.linspace(0.1, 0.9, 5)
    expected = run(name, x, *params)
    x.flags.writeable = False
    np.testing.assert_array_equal(run(name, x, *params), expected)
    assert run(name, np.empty(0), *params).size == 0
