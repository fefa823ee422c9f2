"""Cleaned views of a history as of a batch (specification 5.9), restricted to the companies that are watched.

Each takes an open history and the key of a batch, the latest one by default, and returns a select that
`History.fetch` runs. Only months in which something happens have a row in those of debts: who needs every month carries
the last row forward.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Date, Numeric, Select, Text, and_, case, exists, false, func, null, or_, select

from workbench.signaux_faibles.effectifs import PerimetreRules
from workbench.signaux_faibles.history.base import History
from workbench.signaux_faibles.history.moments import moments, months_between
from workbench.signaux_faibles.kinds import constant

__all__ = [
    "ACTIVITIES",
    "DEPARTEMENTS",
    "HOURS",
    "MOTIVES",
    "clean_ap",
    "clean_cotisation",
    "clean_debit",
    "clean_delai",
    "clean_effectif",
    "clean_effectif_ent",
    "clean_filter",
]

ACTIVITIES = (
    *("85.10Z", "85.20Z", "85.31Z", "85.32Z", "85.41Z", "85.42Z"),
    *("94.11Z", "94.12Z", "94.20Z", "94.91Z", "94.92Z"),
    *("64.11Z", "64.19Z", "64.30Z", "64.91Z", "64.92Z", "64.99Z"),
    *("65.11Z", "65.12Z", "65.20Z", "65.30Z"),
    *("66.11Z", "66.12Z", "66.19A", "66.19B", "66.21Z", "66.22Z", "66.29Z", "66.30Z"),
    *("99.00Z",),
)
"""Activities left out, besides public administration (84.11Z to 84.30C): teaching, associations, finance, embassies."""

DEPARTEMENTS = (
    *(f"{number:02d}" for number in range(1, 96) if number != 20),
    *("2A", "2B", "971", "972", "973", "974", "976"),
    # Files of the first layout tell those overseas by two characters.
    "97",
)
"""Codes of the départements, as `sirene` writes them."""

HOURS = 151.67
"""Hours of a month of full-time work."""

MOTIVES = {
    1: "Conjoncture économique",
    2: "Difficultés d'approvisionnement",
    3: "Sinistre ou intempéries",
    4: "Transformation ou restructuration",
    5: "Autres circonstances exceptionnelles",
    6: "Motif 6",
    7: "Motif 7",
}
"""Why partial activity is asked for (specification 3.6); the labels of 6 and 7 are not published."""


def clean_filter(history: History, as_of: str | None = None) -> Select[Any]:
    """Return the companies watched: ``siren``.

    Those of the perimeter, without those of an excluded legal category or activity, nor those that have no head
    office in a French département; a rule whose source the history does not have at that batch excludes nobody.
    """
    kept = history.perimetre(as_of).subquery("perimetre")
    units = history.state("sirene_ul", as_of).subquery("units")
    activity = units.c.activite_principale
    excluded = or_(
        units.c.statut_juridique.in_([constant(each) for each in PerimetreRules().categories]),
        activity.between(constant("84.11Z"), constant("84.30C")),
        activity.in_([constant(each) for each in ACTIVITIES]),
    )
    conditions = [~exists(select(units.c.siren).where(and_(units.c.siren == kept.c.siren, excluded)))]
    if any(each.type == "sirene" and (as_of is None or each.batch <= as_of) for each in history.deliveries()):
        places = history.state("sirene", as_of).subquery("places")
        located = places.c.departement.in_([constant(each) for each in DEPARTEMENTS])
        of_company = _siren(places.c.siret) == kept.c.siren
        conditions.append(exists(select(places.c.siret).where(and_(of_company, places.c.siege, located))))
    return select(kept.c.siren).where(*conditions)


def _siren(siret: ColumnElement[Any]) -> ColumnElement[str]:
    return func.left(siret, constant(9), type_=Text())


def watched(history: History, as_of: str | None, siren: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether a company is in `clean_filter`."""
    return siren.in_(select(clean_filter(history, as_of).subquery("watched").c.siren))


def clean_debit(history: History, as_of: str | None = None) -> Select[Any]:
    """Return debts to the URSSAF: ``siret, periode, part_ouvriere, part_patronale`` (euros), ``is_last``.

    A movement counts from its own month when it is treated by the 20th, from the next month after. At a month, a
    debt (établissement, period, number) is what its latest movement says, the highest ``numero_historique`` within a
    month; a row is the sum of an établissement's debts. ``is_last`` marks the latest row of each établissement.
    """
    rows = history.state("debit", as_of).subquery("rows_known")
    debt = [rows.c.siret, rows.c.periode_debut, rows.c.periode_fin, rows.c.numero_ecart_negatif]
    rank = (
        func.row_number()
        .over(
            partition_by=[*debt, rows.c.periode_prise_en_compte],
            order_by=[
                rows.c.numero_historique.desc().nulls_last(),
                rows.c.date_traitement.desc(),
                rows.c.part_patronale.desc(),
                rows.c.part_ouvriere.desc(),
            ],
        )
        .label("rank")
    )
    ranked = select(rows, rank).where(watched(history, as_of, _siren(rows.c.siret))).subquery("ranked")
    same = [ranked.c.siret, ranked.c.periode_debut, ranked.c.periode_fin, ranked.c.numero_ecart_negatif]
    changes = []
    for name in ("part_ouvriere", "part_patronale"):
        before = func.lag(ranked.c[name]).over(partition_by=same, order_by=ranked.c.periode_prise_en_compte)
        changes.append((ranked.c[name] - func.coalesce(before, constant(0))).label(name))
    moved = (
        select(ranked.c.siret, ranked.c.periode_prise_en_compte.label("periode"), *changes)
        .where(ranked.c.rank == constant(1))
        .subquery("moved")
    )
    summed = (
        select(
            moved.c.siret,
            moved.c.periode,
            func.sum(moved.c.part_ouvriere).label("part_ouvriere"),
            func.sum(moved.c.part_patronale).label("part_patronale"),
        )
        .group_by(moved.c.siret, moved.c.periode)
        .subquery("summed")
    )
    so_far: dict[str, Any] = {"partition_by": summed.c.siret, "order_by": summed.c.periode}
    money = Numeric(38, 2)
    columns: list[ColumnElement[Any]] = [
        summed.c.siret,
        summed.c.periode,
        func.sum(summed.c.part_ouvriere).over(**so_far).cast(money).label("part_ouvriere"),
        func.sum(summed.c.part_patronale).over(**so_far).cast(money).label("part_patronale"),
        func.lead(summed.c.periode).over(**so_far).is_(None).label("is_last"),
    ]
    return select(*columns)


def clean_cotisation(history: History, as_of: str | None = None) -> Select[Any]:
    """Return contributions called: ``siret, periode, du`` (euros), summed over accounts by first month."""
    rows = history.state("cotisation", as_of).subquery("rows_known")
    return (
        select(
            rows.c.siret,
            rows.c.periode_debut.label("periode"),
            func.sum(rows.c.du).cast(Numeric(38, 2)).label("du"),
        )
        .where(watched(history, as_of, _siren(rows.c.siret)))
        .group_by(rows.c.siret, rows.c.periode_debut)
    )


def clean_delai(history: History, as_of: str | None = None) -> Select[Any]:
    """Return payment delays as they are known."""
    rows = history.state("delai", as_of).subquery("rows_known")
    return select(rows).where(watched(history, as_of, _siren(rows.c.siret)))


def clean_effectif(history: History, as_of: str | None = None) -> Select[Any]:
    """Return ``siret, periode, effectif, is_latest``: summed over accounts; is the month the last known."""
    return _effectif(history, "effectif", as_of)


def clean_effectif_ent(history: History, as_of: str | None = None) -> Select[Any]:
    """Return ``siren, periode, effectif, is_latest``."""
    return _effectif(history, "effectif_ent", as_of)


def _effectif(history: History, type_: str, as_of: str | None) -> Select[Any]:
    rows = history.state(type_, as_of).subquery("rows_known")
    every = history.state(type_, as_of).subquery("every_row")
    latest = select(func.max(every.c.periode)).scalar_subquery()
    key = rows.c.siret if type_ == "effectif" else rows.c.siren
    return (
        select(
            key,
            rows.c.periode,
            func.sum(rows.c.effectif).label("effectif"),
            (rows.c.periode == latest).label("is_latest"),
        )
        .where(watched(history, as_of, _siren(key)))
        .group_by(key, rows.c.periode)
    )


def clean_ap(history: History, as_of: str | None = None) -> Select[Any]:
    """Return partial activity: ``siret, periode, etp_autorise, etp_consomme, motif_recours, is_last``.

    Hours are in full-time equivalents of 151.67 hours. A request counts whole in each month from that of its first day
    to that of its last. ``motif_recours`` are the motives of these requests, each once, joined by « ; »; ``is_last``
    marks the last month in which anyone consumed.
    """
    asked = history.state("apdemande", as_of).subquery("asked")
    used = history.state("apconso", as_of).subquery("used")
    span = history.fetch(
        select(func.min(asked.c.periode_debut).label("first"), func.max(asked.c.periode_fin).label("last"))
    ).to_pylist()[0]
    by_request = _requests(asked, span["first"], span["last"])
    month = _month(used.c.periode)
    by_month = (
        select(used.c.siret, month.label("periode"), func.sum(used.c.heure_consomme).label("hours"))
        .group_by(used.c.siret, month)
        .subquery("by_month")
    )
    every = history.state("apconso", as_of).subquery("every_row")
    latest = select(func.max(_month(every.c.periode))).scalar_subquery()
    siret = func.coalesce(by_request.c.siret, by_month.c.siret, type_=Text())
    periode = func.coalesce(by_request.c.periode, by_month.c.periode, type_=Date())
    same = and_(by_request.c.siret == by_month.c.siret, by_request.c.periode == by_month.c.periode)
    return (
        select(
            siret.label("siret"),
            periode.label("periode"),
            (by_request.c.hours / constant(HOURS)).label("etp_autorise"),
            (by_month.c.hours / constant(HOURS)).label("etp_consomme"),
            by_request.c.motif_recours,
            func.coalesce(periode == latest, false()).label("is_last"),
        )
        .select_from(by_request.outerjoin(by_month, same, full=True))
        .where(watched(history, as_of, _siren(siret)))
    )


def _month(day: ColumnElement[Any]) -> ColumnElement[Any]:
    return func.date_trunc(constant("month"), day).cast(Date)


def _requests(asked: Any, first: Any, last: Any) -> Any:
    if first is None or last is None:
        empty = [null().cast(each).label(name) for name, each in (("siret", Text()), ("periode", Date()))]
        nothing = [null().cast(Numeric(18, 2)).label("hours"), null().cast(Text).label("motif_recours")]
        return select(*empty, *nothing).where(false()).subquery("by_request")
    months = moments(months_between(first, last), "months")
    covers = and_(months.c.moment >= _month(asked.c.periode_debut), months.c.moment <= asked.c.periode_fin)
    motives = [
        func.max(case((asked.c.motif_recours_se == constant(code), constant(label)), else_=null()), type_=Text())
        for code, label in MOTIVES.items()
    ]
    joined = func.nullif(func.concat_ws(constant("; "), *motives, type_=Text()), constant(""), type_=Text())
    return (
        select(
            asked.c.siret,
            months.c.moment.label("periode"),
            func.sum(asked.c.hta).label("hours"),
            joined.label("motif_recours"),
        )
        .select_from(asked.join(months, covers))
        .group_by(asked.c.siret, months.c.moment)
        .subquery("by_request")
    )
