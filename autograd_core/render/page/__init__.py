"""A graph as one page that needs no network: explored box by box, stepped through op by op."""

from __future__ import annotations

from .document import write as write
