"""Layers that PyTorch has not, beside what they are in its terms."""

from typing import Any

from ..case import BOTH, LayerCase, normal


def masked_linear(nn: Any) -> Any:
    class Masked(nn.Linear):
        def __init__(self) -> None:
            super().__init__(6, 4)
            self.register_buffer("mask", self.weight.detach().clone())

        def forward(self, x: Any) -> Any:
            return nn.functional.linear(x, self.weight * self.mask, self.bias)

    return Masked()


def pooled_affine(nn: Any) -> Any:
    class Pooled(nn.BatchNorm2d):  # for its weight and bias, one a channel
        def __init__(self) -> None:
            super().__init__(3, track_running_stats=False)

        def forward(self, x: Any) -> Any:
            total = 4 * nn.functional.avg_pool2d(x, 2)
            return total * self.weight[:, None, None] + self.bias[:, None, None]

    return Pooled()


def squared_distances(nn: Any) -> Any:
    class Distances(nn.Linear):
        def __init__(self) -> None:
            super().__init__(4, 3, bias=False)

        def forward(self, x: Any) -> Any:
            return nn.functional.pairwise_distance(x[:, None], self.weight, eps=0.0) ** 2

    return Distances()


def shortcut(nn: Any) -> Any:
    class Shortcut(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.module = nn.Linear(3, 2)
            self.shortcut = nn.Linear(3, 2, bias=False)

        def forward(self, x: Any) -> Any:
            return self.module(x) + self.shortcut(x)

    return Shortcut()


ROWS = [
    LayerCase(
        "DropConnect",
        lambda nn: nn.DropConnect(3, 4, 0.25).eval(),
        normal((5, 3)),
        (5, 4),
        BOTH,
        "DropConnect(in_features=3, out_features=4, bias=True, p=0.25)",
        theirs=lambda nn: nn.Linear(3, 4),
    ),
    LayerCase(
        "SparseLinear",
        lambda nn: nn.SparseLinear(6, 4, 0.75),
        normal((5, 6)),
        (5, 4),
        BOTH,
        "SparseLinear(in_features=6, out_features=4, bias=True, sparsity=0.75)",
        ("mask",),
        theirs=masked_linear,
    ),
    LayerCase(
        "Subsampling2d",
        lambda nn: nn.Subsampling2d(3),
        normal((2, 3, 4, 5)),
        (2, 3, 2, 2),
        BOTH,
        "Subsampling2d(3, kernel_size=2)",
        theirs=pooled_affine,
    ),
    LayerCase(
        "RadialBasis",
        lambda nn: nn.RadialBasis(4, 3),
        normal((5, 4)),
        (5, 3),
        ("weight",),
        "RadialBasis(in_features=4, out_features=3)",
        theirs=squared_distances,
    ),
    LayerCase(
        "Residual",
        lambda nn: nn.Residual(nn.Linear(3, 2), nn.Linear(3, 2, bias=False)),
        normal((5, 3)),
        (5, 2),
        ("module.weight", "module.bias", "shortcut.weight"),
        "Residual(\n"
        "  (module): Linear(in_features=3, out_features=2, bias=True)\n"
        "  (shortcut): Linear(in_features=3, out_features=2, bias=False)\n"
        ")",
        theirs=shortcut,
    ),
]
