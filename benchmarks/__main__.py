"""`python -m benchmarks`: measure suites, show tables, write JSON, fail on a broken bound."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from benchmarks.case import PACKAGE, cases_of, suite_names
from benchmarks.environment import cores
from benchmarks.harness import Plan, Suite
from benchmarks.process import ROOT
from benchmarks.report import progress, show, write
from benchmarks.rows import Row, Status


def known_peers() -> set[str]:
    return {
        peer
        for suite in suite_names()
        for case in cases_of(f"{PACKAGE}.{suite}").values()
        for peer in case.peers
    }


def suite_name(name: str) -> str:
    if name not in suite_names():
        names = ", ".join(suite_names())
        raise argparse.ArgumentTypeError(f"there is no suite {name!r}; choose from {names}")
    return name


def peers(text: str) -> frozenset[str]:
    chosen = frozenset(text.split(",")) - {"none"}
    if unknown := chosen - known_peers():
        names = ", ".join(sorted(known_peers()))
        raise argparse.ArgumentTypeError(
            f"no case has a peer {min(unknown)!r}; choose from {names}, or none"
        )
    return chosen


def positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"got {text!r}; it must be a whole number from 1 on")
    return int(text)


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m benchmarks", description=__doc__)
    parser.add_argument("suites", nargs="*", type=suite_name, metavar="SUITE", help="default: all")
    parser.add_argument(
        "--quick", action="store_true", help="for liveness: few pairs, small sizes, bounds ignored"
    )
    parser.add_argument("--peers", type=peers, metavar="torch,micrograd|none", help="default: all")
    parser.add_argument(
        "--threads", type=positive, default=cores(), help="for each side; default: all cores"
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE.json",
        help="default: benchmarks/results/SUITE.json, and nothing from a quick run",
    )
    parser.add_argument("--list", action="store_true", help="show suites and cases, run nothing")
    return parser.parse_args(arguments)


def show_cases(suites: Sequence[str]) -> None:
    for name in suites:
        module = f"{PACKAGE}.{name}"
        description = (import_module(module).__doc__ or "").partition("\n")[0]
        print(f"{name}: {description}")
        for case in cases_of(module).values():
            against = f" (against {', '.join(case.peers)})" if case.peers else ""
            print(f"    {case.name}{against}")


def measure(name: str, plan: Plan) -> list[Row]:
    module = f"{PACKAGE}.{name}"
    steps, rows = plan.steps(module), []
    with Suite(module, plan) as suite:
        for case, peer in steps:
            progress(name, len(rows), len(steps), case.name)
            rows.append(suite.row(case, peer))
    progress(name, len(steps), len(steps), "")
    return rows


def failed(rows: Sequence[Row], quick: bool) -> bool:
    """Whether a row could not run or broke its bound; a quick run does not judge bounds."""
    bad = {Status.ERROR} if quick else {Status.ERROR, Status.FAIL}
    return any(row.status in bad for row in rows)


def main(arguments: Sequence[str] | None = None) -> int:
    options = parse(arguments)
    suites = options.suites or suite_names()
    if options.list:
        show_cases(suites)
        return 0
    plan = Plan.for_run(options.threads, options.quick, options.peers)
    measured: dict[str, list[Row]] = {}
    for name in suites:
        measured[name] = rows = measure(name, plan)
        show(name, rows)
        if options.out is None and not plan.quick:
            write(ROOT / "benchmarks" / "results" / f"{name}.json", plan, {name: rows})
    if options.out:
        write(options.out, plan, measured)
    return int(any(failed(rows, plan.quick) for rows in measured.values()))


if __name__ == "__main__":
    sys.exit(main())
