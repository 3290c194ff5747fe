"""How long an import takes in a fresh interpreter."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec

from benchmarks.case import OURS, Case, Job, Prepare

# Numba costs more than all the rest of the import; it waits for the first kernel.
IMPORT_OURS = """
import autograd_core, nn, optim, sys
if "numba" in sys.modules:
    sys.exit("importing autograd_core, nn, optim loaded numba; import it at the first kernel call")
"""


def run_fresh(program: str) -> None:
    # Bytecode is kept, as an installation does; else every import compiles the sources again.
    kept = {name: x for name, x in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, env=kept)
    if done.returncode:
        raise RuntimeError(done.stderr.strip().splitlines()[-1])


def fresh(program: str, needs: str | None = None) -> Prepare:
    def prepare() -> Job:
        if needs and find_spec(needs) is None:
            raise ModuleNotFoundError(f"No module named {needs!r}", name=needs)
        return Job(lambda: run_fresh(program))

    return prepare


IMPORTS = {OURS: fresh(IMPORT_OURS), "torch": fresh("import torch", needs="torch")}

CASES = [
    Case("interpreter alone (control)", dict.fromkeys(IMPORTS, fresh("pass"))),
    Case("import numpy (control)", dict.fromkeys(IMPORTS, fresh("import numpy"))),
    Case("import autograd_core, nn, optim", IMPORTS, max_us=250e3),
]
