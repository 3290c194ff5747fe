"""Nested containers of tensors: dicts, lists, tuples and named tuples, to any depth."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any


def leaves(tree: Any) -> list[Any]:
    """Return everything in the tree that is not a container, in order; dicts by insertion."""
    if isinstance(tree, dict):
        return [leaf for item in tree.values() for leaf in leaves(item)]
    if isinstance(tree, (list, tuple)):
        return [leaf for item in tree for leaf in leaves(item)]
    return [tree]


def leaves_like(what: str, tree: Any, like: Any) -> list[Any]:
    """Return the leaves of a tree in the order of another that is built alike; dicts by key."""
    found = _matched(tree, like)
    if found is None:
        raise ValueError(f"{what} are {outline(tree)}: they must be built like {outline(like)}")
    return found


def _matched(tree: Any, like: Any) -> list[Any] | None:
    if isinstance(like, dict):
        if not isinstance(tree, dict) or tree.keys() != like.keys():
            return None
        pairs = [(tree[key], item) for key, item in like.items()]
    elif isinstance(like, (list, tuple)):
        if not isinstance(tree, (list, tuple)) or len(tree) != len(like):
            return None
        pairs = list(zip(tree, like, strict=True))
    else:
        return None if isinstance(tree, (dict, list, tuple)) else [tree]
    parts = [_matched(a, b) for a, b in pairs]
    return None if None in parts else [leaf for part in parts for leaf in part or ()]


def outline(tree: Any) -> str:
    """Return how the tree is built, with * for each leaf: {'w': *, 'b': [*, *]}."""
    if isinstance(tree, dict):
        return "{" + ", ".join(f"{key!r}: {outline(item)}" for key, item in tree.items()) + "}"
    if isinstance(tree, (list, tuple)):
        items = ", ".join(map(outline, tree))
        return f"[{items}]" if isinstance(tree, list) else f"({items})"
    return "*"


def rebuild(tree: Any, values: Iterable[Any]) -> Any:
    """Return the tree with its leaves replaced by the values, in order."""
    return _rebuilt(tree, iter(values))


def _rebuilt(tree: Any, values: Any) -> Any:
    if isinstance(tree, dict):
        return {key: _rebuilt(item, values) for key, item in tree.items()}
    if isinstance(tree, (list, tuple)):
        items = [_rebuilt(item, values) for item in tree]
        return type(tree)(*items) if hasattr(tree, "_fields") else type(tree)(items)
    return next(values)


def map_leaves(function: Callable[..., Any], tree: Any, *others: Any) -> Any:
    """Return the tree with `function` applied to each leaf, and to the same leaves of others."""
    columns = [leaves(tree), *(leaves_like("the other trees", other, tree) for other in others)]
    return rebuild(tree, [function(*column) for column in zip(*columns, strict=True)])
