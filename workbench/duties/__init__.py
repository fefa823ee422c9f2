"""What the law asks of whoever keeps data on people: how long, and what is known of whom.

>>> from workbench.duties import retention
>>> retention().journal.days
365
"""

from __future__ import annotations

from workbench.duties.person import known_of
from workbench.duties.purging import Purged, purge_all
from workbench.duties.retention import Retention, retention

__all__ = ["Purged", "Retention", "known_of", "purge_all", "retention"]
