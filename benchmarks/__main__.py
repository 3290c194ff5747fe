"""`python -m benchmarks`: measure suites, show tables, write JSON, fail on a broken bound."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from benchmarks import results
from benchmarks.case import PACKAGE, cases_of, means_of, suite_names
from benchmarks.environment import cores
from benchmarks.harness import Plan, Suite
from benchmarks.limits import limits
from benchmarks.report import Limits, Measured, progress, show, write
from benchmarks.rows import Average, Status


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
        help="default: a file for each suite in benchmarks/results, and nothing from a quick run",
    )
    parser.add_argument(
        "--compare", type=Path, metavar="OLD.json", help="show what has changed since that run"
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


def measure(name: str, plan: Plan) -> Measured:
    module = f"{PACKAGE}.{name}"
    steps, rows = plan.steps(module), []
    with Suite(module, plan) as suite:
        for case, peer in steps:
            progress(name, len(rows), len(steps), case.name)
            rows.append(suite.row(case, peer))
    progress(name, len(steps), len(steps), "")
    averages = [Average.of(mean, rows) for mean in means_of(module)]
    return Measured(rows, [average for average in averages if average])


def failed(measured: Measured, quick: bool) -> bool:
    """Whether a row could not run or broke its bound; a quick run does not judge bounds."""
    if quick:
        return any(row.status is Status.ERROR for row in measured.rows)
    bad = {Status.ERROR, Status.FAIL}
    return any(one.status in bad for one in (*measured.rows, *measured.averages))


def limits_for(suites: Sequence[str], plan: Plan) -> Limits:
    """Measure the machine, if some row wants to be a share of what it can do."""
    cases = [case for name in suites for case in cases_of(f"{PACKAGE}.{name}").values()]
    if plan.quick or not any(case.flops or case.moved for case in cases):
        return {}
    return limits(plan.threads)


def main(arguments: Sequence[str] | None = None) -> int:
    options = parse(arguments)
    suites = options.suites or suite_names()
    if options.list:
        show_cases(suites)
        return 0
    plan = Plan.for_run(options.threads, options.quick, options.peers)
    known = limits_for(suites, plan)
    measured: dict[str, Measured] = {}
    for name in suites:
        measured[name] = found = measure(name, plan)
        show(name, found.rows, found.averages, known)
        if options.out is None and not plan.quick:
            write(results.path_of(name, plan.threads), plan, {name: found}, known)
    if options.out:
        write(options.out, plan, measured, known)
    elif not plan.quick:
        results.regenerate()
    if options.compare:
        print(results.compared(options.compare, measured))
    return int(any(failed(found, plan.quick) for found in measured.values()))


if __name__ == "__main__":
    sys.exit(main())
