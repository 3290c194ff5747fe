"""Drawing: a picture of a view, layout and all, against Graphviz' `dot` on the same boxes.

The views are made once, outside of the timing. The residual shape is h + W2 relu(W1 h + b); in the
recurrent one three weights are used at each step, each use a chip of its own.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

from benchmarks.case import OURS, Case, Job, Prepare, control

Sources = Sequence[Sequence[int]]


def residual(boxes: int) -> Sources:
    sources: list[list[int]] = [[]]
    h = 0
    while len(sources) < boxes:
        n = len(sources)
        sources += [[], [h, n], [], [n + 1, n + 2], [n + 3], [], [n + 4, n + 5], [h, n + 6]]
        h = n + 7
    return sources


def recurrent(steps: int) -> Sources:
    """Each step: chips of W and b, x, and h = tanh(W [h, x] + b)."""
    sources: list[list[int]] = [[]]
    h = 0
    for _ in range(steps):
        n = len(sources)
        sources += [[], [], [h, n], [n + 2, n + 1], [], [n + 3, n + 4]]
        h = n + 5
    return sources


def chain(boxes: int) -> Sources:
    return [[i - 1] if i else [] for i in range(boxes)]


def hub(leaves: int) -> Sources:
    return [*([[]] * leaves), list(range(leaves))]


def dense(boxes: int, arrows: int) -> Sources:
    draw = random.Random(0)
    sources: list[list[int]] = [[] for _ in range(boxes)]
    for _ in range(arrows):
        source, target = sorted(draw.sample(range(boxes), 2))
        sources[target].append(source)
    return sources


def view_of(sources: Sources) -> Any:
    from autograd_core.render.view import Arrow, Box, View

    boxes = [
        Box(f"n{i}", "op" if own else "leaf", "op", "matmul" if own else "W", ("f32[64, 64]",))
        for i, own in enumerate(sources)
    ]
    arrows = [
        Arrow(f"n{source}", f"n{i}", slot)
        for i, own in enumerate(sources)
        for slot, source in enumerate(own)
    ]
    return View(tuple(boxes), tuple(arrows))


def drawn(make: Callable[[], Sources], engine: str) -> Prepare:
    def prepare() -> Job:
        import shutil

        from autograd_core.render.svg import write

        if engine == "dot" and shutil.which("dot") is None:
            raise ModuleNotFoundError("the program dot is not installed", name="dot")
        view = view_of(make())
        return Job(lambda: write(view, engine=engine))

    return prepare


def picture(
    name: str,
    make: Callable[[], Sources],
    seconds: float,
    against_dot: bool = False,
    quick: bool = True,
) -> Case:
    sides = {OURS: drawn(make, "builtin")}
    if against_dot:
        sides["dot"] = drawn(make, "dot")
    return Case(name, sides, max_us=seconds * 1e6, quick=quick)


def refused(boxes: int) -> Prepare:
    """A chain that is too long for a picture gets its error at once."""

    def prepare() -> Job:
        from autograd_core.errors import GraphError
        from autograd_core.render.svg import write

        view = view_of(chain(boxes))

        def call() -> None:
            try:
                write(view)
            except GraphError:
                return
            raise AssertionError(f"a picture of {boxes} boxes was drawn")

        return Job(call)

    return prepare


CASES = [
    control(),
    picture("residual, 100 boxes", lambda: residual(100), 0.02, against_dot=True),
    picture("residual, 1,000 boxes", lambda: residual(1_000), 0.3, against_dot=True, quick=False),
    picture("residual, 10,000 boxes", lambda: residual(10_000), 5.0, quick=False),
    picture("recurrent, 600 boxes", lambda: recurrent(100), 0.3, against_dot=True, quick=False),
    picture("chain, 15,000 boxes", lambda: chain(15_000), 10.0, quick=False),
    picture("hub of 300 arrows", lambda: hub(300), 10.0),
    picture("dense, 400 boxes, 3,200 arrows", lambda: dense(400, 3_200), 10.0, quick=False),
    Case("chain, 100,000 boxes, refused", {OURS: refused(100_000)}, max_us=10e6, quick=False),
]
