"""Activations: of each element, and of several at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..case import LayerCase, normal


def elementwise(text: str, make: Callable[[Any], Any], theirs: Any = None) -> LayerCase:
    """The row of an activation that has neither parameters nor axes."""
    name = text.partition("(")[0]
    return LayerCase(name, make, normal((3, 4)), (3, 4), (), text, theirs=theirs)


ROWS = [
    elementwise("ReLU()", lambda nn: nn.ReLU()),
    elementwise("Threshold(threshold=0.1, value=20.0)", lambda nn: nn.Threshold(0.1, 20.0)),
    elementwise("Hardtanh(min_val=-1.0, max_val=1.0)", lambda nn: nn.Hardtanh()),
    elementwise("Hardtanh(min_val=-0.5, max_val=0.2)", lambda nn: nn.Hardtanh(-0.5, 0.2)),
    elementwise("ReLU6()", lambda nn: nn.ReLU6()),
    elementwise(
        "Hardsigmoid()",
        lambda nn: nn.Hardsigmoid(),  # whose slope PyTorch has in single precision only
        lambda nn: lambda x: (x + 3.0).clamp(0.0, 6.0) / 6.0,
    ),
    elementwise("Hardswish()", lambda nn: nn.Hardswish()),
    elementwise("Hardshrink(0.5)", lambda nn: nn.Hardshrink()),
    elementwise("Softshrink(0.3)", lambda nn: nn.Softshrink(0.3)),
    elementwise("LeakyReLU(negative_slope=0.01)", lambda nn: nn.LeakyReLU()),
    elementwise("LeakyReLU(negative_slope=0.2)", lambda nn: nn.LeakyReLU(0.2)),
    LayerCase(
        "PReLU",
        lambda nn: nn.PReLU(),
        normal((3, 4)),
        (3, 4),
        ("weight",),
        "PReLU(num_parameters=1)",
    ),
    LayerCase(
        "PReLU",
        lambda nn: nn.PReLU(3, init=0.1),
        normal((2, 3, 2, 2)),
        (2, 3, 2, 2),
        ("weight",),
        "PReLU(num_parameters=3)",
    ),
    elementwise("RReLU(lower=0.1, upper=0.4)", lambda nn: nn.RReLU(0.1, 0.4).eval()),
    elementwise("ELU(alpha=1.0)", lambda nn: nn.ELU()),
    elementwise("ELU(alpha=0.5)", lambda nn: nn.ELU(0.5)),
    elementwise("CELU(alpha=2.0)", lambda nn: nn.CELU(2.0)),
    elementwise("SELU()", lambda nn: nn.SELU()),
    elementwise("GELU(approximate='none')", lambda nn: nn.GELU()),
    elementwise("GELU(approximate='tanh')", lambda nn: nn.GELU("tanh")),
    elementwise(
        "GELU(approximate='sigmoid')",
        lambda nn: nn.GELU("sigmoid"),
        lambda nn: lambda x: x * (1.702 * x).sigmoid(),
    ),
    elementwise("SiLU()", lambda nn: nn.SiLU()),
    elementwise("Mish()", lambda nn: nn.Mish()),
    elementwise("Sigmoid()", lambda nn: nn.Sigmoid()),
    elementwise("LogSigmoid()", lambda nn: nn.LogSigmoid()),
    elementwise("Softplus(beta=1.0, threshold=20.0)", lambda nn: nn.Softplus()),
    elementwise("Softplus(beta=2.0, threshold=1.0)", lambda nn: nn.Softplus(2.0, 1.0)),
    elementwise("Tanh()", lambda nn: nn.Tanh()),
    elementwise("Tanhshrink()", lambda nn: nn.Tanhshrink()),
    elementwise("Softsign()", lambda nn: nn.Softsign()),
    elementwise(
        "ScaledReLU(alpha=0.5)",
        lambda nn: nn.ScaledReLU(0.5),
        lambda nn: lambda x: 0.5 * nn.functional.relu(x),
    ),
    elementwise(
        "ScaledTanh(alpha=0.8)", lambda nn: nn.ScaledTanh(0.8), lambda nn: lambda x: 0.8 * x.tanh()
    ),
    elementwise("Softmax(dim=1)", lambda nn: nn.Softmax(1)),
    elementwise("LogSoftmax(dim=0)", lambda nn: nn.LogSoftmax(0)),
    elementwise("Softmin(dim=-1)", lambda nn: nn.Softmin(-1)),
    LayerCase(
        "Softmax2d",
        lambda nn: nn.Softmax2d(),
        normal((2, 3, 2, 2)),
        (2, 3, 2, 2),
        (),
        "Softmax2d()",
    ),
    LayerCase("GLU", lambda nn: nn.GLU(), normal((3, 4)), (3, 2), (), "GLU(dim=-1)"),
    LayerCase("GLU", lambda nn: nn.GLU(0), normal((4, 3)), (2, 3), (), "GLU(dim=0)"),
]
