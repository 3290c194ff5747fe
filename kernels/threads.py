"""How many threads kernels run on, and which library runs them.

The layer is TBB where its wheel is installed, else OpenMP, else Numba's own queue, which one
thread at a time may enter. From the first kernel on NumPy's BLAS keeps to one thread: two pools on
the same cores cost each other milliseconds, and OpenBLAS changes its sums with its threads.
"""

from __future__ import annotations

import ctypes
import os
import sys
import threading
import warnings
from pathlib import Path

__all__ = ["get_num_threads", "set_num_threads"]


def limit() -> int:
    """Return the most threads there can be: NUMBA_NUM_THREADS, or the cores of this process."""
    asked = os.environ.get("NUMBA_NUM_THREADS", "")
    if asked.isdecimal() and int(asked):
        return int(asked)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


_count = limit()
_alone = False  # in a forked child, which has no pool of threads
_queue: threading.Lock | None = None  # held by whoever is inside a layer that admits one


class Told(threading.local):
    """How many threads Numba knows of; each thread that calls tells it anew."""

    count = 0


_told = Told()


def get_num_threads() -> int:
    """Return how many threads a kernel may use."""
    return 1 if _alone else _count


def set_num_threads(n: int) -> None:
    """Let kernels use n threads: from 1 to the cores of this process, or NUMBA_NUM_THREADS.

    Results do not depend on it, to the last bit.
    """
    global _count
    if isinstance(n, bool) or not isinstance(n, int):
        raise TypeError(f"set_num_threads got {n!r}: it needs a whole number")
    if not 1 <= n <= limit():
        raise ValueError(
            f"set_num_threads got {n}: it must be from 1 to {limit()}; more than there are cores "
            "needs the environment variable NUMBA_NUM_THREADS, before the first kernel runs"
        )
    _count = n


def enter() -> bool:
    """Return whether the chunks of a kernel may run on several threads; then `leave` must follow.

    Not in a forked child, and not while another thread is inside a layer that admits one.
    """
    if _count == 1 or _alone:
        return False
    if _queue is not None and not _queue.acquire(blocking=False):
        return False
    if _told.count != _count:
        import numba

        numba.set_num_threads(_count)  # of this thread only
        _told.count = _count
    return True


def leave() -> None:
    if _queue is not None:
        _queue.release()


def start() -> None:
    """Choose the layer, and keep BLAS to one thread: once, before the first kernel."""
    global _queue
    from numba.core import config
    from numba.np.ufunc import parallel
    from threadpoolctl import threadpool_limits

    threadpool_limits(1, user_api="blas")
    _load_tbb()
    try:
        parallel._launch_threads()
    except ValueError:
        asked = config.THREADING_LAYER  # pyright: ignore[reportAttributeAccessIssue]
        config.THREADING_LAYER = "default"  # pyright: ignore[reportAttributeAccessIssue]
        parallel._launch_threads()
        warnings.warn(
            f"the threading layer {asked!r}, which NUMBA_THREADING_LAYER asks for, is not "
            f"installed: kernels run on {parallel.threading_layer()!r}",
            RuntimeWarning,
            stacklevel=2,
        )
    if parallel.threading_layer() == "workqueue":
        _queue = threading.Lock()


def _load_tbb() -> None:
    """Load the library of the tbb wheel, which lies where the system's loader does not look."""
    library = Path(sys.prefix, "lib", "libtbb.so.12")
    if library.exists():
        ctypes.CDLL(str(library), ctypes.RTLD_GLOBAL)


def _forked() -> None:
    global _alone
    _alone = True


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
