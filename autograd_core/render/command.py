"""`autograd-core graph FILE.py:NAME`: the graph of something in a file, written down."""

from __future__ import annotations

import inspect
import linecache
import math
import os
import runpy
import sys
from argparse import ArgumentTypeError, Namespace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from ..creation import zeros
from ..errors import GraphError
from ..graph import Graph, trace_graph
from ..random import Generator, randn
from ..recording import Number, Traced
from .choose import collapse_share
from .forms import FORMS, in_form_of

FAILED = 1  # the program did; what ran of it was written all the same


class Refused(Exception):
    """What the user gave cannot be done; the message says why."""


def shape(text: str) -> tuple[tuple[int, ...], str]:
    """Read 1,1,28,28 or 2,5:int64: a whole shape, batch first, and a dtype."""
    sizes, _, dtype = text.partition(":")
    numbers = sizes.split(",") if sizes else []
    if not all(n.isascii() and n.isdecimal() for n in numbers):
        raise ArgumentTypeError(f"got {text!r}; it must be a shape, such as 1,1,28,28")
    if dtype not in ("", "float32", "float64", "int64", "bool"):
        raise ArgumentTypeError(f"got dtype {dtype!r}; it must be float32, float64, int64 or bool")
    return tuple(map(int, numbers)), dtype or "float32"


def share(text: str) -> float | str:
    """Read how much to collapse: auto, or a number from 0 to 1."""
    try:
        given = text if text == "auto" else float(text)
        collapse_share(given)
    except ValueError:
        raise ArgumentTypeError(f"got {text!r}; it must be auto, or from 0 to 1") from None
    return given


def target(text: str) -> tuple[Path, str]:
    """Read FILE.py:NAME."""
    path, colon, name = text.rpartition(":")
    if not colon or not path or not name:
        raise ArgumentTypeError(f"got {text!r}; it must be FILE.py:NAME, such as net.py:model")
    return Path(path), name


def run(options: Namespace) -> int:
    """Trace, then write; a program that fails leaves the graph of what ran."""
    out: Path | None = options.out
    if out is not None and out.suffix.lower() not in FORMS:
        raise Refused(f"{out} ends with {out.suffix!r}: a graph can be {', '.join(FORMS)}")
    path, name = options.target
    graph = _traced(_found(path, name), name, [_input(*given) for given in options.input])
    text = str(graph)
    if out is not None:
        choices = {"collapse": options.collapse, "color_by": options.color_by}
        choices |= {"view": options.view, "engine": options.engine, "theme": options.theme}
        try:
            text = in_form_of(out, graph, **choices)
        except ValueError as error:
            raise Refused(str(error)) from error
        try:
            out.write_text(text, encoding="utf-8")
        except OSError as error:
            raise Refused(f"cannot write {out}: {error.strerror}") from error
    else:
        print(text, end="")
    if not graph.error:
        return 0
    ran = sum(node.kind == "op" for node in graph.nodes)
    where = f"; {out} shows what ran" if out is not None else ""
    print(f"autograd-core graph: after {ran} ops: {graph.error}{where}", file=sys.stderr)
    return FAILED


def _found(path: Path, name: str) -> Any:
    """Run the file and return what it calls so."""
    if not path.is_file():
        raise Refused(f"there is no file {path}")
    folder = str(path.resolve().parent)
    sys.path.insert(0, folder)
    try:
        names = runpy.run_path(str(path), run_name="__graph__")
    except Exception as error:
        raise Refused(f"{path} failed{_line_in(path, error)}: {_said(error)}") from error
    finally:
        sys.path.remove(folder)
    found: Any = names
    for part in name.split("."):
        inside = found if isinstance(found, dict) else None
        known = list(inside) if inside is not None else dir(found)
        if part not in known:
            raise Refused(f"{path} has no {name!r}{_instead(part, known)}")
        found = inside[part] if inside is not None else getattr(found, part)
    return found


def _instead(name: str, known: list[str]) -> str:
    public = [x for x in known if not x.startswith("_")]
    near = get_close_matches(name, public, n=3)
    return f": did you mean {' or '.join(near)}?" if near else ""


def _line_in(path: Path, error: BaseException) -> str:
    """Return the line of the file that an error came from."""
    trace, line = error.__traceback__, 0
    while trace is not None:
        if os.path.basename(trace.tb_frame.f_code.co_filename) == path.name:
            line = trace.tb_lineno
        trace = trace.tb_next
    source = linecache.getline(str(path), line).strip()
    return f" at line {line}, {source!r}" if line else ""


def _said(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"


def _input(sizes: tuple[int, ...], dtype: str) -> Any:
    """Return an input: normal numbers, the same each time; zeros where they must be whole."""
    if dtype.startswith("float"):
        return randn(*sizes, generator=Generator().manual_seed(math.prod(sizes)), dtype=dtype)
    return zeros(*sizes, dtype=dtype)


def _traced(found: Any, name: str, inputs: list[Any]) -> Graph:
    if isinstance(found, type):
        found = _made(found, name)
    if isinstance(found, (Traced, Number)):
        if inputs:
            raise Refused(f"{name} is a result already: it takes no --input")
        return trace_graph(found)
    if not callable(found):
        raise Refused(
            f"{name} is a {type(found).__name__}: it must be a Module, a function, a Tensor or a "
            "Value"
        )
    _check_count(found, name, len(inputs))
    try:
        return trace_graph(found, *inputs, backward=True, partial=True)
    except GraphError:  # there is nothing to differentiate
        try:
            return trace_graph(found, *inputs, partial=True)
        except GraphError as error:
            raise Refused(f"{name}: {error}") from error


def _made(kind: type, name: str) -> Any:
    try:
        return kind()
    except Exception as error:
        raise Refused(f"{name} is a class, and {name}() failed: {_said(error)}") from error


def _check_count(found: Any, name: str, given: int) -> None:
    """Refuse too few or too many inputs, before the program does."""
    try:
        signature = inspect.signature(getattr(found, "forward", found))
    except (TypeError, ValueError):
        return
    try:
        signature.bind(*range(given))
    except TypeError:
        takes = ", ".join(signature.parameters) or "nothing"
        raise Refused(
            f"{name} takes {takes}, and got {given} inputs: give each one's whole shape, batch "
            "first, as --input 1,1,28,28"
        ) from None
