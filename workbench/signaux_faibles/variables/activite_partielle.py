"""Partial activity: hours authorised and consumed."""

from __future__ import annotations

from typing import Any

from sqlalchemy import CTE, Double, Select, Text, and_, case, func, select, union

from workbench.signaux_faibles.variables.context import Context, mois
from workbench.signaux_faibles.variables.declaration import INTEGER, NUMBER, Family, Level, Scope, Variable
from workbench.signaux_faibles.variables.effectif import EFFECTIF
from workbench.signaux_faibles.variables.expressions import days_of, descending, double, month_of, number, when

__all__ = ["ACTIVITE_PARTIELLE", "authorised_by_month"]

HOURS = 157.67
"""Hours of a full month, as the reference counts them."""
_LINK = 9


def _requests(context: Context) -> CTE:
    def made() -> Select[Any]:
        facts = context.facts("apdemande")
        identifier = facts.c.id_demande
        link = func.left(identifier, number(_LINK), type_=Text()) if context.setting.compat else identifier
        rows = select(
            facts.c.numero,
            link.label("lien"),
            identifier.label("id"),
            month_of(facts.c.periode_debut).label("debut"),
            (month_of(facts.c.periode_fin) + number(1)).label("fin"),
            days_of(facts.c.periode_debut).label("premier"),
            days_of(facts.c.periode_fin).label("dernier"),
            facts.c.hta,
            facts.c.motif_recours_se.label("motif"),
        )
        return _of_who_has_both(context, facts, rows, "apconso")

    return context.shared("demandes", made)


def _consumed(context: Context) -> CTE:
    def made() -> Select[Any]:
        facts = context.facts("apconso")
        identifier = facts.c.id_conso
        link = func.left(identifier, number(_LINK), type_=Text()) if context.setting.compat else identifier
        rows = select(
            facts.c.numero,
            link.label("lien"),
            month_of(facts.c.periode).label("mois"),
            func.sum(func.coalesce(facts.c.heure_consomme, number(0.0)), type_=Double()).label("heures"),
        ).group_by(facts.c.numero, link, month_of(facts.c.periode))
        return _of_who_has_both(context, facts, rows, "apdemande")

    return context.shared("consommations", made)


def _of_who_has_both(context: Context, facts: Any, rows: Select[Any], other: str) -> Select[Any]:
    if not context.setting.compat:
        return rows
    others = context.facts(other)
    return rows.where(facts.c.numero.in_(select(others.c.numero)))


def authorised_by_month(context: Context, requests: Any, name: str, margin: int = 0) -> Select[Any]:
    """Return hours authorised, each request's shared between its months by days: ``numero``, ``mois``, ``heures``."""
    spans = select(
        requests.c.numero, requests.c.debut, requests.c.fin, requests.c.premier, requests.c.dernier, requests.c.hta
    )
    spread = context.spread(spans.where(requests.c.dernier >= requests.c.premier), name, margin=margin)
    first = func.greatest(spread.c.premier, mois.c.jour, type_=INTEGER)
    last = func.least(spread.c.dernier, mois.c.jour + mois.c.jours - number(1), type_=INTEGER)
    share = double(last - first + number(1)) / double(spread.c.dernier - spread.c.premier + number(1))
    return (
        select(spread.c.numero, spread.c.mois, func.sum(spread.c.hta * share, type_=Double()).label("heures"))
        .select_from(spread.join(mois, mois.c.mois == spread.c.mois))
        .group_by(spread.c.numero, spread.c.mois)
    )


def _rows(context: Context) -> Select[Any]:
    requests, consumed = _requests(context), _consumed(context)
    compat = context.setting.compat
    columns = ("numero", "lien", "id", "debut", "fin", "premier", "dernier", "hta", "motif")
    spread = context.spread(select(*(requests.c[each] for each in columns)), "demandes_mois")
    latest = [
        descending(spread.c.premier),
        descending(spread.c.dernier),
        descending(spread.c.id),
        descending(spread.c.hta),
    ]
    rank = func.row_number().over(partition_by=[spread.c.numero, spread.c.mois], order_by=latest)
    if compat:
        ranked = select(spread.c.numero, spread.c.mois, spread.c.hta.label("heures"), rank.label("rang")).subquery(
            "classees"
        )
        authorised: Any = (
            select(ranked.c.numero, ranked.c.mois, ranked.c.heures)
            .where(ranked.c.rang == number(1))
            .subquery("autorisees")
        )
    else:
        authorised = authorised_by_month(context, requests, "demandes_jours").subquery("autorisees")
    hours = _hours(context, requests, consumed)
    totals = _totals(context, spread, consumed)
    keys = union(*(select(each.c.numero, each.c.mois) for each in (authorised, hours, totals))).cte("cellules_ap")
    workforce = context.rows(EFFECTIF)
    joined = keys
    for each in (authorised, hours, totals, workforce):
        joined = joined.outerjoin(each, context.on_grid(keys, each))  # type: ignore[assignment]
    staff = double(func.nullif(workforce.c.effectif, number(0), type_=INTEGER)) * number(HOURS)
    return select(
        keys.c.numero,
        keys.c.mois,
        authorised.c.heures.label("apart_heures_autorisees"),
        hours.c.heures.label("apart_heures_consommees"),
        hours.c.motif.label("apart_motif_recours"),
        totals.c.heures.label("apart_heures_consommees_cumulees"),
        (hours.c.heures / staff).label("ratio_apart"),
    ).select_from(joined)


def _hours(context: Context, requests: CTE, consumed: CTE) -> Any:
    """Hours of each month and the motive of their request, the latest where several are."""
    setting = context.setting
    inside = consumed.c.mois.between(number(setting.first), number(setting.after - 1))
    link = and_(requests.c.numero == consumed.c.numero, requests.c.lien == consumed.c.lien)
    if not setting.compat:
        # A request that begins later is not known yet.
        link = and_(link, requests.c.debut <= consumed.c.mois)
    order = [
        descending(requests.c.premier),
        descending(requests.c.dernier),
        descending(requests.c.id),
        descending(requests.c.motif),
    ]
    # One consumption may find several requests: it counts once, with the motive of the latest.
    by_link = func.row_number().over(partition_by=[consumed.c.numero, consumed.c.mois, consumed.c.lien], order_by=order)
    by_month = func.row_number().over(partition_by=[consumed.c.numero, consumed.c.mois], order_by=order)
    linked = (
        select(
            consumed.c.numero,
            consumed.c.mois,
            consumed.c.heures,
            requests.c.motif,
            by_link.label("du_lien"),
            by_month.label("du_mois"),
        )
        .select_from(consumed.join(requests, link, isouter=not setting.compat))
        .where(inside)
        .subquery("liees")
    )
    first = when(linked.c.du_lien == number(1), linked.c.heures)
    return (
        select(
            linked.c.numero,
            linked.c.mois,
            func.sum(first, type_=Double()).label("heures"),
            func.max(when(linked.c.du_mois == number(1), linked.c.motif), type_=INTEGER).label("motif"),
        )
        .group_by(linked.c.numero, linked.c.mois)
        .subquery("heures_mois")
    )


def _totals(context: Context, spread: Any, consumed: CTE) -> Any:
    """Hours consumed since the beginning of a request, on its months."""
    compat = context.setting.compat
    group = [spread.c.numero, spread.c.mois, spread.c.lien]
    start = spread.c.debut
    order = [spread.c.premier, spread.c.dernier, spread.c.id]
    if compat:
        # A request by itself; the latest of those that overlap stands.
        group += [start, *order]
        begun = start
    else:
        # Several periods of one request are one request.
        begun = func.min(start, type_=INTEGER)
    months = select(*group, begun.label("depuis")).group_by(*group).subquery("mois_demandes")
    same = and_(months.c.numero == consumed.c.numero, months.c.lien == consumed.c.lien)
    so_far = and_(same, consumed.c.mois.between(months.c.depuis, months.c.mois))
    names = [each.name for each in months.c]
    keys = [months.c[name] for name in names]
    # In the reference a request that will be consumed has hours from its first month, be they none.
    condition = same if compat else so_far
    counted = case((consumed.c.mois.between(months.c.depuis, months.c.mois), consumed.c.heures), else_=number(0.0))
    summed = (
        select(*keys, func.sum(counted, type_=Double()).label("heures"))
        .select_from(months.join(consumed, condition))
        .group_by(*keys)
        .subquery("cumuls")
    )
    if not compat:
        return (
            select(summed.c.numero, summed.c.mois, func.sum(summed.c.heures, type_=Double()).label("heures"))
            .group_by(summed.c.numero, summed.c.mois)
            .subquery("cumuls_mois")
        )
    latest = [descending(summed.c[name]) for name in ("premier", "dernier", "id")]
    rank = func.row_number().over(partition_by=[summed.c.numero, summed.c.mois], order_by=latest)
    ranked = select(summed.c.numero, summed.c.mois, summed.c.heures, rank.label("rang")).subquery("cumuls_classes")
    return (
        select(ranked.c.numero, ranked.c.mois, ranked.c.heures)
        .where(ranked.c.rang == number(1))
        .subquery("cumuls_mois")
    )


_BOTH = ("apdemande", "apconso")
_NEEDS_BOTH = (
    "sans valeur pour un établissement qui n'a pas à la fois une demande et une consommation, fussent-elles à venir"
)
_LINKED = (
    "demandes et consommations se lient par les 9 premiers caractères de leur identifiant, et non par l'identifiant"
)

ACTIVITE_PARTIELLE = Family(
    "activite_partielle",
    "Activité partielle",
    Scope.ETABLISSEMENT,
    (
        Variable(
            "apart_heures_autorisees",
            NUMBER,
            "heures autorisées (hta) des demandes qui couvrent t, chacune au prorata de ses jours dans le mois",
            "heures",
            ("apdemande",),
            "aucune demande ne couvre t",
            "toutes les heures de la demande, chaque mois ; de plusieurs demandes, la dernière et non la somme ; "
            + _NEEDS_BOTH,
        ),
        Variable(
            "apart_heures_consommees",
            NUMBER,
            "somme des heures consommées du mois t",
            "heures",
            ("apconso",),
            "aucune consommation au mois t",
            "seulement les consommations liées à une demande ; " + _LINKED + " ; " + _NEEDS_BOTH,
        ),
        Variable(
            "apart_motif_recours",
            INTEGER,
            "motif_recours_se de la demande à laquelle se lie la consommation du mois t",
            "",
            _BOTH,
            "aucune consommation liée au mois t",
            _LINKED,
        ),
        Variable(
            "apart_heures_consommees_cumulees",
            NUMBER,
            "pour les demandes qui couvrent t et ont été consommées, heures consommées de leur premier mois à t",
            "heures",
            _BOTH,
            "aucune demande qui couvre t n'a été consommée à t",
            _LINKED + " ; 0 dès le premier mois d'une demande qui sera consommée ; de plusieurs demandes, la dernière",
        ),
        Variable(
            "ratio_apart",
            NUMBER,
            f"apart_heures_consommees / (effectif × {str(HOURS).replace('.', ',')})",
            "",
            ("apconso", "effectif"),
            "apart_heures_consommees ou effectif manque, ou effectif est nul",
            "hérite des définitions d'apart_heures_consommees et d'effectif",
        ),
    ),
    Level.MONTH,
    _rows,
    reads=(EFFECTIF,),
)
