"""Linear algebra under PyTorch's names: linalg.solve, linalg.svd, linalg.norm, ..."""

from __future__ import annotations

from typing import Any

from .errors import LinAlgError as LinAlgError
from .op import aliased
from .ops.decompositions import cholesky as cholesky
from .ops.decompositions import eigh as eigh
from .ops.decompositions import eigvalsh as eigvalsh
from .ops.decompositions import qr as qr
from .ops.decompositions import svd as svd
from .ops.decompositions import svdvals as svdvals
from .ops.determinants import det as det
from .ops.determinants import slogdet as slogdet
from .ops.diagonal import diagonal as _diagonal
from .ops.distances import vecdot as vecdot
from .ops.norms import cond as cond
from .ops.norms import matrix_norm as matrix_norm
from .ops.norms import norm as norm
from .ops.norms import vector_norm as vector_norm
from .ops.powers import matrix_exp as matrix_exp
from .ops.powers import matrix_power as matrix_power
from .ops.powers import multi_dot as multi_dot
from .ops.products import cross_along
from .ops.products import matmul as matmul
from .ops.solving import inv as inv
from .ops.solving import lstsq as lstsq
from .ops.solving import matrix_rank as matrix_rank
from .ops.solving import pinv as pinv
from .ops.solving import solve as solve
from .ops.solving import solve_triangular as solve_triangular


@aliased
def cross(x: Any, other: Any, *, dim: int = -1) -> Any:
    """x × other, of vectors with three elements along one axis."""
    return cross_along(x, other, dim)


@aliased
def diagonal(A: Any, *, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Any:
    """The diagonals of matrices, as the last axis; a view."""
    return _diagonal(A, offset, dim1, dim2)
