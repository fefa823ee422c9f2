"""From a list to agents: what is published of companies, under which badges, and the policies that go with it.

`objects` says the keys, scopes and properties, `territories` the départements and régions, `rights` the policies,
`demonstration` fills a store with a fictitious publication.
"""

from __future__ import annotations

from workbench.signaux_faibles.publication.objects import KINDS, Kind, Place, Scoped, sheets_of
from workbench.signaux_faibles.publication.rights import POLICIES

__all__ = ["KINDS", "POLICIES", "Kind", "Place", "Scoped", "sheets_of"]
