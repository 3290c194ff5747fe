"""Calling a module as a function of its parameters."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any


def functional_call(
    module: Any,
    parameter_and_buffer_dicts: Mapping[str, Any] | Sequence[Mapping[str, Any]],
    args: Any = (),
    kwargs: Mapping[str, Any] | None = None,
    *,
    tie_weights: bool = True,
    strict: bool = False,
) -> Any:
    """Call a module with other tensors in place of its parameters and buffers, given by path.

    With tie_weights a tensor that the module holds in several places is replaced in all of them;
    with strict every parameter and buffer must be given.
    """
    given = parameter_and_buffer_dicts
    values: dict[str, Any] = {}
    for part in [given] if isinstance(given, Mapping) else given:
        values.update(part)
    if strict:
        _check_complete(module, values)
    with _swapped(module, values, tie_weights):
        return module(*(args if isinstance(args, tuple) else (args,)), **(kwargs or {}))


def _check_complete(module: Any, values: Mapping[str, Any]) -> None:
    known = dict(module.named_parameters()) | dict(module.named_buffers())
    lacking = [path for path in known if path not in values]
    if lacking:
        raise KeyError(f"functional_call: strict, and {', '.join(lacking)} is not given")


@contextmanager
def _swapped(module: Any, values: Mapping[str, Any], tie_weights: bool) -> Generator[None]:
    before: list[tuple[dict[str, Any], str, Any]] = []
    try:
        for path, value in values.items():
            members, name = _member(module, path)
            old = members[name]
            places = _holders(module, old) if tie_weights else []
            for place in places or [(members, name)]:
                before.append((*place, old))
                place[0][place[1]] = value
        yield
    finally:
        for members, name, old in reversed(before):
            members[name] = old


def _member(module: Any, path: str) -> tuple[dict[str, Any], str]:
    """Return the attributes of the submodule that a path leads to, and the name among them."""
    owner, _, name = path.rpartition(".")
    try:
        members = vars(module.get_submodule(owner))
        members[name]
    except (AttributeError, KeyError) as error:
        raise KeyError(
            f"functional_call: {type(module).__name__} has no parameter or buffer {path!r}"
        ) from error
    return members, name


def _holders(module: Any, tensor: Any) -> list[tuple[dict[str, Any], str]]:
    """Return every place where the module or one below it holds this very tensor."""
    return [
        (vars(inner), name)
        for inner in module.modules()
        for name, item in list(vars(inner).items())
        if item is tensor
    ]
