"""What the store shows one person of one établissement or one company.

The store decides alone what is seen. Of what is published, a property that the reader may see is there, null or empty
when nothing is known; one that is absent is one that she may not see. Where nothing is published at all, what she holds
tells both apart, for the words of the page only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from workbench.dashboards.sheet_items import Item, closed, empty
from workbench.errors import WorkbenchError
from workbench.signaux_faibles.publication.objects import PUBLIC, REFERENCE, directory_facts, list_order
from workbench.signaux_faibles.publication.territories import opens
from workbench.store import StoreDoor, StoreError

__all__ = [
    "Access",
    "Published",
    "Subject",
    "batches_of",
    "read_entreprise",
    "read_etablissement",
    "read_siren",
    "read_siret",
    "seen",
]

_DIGITS = re.compile(r"[\s\u00a0\u202f.]")

CONFIDENTIAL: Mapping[str, tuple[str, ...]] = {
    "score": ("alert", "score", "explication"),
    "urssaf": ("debit", "cotisation", "delai"),
    "dgefp": ("apconso", "apdemande"),
    "bdf": ("bdf",),
}
"""The properties that each badge opens."""

_NAMES = {
    "": "aux données",
    "score": "aux scores de détection",
    "urssaf": "aux données de l'URSSAF",
    "dgefp": "aux données d'activité partielle",
    "bdf": "aux données de la Banque de France",
}


UNLISTED = "Rien n'est publié : cette entreprise n'est dans aucune liste."


def read_siret(written: object) -> str:
    """Read a SIRET as people write it.

    Raises
    ------
    WorkbenchError
        ``siret_malforme``.

    Examples
    --------
    >>> read_siret("800 000 001 00012")
    '80000000100012'
    """
    found = _DIGITS.sub("", str(written or ""))
    if not (len(found) == 14 and found.isascii() and found.isdigit()):
        raise WorkbenchError("siret_malforme", siret=str(written or "")[:40])
    return found


def read_siren(written: object) -> str:
    """Read a SIREN as people write it.

    Raises
    ------
    WorkbenchError
        ``siren_malforme``.

    Examples
    --------
    >>> read_siren("800 000 001")
    '800000001'
    """
    found = _DIGITS.sub("", str(written or ""))
    if not (len(found) == 9 and found.isascii() and found.isdigit()):
        raise WorkbenchError("siren_malforme", siren=str(written or "")[:40])
    return found


def seen(door: StoreDoor, bucket: str, key: Mapping[str, str]) -> list[dict[str, Any]]:
    """Read what is visible of a bucket; nothing visible is an empty list."""
    try:
        return door.get(bucket, key)
    except StoreError as error:
        if error.status == 404:
            return []
        raise
    except WorkbenchError as error:
        if error.code == "sans_donnees":
            return []
        raise


@dataclass(frozen=True)
class Access:
    """What a person has, for the words of the page: the store has already decided.

    Parameters
    ----------
    badges
        What her token says that she holds; None when it does not say.
    followed
        Whether she follows the company.
    opened
        Whether she sees anything confidential of it.
    placed
        Whether she sees what her zone opens.
    unlisted
        Whether nothing of it is published, as far as she may know: it is in her zone, and she sees its identity alone.
    """

    badges: frozenset[str] | None
    followed: bool
    opened: bool
    placed: bool = False
    unlisted: bool = False

    def refusal(self, badge: str = "") -> str:
        """Say why what a badge opens is not seen; empty when there is nothing to see.

        Parameters
        ----------
        badge
            One of `CONFIDENTIAL`; empty for what the zone alone opens.

        Examples
        --------
        >>> Access(frozenset({"urssaf"}), followed=True, opened=True).refusal("urssaf")
        ''
        """
        what = _NAMES[badge]
        if badge and self.badges is not None and badge not in self.badges:
            return f"Vous n'avez pas accès {what} : votre habilitation ne les comprend pas (badge « {badge} »)."
        if self.followed or self.unlisted or (badge and self.opened) or (not badge and self.placed):
            return ""
        where = "si elle est dans votre zone et a été en alerte" if badge else "si elle est dans votre zone"
        they = "ils" if badge == "score" else "elles"
        return f"Vous n'avez pas accès {what} de cette entreprise : {they} s'ouvrent {where}, ou si vous la suivez."

    def reads(self, values: Mapping[str, Any], name: str, badge: str = "") -> tuple[Any, Item | None]:
        """Return a property, and what is said in its place when there is none: no right, or no data.

        Examples
        --------
        >>> someone = Access(frozenset(), followed=False, opened=False)
        >>> someone.reads({"debit": []}, "debit", "urssaf")[1]["tone"], someone.reads({}, "debit", "urssaf")[1]["tone"]
        ('empty', 'closed')
        """
        value = values.get(name)
        if value not in (None, [], {}):
            return value, None
        refusal = "" if name in values else self.refusal(badge)
        return None, closed(refusal) if refusal else empty(UNLISTED if self.unlisted else "Aucune donnée n'est connue.")


@dataclass(frozen=True)
class Published:
    """A list, as the reader may know it."""

    batch: str
    label: str
    day: str = ""

    @property
    def order(self) -> tuple[str, str, str]:
        """What lists are sorted by; see `list_order`."""
        return list_order({"key": {"batch": self.batch}, "value": {"date": self.day}})


@dataclass(frozen=True)
class Subject:
    """What a person sees of an établissement or of a company.

    Parameters
    ----------
    siren, siret
        Who; ``siret`` is empty for a company.
    identity
        What everybody may find.
    detections
        Properties of each list that holds it, with the list, the newest first.
    detail
        What its newest publication says.
    company
        The same of the company.
    access
        What the reader has.
    last
        The newest list that she may know; None without one.
    told
        The list that ``detail`` was published with; None without a detail.
    etablissements
        Those of the company, for a company: identities, each with ``siret``.
    details
        Their details, by SIRET, for a company.
    """

    siren: str
    siret: str
    identity: Mapping[str, Any]
    detections: Sequence[tuple[Published, Mapping[str, Any]]]
    detail: Mapping[str, Any]
    company: Mapping[str, Any]
    access: Access
    last: Published | None = None
    told: Published | None = None
    etablissements: Sequence[Mapping[str, Any]] = ()
    details: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What it is called."""
        return str(self.identity.get("raison_sociale") or self.siret or self.siren)

    @property
    def current(self) -> tuple[Published, Mapping[str, Any]] | None:
        """Its place in the newest list; None when it is not there."""
        found = next(iter(self.detections), None)
        return found if found is not None and (self.last is None or found[0].batch == self.last.batch) else None


def _newest_first(objects: Sequence[Mapping[str, Any]], lists: Mapping[str, Published]) -> list[Mapping[str, Any]]:
    def rank(one: Mapping[str, Any]) -> tuple[str, str, str]:
        batch = str(one["key"].get("batch", ""))
        return lists.get(batch, Published(batch, "")).order

    return sorted(objects, key=rank, reverse=True)


def batches_of(door: StoreDoor) -> dict[str, Published]:
    """Return the lists that this person may know, by batch."""
    found = {}
    for one in seen(door, REFERENCE, {"type": "liste"}):
        batch, value = str(one["key"].get("batch", "")), one["value"]
        if batch and value.get("libelle"):
            found[batch] = Published(batch, str(value["libelle"]), str(value.get("date") or ""))
    return found


def _detections(
    objects: Sequence[Mapping[str, Any]], lists: Mapping[str, Published]
) -> list[tuple[Published, Mapping[str, Any]]]:
    """Return the lists that show something: one that was withdrawn has nulls alone."""
    kept = [one for one in objects if any(value is not None for value in one["value"].values())]
    found = []
    for one in _newest_first(kept, lists):
        batch = str(one["key"].get("batch", ""))
        found.append((lists.get(batch, Published(batch, f"Liste {batch}")), one["value"]))
    return found


def _told(objects: Sequence[Mapping[str, Any]], lists: Mapping[str, Published]) -> Published | None:
    """Return the list of the newest publication that is not withdrawn."""
    for one in _newest_first(objects, lists):
        if any(value is not None for value in one["value"].values()):
            batch = str(one["key"].get("batch", ""))
            return lists.get(batch, Published(batch, f"Liste {batch}"))
    return None


def _newest(objects: Sequence[Mapping[str, Any]], lists: Mapping[str, Published]) -> Mapping[str, Any]:
    """Return what the newest publication that is not withdrawn says."""
    for one in _newest_first(objects, lists):
        if any(value is not None for value in one["value"].values()):
            return dict(one["value"])
    return {}


def _of_type(objects: Sequence[Mapping[str, Any]], kind: str) -> list[Mapping[str, Any]]:
    return [one for one in objects if one["key"].get("type") == kind]


def _access(
    door: StoreDoor,
    followed: bool,
    details: Sequence[Mapping[str, Any]],
    company: Mapping[str, Any],
    detections: Sequence[tuple[Published, Mapping[str, Any]]],
    departements: Iterable[Any],
) -> Access:
    names = {name for group in CONFIDENTIAL.values() for name in group}
    values = [*details, company, *(value for _, value in detections)]
    opened = any(name in value for value in values for name in names)
    placed = bool(company) or any(details)
    here = any(opens(door.badges or (), str(each or "")) for each in departements)
    return Access(door.badges, followed, opened, placed, unlisted=here and not placed and not detections)


def read_etablissement(door: StoreDoor, siret: str, *, followed: bool) -> Subject:
    """Read an établissement.

    Raises
    ------
    WorkbenchError
        ``etablissement_inconnu``: nothing of it is visible, whether it exists or not; those of the store.
    """
    lists = batches_of(door)
    objects = seen(door, PUBLIC, {"siret": siret})
    if not objects:
        raise WorkbenchError("etablissement_inconnu", siret=siret)
    siren = siret[:9]
    identity = directory_facts(_newest(_of_type(objects, "identite"), lists))
    details = _of_type(objects, "detail")
    detail = _newest(details, lists)
    # A list holds companies, each at its head office.
    detections = _detections(seen(door, PUBLIC, {"siren": siren, "type": "detection"}), lists)
    company = _newest(seen(door, PUBLIC, {"siren": siren, "type": "entreprise"}), lists)
    identity = identity or dict(_identity_of(detections))
    access = _access(door, followed, [detail], company, detections, [identity.get("departement")])
    return Subject(
        siren,
        siret,
        identity,
        detections,
        detail,
        company,
        access,
        _last(lists, detections),
        _told(details, lists),
    )


def read_entreprise(door: StoreDoor, siren: str, *, followed: bool) -> Subject:
    """Read a company and its établissements.

    Raises
    ------
    WorkbenchError
        ``entreprise_inconnue``: nothing of it is visible, whether it exists or not; those of the store.
    """
    lists = batches_of(door)
    objects = seen(door, PUBLIC, {"siren": siren})
    if not objects:
        raise WorkbenchError("entreprise_inconnue", siren=siren)
    identities = [
        {**told, "siret": one["key"]["siret"]}
        for one in _of_type(objects, "identite")
        if "siret" in one["key"] and (told := directory_facts(one["value"]))
    ]
    identities.sort(key=lambda one: (not one.get("siege"), one["siret"]))
    by_siret: dict[str, list[Mapping[str, Any]]] = {}
    for one in _of_type(objects, "detail"):
        by_siret.setdefault(str(one["key"].get("siret", "")), []).append(one)
    details = {siret: _newest(ones, lists) for siret, ones in by_siret.items()}
    detections = _detections(_of_type(objects, "detection"), lists)
    company = _newest(_of_type(objects, "entreprise"), lists)
    places = [one.get("departement") for one in identities]
    access = _access(door, followed, list(details.values()), company, detections, places)
    identity = dict(identities[0]) if identities else _identity_of(detections)
    head = str(identity.get("siret") or next(iter(details), ""))
    return Subject(
        siren, "", identity, detections, details.get(head, {}), company, access, _last(lists, detections),
        _told(by_siret.get(head, ()), lists), identities, details,
    )  # fmt: skip


def _identity_of(detections: Sequence[tuple[Published, Mapping[str, Any]]]) -> Mapping[str, Any]:
    return dict(detections[0][1]) if detections else {}


def _last(
    lists: Mapping[str, Published], detections: Sequence[tuple[Published, Mapping[str, Any]]]
) -> Published | None:
    """Return the newest list: of those that are published, or of those that are seen where none is said."""
    known = [*lists.values(), *(published for published, _ in detections)]
    return max(known, key=lambda one: one.order, default=None)
