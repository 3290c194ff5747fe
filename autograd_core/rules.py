"""What a rule asks for by the names of its arguments, and rules that share their work."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

Rule = Callable[..., Any]


def named(rule: Any) -> Any:
    """Return the names a rule asks for, after g or t."""
    if rule is None:
        return ()
    given = getattr(rule, "names", None)
    return given if given is not None else rule.__code__.co_varnames[1 : rule.__code__.co_argcount]


def once(pull: Rule, wanted: Sequence[bool]) -> list[tuple[Rule | None, None]]:
    """Return rules of the operands that share what pull(g, saved, node) finds for all of them.

    The first that is asked runs it, so they serve one visit to one node. They come as the engine
    takes them, see Op.pulls; None where no cotangent is wanted.
    """
    found: list[Any] = []

    def rule(i: int) -> Rule:
        def one(g: Any, saved: Any, node: Any) -> Any:
            if not found:
                found.extend(pull(g, saved, node))
            return found[i]

        return one

    return [(rule(i) if want else None, None) for i, want in enumerate(wanted)]
