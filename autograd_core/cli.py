"""The command line: `autograd-core COMMAND`.

A command is a function that adds its parser and sets `run`, what the parsed options are handed to;
`run` returns the exit code. What a command needs is imported when it runs.
"""

from __future__ import annotations

import sys
import time
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from . import __version__

if TYPE_CHECKING:
    from argparse import _SubParsersAction

    Parsers: TypeAlias = _SubParsersAction[ArgumentParser]

REFUSED = 2  # as argparse has it
INTERRUPTED = 130  # as shells have it: 128 + SIGINT


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    parser = ArgumentParser("autograd-core", description="Automatic differentiation on the CPU.")
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    parsers = parser.add_subparsers(required=True, metavar="COMMAND")
    for add in COMMANDS:
        add(parsers)
    options = parser.parse_args(arguments)
    try:
        return options.run(options)
    except KeyboardInterrupt:
        return INTERRUPTED


def refuse(command: str, error: Exception) -> int:
    """Say what is wrong with what the user gave, without a traceback."""
    print(f"autograd-core {command}: {error}", file=sys.stderr)
    return REFUSED


def whole_number(least: int) -> Callable[[str], int]:
    """Make a reader of option values: whole numbers from `least` on."""

    def read(text: str) -> int:
        if not (text.isascii() and text.isdecimal()) or int(text) < least:
            raise ArgumentTypeError(f"got {text!r}; it must be a whole number from {least} on")
        return int(text)

    return read


def add_demo(parsers: Parsers) -> None:
    """Add `demo`."""
    parser = parsers.add_parser(
        "demo",
        help="train two networks on handwritten digits",
        description="Train a fully connected and a convolutional network on handwritten digits. "
        "Leaves learning curves, misclassified images, the graphs of the losses and "
        "metrics.json in a folder; Ctrl-C ends it early, with what it has.",
    )
    _add_data(parser)
    number = partial(parser.add_argument, metavar="N")
    number(
        "--epochs",
        type=whole_number(1),
        help="passes over the training images (default: 20 for digits, 5 for MNIST)",
    )
    number(
        "--seed",
        type=whole_number(0),
        default=0,
        help="of weights and order; the same seed gives the same numbers (default: %(default)s)",
    )
    number(
        "--threads",
        type=whole_number(1),
        help="of the kernels (default: one for each core); the numbers are the same",
    )
    parser.set_defaults(run=run_demo)


def _add_data(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--data",
        choices=["digits", "mnist"],
        default="digits",
        help="scikit-learn's 8x8 digits, or MNIST (default: %(default)s)",
    )
    folder = partial(parser.add_argument, type=Path, metavar="DIR")
    folder("--data-dir", default="data", help="where MNIST's files are (default: ./%(default)s)")
    folder(
        "--out",
        default="autograd-core-demo",
        help="where the results go (default: ./%(default)s)",
    )


def run_demo(options: Namespace) -> int:
    """Check what the user can get wrong, then train."""
    try:
        from training import demo

        job = demo.prepare(
            demo.Settings(
                data=options.data,
                data_dir=options.data_dir,
                epochs=options.epochs,
                seed=options.seed,
                threads=options.threads,
                out=options.out,
            )
        )
    except (ImportError, OSError, ValueError) as error:
        return refuse("demo", error)
    finished = demo.run(job)
    return 0 if finished else INTERRUPTED


def add_graph(parsers: Parsers) -> None:
    """Add `graph`."""
    from .render import command
    from .render.choose import ORDERS
    from .render.quantities import QUANTITIES
    from .render.svg import ENGINES, THEMES

    parser = parsers.add_parser(
        "graph",
        help="draw the graph of a model, a function or a result",
        description="Run a Python file and write down the graph of something in it: a Module, a "
        "Module class, a function, a Tensor or a Value. What it is written as depends on the "
        "ending of the output: .svg, .html (a page that steps through it), .dot, .mmd, .txt or "
        ".json. Without one, text is printed.",
    )
    option = parser.add_argument
    option("target", type=command.target, metavar="FILE.py:NAME", help="what to trace")
    option(
        "--input",
        type=command.shape,
        action="append",
        default=[],
        metavar="SHAPE",
        help="of an input, batch first, such as 1,1,28,28 or 2,5:int64; once for each",
    )
    option("-o", "--out", type=Path, metavar="FILE", help="where the graph goes")
    option(
        "--collapse",
        type=command.share,
        default="auto",
        metavar="T",
        help="how much is closed: from 0 to 1, or as much as is readable (default: %(default)s)",
    )
    option("--color-by", choices=QUANTITIES, default="grad", help="(default: %(default)s)")
    option("--view", choices=ORDERS, default="both", help="(default: %(default)s)")
    option("--engine", choices=ENGINES, default="auto", help="layout (default: %(default)s)")
    option("--theme", choices=("auto", *THEMES), default="auto", help="(default: %(default)s)")
    parser.set_defaults(run=run_graph)


def run_graph(options: Namespace) -> int:
    """Trace and write."""
    from .render import command

    try:
        return command.run(options)
    except command.Refused as error:
        return refuse("graph", error)


def add_warmup(parsers: Parsers) -> None:
    """Add `warmup`."""
    parser = parsers.add_parser(
        "warmup",
        help="compile all kernels now, not when they are first needed",
        description="Compile every kernel for float32 and float64 and keep it on disk, in "
        "NUMBA_CACHE_DIR if that is set. Otherwise each is compiled when it is first needed.",
    )
    parser.set_defaults(run=run_warmup)


def run_warmup(options: Namespace) -> int:
    """Compile, with one line that says how far it is."""
    from kernels.warmup import warmup

    live = sys.stdout.isatty()
    started = time.perf_counter()
    count = 0

    def report(done: int, total: int, name: str) -> None:
        nonlocal count
        count = total
        if live:
            print(f"\r\x1b[Kkernel {done + 1} of {total}: {name}", end="", flush=True)

    folder = warmup(report)
    seconds = time.perf_counter() - started
    kept = f"kept in {folder}" if folder else "not kept: there is no folder to write to"
    if live:
        print("\r\x1b[K", end="")
    print(f"{count} kernels ready in {seconds:.1f} s, {kept}")
    return 0


COMMANDS: Sequence[Callable[[Parsers], None]] = (add_demo, add_graph, add_warmup)
