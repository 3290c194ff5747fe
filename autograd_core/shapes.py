"""The shapes of a node's operands, as rules see them."""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .recording import Node


class Shapes(list[tuple[int, ...]]):
    """The shape of every operand of a node."""

    _starts: list[int] | None = None

    def starts(self, axis: int) -> list[int]:
        """Return where each begins when they are joined along an axis; (0,) takes no room.

        Found once for all of a node's operands, so that joining many stays linear in their number.
        """
        if self._starts is None:
            sizes = (0 if shape == (0,) else shape[axis] for shape in self)
            self._starts = list(accumulate(sizes, initial=0))
        return self._starts


def operand_shapes(node: Node) -> Shapes:
    """Return the shape of every operand of a node."""
    return Shapes([e[0] if e.__class__ is tuple else getattr(e, "shape", ()) for e in node.edges])
