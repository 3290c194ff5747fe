"""How wide text is, and what of it may stand in a picture, without a font at hand.

Widths are those of Helvetica and the fonts made to its measure (Arial, Liberation Sans), in
thousandths of the size; the bold ones for all, as they are never the narrower ones by much.
"""

from __future__ import annotations

import unicodedata

FAMILY = "Helvetica,Arial,'Liberation Sans',sans-serif"

_WIDTHS = {
    238: "'",
    278: " ,./I\\ijl·|",
    333: "!()-:;[]`ft²³",
    389: "*r{}°",
    474: '"',
    500: "zε∂",
    556: "#$0123456789J_aceksvxyλγ√≤≥±θ",
    611: "?FLTZbdghnopqu+<=>^~×−Σβμα",
    667: "EPSVXY",
    722: "&ABCDHKNRUσ",
    778: "GOQw",
    833: "M",
    889: "m%",
    944: "W@",
    1000: "→…",
}
_WIDTH = {c: width for width, letters in _WIDTHS.items() for c in letters}
# Regular letters in thousandths of bold ones: a little less, so that nothing is cut off.
_REGULAR = 960

# What turns the direction of the text around it could make a name look like another one.
_TURNS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_UNKNOWN = "\N{REPLACEMENT CHARACTER}"


def text_width(text: str, size: int, bold: bool = False) -> int:
    """Return the width of a line in whole pixels, rounded up."""
    known = _WIDTH
    thousandths = sum([known.get(c) or _unusual(c) for c in text]) * size
    return -(-thousandths * (1000 if bold else _REGULAR) // 1_000_000)


def _unusual(c: str) -> int:
    if unicodedata.combining(c):
        return 0
    return 1000 if unicodedata.east_asian_width(c) in "WF" or ord(c) > 0x2E7F else 722


def shown(text: str) -> str:
    """Return text with what XML or a reader must not meet shown as a replacement character."""
    if text.isascii() and text.isprintable():
        return text
    return "".join([c if _harmless(c) else _UNKNOWN for c in text])


def _harmless(c: str) -> bool:
    # Control characters, lone surrogates, and the two code points that are no characters.
    return (
        unicodedata.category(c) not in ("Cc", "Cs")
        and c not in _TURNS
        and ord(c) & 0xFFFE != 0xFFFE
    )


def clipped(text: str, letters: int) -> str:
    """Return at most so many letters, the last one an ellipsis where some are left out."""
    return text if len(text) <= letters else text[: letters - 1] + "…"


_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"})


def escaped(text: str) -> str:
    """Return text as it may stand in XML, between tags or in a quoted attribute."""
    return shown(text).translate(_ENTITIES)
