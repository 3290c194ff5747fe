"""Colours of pictures: four themes, a scale for magnitudes, and a palette for kinds.

Every text has at least 4.5:1 against what is behind it, every line and border 3:1 (WCAG 2.1,
1.4.3 and 1.4.11). No meaning is told by colour alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, isfinite, log10, pi, radians, sin

STEPS = 24  # of the scale: two for each of the 12 decades of a gradient
SMALLEST, LARGEST = -9.0, 3.0  # decades of gradients that the scale spans


@dataclass(frozen=True)
class Theme:
    """What stands on the page, by role; fills are those of boxes by kind."""

    page: str
    text: str
    faint: str  # second lines, captions, names of slots
    line: str  # arrows, borders
    frame: str  # borders of clusters
    alarm: str  # what is NaN or infinite, and failures: borders and arrows
    alarm_text: str
    op: str
    leaf: str
    input: str
    module: str
    alarm_fill: str
    positive: str  # bars of a strip
    negative: str

    def fills(self) -> dict[str, str]:
        """Return what is behind the text of a box, by kind."""
        return {
            "op": self.op,
            "leaf": self.leaf,
            "input": self.input,
            "module": self.module,
            "alarm": self.alarm_fill,
        }


LIGHT = Theme(
    page="#ffffff",
    text="#1b2430",
    faint="#4c5866",
    line="#76828f",
    frame="#8290a0",
    alarm="#c0127e",
    alarm_text="#a00c68",
    op="#eef3fa",
    leaf="#fdf3dc",
    input="#f4f5f7",
    module="#e9f3ef",
    alarm_fill="#fdeaf5",
    positive="#2f6db0",
    negative="#b4570f",
)
DARK = Theme(
    page="#14181f",
    text="#eef2f7",
    faint="#b3bfcc",
    line="#8b98a7",
    frame="#6f7d8e",
    alarm="#ff6ec4",
    alarm_text="#ff9ad6",
    op="#222c3a",
    leaf="#3a3120",
    input="#262b33",
    module="#1f352f",
    alarm_fill="#43172f",
    positive="#6aa9ec",
    negative="#ec9a55",
)
PRINT = Theme(
    page="#ffffff",
    text="#000000",
    faint="#333333",
    line="#333333",
    frame="#777777",
    alarm="#a0006a",
    alarm_text="#80004f",
    op="#ffffff",
    leaf="#f2f2f2",
    input="#ffffff",
    module="#f2f2f2",
    alarm_fill="#ffffff",
    positive="#444444",
    negative="#777777",
)
THEMES = {"light": LIGHT, "dark": DARK, "print": PRINT}


def gradient_level(rms: float) -> float:
    """Return the place of a gradient on the scale: 0 at 1e-9 and below, 1 at 1e3 and above."""
    if not isfinite(rms):
        return 1.0
    if rms <= 10.0**SMALLEST:
        return 0.0
    return min((log10(rms) - SMALLEST) / (LARGEST - SMALLEST), 1.0)


def step_of(level: float) -> int:
    """Return which of the scale's steps a level is on."""
    return min(int(max(level, 0.0) * STEPS), STEPS - 1)


def scale_color(level: float) -> str:
    """Return the colour of a level: from dark violet over blue and green to light yellow.

    Lightness rises evenly in Oklab (Ottosson, 2020), so the order survives without colour and
    with any deficiency of colour vision; the hue turns once through the cold side.
    """
    angle = radians(290.0 - 185.0 * level)
    chroma = 0.075 + 0.045 * level
    return _from_oklab(0.36 + 0.57 * level, chroma * cos(angle), chroma * sin(angle))


def ink_on(color: str) -> str:
    """Return black or white, whichever is the easier to read on a colour."""
    return max(("#000000", "#ffffff"), key=lambda ink: contrast(ink, color))


def group_color(number: int, dark: bool = False) -> str:
    """Return a quiet fill for the n-th group: hues a golden angle apart, of one lightness."""
    angle = 0.9 + number * pi * (3.0 - 5.0**0.5)
    lightness = 0.36 if dark else 0.92
    return _from_oklab(lightness, 0.055 * cos(angle), 0.055 * sin(angle))


def _from_oklab(lightness: float, a: float, b: float) -> str:
    """Return #rrggbb; matrices of Ottosson, "A perceptual color space for image processing"."""
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    middle = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    linear = (
        4.0767416621 * long - 3.3077115913 * middle + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * middle - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * middle + 1.7076147010 * short,
    )
    return "#" + "".join(f"{_encoded(c):02x}" for c in linear)


def _encoded(c: float) -> int:
    c = min(max(c, 0.0), 1.0)
    return round(255 * (12.92 * c if c <= 0.0031308 else 1.055 * c ** (1 / 2.4) - 0.055))


def luminance(color: str) -> float:
    """Return the relative luminance of #rrggbb (WCAG 2.1)."""
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(a: str, b: str) -> float:
    """Return the contrast of two colours, from 1 to 21 (WCAG 2.1)."""
    dark, light = sorted((luminance(a), luminance(b)))
    return (light + 0.05) / (dark + 0.05)
