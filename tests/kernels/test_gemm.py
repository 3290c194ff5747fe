"""Matrix products: against the twin and NumPy, over shapes, strides, dtypes and what follows."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import kernels
from kernels import gemm, lanes
from kernels.follow import NONE, RELU, SIGMOID, TANH

ROOT = Path(__file__).resolve().parents[2]
Array = np.ndarray[Any, np.dtype[Any]]
EMPTY = np.empty(0)
DTYPES = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def product(
    a: Array,
    b: Array,
    bias: Array = EMPTY,
    onto: Array | None = None,
    follow: int = NONE,
) -> Array:
    a, b = (x if x.ndim == 3 else x[None] for x in (a, b))
    shape = (a.shape[0], a.shape[1], b.shape[2])
    c = np.full(shape, np.nan, a.dtype) if onto is None else onto.reshape(shape).copy()
    work = np.empty(gemm.workspace(8), a.dtype)
    kernels.call.gemm(a, b, bias.astype(a.dtype), c, work, follow, onto is not None)
    return c


def draw(rng: np.random.Generator, dtype: Any, *shape: int) -> Array:
    """Numbers whose axes may lie in memory the other way round."""
    x = rng.standard_normal(shape).astype(dtype)
    return x if rng.random() < 0.5 else np.ascontiguousarray(x.swapaxes(-1, -2)).swapaxes(-1, -2)


@DTYPES
def test_products_of_all_shapes_agree_with_numpy(dtype: Any, rng: np.random.Generator) -> None:
    for _ in range(150):
        m, k, n = (int(rng.choice([1, 2, 3, 7, 13, 16, 31, 32, 33, 64, 97])) for _ in range(3))
        a, b = draw(rng, dtype, m, k), draw(rng, dtype, k, n)
        exact = a.astype(np.float64) @ b.astype(np.float64)
        size = np.abs(a).astype(np.float64) @ np.abs(b).astype(np.float64)
        assert (np.abs(product(a, b)[0] - exact) <= 4 * np.finfo(dtype).eps * size).all(), (m, k, n)


@pytest.mark.parametrize("follow", [NONE, RELU, TANH, SIGMOID])
@DTYPES
def test_a_kernel_agrees_with_its_twin(dtype: Any, follow: int, rng: np.random.Generator) -> None:
    a, b = draw(rng, dtype, 2, 9, 5), draw(rng, dtype, 2, 5, 35)
    bias, onto = draw(rng, dtype, 1, 35)[0].copy(), np.ones((2, 9, 35), dtype)
    fast = product(a, b, bias, onto, follow)
    with kernels.naive_kernels():
        naive = product(a, b, bias, onto, follow)
    np.testing.assert_allclose(fast, naive, rtol=1e-5, atol=1e-6)


def test_blocks_and_packing_make_no_difference(rng: np.random.Generator) -> None:
    a, b = draw(rng, np.float64, 300, 401), draw(rng, np.float64, 401, 700)
    np.testing.assert_allclose(product(a, b)[0], a @ b, rtol=1e-12, atol=1e-11)


def test_an_empty_sum_is_zero_and_the_bias_still_counts() -> None:
    a, b = np.ones((3, 0), np.float32), np.ones((0, 2), np.float32)
    assert product(a, b, np.array([1.0, -1.0]), follow=RELU)[0].tolist() == [[1.0, 0.0]] * 3


def test_nan_and_infinity_survive() -> None:
    a = np.array([[math.nan, 1.0], [math.inf, 1.0]])
    c = product(a, np.ones((2, 3)), follow=RELU)[0]
    assert np.isnan(c[0]).all()
    assert np.isinf(c[1]).all()


@pytest.mark.parametrize(
    ("features", "width"),
    [
        ({"avx512f": True, "avx2": True, "fma": True}, 64),
        ({"avx2": True, "fma": True}, 32),
        ({"avx2": True}, 16),
        ({}, 16),
    ],
)
def test_vectors_are_as_wide_as_the_processor_has_them(
    features: dict[str, bool], width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lanes.llvm, "get_host_cpu_features", lambda: features)
    assert lanes.host_width() == width


def test_an_unknown_processor_is_one_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown() -> None:
        raise RuntimeError("no such processor")

    monkeypatch.setattr(lanes.llvm, "get_host_cpu_features", unknown)
    with pytest.warns(RuntimeWarning, match="LLVM does not know this processor: matrix products"):
        assert lanes.host_width() == 16


NARROW = """
import sys, numpy as np, llvmlite.binding as llvm
width, machine = int(sys.argv[1]), sys.argv[2]
features = {64: ["avx512f", "avx2", "fma"], 32: ["avx2", "fma"], 16: []}[width]
found = dict(llvm.get_host_cpu_features())
if not all(found.get(name) for name in features):
    sys.exit("absent")
import platform
platform.machine = lambda: machine
from kernels import lanes
lanes.WIDTH, lanes.ROWS = width, lanes.tile_rows(width)
from kernels import gemm, lanes
from autograd_core.matrices import product
rng = np.random.default_rng(0)
for f, bound in ((np.float32, 1e-3), (np.float64, 1e-11)):
    for m, k, n in ((64, 64, 64), (97, 53, 61), (130, 200, 47)):
        a, b = rng.standard_normal((m, k)).astype(f), rng.standard_normal((k, n)).astype(f)
        for x, y in ((a, b), (np.asfortranarray(a), b), (a, np.asfortranarray(b))):
            assert np.abs(product(x, y) - x @ y).max() < bound
print("right")
"""


@pytest.mark.slow
@pytest.mark.parametrize(("width", "machine"), [(32, "x86_64"), (16, "x86_64"), (16, "arm64")])
def test_narrower_vectors_give_right_products(width: int, machine: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", NARROW, str(width), machine], cwd=ROOT, capture_output=True,
        text=True, check=False, env=os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)},
    )  # fmt: skip
    if done.stderr.strip() == "absent":
        pytest.skip("this processor has no vectors that wide")
    assert (done.stdout, done.stderr) == ("right\n", "")
