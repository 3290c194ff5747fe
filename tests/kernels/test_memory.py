"""Freed memory that stays with the process."""

from __future__ import annotations

import platform

import pytest

from tests.kernels.test_threads import run

FAULTS = """
import resource
import numpy as np
import kernels.memory

KEEPS = kernels.memory.keep_freed() if {asked} else False

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    arrays = [np.ones(3_000_000 // 8) for _ in range(20)]
    del arrays
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

faults()
print(KEEPS, min(faults() for _ in range(3)))
"""

glibc = pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc", reason="only glibc is asked to keep memory"
)


@glibc
def test_freed_arrays_are_used_again_without_fresh_pages() -> None:
    keeps, kept = run(FAULTS.format(asked=True)).split()
    _, fresh = run(FAULTS.format(asked=False)).split()
    assert keeps == "True"
    assert int(kept) < 100 < 5_000 < int(fresh)


@pytest.mark.parametrize("name", ["MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_"])
def test_what_the_user_says_of_malloc_holds(name: str) -> None:
    assert run(FAULTS.format(asked=True), **{name: "131072"}).split()[0] == "False"
