"""Kernels and their twins: how they are declared, switched, compiled and kept on disk."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numba import types
from numba.core import config

import kernels
from kernels.pair import PAIRS, Pair, read, twin_of, write

ROOT = Path(__file__).resolve().parents[2]


def each(dtype: Any) -> Any:
    return types.void(read(dtype), write(dtype))


def test_every_family_declares_its_kernels_and_no_others() -> None:
    for family in kernels.FAMILIES:
        import_module(f"kernels.{family}")
    assert set(PAIRS) == {name for names in kernels.FAMILIES.values() for name in names}


def test_an_unknown_kernel_is_named() -> None:
    with pytest.raises(AttributeError, match="there is no kernel 'erfcx'"):
        kernels.call.erfcx(np.ones(1), np.ones(1))


def test_a_twin_of_another_name_is_refused() -> None:
    def bar_naive(x: Any, out: Any) -> None: ...

    def foo(x: Any, out: Any) -> None: ...

    with pytest.raises(ValueError, match="the twin of foo must be named foo_naive, not bar_naive"):
        twin_of(bar_naive, signature=each, rtol=0.0)(foo)


def test_a_kernel_is_declared_once() -> None:
    from kernels.special import erfc_naive

    def erfc(x: Any, out: Any) -> None: ...

    with pytest.raises(ValueError, match="kernel 'erfc' is declared twice"):
        twin_of(erfc_naive, signature=each, rtol=0.0)(erfc)


def test_relaxing_nan_is_refused() -> None:
    def foo_naive(x: Any, out: Any) -> None: ...

    def foo(x: Any, out: Any) -> None: ...

    with pytest.raises(ValueError, match="'foo' may not relax nnan: NaN and inf must survive"):
        twin_of(foo_naive, signature=each, rtol=0.0, fastmath=frozenset({"nnan", "nsz"}))(foo)


def test_the_twins_run_inside_naive_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = np.array([0.5]), np.zeros(1)
    kernels.call.erf(x, y)
    ran: list[str] = []
    monkeypatch.setattr(PAIRS["erf"], "naive", lambda *args: ran.append("naive"))
    with kernels.naive_kernels(), kernels.naive_kernels():
        kernels.call.erf(x, y)
    kernels.call.erf(x, y)
    assert ran == ["naive"]


def test_an_error_inside_naive_kernels_switches_back() -> None:
    with pytest.raises(ZeroDivisionError), kernels.naive_kernels():
        raise ZeroDivisionError
    assert kernels._naive == 0  # pyright: ignore[reportPrivateUsage]


def test_a_kernel_compiles_the_asked_dtype_and_nothing_else() -> None:
    if os.environ.get("NUMBA_DISABLE_JIT", "0") != "0":
        pytest.skip("nothing is compiled")
    kernels.call.erf(np.ones(1), np.empty(1))
    assert types.float64 in [args[0].dtype for args in PAIRS["erf"].fast.signatures]
    assert len(PAIRS["erf"].fast.signatures) == len(PAIRS["erf"].ready)
    with pytest.raises(TypeError, match="kernel 'erf' got int64: it is made for float32 or float6"):
        kernels.call.erf(np.ones(1, np.int64), np.empty(1))
    with pytest.raises(TypeError, match="No matching definition"):
        kernels.call.erf(np.ones(1), np.empty(1, np.int64))


SCRIPT = """
import warnings, numpy as np, kernels
y = np.empty(2)
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    kernels.call.erf(np.array([0.0, 0.5]), y)
    kernels.call.digamma(np.ones(2), np.empty(2))
from kernels.pair import PAIRS
stats = getattr(PAIRS["erf"].fast, "stats", None)
hits, misses = (len(stats.cache_hits), len(stats.cache_misses)) if stats else (0, 0)
print(y.tolist() == [0.0, 0.5204998778130465], hits, misses, *[w.message for w in caught])
"""


def child(folder: Path, code: str = SCRIPT, **environment: str) -> str:
    """Run code beside a copy of the kernels; return what it prints."""
    known = {k: v for k, v in os.environ.items() if not k.startswith("NUMBA_")}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False,
        env=known | {"NUMBA_CACHE_DIR": str(folder / "cache"), **environment},
    )  # fmt: skip
    assert done.stderr == ""
    return done.stdout.strip()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a copy of the kernels."""
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "kernels", tmp_path / "kernels", ignore=ignored)
    return tmp_path


def test_compiled_code_is_kept_until_any_file_of_the_kernels_changes(folder: Path) -> None:
    assert child(folder) == "True 0 1"
    assert child(folder) == "True 1 0"
    with (folder / "kernels" / "__init__.py").open("a") as file:
        file.write("# changed\n")
    assert child(folder) == "True 0 1"


def test_an_unwritable_cache_is_one_warning(folder: Path) -> None:
    for place in ("kernels/__pycache__", "cache", "home"):
        (folder / place).touch()  # a file, where a folder would have to be made
    home = str(folder / "home")
    found = child(folder, HOME=home, XDG_CACHE_HOME=home, PYTHONDONTWRITEBYTECODE="1")
    assert found.startswith("True 0 1 compiled kernels cannot be kept on disk")
    assert found.endswith("set NUMBA_CACHE_DIR to a folder that can be written to")
    assert found.count("cannot be kept") == 1


def test_without_compiling_the_kernels_run_as_they_are_written_and_say_so(folder: Path) -> None:
    assert child(folder, NUMBA_DISABLE_JIT="1") == (
        "True 0 0 NUMBA_DISABLE_JIT is set: kernels run as plain Python, hundreds of times slower"
    )


def test_what_another_file_brings_in_is_compiled_anew_when_it_changes(folder: Path) -> None:
    """The number of rows of a tile is in lanes.py, the kernel in gemm.py."""
    code = """
import numpy as np, kernels
from kernels import gemm
a, c = np.ones((1, 40, 40)), np.empty((1, 40, 40))
kernels.call.gemm(a, a, np.empty(0), c, np.empty(gemm.workspace(8)), 0, False)
from kernels.pair import PAIRS
stats = PAIRS["gemm"].fast.stats
print((c == 40).all(), (c == 80).all(), len(stats.cache_hits), len(stats.cache_misses))
"""
    assert child(folder, code) == "True False 0 1"
    assert child(folder, code) == "True False 1 0"
    lanes = folder / "kernels" / "lanes.py"
    text = lanes.read_text()
    multiply = "return self.builder.call(fused"
    assert multiply in text
    lanes.write_text(text.replace(multiply, f"x = self.builder.fadd(x, x)\n        {multiply}"))
    assert child(folder, code) == "False True 0 1"


def test_two_processes_may_compile_at_once(folder: Path) -> None:
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(child, (folder, folder))
    assert {first[:4], second[:4]} == {"True"}
    assert child(folder) == "True 1 0"


def test_a_read_only_install_keeps_compiled_code_in_the_home(folder: Path) -> None:
    (folder / "kernels" / "__pycache__").touch()  # where the folder itself cannot be written to
    home = str(folder / "home")
    found = [
        child(folder, NUMBA_CACHE_DIR="", HOME=home, XDG_CACHE_HOME=f"{home}/.cache",
              PYTHONDONTWRITEBYTECODE="1")
        for _ in range(2)
    ]  # fmt: skip
    assert found == ["True 0 1", "True 1 0"]
    assert list((folder / "home" / ".cache").rglob("*.nbi"))


def test_a_kernel_of_machine_code_runs_as_its_twin_without_compiling(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def naive() -> None: ...

    def fast() -> None: ...

    monkeypatch.setattr(config, "DISABLE_JIT", 1)
    dtype = np.dtype(np.float32)
    assert Pair(naive, fast, each, 0.0, 0.0, intrinsic=True).compile(dtype) is naive
    assert Pair(naive, fast, each, 0.0, 0.0).compile(dtype) is fast
