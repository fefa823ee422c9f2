"""A formule being written, without a widget: what is said of it, what can follow, what it is worth.

An editor writes a text, then asks; every answer is plain data. Nothing that comes from the browser is believed: what is
no choice of this moment changes nothing.

The questions of an editor on one text are one list, hence one module.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from workbench.dgfip import Base, base_info, find_collectivites, libelles_comptes, plans_comptes
from workbench.errors import WorkbenchError, require_kind
from workbench.evaluation import Explanation
from workbench.evaluation.live import Accounts
from workbench.formules import Diagnostic, check_formule, draw_tree_svg, fixes_of
from workbench.formules.parser import split_words
from workbench.formules.words import MAX_LENGTH, MAX_LEXEMES
from workbench.plans import Compte, PlanComptes, PlansComptes
from workbench.reports.numbers import format_value
from workbench.trames import Indicateur, Serie, Trame, check_comptes, complete_formule
from workbench.widgets.explanations import explanation_tree, node_at, unites_of

__all__ = ["FormuleDraft"]

MOST_COLLECTIVITES = 6
MOST_PROPOSALS = 20
MOST_CHARACTERS = 80
MOST_EXERCICES = 6

_ALONE = "APERCU_FORMULE"
_SURROGATE = re.compile("[\ud800-\udfff]")


class FormuleDraft:
    """A formule being written.

    Parameters
    ----------
    formule
        Its text, right or not.
    code
        The indicateur that it is that of; empty for none.
    trame
        The indicateurs that it may name; None for none.
    base
        Where values are read, an open base; None for no values.
    nomenclature
        That of the comptes; by default the trame's.
    plans
        Charts of accounts; by default those of the base, or else its labels.
    sirets
        The collectivités whose values are shown at first.

    Raises
    ------
    WorkbenchError
        ``serie_ecriture`` for a serie, whose trames are written one by one; ``choix_inconnu`` for a SIRET that the base
        does not have.

    Examples
    --------
    >>> import workbench as wb
    >>> draft = FormuleDraft("C70-D70", base=wb.connect(demonstration_base), sirets=[demonstration_siret])
    >>> [(each["code"], each["fixes"][0]["title"]) for each in draft.said()["diagnostics"]][0]
    ('type_appel_absent', 'Ajouter [TA:BR] à la fin')
    >>> draft.write("C70-D70[TA:BR]")
    >>> draft.right, len(draft.values()["rows"])
    (True, 1)
    """

    def __init__(
        self,
        formule: str = "",
        *,
        code: str = "",
        trame: Trame | None = None,
        base: Base | None = None,
        nomenclature: str | None = None,
        plans: PlansComptes | PlanComptes | None = None,
        sirets: Iterable[str] = (),
    ) -> None:
        require_kind(formule, str, "formule", "un texte", 'Par exemple "C70[TA:BX]".')
        require_kind(trame, (Trame, type(None)), "trame", "une trame", "Chargez-la : wb.load_trame.")
        require_kind(base, (Base, type(None)), "base", "une base ouverte", 'Ouvrez-la : wb.connect("base.duckdb").')
        if isinstance(trame, Serie):
            raise WorkbenchError("serie_ecriture", serie=trame.code, trames=", ".join(one.code for one in trame.trames))
        self._base = base
        self._nomenclature = nomenclature
        self.plans = plans if plans is not None or base is None else plans_comptes(base)
        self._labels: dict[str, PlanComptes] = {}
        self._accounts: dict[str, tuple[str, Accounts]] = {}
        self._known_exercices = tuple(base_info(base).exercices) if base is not None else ()
        self.exercices: tuple[int, ...] = self._known_exercices[-MOST_EXERCICES:]
        self._explained: Explanation | None = None
        self._unites: dict[str, str] = {}
        self._wanted: tuple[str, int] | None = None
        self.plan_exercice: int | None = None
        self._read_as = nomenclature
        self.place(trame, code, formule)
        for siret in sirets:
            self.add_collectivite(siret)

    # --- the text

    def place(self, trame: Trame | None, code: str, formule: str) -> None:
        """Take another formule: the one of this indicateur, in this trame."""
        self.trame, self.code, self.unite = trame, code, "euros"
        if trame is not None and code in trame:
            self.unite = trame[code].unite
        self._known = None if trame is None else {one.code: one.texte or "0" for one in trame.indicateurs}
        self.texte = ""
        self.write(formule)
        if self.nomenclature != self._read_as:
            for siret in list(self._accounts):
                self._read(siret)

    def write(self, text: object) -> None:
        """Replace the text; anything else than a text, and what no text can hold, is left out."""
        if isinstance(text, str):
            self.texte = _SURROGATE.sub("\ufffd", text[: MAX_LENGTH + 1])
            self._explained = None
            self._diagnostics: list[Diagnostic] | None = None
            self._made: tuple[Trame, Indicateur] | None = None

    @property
    def nomenclature(self) -> str | None:
        """The nomenclature of the comptes."""
        return self._nomenclature or (self.trame.nomenclature if self.trame is not None else None)

    @property
    def diagnostics(self) -> list[Diagnostic]:
        """All that is wrong or doubtful in the text."""
        if self._diagnostics is None:
            # Nothing written yet is no mistake.
            found = check_formule(self.texte, self._known, name=self.code or None) if self.texte.strip() else []
            self._diagnostics = found
        return self._diagnostics

    @property
    def right(self) -> bool:
        """Whether it can be evaluated."""
        return bool(self.texte.strip()) and not any(each.severity == "error" for each in self.diagnostics)

    def indicateur(self) -> Indicateur:
        """Return the indicateur that the text makes; raises FormuleSyntaxError."""
        return self._in_trame()[1]

    def _in_trame(self) -> tuple[Trame, Indicateur]:
        """Return the trame with the formule in it, and its indicateur; made once a text."""
        if self._made is None:
            trame = self.trame if self.trame is not None else Trame("apercu", ())
            one = Indicateur.from_texte(self.code or _ALONE, self.texte)
            if one.code in trame:
                one = replace(trame[one.code], formules=one.formules)
            self._made = (trame.with_indicateur(one), one)
        return self._made

    def said(self) -> dict[str, Any]:
        """Say what is wrong, with where, why and what to write instead; offsets count characters."""
        return {
            "diagnostics": [
                {
                    "from": each.span.start,
                    "to": each.span.end,
                    "severity": each.severity,
                    "code": each.code,
                    "message": each.message,
                    "hint": each.hint,
                    "fixes": [
                        {
                            "title": fix.title,
                            "from": fix.span.start,
                            "to": fix.span.end,
                            "replacement": fix.replacement,
                        }
                        for fix in fixes_of(self.texte, each, self._known)
                    ],
                }
                for each in self.diagnostics
            ],
            "right": self.right,
            "empty": not self.texte.strip(),
        }

    def completions(self, text: object, position: object) -> list[dict[str, Any]]:
        """List what can be written at a place of a text, counted in characters."""
        if not isinstance(text, str) or isinstance(position, bool) or not isinstance(position, int):
            return []
        labels: Any = None
        if self.trame is not None:
            labels = {one.code: one.libelle for one in self.trame.indicateurs if one.code != self.code}
        return [
            {
                "text": each.text,
                "from": each.span.start,
                "to": each.span.end,
                "kind": each.kind,
                "libelle": each.libelle,
            }
            for each in complete_formule(text[:MAX_LENGTH], position, trame=labels, comptes=self.plan)
        ]

    # --- the chart of accounts

    @property
    def plan_exercices(self) -> tuple[int, ...]:
        """The exercices that have a chart in this nomenclature."""
        if isinstance(self.plans, PlanComptes):
            return (self.plans.exercice,)
        return self.plans.exercices(self.nomenclature or "M*") if self.plans is not None else ()

    @property
    def plan(self) -> PlanComptes | None:
        """The chart that labels and completions come from; None when nothing is known."""
        if isinstance(self.plans, PlanComptes):
            return self.plans
        years = self.plan_exercices
        if self.plans is not None and years:
            return self.plans.plan(
                self.nomenclature or "M*", self.plan_exercice if self.plan_exercice in years else years[-1]
            )
        if self._base is None:
            return None
        name = self.nomenclature or ""
        if name not in self._labels:
            # No chart was imported: the labels that came with the balances are one, less sure.
            found = sorted(libelles_comptes(self._base, name or None).items())
            year = self._known_exercices[-1] if self._known_exercices else 0
            self._labels[name] = PlanComptes(name, year, tuple(Compte(*each) for each in found), source="libellés")
        return self._labels[name]

    def choose_plan(self, exercice: object) -> None:
        """Take the chart of another exercice."""
        years = {str(year): year for year in self.plan_exercices}
        if not isinstance(exercice, str) or exercice not in years:
            raise _unknown("Plan de comptes", exercice)
        self.plan_exercice = years[exercice]

    def remarks(self) -> list[dict[str, Any]]:
        """Say what an accountant would: prefixes that read nothing, comptes counted twice in this formule."""
        plan = self.plan
        if plan is None or not plan.comptes or not self.right:
            return []
        found = []
        year = plan.exercice
        for word in split_words(self.texte, MAX_LEXEMES):
            prefix = word.text.lstrip("SCD")
            if word.kind == "VARIABLE" and not plan.reads(prefix):
                message = f"Aucun compte de {plan.nomenclature or 'la base'} {year} ne commence par {prefix}."
                found.append({"from": word.start, "to": word.end, "message": message, "hint": _nearest(plan, prefix)})
        if plan.source != "libellés" and self.nomenclature:
            one = self.indicateur()
            same = one.texte == self.texte
            trame = Trame("apercu", (one,), nomenclature=self.nomenclature)
            for each in check_comptes(trame, plan, classes=()).of("compte_double"):
                place = {"from": each.span.start, "to": each.span.end} if same else {}
                found.append({**place, "message": each.message[:1].upper() + each.message[1:], "hint": each.hint})
        return found

    def reads(self) -> list[dict[str, str]]:
        """List what the formule reads, each once, with its label."""
        plan, found = self.plan, {}
        for word in split_words(self.texte, MAX_LEXEMES):
            if word.kind == "VARIABLE" and plan is not None:
                prefix = word.text.lstrip("SCD")
                found[prefix] = plan.libelle(prefix)
            elif word.kind == "REFERENCE" and self.trame is not None and word.text in self.trame:
                found[word.text] = self.trame[word.text].libelle
        return [{"text": text, "libelle": libelle} for text, libelle in found.items()]

    def tree(self) -> str:
        """Draw the tree, as SVG; empty while the formule is wrong."""
        if not self.right:
            return ""
        labels = {each["text"]: each["libelle"] for each in self.reads()}
        return draw_tree_svg(self.indicateur().tree, labels)

    # --- values

    def search(self, text: object) -> list[dict[str, str]]:
        """Return the collectivités that answer a text being typed: value, label and detail of each."""
        if self._base is None or not isinstance(text, str):
            return []
        asked = text[:MOST_CHARACTERS].strip()
        if asked and not any(letter.isalnum() for letter in asked):
            return []
        found = find_collectivites(self._base, asked, limit=MOST_PROPOSALS, nomenclature=self.nomenclature)
        return [
            {
                "value": str(one["siret"]),
                "label": str(one["libelle"]),
                "detail": f"SIRET {one['siret']} · {one['premier_exercice']} à {one['dernier_exercice']}",
            }
            for one in found.to_dict("records")
        ]

    def add_collectivite(self, siret: object) -> None:
        """Show the values of a collectivité too."""
        if not isinstance(siret, str) or not (siret.isascii() and siret.isalnum() and len(siret) == 14):
            raise _unknown("Collectivité", siret)
        if siret in self._accounts:
            return
        if len(self._accounts) >= MOST_COLLECTIVITES:
            raise WorkbenchError("collectivites_trop_nombreuses", limite=MOST_COLLECTIVITES)
        self._read(siret)

    def _read(self, siret: str) -> None:
        if self._base is None:
            raise _unknown("Collectivité", siret)
        found = find_collectivites(self._base, siret, limit=1)
        if found.empty:
            raise _unknown("Collectivité", siret)
        accounts = Accounts(self._base, sirets=[siret], exercices=self._known_exercices, nomenclature=self.nomenclature)
        self._read_as = self.nomenclature
        self._accounts[siret] = (str(found.iloc[0]["libelle"]), accounts)

    def remove_collectivite(self, siret: object) -> None:
        """Show it no more."""
        if isinstance(siret, str):
            self._accounts.pop(siret, None)

    def choose_period(self, debut: object, fin: object) -> None:
        """Show the exercices from one to another, both included."""
        years = {str(year): year for year in self._known_exercices}
        for bound in (debut, fin):
            if not isinstance(bound, str) or bound not in years:
                raise _unknown("Exercice", bound)
        first, last = sorted((years[str(debut)], years[str(fin)]))
        self.exercices = tuple(year for year in self._known_exercices if first <= year <= last)

    def choices(self) -> dict[str, Any]:
        """Return what can be chosen, and what is."""
        plan = self.plan
        return {
            "base": self._base is not None,
            "collectivites": [{"value": siret, "label": name} for siret, (name, _) in self._accounts.items()],
            "exercices": [str(year) for year in self._known_exercices],
            "debut": str(self.exercices[0]) if self.exercices else "",
            "fin": str(self.exercices[-1]) if self.exercices else "",
            "plans": [str(year) for year in self.plan_exercices],
            "plan": str(plan.exercice) if plan is not None else "",
            "nomenclature": self.nomenclature or "",
            "libelles": plan is not None and plan.source == "libellés",
            "trame": self.trame.code if self.trame is not None else "",
            "code": self.code,
        }

    def values(self) -> dict[str, Any] | None:
        """Evaluate the formule on what is chosen; None while it is wrong or nothing is chosen.

        Returns
        -------
        dict
            ``exercices``, and ``rows``: siret, label and one text an exercice, ``""`` where there are no accounts.
        """
        if not self.right or not self._accounts:
            return None
        trame, one = self._in_trame()
        rows = []
        for siret, (label, accounts) in self._accounts.items():
            try:
                found = accounts.values(trame, one.code)
            except (OverflowError, WorkbenchError) as error:
                message = error.message if isinstance(error, WorkbenchError) else "Valeur trop grande."
                rows.append({"siret": siret, "label": label, "cells": [], "problem": message})
                continue
            texts = [self._written(found[year]) if year in found else "" for year in self.exercices]
            rows.append({"siret": siret, "label": label, "cells": texts, "problem": ""})
        return {"exercices": list(self.exercices), "rows": rows}

    def table_of(self, trame: Trame) -> dict[str, Any] | None:
        """Evaluate a whole trame for the first collectivité chosen, as texts; None when there is none."""
        if not self._accounts:
            return None
        name, accounts = next(iter(self._accounts.values()))
        shown = [year for year in self.exercices if year in accounts.exercices]
        found = accounts.table(trame)
        rows = [
            {
                "code": one.code,
                "libelle": one.libelle,
                "cells": [
                    format_value(found[one.code][year], one.unite, decimals=3 if one.unite == "ratio" else 2)
                    for year in shown
                ],
            }
            for one in trame.indicateurs
        ]
        return {"title": name, "exercices": shown, "rows": rows}

    def _written(self, value: float) -> str:
        return format_value(value, self.unite, decimals=3 if self.unite == "ratio" else 2)

    def wish(self, siret: object, exercice: object) -> None:
        """Choose the value that is explained; what is none is left aside."""
        known = isinstance(siret, str) and siret in self._accounts
        if known and isinstance(exercice, int) and not isinstance(exercice, bool):
            self._wanted = (str(siret), exercice)

    def explanation(self) -> dict[str, Any] | None:
        """Say where the value chosen, or else the last of the first collectivité, comes from."""
        self._explained = None
        if not self.right or not self._accounts:
            return None
        siret, exercice = self._wanted or ("", 0)
        if siret not in self._accounts:
            siret, exercice = next(iter(self._accounts)), 0
        name, accounts = self._accounts[siret]
        shown = [year for year in self.exercices if year in accounts.exercices]
        if not shown:
            return None
        exercice = exercice if exercice in shown else shown[-1]
        trame, one = self._in_trame()
        try:
            why = accounts.explain(trame, one.code, exercice)
            tree = explanation_tree(why, unites_of(trame), levels=3)
            written = self._written(why.value)
        except (OverflowError, WorkbenchError):
            return None
        self._explained, self._unites = why, unites_of(trame)
        return {"siret": siret, "exercice": exercice, "title": f"{name}, {exercice} : {written}", "tree": tree}

    def expansion(self, path: object) -> dict[str, Any] | None:
        """Return one more level of the value explained, at a path; None when there is none."""
        if self._explained is None or not isinstance(path, list):
            return None
        node = node_at(self._explained, path)
        return None if node is None else explanation_tree(node, self._unites, levels=1)


def _nearest(plan: PlanComptes, prefix: str) -> str:
    above = plan.nearest_above(prefix)
    return f"Le plus proche : {above}." if above is not None else ""


def _unknown(field: str, value: object) -> WorkbenchError:
    return WorkbenchError("choix_inconnu", champ=field, valeur=str(value)[:MOST_CHARACTERS])
