"""What every test gets: seeds of its own, and a check that it leaves no mode switched on."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from importlib.util import find_spec

import hypothesis
import numpy as np
import pytest

import autograd_core as ag
import kernels
from autograd_core.modes import MODE, current

MODES = ("forward", "grad", "observer", "scope")

hypothesis.settings.register_profile(
    "reproducible",
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("reproducible")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip the comparisons with PyTorch where it is not installed."""
    if find_spec("torch") is None:
        absent = pytest.mark.skip(reason="compares with PyTorch, which is not installed")
        for item in items:
            if item.get_closest_marker("torch"):
                item.add_marker(absent)


@pytest.fixture(scope="session", autouse=True)
def twins_if_asked() -> Iterator[None]:
    """With NAIVE_KERNELS=1 the naive twin of every kernel runs in its place."""
    if os.environ.get("NAIVE_KERNELS", "0") == "0":
        yield
        return
    with kernels.naive_kernels():
        yield


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> int:
    """A number that depends on the test's name alone."""
    return zlib.crc32(request.node.name.encode())


@pytest.fixture
def rng(seed: int) -> np.random.Generator:
    """A NumPy generator of the test's own."""
    return np.random.default_rng(seed)


@pytest.fixture(autouse=True)
def modes_are_restored(seed: int) -> Iterator[None]:
    """Seed the global generator; fail a test that leaves a mode switched on."""
    ag.manual_seed(seed)
    before = current()
    yield
    after = current()
    left = [mode for mode in MODES if getattr(after, mode) is not getattr(before, mode)]
    if left:
        MODE.set(before)
        pytest.fail(f"the test left a mode switched on: {', '.join(left)}")
