"""The history of companies: facts with two dates, when they happened and which batch said so.

>>> import tempfile
>>> with open_history(tempfile.mkdtemp() + "/historique.duckdb", read_only=False) as history:
...     history.batches()
[]
"""

from __future__ import annotations

from workbench.signaux_faibles.history.base import History, KnownBatch, open_history
from workbench.signaux_faibles.history.compaction import Change, Compaction, compact
from workbench.signaux_faibles.history.importing import BatchImport, import_batch
from workbench.signaux_faibles.history.maintenance import Pruning, prune, purge, purge_waiting

__all__ = [
    "BatchImport",
    "Change",
    "Compaction",
    "History",
    "KnownBatch",
    "Pruning",
    "compact",
    "import_batch",
    "open_history",
    "prune",
    "purge",
    "purge_waiting",
]
