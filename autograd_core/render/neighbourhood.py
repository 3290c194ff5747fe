"""The picture of what led to an error or to the first NaN."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from ..graph.trace import graph_of_run
from .badges import births
from .forms import in_form_of

if TYPE_CHECKING:
    from ..graph.data import Graph
    from ..observe import observe

BEFORE, AFTER = 14, 3  # ops shown on either side


def explain(seen: observe, path: str | Path, error: Exception | None) -> None:
    """Draw what is around the op that failed, or that a NaN was born in, and say where it is.

    An error says so in its message; a NaN alone is warned of.
    """
    graph = graph_of_run(seen, error=error)
    if error is not None:
        _name(error, _drawn(graph, [n.number for n in graph.nodes if n.kind == "error"], path))
        return
    born = births(graph)
    if born:
        first = graph.nodes[min(born)]
        place = f"{first.op}{f' in {first.module}' if first.module else ''}, {first.line}"
        message = f"observe: {' and '.join(born[first.number])} in {place}"
        warnings.warn(f"{message}; {_drawn(graph, born, path)}", RuntimeWarning, stacklevel=3)


def _drawn(graph: Graph, places: Iterable[int], path: str | Path) -> str:
    """Write the picture and tell about it; an error on the way must not hide the one to explain."""
    only = around(graph, places)
    try:
        text = in_form_of(path, graph, only=only, collapse=0.0, color_by="value")
        Path(path).write_text(text, encoding="utf-8")
    except (OSError, ValueError) as failure:
        return f"a picture of it could not be written: {failure}"
    return f"a picture of what led there is in {path}"


def around(graph: Graph, places: Iterable[int]) -> set[int]:
    """Return the ops nearest to these: those they came from, and a few that use them."""
    start = list(places)
    if not any(graph.nodes[n].operands for n in start):  # an error of no op: what came last
        start += graph.outputs[-1:]
    near = dict.fromkeys(start)
    for number in start:
        users = [n.number for n in graph.nodes if any(x.node == number for x in n.operands)]
        near |= dict.fromkeys(users[:AFTER])
    waiting = list(start)
    for number in waiting:  # which grows on the way
        if len(near) >= BEFORE:
            break
        for operand in graph.nodes[number].operands:
            if operand.node is not None and operand.node not in near:
                near[operand.node] = None
                waiting.append(operand.node)
    return set(near)


def _name(error: Exception, words: str) -> None:
    if len(error.args) == 1 and isinstance(error.args[0], str):
        error.args = (f"{error.args[0]}; {words}",)
    else:
        error.add_note(words)
