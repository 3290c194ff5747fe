"""Rules of the house that a script can check: layers, lengths, names, rows."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import nn
import optim
from tests.nn.cases import LAYERS
from tests.optim.cases import OPTIMIZERS

ROOT = Path(__file__).resolve().parent.parent
# Each may import those before it.
HOUSE = ["kernels", "autograd_core", "nn", "optim", "training"]
ON_TOP = ["lectures", "benchmarks", "tests"]
PACKAGES = [*HOUSE, *ON_TOP]
MAY_LOOK_UP = {"autograd_core/cli.py"}  # and autograd_core.__getattr__, through importlib
FILE_LINES = 400
FUNCTION_LINES = {"kernels": 90} | dict.fromkeys(HOUSE[1:], 40)
COLUMNS = 100
VAGUE_NAMES = {"utils", "util", "helpers", "helper", "misc", "common"}
PUBLIC_IN_PYTORCH = {"autograd_core/utils", "nn/utils"}


def sources(*packages: str) -> list[Path]:
    return [path for package in packages for path in sorted((ROOT / package).rglob("*.py"))]


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imports(path: Path) -> Iterator[str]:
    """Give the top-level package of every import, those for type checkers left out."""
    waiting: list[ast.AST] = [ast.parse(path.read_text(encoding="utf-8"))]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            waiting.extend(node.orelse)
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            yield node.module.partition(".")[0]
        waiting.extend(ast.iter_child_nodes(node))


def forbidden(path: Path) -> set[str]:
    """Return what the package of a file must not import."""
    package = path.relative_to(ROOT).parts[0]
    if package in ON_TOP:
        return set()
    return set(PACKAGES[PACKAGES.index(package) + 1 :])


@pytest.mark.parametrize("path", sources(*HOUSE), ids=name_of)
def test_imports_go_one_way(path: Path) -> None:
    if name_of(path) not in MAY_LOOK_UP:
        assert set(imports(path)) & forbidden(path) == set()


def test_an_import_upwards_is_seen(tmp_path: Path) -> None:
    file = tmp_path / "module.py"
    file.write_text(
        "from typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n    import training\n"
        "def late():\n    from nn.module import Module\n    import optim.sgd\n"
    )
    assert set(imports(file)) == {"typing", "nn", "optim"}


@pytest.mark.parametrize("path", sources(*HOUSE[1:]), ids=name_of)
def test_a_file_is_short_enough_to_read_at_once(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= FILE_LINES


# Written flat, because a call costs as much as the work: recording, observed or not, and backprop
# of small arrays.
FLAT = {
    ("autograd_core/flat.py", "unary"): 41,
    ("autograd_core/flat.py", "binary"): 78,
    ("autograd_core/flat.py", "ternary"): 65,
    ("autograd_core/flat.py", "call"): 69,
    ("autograd_core/flat.py", "with_parameters"): 45,
    ("autograd_core/engine.py", "_pull_all"): 65,
}


@pytest.mark.parametrize("path", sources(*HOUSE), ids=name_of)
def test_a_function_is_short_enough_to_read_at_once(path: Path) -> None:
    bound = FUNCTION_LINES[path.relative_to(ROOT).parts[0]]
    long = [
        f"{node.name}: {node.end_lineno - node.lineno + 1} lines"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        and node.end_lineno is not None
        and node.end_lineno - node.lineno + 1 > FLAT.get((name_of(path), node.name), bound)
    ]
    assert long == []


@pytest.mark.parametrize("path", sources(*PACKAGES), ids=name_of)
def test_no_line_is_too_long(path: Path) -> None:
    lines = enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
    assert [number for number, line in lines if len(line) > COLUMNS] == []


@pytest.mark.parametrize("path", sources(*PACKAGES), ids=name_of)
def test_every_module_says_what_it_is(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert not tree.body or ast.get_docstring(tree)


def test_nothing_has_a_name_that_says_nothing() -> None:
    paths = [path.relative_to(ROOT).with_suffix("") for path in sources(*PACKAGES)]
    vague = [
        path.as_posix()
        for path in paths
        if VAGUE_NAMES & set(path.parts)
        and not any(path.as_posix().startswith(known) for known in PUBLIC_IN_PYTORCH)
    ]
    assert vague == []


def public(package: object, base: type) -> set[str]:
    """Return the names of the classes of a kind that a package offers."""
    found = {name: getattr(package, name) for name in dir(package) if not name.startswith("_")}
    return {
        name
        for name, item in found.items()
        if isinstance(item, type) and issubclass(item, base) and item is not base
    }


def test_every_layer_has_a_row() -> None:
    assert {case.name for case in LAYERS} == public(nn, nn.Module)


def test_every_optimiser_has_a_row() -> None:
    assert {case.name for case in OPTIMIZERS} == public(optim, optim.Optimizer)


def test_importing_the_packages_loads_nothing_slow() -> None:
    code = (
        "import sys, autograd_core, nn, optim\n"
        "slow = {'numba', 'matplotlib', 'sklearn', 'graphviz', 'safetensors', 'onnx'}\n"
        "slow = (slow | {'nn.models'}) & set(sys.modules)\n"
        "sys.exit(', '.join(sorted(slow)) or 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
