"""trace_graph: from results, or from a function and its inputs, to the graph as data."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ..engine import pull
from ..errors import GraphError
from ..observe import failure_of, observe
from ..recording import Node, Number, Traced, edge
from .builder import Builder
from .data import Graph
from .flow import Flow, whole


def trace_graph(
    output: Any,
    *inputs: Any,
    names: Mapping[str, Any] | None = None,
    backward: bool = False,
    partial: bool = False,
) -> Graph:
    """Return the graph behind an output (or several), or of a function or model run on `inputs`.

    A lean graph tells structure, shapes and saved bytes; running a function here observes it, and
    tells values, lines and times too. `names` gives tensors the names under which they appear.
    With `backward` the graph also tells what a backward sends along each edge, with ones for the
    gradient of each output; `.grad`, hooks and saved arrays stay as they are. With `partial` a
    function that raises gives the graph of what ran before.
    """
    if callable(output) and not isinstance(output, (Traced, Number)):
        return _trace_call(output, inputs, names or {}, backward, partial)
    if inputs:
        raise TypeError("trace_graph takes inputs only after a function or a model")
    outputs = list(output) if isinstance(output, (list, tuple)) else [output]
    for y in outputs:
        if not isinstance(y, (Traced, Number)):
            raise TypeError(
                f"trace_graph got a {type(y).__name__}: it needs a Tensor, a Value, "
                "or a function and its inputs"
            )
    return _graph_of(outputs, observe(), names or {}, backward)


def _trace_call(
    function: Callable[..., Any],
    inputs: Sequence[Any],
    names: Mapping[str, Any],
    backward: bool,
    partial: bool,
) -> Graph:
    with observe() as seen:
        try:
            output = function(*inputs)
        except Exception as error:
            if not partial:
                raise
            return graph_of_run(seen, names, error, inputs)
    outputs = list(output) if isinstance(output, (list, tuple)) else [output]
    if not outputs or not all(isinstance(y, (Traced, Number)) for y in outputs):
        raise GraphError("trace_graph: the function must return a Tensor, a Value, or several")
    return _graph_of(outputs, seen, names, backward, inputs)


def _graph_of(
    outputs: Sequence[Any],
    seen: observe,
    names: Mapping[str, Any],
    backward: bool,
    inputs: Sequence[Any] = (),
) -> Graph:
    numbers = isinstance(outputs[0], Number)
    if backward and not numbers:
        _pull_unseen(outputs, seen)
    builder = _builder(seen, names, inputs)
    builder.pulls_numbers = backward and numbers
    return builder.build(outputs)


def graph_of_run(
    seen: observe,
    names: Mapping[str, Any] | None = None,
    error: Exception | None = None,
    inputs: Sequence[Any] = (),
) -> Graph:
    """Return the graph of everything that an observer has seen, with what failed at the end."""
    failure = None if error is None else failure_of(error, seen)
    users = [*seen.nodes, *([] if failure is None else [failure])]
    used = {whole(source) for user in users for source in user.sources if isinstance(source, Node)}
    said = "" if error is None else f"{type(error).__name__}: {error}"
    last = [node for node in seen.nodes if node not in used]
    return _builder(seen, names or {}, inputs).build(last, failure, said)


def _builder(seen: observe, names: Mapping[str, Any], inputs: Sequence[Any] = ()) -> Builder:
    builder = Builder(names, Flow(seen.contributions, seen.roots), inputs)
    builder.seconds = seen.backward_seconds
    return builder


def _pull_unseen(outputs: Sequence[Any], seen: observe) -> None:
    """Let `seen` note a backward that leaves gradients, hooks and saved arrays alone."""
    tracked = [y for y in outputs if isinstance(y, Traced) and y._rg]
    if not tracked:
        raise GraphError("trace_graph: no output requires grad, so there is no backward to see")
    roots = [(edge(y, None), np.ones_like(y._array)) for y in tracked]
    seen.start(roots)
    pull(roots, retain_graph=True, note=seen.note, hooks=False)
