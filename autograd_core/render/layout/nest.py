"""Clusters as frames that hold exactly their own boxes, split where strangers stand between.

A frame is laid out as one item of the frame around it, so what a cluster sends out must not come
back in: where it does (a module that is called twice, forward and backward), the cluster is drawn
as several parts. The parts are found greedily in topological order: a box opens a new part when
joining the present one would close a cycle among the items.
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

    Sets of parts are the bits of integers: `behind[box]` are those a free box depends on,
    `after[p]` those that depend on part p.
    """
    depth = nest.depth
    if all(len(chains[box]) == depth for box in nest.members):
        return [None] * len(nest.members)
    latest: dict[int, int] = {}  # cluster -> its present part
    part: dict[int, int | None] = {}
    behind: dict[int, int] = {}
    after: list[int] = []
    known: list[int] = []  # what each part is known to depend on
    for box in nest.members:
        direct = through = 0
        for source in sources[box]:
            p = part.get(source)
            if p is not None:
                direct |= 1 << p
            else:
                through |= behind.get(source, 0)
        if len(chains[box]) == depth:
            part[box], behind[box] = None, direct | through
            continue
        own = chains[box][depth]
        p = latest.get(own)
        if p is None or direct & after[p] or through & (after[p] | 1 << p):
            p = latest[own] = len(after)
            after.append(0)
            known.append(0)
        part[box] = p
        needs = (direct | through) & ~(1 << p | known[p])
        if needs:
            known[p] |= needs
            _depend(after, needs, after[p] | 1 << p)
    return list(part.values())


def _depend(after: list[int], needs: int, below: int) -> None:
    """Note that the parts `below` depend on `needs`, and on all that those depend on."""
    for q, reach in enumerate(after):
        if needs & (reach | 1 << q):
            after[q] = reach | below
