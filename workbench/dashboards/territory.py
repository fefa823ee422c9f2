"""Labels that screens of companies need, and the zones that a person may choose among; read from the store."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from workbench.errors import WorkbenchError
from workbench.store import StoreDoor

__all__ = ["MINE", "Labels", "Zone", "labels_of", "visible"]

MINE = "mine"
"""The zone of the person: the départements that the store opens to her."""

PROCEDURES = ("in_bonis", "plan_continuation", "sauvegarde", "plan_sauvegarde", "redressement", "liquidation")
"""The order of procedures, from none to the gravest: the store does not keep that of their labels."""

_EVERYWHERE = "Toute zone"


def visible(door: StoreDoor, bucket: str, key: Mapping[str, str]) -> list[dict[str, Any]]:
    """Read objects, those of a whole bucket with an empty key; nothing visible is an empty list.

    Raises
    ------
    WorkbenchError
        What `StoreDoor.get` raises otherwise.
    """
    try:
        return door.get(bucket, key)
    except WorkbenchError as error:
        if error.code == "sans_donnees" or error.details.get("refus") == "sans_donnees":
            return []
        raise


@dataclass(frozen=True)
class Labels:
    """What codes are called.

    Parameters
    ----------
    sections
        Of activities, by letter.
    procedures
        Of collective procedures, in their order.
    departements
        Names by code.
    regions
        Départements by région, those of today.
    """

    sections: Mapping[str, str] = field(default_factory=dict)
    procedures: Mapping[str, str] = field(default_factory=dict)
    departements: Mapping[str, str] = field(default_factory=dict)
    regions: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def mine(self, badges: Collection[str]) -> tuple[str, ...]:
        """Return the départements among badges."""
        return tuple(code for code in self.departements if code in badges)

    def zones(self, badges: Collection[str], seen: Collection[str]) -> list[dict[str, str]]:
        """List the zones that one may choose: hers, then those where she sees something."""
        listed = [{"value": "", "label": _EVERYWHERE, "group": ""}]
        if self.mine(badges):
            listed.append({"value": MINE, "label": "Ma zone géographique", "group": ""})
        among = [name for name in sorted(self.regions) if not set(self.regions[name]).isdisjoint(seen)]
        listed += [{"value": f"region:{name}", "label": name, "group": "Régions"} for name in among]
        return listed + [
            {"value": f"departement:{code}", "label": f"{code} · {name}", "group": "Départements"}
            for code, name in self.departements.items()
            if code in seen
        ]

    def zone(self, value: str, badges: Collection[str]) -> Zone:
        """Return a zone by its value."""
        kind, _, name = value.partition(":")
        if value == MINE:
            return Zone("Ma zone géographique", self.mine(badges))
        if kind == "region":
            return Zone(name, tuple(self.regions.get(name, ())))
        if kind == "departement":
            return Zone(f"{self.departements.get(name, name)} ({name})", (name,))
        return Zone(_EVERYWHERE, None)


@dataclass(frozen=True)
class Zone:
    """A zone: its name and its départements, None for everywhere."""

    label: str
    departements: tuple[str, ...] | None


def labels_of(references: Iterable[Mapping[str, Any]]) -> Labels:
    """Return the labels among the objects of the bucket ``reference``; empty when none were published."""
    found = {each["key"].get("type"): each["value"] for each in references}

    def part(kind: str, name: str) -> Mapping[str, Any]:
        return (found.get(kind) or {}).get(name) or {}

    procedures = part("procol", "libelles")
    ordered = [code for code in PROCEDURES if code in procedures]
    ordered += [code for code in procedures if code not in PROCEDURES]
    return Labels(
        dict(sorted(part("naf", "sections").items())),
        {code: procedures[code] for code in ordered},
        dict(sorted(part("departements", "libelles").items())),
        part("regions", "regions"),
    )
