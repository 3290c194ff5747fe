"""The namespace of torch.utils: `data`, which stands above this package, and `checkpoint`."""

from importlib import import_module
from typing import Any

_PLACES = {"checkpoint": "autograd_core.checkpoint", "data": "training.data"}


def __getattr__(name: str) -> Any:
    if name in _PLACES:
        return import_module(_PLACES[name])
    raise AttributeError(f"module 'autograd_core.utils' has no attribute {name!r}")
