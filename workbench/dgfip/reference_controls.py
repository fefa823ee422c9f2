"""Controls of the balances against what is known of budgets, comptes and populations."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sqlalchemy import and_, exists, func, select

from workbench.dgfip.control import SHOWN, Control, Scope
from workbench.dgfip.schema import balances, budgets, collectivites, comptes, doublons, plan_comptes
from workbench.dgfip.selection import with_population
from workbench.plans import years_text

__all__ = ["populations_given", "repeated_descriptions", "sirets", "unknown_comptes", "unmatched_budgets"]


def unknown_comptes(scope: Scope) -> list[Control]:
    """Ask that every compte be in the chart of its nomenclature and exercice, or among the comptes imported."""
    title = "Chaque compte existe dans son plan de comptes"
    same = and_(collectivites.c.siret == balances.c.siret, collectivites.c.exercice == balances.c.exercice)
    used = scope.base.fetch(
        select(collectivites.c.nomenclature, balances.c.exercice, balances.c.compte, func.count().label("lignes"))
        .select_from(balances)
        .join(collectivites, same)
        .where(scope.holds(balances), balances.c.compte.is_not(None), collectivites.c.nomenclature.is_not(None))
        .group_by(collectivites.c.nomenclature, balances.c.exercice, balances.c.compte)
    ).to_pandas()
    labelled = scope.base.fetch(select(comptes.c.nomenclature, comptes.c.compte).distinct()).to_pandas()
    charted = scope.base.fetch(
        select(plan_comptes.c.nomenclature, plan_comptes.c.exercice, plan_comptes.c.compte)
        .where(plan_comptes.c.exercice.in_(used["exercice"].unique().tolist()))
        .distinct()
    ).to_pandas()
    charts = {name: set(rows) for name, rows in labelled.groupby("nomenclature")["compte"]}
    dated = {key: set(rows) for key, rows in charted.groupby(["nomenclature", "exercice"])["compte"]}
    unknown, unchecked = [], []
    for (nomenclature, exercice), rows in used.groupby(["nomenclature", "exercice"]):
        # An abridged chart (M57A) is a part of the whole one, and the whole one holds its comptes.
        whole = dated.get((nomenclature, exercice)) or dated.get((nomenclature.removesuffix("A"), exercice), set())
        known = charts.get("", set()) | charts.get(nomenclature, set()) | whole
        if known:
            unknown.append(rows[~rows["compte"].isin(known)])
        else:
            unchecked.append((nomenclature, exercice))
    if not unknown and (unchecked or labelled.empty):
        explanation = "La base n'a pas de plan de comptes pour ces nomenclatures : importez la table des comptes."
        return [Control("comptes_inconnus", title, None, 0, explanation=explanation)]
    details = pd.concat(unknown or [used]).groupby(["nomenclature", "compte"], as_index=False)["lignes"].sum()
    years: dict[str, list[int]] = {}
    for nomenclature, exercice in unchecked:
        years.setdefault(nomenclature, []).append(int(exercice))
    named = ", ".join(f"{name} {years_text(those)}" for name, those in years.items())
    said = f" Sans plan de comptes, non vérifiées : {named}." if years else ""
    explanation = "Ces comptes n'ont pas de libellé ; une formule les lit quand même." if len(details) else ""
    found = details.head(SHOWN)
    return [Control("comptes_inconnus", title, details.empty, len(details), found, (explanation + said).strip())]


def unmatched_budgets(scope: Scope) -> list[Control]:
    """Ask that balances and descriptions go together."""
    same = and_(collectivites.c.siret == budgets.c.siret, collectivites.c.exercice == budgets.c.exercice)
    return [
        scope.control(
            "balances_sans_collectivite",
            "Chaque balance a sa collectivité",
            select(budgets.c.siret, budgets.c.exercice)
            .where(scope.holds(budgets), ~exists().where(same))
            .order_by(budgets.c.siret, budgets.c.exercice),
            "Aucune analyse ne retient un budget sans description : complétez la table des collectivités.",
        ),
        scope.control(
            "collectivites_sans_balance",
            "Chaque collectivité a sa balance",
            select(collectivites.c.siret, collectivites.c.exercice, collectivites.c.libelle)
            .where(scope.holds(collectivites), ~exists().where(same))
            .order_by(collectivites.c.siret, collectivites.c.exercice),
            "Ces budgets n'ont pas de ligne de balance : aucune analyse ne les retient.",
        ),
    ]


def repeated_descriptions(scope: Scope) -> list[Control]:
    """Ask that each budget be described once an exercice."""
    row = (doublons.c.siret, doublons.c.exercice)
    return [
        scope.control(
            "collectivites_doubles",
            "Chaque budget est décrit une seule fois par exercice",
            select(*row, doublons.c.lignes)
            .where(scope.holds(doublons), doublons.c.source == "collectivites")
            .order_by(*row),
            "Une seule description a été gardée, la première du fichier.",
        )
    ]


def populations_given(scope: Scope) -> list[Control]:
    """Ask that each budget have a population, above or equal to zero."""
    known = with_population(select(collectivites).where(scope.holds(collectivites)))
    row = (known.c.siret, known.c.exercice, known.c.libelle)
    return [
        scope.control(
            "population_absente",
            "Chaque budget a une population",
            select(*row).where(known.c.population.is_(None)).order_by(*row),
            "Les indicateurs par habitant n'ont pas de valeur : importez des populations.",
        ),
        scope.control(
            "population_negative",
            "Aucune population n'est négative",
            select(*row, known.c.population).where(known.c.population < 0).order_by(*row),
            "Ces populations sont fausses dans la source.",
        ),
    ]


def sirets(scope: Scope) -> list[Control]:
    """Ask that SIRETs have fourteen digits, and say which have a wrong check digit."""
    present = scope.base.fetch(select(budgets.c.siret).where(scope.holds(budgets)).distinct().order_by(budgets.c.siret))
    values = pd.Series(present.column(0).to_pylist(), dtype="str")
    shaped = values.str.fullmatch(r"[0-9]{14}")
    malformed = values[~shaped]
    wrong = values[shaped][~_luhn(values[shaped])]
    return [
        Control(
            "siret_malforme",
            "Chaque SIRET a quatorze chiffres",
            malformed.empty,
            len(malformed),
            malformed.head(SHOWN).to_frame("siret"),
            "" if malformed.empty else "Ces identifiants ne sont pas des SIRET : vérifiez la source.",
        ),
        Control(
            "siret_cle",
            "Clé de contrôle des SIRET (pour information)",
            True,
            len(wrong),
            wrong.head(SHOWN).to_frame("siret"),
            "" if wrong.empty else "La clé de ces SIRET est fausse ; les bases fictives n'en ont pas d'autres.",
        ),
    ]


def _luhn(values: pd.Series) -> pd.Series:
    """Return whether each text of fourteen digits ends with the right check digit."""
    digits = np.frombuffer("".join(values).encode("ascii"), dtype=np.uint8).reshape(-1, 14).astype(np.int64) - 48
    doubled = digits[:, 0::2] * 2
    total = (doubled - 9 * (doubled > 9)).sum(axis=1) + digits[:, 1::2].sum(axis=1)
    return pd.Series(total % 10 == 0, index=values.index)
