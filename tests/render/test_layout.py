"""Layouts: boxes apart, frames exact, arrows on their slots, quick and the same every time."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd_core as ag
from autograd_core.render.cards import cards
from autograd_core.render.layout import Layout, Room, arrange
from autograd_core.render.layout.columns import BETWEEN_BOXES
from autograd_core.render.view import Arrow, Cluster, View
from tests.render import geometry, views


def laid_out(view: View) -> tuple[Layout, list[Room]]:
    rooms = [card.room for card in cards(view)]
    return arrange(view, rooms, [60] * len(view.clusters)), rooms


@pytest.mark.parametrize("name", views.SHAPES)
def test_chosen_shapes_are_laid_out_without_a_fault(name: str) -> None:
    layout, rooms = laid_out(views.SHAPES[name])
    assert geometry.faults(views.SHAPES[name], layout, rooms) == []
    assert list(geometry.crossed(layout, rooms)) == []


@settings(max_examples=60)
@given(seed=st.integers(0, 2**32), boxes=st.integers(0, 60))
def test_random_graphs_are_laid_out_without_a_fault(seed: int, boxes: int) -> None:
    view = views.random_view(seed, boxes)
    layout, rooms = laid_out(view)
    assert geometry.faults(view, layout, rooms) == []
    assert list(geometry.crossed(layout, rooms)) == []


@settings(max_examples=5)
@given(seed=st.integers(0, 2**32), boxes=st.integers(150, 300))
def test_larger_random_graphs_are_laid_out_without_a_fault(seed: int, boxes: int) -> None:
    view = views.random_view(seed, boxes)
    layout, rooms = laid_out(view)
    assert geometry.faults(view, layout, rooms) == []


def test_a_hub_of_three_hundred_arrows_gives_each_one_its_slot() -> None:
    view = views.hub(300)
    layout, rooms = laid_out(view)
    assert geometry.faults(view, layout, rooms) == []
    assert len({route.points[-1] for route in layout.routes}) == 300


def test_a_chain_of_five_thousand_wraps_into_a_page() -> None:
    assert sys.getrecursionlimit() <= 1_000
    view = views.chain(5_000)
    layout, rooms = laid_out(view)
    assert list(geometry.overlaps(layout, rooms)) == []
    assert list(geometry.loose_ends(view, layout)) == []
    assert 0.5 < layout.width / layout.height < 4.0


def test_a_dense_graph_is_laid_out_without_overlaps() -> None:
    view = views.dense(400, 3_200)
    layout, rooms = laid_out(view)
    assert geometry.faults(view, layout, rooms) == []


def test_two_arrows_into_a_square_end_at_two_places() -> None:
    layout, _ = laid_out(views.SQUARE)
    first, second = layout.routes
    assert first.points[-1][0] < second.points[-1][0]
    assert first.points[0] != second.points[0]


def test_operands_stand_in_the_order_of_their_slots() -> None:
    view = views.view_of([[], [], [1, 0]])
    layout, _ = laid_out(view)
    assert layout.boxes[1].x < layout.boxes[0].x


def test_a_tree_has_no_crossings_and_a_chain_is_straight() -> None:
    layout, _ = laid_out(views.residual_chain(2))
    spine = [1 + 1, 1 + 3, 1 + 4]  # the product, the sum and the relu of the first block
    middles = {layout.boxes[i].x + layout.boxes[i].width // 2 for i in spine}
    assert len(middles) == 1


def test_a_module_that_is_called_twice_has_two_frames() -> None:
    view = views.SHAPES["called twice"]
    layout, _ = laid_out(view)
    assert [(f.part, f.parts) for f in layout.frames] == [(1, 2), (2, 2)]


def test_two_modules_that_feed_each_other_are_split_only_where_they_must_be() -> None:
    view = views.view_of(
        [[], [0], [], [2], [1, 3]],
        ["a", "b", "b", "a", None],
        (Cluster("a", "a"), Cluster("b", "b")),
    )
    layout, rooms = laid_out(view)
    assert geometry.faults(view, layout, rooms) == []
    assert len(layout.frames) == 3


def test_a_leaf_stands_just_above_its_use() -> None:
    view = views.view_of([[], [0], [1], [2], [], [3, 4]])
    layout, _ = laid_out(view)
    assert layout.boxes[4].rank == layout.boxes[5].rank - 1


def grown(view: View, at: int) -> View:
    """The view with one more box between the source and the target of an arrow."""
    arrow = view.arrows[at]
    target = next(i for i, box in enumerate(view.boxes) if box.id == arrow.target)
    new = replace(view.boxes[target], id="new", title="new", op="new")
    arrows = list(view.arrows)
    arrows[at] = replace(arrow, source="new")
    boxes = (*view.boxes[:target], new, *view.boxes[target:])
    return replace(view, boxes=boxes, arrows=(*arrows, Arrow(arrow.source, "new")))


def moves(view: View, at: int) -> tuple[float, float, float]:
    """Return the median shifts of ranks and of x, in columns, and the share of neighbours kept."""
    after = grown(view, at)
    (old, rooms), (new, _) = laid_out(view), laid_out(after)
    places = dict(zip((b.id for b in after.boxes), new.boxes, strict=True))
    moved = [places[b.id] for b in view.boxes]
    ranks = statistics.median(abs(a.rank - b.rank) for a, b in zip(old.boxes, moved, strict=True))
    shift = statistics.median(abs(a.x - b.x) for a, b in zip(old.boxes, moved, strict=True))
    neighbours = [
        (i, k)
        for i, a in enumerate(old.boxes)
        for k, b in enumerate(old.boxes)
        if a.rank == b.rank and a.x < b.x and moved[i].rank == moved[k].rank
    ]
    kept = sum(moved[i].x < moved[k].x for i, k in neighbours)
    column = statistics.mean(room.width for room in rooms) + BETWEEN_BOXES
    return ranks, shift / column, kept / len(neighbours)


STILL = {
    "residual": views.residual_chain(8),
    **{f"random {i}": views.random_view(i, 60, with_clusters=False) for i in (0, 1, 5)},
}


@pytest.mark.parametrize("name", STILL)
def test_one_more_box_leaves_the_others_about_where_they_were(name: str) -> None:
    view = STILL[name]
    ranks, shifts, kept = zip(*(moves(view, at) for at in range(0, 60, 4)), strict=True)
    assert max(ranks) <= 1
    assert statistics.median(shifts) <= 1.0
    assert statistics.mean(kept) >= (1.0 if name == "residual" else 0.95)


def box_moved(layout: Layout) -> Layout:
    first, second, *rest = layout.boxes
    return replace(layout, boxes=(replace(second, rank=first.rank), second, *rest))


def slots_exchanged(layout: Layout) -> Layout:
    *rest, a, b = layout.routes
    return replace(layout, routes=(*rest, b, a))


def frame_shrunk(layout: Layout) -> Layout:
    *rest, inner = layout.frames
    return replace(layout, frames=(*rest, replace(inner, place=replace(inner.place, height=40))))


def ranks_turned(layout: Layout) -> Layout:
    boxes = tuple(replace(box, rank=-box.rank) for box in layout.boxes)
    return replace(layout, boxes=boxes)


def page_cut(layout: Layout) -> Layout:
    return replace(layout, width=layout.width // 2)


@pytest.mark.parametrize(
    "mistake", [box_moved, slots_exchanged, frame_shrunk, ranks_turned, page_cut]
)
def test_a_mistake_in_a_layout_is_seen(mistake: Callable[[Layout], Layout]) -> None:
    view = views.view_of([[], [0], [1, 0]], ["c", "c", "c"], (Cluster("c", "c"),))
    layout, rooms = laid_out(view)
    assert geometry.faults(view, layout, rooms) == []
    assert geometry.faults(view, mistake(layout), rooms) != []


def test_an_arrow_through_a_box_is_seen() -> None:
    view = views.SHAPES["long arrow"]
    layout, rooms = laid_out(view)
    routes = list(layout.routes)
    last = next(i for i, a in enumerate(view.arrows) if a.slot == 1)
    routes[last] = replace(routes[last], points=(routes[last].points[0], routes[last].points[-1]))
    assert list(geometry.crossed(replace(layout, routes=tuple(routes)), rooms)) != []


@pytest.mark.parametrize(
    ("view", "text"),
    [
        (View((), (Arrow("a", "b"),)), "an arrow joins 'a', which is no box of the view"),
        (views.view_of([[], [1]]), "from 'n1' back to 'n1': boxes must stand in topological order"),
        (views.view_of([[]], ["c"]), "box 'n0' stands in 'c', which is no cluster"),
        (views.view_of([[]], [None], (Cluster("a", "a", "b"),)), "cluster 'a' stands in 'b'"),
        (
            views.view_of([[]], [None], (Cluster("a", "a", "b"), Cluster("b", "b", "a"))),
            "needs a parent in the view, and none that is inside itself",
        ),
        (
            View(views.view_of([[]]).boxes * 2, ()),
            "the view has two boxes 'n0'; each needs an id of its own",
        ),
    ],
    ids=["nowhere", "backwards", "stranger", "orphan", "circle", "twins"],
)
def test_a_view_that_is_none_is_refused(view: View, text: str) -> None:
    with pytest.raises(ag.GraphError, match=text):
        laid_out(view)
