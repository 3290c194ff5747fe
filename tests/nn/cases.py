"""One row per layer, or more; each is built from `nn` here and from PyTorch's `nn` alike."""

from importlib import import_module
from pathlib import Path

from .case import LayerCase as LayerCase

FAMILIES = sorted(path.stem for path in (Path(__file__).parent / "rows").glob("[!_]*.py"))
LAYERS: list[LayerCase] = [
    row for name in FAMILIES for row in import_module(f"tests.nn.rows.{name}").ROWS
]
