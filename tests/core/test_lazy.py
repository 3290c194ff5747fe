"""Packages load a file when one of its names is first asked for."""

from __future__ import annotations

import ast
import copy
import pickle
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import autograd_core as ag
import nn
import optim

PACKAGES = pytest.mark.parametrize("package", [ag, nn, optim], ids=lambda p: p.__name__)


@PACKAGES
def test_every_name_is_what_its_file_has(package: ModuleType) -> None:
    for family, names in package._FAMILIES.items():
        file = import_module(f"{package.__name__}.{family}")
        assert getattr(package, family) is file
        assert [getattr(package, name) for name in names] == [vars(file)[name] for name in names]
        assert {family, *names} <= set(dir(package))


@PACKAGES
def test_no_name_is_hidden_by_a_file(package: ModuleType) -> None:
    names = [name for names in package._FAMILIES.values() for name in names]
    files = Path(str(package.__file__)).parent.iterdir()
    assert len(set(names)) == len(names)
    assert not set(names) & {file.stem for file in files}


def test_type_checkers_are_told_what_the_engine_loads_late() -> None:
    tree = ast.parse(Path(ag.__file__).read_text("utf-8"))
    (block,) = [node for node in tree.body if isinstance(node, ast.If)]
    told = {node.name for node in ast.walk(block) if isinstance(node, ast.alias)}
    late = {name for file, names in ag._FAMILIES.items() for name in names or (file,)}
    assert late | {"nn", "optim"} <= told <= late | {"nn", "optim"} | set(ag._FAMILIES)


def run(program: str) -> str:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_an_import_loads_no_layer_and_no_optimiser() -> None:
    loaded = run("import sys, autograd_core, nn, optim; print(*sys.modules)").split()
    assert {"nn", "optim"} <= set(loaded)
    assert [name for name in loaded if name.startswith(("nn.", "optim.", "numpy.random."))] == []


def test_a_star_gives_every_name() -> None:
    space: dict[str, Any] = {}
    exec("from nn import *", space)
    assert {"Linear", "TransformerEncoder", "functional", "summary"} <= set(space)
    assert space["GRU"] is nn.GRU


@PACKAGES
def test_a_name_that_is_not_there_is_refused(package: ModuleType) -> None:
    text = f"module '{package.__name__}' has no attribute 'Linar'"
    with pytest.raises(AttributeError, match=text) as caught:
        _ = package.Linar
    assert caught.value.name == "Linar"
    assert caught.value.obj is package


def test_what_was_loaded_late_is_copied_and_pickled() -> None:
    for layer in (nn.Softshrink(0.25), nn.GroupNorm(2, 4)):
        for twin in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
            assert type(twin) is type(layer)
            assert repr(twin) == repr(layer)


def test_the_engine_serves_the_packages_above_it() -> None:
    assert (ag.nn, ag.optim) == (nn, optim)
