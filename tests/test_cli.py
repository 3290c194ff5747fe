"""The command line: options, messages, exit codes."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import autograd_core as ag
import kernels
from autograd_core import cli
from training import demo

ROOT = Path(__file__).resolve().parent.parent


def run(*arguments: str, before: str = "") -> subprocess.CompletedProcess[str]:
    """Run the command line in a process of its own, after some lines of Python."""
    code = f"import sys\n{before}\nfrom autograd_core.cli import main\nsys.exit(main(sys.argv[1:]))"
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_it_is_a_module_that_runs() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "autograd_core", "--version"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, f"autograd-core {ag.__version__}\n")


def test_help_lists_the_commands_without_loading_what_they_need() -> None:
    before = "import atexit\natexit.register(lambda: print('nn' in sys.modules))"
    done = run("--help", before=before)
    assert done.returncode == 0
    assert "demo" in done.stdout
    assert done.stdout.endswith("False\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "the following arguments are required: COMMAND"),
        (["paint"], "argument COMMAND: invalid choice: 'paint'"),
        (["demo", "--epochs", "0"], "--epochs: got '0'; it must be a whole number from 1 on"),
        (["demo", "--epochs", "two"], "--epochs: got 'two'; it must be a whole number from 1 on"),
        (["demo", "--threads", "-1"], "--threads: got '-1'; it must be a whole number from 1 on"),
        (["demo", "--seed", "-1"], "--seed: got '-1'; it must be a whole number from 0 on"),
        (["demo", "--data", "cifar"], "argument --data: invalid choice: 'cifar'"),
    ],
)
def test_a_bad_option_is_named(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(arguments)
    assert caught.value.code == cli.REFUSED
    assert message in capsys.readouterr().err


def test_the_commands_data_sets_are_the_demos(tmp_path: Path) -> None:
    for data in demo.RECIPES:
        # --out is a file, so each run is refused, but only after its data set was accepted.
        out = tmp_path / "file"
        out.touch()
        assert cli.main(["demo", "--data", data, "--out", str(out)]) == cli.REFUSED


def test_a_missing_data_set_is_said_without_a_traceback(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    code = cli.main(["demo", "--data", "mnist", "--data-dir", str(tmp_path), "--out", str(out)])
    said = capsys.readouterr()
    assert code == cli.REFUSED
    assert said.err.startswith("autograd-core demo: MNIST found no train-images-idx3-ubyte")
    assert said.err.count("\n") == 1
    assert not out.exists()


def test_a_file_in_place_of_the_results_folder_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "file"
    out.touch()
    assert cli.main(["demo", "--out", str(out)]) == cli.REFUSED
    assert capsys.readouterr().err == (
        f"autograd-core demo: {out} is a file: the results need a folder\n"
    )


@pytest.mark.parametrize(
    ("absent", "message"),
    [
        ("matplotlib", 'pictures need matplotlib: pip install "autograd-core[demo]"'),
        ("sklearn", 'digits needs scikit-learn: pip install "autograd-core[demo]"'),
    ],
)
def test_an_absent_extra_is_named(absent: str, message: str, tmp_path: Path) -> None:
    done = run("demo", "--out", str(tmp_path), before=f"sys.modules[{absent!r}] = None")
    assert (done.returncode, done.stdout) == (cli.REFUSED, "")
    assert done.stderr == f"autograd-core demo: {message}\n"


def test_ctrl_c_outside_the_training_ends_it_quietly(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(settings: demo.Settings) -> demo.Job:
        raise KeyboardInterrupt

    monkeypatch.setattr(demo, "prepare", interrupted)
    assert cli.main(["demo"]) == cli.INTERRUPTED


def test_options_reach_the_demo(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    seen: list[demo.Settings] = []

    def prepare(settings: demo.Settings) -> demo.Settings:
        seen.append(settings)
        return settings

    monkeypatch.setattr(demo, "prepare", prepare)
    monkeypatch.setattr(demo, "run", lambda job: True)
    assert cli.main(["demo"]) == 0
    given = ["--data", "mnist", "--data-dir", "d", "--epochs", "3", "--seed", "7"]
    assert cli.main(["demo", *given, "--threads", "2", "--out", "o"]) == 0
    chosen = demo.Settings("mnist", Path("d"), epochs=3, seed=7, threads=2, out=Path("o"))
    assert seen == [demo.Settings(), chosen]


def test_warmup_compiles_kernels_and_says_where_they_are() -> None:
    # One family: all of them take minutes where nothing is on disk yet.
    few = "import kernels\nkernels.FAMILIES = {'special': kernels.FAMILIES['special']}"
    done = run("warmup", before=few)
    assert (done.returncode, done.stderr) == (0, "")
    found = re.fullmatch(r"(\d+) kernels ready in [\d.]+ s, kept in (.*)\n", done.stdout)
    assert found, done.stdout
    assert int(found[1]) == 2 * len(kernels.FAMILIES["special"])
    assert list(Path(found[2]).glob("*.nbi"))
