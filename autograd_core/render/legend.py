"""What the marks of a picture mean: an entry for each one that occurs, and for no other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .cards import SIZE, Card, arrow_state, number_text
from .colors import LARGEST, SMALLEST, STEPS, scale_color
from .fonts import clipped, escaped, shown, text_width
from .view import Arrow, View

ROW = 22
SWATCH = 30
SPACE = 18  # between two entries


@dataclass(frozen=True)
class Entry:
    """A sample of a mark, drawn in a box of `width` by 14, and its meaning."""

    sample: str
    text: str
    width: int = SWATCH


def legend(view: View, cards: Sequence[Card], widths: bool) -> list[Entry]:
    """Return the entries; `widths` tells whether arrows are as wide as their gradients."""
    looks = {card.look for card in cards}
    kinds = {card.box.kind for card in cards}
    entries = [*_scale(view, looks), *_looks(cards, looks, kinds), *_groups(cards)]
    marks = [
        ("leaf" in kinds, _box("leaf", 7), "leaf"),
        ("alias" in kinds, _CHIP, "another use of a leaf"),
        (any(card.box.stack for card in cards), _SHEETS, "several in one"),
        (any(box.id in view.outputs for box in view.boxes), _box("result", 3), "result"),
        (any(card.box.order for card in cards), _letter("∂"), "computed by backward"),
        (any(card.box.heat for card in cards), _BARS, "values, up: positive"),
        (any(card.box.freed for card in cards), _STRUCK, "saved, freed by backward"),
        (widths, _WIDTHS, "width and number: gradient sent along"),
    ]
    entries += [Entry(sample, text) for occurs, sample, text in marks if occurs]
    return entries + _arrows(view.arrows)


def drawn(entries: Sequence[Entry], x: int, y: int, width: int) -> tuple[str, int]:
    """Return the entries in rows of at most `width`, and the height they take."""
    if not entries:
        return "", 0
    parts: list[str] = []
    at, row = x, 0
    for entry in entries:
        need = entry.width + 6 + text_width(entry.text, SIZE)
        if at > x and at + need > x + width:
            at, row = x, row + 1
        text = f'<text class="left quiet" x="{entry.width + 6}" y="11">{escaped(entry.text)}</text>'
        parts.append(f'<g transform="translate({at} {y + row * ROW})">{entry.sample}{text}</g>')
        at += need + SPACE
    return f'<g class="legend">{"".join(parts)}</g>', (row + 1) * ROW


def width_of(entries: Iterable[Entry]) -> int:
    """Return the width of the widest entry."""
    return max((entry.width + 6 + text_width(entry.text, SIZE) for entry in entries), default=0)


def _box(look: str, radius: int) -> str:
    return f'<g class="key {look}"><rect width="{SWATCH}" height="14" rx="{radius}"/></g>'


def _letter(letter: str) -> str:
    return f'<text x="{SWATCH // 2}" y="11">{letter}</text>'


_CHIP = f'<g class="key alias leaf"><rect width="{SWATCH}" height="14" rx="7"/>{_letter("W")}</g>'
_SHEETS = '<path class="sheet" d="M0 0h22v10h-22zM4 10v4h22v-10h-4"/>'
_BARS = '<path class="up" d="M4 8h6v-7h-6z"/><path class="down" d="M12 8h6v5h-6z"/>'
_STRUCK = f'<text class="freed" x="{SWATCH // 2}" y="11">12 B</text>'
_WIDTHS = (
    '<g class="line"><path d="M0 7h10" stroke-width="1"/>'
    '<path d="M10 7h10" stroke-width="3"/><path d="M20 7h10" stroke-width="6"/></g>'
)


def _scale(view: View, looks: set[str]) -> list[Entry]:
    """Return the scale of colours with what its ends stand for."""
    if not any(look[0] == "l" and look[1:].isdigit() for look in looks):
        return []
    width = 5 * STEPS
    cells = "".join(
        f'<rect x="{5 * i}" width="5" height="14" fill="{scale_color((i + 0.5) / STEPS)}"/>'
        for i in range(STEPS)
    )
    low, high = view.scale or (10.0**SMALLEST, 10.0**LARGEST)
    name = "RMS of the gradient" if view.color_by == "grad" else view.color_by
    return [Entry(cells, f"{name}, {number_text(low)} to {number_text(high)}", width)]


def _looks(cards: Sequence[Card], looks: set[str], kinds: set[str]) -> list[Entry]:
    broken = any(card.look == "alarm" and card.box.kind != "error" for card in cards)
    found = [
        ("zero" in looks, "zero", 3, "gradient exactly 0"),
        ("none" in looks, "none", 3, "no gradient"),
        (broken, "alarm", 3, "gradient NaN or infinite"),
        ("error" in kinds, "alarm", 3, "failed"),
        (bool(kinds & {"input", "constant"}), "input", 2, "input or constant"),
        ("module" in looks, "module", 3, "module or fold"),
    ]
    return [Entry(_box(look, radius), text) for occurs, look, radius, text in found if occurs]


def _groups(cards: Sequence[Card]) -> list[Entry]:
    named = {
        card.look: card.box.group
        for card in cards
        if card.look[0] == "g" and card.look[1:].isdigit() and card.box.group is not None
    }
    return [
        Entry(_box(look, 3), clipped(shown(group), 24)) for look, group in list(named.items())[:12]
    ]


def _arrows(arrows: Sequence[Arrow]) -> list[Entry]:
    states = {arrow_state(arrow) for arrow in arrows}
    marks = {
        "none": "no gradient flows",
        "zero": "gradient exactly 0 flows",
        "nonfinite": "NaN or infinite flows",
        "view": "view of the same memory",
    }
    return [
        Entry(f'<g class="line"><path class="{look}" d="M0 7h{SWATCH}"/></g>', text)
        for look, text in marks.items()
        if look in states
    ]
