"""Clusters as frames that hold exactly their own boxes, split where strangers stand between.

A frame is laid out as one item of the frame around it, so what a cluster sends out must not come
back in: where it does (a module that is called twice, forward and backward), the cluster is drawn
as several parts. The parts are found greedily in topological order: a box opens a new part where
joining the present one could close a cycle among the items.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ...errors import GraphError
from ..view import View


@dataclass
class Nest:
    """A frame and what is directly in it: boxes, by number, and inner frames, by place."""

    cluster: int | None
    members: list[int]  # all boxes inside, however deep
    depth: int
    part: int = 1
    boxes: list[int] = field(default_factory=list[int])
    inner: list[int] = field(default_factory=list[int])


def nested(view: View, sources: Sequence[Sequence[int]]) -> list[Nest]:
    """Return the frames, outer ones first; the first one is the picture itself.

    `sources` are, for each box, the numbers of the boxes its arrows come from.
    """
    chains = _chains(view)
    nests = [Nest(None, list(range(len(view.boxes))), 0)]
    for nest in nests:  # grows
        parts: dict[int, list[int]] = {}
        for box, part in zip(nest.members, _parts(nest, chains, sources), strict=True):
            if part is None:
                nest.boxes.append(box)
            else:
                parts.setdefault(part, []).append(box)
        for members in parts.values():
            cluster = chains[members[0]][nest.depth]
            nest.inner.append(len(nests))
            nests.append(Nest(cluster, members, nest.depth + 1))
    _number_parts(nests)
    return nests


def _number_parts(nests: Sequence[Nest]) -> None:
    """Number the parts of a cluster through all the frames it is split over."""
    count: dict[int | None, int] = {}
    for nest in nests:
        count[nest.cluster] = nest.part = count.get(nest.cluster, 0) + 1


def _chains(view: View) -> list[tuple[int, ...]]:
    """Return, for each box, the clusters around it from the outermost to its own."""
    number = {cluster.id: i for i, cluster in enumerate(view.clusters)}
    known: dict[str | None, tuple[int, ...]] = {None: ()}
    for cluster in view.clusters:
        path: list[str] = []
        at: str | None = cluster.id
        while at not in known:
            if at not in number or at in path:
                raise GraphError(
                    f"cluster {cluster.id!r} stands in {at!r}: it needs a parent in the view, "
                    "and none that is inside itself"
                )
            path.append(at)
            at = view.clusters[number[at]].parent
        for inner in reversed(path):
            known[inner] = (*known[at], number[inner])
            at = inner
    for box in view.boxes:
        if box.cluster not in known:
            raise GraphError(f"box {box.id!r} stands in {box.cluster!r}, which is no cluster")
    return [known[box.cluster] for box in view.boxes]


def _parts(
    nest: Nest, chains: Sequence[tuple[int, ...]], sources: Sequence[Sequence[int]]
) -> list[int | None]:
    """Return the part that each member belongs to, None for one directly in the frame.

    Sets of parts are the bits of integers: what a free box, or a part, depends on. Once something
    outside depends on a part, it takes in nothing that would make it depend on more.
    """
    depth = nest.depth
    latest: dict[int, int] = {}  # cluster -> its present part
    part: dict[int, int | None] = {}
    behind: dict[int, int] = {}  # of free boxes
    before: list[int] = []  # of parts
    used: list[bool] = []
    for box in nest.members:
        direct = [p for source in sources[box] if (p := part.get(source)) is not None]
        through = 0
        for source in sources[box]:
            through |= behind.get(source, 0)
        if len(chains[box]) == depth:
            own, behind[box] = None, through | _closed(direct, before)
        else:
            cluster = chains[box][depth]
            own = latest.get(cluster)
            needs = through | _closed([p for p in direct if p != own], before)
            if own is None or needs >> own & 1 or (used[own] and needs & ~before[own]):
                own = latest[cluster] = len(before)
                before.append(0)
                used.append(False)
                needs = through | _closed(direct, before)
            before[own] |= needs
        part[box] = own
        for p in direct:
            used[p] |= p != own
    return list(part.values())


def _closed(parts: Sequence[int], before: Sequence[int]) -> int:
    """Return the set of some parts and of all that they depend on."""
    whole = 0
    for p in parts:
        whole |= before[p] | 1 << p
    return whole
