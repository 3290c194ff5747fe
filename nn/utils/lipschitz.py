"""How much a network can stretch a difference of inputs, bounded layer by layer."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..module import Module

# The largest slope of each function of one number; rounded up where it is no simple number.
_SLOPES: dict[str, float] = {
    "GELU": 1.13,
    "Hardsigmoid": 1.0 / 6.0,
    "Hardswish": 1.5,
    "Mish": 1.09,
    "SELU": 1.7580993408473766,
    "SiLU": 1.1,
    "Sigmoid": 0.25,
}
_NOT_EXPANDING = {
    "CELU", "Flatten", "Hardshrink", "Hardtanh", "Identity", "LogSigmoid", "ReLU", "ReLU6",
    "Softplus", "Softshrink", "Softsign", "Tanh", "Tanhshrink", "Unflatten", "ZeroPad1d",
    "ZeroPad2d", "ZeroPad3d",
}  # fmt: skip


def lipschitz_bound(network: Module, constants: Mapping[str, float] | None = None) -> float:
    """A number L with ‖f(x) - f(x')‖ <= L ‖x - x'‖, in the Euclidean norm.

    The product over the layers of ‖W‖₂, and of the largest slope of each activation; 1 + L for a
    residual block around L. A convolution is bounded by the norm of its weight as a matrix, times
    the root of how many windows can share a pixel. `constants` gives, or replaces, that of a class
    by its name ({"ReLU": 0.5} for the slope "on average"); a module with a method
    lipschitz_bound(constants) answers for itself.
    """
    return _bound(type(network).__name__, network, dict(constants or {}))


def _bound(path: str, module: Module, constants: Mapping[str, float]) -> float:
    for name in _names(type(module)):
        if name in constants:
            return constants[name]
        if name in _NOT_EXPANDING:
            return 1.0
        if name in _SLOPES:
            return _SLOPES[name]
        if name in _RULES:
            return _RULES[name](path, module, constants)
    if hasattr(module, "lipschitz_bound"):
        return module.lipschitz_bound(constants)
    raise ValueError(
        f"lipschitz_bound got {path} ({module._label()}), whose constant it does not know: give it "
        f"as constants={{{type(module).__name__!r}: ...}}"
    )


def _names(cls: type[Module]) -> list[str]:
    """Return the names under which a class may be known: down to that whose forward it runs."""
    names: list[str] = []
    for base in cls.__mro__:
        names.append(base.__name__)
        if "forward" in vars(base):
            break
    return names


def _sequence(path: str, module: Any, constants: Mapping[str, float]) -> float:
    named = module.named_children()
    return math.prod(_bound(f"{path}.{name}", child, constants) for name, child in named)


def _residual(path: str, module: Any, constants: Mapping[str, float]) -> float:
    inner = _bound(f"{path}.module", module.module, constants)
    return _bound(f"{path}.shortcut", module.shortcut, constants) + inner


def _spectral(matrix: Any) -> float:
    return float(np.linalg.norm(matrix, 2))


def _linear(path: str, module: Any, constants: Mapping[str, float]) -> float:
    return _spectral(module.weight.detach().numpy())


def _sparse(path: str, module: Any, constants: Mapping[str, float]) -> float:
    return _spectral((module.weight * module.mask).detach().numpy())


def _drop_connect(path: str, module: Any, constants: Mapping[str, float]) -> float:
    if module.training:
        raise ValueError(f"lipschitz_bound got {path}, whose weights are random: call eval() first")
    return _linear(path, module, constants)


def _scaled(path: str, module: Any, constants: Mapping[str, float]) -> float:
    return module.alpha


def _convolution(path: str, module: Any, constants: Mapping[str, float]) -> float:
    if module.padding_mode != "zeros":
        raise ValueError(f"lipschitz_bound got {path} with padding_mode={module.padding_mode!r}")
    weight = module.weight.detach().numpy()
    parts = np.split(weight.reshape(weight.shape[0], -1), module.groups)
    shared = 1
    for kernel, stride, dilation in zip(
        module.kernel_size, module.stride, module.dilation, strict=True
    ):
        shared *= math.ceil(kernel / (stride // math.gcd(stride, dilation)))
    return math.sqrt(shared) * max(map(_spectral, parts))


def _normalisation(path: str, module: Any, constants: Mapping[str, float]) -> float:
    if module.training or module.running_var is None:
        raise ValueError(
            f"lipschitz_bound got {path}, which depends on the whole batch: call eval() first"
        )
    scale = 1.0 if module.weight is None else module.weight.detach().numpy()
    return float(np.abs(scale / np.sqrt(module.running_var.numpy() + module.eps)).max())


def _dropout(path: str, module: Any, constants: Mapping[str, float]) -> float:
    return 1.0 / (1.0 - module.p) if module.training and module.p < 1.0 else 1.0


_RULES: dict[str, Callable[[str, Any, Mapping[str, float]], float]] = {
    "Conv1d": _convolution,
    "Conv2d": _convolution,
    "Conv3d": _convolution,
    "BatchNorm1d": _normalisation,
    "BatchNorm2d": _normalisation,
    "BatchNorm3d": _normalisation,
    "DropConnect": _drop_connect,
    "Dropout": _dropout,
    "ELU": lambda path, module, constants: max(1.0, module.alpha),
    "LeakyReLU": lambda path, module, constants: max(1.0, abs(module.negative_slope)),
    "Linear": _linear,
    "Residual": _residual,
    "ScaledReLU": _scaled,
    "ScaledTanh": _scaled,
    "Sequential": _sequence,
    "SparseLinear": _sparse,
    "VanillaDropout": lambda path, module, constants: 1.0 if module.training else 1.0 - module.p,
}
