"""The style sheet inside a picture: what of it occurs, in one theme or in two."""

from __future__ import annotations

from collections.abc import Iterable

from .colors import DARK, LIGHT, STEPS, THEMES, Theme, group_color, ink_on, scale_color
from .fonts import FAMILY


def style_sheet(theme: str, looks: Iterable[str]) -> str:
    """Return the rules for a theme; "auto" follows the reader's system. Needs no custom property.

    Every rule is bound to the picture's own class, so that pictures with different themes can stand
    in one page.
    """
    kinds = LIGHT.fills()  # come first, since a box of a kind may have a level's colour instead
    looks = sorted(set(looks), key=lambda look: (look not in kinds, look))
    root = f".ag-{theme}"
    rules = [*_SHAPES, *_rules(THEMES.get(theme, LIGHT), looks, dark=theme == "dark")]
    if "zero" in looks:
        rules.append(f".zero>rect{{fill:url(#ag-{theme}-hatch)}}")
    text = "\n".join(_bound(root, rule) for rule in rules)
    if theme == "auto":
        dark = "\n".join(_bound(root, rule) for rule in _rules(DARK, looks, dark=True))
        text += f"\n@media (prefers-color-scheme:dark){{\n{dark}\n}}"
    return text


def _bound(root: str, rule: str) -> str:
    selectors, _, body = rule.partition("{")
    return ",".join(f"{root} {selector}" for selector in selectors.split(",")) + "{" + body


_SHAPES = [
    f"text{{font:11px {FAMILY};text-anchor:middle}}",
    ".name{font-weight:700;font-size:13px}",
    ".head{font-weight:700;font-size:16px}",
    ".left{text-anchor:start}",
    ".freed{text-decoration:line-through}",
    ".alias>text{font-style:italic}",
    ".none>rect{stroke-dasharray:5 3}",
    ".result>rect{stroke-width:2.5}",
    "rect.badge{stroke-dasharray:none}",
    ".cluster>rect{fill:none}",
    ".edge>path,.line>path,.sheet{fill:none}",
    "path.none{stroke-dasharray:7 4}",
    "path.zero{stroke-dasharray:8 3 2 3}",
    "path.view{stroke-dasharray:2 4}",
    ".edge>text{stroke-width:4;stroke-linejoin:round;paint-order:stroke}",
]


def _rules(theme: Theme, looks: Iterable[str], dark: bool) -> list[str]:
    rules = [
        f".page{{fill:{theme.page}}}",
        f"text{{fill:{theme.text}}}",
        f".slot,.quiet{{fill:{theme.faint}}}",
        f".node>rect,.key>rect,.sheet{{stroke:{theme.line}}}",
        f".key>rect{{fill:{theme.page}}}",
        f".edge>path,.line>path{{stroke:{theme.line}}}",
        f".edge>text{{fill:{theme.text};stroke:{theme.page}}}",
        f".tip{{fill:{theme.line}}}",
        f"path.nonfinite{{stroke:{theme.alarm}}}",
        f".alarm-tip{{fill:{theme.alarm}}}",
        f".cluster>rect{{stroke:{theme.frame}}}",
        f".up{{fill:{theme.positive}}}",
        f".down{{fill:{theme.negative}}}",
        f".bad{{fill:{theme.alarm}}}",
        f".axis{{stroke:{theme.line}}}",
        f".panel{{fill:{theme.page}}}",
        f".ground{{fill:{theme.input}}}",
        f".hatch{{stroke:{theme.line}}}",
    ]
    for look in looks:
        rules += _look_rules(look, theme, dark)
    return [
        *rules,
        f"g>rect.badge{{fill:{theme.page};stroke:{theme.line};stroke-width:1}}",
        f"g>text.badge{{fill:{theme.text};stroke:none}}",
    ]


def _look_rules(look: str, theme: Theme, dark: bool) -> list[str]:
    fills = theme.fills()
    if look == "alarm":
        return [
            f".alarm>rect{{fill:{theme.alarm_fill};stroke:{theme.alarm};stroke-width:2}}",
            f".alarm>text{{fill:{theme.alarm_text}}}",
        ]
    if look == "zero":
        halo = "stroke-width:4;stroke-linejoin:round;paint-order:stroke"
        return [f".zero>text{{stroke:{theme.input};{halo}}}"]
    if look in fills or look == "none":
        return [f".{look}>rect{{fill:{fills.get(look, theme.input)}}}"]
    number = int(look[1:])
    if look[0] == "g":
        return [f".{look}>rect{{fill:{group_color(number, dark)}}}"]
    color = scale_color((number + 0.5) / STEPS)
    return [f".{look}>rect{{fill:{color}}}", f".{look}>text{{fill:{ink_on(color)}}}"]
