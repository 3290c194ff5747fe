"""The benchmark harness: statistics, bounds, processes, reports, and that every suite runs."""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from benchmarks import results, worker
from benchmarks.__main__ import failed, main
from benchmarks.case import OURS, PACKAGE, Case, Job, Mean, cases_of, suite_names
from benchmarks.harness import Plan, Suite
from benchmarks.limits import limits
from benchmarks.peers.scalar_closures import Scalar
from benchmarks.report import Measured, duration, plain, show, write
from benchmarks.rows import Average, Row, Status, Summary
from benchmarks.suites.startup import run_fresh

PLAN = Plan(threads=1, pairs=3, seconds=0.002, quick=True)
HEADER = "from benchmarks.case import OURS, Case, Job\n"


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], str]:
    """Writes a suite that lives for one test, where this process and its children find it."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.delitem(sys.modules, "toy_suite", raising=False)

    def suite_of(source: str) -> str:
        (tmp_path / "toy_suite.py").write_text(HEADER + source)
        return "toy_suite"

    return suite_of


def rows_of(module: str, plan: Plan = PLAN) -> list[Row]:
    with Suite(module, plan) as suite:
        return [suite.row(case, peer) for case, peer in plan.steps(module)]


def toy_case(**fields: Any) -> Case:
    return Case("toy", {OURS: lambda: Job(lambda: None)}, **fields)


class Clock:
    """A time that moves only when it is told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(worker, "perf_counter", clock)
    return clock


def test_a_summary_has_the_median_and_the_quartiles() -> None:
    assert Summary.of([5.0, 1.0, 4.0, 2.0, 3.0]) == Summary(3.0, 2.0, 4.0, 5)


def test_the_ratio_is_the_median_of_pairwise_ratios() -> None:
    # The machine slows down tenfold during the run, both sides alike.
    row = Row.paired(toy_case(), "peer", [(1.0, 2.0), (10.0, 20.0), (4.0, 2.0)])
    assert row.ratio == Summary(0.5, 0.5, 1.25, 3)


@pytest.mark.parametrize(
    ("low", "status"), [(0.9, Status.PASS), (1.0, Status.PASS), (1.1, Status.FAIL)]
)
def test_a_bound_is_broken_when_the_lower_quartile_exceeds_it(low: float, status: Status) -> None:
    summary = Summary(median=2.0, low=low, high=3.0, samples=7)
    assert Row(toy_case(max_us=1.0), ours=summary).status is status
    assert Row(toy_case(max_ratio=1.0), "peer", ratio=summary).status is status


def test_one_broken_bound_of_two_fails_the_row() -> None:
    fast, slow = Summary(0.5, 0.5, 0.5, 7), Summary(2.0, 2.0, 2.0, 7)
    case = toy_case(max_us=1.0, max_ratio=1.0)
    assert Row(case, "peer", ours=fast, ratio=slow).status is Status.FAIL
    assert Row(case, "peer", ours=slow, ratio=fast).status is Status.FAIL


def test_a_stretch_goal_never_fails_a_row() -> None:
    slow = Summary(2.0, 2.0, 2.0, 7)
    assert Row(toy_case(stretch=0.5), "peer", ours=slow, ratio=slow).status is Status.UNBOUND


def test_a_ratio_bound_waits_for_the_peer() -> None:
    ours = Summary(2.0, 2.0, 2.0, 7)
    assert Row(toy_case(max_ratio=1.0), "peer", ours=ours).status is Status.UNBOUND


def test_a_quick_run_forgives_a_broken_bound_but_not_an_error() -> None:
    broken = [Row(toy_case(max_us=1.0), ours=Summary(2.0, 2.0, 2.0, 7))]
    wrong = [Row(toy_case(), error="ours: TypeError: no")]
    assert failed(Measured(broken, []), quick=False)
    assert not failed(Measured(broken, []), quick=True)
    assert failed(Measured(wrong, []), quick=False)
    assert failed(Measured(wrong, []), quick=True)


def test_a_full_run_takes_at_least_seven_pairs_of_twenty_milliseconds() -> None:
    full, quick = (Plan.for_run(1, quick, None) for quick in (False, True))
    assert full.pairs >= 7
    assert full.seconds >= 0.02
    assert quick.pairs < full.pairs


@pytest.mark.parametrize("taken", [1e-7, 1e-5, 0.3])
def test_calibration_repeats_a_call_until_it_lasts_long_enough(clock: Clock, taken: float) -> None:
    repeat = worker.calibrated(lambda: clock.advance(taken), 0.02)
    assert 0.02 <= repeat * taken <= max(0.03, taken)


def test_a_part_is_taken_off_the_whole(clock: Clock) -> None:
    side = worker.Side(f"{PACKAGE}.ops", OURS, threads=1)
    side.job = Job(lambda: clock.advance(3.0), minus=lambda: clock.advance(1.0))
    assert side.time(repeat=5) == 2.0


def test_ours_and_the_peer_are_timed_in_turns(toy: Callable[[str], str], tmp_path: Path) -> None:
    log = tmp_path / "log"
    module = toy(f"""
import time

def writes(letter):
    def call():
        time.sleep(0.004)
        with open({str(log)!r}, "a") as log:
            log.write(letter)
    return lambda: Job(call)

CASES = [Case("turns", {{OURS: writes("A"), "peer": writes("B")}})]
""")
    (row,) = rows_of(module)
    assert log.read_text().endswith("ABABAB")
    assert row.ratio is not None
    assert row.ratio.samples == 3


def test_each_side_has_a_process_of_its_own_that_persists(toy: Callable[[str], str]) -> None:
    module = toy("""
import os

pid = lambda: Job(lambda: None, answer=lambda: [os.getpid()])
CASES = [Case(name, {OURS: pid, "peer": pid}) for name in ("first", "second")]
""")
    first, second = cases_of(module).values()
    with Suite(module, PLAN) as suite:
        ours, again, theirs = (
            suite.ready(side, case).answer
            for side, case in ((OURS, first), (OURS, second), ("peer", first))
        )
    assert ours == again != theirs


def test_every_thread_count_is_set(toy: Callable[[str], str], tmp_path: Path) -> None:
    (tmp_path / "torch.py").write_text(
        "def set_num_threads(n):\n    global threads\n    threads = n"
    )
    module = toy("""
import os
import torch

VARIABLES = [f"{name}_NUM_THREADS" for name in ("OMP", "MKL", "OPENBLAS", "NUMBA")]
counts = lambda: [float(os.environ[name]) for name in VARIABLES] + [torch.threads]
CASES = [Case("threads", {OURS: lambda: Job(lambda: None, answer=counts)})]
""")
    with Suite(module, Plan(threads=3, pairs=3, seconds=0.002)) as suite:
        ready = suite.ready(OURS, Case("threads", {}))
    assert ready.answer == [3.0] * 5


def test_an_absent_peer_is_a_note_and_ours_is_still_measured(toy: Callable[[str], str]) -> None:
    module = toy("""
def absent():
    import absent_library

CASES = [Case("toy", {OURS: lambda: Job(lambda: None), "absent_library": absent}, max_us=1e6)]
""")
    (row,) = rows_of(module)
    assert row.note == "absent_library not installed"
    assert row.status is Status.PASS
    assert row.theirs is None
    assert "absent_library not installed" in plain("toy", [row], {})


@pytest.mark.parametrize("side", [OURS, "json"])
def test_a_missing_module_that_is_not_the_peer_is_an_error(
    toy: Callable[[str], str], side: str
) -> None:
    module = toy(f"""
def broken():
    import absent_library

CASES = [Case("toy", {{OURS: lambda: Job(lambda: None)}} | {{{side!r}: broken}})]
""")
    (row,) = rows_of(module)
    assert row.error == f"{side}: ModuleNotFoundError: No module named 'absent_library'"
    assert row.status is Status.ERROR


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ([1.0, 2.1], "ours and peer give 2.0 and 2.1 as number 1; they must agree to 1e-05"),
        ([1.0], "ours and peer give 2 and 1 numbers; both must answer the same ones"),
        ([1.0, math.nan], "ours and peer give 2.0 and nan as number 1; they must agree to 1e-05"),
    ],
)
def test_sides_that_disagree_are_not_timed(
    toy: Callable[[str], str], answer: list[float], message: str
) -> None:
    module = toy(f"""
from math import nan

def answers(*numbers):
    return lambda: Job(lambda: None, answer=lambda: numbers)

CASES = [Case("toy", {{OURS: answers(1.0, 2.0), "peer": answers(*{answer})}})]
""")
    (row,) = rows_of(module)
    assert row.error == message
    assert row.ours is None


def test_a_process_that_dies_costs_one_row(toy: Callable[[str], str]) -> None:
    module = toy("""
import os

CASES = [
    Case("dies", {OURS: lambda: os._exit(3)}),
    Case("lives", {OURS: lambda: Job(lambda: None)}),
]
""")
    dead, alive = rows_of(module)
    assert dead.error == "the process of ours ended with code 3"
    assert alive.ours is not None


def test_what_a_side_prints_does_not_disturb_its_replies(toy: Callable[[str], str]) -> None:
    module = toy('CASES = [Case("prints", {OURS: lambda: Job(lambda: print("{}"))})]')
    (row,) = rows_of(module)
    assert row.error == ""


def test_a_suite_refuses_two_cases_of_one_name(toy: Callable[[str], str]) -> None:
    module = toy('CASES = [Case("a", {OURS: Job}), Case("a", {OURS: Job})]')
    with pytest.raises(ValueError, match="toy_suite has two cases named 'a'; rename one of them"):
        cases_of(module)


def test_a_suite_refuses_a_case_without_ours(toy: Callable[[str], str]) -> None:
    module = toy('CASES = [Case("a", {"torch": Job})]')
    with pytest.raises(ValueError, match="case 'a' has no side 'ours'; add it"):
        cases_of(module)


def test_the_json_says_what_was_measured_and_where(tmp_path: Path) -> None:
    pairs = [(0.5, 1.0), (0.6, 1.0), (0.4, 1.0)]
    row = Row.paired(toy_case(max_ratio=0.7, stretch=0.5), "peer", pairs)
    path = tmp_path / "new" / "toy.json"
    write(path, PLAN, {"toy": Measured([row], [])}, {})
    data = json.loads(path.read_text())
    assert set(data["environment"]) == {
        *("commit", "dirty", "date", "cpu", "cores", "threads"),
        *("python", "numpy", "numba", "torch"),
    }
    assert data["environment"]["threads"] == 1
    assert (data["pairs"], data["quick"]) == (3, True)
    (said,) = data["suites"]["toy"]
    assert (said["case"], said["peer"], said["status"]) == ("toy", "peer", "PASS")
    assert said["ratio"] == {"median": 0.5, "low": 0.45, "high": 0.55, "samples": 3}
    assert (said["max_us"], said["max_ratio"], said["stretch"]) == (None, 0.7, 0.5)


@pytest.mark.parametrize(
    ("us", "text"), [(0.25, "250 ns"), (1.234, "1.23 us"), (4.5e4, "45 ms"), (2e6, "2 s")]
)
def test_a_duration_has_three_digits_and_a_fitting_unit(us: float, text: str) -> None:
    assert duration(us) == text


def test_the_table_has_one_line_per_row() -> None:
    row = Row.paired(toy_case(max_us=1.0, stretch=0.5), "peer", [(0.5, 1.0)] * 3)
    title, headings, line = plain("suite", [row], {}).splitlines()
    assert title == "suite"
    assert headings.split()[:5] == ["case", "ours", "of", "limit", "peer"]
    said = ["toy", "500 ns", "1 us peer", "0.500 [0.500, 0.500]", "<= 1 us, stretch 0.5", "PASS"]
    assert [cell.strip() for cell in line.split("  ") if cell.strip()] == said


def test_a_terminal_gets_the_same_cells_from_rich(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("rich")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "140")
    show("suite", [Row.paired(toy_case(max_us=1.0), "peer", [(0.5, 1.0)] * 3)], [], {})
    printed = capsys.readouterr().out
    for cell in ("500 ns", "1 us peer", "0.500 [0.500, 0.500]", "PASS"):
        assert cell in printed


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["speed"], "there is no suite 'speed'; choose from "),
        (["--peers", "jaxx"], "no case has a peer 'jaxx'; choose from "),
        (["--threads", "0"], "got '0'; it must be a whole number from 1 on"),
    ],
)
def test_a_wrong_argument_is_explained(
    capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    assert message in capsys.readouterr().err


def test_list_shows_every_case_and_runs_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list"]) == 0
    listed = capsys.readouterr().out
    for suite in suite_names():
        for case in cases_of(f"{PACKAGE}.{suite}"):
            assert case in listed


@pytest.mark.parametrize("suite", suite_names())
def test_a_suite_begins_with_a_control(suite: str) -> None:
    assert "(control)" in next(iter(cases_of(f"{PACKAGE}.{suite}")))
    assert import_module(f"{PACKAGE}.{suite}").__doc__


@pytest.mark.parametrize("suite", suite_names())
def test_a_suite_runs_without_peers(suite: str, tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    code = main([suite, "--quick", "--peers", "none", "--threads", "1", "--out", str(out)])
    rows = json.loads(out.read_text())["suites"][suite]
    assert [row["note"] for row in rows] == [""] * len(rows)
    assert code == 0


def test_a_failed_import_says_why() -> None:
    with pytest.raises(RuntimeError, match="loaded numba; import it at the first kernel call"):
        run_fresh("import sys; sys.exit('loaded numba; import it at the first kernel call')")


def test_the_closure_peer_gives_the_slopes_of_its_formulas() -> None:
    def f(x: Scalar, y: Scalar) -> Scalar:
        z = (x * y + 2.0).tanh() + (1.0 - y / x).exp() * 0.5 + (y * y + 1.0).log()
        return z + (3.0 * y).relu() + (-y).relu() + y**3 - 1.0 / y

    x, y, h = Scalar(0.7), Scalar(1.3), 1e-6
    f(x, y).backward()
    for number in (x, y):
        at = number.data
        number.data = at + h
        above = f(x, y).data
        number.data = at - h
        below = f(x, y).data
        number.data = at
        assert number.grad == pytest.approx((above - below) / (2 * h), rel=1e-7)


def test_a_bound_may_differ_from_peer_to_peer() -> None:
    case = toy_case(max_ratio={"fast": 2.0})
    slow = Summary(3.0, 3.0, 3.0, 7)
    assert Row(case, "fast", ratio=slow).status is Status.FAIL
    assert Row(case, "other", ratio=slow).status is Status.UNBOUND


def test_a_mean_is_that_of_the_rows_of_its_groups_against_its_peer() -> None:
    def row(group: str, peer: str, ratio: float) -> Row:
        return Row.paired(toy_case(group=group), peer, [(ratio, 1.0)] * 3)

    rows = [row("a", "p", 0.5), row("a b", "p", 2.0), row("a", "q", 9.0), row("c", "p", 9.0)]
    average = Average.of(Mean("a", "p", 1.0), rows)
    assert average is not None
    assert (average.ratio, average.worst, average.rows) == (1.0, 2.0, 2)
    assert average.status is Status.PASS
    tight = Average.of(Mean("a", "p", 0.9), rows)
    assert tight is not None
    assert tight.status is Status.FAIL
    assert failed(Measured(rows, [tight]), quick=False)
    assert Average.of(Mean("d", "p", 1.0), rows) is None


def test_a_share_is_the_time_that_arithmetic_or_bytes_alone_would_take() -> None:
    limits = {"GFLOP/s float32": 100.0, "GB/s": 10.0}
    ours = Summary(20.0, 20.0, 20.0, 7)
    assert Row(toy_case(flops=1e6), ours=ours).share(limits) == pytest.approx(0.5)
    assert Row(toy_case(flops=1e6, moved=1.5e5), ours=ours).share(limits) == pytest.approx(0.75)
    assert Row(toy_case(), ours=ours).share(limits) is None
    assert Row(toy_case(flops=1e6), ours=ours).share({}) is None


def test_the_page_says_where_the_peer_is_faster_and_a_comparison_what_has_moved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(results, "FOLDER", tmp_path)
    monkeypatch.setattr(results, "PAGE", tmp_path / "RESULTS.md")
    rows = [
        Row.paired(Case("slow", {OURS: lambda: Job(lambda: None)}), "peer", [(2.0, 1.0)] * 3),
        Row.paired(Case("fast", {OURS: lambda: Job(lambda: None)}), "peer", [(0.5, 1.0)] * 3),
    ]
    plan = Plan(threads=1)
    write(results.path_of("toy", 1), plan, {"toy": Measured(rows, [])}, {})
    results.regenerate()
    page = (tmp_path / "RESULTS.md").read_text()
    assert "## toy, 1 thread" in page
    assert "Where the peer is faster: slow 2.00 (peer)." in page
    assert "| fast | 500 ns |  | peer 1 us | 0.50 | 0.50 to 0.50 |  | -- |" in page
    now = [Row.paired(rows[0].case, "peer", [(3.0, 1.0)] * 3), rows[1]]
    said = results.compared(results.path_of("toy", 1), {"toy": Measured(now, [])})
    assert "1.50 toy: slow (peer)" in said
    assert "fast" not in said


def test_the_machine_has_limits() -> None:
    if os.environ.get("NUMBA_DISABLE_JIT", "0") != "0":
        pytest.skip("nothing is compiled")
    found = limits(1)
    assert found["GFLOP/s float32"] > found["GFLOP/s float64"] > 1.0
    assert found["GB/s"] >= found["GB/s triad"] > 0.1
