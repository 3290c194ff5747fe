"""Normalizations."""

from ..case import BOTH, LayerCase, normal

TRACKED = ("running_mean", "running_var", "num_batches_tracked")

ROWS = [
    LayerCase(
        "BatchNorm1d",
        lambda nn: nn.BatchNorm1d(3),
        normal((4, 3)),
        (4, 3),
        BOTH,
        "BatchNorm1d(3, eps=1e-05, momentum=0.1, affine=True, bias=True, track_running_stats=True)",
        buffers=TRACKED,
    ),
    LayerCase(
        "BatchNorm1d",
        lambda nn: nn.BatchNorm1d(3, eps=0.1, affine=False, momentum=None),
        normal((4, 3, 2)),
        (4, 3, 2),
        (),
        "BatchNorm1d(3, eps=0.1, momentum=None, affine=False, bias=False, "
        "track_running_stats=True)",
        buffers=TRACKED,
    ),
    LayerCase(
        "BatchNorm1d",
        lambda nn: nn.BatchNorm1d(3).eval(),
        normal((1, 3)),
        (1, 3),
        BOTH,
        "BatchNorm1d(3, eps=1e-05, momentum=0.1, affine=True, bias=True, track_running_stats=True)",
        buffers=TRACKED,
    ),
    LayerCase(
        "BatchNorm2d",
        lambda nn: nn.BatchNorm2d(2, track_running_stats=False),
        normal((3, 2, 2, 3)),
        (3, 2, 2, 3),
        BOTH,
        "BatchNorm2d(2, eps=1e-05, momentum=0.1, affine=True, bias=True, "
        "track_running_stats=False)",
    ),
    LayerCase(
        "BatchNorm2d",
        lambda nn: nn.BatchNorm2d(2, bias=False).eval(),
        normal((3, 2, 2, 3)),
        (3, 2, 2, 3),
        ("weight",),
        "BatchNorm2d(2, eps=1e-05, momentum=0.1, affine=True, bias=False, "
        "track_running_stats=True)",
        buffers=TRACKED,
    ),
    LayerCase(
        "BatchNorm3d",
        lambda nn: nn.BatchNorm3d(2),
        normal((2, 2, 2, 1, 3)),
        (2, 2, 2, 1, 3),
        BOTH,
        "BatchNorm3d(2, eps=1e-05, momentum=0.1, affine=True, bias=True, track_running_stats=True)",
        buffers=TRACKED,
    ),
    LayerCase(
        "InstanceNorm1d",
        lambda nn: nn.InstanceNorm1d(3),
        normal((2, 3, 4)),
        (2, 3, 4),
        (),
        "InstanceNorm1d(3, eps=1e-05, momentum=0.1, affine=False, bias=False, "
        "track_running_stats=False)",
    ),
    LayerCase(
        "InstanceNorm1d",
        lambda nn: nn.InstanceNorm1d(3, affine=True),
        normal((3, 4)),
        (3, 4),
        BOTH,
        "InstanceNorm1d(3, eps=1e-05, momentum=0.1, affine=True, bias=True, "
        "track_running_stats=False)",
    ),
    LayerCase(
        "InstanceNorm2d",
        lambda nn: nn.InstanceNorm2d(2, affine=True, track_running_stats=True),
        normal((2, 2, 3, 2)),
        (2, 2, 3, 2),
        BOTH,
        "InstanceNorm2d(2, eps=1e-05, momentum=0.1, affine=True, bias=True, "
        "track_running_stats=True)",
        buffers=TRACKED,
    ),
    LayerCase(
        "InstanceNorm2d",
        lambda nn: nn.InstanceNorm2d(2, track_running_stats=True).eval(),
        normal((2, 2, 3, 2)),
        (2, 2, 3, 2),
        (),
        "InstanceNorm2d(2, eps=1e-05, momentum=0.1, affine=False, bias=False, "
        "track_running_stats=True)",
        buffers=TRACKED,
    ),
    LayerCase(
        "InstanceNorm3d",
        lambda nn: nn.InstanceNorm3d(2),
        normal((2, 2, 2, 1, 3)),
        (2, 2, 2, 1, 3),
        (),
        "InstanceNorm3d(2, eps=1e-05, momentum=0.1, affine=False, bias=False, "
        "track_running_stats=False)",
    ),
    LayerCase(
        "LayerNorm",
        lambda nn: nn.LayerNorm(4),
        normal((2, 3, 4)),
        (2, 3, 4),
        BOTH,
        "LayerNorm((4,), eps=1e-05, elementwise_affine=True, bias=True)",
    ),
    LayerCase(
        "LayerNorm",
        lambda nn: nn.LayerNorm((3, 4), bias=False),
        normal((2, 3, 4)),
        (2, 3, 4),
        ("weight",),
        "LayerNorm((3, 4), eps=1e-05, elementwise_affine=True, bias=False)",
    ),
    LayerCase(
        "LayerNorm",
        lambda nn: nn.LayerNorm(4, eps=0.1, elementwise_affine=False),
        normal((4,)),
        (4,),
        (),
        "LayerNorm((4,), eps=0.1, elementwise_affine=False, bias=False)",
    ),
    LayerCase(
        "RMSNorm",
        lambda nn: nn.RMSNorm(4),
        normal((2, 3, 4)),
        (2, 3, 4),
        ("weight",),
        "RMSNorm((4,), eps=None, elementwise_affine=True)",
    ),
    LayerCase(
        "RMSNorm",
        lambda nn: nn.RMSNorm((3, 4), eps=0.1, elementwise_affine=False),
        normal((2, 3, 4)),
        (2, 3, 4),
        (),
        "RMSNorm((3, 4), eps=0.1, elementwise_affine=False)",
    ),
    LayerCase(
        "GroupNorm",
        lambda nn: nn.GroupNorm(2, 4),
        normal((2, 4, 3)),
        (2, 4, 3),
        BOTH,
        "GroupNorm(2, 4, eps=1e-05, affine=True, bias=True)",
    ),
    LayerCase(
        "GroupNorm",
        lambda nn: nn.GroupNorm(1, 3, affine=False),
        normal((3, 3)),
        (3, 3),
        (),
        "GroupNorm(1, 3, eps=1e-05, affine=False, bias=False)",
    ),
    LayerCase(
        "LocalResponseNorm",
        lambda nn: nn.LocalResponseNorm(2),
        normal((2, 5, 3)),
        (2, 5, 3),
        (),
        "LocalResponseNorm(2, alpha=0.0001, beta=0.75, k=1.0)",
    ),
    LayerCase(
        "LocalResponseNorm",
        lambda nn: nn.LocalResponseNorm(3, alpha=0.5, beta=0.4, k=2.0),
        normal((2, 4, 2, 3)),
        (2, 4, 2, 3),
        (),
        "LocalResponseNorm(3, alpha=0.5, beta=0.4, k=2.0)",
    ),
]
