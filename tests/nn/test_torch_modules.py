"""PyTorch's own samples of its modules, built on both sides: outputs and gradients."""

from __future__ import annotations

import random
import warnings
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from typing import Any

import numpy as np
import pytest

import autograd_core as ag
import nn

pytestmark = pytest.mark.torch

TOLERANCE = 1e-10
ABSENT = "there is no such layer here"

NAMES = """
    AdaptiveAvgPool1d AdaptiveAvgPool2d AdaptiveAvgPool3d AdaptiveMaxPool1d
    AdaptiveMaxPool2d AdaptiveMaxPool3d AvgPool1d AvgPool2d AvgPool3d BCELoss
    BCEWithLogitsLoss BatchNorm1d BatchNorm2d BatchNorm3d Bilinear CELU CircularPad1d
    CircularPad2d CircularPad3d ConstantPad1d ConstantPad2d ConstantPad3d Conv1d Conv2d
    Conv3d ConvTranspose1d ConvTranspose2d ConvTranspose3d CosineEmbeddingLoss
    CrossEntropyLoss ELU Embedding GELU GLU GRU GRUCell GaussianNLLLoss GroupNorm Hardshrink
    Hardswish Hardtanh HingeEmbeddingLoss HuberLoss InstanceNorm1d InstanceNorm2d
    InstanceNorm3d KLDivLoss L1Loss LPPool1d LPPool2d LPPool3d LSTM LSTMCell LayerNorm
    LeakyReLU Linear LocalResponseNorm LogSigmoid LogSoftmax MSELoss MarginRankingLoss
    MaxPool1d MaxPool2d MaxPool3d Mish MultiLabelMarginLoss MultiLabelSoftMarginLoss
    MultiMarginLoss MultiheadAttention NLLLoss PReLU PoissonNLLLoss RMSNorm RNN RNNCell ReLU
    ReLU6 ReflectionPad1d ReflectionPad2d ReflectionPad3d ReplicationPad1d ReplicationPad2d
    ReplicationPad3d SELU SiLU Sigmoid SmoothL1Loss SoftMarginLoss Softmax Softmax2d Softmin
    Softplus Softshrink Softsign Tanh Tanhshrink Threshold Transformer
    TransformerDecoderLayer TransformerEncoderLayer ZeroPad1d ZeroPad2d ZeroPad3d
"""

LEFT_OUT = {
    "CTCLoss": "PyTorch's gradient is that of a log_softmax before it, which the samples have not",
    "FractionalMaxPool2d": "draws its windows anew at every call",
    "FractionalMaxPool3d": "draws its windows anew at every call",
    "LazyConv1d": ABSENT,
    "LazyConv2d": ABSENT,
    "LazyConv3d": ABSENT,
    "LazyConvTranspose1d": ABSENT,
    "LazyConvTranspose2d": ABSENT,
    "LazyConvTranspose3d": ABSENT,
    "LinearCrossEntropyLoss": ABSENT,
    "TransformerEncoder": "is built from a layer, and the samples bring one of PyTorch's",
}


@cache
def entries() -> dict[str, list[Any]]:
    """PyTorch's entries by class name; one class may have several."""
    pytest.importorskip("torch")
    pytest.importorskip("expecttest")
    modules: Any = import_module("torch.testing._internal.common_modules")
    found: dict[str, list[Any]] = {}
    for entry in modules.module_db:
        found.setdefault(entry.name.removeprefix("nn."), []).append(entry)
    return found


def samples(name: str, training: bool) -> Iterator[Any]:
    """Give what a layer is built from and what it is called with."""
    torch = pytest.importorskip("torch")
    for entry in entries()[name]:
        torch.manual_seed(0)
        random.seed(0)
        given = entry.module_inputs_func(
            entry, device="cpu", dtype=torch.float64, requires_grad=True, training=training
        )
        # Of the transformers, whose samples are all combinations of many options, every fourth.
        yield from given[:: 4 if "Transformer" in name else 1]


class Copier:
    """Our copies of PyTorch's tensors, wherever they stand; pairs of those that need gradients."""

    def __init__(self) -> None:
        self.torch = pytest.importorskip("torch")
        self.pairs: list[tuple[ag.Tensor, Any]] = []

    def __call__(self, value: Any) -> Any:
        if isinstance(value, self.torch.Tensor):
            ours = ag.tensor(value.detach().numpy().copy(), requires_grad=value.requires_grad)
            if value.requires_grad:
                self.pairs.append((ours, value))
            return ours
        if isinstance(value, self.torch.dtype):
            return getattr(ag, str(value).removeprefix("torch."))
        if isinstance(value, (list, tuple)):
            return type(value)(map(self, value))
        if isinstance(value, dict):
            return {key: self(item) for key, item in value.items()}
        return getattr(nn.functional, value.__name__) if callable(value) else value


def leaf(torch: Any, value: Any) -> Any:
    """A tensor that is a leaf, so that its gradient is kept."""
    if isinstance(value, torch.Tensor):
        return value.detach().clone().requires_grad_(value.requires_grad)
    if isinstance(value, (list, tuple)):
        return type(value)(leaf(torch, item) for item in value)
    return value


def floats(y: Any) -> list[Any]:
    """The floating-point tensors among nested outputs."""
    if isinstance(y, (list, tuple)):
        return [x for part in y for x in floats(part)]
    return [y] if hasattr(y, "dtype") and "float" in str(y.dtype) else []


class Twins:
    """A layer on both sides, with the same arguments, state and inputs."""

    def __init__(self, name: str, sample: Any, training: bool) -> None:
        self.torch: Any = pytest.importorskip("torch")
        built, called = sample.constructor_input, sample.forward_input
        settings = Copier()
        self.theirs = getattr(self.torch.nn, name)(*built.args, **built.kwargs).double()
        self.ours = getattr(nn, name)(*settings(built.args), **settings(built.kwargs)).double()
        state = {key: value.numpy() for key, value in self.theirs.state_dict().items()}
        self.ours.load_state_dict(state)
        self.theirs.train(training)
        self.ours.train(training)
        args = leaf(self.torch, called.args)
        kwargs = {key: leaf(self.torch, value) for key, value in called.kwargs.items()}
        self.inputs = Copier()
        # Ours first: some of PyTorch's layers change their input.
        self.y = floats(self.ours(*self.inputs(args), **self.inputs(kwargs)))
        self.expected = floats(self.theirs(*args, **kwargs))

    def compare(self) -> None:
        assert len(self.y) == len(self.expected)
        for y, e in zip(self.y, self.expected, strict=True):
            close(y, e)
        rng = np.random.default_rng(0)
        weights = [rng.normal(size=tuple(e.shape)) for e in self.expected]
        tracked = [i for i, e in enumerate(self.expected) if e.requires_grad]
        assert tracked == [i for i, y in enumerate(self.y) if y.requires_grad]
        if not tracked:
            return
        ag.autograd.backward([self.y[i] for i in tracked], [ag.tensor(weights[i]) for i in tracked])
        self.torch.autograd.backward(
            [self.expected[i] for i in tracked], [self.torch.tensor(weights[i]) for i in tracked]
        )
        theirs = dict(self.theirs.named_parameters())
        assert list(dict(self.ours.named_parameters())) == list(theirs)
        for name, parameter in self.ours.named_parameters():
            self.inputs.pairs.append((parameter, theirs[name]))
        for x, e in self.inputs.pairs:
            assert (x.grad is None) == (e.grad is None)
            if x.grad is not None:
                close(x.grad, e.grad)
        for key, value in self.theirs.state_dict().items():  # running statistics
            close(self.ours.state_dict()[key], value)


def close(ours: Any, theirs: Any) -> None:
    y, e = ours.detach().numpy(), theirs.detach().numpy()
    assert y.shape == e.shape
    scale = max(1.0, float(np.abs(e[np.isfinite(e)]).max(initial=0.0)))
    np.testing.assert_allclose(y, e, rtol=TOLERANCE, atol=TOLERANCE * scale)


@pytest.mark.parametrize("name", [name for name in NAMES.split() if hasattr(nn, name)])
def test_a_layer_gives_what_pytorchs_gives(name: str) -> None:
    modes = [True, False] if any(e.train_and_eval_differ for e in entries()[name]) else [True]
    count = 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch's, and ours about the same things
        for training in modes:
            for sample in samples(name, training):
                count += 1
                try:
                    Twins(name, sample, training).compare()
                except Exception as error:
                    built = sample.constructor_input
                    error.add_note(f"{training=}, {sample.desc}: {built.args} {built.kwargs}")
                    raise
    assert count > 0


def test_every_layer_that_pytorch_has_samples_of_is_named_or_left_out() -> None:
    assert set(NAMES.split()) | set(LEFT_OUT) == set(entries())
    assert not set(NAMES.split()) & set(LEFT_OUT)
    assert [name for name, why in LEFT_OUT.items() if why == ABSENT and hasattr(nn, name)] == []
