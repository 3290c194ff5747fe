"""Every Python block of the README runs as it stands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

README = Path(__file__).parents[1] / "README.md"
BLOCKS = re.findall(r"^## (.*?)$|```python\n(.*?)```", README.read_text("utf-8"), re.M | re.S)


def blocks() -> list[tuple[str, str]]:
    """Pair each block with the heading it stands under."""
    heading, found = "", []
    for title, code in BLOCKS:
        heading = title or heading
        if code:
            found.append((heading, code))
    return found


@pytest.mark.parametrize(("heading", "code"), blocks(), ids=[h for h, _ in blocks()])
def test_a_block_of_the_readme_runs(
    heading: str, code: str, capsys: pytest.CaptureFixture[str],
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)  # some leave files
    exec(compile(code, f"README.md, {heading}", "exec"), {"__name__": "__main__"})
    assert "print" not in code or capsys.readouterr().out


def test_the_number_block_prints_the_gradient_it_promises(
    capsys: pytest.CaptureFixture[str],
) -> None:
    exec(blocks()[0][1], {})
    assert capsys.readouterr().out.startswith("6.0098")
