"""Pictures stay as they were when they were looked at; a file is compared as a tree, not as bytes.

Where a change is meant, `python -m tests.render.programs` draws them anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import zip_longest
from typing import Any

import pytest

from tests.render.inspection import parsed, tag
from tests.render.programs import GOLDEN, PROGRAMS, drawn


def differences(old: Any, new: Any, path: str = "") -> Iterator[str]:
    """Tell where two trees differ in tag, attributes or text; spaces around a text do not count."""
    if old is None or new is None:
        yield f"{path}: one more <{tag(new)}>" if old is None else f"{path}: one less <{tag(old)}>"
        return
    here = f"{path}/{tag(old)}"
    if old.tag != new.tag:
        yield f"{here}: is now <{tag(new)}>"
    for key in sorted(old.attrib.keys() | new.attrib.keys()):
        if old.get(key) != new.get(key):
            yield f"{here}: {key} was {old.get(key)!r}, is {new.get(key)!r}"
    for kind in ("text", "tail"):
        was, is_now = ((getattr(one, kind) or "").strip() for one in (old, new))
        if was != is_now:
            yield f"{here}: {kind} was {was!r}, is {is_now!r}"
    for i, (one, other) in enumerate(zip_longest(old, new)):
        yield from differences(one, other, f"{here}[{i}]")


def golden(name: str) -> str:
    return (GOLDEN / f"{name}.svg").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_picture_is_the_one_that_was_looked_at(name: str) -> None:
    found = list(differences(parsed(golden(name)), parsed(drawn(name))))
    assert not found, "\n".join(found)


def test_every_golden_picture_has_its_program() -> None:
    assert {path.stem for path in GOLDEN.iterdir()} == PROGRAMS.keys()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda s: s.replace("value 9", "value 8"), "/text: text was 'value 9', is 'value 8'"),
        (lambda s: s.replace('data-slot="1"', 'data-slot="0"'), "data-slot was '1', is '0'"),
        (lambda s: s.replace('data-name="x" ', ""), "data-name was 'x', is None"),
        (lambda s: s.replace("<rect class=\"page\"", "<path class=\"page\""), "is now <path>"),
        (lambda s: s.replace("</svg>", "<g/></svg>"), "one more <g>"),
        (lambda s: s.replace("<title>square</title>", ""), "one less <"),
    ],
)  # fmt: skip
def test_a_change_of_a_picture_is_told(change: Callable[[str], str], told: str) -> None:
    text = golden("square")
    changed = change(text)
    assert changed != text
    found = list(differences(parsed(text), parsed(changed)))
    assert any(told in one for one in found), found


def test_bytes_that_mean_the_same_are_no_change() -> None:
    text = golden("square")
    same = text.replace("\n<g", "\n\n  <g").replace('<g role="list">', "<g role='list'>")
    assert same != text
    assert list(differences(parsed(text), parsed(same))) == []
