"""The detection list as a person sees it: what she chooses, the page, the counters, without a widget.

Nothing of the list stays here but the page: the store filters, orders and counts it among what she may see, and what
she asks for is checked against what is offered. It is one module because it is one state: each choice has its filter,
its chip and its check side by side.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, time
from typing import Any

from workbench.dashboards.detection_row import FAILED, HIGH, MODERATE, company_row
from workbench.dashboards.territory import MINE, labels_of, visible
from workbench.dashboards.welcome import data_dates, day_of, in_months
from workbench.errors import WorkbenchError
from workbench.numbers import format_number
from workbench.signaux_faibles.publication.objects import list_order
from workbench.store import StoreDoor

__all__ = ["EMPTY", "Choices", "DetectionView"]

EMPTY = "Les paramètres de filtrage ne font ressortir aucune des entreprises pour lesquelles vous êtes habilité(e)."
NO_LIST = "Aucune liste de détection ne vous est ouverte."

SIZES = {"cartes": 30, "tableau": 50}
"""Companies of a page."""

STAFF = (10, 20, 50, 100)
MOST_STAFF = 100_000
LONGEST = 200
"""Characters of the words."""

RECENT_YEARS = 3
"""A company is recent until it is so old."""

HIDDEN = ("redressement", "liquidation")
"""Procedures that are not shown at first."""

STATES = {"ouverts": "Établissements ouverts", "fermes": "Établissements fermés", "tous": "Ouverts et fermés"}

SORTS: Mapping[str, tuple[str, str, int]] = {
    "risque": ("Risque", "score", -1),
    "nom": ("Raison sociale", "raison_sociale", 1),
    "effectif": ("Effectif", "dernier_effectif", -1),
    "ca": ("Chiffre d'affaires", "ca", -1),
    "rex": ("Résultat d'exploitation", "resultat_expl", 1),
}
"""Orders: what they are called, the property, ascending or descending."""

COLUMNS = (
    "raison_sociale", "libelle_activite", "alert", "diff", "premiere_alerte", "etat_administratif", "etat_procol",
    "departement", "commune", "urssaf", "activite_partielle", "dernier_effectif", "annee_ca", "ca", "variation_ca",
    "excedent_brut_d_exploitation", "resultat_expl", "variation_resultat_expl",
)  # fmt: skip
"""Properties of the page; the score itself does not leave the store."""

EXPORTED = (
    "raison_sociale", "activite", "libelle_activite", "alert", "score", "premiere_alerte", "departement", "etat_procol",
    "etat_administratif", "dernier_effectif", "annee_ca", "ca", "excedent_brut_d_exploitation", "resultat_expl",
)  # fmt: skip
"""Properties of the files."""


@dataclass(frozen=True)
class Choices:
    """What is chosen; the values at first are those of specification 8.1.

    Parameters
    ----------
    batch
        The list, by the pair that names it; empty for the last one.
    sections
        Letters of activity; None for all.
    zone
        Empty for everywhere, ``mine``, ``region:…`` or ``departement:…``.
    implantations
        In her zone, companies that only have an établissement there too.
    effectif
        Staff at least; 0 for any.
    procedures
        Those that are shown.
    state
        Of the établissement: a key of `STATES`.
    followed, first, delai, recent
        Leave out those she follows, those already in alert before, those with a délai of the URSSAF, the recent ones.
    words
        In the name or the SIRET.
    sort
        A key of `SORTS`.
    shown
        ``cartes`` or ``tableau``.
    """

    batch: str = ""
    sections: tuple[str, ...] | None = ("C",)
    zone: str = ""
    implantations: bool = False
    effectif: int = 20
    procedures: tuple[str, ...] | None = None
    state: str = "ouverts"
    followed: bool = False
    first: bool = False
    delai: bool = False
    recent: bool = False
    words: str = ""
    sort: str = "risque"
    shown: str = "cartes"


_FLAGS = ("implantations", "followed", "first", "delai", "recent")


class DetectionView:
    """A detection list for one person.

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
        found = visible(door, "reference", {})
        self._labels = labels_of(found)
        # A list that was withdrawn is null.
        lists = [each for each in found if each["key"].get("type") == "liste" and each["value"].get("libelle")]
        lists.sort(key=list_order, reverse=True)
        self._lists = {each["key"]["batch"]: each["value"] for each in lists}
        self._followed = self._read_followed()
        self.page = 0
        self._facets: dict[str, dict[str, Any]] = {}
        self.choices = self._first()

    # --- what is there

    def _read_followed(self) -> dict[str, str]:
        """Return the companies that she follows: siren, and the établissement."""
        found = visible(self._door, "suivi", {"author": self._door.email})
        return {
            each["key"]["siren"]: each["key"].get("siret", "") for each in found if each["value"].get("actif") is True
        }

    def _first(self) -> Choices:
        batch = next(iter(self._lists), "")
        procedures = tuple(code for code in self._labels.procedures if code not in HIDDEN)
        return Choices(batch=batch, procedures=procedures)

    @property
    def _key(self) -> dict[str, str]:
        return {"type": "detection", "batch": self.choices.batch}

    def _facet(self) -> dict[str, Any]:
        """Return what there is in the list for her, whatever she chose: it says what is worth offering."""
        batch = self.choices.batch
        if batch not in self._facets:
            fields = ["departement", "section", "alert", "delai_urssaf", "premiere_alerte"]
            found = self._door.browse("public", key=self._key, limit=1, columns=[], counts=fields)
            self._facets[batch] = {**found, "counts": {name: dict(pairs) for name, pairs in found["counts"].items()}}
        return self._facets[batch]

    def _offers(self, name: str) -> bool:
        return bool(self._facet()["counts"][name])

    # --- what is chosen

    def recall(self, remembered: object) -> None:
        """Take again what a browser remembers; what it says that is not offered any more is left out."""
        self.choices, self.page = self._first(), 0
        if not isinstance(remembered, Mapping):
            return
        for name in ("shown", "sections", "effectif", "procedures", "state", "zone", *_FLAGS, "sort"):
            if name in remembered:
                try:
                    self.choose(name, remembered[name])
                except WorkbenchError:
                    continue

    def remembered(self) -> dict[str, Any]:
        """Return what a browser may remember: choices, nothing of the list."""
        return {name: value for name, value in asdict(self.choices).items() if name not in ("batch", "words")}

    def choose(self, name: object, value: object) -> None:
        """Choose; another page than the first is left.

        Raises
        ------
        WorkbenchError
            ``choix_inconnu``: it is not offered, and nothing has changed.
        """
        if name == "page":
            self._turn(value)
            return
        checks: dict[str, Callable[[object], Any]] = {
            "batch": self._batch, "sections": self._sections, "zone": self._zone, "effectif": self._effectif,
            "procedures": self._procedures, "state": self._state, "words": self._words, "sort": self._sort,
            "shown": self._shown, **dict.fromkeys(_FLAGS, self._flag),
        }  # fmt: skip
        if not isinstance(name, str) or name not in checks:
            raise _refused(name)
        before, page = self.choices, self.page
        self.choices, self.page = replace(self.choices, **{name: checks[name](value)}), 0
        try:
            if name == "batch" and not self._is_zone(self.choices.zone):
                self.choices = replace(self.choices, zone="")
        except WorkbenchError:
            self.choices, self.page = before, page
            raise

    def reset(self) -> None:
        """Choose as at first, but for the list and the way it is shown."""
        kept = self.choices
        self.choices, self.page = replace(self._first(), batch=kept.batch, shown=kept.shown), 0

    def _turn(self, value: object) -> None:
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 100_000:
            raise _refused("page")
        self.page = value

    def _batch(self, value: object) -> str:
        if not isinstance(value, str) or value not in self._lists:
            raise _refused("batch", value)
        return value

    def _sections(self, value: object) -> tuple[str, ...] | None:
        if value is None:
            return None
        chosen = _texts(value)
        if chosen is None or not set(chosen) <= set(self._labels.sections):
            raise _refused("sections")
        whole = set(chosen) == set(self._labels.sections)
        return None if whole else tuple(each for each in self._labels.sections if each in chosen)

    def _procedures(self, value: object) -> tuple[str, ...]:
        chosen = _texts(value)
        if chosen is None or not set(chosen) <= set(self._labels.procedures):
            raise _refused("procedures")
        return tuple(each for each in self._labels.procedures if each in chosen)

    def _is_zone(self, value: str) -> bool:
        facet = self._facet()
        zones = self._labels.zones(facet["badges"], facet["counts"]["departement"])
        return value in [each["value"] for each in zones]

    def _zone(self, value: object) -> str:
        if not isinstance(value, str) or not self._is_zone(value):
            raise _refused("zone", value)
        return value

    def _effectif(self, value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MOST_STAFF:
            raise _refused("effectif", value)
        return value

    def _state(self, value: object) -> str:
        if not isinstance(value, str) or value not in STATES:
            raise _refused("state", value)
        return value

    def _words(self, value: object) -> str:
        if not isinstance(value, str) or "\0" in value:
            raise _refused("words", value)
        return value.strip()[:LONGEST]

    def _sort(self, value: object) -> str:
        if not isinstance(value, str) or value not in SORTS:
            raise _refused("sort", value)
        return value

    def _shown(self, value: object) -> str:
        if not isinstance(value, str) or value not in SIZES:
            raise _refused("shown", value)
        return value

    def _flag(self, value: object) -> bool:
        if not isinstance(value, bool):
            raise _refused("flag")
        return value

    # --- what is asked

    def question(self) -> dict[str, Any]:
        """Return what is asked of the store, but for the page."""
        chosen = self.choices
        filters: list[dict[str, Any]] = []

        def keep(field: str, operator: str, value: Any) -> None:
            filters.append({"field": field, "operator": operator, "value": value})

        if chosen.sections is not None:
            keep("section", "in", list(chosen.sections))
        if chosen.effectif:
            keep("dernier_effectif", ">=", chosen.effectif)
        if chosen.procedures is not None and set(chosen.procedures) != set(self._labels.procedures):
            keep("etat_procol", "in", list(chosen.procedures))
        if chosen.state != "tous":
            keep("etat_administratif", "=", "A" if chosen.state == "ouverts" else "F")
        zone = self._labels.zone(chosen.zone, self._facet()["badges"])
        left_out = set(self._followed) if chosen.followed else set()
        if chosen.zone == MINE and chosen.implantations:
            left_out |= self._followed_elsewhere(zone.departements or ())
        elif zone.departements is not None:
            keep("departement", "in", list(zone.departements))
        if left_out:
            keep("key.siren", "not in", sorted(left_out))
        if chosen.first and self._offers("premiere_alerte"):
            keep("premiere_alerte", "=", True)
        if chosen.delai and self._offers("delai_urssaf"):
            keep("delai_urssaf", "=", False)
        if chosen.recent:
            keep("date_creation", "<=", self._oldest_recent())
        asked: dict[str, Any] = {"key": self._key, "filter": filters, "sort": self._order()}
        if chosen.words:
            asked["text"] = {"value": chosen.words, "fields": ["raison_sociale", "key.siret"]}
        return asked

    def _order(self) -> list[dict[str, Any]]:
        chosen = self.choices.sort
        if chosen == "risque" and not self._offers("alert"):
            # Without levels, an order that says nothing would look like one that does.
            chosen = "nom"
        return [{"field": SORTS[chosen][1], "order": SORTS[chosen][2]}]

    def _followed_elsewhere(self, mine: Sequence[str]) -> set[str]:
        """Return the companies that she sees because she follows them alone: none of their places is in her zone."""
        if not self._followed:
            return set()
        among = [{"field": "key.siren", "operator": "in", "value": sorted(self._followed)}]
        found = self._door.browse("public", key=self._key, filter=among, columns=["departements"])["objects"]
        return {each["key"]["siren"] for each in found if set(each["value"].get("departements") or ()).isdisjoint(mine)}

    def _oldest_recent(self) -> str:
        listed = self._lists[self.choices.batch].get("date")
        day = date.fromisoformat(listed) if isinstance(listed, str) else date.today()  # noqa: DTZ011 - a day in France
        return in_months(datetime.combine(day, time()), -12 * RECENT_YEARS).date().isoformat()

    # --- what is shown

    def form(self) -> dict[str, Any]:
        """Return what may be chosen, and what is."""
        if not self._lists:
            return {"lists": [], "message": NO_LIST}
        facet = self._facet()
        counts = facet["counts"]
        return {
            "lists": [{"value": name, "label": _list_name(name, value)} for name, value in self._lists.items()],
            "list": self._about(),
            "sections": [
                {"value": code, "label": f"{code} · {label}"} for code, label in self._labels.sections.items()
            ],
            "zones": self._labels.zones(facet["badges"], counts["departement"]),
            "procedures": [{"value": code, "label": label} for code, label in self._labels.procedures.items()],
            "staff": list(STAFF),
            "states": [{"value": value, "label": label} for value, label in STATES.items()],
            "sorts": [
                {"value": value, "label": label[0]}
                for value, label in SORTS.items()
                if value != "risque" or self._offers("alert")
            ],
            "offers": {"first": self._offers("premiere_alerte"), "delai": self._offers("delai_urssaf")},
            "recent_years": RECENT_YEARS,
            "chosen": {
                **asdict(self.choices),
                "sort": next(n for n, s in SORTS.items() if s[1] == self._order()[0]["field"]),
            },
            "sectors": self._sectors(),
            "chips": self.chips(),
            "remembered": self.remembered(),
            "message": "",
        }

    def _about(self) -> dict[str, Any]:
        value = self._lists[self.choices.batch]
        return {
            "label": _list_name(self.choices.batch, value),
            "date": day_of(value.get("date")),
            "data": [{"source": source, "date": day} for source, day in data_dates(value.get("donnees"))],
        }

    def _sectors(self) -> str:
        chosen = self.choices.sections
        if chosen is None:
            return "Tout secteur confondu"
        if not chosen:
            return "Aucun secteur sélectionné"
        first = self._labels.sections.get(chosen[0], chosen[0])
        others = len(chosen) - 1
        return first if not others else f"{first} + {others} {'autre' if others == 1 else 'autres'}"

    def chips(self) -> list[dict[str, Any]]:
        """Return the filters in force; each says how to be without it: a choice, and its value."""
        chosen, first = self.choices, Choices()
        found: list[dict[str, Any]] = []

        def chip(label: str, name: str, value: Any) -> None:
            found.append({"label": label, "field": name, "value": value})

        if chosen.words:
            chip(f"« {chosen.words} »", "words", "")
        if chosen.sections is not None:
            chip(self._sectors(), "sections", None)
        if chosen.zone:
            chip(self._labels.zone(chosen.zone, self._facet()["badges"]).label, "zone", "")
        if chosen.zone == MINE and chosen.implantations:
            chip("Avec les implantations dans ma zone", "implantations", False)
        if chosen.effectif:
            chip(f"{format_number(chosen.effectif)} salariés ou plus", "effectif", 0)
        hidden = [
            code for code in self._labels.procedures if chosen.procedures is not None and code not in chosen.procedures
        ]
        if hidden:
            names = [self._labels.procedures[code] for code in hidden]
            chip(f"Sans : {', '.join(names)}", "procedures", list(self._labels.procedures))
        if chosen.state != "tous":
            chip(STATES[chosen.state], "state", "tous")
        for name, label in (
            ("followed", "Sans les entreprises que je suis"),
            ("first", "Premières alertes"),
            ("delai", "Sans délai de paiement Urssaf"),
            ("recent", f"Créées depuis {RECENT_YEARS} ans au moins"),
        ):
            if getattr(chosen, name) != getattr(first, name) and self._means(name):
                chip(label, name, False)
        return found

    def _means(self, name: str) -> bool:
        """Whether a flag changes what is asked."""
        return (
            self._offers({"first": "premiere_alerte", "delai": "delai_urssaf"}[name])
            if name in ("first", "delai")
            else True
        )

    def answer(self) -> dict[str, Any]:
        """Return the page and the counters: one question to the store."""
        if not self._lists:
            return {"rows": [], "total": 0, "message": ""}
        size = SIZES[self.choices.shown]
        found = self._ask(size)
        pages = max(1, -(-found["total"] // size))
        if self.page >= pages:
            self.page = pages - 1
            found = self._ask(size)
        standing = self._standing() or found
        levels = dict(standing["counts"]["alert"])
        rows = [
            company_row(each, self._labels.procedures, self._labels.departements, self._followed)
            for each in found["objects"]
        ]
        total = found["total"]
        known = sum(levels.values())
        seen = bool(found["counts"]["alert"])
        return {
            "rows": rows,
            "total": total,
            "said": _counted(total),
            "high": levels.get(HIGH, 0) if seen else None,
            "moderate": levels.get(MODERATE, 0) if seen else None,
            "failed": total - standing["total"],
            "hidden": standing["total"] - known if seen else 0,
            "page": self.page,
            "pages": pages,
            "first": self.page * size + 1,
            "last": self.page * size + len(rows),
            "shown": self.choices.shown,
            "message": "" if total else EMPTY,
        }

    def _ask(self, size: int) -> dict[str, Any]:
        page = {"limit": size, "offset": self.page * size, "columns": list(COLUMNS), "counts": ["alert"]}
        return self._door.browse("public", **self.question(), **page)

    def _standing(self) -> dict[str, Any] | None:
        """Count those whose level is shown: not closed, nor failed; None when all are.

        A card shows that a company failed instead of its level, so the counters do too.
        """
        chosen = self.choices
        procedures = self._labels.procedures if chosen.procedures is None else chosen.procedures
        if chosen.state == "ouverts" and set(FAILED).isdisjoint(procedures):
            return None
        asked = self.question()
        asked["filter"] = [
            *asked["filter"],
            {"field": "etat_administratif", "operator": "!=", "value": "F"},
            {"field": "etat_procol", "operator": "not in", "value": list(FAILED)},
        ]
        return self._door.browse("public", **asked, limit=1, columns=[], counts=["alert"])

    def exported(self) -> list[dict[str, Any]]:
        """Return all that passes, in order, for the files: the same rights, the same filters."""
        found: list[dict[str, Any]] = self._door.browse("public", **self.question(), columns=list(EXPORTED))["objects"]
        return found

    def parameters(self) -> list[tuple[str, str]]:
        """Say what the list is and how it is filtered, for the files."""
        about = self._about()
        return [
            ("Liste", about["label"]),
            ("Lot", self.choices.batch),
            ("Date de la liste", about["date"]),
            *(("Filtre", each["label"]) for each in self.chips()),
            ("Tri", SORTS[next(n for n, s in SORTS.items() if s[1] == self._order()[0]["field"])][0]),
        ]

    def procedure(self, code: str | None) -> str:
        """Return the label of a procedure."""
        return self._labels.procedures.get(code or "", code or "")

    @property
    def person(self) -> str:
        """The address of the person."""
        return self._door.email

    @property
    def list_label(self) -> str:
        """What the list is called."""
        return str(self._about()["label"])


_FIELDS = {
    "batch": "Liste", "sections": "Secteurs d'activité", "zone": "Zone", "effectif": "Effectif minimum",
    "procedures": "Procédures collectives", "state": "Établissements", "words": "Nom ou SIRET", "sort": "Tri",
    "shown": "Présentation",
}  # fmt: skip
"""What the choices are called on the page."""


def _refused(name: object, value: object = "") -> WorkbenchError:
    said = str(name)[:40]
    return WorkbenchError("choix_inconnu", champ=_FIELDS.get(said, said), valeur=str(value)[:40])


def _texts(value: object) -> list[str] | None:
    return (
        [str(each) for each in value]
        if isinstance(value, list | tuple) and all(isinstance(each, str) for each in value)
        else None
    )


def _list_name(batch: str, value: Mapping[str, Any]) -> str:
    return str(value.get("libelle") or batch)


def _counted(total: int) -> str:
    if not total:
        return "Aucune entreprise"
    return f"{format_number(total)} {'entreprise' if total == 1 else 'entreprises'}"
