"""The page of a graph: making it in Python, and what its scripts do, timed under node.

node is started once for each row and told by a line when to run, so that its start is not timed.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.case import OURS, Case, Job, Prepare, control

BLOCK = 8  # nodes of the graph for each block of the stack


def stack(nodes: int) -> Any:
    """The graph of blocks of two linear layers, backward and all."""
    import autograd_core as ag
    import nn

    blocks = [
        nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 8), nn.Tanh())
        for _ in range(nodes // BLOCK)
    ]
    return ag.trace_graph(nn.Sequential(*blocks), ag.ones(1, 8), backward=True)


def values(count: int) -> Any:
    """The graph of Values, each used twice."""
    import autograd_core as ag

    known: list[Any] = [ag.Value(0.5), ag.Value(-0.25)]
    while len(known) < count:
        known.append((known[-1] * known[-2]) if len(known) % 2 else (known[-1] + known[-2]))
    return ag.trace_graph(known[-1], backward=True)


def hub(leaves: int) -> Any:
    """The graph of one op of many leaves, which are one section."""
    import autograd_core as ag

    return ag.trace_graph(
        ag.cat([ag.ones(2, requires_grad=True) for _ in range(leaves)]).sum(), backward=True
    )


def made(make: Callable[[], Any]) -> Prepare:
    def prepare() -> Job:
        graph = make()
        return Job(lambda: graph.to_html())

    return prepare


def scripted(make: Callable[[], Any], ready: str, call: str) -> Prepare:
    """Run `ready` once after decoding `graph`, then `call` at each turn."""

    def prepare() -> Job:
        from autograd_core.render.page import document
        from autograd_core.render.page.content import Content

        program = shutil.which("node")
        if program is None:
            raise ModuleNotFoundError("the program node is not installed", name="node")
        record = document.embedded(Content(make(), "", "auto").record())
        folder = tempfile.TemporaryDirectory()
        path = Path(folder.name) / "run.js"
        path.write_text(
            f"{document.source(document.LOGIC)}\nconst text = {record!r};\n"
            f"let graph = decoded(JSON.parse(text));\n{ready}\n"
            'require("readline").createInterface({ input: process.stdin })'
            f'.on("line", () => {{ {call}; process.stdout.write("\\n"); }});\n',
            encoding="utf-8",
        )
        child = subprocess.Popen(
            [program, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

        def run() -> None:
            assert child.stdin is not None
            assert child.stdout is not None
            child.stdin.write(b"\n")
            child.stdin.flush()
            assert child.stdout.readline(), folder  # which stays as long as the job

        return Job(run)

    return prepare


def script(name: str, make: Callable[[], Any], ready: str, call: str, ms: float,
           quick: bool = True) -> Case:  # fmt: skip
    return Case(name, {OURS: scripted(make, ready, call)}, max_us=ms * 1e3, quick=quick)


WIDEST = (
    "const widest = graph.sections.reduce((a, b) => (b.items.length > a.items.length ? b : a));"
    "const open = new Set();"
)
TOGGLE = (
    "open.has(widest.number) ? open.delete(widest.number) : open.add(widest.number);"
    "sceneOf(graph, open)"
)
STEPS = "const replay = new Replay(graph), open = new Set(); replay.still = false; let at = 0;"
STEP = (
    "replay.go(at++ % replay.steps.length); replay.told();"
    "if (replay.now) graph.nodes[replay.now.node].operands.forEach(({ node }, slot) => "
    "node === null || pathOf(graph, open, node, replay.now.node, slot))"
)
OPEN = (
    "graph = decoded(JSON.parse(text)); new Replay(graph);"
    "sceneOf(graph, new Set(graph.sections.filter((s) => s.openWidth).map((s) => s.number)))"
)

CASES = [
    control(),
    Case("page, 1,000 nodes", {OURS: made(lambda: stack(1_000))}, max_us=1e6),
    Case("page, 10,000 nodes", {OURS: made(lambda: stack(10_000))}, max_us=5e6, quick=False),
    Case("page, 100,000 nodes", {OURS: made(lambda: stack(100_000))}, max_us=60e6, quick=False),
    script("open, 10,000 nodes", lambda: stack(10_000), "", OPEN, 500.0, quick=False),
    script("open, 100,000 nodes", lambda: stack(100_000), "", OPEN, 2_000.0, quick=False),
    script("toggle, 300 inside", lambda: hub(300), WIDEST, TOGGLE, 100.0),
    script("search, 10,000 nodes", lambda: stack(10_000), "",
           "search(graph, 'relu grad>1e-3')", 50.0, quick=False),
    script("step, 150 nodes", lambda: values(150), STEPS, STEP, 16.0),
]  # fmt: skip
