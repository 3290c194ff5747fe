"""PyTorch's own table of optimisers, run on both sides: its samples of rates, and its refusals."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any

import numpy as np
import pytest

import autograd_core as ag
import optim

pytestmark = pytest.mark.torch

NAMES = """
    ASGD Adadelta Adafactor Adagrad Adam AdamW Adamax LBFGS Muon NAdam RAdam RMSprop Rprop SGD
"""
WITHOUT = {"SparseAdam": "there are no sparse gradients"}
STEPS = 20

# What PyTorch refuses and ours does not, by the rates or by what PyTorch says, and why.
ALLOWED = {
    "as a Tensor is not supported": "foreach makes no difference here",
    "betas must be either both floats": "tensors are read as numbers, each by itself",
    "does not support complex": "there are no complex tensors",
}


@cache
def table() -> dict[str, Any]:
    """PyTorch's table by name."""
    pytest.importorskip("torch")
    pytest.importorskip("expecttest", reason="PyTorch's samples need the package expecttest")
    with quiet():
        module = import_module("torch.testing._internal.common_optimizers")
    return {entry.name: entry for entry in module.optim_db}


def quiet() -> Any:
    """Let PyTorch warn unheard: of what it will remove, of what is not its best."""
    return warnings.catch_warnings(action="ignore")


@pytest.fixture(autouse=True)
def _in_float64(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Let PyTorch keep its numbers, and Muon its iteration, in the dtype of the arrays."""
    torch = pytest.importorskip("torch")
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    monkeypatch.setattr(torch.Tensor, "bfloat16", torch.Tensor.clone)
    yield
    torch.set_default_dtype(before)


def ours(x: Any, twins: dict[Any, Any]) -> Any:
    """The same with tensors of ours; one that stands in several places still does."""
    if hasattr(x, "detach"):
        return twins.setdefault(x, ag.tensor(x.detach().numpy(), requires_grad=x.requires_grad))
    if isinstance(x, dict):
        return {key: ours(value, twins) for key, value in x.items()}
    return type(x)(ours(item, twins) for item in x) if isinstance(x, (list, tuple)) else x


def closure_of(optimizer: Any, params: Any, data: Any) -> Callable[[], Any]:
    """A smooth loss with a minimum near the data, in either library."""

    def closure() -> Any:
        optimizer.zero_grad()
        away = [p - x for p, x in zip(params, data, strict=True)]
        loss: Any = sum((d**2).sum() + (d**4).sum() / 10 for d in away)
        loss = loss if not optimizer.param_groups[0].get("maximize") else -loss
        loss.backward()
        return loss.detach()

    return closure


def ends(library: Any, optimizers: Any, name: str, rates: Any, start: Any, data: Any) -> Any:
    """Where twenty steps lead to."""
    params = [library.tensor(w, requires_grad=True) for w in start]
    data = [library.tensor(x) for x in data]
    optimizer = getattr(optimizers, name)(params, **rates)
    for _ in range(STEPS):
        optimizer.step(closure_of(optimizer, params, data))
    return [p.detach().numpy() for p in params]


def test_every_optimizer_of_pytorch_is_here() -> None:
    assert {*NAMES.split(), *WITHOUT} == set(table())
    assert all(hasattr(optim, name) for name in NAMES.split())


@pytest.mark.parametrize("name", NAMES.split())
def test_samples_lead_to_the_same_place(name: str, rng: np.random.Generator) -> None:
    torch: Any = import_module("torch")
    entry = table()[name]
    shapes = [(3, 2), (2, 4)] if name == "Muon" else [(3, 2), (4,), (2, 1, 2)]
    for sample in entry.optim_inputs_func(device="cpu"):
        start = [rng.normal(size=shape) for shape in shapes]
        data = [rng.normal(size=shape) for shape in shapes]
        with quiet():
            expected = ends(torch, torch.optim, name, sample.kwargs, start, data)
        found = ends(ag, optim, name, ours(sample.kwargs, {}), start, data)
        for a, b in zip(found, expected, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12, err_msg=str(sample))


def test_what_is_allowed_is_refused_by_pytorch() -> None:
    torch: Any = import_module("torch")
    told = [
        bad.error_regex.replace("\\", "")
        for name in NAMES.split()
        for bad in table()[name].optim_error_inputs_func("cpu", torch.float64)
    ]
    assert [reason for reason in ALLOWED if not any(reason in text for text in told)] == []


@pytest.mark.parametrize("name", NAMES.split())
def test_what_pytorch_refuses_is_refused(name: str) -> None:
    torch: Any = import_module("torch")
    for bad in table()[name].optim_error_inputs_func("cpu", torch.float64):
        if any(reason in bad.error_regex.replace("\\", "") for reason in ALLOWED):
            continue
        sample = bad.optimizer_error_input
        params = [torch.ones(2, 2, requires_grad=True)] if sample.params is None else sample.params
        twins: dict[Any, Any] = {}
        # PyTorch warns of duplicates and says that it will refuse them.
        error = ValueError if bad.error_type is UserWarning else bad.error_type
        with pytest.raises(error):
            getattr(optim, name)(ours(params, twins), **ours(sample.kwargs, twins))
