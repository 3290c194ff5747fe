"""Compiled kernels beside PyTorch's and NumPy's, and as a share of what the machine can do."""

from benchmarks import conv, gemm, updates
from benchmarks.case import control

CASES = [control("torch"), *gemm.CASES, *conv.CASES, *updates.CASES]
MEANS = [gemm.TARGET, *conv.TARGETS, *updates.TARGETS]
