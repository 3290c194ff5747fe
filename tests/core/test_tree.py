"""Nested containers: taken apart, put together again, compared by how they are built."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from autograd_core.tree import leaves, leaves_like, map_leaves, outline, rebuild


class Pair(NamedTuple):
    first: object
    second: object


TREE = {"w": [1, (2, 3)], "b": Pair(4, {"c": 5})}


def test_leaves_come_in_order() -> None:
    assert leaves(TREE) == [1, 2, 3, 4, 5]
    assert leaves(7) == [7]
    assert leaves([]) == []


def test_a_tree_is_rebuilt_with_its_kinds_of_containers() -> None:
    again = rebuild(TREE, [10, 20, 30, 40, 50])
    assert again == {"w": [10, (20, 30)], "b": Pair(40, {"c": 50})}
    assert isinstance(again["b"], Pair)


def test_dicts_are_matched_by_key_and_not_by_order() -> None:
    assert leaves_like("they", {"b": 1, "a": 2}, {"a": 0, "b": 0}) == [2, 1]
    assert map_leaves(lambda x, y: x - y, {"a": 5, "b": 7}, {"b": 1, "a": 2}) == {"a": 3, "b": 6}


@pytest.mark.parametrize(
    ("tree", "text"),
    [
        ({"a": 1}, r"they are \{'a': \*\}: they must be built like \{'a': \*, 'b': \[\*, \*\]\}"),
        ({"a": 1, "b": [1]}, r"they are \{'a': \*, 'b': \[\*\]\}"),
        ({"a": (1,), "b": [1, 2]}, r"they are \{'a': \(\*\), 'b': \[\*, \*\]\}"),
        (3, r"they are \*: they must be"),
    ],
)
def test_another_structure_is_refused_and_drawn(tree: object, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        leaves_like("they", tree, {"a": 0, "b": [0, 0]})


def test_the_outline_draws_containers_and_stars() -> None:
    assert outline(TREE) == "{'w': [*, (*, *)], 'b': (*, {'c': *})}"
