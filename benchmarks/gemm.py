"""Products of matrices: squares, and the shapes of the networks' layers, with every transpose."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

import numpy as np

from benchmarks.case import OURS, Case, Job, Mean, Prepare

SQUARES = [(n, n, n) for n in (16, 32, 64, 96, 128, 256, 384, 512, 1024, 2048)]
# (rows, inputs, outputs) of fully connected layers, of patches, and of heads of attention.
LAYERS = [
    (8, 784, 500), (8, 500, 10), (64, 784, 100), (64, 100, 100), (64, 100, 10), (128, 784, 500),
    (128, 500, 500), (128, 500, 10), (64, 512, 10), (64, 400, 120), (64, 120, 84), (3136, 64, 128),
    (4096, 49, 32), (1000, 1000, 10), (331, 127, 263),
]  # fmt: skip
FORMS = ("a b", "a bᵀ", "aᵀ b")
SMALL = 64  # where the call counts more than the arithmetic
SMALL_AGAINST_NUMPY = [(16, 16, 16), (32, 32, 32), (64, 64, 64), (64, 100, 10)]

TARGET = Mean("gemm", "torch", 1.0)
LIBRARIES = {OURS: "autograd_core", "torch": "torch"}


def operands(
    form: str, m: int, k: int, n: int, dtype: str, make: Callable[[Any], Any] = np.array
) -> tuple[Any, Any]:
    """Two matrices whose product is (m, n), transposed in memory where the form says."""
    rng = np.random.default_rng(0)
    a = make(rng.standard_normal((k, m) if form[1] == "ᵀ" else (m, k)).astype(dtype))
    b = make(rng.standard_normal((n, k) if form[-1] == "ᵀ" else (k, n)).astype(dtype))
    return (a.T if form[1] == "ᵀ" else a), (b.T if form[-1] == "ᵀ" else b)


def numbers(y: Any) -> list[float]:
    y = np.asarray(y, np.float64)
    return [float(y.flat[0]), float(y.flat[-1]), float(np.abs(y).sum())]


def by_library(side: str, form: str, m: int, k: int, n: int, dtype: str) -> Prepare:
    def prepare() -> Job:
        library = import_module(LIBRARIES[side])
        a, b = operands(form, m, k, n, dtype, library.tensor)
        return Job(lambda: library.mm(a, b), answer=lambda: numbers(library.mm(a, b).numpy()))

    return prepare


def on_arrays(multiply: Callable[[Any, Any], Any], *shape: Any) -> Prepare:
    def prepare() -> Job:
        a, b = operands(*shape)
        return Job(lambda: multiply(a, b), answer=lambda: numbers(multiply(a, b)))

    return prepare


def ours_on_arrays(*shape: Any) -> Prepare:
    def prepare() -> Job:
        from autograd_core.matrices import product

        return on_arrays(product, *shape)()

    return prepare


def naive(a: Any, b: Any) -> Any:
    """The three loops, as the twin of the kernel has them."""
    from kernels.gemm import gemm_naive

    c = np.empty((1, a.shape[0], b.shape[1]), a.dtype)
    gemm_naive(a[None], b[None], np.empty(0, a.dtype), c, None, 0, False)
    return c[0]


def case(form: str, shape: Sequence[int], dtype: str = "float32") -> Case:
    m, k, n = shape
    sides = {
        OURS: by_library(OURS, form, m, k, n, dtype),
        "torch": by_library("torch", form, m, k, n, dtype),
        "numpy": on_arrays(np.matmul, form, m, k, n, dtype),
    }
    size = np.dtype(dtype).itemsize
    return Case(
        f"{form} {m}x{k}x{n}" + ("" if dtype == "float32" else f" {dtype}"),
        sides,
        max_ratio={"torch": 1.2},
        rtol=1e-3 if dtype == "float32" else 1e-9,
        quick=max(shape) <= 128,
        flops=2.0 * m * k * n,
        moved=float(size * (m * k + k * n + m * n)) if max(shape) > SMALL else 0.0,
        dtype=dtype,
        group="gemm" if dtype == "float32" else "float64 gemm",
    )


def array_case(m: int, k: int, n: int) -> Case:
    shape = ("a b", m, k, n, "float32")
    sides = {OURS: ours_on_arrays(*shape), "numpy": on_arrays(np.matmul, *shape)}
    return Case(f"arrays {m}x{k}x{n}", sides, max_ratio=1.0, rtol=1e-3, flops=2.0 * m * k * n)


CASES = [
    *(case(form, shape) for shape in (*SQUARES, *LAYERS) for form in FORMS),
    *(case("a b", (n, n, n), "float64") for n in (64, 256, 1024)),
    *(array_case(*shape) for shape in SMALL_AGAINST_NUMPY),
    Case(
        "a b 40x40x40 against the naive loops",
        {
            OURS: ours_on_arrays("a b", 40, 40, 40, "float32"),
            "naive": on_arrays(naive, "a b", 40, 40, 40, "float32"),
        },
        rtol=1e-3,
        flops=2.0 * 40**3,
    ),
]
