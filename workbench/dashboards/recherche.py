"""The search of companies by name, SIREN or SIRET, as a person makes it, without a widget.

The store finds, among what everyone may see of a company; what is chosen here is checked against what is offered.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from workbench.dashboards.detection_row import sheet_link
from workbench.dashboards.territory import MINE, labels_of, visible
from workbench.errors import WorkbenchError
from workbench.numbers import format_number
from workbench.signaux_faibles.publication.objects import directory_facts
from workbench.store import StoreDoor

__all__ = ["MOST", "PAGE", "Asked", "SearchView"]

PAGE = 20
"""Results of a page."""

MOST = 1000
"""Results that are counted."""

SHORT = "Écrivez au moins 3 lettres ou chiffres : un nom, un SIREN ou un SIRET."
NOTHING = "Aucun résultat pour cette recherche."
BROAD = "Trois caractères sans filtre trouvent beaucoup d'entreprises : précisez le nom, ou ajoutez un filtre."

LEAST = 3
STATES = {"ouverts": "Ouverts", "fermes": "Fermés", "tous": "Ouverts et fermés"}
STAFF = (0, 10, 20, 50, 100)
MOST_STAFF = 100_000
_LONGEST = 200


@dataclass(frozen=True)
class Asked:
    """What is searched.

    Parameters
    ----------
    text
        A name, a SIREN, a SIRET, or a part of them.
    sections
        Letters of activity; none for all.
    zone
        Empty for everywhere, ``mine``, ``region:…`` or ``departement:…``.
    effectif
        Staff at least; 0 for any.
    siege
        Head offices only.
    state
        A key of `STATES`.
    """

    text: str = ""
    sections: tuple[str, ...] = ()
    zone: str = ""
    effectif: int = 0
    siege: bool = False
    state: str = "tous"


class SearchView:
    """The search of one person.

    Parameters
    ----------
    door
        The store, as she reaches it.

    Raises
    ------
    WorkbenchError
        What `StoreDoor` raises.
    """

    def __init__(self, door: StoreDoor) -> None:
        self._door = door
        self._labels = labels_of(visible(door, "reference", {}))
        # Which zones are hers: the store says so with any page of a list, be it empty.
        self._badges = door.browse("public", key={"type": "zone"}, limit=1)["badges"]
        self.asked = Asked()
        self.page = 0

    def form(self) -> dict[str, Any]:
        """Return what may be chosen, and what is."""
        return {
            "sections": [
                {"value": code, "label": f"{code} · {label}"} for code, label in self._labels.sections.items()
            ],
            "zones": self._labels.zones(self._badges, self._labels.departements),
            "staff": list(STAFF),
            "states": [{"value": value, "label": label} for value, label in STATES.items()],
            # The staff of a company is not everyone's to see.
            "offers": {"effectif": "detection" in self._badges},
            "chosen": asdict(self.asked),
        }

    def search(self, text: object, choices: object) -> None:
        """Search something else.

        Raises
        ------
        WorkbenchError
            ``choix_inconnu``: a choice is not offered, and nothing has changed.
        """
        given = choices if isinstance(choices, Mapping) else {}
        if not isinstance(text, str):
            raise _refused("text")
        form = self.form()
        asked = Asked(text=text.strip()[:_LONGEST])
        sections, zone, effectif = given.get("sections", []), given.get("zone", ""), given.get("effectif", 0)
        siege, state = given.get("siege", False), given.get("state", "tous")
        known = [each["value"] for each in form["sections"]]
        if not isinstance(sections, list) or not all(each in known for each in sections):
            raise _refused("sections")
        if zone not in [each["value"] for each in form["zones"]]:
            raise _refused("zone")
        if isinstance(effectif, bool) or not isinstance(effectif, int) or not 0 <= effectif <= MOST_STAFF:
            raise _refused("effectif")
        if not isinstance(siege, bool):
            raise _refused("siege")
        if not isinstance(state, str) or state not in STATES:
            raise _refused("state")
        ordered = tuple(each for each in known if each in sections)
        kept = effectif if form["offers"]["effectif"] else 0
        self.asked = replace(asked, sections=ordered, zone=zone, effectif=kept, siege=siege, state=state)
        self.page = 0

    def turn(self, page: object) -> None:
        """Turn to a page; see `search`."""
        if isinstance(page, bool) or not isinstance(page, int) or not 0 <= page < MOST // PAGE:
            raise _refused("page")
        self.page = page

    @property
    def _text(self) -> str:
        """Return the text, a number without its spaces."""
        plain = re.sub(r"[\s\u00a0\u202f.]", "", self.asked.text)
        return plain if plain.isdigit() else self.asked.text

    @property
    def is_number(self) -> bool:
        """Whether a whole SIREN or SIRET was written."""
        return self._text.isdigit() and len(self._text) in (9, 14)

    def question(self) -> dict[str, Any] | None:
        """Return what is asked of the store; None when it is too short to be."""
        if sum(letter.isalnum() for letter in self._text) < LEAST:
            return None
        asked = self.asked
        filters: list[dict[str, Any]] = []
        if asked.sections and len(asked.sections) < len(self._labels.sections):
            filters.append({"field": "section", "operator": "in", "value": list(asked.sections)})
        zone = self._labels.zone(asked.zone, self._badges)
        if zone.departements is not None:
            filters.append({"field": "departement", "operator": "in", "value": list(zone.departements)})
        if asked.effectif:
            filters.append({"field": "dernier_effectif", "operator": ">=", "value": asked.effectif})
        if asked.siege:
            filters.append({"field": "siege", "operator": "=", "value": True})
        if asked.state != "tous":
            state = "A" if asked.state == "ouverts" else "F"
            filters.append({"field": "etat_administratif", "operator": "=", "value": state})
        return {"text": self._text, "key": {"type": "identite"}, "filter": filters}

    @property
    def _is_plain(self) -> bool:
        return not self.asked.sections and self.asked.zone in ("", MINE) and not self.asked.siege

    def answer(self) -> dict[str, Any]:
        """Return the page of results; their total is asked apart (`total`)."""
        asked = self.question()
        empty = {"rows": [], "page": 0, "message": "", "hint": "", "direct": "", "started": bool(self.asked.text)}
        if asked is None:
            return {**empty, "message": SHORT if self.asked.text else ""}
        found = self._door.search("public", **asked, limit=PAGE + 1, offset=self.page * PAGE)
        rows = [self._row(each) for each in found[:PAGE]]
        alone = len(rows) == 1 and self.page == 0
        return {
            "rows": rows,
            "page": self.page,
            "more": len(found) > PAGE,
            "message": "" if rows else NOTHING,
            "hint": BROAD if rows and len(self._text) == LEAST and self._is_plain else "",
            "direct": rows[0]["link"] if alone else "",
            "started": True,
            "asked": self.said(),
        }

    def said(self) -> str:
        """Say what is asked, in words, for who reads the results on paper."""
        asked = self.asked
        sectors = [self._labels.sections[code] for code in asked.sections]
        every = len(sectors) in (0, len(self._labels.sections))
        parts = [
            f"« {asked.text} »",
            "" if every else ", ".join(sectors),
            self._labels.zone(asked.zone, self._badges).label if asked.zone else "",
            f"{format_number(asked.effectif)} salariés ou plus" if asked.effectif else "",
            "sièges sociaux seulement" if asked.siege else "",
            "" if asked.state == "tous" else STATES[asked.state],
        ]
        return " ; ".join(each for each in parts if each)

    def total(self) -> dict[str, Any]:
        """Count what is found: ``said``, in words, and how many pages may be turned."""
        asked = self.question()
        if asked is None:
            return {"said": "", "pages": 0}
        found = self._door.total("public", **asked)
        count = int(found["total"])
        if found["more"]:
            said = f"Plus de {format_number(MOST)} résultats"
        else:
            said = f"{format_number(count)} {'résultat' if count == 1 else 'résultats'}" if count else ""
        return {"said": said, "pages": -(-count // PAGE)}

    def _row(self, found: Mapping[str, Any]) -> dict[str, Any]:
        value, siret = directory_facts(found["value"]), found["key"]["siret"]
        departement = value.get("departement") or ""
        return {
            "siret": siret,
            "siren": found["key"].get("siren", siret[:9]),
            "nic": siret[9:],
            "name": value.get("raison_sociale") or siret,
            "link": sheet_link(siret),
            "company": f"entreprise.ipynb?siren={siret[:9]}",
            "siege": value.get("siege") is True,
            "closed": value.get("etat_administratif") == "F",
            "activity": value.get("libelle_activite") or "",
            "code": value.get("activite") or "",
            "address": value.get("adresse") or value.get("commune") or "",
            "departement": self._labels.departements.get(departement, departement),
        }


def _refused(name: str) -> WorkbenchError:
    return WorkbenchError("choix_inconnu", champ=name, valeur="")
