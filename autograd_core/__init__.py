"""A reverse-mode automatic-differentiation engine for the CPU, with PyTorch's habits."""

from __future__ import annotations

from math import e as e
from math import inf as inf
from math import nan as nan
from math import pi as pi
from typing import TYPE_CHECKING

from kernels import get_num_threads as get_num_threads
from kernels import set_num_threads as set_num_threads

from . import versions as versions
from ._tensor import Size as Size
from ._tensor import Tensor as Tensor
from .checkpoint import checkpoint as checkpoint
from .compiling import compile as compile
from .creation import *  # noqa: F403
from .devices import accelerator as accelerator
from .devices import backends as backends
from .devices import cuda as cuda
from .devices import device as device
from .devices import use_deterministic_algorithms as use_deterministic_algorithms
from .dtypes import bool as bool
from .dtypes import double as double
from .dtypes import dtype as dtype
from .dtypes import finfo as finfo
from .dtypes import float as float
from .dtypes import float16 as float16
from .dtypes import float32 as float32
from .dtypes import float64 as float64
from .dtypes import get_default_dtype as get_default_dtype
from .dtypes import half as half
from .dtypes import iinfo as iinfo
from .dtypes import int as int
from .dtypes import int8 as int8
from .dtypes import int16 as int16
from .dtypes import int32 as int32
from .dtypes import int64 as int64
from .dtypes import long as long
from .dtypes import promote_types as promote_types
from .dtypes import set_default_dtype as set_default_dtype
from .dtypes import short as short
from .dtypes import uint8 as uint8
from .errors import DtypeError as DtypeError
from .errors import GraphError as GraphError
from .errors import ShapeError as ShapeError
from .lazy import lazy as _lazy
from .legacy import *  # noqa: F403
from .modes import enable_grad as enable_grad
from .modes import inference_mode as inference_mode
from .modes import is_grad_enabled as is_grad_enabled
from .modes import no_grad as no_grad
from .modes import set_grad_enabled as set_grad_enabled
from .observe import observe as observe
from .ops import *  # noqa: F403
from .printing import set_printoptions as set_printoptions
from .questions import *  # noqa: F403
from .random import *  # noqa: F403

if TYPE_CHECKING:
    import nn as nn
    import optim as optim

    from . import autograd as autograd
    from . import func as func
    from . import linalg as linalg
    from . import utils as utils
    from .func import vmap as vmap
    from .graph import Graph as Graph
    from .graph import graph_diff as graph_diff
    from .graph import trace_graph as trace_graph
    from .live import live_graphs as live_graphs
    from .value import Value as Value

__version__ = "0.1.0"


# Which file gives which names, when one is first asked for; for type checkers they stand above.
_FAMILIES = {
    "autograd": (),
    "func": ("vmap",),
    "graph": ("Graph", "graph_diff", "trace_graph"),
    "linalg": (),
    "live": ("live_graphs",),
    "utils": (),
    "value": ("Value",),
}
# `import autograd_core as torch` then serves torch.nn.Linear and torch.optim.SGD.
__getattr__, __dir__ = _lazy(__name__, _FAMILIES, above=("nn", "optim"))
