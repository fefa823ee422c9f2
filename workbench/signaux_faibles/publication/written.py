"""Objects of one company, as they are published, from what its list and its history say."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Any

from workbench.signaux_faibles.detection.thresholds import Level
from workbench.signaux_faibles.publication.facts import CompanyFacts, Facts
from workbench.signaux_faibles.publication.objects import (
    COMPANY,
    DETAIL,
    DETECTION,
    IDENTITY,
    Place,
    key_of,
    shared_sheets_of,
)
from workbench.signaux_faibles.publication.territories import region_of

__all__ = ["Alert", "Terms", "company_sheets", "dotted", "identity_of"]

_LEGAL = "statut_juridique"


@dataclass(frozen=True)
class Terms:
    """On what terms a list is published.

    Parameters
    ----------
    pair
        The pair that names it.
    also
        Badges asked besides for what is its own: that of its algorithm.
    released, expires
        Moments, as the store takes them.
    """

    pair: str
    also: tuple[str, ...] = ()
    released: str | None = None
    expires: str | None = None

    @property
    def dates(self) -> dict[str, Any]:
        """What sheets are given."""
        return {"released": self.released, "expires": self.expires}


@dataclass(frozen=True)
class Alert:
    """What a list says of an entity.

    Parameters
    ----------
    entity
        SIREN or SIRET.
    score, difference
        From 0 to 1; no difference without a list before.
    rank
        2, 1 or 0.
    explanation
        None for those that are not in alert.
    """

    entity: str
    score: float
    difference: float | None
    rank: int
    explanation: Mapping[str, Any] | None


def dotted(ape: str | None) -> str | None:
    """Write an activity as people do.

    Examples
    --------
    >>> dotted("2562B"), dotted("25.62B"), dotted("")
    ('25.62B', '25.62B', None)
    """
    if not ape:
        return None
    bare = ape.replace(".", "")
    return f"{bare[:2]}.{bare[2:]}"


def identity_of(
    unit: Mapping[str, Any], place: Mapping[str, Any], label: Callable[[str], str | None]
) -> dict[str, Any]:
    """Return what everyone may find of an établissement.

    Parameters
    ----------
    unit, place
        What the directory says of the company, and of the établissement.
    label
        What gives the label of an activity.
    """
    closed = unit.get("est_actif") is False or place["est_actif"] is False
    ape = place["ape"] or unit.get("activite_principale")
    return {
        "raison_sociale": unit.get("raison_sociale"),
        "siege": place["siege"],
        "departement": place["departement"],
        "region": region_of(place["departement"]),
        "commune": place["commune"],
        "code_postal": place["code_postal"],
        "adresse": place["adresse"],
        "activite": dotted(ape),
        "libelle_activite": label(ape or ""),
        "section": place["section"] or unit.get("section"),
        "categorie_juridique": unit.get(_LEGAL),
        "etat_administratif": "F" if closed else "A",
        "date_creation": place["date_creation"],
        "latitude": place["latitude"],
        "longitude": place["longitude"],
    }


def _total(series: Sequence[Sequence[Mapping[str, Any]]], names: Sequence[str]) -> list[dict[str, Any]]:
    """Add rows up month by month."""
    months: dict[str, dict[str, Any]] = {}
    for rows in series:
        for row in rows:
            of_month = months.setdefault(row["periode"], dict.fromkeys(names))
            for name in names:
                if row[name] is not None:
                    of_month[name] = round((of_month[name] or 0) + row[name], 2)
    return [{"periode": month, **months[month]} for month in sorted(months)]


def _ratio(now: float | None, before: float | None) -> float | None:
    return None if now is None or not before else round(now / before, 4)


def _rising(debt: Sequence[Mapping[str, Any]]) -> bool:
    """Tell whether a debt rose within the three last months (specification 5.10)."""
    last = [row["part_ouvriere"] + row["part_patronale"] for row in debt[-3:]]
    return any(after > before for before, after in pairwise(last))


def _year_before(day: date) -> str:
    return day.replace(year=day.year - 1, day=1).isoformat()


def _kept(facts: Facts, company: CompanyFacts) -> list[dict[str, Any]]:
    """Return the établissements that are published: the head office, and those of which something is known.

    A company of which neither is in a département has its first établissement that is.
    """
    told = (facts.effectif, facts.cotisation, facts.apconso)
    located = [each for each in company.places if region_of(each["departement"])]
    return [
        each
        for each in located
        if each["siege"] or any(each["siret"] in series for series in told) or facts.debit(each["siret"])
    ] or located[:1]


def company_sheets(
    facts: Facts,
    company: CompanyFacts,
    alerts: Sequence[Alert],
    terms: Terms,
    *,
    alerted: bool,
    alerted_before: bool,
) -> Iterator[dict[str, Any]]:
    """Write a company: identities, the company, its établissements, its place in the list.

    Parameters
    ----------
    facts, company
        What the history knows.
    alerts
        What the list says of it, or of its établissements.
    terms
        Of the publication.
    alerted
        Whether it has ever been in alert, this list included.
    alerted_before
        Whether it has been in an older one.
    """
    place = Place(company.departements, alerted)
    kept = _kept(facts, company)
    identities = {each["siret"]: identity_of(company.unit, each, facts.label) for each in kept}
    told = {"siren": company.siren, "batch": terms.pair}
    details = {each["siret"]: _detail(facts, each["siret"], company.siren) for each in kept}
    whole = _whole(facts, company, kept, details)
    staff = {"dernier_effectif": whole["effectif"][-1]["effectif"] if whole.get("effectif") else None}
    for siret, identity in identities.items():
        key = key_of(IDENTITY, {"siret": siret, "siren": company.siren})
        yield from shared_sheets_of(IDENTITY, key, {"sirene": identity, **identity, **staff}, place)
    yield from shared_sheets_of(COMPANY, key_of(COMPANY, told), whole, place, **terms.dates)
    # The list of companies speaks of the head office, or of the first établissement when it is not known.
    head = kept[0]["siret"]
    by_siret = {(each.entity if len(each.entity) == 14 else head): each for each in alerts}
    for siret, detail in details.items():
        region = identities[siret]["region"]
        alert = by_siret.get(siret)
        explained = {"sirene": identities[siret], "explication": alert.explanation if alert else None}
        key = key_of(DETAIL, told | {"siret": siret}, region=region)
        yield from shared_sheets_of(DETAIL, key, detail | explained, place, **terms.dates)
    for siret, alert in by_siret.items():
        if siret not in identities:
            continue
        value = identities[siret] | _detection(facts, company, whole, alert)
        value["premiere_alerte"] = bool(alert.rank) and not alerted_before
        key = key_of(DETECTION, told | {"siret": siret}, region=identities[siret]["region"])
        yield from shared_sheets_of(DETECTION, key, value, place, also=terms.also, **terms.dates)


def _detail(facts: Facts, siret: str, siren: str) -> dict[str, Any]:
    return {
        "effectif": facts.effectif.rows(siret),
        "procedure_collective": facts.procedures.rows(siren),
        "debit": facts.debit(siret),
        "cotisation": facts.cotisation.rows(siret),
        "delai": facts.delai(siret),
        "apconso": facts.apconso.rows(siret),
        "apdemande": facts.apdemande(siret),
    }


def _whole(
    facts: Facts,
    company: CompanyFacts,
    kept: Sequence[Mapping[str, Any]],
    details: Mapping[str, Mapping[str, Any]],
) -> dict[str, Any]:
    siren = company.siren
    staff = facts.effectif_ent.rows(siren) or _total([each["effectif"] for each in details.values()], ("effectif",))
    unit = company.unit
    finances = facts.finances(siren)
    return {
        "sirene_ul": {
            **{name: unit.get(name) for name in ("raison_sociale", _LEGAL, "libelle_statut", "date_creation")},
            "activite_principale": dotted(unit.get("activite_principale")),
            "est_actif": unit.get("est_actif"),
        },
        "etablissements": [
            {
                **{name: each[name] for name in ("siret", "siege", "departement", "commune", "latitude", "longitude")},
                "activite": dotted(each["ape"]),
                "etat_administratif": "F" if each["est_actif"] is False else "A",
                "effectif": next((row["effectif"] for row in reversed(details[each["siret"]]["effectif"])), None),
            }
            for each in kept
        ],
        "effectif": staff,
        "finances": finances,
        "paydex": facts.paydex.rows(siren),
        "quantiles": facts.quantiles(company, finances),
        "debit": _total([each["debit"] for each in details.values()], ("part_ouvriere", "part_patronale")),
        "cotisation": _total([each["cotisation"] for each in details.values()], ("du",)),
        "apconso": _total([each["apconso"] for each in details.values()], ("heures", "effectif", "montant")),
        "bdf": facts.bdf(siren),
        "apdemande": [row for each in details.values() for row in each["apdemande"]],
        "delai": [row for each in details.values() for row in each["delai"]],
    }


def _detection(facts: Facts, company: CompanyFacts, whole: Mapping[str, Any], alert: Alert) -> dict[str, Any]:
    staff = {row["periode"]: row["effectif"] for row in whole["effectif"] if row["effectif"] is not None}
    last_month = max(staff, default=None)
    year_before = None if last_month is None else f"{int(last_month[:4]) - 1}{last_month[4:]}"
    finances = whole["finances"]
    last: Mapping[str, Any] = finances[-1] if finances else {}
    before: Mapping[str, Any] = next((each for each in finances if each["annee"] == last.get("annee", 0) - 1), {})
    state, since = facts.procedure(company.siren)
    day = facts.end.isoformat()
    # Nothing is known of a company without account at the URSSAF: neither a debt, nor that it has none.
    known = bool(whole["debit"] or whole["cotisation"])
    return {
        "acteurs": [],
        "dernier_effectif": None if last_month is None else staff[last_month],
        "variation_effectif": None if year_before is None else _ratio(staff[last_month], staff.get(year_before)),
        "annee_ca": last.get("annee"),
        "ca": last.get("ca"),
        "variation_ca": _ratio(last.get("ca"), before.get("ca")),
        "excedent_brut_d_exploitation": last.get("excedent_brut_d_exploitation"),
        "resultat_expl": last.get("resultat_expl"),
        "variation_resultat_expl": _ratio(last.get("resultat_expl"), before.get("resultat_expl")),
        "departements": list(company.departements),
        "etat_procol": state,
        "date_procol": since,
        "connu": None,
        "score": round(alert.score, 6),
        "alert": Level.of_rank(alert.rank).value,
        "diff": None if alert.difference is None else round(alert.difference, 6),
        "urssaf": _rising(whole["debit"]) if known else None,
        "delai_urssaf": (
            any((row["date_echeance"] or "") >= day for row in whole["delai"]) if known or whole["delai"] else None
        ),
        "activite_partielle": any((row["periode_fin"] or "") >= _year_before(facts.end) for row in whole["apdemande"]),
    }
