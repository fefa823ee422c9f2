"""What a base offers to a query: lists to choose from, and proposals as one types."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import cached_property
from typing import Any

from sqlalchemy import func, select

from workbench.dgfip import Base, find_collectivites, plans_comptes
from workbench.dgfip.catalogue import libelles_comptes, libelles_fonctions
from workbench.dgfip.epci import libelles_epci
from workbench.dgfip.queries_measures import OPERATORS
from workbench.dgfip.queries_spec import DIMENSIONS, QuerySpec
from workbench.dgfip.reference import departements, nomenclatures, types_etablissement
from workbench.dgfip.schema import balances, collectivites
from workbench.errors import WorkbenchError
from workbench.plans import PlanComptes, PlansComptes, plain_words
from workbench.types_appel import SIDES, TYPES_APPEL
from workbench.widgets.query_changes import allowed_types

__all__ = ["Choice", "QueryChoices"]

Choice = dict[str, Any]
"""``value``, ``label``, and ``detail`` where something is worth adding."""

_PROPOSED = 12
_MOST_FONCTIONS = 120
_SIDES: Mapping[str, str] = {
    "C": "Crédits",
    "D": "Débits",
    "SC": "Solde créditeur",
    "SD": "Solde débiteur",
    "S": "Solde net (SD − SC)",
}
_DIMENSIONS: Mapping[str, str] = {
    "collectivite": "Collectivité (budget)",
    "siren": "Organisme (SIREN)",
    "exercice": "Exercice",
    "departement": "Département",
    "region": "Région",
    "epci": "EPCI",
    "nomenclature": "Nomenclature",
    "type_etablissement": "Type d'établissement",
    "type_budget": "Type de budget",
    "etat": "État des comptes",
    "source": "Source",
    "classe": "Classe",
    "chapitre": "Compte à 2 chiffres",
    "chapitre_budgetaire": "Chapitre budgétaire",
    "compte": "Compte",
    "fonction": "Fonction",
}
_OPERATORS: Mapping[str, str] = {
    ">": "supérieur à",
    ">=": "supérieur ou égal à",
    "<": "inférieur à",
    "<=": "inférieur ou égal à",
    "=": "égal à",
    "!=": "différent de",
}
_USUAL_SIDE = {"1": "SC", "6": "D", "7": "C"}
_VARIABLE = re.compile(r"(SC|SD|S|C|D)?\s*([0-9][0-9A-Z]*)?", re.ASCII)


class QueryChoices:
    """What may be chosen of a base.

    Parameters
    ----------
    base
        An open base; each list is read once, when it is first needed.
    among
        Gives the SIRET that may be proposed; None for all.
    """

    def __init__(self, base: Base, among: Callable[[], Collection[str] | None] = lambda: None) -> None:
        self.base = base
        self._among = among
        self._libelles: dict[str, dict[str, str]] = {}

    def lists(self) -> dict[str, list[Choice]]:
        """Return the lists that do not change: each a list of choices."""
        return {
            "departements": _choices(self._present["departement"], departements(), bare=True),
            "types": _choices(self._present["type_etablissement"], types_etablissement()),
            "nomenclatures": _choices(self._present["nomenclature"], nomenclatures()),
            "exercices": [{"value": year, "label": str(year)} for year in self.exercices],
            "by": [
                {"value": name, "label": _DIMENSIONS.get(name, name), "detail": each.meaning}
                for name, each in DIMENSIONS.items()
            ],
            "sides": [
                {"value": side, "label": label, "detail": SIDES.get(side, ""), "types": allowed_types(side)}
                for side, label in _SIDES.items()
            ],
            "types_appel": [
                {"value": code, "label": f"{code} – {meaning}", "detail": meaning}
                for code, meaning in TYPES_APPEL.items()
            ],
            "operators": [{"value": each, "label": _OPERATORS[each]} for each in OPERATORS],
        }

    @cached_property
    def _present(self) -> dict[str, list[str]]:
        found = {}
        for name in ("departement", "type_etablissement", "nomenclature"):
            column = collectivites.c[name]
            rows = self.base.fetch(select(column).where(column.is_not(None)).distinct().order_by(column))
            found[name] = [each for each in rows.column(0).to_pylist() if each]
        return found

    @cached_property
    def exercices(self) -> list[int]:
        """The exercices of the base, ascending."""
        year = collectivites.c.exercice
        return [int(each) for each in self.base.fetch(select(year).distinct().order_by(year)).column(0).to_pylist()]

    @cached_property
    def fonctions(self) -> dict[str, str]:
        """The functional codes of the balances and their first three characters, with their labels.

        Every row of the base is read for it: only who looks for a code pays for that.
        """
        column = balances.c.fonction
        rows = self.base.fetch(select(column).where(column != "").distinct())
        codes = {each for each in rows.column(0).to_pylist() if each}
        codes |= {each[:3] for each in codes if len(each) > 3}
        labels = libelles_fonctions(self.base, codes)
        return {code: labels.get(code, "") for code in sorted(codes)}

    @cached_property
    def plans(self) -> PlansComptes:
        """The charts of accounts of the base."""
        return plans_comptes(self.base)

    def _labels(self, spec: QuerySpec) -> dict[str, str]:
        criterion = spec.perimetre.nomenclature or "*"
        if criterion not in self._libelles:
            self._libelles[criterion] = libelles_comptes(self.base, criterion)
        return self._libelles[criterion]

    def collectivites(self, text: str, spec: QuerySpec) -> list[Choice]:
        """Propose budgets by name or SIRET; those of the départements of the query first asked for."""
        chosen = spec.perimetre.departements or ()
        found = find_collectivites(
            self.base,
            text,
            _PROPOSED,
            departement=chosen[0] if len(chosen) == 1 else None,
            nomenclature=spec.perimetre.nomenclature,
            among=self._among(),
        )
        return [
            {
                "value": str(row["siret"]),
                "label": str(row["libelle"]),
                "detail": " · ".join(_parts(row)),
            }
            for row in found.to_dict("records")
        ]

    def names_of(self, sirets: Iterable[str]) -> dict[str, str]:
        """Return the latest label of budgets."""
        wanted = list(sirets)
        if not wanted:
            return {}
        c = collectivites.c
        label = func.arg_max(c.libelle, c.exercice).label("libelle")
        rows = self.base.fetch(select(c.siret, label).where(c.siret.in_(wanted)).group_by(c.siret))
        return dict(zip(rows.column("siret").to_pylist(), rows.column("libelle").to_pylist(), strict=True))

    def comptes(self, text: str, spec: QuerySpec, measure: bool = True) -> list[Choice]:
        """Propose comptes by number or words of their label, of the chart of the query where there is one.

        Parameters
        ----------
        text
            ``70``, ``C70``, ``impots locaux``.
        spec
            Whose nomenclature and exercices say which chart.
        measure
            Whether values are variables (``C70``); else prefixes of comptes (``70``).
        """
        written = _VARIABLE.fullmatch(text.strip().upper())
        side, digits = (written[1] or "", written[2] or "") if written else ("", "")
        plan = self._plan(spec)
        if written and digits:
            found = self._under(plan, digits, spec)
        elif written:
            found = self._under(plan, "", spec) if not side or measure else []
        else:
            found = self._worded(plan, text, spec)
        return [
            {
                "value": f"{side or _USUAL_SIDE.get(numero[0], 'SD')}{numero}" if measure else numero,
                "label": f"{numero} {libelle}".strip(),
                "detail": _SIDES[side or _USUAL_SIDE.get(numero[0], "SD")] if measure else "",
            }
            for numero, libelle in found[:_PROPOSED]
        ]

    def libelle(self, compte: str, spec: QuerySpec) -> str:
        """Return the label of a compte; empty when nothing names it."""
        if not compte:
            return "Tous les comptes"
        plan = self._plan(spec)
        return (plan.libelle(compte) if plan is not None else "") or self._labels(spec).get(compte, "")

    def _plan(self, spec: QuerySpec) -> PlanComptes | None:
        """Return the chart of the query's nomenclature and last exercice, else the nearest that there is."""
        known = self.plans.nomenclatures
        asked = spec.perimetre.nomenclature
        wanted = asked if asked and self.plans.exercices(asked) else "+".join(known)
        years = self.plans.exercices(wanted) if wanted else ()
        if not years:
            return None
        year = max(spec.exercices or years)
        before = [each for each in years if each <= year]
        try:
            return self.plans.plan(wanted, before[-1] if before else years[0])
        except WorkbenchError:
            return None

    def _under(self, plan: PlanComptes | None, digits: str, spec: QuerySpec) -> list[tuple[str, str]]:
        if plan is not None:
            known = [(each.numero, each.libelle) for each in plan.under(digits) if not each.supprime]
        else:
            known = sorted((numero, label) for numero, label in self._labels(spec).items() if numero.startswith(digits))
        # Any prefix may be asked for, and the shortest say the most.
        known.sort(key=lambda each: (len(each[0]), each[0]))
        if digits and (not known or known[0][0] != digits):
            above = plan.libelle(digits) if plan is not None else ""
            known.insert(0, (digits, above or "tous les comptes qui commencent ainsi"))
        return known

    def _worded(self, plan: PlanComptes | None, text: str, spec: QuerySpec) -> list[tuple[str, str]]:
        if plan is not None:
            found = [(each.numero, each.libelle) for each in plan.search(text) if not each.supprime]
        else:
            words = [f" {word}" for word in plain_words(text)]
            found = [
                (numero, label)
                for numero, label in self._labels(spec).items()
                if words and all(word in " " + " ".join(plain_words(label)) for word in words)
            ]
        return sorted(found, key=lambda each: (len(each[0]), each[0]))

    def proposed_fonctions(self, text: str) -> list[Choice]:
        """Propose functional codes of the base by their first characters or words of their label."""
        words = plain_words(text)
        return [
            {"value": code, "label": f"{code} {label}".strip()}
            for code, label in self.fonctions.items()
            if all(f" {word}" in f" {code.lower()} {' '.join(plain_words(label))}" for word in words)
        ][:_MOST_FONCTIONS]

    def epci(self, text: str) -> list[Choice]:
        """Propose groupements by name or SIREN, among those that some commune belongs to."""
        words = plain_words(text)
        return [
            each
            for each in self._epci
            if all(f" {word}" in f" {' '.join(plain_words(each['label']))} {each['value']}" for word in words)
        ][:_PROPOSED]

    @cached_property
    def _epci(self) -> list[Choice]:
        return [
            {"value": siren, "label": name or siren, "detail": f"SIREN {siren}"}
            for siren, name in libelles_epci(self.base).items()
        ]


def _choices(codes: Iterable[str], labels: Mapping[str, str], bare: bool = False) -> list[Choice]:
    return [
        {"value": code, "label": f"{code.removeprefix('0') if bare else code} {labels.get(code, '')}".strip()}
        for code in codes
    ]


def _parts(row: Mapping[Any, Any]) -> list[str]:
    first, last = row["premier_exercice"], row["dernier_exercice"]
    texts = [str(row[name]) for name in ("departement", "nomenclature") if isinstance(row[name], str)]
    parts = [f"SIRET {row['siret']}"]
    if isinstance(row["departement"], str):
        parts.append(f"dép. {texts.pop(0).removeprefix('0')}")
    return [*parts, *texts, str(first) if first == last else f"{first} à {last}"]
