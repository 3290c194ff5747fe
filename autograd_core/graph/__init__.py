"""Graphs as plain data: traced, written down, read back, looked at."""

from __future__ import annotations

from .data import Graph as Graph
from .data import GraphModule as GraphModule
from .data import GraphNode as GraphNode
from .data import Operand as Operand
from .data import type_text as type_text
from .difference import Change as Change
from .difference import Difference as Difference
from .difference import graph_diff as graph_diff
from .scopes import module_path as module_path
from .statistics import Statistics as Statistics
from .trace import trace_graph as trace_graph
