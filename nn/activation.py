"""Activations; the formulas are in `nn.functional`."""

from __future__ import annotations

from typing import Any, ClassVar

from autograd_core import Tensor

from . import functional as F
from . import init
from .module import Module
from .parameter import unset


class _Activation(Module):
    """A layer whose repr shows its options; inplace only where it is on."""

    shown: ClassVar[tuple[str, ...]] = ()

    def extra_repr(self) -> str:
        options = [(name, getattr(self, name)) for name in self.shown]
        return ", ".join(f"{n}={value}" for n, value in options if n != "inplace" or value)


class _MayBeInPlace(_Activation):
    """A layer whose only option is to overwrite its input."""

    shown = ("inplace",)

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace


# Zero, or cut off, on one side


class ReLU(_MayBeInPlace):
    """y = max(x, 0)."""

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x, self.inplace)


class Threshold(_Activation):
    """y = x above the threshold, `value` elsewhere."""

    shown = ("threshold", "value", "inplace")

    def __init__(self, threshold: float, value: float, inplace: bool = False) -> None:
        super().__init__()
        self.threshold = threshold
        self.value = value
        self.inplace = inplace

    def forward(self, x: Tensor) -> Tensor:
        return F.threshold(x, self.threshold, self.value, self.inplace)


class Hardtanh(_Activation):
    """y = x limited to [min_val, max_val]."""

    shown = ("min_val", "max_val", "inplace")

    def __init__(self, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> None:
        super().__init__()
        if not min_val < max_val:
            raise ValueError(
                f"{type(self).__name__} got min_val={min_val} and max_val={max_val}: "
                "max_val must be larger"
            )
        self.min_val = min_val
        self.max_val = max_val
        self.inplace = inplace

    def forward(self, x: Tensor) -> Tensor:
        return F.hardtanh(x, self.min_val, self.max_val, self.inplace)


class ReLU6(Hardtanh):
    """y = min(max(x, 0), 6)."""

    shown = ("inplace",)

    def __init__(self, inplace: bool = False) -> None:
        super().__init__(0.0, 6.0, inplace)


class Hardsigmoid(_MayBeInPlace):
    """y = min(max(x + 3, 0), 6) / 6."""

    shown = ()

    def forward(self, x: Tensor) -> Tensor:
        return F.hardsigmoid(x, self.inplace)


class Hardswish(_MayBeInPlace):
    """y = x min(max(x + 3, 0), 6) / 6."""

    shown = ()

    def forward(self, x: Tensor) -> Tensor:
        return F.hardswish(x, self.inplace)


class _Shrink(_Activation):
    """0 where |x| is at most lambd."""

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = lambd

    def extra_repr(self) -> str:
        return str(self.lambd)


class Hardshrink(_Shrink):
    """y = x where |x| > lambd, 0 elsewhere."""

    def forward(self, x: Tensor) -> Tensor:
        return F.hardshrink(x, self.lambd)


class Softshrink(_Shrink):
    """y = x, brought towards 0 by lambd, and not across it."""

    def forward(self, x: Tensor) -> Tensor:
        return F.softshrink(x, self.lambd)


# A slope on the other side


class LeakyReLU(_Activation):
    """y = x above 0, negative_slope x below."""

    shown = ("negative_slope", "inplace")

    def __init__(self, negative_slope: float = 1e-2, inplace: bool = False) -> None:
        super().__init__()
        self.negative_slope = negative_slope
        self.inplace = inplace

    def forward(self, x: Tensor) -> Tensor:
        return F.leaky_relu(x, self.negative_slope, self.inplace)


class PReLU(_Activation):
    """y = x above 0, w x below; one learned w for all, or one for each channel (axis 1)."""

    shown = ("num_parameters",)

    def __init__(
        self, num_parameters: int = 1, init: float = 0.25, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__()
        self.num_parameters = num_parameters
        self.init = init
        self.weight = unset((num_parameters,), device, dtype)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Set every slope to `init`."""
        init.constant_(self.weight, self.init)

    def forward(self, x: Tensor) -> Tensor:
        return F.prelu(x, self.weight)


class RReLU(_Activation):
    """y = x above 0, a x below; a is drawn from [lower, upper] in training, else their middle."""

    shown = ("lower", "upper", "inplace")

    def __init__(
        self, lower: float = 1.0 / 8.0, upper: float = 1.0 / 3.0, inplace: bool = False
    ) -> None:
        super().__init__()
        self.lower = lower
        self.upper = upper
        self.inplace = inplace

    def forward(self, x: Tensor) -> Tensor:
        return F.rrelu(x, self.lower, self.upper, self.training, self.inplace)


# Smooth


class _Bent(_Activation):
    """x above 0, and below an exponential that ends at -alpha."""

    shown = ("alpha", "inplace")

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__()
        self.alpha = alpha
        self.inplace = inplace


class ELU(_Bent):
    """y = x above 0, alpha (exp(x) - 1) below."""

    def forward(self, x: Tensor) -> Tensor:
        return F.elu(x, self.alpha, self.inplace)


class CELU(_Bent):
    """y = x above 0, alpha (exp(x / alpha) - 1) below."""

    def forward(self, x: Tensor) -> Tensor:
        return F.celu(x, self.alpha, self.inplace)


class SELU(_MayBeInPlace):
    """y = s elu(x, a), with the a and s that keep mean 0 and variance 1 through the layers."""

    def forward(self, x: Tensor) -> Tensor:
        return F.selu(x, self.inplace)


class GELU(_Activation):
    """y = x Φ(x); approximate="tanh" and "sigmoid" compute Φ more cheaply."""

    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        self.approximate = approximate

    def forward(self, x: Tensor) -> Tensor:
        return F.gelu(x, self.approximate)

    def extra_repr(self) -> str:
        return f"approximate={self.approximate!r}"


class SiLU(_MayBeInPlace):
    """y = x σ(x)."""

    def forward(self, x: Tensor) -> Tensor:
        return F.silu(x, self.inplace)


class Mish(_MayBeInPlace):
    """y = x tanh(log(1 + exp(x)))."""

    def forward(self, x: Tensor) -> Tensor:
        return F.mish(x, self.inplace)


class Sigmoid(_Activation):
    """y = 1 / (1 + exp(-x))."""

    def forward(self, x: Tensor) -> Tensor:
        return F.sigmoid(x)


class LogSigmoid(_Activation):
    """y = log σ(x)."""

    def forward(self, x: Tensor) -> Tensor:
        return F.logsigmoid(x)


class Softplus(_Activation):
    """y = log(1 + exp(beta x)) / beta, and x itself where beta x is above the threshold."""

    shown = ("beta", "threshold")

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        super().__init__()
        self.beta = beta
        self.threshold = threshold

    def forward(self, x: Tensor) -> Tensor:
        return F.softplus(x, self.beta, self.threshold)


class Tanh(_Activation):
    """y = tanh(x)."""

    def forward(self, x: Tensor) -> Tensor:
        return F.tanh(x)


class Tanhshrink(_Activation):
    """y = x - tanh(x)."""

    def forward(self, x: Tensor) -> Tensor:
        return F.tanhshrink(x)


class Softsign(_Activation):
    """y = x / (1 + |x|)."""

    def forward(self, x: Tensor) -> Tensor:
        return F.softsign(x)


# Scaled, so that they contract


class _Scaled(_Activation):
    """y = alpha a(x) with 0 < alpha < 1: a 1-Lipschitz activation becomes alpha-Lipschitz."""

    shown = ("alpha",)

    def __init__(self, alpha: float) -> None:
        super().__init__()
        if not 0 < alpha < 1:
            raise ValueError(f"{type(self).__name__} got alpha={alpha}: it must be between 0 and 1")
        self.alpha = alpha


class ScaledReLU(_Scaled):
    """y = alpha max(x, 0) with 0 < alpha < 1."""

    def forward(self, x: Tensor) -> Tensor:
        return self.alpha * F.relu(x)


class ScaledTanh(_Scaled):
    """y = alpha tanh(x) with 0 < alpha < 1."""

    def forward(self, x: Tensor) -> Tensor:
        return self.alpha * F.tanh(x)
