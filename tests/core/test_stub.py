"""The types of Tensor's methods are those that the tables make."""

from __future__ import annotations

from tests.stub import PATH, stub


def test_the_stub_is_up_to_date() -> None:
    assert PATH.read_text("utf-8") == stub(), "run `python -m tests.stub`"
