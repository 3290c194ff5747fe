"""Views made by hand: chosen shapes of graphs, and random ones from a seed."""

from __future__ import annotations

import random
from collections.abc import Sequence

from autograd_core.render.view import Arrow, Box, Cluster, View


def view_of(
    sources: Sequence[Sequence[int]],
    clusters: Sequence[str | None] = (),
    frames: tuple[Cluster, ...] = (),
) -> View:
    """A box for each entry, with an arrow from each of the earlier boxes that it names."""
    homes = clusters or [None] * len(sources)
    boxes = [
        Box(f"n{i}", "op" if own else "leaf", f"op{i}", f"op{i}", ("f32[4]",), home, shape="[4]")
        for i, (own, home) in enumerate(zip(sources, homes, strict=True))
    ]
    arrows = [
        Arrow(f"n{source}", f"n{i}", slot)
        for i, own in enumerate(sources)
        for slot, source in enumerate(own)
    ]
    return View(tuple(boxes), tuple(arrows), frames)


def chain(length: int) -> View:
    return view_of([[i - 1] if i else [] for i in range(length)])


def hub(leaves: int) -> View:
    return view_of([*[[] for _ in range(leaves)], list(range(leaves))])


def dense(boxes: int, arrows: int, seed: int = 0) -> View:
    draw = random.Random(seed)
    sources: list[list[int]] = [[] for _ in range(boxes)]
    for _ in range(arrows):
        a, b = sorted(draw.sample(range(boxes), 2))
        sources[b].append(a)
    return view_of(sources)


def residual_chain(blocks: int) -> View:
    """Blocks of eight boxes: h + W2 relu(W1 h + b)."""
    sources: list[list[int]] = [[]]
    h = 0
    for _ in range(blocks):
        n = len(sources)
        sources += [[], [h, n], [], [n + 1, n + 2], [n + 3], [], [n + 4, n + 5], [h, n + 6]]
        h = n + 7
    return view_of(sources)


def random_view(seed: int, boxes: int, with_clusters: bool = True) -> View:
    """A random graph, most arrows short, some repeated; clusters nested up to six deep."""
    draw = random.Random(seed)
    frames: list[Cluster] = []
    if with_clusters:
        for i in range(draw.randrange(7)):
            parent = draw.choice([None, *frames]) if i else None
            frames.append(Cluster(f"c{i}", f"module {i}", parent.id if parent else None))
    sources: list[list[int]] = []
    homes: list[str | None] = []
    home: str | None = None
    for i in range(boxes):
        near = max(0, i - 8)
        count = min(i, draw.choice([0, 1, 1, 2, 2, 3]))
        far = draw.random() < 0.1
        sources.append([draw.randrange(0 if far else near, i) for _ in range(count)])
        if draw.random() < 0.3:
            home = draw.choice([None, *[frame.id for frame in frames]])
        homes.append(home)
    return view_of(sources, homes, tuple(frames))


DIAMOND = view_of([[], [0], [0], [1, 2]])
SQUARE = view_of([[], [0, 0]])
SHAPES: dict[str, View] = {
    "empty": View((), ()),
    "single": view_of([[]]),
    "square": SQUARE,
    "diamond": DIAMOND,
    "disconnected": view_of([[], [0], [], [2], [], [4, 4, 4]]),
    "crossing": view_of([[], [], [1], [0], [2, 3, 2]]),
    "long arrow": view_of([[], [0], [1], [2], [3, 0]]),
    "called twice": view_of(
        [[], [0], [1], [2], [3]],
        ["c", "c", None, "c", None],
        (Cluster("c", "layer"),),
    ),
    "six deep": view_of(
        [[], [0], [1], [2], [3], [4], [5, 0]],
        [None, *[f"c{i}" for i in range(6)]],
        tuple(Cluster(f"c{i}", f"level {i}", f"c{i - 1}" if i else None) for i in range(6)),
    ),
    "hub": hub(40),
    "chain": chain(60),
    "residual": residual_chain(6),
}


def all_marks() -> View:
    """One picture with every mark there is."""
    boxes = (
        Box("x", "input", "input", "x", ("f32[32, 64]",)),
        Box("w", "leaf", "leaf", "embed.weight", ("f32[64, 64]", "grad rms 0.0031"), grad_rms=3e-3),
        Box("embed", "op", "matmul", "@", ("f32[32, 64]",), "m", grad_rms=2e-3, saved_bytes=8192),
        Box("fold", "fold", "Block", "blocks.0–11 · Block", ("12 layers like this",), "m",
            grad_rms=4e-8, badges=("x12 same weights", "vanishing 1e-6"), stack=True),
        Box("w2", "alias", "leaf", "embed.weight", (), "m", grad_rms=3e-3),
        Box("tied", "op", "matmul", "@", ("f32[32, 64]",), "m", grad_rms=0.4, saved_bytes=16384,
            freed=True, heat=(0.1, -0.4, 0.9, float("nan"), 0.2)),
        Box("view", "op", "view", "view", ("f32[2048]",), grad_rms=0.0),
        Box("stop", "op", "detach", "detach", ("f32[2048]",)),
        Box("bad", "op", "log", "log", ("f32[2048]", "2 NaN"), grad_rms=float("nan"),
            badges=("NaN born here",)),
        Box("dlog", "op", "div", "/", ("f32[2048]",), order=1, grad_rms=1e2),
        Box("fail", "error", "matmul", "matmul", ("f32[2048] @ f32[3]",), badges=("failed here",)),
    )  # fmt: skip
    arrows = (
        Arrow("x", "embed", 0, "a"),
        Arrow("w", "embed", 1, "b", contribution=2e-3),
        Arrow("embed", "fold", 0, contribution=4e-8),
        Arrow("fold", "tied", 0, "a", contribution=1e-3, count=2),
        Arrow("w2", "tied", 1, "b", contribution=1e-3),
        Arrow("tied", "view", dotted=True),
        Arrow("tied", "stop", state="none"),
        Arrow("view", "bad", state="zero", contribution=0.0),
        Arrow("bad", "dlog", 0, "a", state="nonfinite", contribution=float("nan")),
        Arrow("stop", "dlog", 1, "b", contribution=30.0),
        Arrow("dlog", "fail", 0, "a"),
    )
    frames = (Cluster("m", "model · Transformer", badges=("exploding 2e4",)),)
    return View(boxes, arrows, frames, "Every mark", "All marks.", "11 boxes", outputs=("dlog",))


SHAPES["all marks"] = all_marks()
