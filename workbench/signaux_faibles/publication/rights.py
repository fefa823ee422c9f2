"""The policies of the store for companies (specification 7.2, 7.3.1): who writes, what zones open, what a follow opens.

Their names begin with « signaux faibles »: nothing else in a store has such a name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from workbench.signaux_faibles.publication.objects import (
    COMMENT,
    DIRECTORY,
    FOLLOW,
    FOLLOWED,
    OPINION,
    PUBLIC,
    REFERENCE,
    WRITER,
)
from workbench.signaux_faibles.publication.territories import DEPARTEMENTS, FORMER_REGIONS, FRANCE, REGIONS
from workbench.store.policies import MANAGER

__all__ = ["AUTHOR", "POLICIES", "policy_sheets"]

AUTHOR = "$auteur"
"""The badge lent to the author of a follow or an opinion, for hers."""

_ME = "$user.email"


def _zone(badge: str, codes: tuple[str, ...]) -> dict[str, Any]:
    return {"match": f"^{PUBLIC}$", "scope": [badge], "promote": list(codes)}


def _everything() -> dict[str, dict[str, Any]]:
    mine = f"^({FOLLOW}|{OPINION})$"
    found: dict[str, dict[str, Any]] = {
        "publication": {"match": f"^({PUBLIC}|{REFERENCE}|{COMMENT})$", "write": [WRITER]},
        "annuaire": {"match": f"^{DIRECTORY}$", "read": [WRITER], "write": [WRITER]},
        "publication, différences": {
            "match": "^system$",
            "key": {"type": "replace"},
            "scope": [WRITER],
            "promote": [MANAGER],
        },
        "commentaires": {"match": f"^{COMMENT}$", "key": {"author": _ME}, "promote": [WRITER]},
        "suivis et avis": {"match": mine, "write": [AUTHOR]},
        "suivis et avis, auteur": {"match": mine, "key": {"author": _ME}, "promote": [AUTHOR]},
        "suivis, lecture": {"match": f"^{FOLLOW}$", "read": [AUTHOR]},
        "entreprises suivies": {
            "match": f"^({PUBLIC})$",
            "promote": [FOLLOWED],
            "when": {"bucket": FOLLOW, "key": {"author": _ME}, "same": "siren", "value": {"actif": True}},
        },
        FRANCE: _zone(FRANCE, tuple(DEPARTEMENTS)),
    }
    for name, codes in {**FORMER_REGIONS, **REGIONS}.items():
        found[f"région {name}"] = _zone(name, codes)
    for name in REGIONS:
        found[f"URSSAF {name}"] = {
            "match": f"^{PUBLIC}$",
            "key": {f"URSSAF {name}": "true"},
            "scope": [f"URSSAF {name}"],
            "promote": ["urssaf"],
        }
    return {f"signaux faibles, {name}": value for name, value in found.items()}


POLICIES: Mapping[str, Mapping[str, Any]] = _everything()
"""Policies by name, as `workbench.store.Store.install` takes them."""


def policy_sheets() -> Iterator[dict[str, Any]]:
    """Give the policies as sheets of the bucket ``system``, for who may write there."""
    for name, value in POLICIES.items():
        yield {"key": {"type": "policy", "name": name}, "scope": [], "value": dict(value)}
