"""The one device there is, and what PyTorch's scripts ask about others.

`cuda`, `accelerator` and `backends` have what scripts call or set before they know where they run.
"""

from __future__ import annotations

from typing import Any


class device:
    """Where tensors live: always the CPU."""

    def __init__(self, type: Any = "cpu", index: int | None = None) -> None:
        check_device(type)
        self.type, self.index = "cpu", index

    def __eq__(self, other: object) -> bool:
        return isinstance(other, device) or other == "cpu"

    def __hash__(self) -> int:
        return hash("cpu")

    def __str__(self) -> str:
        return "cpu"

    def __repr__(self) -> str:
        return "device(type='cpu')"


def check_device(device: Any) -> None:
    """Raise for any device but the CPU."""
    if device is not None and str(device) not in ("cpu", "cpu:0"):
        raise ValueError(f"device {str(device)!r} is not available: this is a CPU library")


class _Absent:
    """Another kind of device: there is none."""

    @staticmethod
    def is_available() -> bool:
        """False: this is a CPU library."""
        return False

    @staticmethod
    def device_count() -> int:
        """0."""
        return 0


class cuda(_Absent):
    """There are no CUDA devices; what would seed, empty or wait for them does nothing."""

    @staticmethod
    def manual_seed(seed: int) -> None:
        """Do nothing: `autograd_core.manual_seed` seeds all there is."""

    manual_seed_all = manual_seed

    @staticmethod
    def empty_cache() -> None:
        """Do nothing."""

    @staticmethod
    def synchronize(device: Any = None) -> None:
        """Do nothing."""


class accelerator(_Absent):
    """There is none."""

    @staticmethod
    def current_accelerator(check_available: bool = False) -> None:
        """None."""


class cudnn(_Absent):
    """There is none; its switches may be set and change nothing, as without a GPU in PyTorch."""

    benchmark = deterministic = enabled = False


class mps(_Absent):
    """There are no Metal devices."""


class backends:
    """Those that scripts ask for."""

    cudnn, mps = cudnn, mps


def use_deterministic_algorithms(mode: bool, *, warn_only: bool = False) -> None:
    """Do nothing: all algorithms are, on any number of threads."""


CPU = device()

__all__ = [
    "CPU", "accelerator", "backends", "check_device", "cuda", "device",
    "use_deterministic_algorithms",
]  # fmt: skip
