"""What this machine can do: multiply-adds from registers, and bytes to and from memory.

`python -m benchmarks.limits THREADS` measures it in a process of its own and prints JSON.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from time import perf_counter
from typing import Any

import numpy as np

from benchmarks.process import ROOT, THREAD_VARIABLES

MEBIBYTE = 1 << 20
STREAMED = 64 * MEBIBYTE  # of one array: far more than any cache
TURNS = 400  # of a tile whose operands stay in the first-level cache


def limits(threads: int) -> dict[str, float]:
    """Measure in a fresh process: GFLOP/s of each dtype, and GB/s of the best stream."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.limits", str(threads)],
        cwd=ROOT, capture_output=True, text=True, check=True,
        env=os.environ | dict.fromkeys(THREAD_VARIABLES, str(threads)),
    )  # fmt: skip
    return json.loads(done.stdout)


def best(call: Callable[[], object], seconds: float = 0.6) -> float:
    """Return the shortest time of a call among as many as fit into some seconds."""
    call()
    shortest, end = float("inf"), perf_counter() + seconds
    while perf_counter() < end:
        start = perf_counter()
        call()
        shortest = min(shortest, perf_counter() - start)
    return shortest


def peak(dtype: Any, threads: int) -> float:
    """GFLOP/s of the kernels' own register tiles, with nothing to wait for."""
    import numba

    from kernels.lanes import ROWS, VECTORS, WIDTH, tile

    lanes = WIDTH // np.dtype(dtype).itemsize
    depth, wide = 256, VECTORS * lanes
    rows = ROWS[0]

    @numba.njit(nogil=True)
    def turns(a: Any, b: Any, c: Any) -> None:
        for _ in range(TURNS):
            tile(
                a, a.ctypes.data, depth, 1, b.ctypes.data, wide, depth, c.ctypes.data, wide, rows,
                wide, False,
            )  # fmt: skip

    @numba.njit(parallel=True)
    def everywhere(a: Any, b: Any, c: Any) -> None:
        for i in numba.prange(threads):
            turns(a[i], b[i], c[i])

    a = np.ones((threads, rows, depth), dtype)
    b, c = np.ones((threads, depth, wide), dtype), np.ones((threads, rows, wide), dtype)
    flops = 2 * TURNS * rows * wide * depth * threads
    return flops / best(lambda: everywhere(a, b, c)) / 1e9


def streams(threads: int) -> dict[str, float]:
    """GB/s of copy, scale and triad over 64 MiB, bytes counted as read and written once."""
    import numba

    # Each thread has slices of its own: an index that is a sum is not proved to be positive, and
    # a loop with such indices does not become one of vectors.
    @numba.njit(parallel=True)
    def scale(a: Any, b: Any, c: Any) -> None:
        for i in numba.prange(threads):
            part = slice(i * a.size // threads, (i + 1) * a.size // threads)
            x, y = a[part], b[part]
            for j in range(x.size):
                x[j] = np.float32(3.0) * y[j]

    @numba.njit(parallel=True)
    def triad(a: Any, b: Any, c: Any) -> None:
        for i in numba.prange(threads):
            part = slice(i * a.size // threads, (i + 1) * a.size // threads)
            x, y, z = a[part], b[part], c[part]
            for j in range(x.size):
                x[j] = y[j] + np.float32(3.0) * z[j]

    a, b, c = (np.ones(STREAMED // 4, np.float32) for _ in range(3))
    found = {
        "copy": 2 * STREAMED / best(lambda: np.copyto(a, b)) / 1e9,
        "scale": 2 * STREAMED / best(lambda: scale(a, b, c)) / 1e9,
        "triad": 3 * STREAMED / best(lambda: triad(a, b, c)) / 1e9,
    }
    try:
        torch: Any = import_module("torch")
    except ModuleNotFoundError:
        return found
    torch.set_num_threads(threads)
    x, y, z = (torch.from_numpy(array) for array in (a, b, c))
    found["torch copy"] = 2 * STREAMED / best(lambda: x.copy_(y)) / 1e9
    found["torch scale"] = 2 * STREAMED / best(lambda: torch.mul(y, 3.0, out=x)) / 1e9
    found["torch triad"] = 3 * STREAMED / best(lambda: torch.add(y, z, alpha=3.0, out=x)) / 1e9
    return found


def main(threads: str) -> None:
    import kernels.threads

    kernels.threads.start()
    n = int(threads)
    found = {f"GFLOP/s {dtype}": peak(dtype, n) for dtype in ("float32", "float64")}
    each = streams(n)
    found |= {f"GB/s {name}": speed for name, speed in each.items()}
    print(json.dumps(found | {"GB/s": max(each.values())}))


if __name__ == "__main__":
    main(*sys.argv[1:])
