"""What is written in each box, how much room it needs, and the SVG of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import isfinite, isnan

from .colors import gradient_level, step_of
from .fonts import clipped, escaped, shown, text_width
from .layout import Placed, Room
from .view import Arrow, Box, View

SIZE, TITLE_SIZE = 11, 13
LINE, TITLE_LINE, BADGE_LINE = 14, 17, 18
PAD_X, PAD_Y = 9, 6
BAR, BAR_HEIGHT = 8, 20  # of a strip: pitch, and height of all
SHEETS = 8  # how far the sheets of a stack show below it
ARROW, HEAD = 12, 26  # above a box with arrows, and with arrows that say something
LONGEST = 36  # letters of a line
_ORDERS = ("", "∂", "∂²", "∂³")


@dataclass(frozen=True)
class Card:
    """A box's text, ready to be placed."""

    box: Box
    look: str  # classes that give its colours
    title: str
    lines: tuple[str, ...]
    saved: str
    badges: tuple[str, ...]
    slots: tuple[str, ...]  # names of places where arrows enter; empty where all are alike
    room: Room


def number_text(x: float) -> str:
    """Return two digits of a number as 0.31, 1.2e-5, NaN or Inf."""
    if not isfinite(x):
        return "NaN" if isnan(x) else "Inf" if x > 0 else "-Inf"
    mantissa, e, exponent = f"{x:.2g}".partition("e")
    return f"{mantissa}e{int(exponent)}" if e else mantissa


def arrow_text(arrow: Arrow) -> str:
    """Return what is written on an arrow: its label or what was sent; how many it stands for."""
    text = clipped(arrow.label, LONGEST)
    if not text and arrow.contribution is not None:
        text = number_text(arrow.contribution)
    return text if arrow.count == 1 else f"{text} ×{arrow.count}".strip()


def arrow_state(arrow: Arrow) -> str:
    """Return what is marked on an arrow: "none", "zero", "nonfinite", "view" or nothing."""
    sent = arrow.contribution
    if arrow.state or sent is None:
        return arrow.state or "view" * arrow.dotted
    return "nonfinite" if not isfinite(sent) else "zero" if sent == 0.0 else "view" * arrow.dotted


def cards(view: View) -> list[Card]:
    """Return a card for each box of a view."""
    into: dict[str, list[Arrow]] = {}
    for arrow in view.arrows:
        into.setdefault(arrow.target, []).append(arrow)
    looks = looks_of(view)
    return [
        _card(box, look, sorted(into.get(box.id, ()), key=lambda arrow: arrow.slot))
        for box, look in zip(view.boxes, looks, strict=True)
    ]


def looks_of(view: View) -> list[str]:
    """Return the class of colours of each box: its gradient's, its level's, its group's or kind's.

    Where no box has a gradient yet, nobody is marked as having none.
    """
    backward_ran = any(box.grad_rms is not None for box in view.boxes)
    groups: dict[str, int] = {}
    return [_look(box, view.color_by == "grad" and backward_ran, groups) for box in view.boxes]


def _look(box: Box, by_gradient: bool, groups: dict[str, int]) -> str:
    if box.kind == "error":
        return "alarm"
    if by_gradient:
        if box.grad_rms is None:
            return "input" if box.kind in ("input", "constant") else "none"
        if not isfinite(box.grad_rms):
            return "alarm"
        if box.grad_rms == 0.0:
            return "zero"
        return f"l{step_of(gradient_level(box.grad_rms))}"
    if box.level is not None:
        return f"l{step_of(box.level)}"
    if box.group is not None:
        return f"g{groups.setdefault(box.group, len(groups))}"
    return _KIND_LOOKS.get(box.kind, "op")


_KIND_LOOKS = {
    "leaf": "leaf",
    "alias": "leaf",
    "input": "input",
    "constant": "input",
    "fold": "module",
    "module": "module",
}


def _card(box: Box, look: str, arrows: Sequence[Arrow]) -> Card:
    lines = list(box.lines)
    if box.value and not any(box.value in line for line in lines):
        lines.append(f"value {box.value}")
    if box.grad_rms is not None and not any("grad" in line for line in lines):
        lines.append(f"grad {number_text(box.grad_rms)}")
    saved = "" if box.saved_bytes is None else f"saved {box.saved_bytes:,} B"
    if box.freed and not saved:
        saved = "saved, freed"
    slots = tuple(clipped(shown(arrow.slot_name), 12) for arrow in arrows)
    card = Card(
        box=box,
        look=look,
        title=clipped(
            shown(_ORDERS[min(box.order, 3)] + " " * (box.order > 0) + box.title), LONGEST
        ),
        lines=tuple(clipped(shown(line), LONGEST) for line in lines),
        saved=saved,
        badges=tuple(clipped(shown(badge), LONGEST) for badge in box.badges),
        slots=slots if any(slots) else (),
        room=Room(0, 0),
    )
    return replace(card, room=_room(card, [arrow_text(arrow) for arrow in arrows]))


def _room(card: Card, labels: Sequence[str]) -> Room:
    chip = card.box.kind == "alias"
    widths = [text_width(card.title, SIZE if chip else TITLE_SIZE, bold=not chip)]
    widths += [text_width(line, SIZE) for line in (*card.lines, card.saved)]
    widths += [text_width(badge, SIZE) + 10 for badge in card.badges]
    widths += [len(card.box.heat) * BAR]
    width = max(36, max(widths) + 2 * PAD_X)
    # Each arrow ends in the middle of a cell wide enough for its name and for what it says.
    cells = [text_width(shown(text), SIZE) + 8 for text in (*labels, *card.slots) if text]
    width = max(width, max(cells, default=8) * len(labels))
    width += width % 2
    head = HEAD if any(labels) else ARROW * bool(labels)
    return Room(width, _height(card), head, SHEETS * card.box.stack)


def _height(card: Card) -> int:
    height = 2 * PAD_Y + (LINE if card.box.kind == "alias" else TITLE_LINE)
    height += LINE * (len(card.lines) + bool(card.saved) + bool(card.slots))
    height += BADGE_LINE * len(card.badges)
    height += (BAR_HEIGHT + 4) * bool(card.box.heat)
    return height


def drawn(card: Card, place: Placed, result: bool) -> str:
    """Return the SVG of a box: its border, then its text from top to bottom."""
    box, width, height = card.box, place.width, place.height
    kinds = f"node {box.kind} {card.look}" + " result" * result
    radius = {"alias": min(height // 2, 12), "leaf": 12, "input": 2, "constant": 2}.get(box.kind, 6)
    parts = [
        f'<g class="{escaped(kinds)}" role="listitem"{_data(box)} '
        f'transform="translate({place.x} {place.y})"><title>{_title(box, card)}</title>'
    ]
    if box.stack:
        sheet = f"v4h{width}v-{height}h-4"
        parts.append(f'<path class="sheet" d="M4 {height}{sheet}M8 {height + 4}{sheet}"/>')
    parts.append(f'<rect width="{width}" height="{height}" rx="{radius}"/>')
    return "".join([*parts, *_rows(card, width), "</g>"])


def _rows(card: Card, width: int) -> Iterator[str]:
    box, middle, y = card.box, width // 2, PAD_Y
    if card.slots:
        for i, slot in enumerate(card.slots):
            yield _text(width * (2 * i + 1) // (2 * len(card.slots)), y + 9, slot, "slot")
        y += LINE
    chip = box.kind == "alias"
    yield _text(middle, y + (11 if chip else 13), card.title, "" if chip else "name")
    y += LINE if chip else TITLE_LINE
    for line in card.lines:
        yield _text(middle, y + 10, line)
        y += LINE
    if box.heat:
        yield _strip(box.heat, middle - len(box.heat) * BAR // 2, y + 2)
        y += BAR_HEIGHT + 4
    if card.saved:
        yield _text(middle, y + 10, card.saved, "freed" if box.freed else "")
        y += LINE
    for badge in card.badges:
        wide = text_width(badge, SIZE) + 10
        yield f'<rect class="badge" x="{middle - wide // 2}" y="{y + 1}" width="{wide}" '
        yield f'height="16" rx="8"/>{_text(middle, y + 13, badge, "badge")}'
        y += BADGE_LINE


def _text(x: int, y: int, text: str, look: str = "") -> str:
    look = look and f' class="{look}"'
    return f'<text{look} x="{x}" y="{y}">{escaped(text)}</text>'


def _data(box: Box) -> str:
    facts: Mapping[str, str | None] = {
        "id": box.id,
        "op": box.op,
        "name": box.name,
        "shape": box.shape,
        "dtype": box.dtype,
        "value": box.value,
    }
    return "".join(f' data-{key}="{escaped(fact)}"' for key, fact in facts.items() if fact)


def _title(box: Box, card: Card) -> str:
    """Return what a screen reader says and what a pointer shows."""
    said = [box.op if box.title == box.op else f"{box.op}: {box.title}", *card.lines, *box.badges]
    if box.heat:
        said.append(", ".join(map(number_text, box.heat)))
    if card.saved:
        said.append(card.saved + " (freed)" * box.freed)
    if box.tooltip:
        said.append(box.tooltip)
    return escaped(clipped("; ".join(said), 400))


def _strip(values: Sequence[float], x: int, y: int) -> str:
    """Return bars from a middle line, up for positive and down for negative values."""
    largest = max((abs(v) for v in values if isfinite(v)), default=0.0) or 1.0
    half = BAR_HEIGHT // 2
    bars: dict[str, list[str]] = {"up": [], "down": [], "bad": []}
    for i, v in enumerate(values):
        at = x + i * BAR
        if not isfinite(v):
            bars["bad"].append(f"M{at} {y}h7v{2 * half}h-7z")
        elif v:
            height = max(1, round(half * abs(v) / largest))
            up = v > 0.0
            bars["up" if up else "down"].append(
                f"M{at} {y + half}h7v{-height if up else height}h-7z"
            )
    drawn = [f'<path class="{look}" d="{"".join(d)}"/>' for look, d in bars.items() if d]
    width = len(values) * BAR
    panel = f'<path class="panel" d="M{x - 2} {y - 1}h{width + 3}v{BAR_HEIGHT + 2}h-{width + 3}z"/>'
    axis = f'<path class="axis" d="M{x} {y + half}h{width - 1}"/>'
    return "".join([panel, *drawn, axis])
