"""What type checkers read is what the tables make."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.stub import stubs


@pytest.mark.parametrize("path", stubs(), ids=lambda path: path.parent.name)
def test_the_stub_is_up_to_date(path: Path) -> None:
    assert path.read_text("utf-8") == stubs()[path], "run `python -m tests.stub`"
