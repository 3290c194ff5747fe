"""Distances."""

from ..case import LayerCase, normal

ROWS = [
    LayerCase(
        "CosineSimilarity",
        lambda nn: nn.CosineSimilarity(),
        normal((3, 4), (3, 4)),
        (3,),
        (),
        "CosineSimilarity()",
    ),
    LayerCase(
        "CosineSimilarity",
        lambda nn: nn.CosineSimilarity(dim=0, eps=1e-3),
        normal((3, 4), (3, 1)),
        (4,),
        (),
        "CosineSimilarity()",
    ),
    LayerCase(
        "PairwiseDistance",
        lambda nn: nn.PairwiseDistance(),
        normal((3, 4), (3, 4)),
        (3,),
        (),
        "PairwiseDistance()",
    ),
    LayerCase(
        "PairwiseDistance",
        lambda nn: nn.PairwiseDistance(p=3.0, eps=0.0, keepdim=True),
        normal((3, 4), (4,)),
        (3, 1),
        (),
        "PairwiseDistance()",
    ),
]
