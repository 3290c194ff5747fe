"""Real data for the tests that want it."""

import os
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """A folder that holds mnist/ and cifar10-12k/."""
    named = os.environ.get("AUTOGRAD_CORE_DATA")
    folder = Path(named) if named else PROJECT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"no real data in {folder}: AUTOGRAD_CORE_DATA names its folder")
    return folder
