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
    columns = zip(leaves(tree), *map(leaves, others), strict=True)
    return rebuild(tree, [function(*column) for column in columns])
