"""PyTorch as a fixture, for the tests that ask it for a second opinion."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture(scope="session")
def torch() -> Any:
    """PyTorch on one thread; tests that ask for it are skipped where it is not installed."""
    module = pytest.importorskip("torch")
    module.set_num_threads(1)
    return module
