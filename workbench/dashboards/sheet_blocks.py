"""The blocks of a sheet that say who a company is and how it stands; each says what its reader may not see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from workbench.dashboards.dates import day, month, month_name, read_day
from workbench.dashboards.presentation import spaced_siret
from workbench.dashboards.sheet_charts import HOURS, activity_chart, contributions_chart, delays_chart, months_between
from workbench.dashboards.sheet_items import Block, Item, block, cell, empty, euros, facts, in_days, table, text
from workbench.dashboards.sheet_map import drawn_departement, inset_place, place
from workbench.dashboards.sheet_reading import Access, Subject
from workbench.numbers import THOUSANDS, format_number
from workbench.signaux_faibles.history.sirene_views import LEGAL_FORMS
from workbench.signaux_faibles.publication.territories import DEPARTEMENTS

__all__ = [
    "LEVELS",
    "activity_block",
    "contributions_block",
    "history_block",
    "identity_block",
    "level_of",
    "map_block",
    "paydex_block",
    "procedures_block",
    "spaced_siren",
    "state_of",
]

LEVELS: Mapping[str, tuple[str, str]] = {
    "Alerte seuil F1": ("fort", "Risque élevé de défaillance à 18 mois"),
    "Alerte seuil F2": ("modere", "Risque modéré de défaillance à 18 mois"),
    "Pas d'alerte": ("aucun", "Pas de risque de défaillance à 18 mois"),
}
"""Levels as the store has them: tone and words."""

STATES = {
    "in_bonis": "In bonis",
    "sauvegarde": "Sauvegarde",
    "plan_sauvegarde": "Plan de sauvegarde",
    "redressement": "Redressement judiciaire",
    "plan_redressement": "Redressement judiciaire",
    "plan_continuation": "Plan de continuation",
    "continuation": "Plan de continuation",
    "liquidation": "Liquidation judiciaire",
}

ACTIONS = {
    "liquidation": "Liquidation judiciaire",
    "redressement": "Redressement judiciaire",
    "sauvegarde": "Sauvegarde",
}

STAGES = {
    "ouverture": "ouverture",
    "plan_continuation": "plan de continuation",
    "fin_procedure": "fin de la procédure",
    "solde_procedure": "solde de la procédure",
    "abandon_procedure": "abandon de la procédure",
    "inclusion_autre_procedure": "inclusion dans une autre procédure",
    "cloture_insuffisance_actif": "clôture pour insuffisance d'actif",
}

STATES_OF_PLACES = {"A": "En activité", "F": "Fermé", "C": "Cessée"}
MOST_REQUESTS = 10
MOST_DELAYS = 10
MONTHS_SHOWN = 24


def spaced_siren(siren: str) -> str:
    r"""Return a SIREN as it is read.

    Examples
    --------
    >>> spaced_siren("800000001").replace("\u202f", " ")
    '800 000 001'
    """
    return THOUSANDS.join((siren[:3], siren[3:6], siren[6:]))


def state_of(value: object) -> str:
    """Write the state of a company in procedures.

    Examples
    --------
    >>> state_of("plan_sauvegarde"), state_of(None)
    ('Plan de sauvegarde', '')
    """
    return STATES.get(str(value or ""), str(value or ""))


def level_of(alert: object) -> tuple[str, str]:
    """Return the tone and the words of a level; those of none for what is not one."""
    return LEVELS.get(str(alert or ""), ("inconnu", "Hors du périmètre de la détection"))


def _activity(identity: Mapping[str, Any]) -> str:
    code, label = str(identity.get("activite") or ""), str(identity.get("libelle_activite") or "")
    return f"{label} ({code})" if label and code else label or code


def identity_block(subject: Subject) -> Block:
    """Say who it is, from what everybody may find."""
    one = subject.identity
    sirene = subject.company.get("sirene_ul")
    named = sirene if isinstance(sirene, Mapping) else {}
    code = str(one.get("categorie_juridique") or "")
    legal = [str(each) for each in (named.get("libelle_statut") or LEGAL_FORMS.get(code[:1]), code) if each]
    departement = str(one.get("departement") or "")
    street, town = str(one.get("adresse") or ""), f"{one.get('code_postal') or ''} {one.get('commune') or ''}".strip()
    address = street if town and street.endswith(town) else ", ".join(each for each in (street, town) if each)
    pairs = [
        ("Raison sociale", str(named.get("raison_sociale") or subject.name)),
        ("SIREN", spaced_siren(subject.siren)),
        ("SIRET", spaced_siret(subject.siret) if subject.siret else ""),
        ("Établissement", ("Siège" if one.get("siege") else "Secondaire") if subject.siret and "siege" in one else ""),
        ("Activité", _activity(one)),
        ("Forme juridique", f"{legal[0]} ({legal[1]})" if len(legal) > 1 else "".join(legal)),
        ("Adresse" if subject.siret else "Adresse du siège", address),
        ("Département", f"{DEPARTEMENTS[departement]} ({departement})" if departement in DEPARTEMENTS else departement),
        ("Région", str(one.get("region") or "")),
        ("Création", day(one.get("date_creation"))),
        ("Groupe", str(named.get("tete_groupe") or named.get("groupe") or "")),
        ("État", STATES_OF_PLACES.get(str(one.get("etat_administratif") or ""), "")),
    ]
    return block("identite", "Identité", [facts(pairs)], "Répertoire SIRENE de l'INSEE.")


def map_block(subject: Subject) -> Block:
    """Show where it is on the outline of the départements; every établissement that is known, for a company."""
    places = subject.etablissements if not subject.siret else [{**subject.identity, "siret": subject.siret}]
    points: list[dict[str, Any]] = []
    areas: dict[str, int] = {}
    for one in places:
        departement = str(one.get("departement") or "")
        if not departement:
            continue
        areas.setdefault(drawn_departement(departement), 0)
        areas[drawn_departement(departement)] += 1
        found = place(one.get("latitude"), one.get("longitude"), departement)
        if found is None:
            continue
        named = f"{one.get('commune') or ''} ({spaced_siret(str(one['siret']))})".strip()
        main = bool(one.get("siege")) or bool(subject.siret)
        at = (found, inset_place(found, departement))
        points += [{"x": each[0], "y": each[1], "name": named, "main": main} for each in at if each is not None]
    where = ", ".join(sorted({str(one.get("commune")) for one in places if one.get("commune")})[:6])
    if not points and not areas:
        return block("carte", "Carte", [empty("Aucune localisation n'est connue.")])
    said = f"Carte des départements : {where or 'commune inconnue'}."
    items: list[Item | None] = [{"kind": "map", "points": points, "areas": sorted(areas), "description": said}]
    if not points:
        items.append(text("Les coordonnées ne sont pas connues : le département est indiqué.", "note"))
    return block("carte", "Carte", items, "Coordonnées du répertoire SIRENE, à quelques kilomètres près.")


def history_block(subject: Subject) -> Block:
    """Say the alerts: a line each list, the newest first, as far as the reader's badges go."""
    items: list[Item | None] = []
    lines: list[list[str | Mapping[str, str]]] = []
    hidden = False
    for published, value in subject.detections:
        if "alert" in value:
            tone, words = level_of(value.get("alert"))
            moved = value.get("diff")
            change = ""
            if isinstance(moved, int | float) and abs(moved) > 0.1:
                change = "en hausse" if moved > 0 else "en baisse"
            first = "première alerte" if value.get("premiere_alerte") else ""
            lines.append([published.label, cell(words, tone), " · ".join(each for each in (change, first) if each)])
        else:
            hidden = True
            lines.append([published.label, cell("Niveau non autorisé", "ferme"), ""])
    items.append(table("Listes de détection", ["Liste", "Niveau", ""], lines, figures=False))
    if hidden:
        refusal = subject.access.refusal("score")
        items.append(text(refusal, "closed") if refusal else None)
    if not lines:
        refusal = ""
        if subject.access.badges is not None and "detection" not in subject.access.badges:
            refusal = (
                "Vous n'avez pas accès aux listes de détection : votre habilitation ne les comprend pas "
                "(badge « detection »)."
            )
        refusal = refusal or subject.access.refusal()
        items.append(text(refusal, "closed") if refusal else empty("Cette entreprise n'est dans aucune liste."))
    about = (
        "Une ligne par liste où l'entreprise figure. Risque élevé : seuil qui privilégie la précision ; "
        "risque modéré : seuil qui privilégie la couverture."
    )
    return block("historique", "Historique des alertes", items, about)


def _rows(value: object) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []


def _amount(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _by_month(rows: Sequence[Mapping[str, Any]], name: str) -> dict[str, float]:
    found: dict[str, float] = {}
    for one in rows:
        value, when = _amount(one.get(name)), read_day(one.get("periode"))
        if value is not None and when is not None:
            key = f"{when:%Y-%m}"
            found[key] = found.get(key, 0.0) + value
    return found


def _allowed(requests: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Return hours allowed by month: those of each request on every month that it covers (specification 5.9)."""
    found: dict[str, float] = {}
    for one in requests:
        start, end, hours = (
            read_day(one.get("periode_debut")),
            read_day(one.get("periode_fin")),
            _amount(one.get("hta")),
        )
        if start is None or end is None or hours is None or end < start:
            continue
        months = list(months_between(start, end))[:36]
        for each in months:
            found[each] = found.get(each, 0.0) + hours
    return found


def activity_block(values: Mapping[str, Any], access: Access) -> Block:
    """Say employees and partial activity, in full-time equivalents."""
    staff_rows, no_staff = access.reads(values, "effectif")
    requested, no_request = access.reads(values, "apdemande", "dgefp")
    consumed, none_consumed = access.reads(values, "apconso", "dgefp")
    if "apconso" in values and "apdemande" not in values:
        # A company has sums of hours, and no request of its own.
        no_request = none_consumed
    staff = _by_month(_rows(staff_rows), "effectif")
    requests = _rows(requested)
    allowed, used = _allowed(requests), _by_month(_rows(consumed), "heures")
    used = {name: min(hours, allowed[name]) if name in allowed else hours for name, hours in used.items()}
    items: list[Item | None] = []
    if not staff:
        items.append(no_staff or empty("Aucun effectif n'est connu."))
    if staff or used or allowed:
        first = min(staff) if staff else ""
        kept = ({k: v for k, v in each.items() if k >= first} for each in (allowed, used))
        items.append(activity_chart(staff, *kept))
    if no_request is not None and not used:
        items.append(
            no_request if no_request["tone"] == "closed" else text("Aucune activité partielle n'est connue.", "empty")
        )
    latest = sorted(requests, key=lambda one: str(one.get("periode_debut") or ""), reverse=True)[:MOST_REQUESTS]
    lines = [
        [
            f"{day(one.get('periode_debut'))} au {day(one.get('periode_fin'))}",
            format_number(hours / HOURS, 1) if (hours := _amount(one.get("hta"))) is not None else "n/c",
            format_number(_amount(one.get("effectif_autorise"))) if one.get("effectif_autorise") is not None else "n/c",
            str(one.get("motif") or ""),
        ]
        for one in latest
    ]
    items.append(
        table(
            "Dernières demandes d'activité partielle",
            ["Période", "ETP autorisés", "Salariés autorisés", "Motif"],
            lines,
        )
    )
    about = (
        f"Effectifs déclarés à l'URSSAF. Activité partielle (DGEFP) en équivalents temps plein : heures divisées par "
        f"{format_number(HOURS, 2)}. Les bandes grises sont les confinements de 2020 et 2021."
    )
    return block("effectif", "Effectif et activité partielle", items, about, wide=True)


def _carried(known: Mapping[str, float], months: Sequence[str]) -> dict[str, float]:
    """Carry each value to the months that follow: a debt stands until another row says otherwise."""
    value = next((known[each] for each in sorted(known, reverse=True) if each < months[0]), 0.0)
    found = {}
    for each in months:
        value = known.get(each, value)
        found[each] = value
    return found


def contributions_block(values: Mapping[str, Any], access: Access) -> Block:
    """Say contributions and debt over 24 months, and delays granted; says so without the right to."""
    debts, no_debt = access.reads(values, "debit", "urssaf")
    called, no_call = access.reads(values, "cotisation", "urssaf")
    granted, _ = access.reads(values, "delai", "urssaf")
    employer, employee = (_by_month(_rows(debts), name) for name in ("part_patronale", "part_ouvriere"))
    due = _by_month(_rows(called), "du")
    items: list[Item | None] = []
    known = [*employer, *employee, *due]
    if known:
        last = read_day(max(known))
        assert last is not None  # noqa: S101 - read already
        start = 12 * last.year + last.month - MONTHS_SHOWN
        months = [f"{number // 12}-{number % 12 + 1:02}" for number in range(start, start + MONTHS_SHOWN)]
        employer, employee = (_carried(each, months) for each in (employer, employee))
        final = employer[months[-1]] + employee[months[-1]]
        items.append(
            facts(
                [
                    ("Dette à fin " + month_name(months[-1]), euros(final)),
                    ("dont part ouvrière", euros(employee[months[-1]])),
                    ("Cotisations des 12 derniers mois", euros(sum(due.get(each, 0.0) for each in months[-12:]))),
                ]
            )
        )
        items.append(contributions_chart(months, due, employer, employee))
        if debts is None:
            items.append(text("Aucune dette n'est connue.", "empty"))
    else:
        items.append(no_debt or no_call or empty("Aucune cotisation ni dette n'est connue."))
    delays = sorted(_rows(granted), key=lambda one: str(one.get("date_creation") or ""), reverse=True)[:MOST_DELAYS]
    lines = [
        [
            f"{day(one.get('date_creation'))} au {day(one.get('date_echeance'))}",
            euros(_amount(one.get("montant_echeancier"))) or "n/c",
            in_days(length) if (length := _amount(one.get("duree_delai"))) is not None else "n/c",
            str(one.get("stade") or ""),
        ]
        for one in delays
    ]
    items.append(table("Délais de paiement accordés", ["Période", "Montant", "Durée", "Stade"], lines))
    if len(lines) > 1:
        items.append(text("Plusieurs délais ont été accordés : il peut s'agir de renégociations.", "note"))
    about = (
        "Cotisations appelées et restes dus à la fin de chaque mois (URSSAF), sur vingt-quatre mois. La part ouvrière "
        "est celle qui est retenue sur les salaires."
    )
    return block("urssaf", "Cotisations et dette sociale", items, about, wide=True)


def procedures_block(subject: Subject, values: Mapping[str, Any]) -> Block:
    """Say the collective procedures, the newest first, grouped by procedure."""
    found, instead = subject.access.reads(values, "procedure_collective")
    rows = sorted(_rows(found), key=lambda one: str(one.get("date_effet") or ""), reverse=True)
    lines = []
    for one in rows:
        action, stage = str(one.get("action") or ""), str(one.get("stade") or "")
        lines.append(
            [
                day(one.get("date_effet")),
                str(one.get("libelle") or ACTIONS.get(action, action)),
                STAGES.get(stage, stage),
            ]
        )
    items = (
        [table("Jugements", ["Date", "Procédure", "Étape"], lines, figures=False)]
        if lines
        else [
            instead
            if instead is not None and instead["tone"] == "closed"
            else empty("Aucune procédure collective n'est connue.")
        ]
    )
    return block("procedures", "Procédures collectives", items, "Jugements des tribunaux, à leur date d'effet.")


def paydex_block(company: Mapping[str, Any], access: Access) -> Block:
    """Say how late suppliers are paid."""
    found, instead = access.reads(company, "paydex")
    rows = [one for one in _rows(found) if _amount(one.get("nb_jours")) is not None]
    rows.sort(key=lambda one: str(one.get("date_valeur") or ""))
    if not rows:
        return block("paydex", "Retards de paiement", [instead or empty("Aucun retard n'est connu.")], _PAYDEX)
    last = rows[-1]
    late = _amount(last["nb_jours"]) or 0.0
    words = "sans retard" if late <= 0 else f"{in_days(late)} de retard"
    items: list[Item | None] = [facts([(f"En {month_name(last.get('date_valeur'))}", words)])]
    if len(rows) > 1:
        items.append(
            delays_chart(
                [(month(one.get("date_valeur")), one.get("date_valeur"), one["nb_jours"]) for one in rows[-36:]]
            )
        )
    return block("paydex", "Retards de paiement", items, _PAYDEX)


_PAYDEX = "Paydex (Altares) : jours de retard moyens dans le paiement des fournisseurs, pour l'entreprise."
