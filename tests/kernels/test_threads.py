"""Kernels on threads: the same bits on any number of them, after a fork, and from many at once."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autograd_core as ag
import kernels
from kernels import threads

ROOT = Path(__file__).resolve().parents[2]
Array = np.ndarray[Any, np.dtype[Any]]


def run(code: str, **environment: str) -> str:
    """Run code in a process of its own and return what it prints on both streams."""
    known = {k: v for k, v in os.environ.items() if not k.startswith("NUMBA_NUM")}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False,
        env=known | environment,
    )  # fmt: skip
    return (done.stdout + done.stderr).strip()


BITS = """
import hashlib, numpy as np, kernels
from autograd_core.matrices import product
rng = np.random.default_rng(0)
pairs = [
    (rng.standard_normal((m, k)).astype(f), rng.standard_normal((k, n)).astype(f))
    for f in (np.float32, np.float64)
    for m, k, n in ((200, 300, 500), (1000, 64, 30), (30, 64, 5000), (513, 700, 129))
]
stack = rng.standard_normal((7, 50, 60)).astype("f"), rng.standard_normal((7, 60, 40)).astype("f")
for threads in (1, 2, 4, 8):
    kernels.set_num_threads(threads)
    known = hashlib.sha256()
    for a, b in [*pairs, stack]:
        known.update(product(a, b).tobytes())
    print(threads, known.hexdigest())
"""


def test_the_bits_are_the_same_on_one_two_four_and_eight_threads() -> None:
    found = run(BITS, NUMBA_NUM_THREADS="8").splitlines()
    assert [line.split()[0] for line in found] == ["1", "2", "4", "8"]
    assert len({line.split()[1] for line in found}) == 1


ROWS = """
import hashlib, numpy as np, kernels
import autograd_core as ag
import nn.functional as F
rng = np.random.default_rng(0)
x = ag.tensor(rng.standard_normal((1500, 200)).astype("f"), requires_grad=True)
p = ag.softmax(ag.tensor(rng.standard_normal((1500, 200)).astype("f")), 1)
t, w = ag.tensor(rng.integers(0, 200, 1500)), ag.ones(200)
images = lambda: x.reshape(300, 10, 100)
for threads in (1, 2, 4, 8):
    kernels.set_num_threads(threads)
    known = hashlib.sha256()
    for y in (
        x.sum(), x.mean(1), x.logsumexp(1), x.logsumexp(0), F.adaptive_avg_pool1d(images(), 1),
        F.cross_entropy(x, t, w, label_smoothing=0.1), F.cross_entropy(x, p), F.gelu(x),
        F.batch_norm(images(), None, None, training=True), F.group_norm(images(), 5),
        F.layer_norm(x, [200], w, w),
    ):
        (g,) = ag.autograd.grad((y * y).sum(), [x])
        known.update(y.detach().numpy().tobytes() + g.numpy().tobytes())
    print(threads, known.hexdigest())
"""


def test_the_bits_of_rows_and_norms_are_the_same_on_one_two_four_and_eight_threads() -> None:
    found = run(ROWS, NUMBA_NUM_THREADS="8").splitlines()
    assert [line.split()[0] for line in found] == ["1", "2", "4", "8"]
    assert len({line.split()[1] for line in found}) == 1


FORK = """
import os, numpy as np, kernels
from autograd_core.matrices import product
a = np.ones((300, 300), np.float32)
before = product(a, a)
child = os.fork()
expected = 2 if child else 1
same = np.array_equal(product(a, a), before) and kernels.get_num_threads() == expected
if not child:
    os._exit(0 if same else 1)
print(same, os.waitpid(child, 0)[1])
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.parametrize("layer", ["default", "omp", "workqueue"])
def test_a_forked_child_computes_on_one_thread(layer: str) -> None:
    found = run(FORK, NUMBA_NUM_THREADS="2", NUMBA_THREADING_LAYER=layer)
    assert found.splitlines()[-1] == "True 0"


def square(a: Array) -> Array:
    from autograd_core.matrices import product

    return product(a, a)


def test_a_spawned_child_computes_the_same(rng: np.random.Generator) -> None:
    a = rng.standard_normal((150, 150))
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply(square, (a,)).tobytes() == square(a).tobytes()


FOUR = """
import numpy as np, threading
from concurrent.futures import ThreadPoolExecutor
from autograd_core.matrices import product
rng = np.random.default_rng(0)
many = [rng.standard_normal((200, 200)) for _ in range(40)]
alone = [product(a, a).tobytes() for a in many]
with ThreadPoolExecutor(4) as pool:
    together = list(pool.map(lambda a: product(a, a).tobytes(), many))
print(alone == together)
"""


@pytest.mark.parametrize("layer", ["default", "workqueue"])
def test_four_threads_may_call_kernels_at_once(layer: str) -> None:
    assert run(FOUR, NUMBA_NUM_THREADS="2", NUMBA_THREADING_LAYER=layer) == "True"


def test_gradients_of_four_threads_do_not_mix(rng: np.random.Generator) -> None:
    def gradient(a: Array) -> Array:
        x = ag.tensor(a, requires_grad=True)
        (x @ x).sum().backward()
        assert x.grad is not None
        return x.grad.numpy()

    many = [rng.standard_normal((100, 100)) for _ in range(8)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(gradient, many))
    for a, g in zip(many, found, strict=True):
        ones = np.ones_like(a)
        np.testing.assert_allclose(g, ones @ a.T + a.T @ ones, rtol=1e-10, atol=1e-9)


def test_a_missing_layer_is_one_warning_that_says_what_runs_instead() -> None:
    code = """
import sys, warnings, numpy as np
sys.modules["numba.np.ufunc.omppool"] = None  # as where there is no OpenMP
from autograd_core.matrices import product
a = np.ones((100, 100))
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    right = (product(a, a) == 100).all() and (product(a, a) == 100).all()
print(right, *[w.message for w in caught])
"""
    found = run(code, NUMBA_THREADING_LAYER="omp")
    assert found.startswith(
        "True the threading layer 'omp', which NUMBA_THREADING_LAYER asks for, is not installed: "
        "kernels run on '"
    )
    assert found.count("threading layer") == 1


def test_the_number_of_threads_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    before = kernels.get_num_threads()
    assert before <= threads.limit()
    for wrong in (0, -1, threads.limit() + 1):
        with pytest.raises(ValueError, match=rf"set_num_threads got {wrong}: it must be from 1"):
            kernels.set_num_threads(wrong)
    for no_number in (1.0, True, "2"):
        with pytest.raises(TypeError, match=r"set_num_threads got .*: it needs a whole number"):
            kernels.set_num_threads(no_number)  # type: ignore[arg-type]
    assert kernels.get_num_threads() == before


def test_blas_keeps_to_one_thread_from_the_first_kernel_on() -> None:
    code = """
import numpy as np, threadpoolctl
from autograd_core.matrices import product
np.ones((2, 2)) @ np.ones((2, 2))
a = np.ones((100, 100))
product(a, a)
pools = threadpoolctl.threadpool_info()
blas = [pool for pool in pools if pool["user_api"] == "blas"]
print([pool["num_threads"] for pool in blas if "scipy.libs" not in pool["filepath"]])
"""
    assert run(code) in ("[1]", "[]")  # none where NumPy brings a library without threads
