"""The forms that a graph can be written in, by the ending of a file's name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..engine import history
from ..graph.trace import trace_graph
from . import svg as pictures
from .view import View

if TYPE_CHECKING:
    from ..graph.data import Graph

AUTOMATIC = 300_000  # bytes of a picture that a notebook shows unasked
VALUES = 150  # in the graph of a Value that a notebook draws
LINES = 60  # of a text beside it
FORMS: dict[str, Callable[..., str]] = {
    ".svg": lambda graph, **choices: svg(graph, **choices),
    ".html": lambda graph, **choices: page(graph, **choices),
    ".dot": lambda graph, **choices: graph.to_dot(**_without(choices, "engine", "theme")),
    ".mmd": lambda graph, **choices: graph.to_mermaid(**_without(choices, "engine", "theme")),
    ".txt": lambda graph, **choices: graph.to_text(),
    ".json": lambda graph, **choices: graph.to_json(),
}


def svg(graph: Graph, *, engine: str = "auto", theme: str = "auto", **choices: Any) -> str:
    """Return the picture of a graph; `choices` are those of its view."""
    return drawn(graph.view(**choices), engine=engine, theme=theme)


def page(
    graph: Graph,
    *,
    color_by: str = "grad",
    view: str = "both",
    engine: str = "auto",
    **choices: Any,
) -> str:
    """Return the page of a graph, whose layout, colours and content are its own."""
    for name, given, only in (("color_by", color_by, "grad"), ("view", view, "both")):
        if given != only:
            raise ValueError(f"{name} is {given!r}; a page has only {only!r}")
    return graph.to_html(**choices)


def drawn(view: View, **choices: Any) -> str:
    """Return the picture of a view."""
    return pictures.write(view, **choices)


def in_form_of(path: str | Path, graph: Graph, **choices: Any) -> str:
    """Return a graph in the form that a file's name ends with."""
    suffix = Path(path).suffix.lower()
    if suffix not in FORMS:
        raise ValueError(f"{path} ends with {suffix!r}: a graph can be {', '.join(FORMS)}")
    return FORMS[suffix](graph, **choices)


def mimebundle(graph: Graph) -> dict[str, str]:
    """Return what a notebook shows: a picture, collapsed where it would be large, and text."""
    lines = graph.to_text().splitlines()
    if len(lines) > LINES:
        lines = [*lines[: LINES - 3], f"... {len(lines) - LINES + 1:,} more lines", *lines[-2:]]
    picture = svg(graph)
    if len(picture) > AUTOMATIC:
        picture = svg(graph, collapse=1.0)
    return {"text/plain": "\n".join(lines), "image/svg+xml": picture}


def picture_of_value(value: Any) -> dict[str, str]:
    """Return the picture of a Value's graph, where it is small."""
    if len(history([value])) > VALUES:
        return {}
    return {"image/svg+xml": svg(trace_graph(value), collapse=0.0)}


def _without(choices: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: x for name, x in choices.items() if name not in names}
