"""How numbers and names are spelled in every written form, so that no name can break one."""

from __future__ import annotations

import re
from functools import lru_cache

from ..graph.statistics import Statistics

_PLAIN = re.compile(r"[\w.\-/:()<>\[\]#]+(?: [\w.\-/:()<>\[\]#]+)*")
_ESCAPE = re.compile(r"\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|U([0-9a-f]{8})|(.))")


def number_text(x: float, digits: int = 4) -> str:
    """Return a number with so many significant digits."""
    return f"{x:.{digits}g}"


def statistics_text(s: Statistics, digits: int = 4) -> str:
    """Return the number itself, or `[min, max] mean 0.1 rms 0.5 nan 2 inf 1`."""
    if s.size == 1:
        return number_text(s.item or 0.0, digits)
    parts: list[str] = []
    if s.rms is not None:
        least, greatest, mean, rms = [
            number_text(x or 0.0, digits) for x in (s.min, s.max, s.mean, s.rms)
        ]
        parts = [f"[{least}, {greatest}] mean {mean} rms {rms}"]
    return " ".join([*parts, *not_finite(s)]) or "nothing"


def not_finite(s: Statistics) -> list[str]:
    """Return how many elements are not finite, `nan 2` and `inf 1`, where there are any."""
    return [f"{name} {n}" for name, n in (("nan", s.nans), ("inf", s.infs)) if n]


def magnitude_text(s: Statistics) -> str:
    """Return the number itself, or the RMS of several, or that they are not finite."""
    if s.size == 1:
        return number_text(s.item or 0.0)
    if s.nans:
        return "nan"
    return "inf" if s.infs else number_text(s.rms or 0.0, 3)


@lru_cache(4096)
def quoted(text: str, ascii: bool = False) -> str:
    """Return text as it is, where nothing in it could be mistaken; else between quotes."""
    if len(text) < 200 and _PLAIN.fullmatch(text) and (text.isascii() or not ascii):
        return text
    return f'"{escaped(text, ascii)}"'


def escaped(text: str, ascii: bool = False) -> str:
    """Return text with backslashes before quotes, and codes for what cannot be seen."""
    return "".join([_escaped(c, ascii) for c in text])


def _escaped(c: str, ascii: bool) -> str:
    if c in '"\\':
        return "\\" + c
    if c.isprintable() and (c.isascii() or not ascii):
        return c
    code = ord(c)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def unquoted(text: str) -> str:
    """Return what `quoted` was given."""
    if not text.startswith('"'):
        return text
    return _ESCAPE.sub(lambda m: m[4] or chr(int(m[1] or m[2] or m[3], 16)), text[1:-1])


def visible(text: str, limit: int = 200) -> str:
    """Return text for a picture: on one line, cut, what cannot be shown as U+FFFD."""
    if len(text) > limit:
        text = text[: limit - 1] + "\N{HORIZONTAL ELLIPSIS}"
    if text.isprintable():
        return text
    spaced = re.sub(r"[\n\r\t]+", " ", text)
    return "".join([c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in spaced])


def size_text(n: int) -> str:
    """Return so many bytes as 12 kB."""
    for unit, bound in (("B", 1e3), ("kB", 1e6), ("MB", 1e9)):
        if n < bound:
            return _rounded(n / (bound / 1e3), unit)
    return _rounded(n / 1e9, "GB")


def _rounded(x: float, unit: str) -> str:
    return f"{x:.0f} {unit}" if x >= 10 or unit == "B" else f"{x:.1f} {unit}"


def time_text(seconds: float) -> str:
    """Return a time as 12 us."""
    for unit, scale in (("us", 1e6), ("ms", 1e3)):
        if seconds * scale < 1000.0:
            return f"{seconds * scale:.3g} {unit}"
    return f"{seconds:.3g} s"
