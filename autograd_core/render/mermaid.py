"""A view in the language of Mermaid, which Markdown readers draw."""

from __future__ import annotations

import re

from ..errors import GraphError
from .view import Box, View

EDGES, CHARACTERS = 500, 50_000  # what Mermaid takes, by its defaults
_SHAPES = {
    "leaf": ("([", "])"),
    "alias": ("([", "])"),
    "input": ("[/", "/]"),
    "error": ("{{", "}}"),
}
_ADVICE = "close more of it, as with collapse='auto', or write SVG"


def view_mermaid(view: View) -> str:
    """Return the view as a flowchart; raise where Mermaid would refuse it."""
    if len(view.arrows) > EDGES:
        raise GraphError(
            f"to_mermaid: this view has {len(view.arrows):,} arrows, and Mermaid takes {EDGES}: "
            f"{_ADVICE}"
        )
    ids = {box.id: f"b{i}" for i, box in enumerate(view.boxes)}
    clusters = {cluster.id: f"c{i}" for i, cluster in enumerate(view.clusters)}
    lines = ["flowchart TD"]
    for box in view.boxes:
        start, end = _SHAPES.get(box.kind, ("[", "]"))
        lines.append(f"  {ids[box.id]}{start}{_quoted(_label(box))}{end}")
    for cluster in view.clusters:
        lines.append(f"  subgraph {clusters[cluster.id]}[{_quoted(cluster.title)}]")
        lines += [f"    {ids[box.id]}" for box in view.boxes if box.cluster == cluster.id]
        inner = [clusters[c.id] for c in view.clusters if c.parent == cluster.id]
        lines += [*(f"    {name}" for name in inner), "  end"]
    for arrow in view.arrows:
        label = " ".join(x for x in (arrow.slot_name, arrow.label) if x)
        line = "-.->" if arrow.dotted or arrow.state == "none" else "-->"
        middle = f"{line}|{_quoted(label)}|" if label else line
        lines.append(f"  {ids[arrow.source]} {middle} {ids[arrow.target]}")
    text = "\n".join([*lines, ""])
    if len(text) > CHARACTERS:
        raise GraphError(
            f"to_mermaid: the text would have {len(text):,} characters, and Mermaid takes "
            f"{CHARACTERS:,}: {_ADVICE}"
        )
    return text


def _label(box: Box) -> str:
    return "\n".join([box.title, *box.lines, *box.badges])


def _quoted(text: str) -> str:
    """Return text between quotes; whatever might mean something to Mermaid becomes a code."""
    return '"' + "<br>".join(re.sub(r"[^\w .,+-]", _code, x) for x in text.split("\n")) + '"'


def _code(found: re.Match[str]) -> str:
    c = found[0] if found[0].isprintable() else "\N{REPLACEMENT CHARACTER}"
    return f"#{ord(c)};"
