"""How the product is watched: what is counted, what is measured when asked, what is sound, and who may know.

>>> from workbench.watching import measures
>>> sorted(measures().columns)
['labels', 'metric', 'value']
"""

from __future__ import annotations

from workbench.watching.door import Door
from workbench.watching.health import Check, checks, ready
from workbench.watching.reading import log_events, measures
from workbench.watching.requests import REQUESTS, Recorded, Requests

__all__ = ["REQUESTS", "Check", "Door", "Recorded", "Requests", "checks", "log_events", "measures", "ready"]
