"""Modules that hold modules."""

from ..case import LayerCase, normal

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
]
