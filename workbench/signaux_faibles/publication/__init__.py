"""From a list to agents: what is published of companies, under which badges, and the policies that go with it.

`objects` says the keys, scopes and properties, `territories` the départements and régions, `rights` the policies.
`listed` reads a list, `facts` and `series` a history, `written` makes the objects of a company of both, `publishing`
publishes and withdraws, `directory` publishes all that is searched. `demonstration` fills a store with a fictitious
publication.
"""

from __future__ import annotations

from workbench.signaux_faibles.publication.directory import Directory, publish_directory
from workbench.signaux_faibles.publication.objects import KINDS, Kind, Place, Scoped, sheets_of
from workbench.signaux_faibles.publication.publishing import Publication, plan_publication, publish, withdraw
from workbench.signaux_faibles.publication.rights import POLICIES

__all__ = [
    "KINDS",
    "POLICIES",
    "Directory",
    "Kind",
    "Place",
    "Publication",
    "Scoped",
    "plan_publication",
    "publish",
    "publish_directory",
    "sheets_of",
    "withdraw",
]
