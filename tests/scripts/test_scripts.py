"""Three programs as PyTorch's users write them, on this library and on PyTorch.

They stand here with this library's import lines; `TORCH` has the lines that PyTorch needs instead,
and nothing else is changed.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

import autograd_core as ag

FOLDER = Path(__file__).parent

TORCH = {
    "import autograd_core as torch": "import torch",
    "import nn": "import torch.nn as nn",
    "import nn.functional as F": "import torch.nn.functional as F",
    "import optim": "import torch.optim as optim",
    "from nn.utils import": "from torch.nn.utils import",
    "from optim.lr_scheduler import": "from torch.optim.lr_scheduler import",
    "from training import transforms": "from torchvision import transforms",
    "from training.data import": "from torch.utils.data import",
}

# Each script: options without which it would draw random masks, and its model.
SCRIPTS: dict[str, tuple[list[str], Callable[[Any], Any]]] = {
    "mlp": (["--dropout", "0"], lambda script: script.MLP()),
    "cnn": ([], lambda script: script.ConvNet()),
    "char_rnn": ([], lambda script: script.CharRNN(len(set(script.TEXT)))),
}
each_script = pytest.mark.parametrize("name", SCRIPTS)


@pytest.fixture
def torch() -> Any:
    module = pytest.importorskip("torch")
    module.set_num_threads(1)
    return module


def source(name: str) -> str:
    return (FOLDER / f"{name}.py").read_text("utf-8")


def for_torch(text: str) -> str:
    """Put PyTorch's import lines in the place of ours."""
    for ours, theirs in TORCH.items():
        text = re.sub(rf"^{re.escape(ours)}(?= |$)(?! as )", theirs, text, flags=re.MULTILINE)
    return text


def loaded(name: str, text: str) -> ModuleType:
    script = ModuleType(name, None)
    exec(compile(text, f"{name}.py", "exec"), vars(script))
    return script


def randperm_of(library: Any) -> Callable[..., Any]:
    """A randperm that both libraries share."""
    return lambda n, **_: library.tensor(np.random.RandomState(n).permutation(n))


def transforms_on(torch: Any) -> Any:
    """The transforms of torchvision that the scripts use, for where it is not installed."""
    return SimpleNamespace(
        Compose=lambda steps: lambda x: [x := step(x) for step in steps][-1],
        ToTensor=lambda: lambda image: torch.from_numpy(image)[None].float() / 255,
        Normalize=lambda mean, std: lambda x: (x - mean[0]) / std[0],
        Lambda=lambda function: function,
    )


def pattern(printed: str) -> list[str]:
    """What a run printed, without the numbers and without the text that a model dreams up."""
    return [re.sub(r"\d", "0", line) for line in printed.splitlines() if not line.startswith("the")]


def test_only_the_import_lines_differ() -> None:
    for name in SCRIPTS:
        here, there = source(name), for_torch(source(name))
        pairs = zip(here.splitlines(), there.splitlines(), strict=True)
        changed = [line for line, other in pairs if line != other]
        assert len(changed) >= 3
        assert all(line.startswith(("import ", "from ")) for line in changed)
        assert not re.search(r"^(from|import) (autograd_core|nn|optim|training)\b", there, re.M)


@each_script
def test_a_script_learns(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    losses = loaded(name, source(name)).main(["--epochs", "4"])
    assert np.mean(losses[-4:]) < (0.9 if name == "char_rnn" else 0.3) * losses[0]
    assert capsys.readouterr().out.count("\n") >= 4


def test_the_character_model_learns_its_text(capsys: pytest.CaptureFixture[str]) -> None:
    script = loaded("char_rnn", source("char_rnn"))
    losses = script.main(["--epochs", "30"])
    assert losses[-1] < 0.3 * losses[0]
    said = capsys.readouterr().out.splitlines()[-1]
    words = said.split()[:-1]  # the last may be cut off
    known = sum(word.strip(".") in script.TEXT.replace(".", "").split() for word in words)
    assert known > 0.7 * len(words)


@pytest.mark.torch
@each_script
def test_a_script_gives_pytorchs_losses(
    name: str,
    torch: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for library, module in ((ag, ag), (torch, torch), (torch, torch.utils.data.dataset)):
        monkeypatch.setattr(module, "randperm", randperm_of(library))
    if find_spec("torchvision") is None:
        stand_in = SimpleNamespace(transforms=transforms_on(torch))
        monkeypatch.setitem(sys.modules, "torchvision", stand_in)

    options, model_of = SCRIPTS[name]
    ours, theirs = loaded(name, source(name)), loaded(name, for_torch(source(name)))
    weights = tmp_path / "weights.npz"
    np.savez(weights, **{k: v.numpy() for k, v in model_of(ours).state_dict().items()})
    given = [*options, "--resume", str(weights)]
    losses = ours.main(given)
    printed = capsys.readouterr().out
    expected = theirs.main(given)
    assert len(losses) >= 20
    np.testing.assert_allclose(losses, expected, rtol=1e-4)
    assert pattern(printed) == pattern(capsys.readouterr().out)
