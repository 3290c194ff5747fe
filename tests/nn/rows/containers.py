"""Modules that hold modules or parameters."""

from typing import Any

from ..case import LayerCase, normal, tensor_of


def held(nn: Any, parts: Any, chain: Any, shown: str = "") -> Any:
    """A module around a container that cannot be called itself."""

    class Held(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.parts = parts

        def forward(self, x: Any) -> Any:
            return chain(self.parts, x)

        def __repr__(self) -> str:
            return shown or super().__repr__()

    return Held()


def in_turn(modules: Any, x: Any) -> Any:
    for module in modules:
        x = module(x)
    return x


def numbers(nn: Any) -> list[Any]:
    """Two rows of three, as a parameter and as a tensor that will become one."""
    rows = [tensor_of(nn, [0.5, -1.0, 2.0]), tensor_of(nn, [1.5, 3.0, -0.5])]
    return [nn.Parameter(rows[0]), rows[1]]


ROWS = [
    LayerCase(
        "Sequential",
        lambda nn: nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Sequential(nn.Linear(4, 2))),
        normal((5, 3)),
        (5, 2),
        ("0.weight", "0.bias", "2.0.weight", "2.0.bias"),
        """Sequential(
  (0): Linear(in_features=3, out_features=4, bias=True)
  (1): ReLU()
  (2): Sequential(
    (0): Linear(in_features=4, out_features=2, bias=True)
  )
)""",
    ),
    LayerCase(
        "ModuleList",
        lambda nn: held(nn, nn.ModuleList([nn.Linear(3, 3), nn.Linear(3, 3), nn.ReLU()]), in_turn),
        normal((5, 3)),
        (5, 3),
        ("parts.0.weight", "parts.0.bias", "parts.1.weight", "parts.1.bias"),
        """Held(
  (parts): ModuleList(
    (0-1): 2 x Linear(in_features=3, out_features=3, bias=True)
    (2): ReLU()
  )
)""",
    ),
    LayerCase(
        "ModuleDict",
        lambda nn: held(
            nn,
            nn.ModuleDict({"last": nn.ReLU(), "first": nn.Linear(3, 2, bias=False)}),
            lambda parts, x: parts["last"](parts["first"](x)),
        ),
        normal((5, 3)),
        (5, 2),
        ("parts.first.weight",),
        """Held(
  (parts): ModuleDict(
    (last): ReLU()
    (first): Linear(in_features=3, out_features=2, bias=False)
  )
)""",
    ),
    LayerCase(
        "ParameterList",
        lambda nn: held(nn, nn.ParameterList(numbers(nn)), lambda p, x: x * p[0] + p[1], "a list"),
        normal((5, 3)),
        (5, 3),
        ("parts.0", "parts.1"),
        "a list",
    ),
    LayerCase(
        "ParameterDict",
        lambda nn: held(
            nn,
            nn.ParameterDict(dict(zip("ab", numbers(nn), strict=True))),
            lambda p, x: x * p["a"] + p["b"],
            "a dict",
        ),
        normal((5, 3)),
        (5, 3),
        ("parts.a", "parts.b"),
        "a dict",
    ),
]
