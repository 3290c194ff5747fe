"""Freed memory stays with the process: fresh pages cost more than what is computed in them.

A training step frees its activations and asks for as many again. The C library hands large blocks
back to the system, which clears every page anew: a third to a half of the step of a small network
was spent on that.
"""

from __future__ import annotations

import ctypes
import os

# What a user says of malloc is what holds.
VARIABLES = ("MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_", "GLIBC_TUNABLES")
TRIM, MMAP = -1, -3  # names of mallopt's parameters, see malloc.h
KEPT = (1 << 31) - 1  # bytes of freed memory, at most: as many as mallopt can be told
LARGEST = 1 << 25  # bytes of a block that is kept: glibc's own limit


def keep_freed() -> bool:
    """Ask glibc to keep what is freed, up to 2 GiB in blocks of up to 32 MiB; say whether it does.

    Elsewhere, and where one of VARIABLES is set, nothing changes.
    """
    if any(name in os.environ for name in VARIABLES):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):  # another C library
        return False
    return bool(mallopt(MMAP, LARGEST) and mallopt(TRIM, KEPT))
