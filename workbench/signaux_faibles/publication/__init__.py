"""From a list to agents: what is published of companies, under which badges, and the policies that go with it.

`objects` says the keys, scopes and properties, `territories` the départements and régions, `rights` the policies.
`listed` reads a list, `facts` and `series` a history, `written` makes the objects of a company of both, `publishing`
publishes and withdraws. `demonstration` fills a store with a fictitious publication.
"""

from __future__ import annotations

from workbench.signaux_faibles.publication.objects import KINDS, Kind, Place, Scoped, sheets_of
from workbench.signaux_faibles.publication.publishing import Publication, plan_publication, publish, withdraw
from workbench.signaux_faibles.publication.rights import POLICIES

__all__ = [
    "KINDS",
    "POLICIES",
    "Kind",
    "Place",
    "Publication",
    "Scoped",
    "plan_publication",
    "publish",
    "sheets_of",
    "withdraw",
]
