"""Compiled kernels beside PyTorch's and NumPy's, and as a share of what the machine can do."""

from benchmarks import activations, conv, gemm, norms, pooling, updates
from benchmarks.case import control

CASES = [
    control("torch"),
    *gemm.CASES,
    *conv.CASES,
    *updates.CASES,
    *norms.CASES,
    *pooling.CASES,
    *activations.CASES,
]
MEANS = [
    gemm.TARGET,
    *conv.TARGETS,
    *updates.TARGETS,
    *norms.TARGETS,
    *pooling.TARGETS,
    *activations.TARGETS,
]
