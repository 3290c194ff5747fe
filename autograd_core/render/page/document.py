"""One HTML file: picture and table for readers without scripts, data and script for the others.

Nothing in it is fetched: a policy forbids every source, and allows its own script and styles by
their hashes.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import zlib
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any

from ...graph.difference import Difference, graph_diff
from ..colors import DARK, LIGHT, STEPS, Theme, ink_on, scale_color
from ..fonts import escaped, shown
from ..svg import write as write_picture
from ..words import statistics_text, visible
from .content import Content

if TYPE_CHECKING:
    from ...graph import Graph, GraphNode
    from ...graph.statistics import Statistics

THEMES = ("auto", "light", "dark")
ROWS, SOME = 10_000, 1_000  # nodes up to which each has a row in the table; rows if they are more
LONG = 1_000_000  # letters of data, beyond which they are packed
FIRST = ("first.js",)
# In the order in which they need one another; those up to search.js know nothing of a browser.
LOGIC = ("numbers.js", "graph.js", "stack.js", "replay.js", "search.js")
SCRIPTS = (*LOGIC, "picture.js", "camera.js", "panel.js", "page.js")
RINGS = {"light": "#0b57d0", "dark": "#8ab8ff"}  # what has the focus, and what the step lights

_FOLDER = Path(__file__).parent
_HARMLESS = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"})


def write(
    graph: Graph,
    *,
    other: Graph | None = None,
    tolerance: float = 1e-6,
    title: str = "",
    collapse: float | str = "auto",
    theme: str = "auto",
) -> str:
    """Return the page of a graph.

    With `other`, an earlier graph, it marks what was added and changed since, and lists what was
    removed; numbers changed if by more than `tolerance` of their RMS. `collapse` is how much is
    closed at first, as in a picture; `theme` is "light", "dark" or "auto".
    """
    if theme not in THEMES:
        raise ValueError(f"theme is {theme!r}; of a page it must be one of {', '.join(THEMES)}")
    changes = None if other is None else graph_diff(other, graph, tolerance)
    view = graph.view(collapse=collapse, title=title)
    record = Content(graph, title, collapse, changes).record()
    picture = write_picture(view, theme=theme)
    said = _described(view.description, changes)
    body = Template(_file("body.html")).substitute(
        title=escaped(record["title"]),
        description=escaped(said),
        label=escaped(f"{record['title']}: {said}"),
        picture=re.sub(r' xmlns="[^"]*"', "", picture).strip(),
        table="".join(_table(graph, changes)),
    )
    inner = picture.partition("<style>")[2].partition("</style>")[0]
    head = _head(escaped(record["title"]), inner)
    named = "" if theme == "auto" else f' data-theme="{theme}"'
    return (
        f'<!DOCTYPE html>\n<html lang="en"{named}>\n<head>\n{head}</head>\n<body>\n'
        f"{body}{_data(embedded(record))}\n<script>{source(SCRIPTS)}</script>\n</body>\n</html>\n"
    )


def _head(title: str, picture_style: str) -> str:
    policy = _policy([source(FIRST), source(SCRIPTS)], [_style(), picture_style])
    return (
        f'<meta charset="utf-8">\n<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>{_style()}</style>\n<script>{source(FIRST)}</script>\n"
    )


def embedded(record: Any) -> str:
    """Return data as JSON that can end no element of HTML, in ASCII."""
    return json.dumps(record, separators=(",", ":"), allow_nan=False).translate(_HARMLESS)


def _data(text: str) -> str:
    """Return the element that holds the data, which are packed where a browser would feel it."""
    if len(text) <= LONG:
        return f'<script type="application/json" id="graph">{text}</script>'
    packed = base64.b64encode(zlib.compress(text.encode("ascii"), 6)).decode()
    return f'<script type="text/plain" id="graph">{packed}</script>'


@cache
def source(names: tuple[str, ...]) -> str:
    """Return some scripts as one, in strict mode, without comment lines and indentation."""
    lines = [line.strip() for name in names for line in _file(name).splitlines()]
    return "\n".join(['"use strict";', *[x for x in lines if x and not x.startswith("//")], ""])


@cache
def _file(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")


@cache
def _style() -> str:
    """Return the sheet with the colours of both themes, and of the scale."""
    light, dark = _variables(LIGHT, "light"), _variables(DARK, "dark")
    scale = [
        f".l{i}>rect,.far.l{i} path{{fill:{color}}}#picture .l{i}>text{{fill:{ink_on(color)}}}"
        for i in range(STEPS)
        for color in [scale_color((i + 0.5) / STEPS)]
    ]
    return "\n".join(
        [
            f":root{{color-scheme:light;{light}}}",
            f"@media (prefers-color-scheme:dark){{:root{{color-scheme:dark;{dark}}}}}",
            f":root[data-theme=light]{{color-scheme:light;{light}}}",
            f":root[data-theme=dark]{{color-scheme:dark;{dark}}}",
            _file("style.css"),
            *scale,
        ]
    )


def _variables(theme: Theme, name: str) -> str:
    roles = {**vars(theme), "ring": RINGS[name]}
    return ";".join(f"--{role.replace('_', '-')}:{color}" for role, color in roles.items())


def _policy(scripts: Sequence[str], styles: Sequence[str]) -> str:
    return (
        f"default-src 'none'; script-src {' '.join(map(_hash, scripts))}; "
        f"style-src {' '.join(map(_hash, styles))}; base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def _described(description: str, changes: Difference | None) -> str:
    if changes is None:
        return description
    return f"{description}; {changes.summary if changes else 'no differences'}"


def _table(graph: Graph, changes: Difference | None) -> Iterator[str]:
    """Give the numbers of all nodes, row by row."""
    many = len(graph.nodes) > ROWS
    nodes = graph.nodes[:SOME] if many else graph.nodes
    more = f", the first {SOME:,} of them; to_text() has all" if many else ""
    yield f"<table><caption>All {len(graph.nodes):,} nodes{more}</caption><thead><tr>"
    heads = ("node", "op", "operands", "type", "value", "gradient", "sends", "module")
    yield "".join(f'<th scope="col">{head}</th>' for head in heads)
    yield "</tr></thead><tbody>\n"
    for node in nodes:
        cells = "".join(f"<td>{escaped(cell)}</td>" for cell in _cells(node))
        yield f'<tr><th scope="row">{_name(node)}</th>{cells}</tr>\n'
    yield "</tbody></table>"
    if changes is not None:
        lines = "".join(f"<li>{escaped(visible(x))}</li>" for x in changes.to_text().splitlines())
        yield f"<ul>{lines}</ul>"


def _name(node: GraphNode) -> str:
    name = "" if node.name is None else f" {escaped(visible(shown(node.name)))}"
    return f"%{node.number}{name}"


def _cells(node: GraphNode) -> Iterator[str]:
    pairs = zip(node.slots, node.operands, strict=True)
    yield node.label if node.kind == "op" else node.kind
    yield ", ".join(f"{slot} {x.text if x.node is None else f'%{x.node}'}" for slot, x in pairs)
    yield node.type_text if node.kind != "error" else node.error
    yield _exact(node.values)
    yield _exact(node.grads)
    yield ", ".join([_exact(x.sent) or "-" for x in node.operands if x.node is not None])
    yield node.module or ""


def _exact(s: Statistics | None) -> str:
    """Return one number with all its digits, several by their statistics."""
    if s is None:
        return ""
    return repr(s.item) if s.size == 1 else statistics_text(s)
