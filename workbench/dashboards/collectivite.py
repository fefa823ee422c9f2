"""What the page of a collectivité shows and what its visitor may choose, without a widget.

A choice goes down: the nomenclature decides the trames offered, the collectivité the exercices, and all four the
table. Each choice comes from a browser, so each is checked against what is offered at that moment; nothing else
is believed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from workbench.dashboards.chosen_budget import MOST_CHARACTERS, Collectivite, read_collectivite, unknown_choice
from workbench.dashboards.documents import Document
from workbench.dashboards.notices import ASK_FOR_BADGES, NOTHING_OPENED, notice
from workbench.dashboards.presentation import figure_rows, proposal_detail, shown_chart, validity
from workbench.dashboards.situation import SituationView
from workbench.dgfip import Base, base_info, keeps_nomenclature
from workbench.errors import WorkbenchError
from workbench.evaluation import Explanation, evaluate, explain
from workbench.evaluation.results import IndicateurTable
from workbench.reports.comments import comments
from workbench.reports.comparative import compared_indicateurs, with_population
from workbench.reports.numbers import format_value
from workbench.reports.series import exercices_of, name_of
from workbench.reports.visible_budgets import VisibleBudgets, visible_budgets
from workbench.trames import Trame, TrameSummary, list_trames, load_trame, modele_path
from workbench.widgets.explanations import explanation_tree, node_at, unites_of

__all__ = ["CollectiviteView"]

MOST_EXERCICES = 8
"""Exercices shown at first, the latest; the period can be widened."""

MOST_PROPOSALS = 20
"""Proposals of the type-ahead."""

MOST_CHARTS = 6
"""Charts shown at once."""

MONTANTS = ("total", "habitant")
"""How amounts in euros are shown: as they are, or per inhabitant."""


class CollectiviteView:
    """The state of the page, one for each visitor.

    Parameters
    ----------
    base
        The accounting base, open read-only.
    folder
        Folder of the trames.
    visible
        What the visitor may see of the base; by default what the store says, where it is asked.

    Raises
    ------
    WorkbenchError
        ``base_sans_comptes``, or ``trames_absentes`` when no trame suits the base.
    """

    def __init__(self, base: Base, folder: Path, visible: VisibleBudgets | None = None) -> None:
        self._base = base
        self.visible = visible or visible_budgets(base)
        self._closed = self.visible.nothing
        self.situation = SituationView(base, self.visible)
        present = [name for name in base_info(base).nomenclatures if name]
        if not present:
            raise WorkbenchError("base_sans_comptes")
        summaries = list_trames(folder)
        self._unread = [one for one in summaries if one.errors]
        right = [one for one in summaries if not one.errors]
        suited = {
            name: [one for one in right if one.nomenclature is None or keeps_nomenclature(one.nomenclature, name)]
            for name in present
        }
        for one in right:
            # A serie is also a choice of its own: every exercice of the collectivité, whatever the nomenclature.
            if one.nomenclature and "+" in one.nomenclature and any(one in trames for trames in suited.values()):
                suited.setdefault(one.nomenclature, []).append(one)
        self._offered = {name: trames for name, trames in suited.items() if trames}
        if not self._offered:
            raise WorkbenchError("trames_absentes", dossier=folder.name, nomenclatures=", ".join(present))
        self._loaded: dict[Path, Trame] = {}
        self.nomenclature: str = next(iter(self._offered))
        self._summary: TrameSummary = self._offered[self.nomenclature][0]
        self.collectivite: Collectivite | None = None
        self.debut: int | None = None
        self.fin: int | None = None
        self.montants = "total"
        self.table: IndicateurTable | None = None
        self.amounts: IndicateurTable | None = None
        self.drawn: tuple[str, ...] = ()
        self._explained: Explanation | None = None

    # What is offered

    @property
    def trame(self) -> Trame:
        """The trame chosen, read from its file when first needed."""
        path = self._summary.path
        if path not in self._loaded:
            self._loaded[path] = load_trame(path)
        return self._loaded[path]

    @property
    def exercices(self) -> tuple[int, ...]:
        """Exercices of the collectivité in the nomenclature, ascending."""
        if self.collectivite is None:
            return ()
        known = self.collectivite.exercices.items()
        kept = (years for name, years in known if keeps_nomenclature(self.nomenclature, name))
        return tuple(sorted({year for years in kept for year in years}))

    def search(self, text: object) -> list[dict[str, str]]:
        """Return proposals for a text being typed: value, label and detail of each."""
        if not isinstance(text, str):
            return []
        asked = text[:MOST_CHARACTERS].strip()
        if asked and not any(letter.isalnum() for letter in asked):
            return []
        found = self.visible.find(asked, MOST_PROPOSALS)
        return [
            {"value": str(one["siret"]), "label": str(one["libelle"]), "detail": proposal_detail(one)}
            for one in found.to_dict("records")
        ]

    def form(self) -> dict[str, Any]:
        """Return the choices and what is chosen, for the form."""
        return {
            "nomenclatures": [{"value": name, "label": name} for name in self._offered],
            "nomenclature": self.nomenclature,
            "trames": [
                {"value": trame.code, "label": trame.libelle or trame.code}
                for trame in self._offered[self.nomenclature]
            ],
            "trame": self._summary.code,
            "collectivite": self.collectivite.libelle if self.collectivite else "",
            "exercices": [{"value": str(exercice), "label": str(exercice)} for exercice in self.exercices],
            "debut": str(self.debut or ""),
            "fin": str(self.fin or ""),
            "montants": self.montants,
            "about": self._summary.description.strip(),
        }

    # What is chosen

    def choose(self, field: object, value: object) -> None:
        """Take a choice of the visitor and compute the table again.

        Parameters
        ----------
        field
            ``nomenclature``, ``trame``, ``collectivite`` (a SIRET), ``debut``, ``fin``, or ``montants``: ``total`` or
            ``habitant``.
        value
            Text, as a browser sends it; must be among what is offered.

        Raises
        ------
        WorkbenchError
            ``choix_inconnu``, and then nothing has changed; ``comptes_absents`` when the collectivité has no
            comptes in the nomenclature, and then there is no table.
        """
        if not isinstance(field, str) or not isinstance(value, str):
            raise WorkbenchError("choix_inconnu", champ="Choix", valeur="?")
        if field == "nomenclature":
            if value not in self._offered:
                raise unknown_choice("Nomenclature", value)
            same = self._summary.code
            self.nomenclature = value
            self._summary = next((one for one in self._offered[value] if one.code == same), self._offered[value][0])
            self._open_period()
        elif field == "trame":
            summary = next((one for one in self._offered[self.nomenclature] if one.code == value), None)
            if summary is None:
                raise unknown_choice("Trame", value)
            self._summary = summary
        elif field == "collectivite":
            if not self.visible.sees(value):
                raise unknown_choice("Collectivité", value)
            self.collectivite = read_collectivite(self._base, value)
            self._open_period()
        elif field in ("debut", "fin"):
            self._choose_exercice(field, value)
        elif field == "montants" and value in MONTANTS:
            self.montants = value
        else:
            raise unknown_choice("Choix", field)
        self.evaluate()

    def _choose_exercice(self, field: str, value: str) -> None:
        exercice = next((one for one in self.exercices if str(one) == value), None)
        if exercice is None or self.debut is None or self.fin is None:
            raise unknown_choice("Exercice", value)
        # A period whose end would come first is moved, not refused: the other bound follows.
        if field == "debut":
            self.debut, self.fin = exercice, max(exercice, self.fin)
        else:
            self.debut, self.fin = min(exercice, self.debut), exercice

    def _open_period(self) -> None:
        latest = self.exercices[-MOST_EXERCICES:]
        self.debut, self.fin = (latest[0], latest[-1]) if latest else (None, None)

    def evaluate(self) -> None:
        """Compute the table of what is chosen; None as long as no collectivité is."""
        self.table = self.amounts = self._explained = None
        self.drawn = ()
        self.situation.about()
        if self.collectivite is None:
            return
        if not self.visible.sees(self.collectivite.siret):
            raise unknown_choice("Collectivité", self.collectivite.siret)
        if self.debut is None or self.fin is None:
            others = ", ".join(self.collectivite.exercices)
            raise WorkbenchError(
                "comptes_absents",
                collectivite=self.collectivite.libelle,
                nomenclature=self.nomenclature,
                autres=others or "aucune nomenclature",
            )
        per_inhabitant = self.montants == "habitant"
        whole = evaluate(
            with_population(self.trame) if per_inhabitant else self.trame,
            self._base,
            sirets=[self.collectivite.siret],
            exercices=range(self.debut, self.fin + 1),
            nomenclature=self.nomenclature,
        )
        self.amounts = self.table = whole
        if per_inhabitant:
            self.amounts = whole.loc[list(self.trame.codes)]
            self.table = whole.loc[[one.code for _, one in compared_indicateurs(whole.provenance.trame)]]
        present = whole.provenance.exercices
        self.situation.about(self.trame, self.collectivite.siret, present, self.nomenclature)

    # What is shown

    def notices(self) -> list[dict[str, str]]:
        """Return what the reader must know: that nothing is open to her, warnings, trames that cannot be read."""
        warnings = self.table.provenance.avertissements if self.table is not None else ()
        return [
            *([notice(NOTHING_OPENED, ASK_FOR_BADGES)] if self._closed else []),
            *({"kind": "avertissement", "message": text, "hint": ""} for text in warnings),
            *(
                {
                    "kind": "avertissement",
                    "message": f"La trame {one.path.name} n'est pas proposée : elle comporte des erreurs.",
                    "hint": f"Pour les voir : workbench trame check {one.path.name}",
                }
                for one in self._unread
            ),
        ]

    def remarks(self) -> list[dict[str, Any]]:
        """Return what the thresholds and the changes of the figures have to say, each with its rule."""
        if self.table is None or self.amounts is None:
            return []
        return [
            {
                "gravite": one.gravite,
                "texte": one.texte,
                "source": one.source,
                "code": one.indicateur if one.indicateur in self.table.index else "",
                "exercice": one.exercice,
            }
            for one in comments(self.amounts)
        ]

    def figures(self) -> dict[str, Any] | None:
        """Return the table for the reader: exercices, and rows of texts under their themes."""
        if self.table is None or self.collectivite is None:
            return None
        return figure_rows(self.table, f"{self.trame.libelle or self.trame.code} — {self.collectivite.libelle}")

    def explanation(self, code: object, exercice: object) -> dict[str, Any] | None:
        """Return where a figure comes from; None when the table has no such figure."""
        table = self.table
        if table is None or not isinstance(code, str) or code not in table.index:
            return None
        if isinstance(exercice, bool) or not isinstance(exercice, int) or exercice not in exercices_of(table):
            return None
        indicateur = table.provenance.trame[code]
        self._explained = explain(table, code, exercice)
        value = format_value(self._explained.value, indicateur.unite, decimals=3 if indicateur.unite == "ratio" else 2)
        return {
            "code": code,
            "exercice": exercice,
            "title": f"{name_of(indicateur)}, {exercice} : {value}",
            "description": indicateur.description.strip(),
            "formules": [
                {"texte": formule.texte, "validite": validity(formule)}
                for trame in table.provenance.trames_by_exercice[exercice]
                if code in trame
                for formule in trame[code].formules
                if (formule.exercice_min or exercice) <= exercice <= (formule.exercice_max or exercice)
            ],
            "reference": indicateur.reference.strip(),
            "tree": explanation_tree(self._explained, unites_of(table.provenance.trame)),
        }

    def expansion(self, path: object) -> dict[str, Any] | None:
        """Return one more level of the figure being explained, at a path; None when there is none."""
        if self._explained is None or self.table is None or not isinstance(path, list):
            return None
        node = node_at(self._explained, path)
        return None if node is None else explanation_tree(node, unites_of(self.table.provenance.trame), levels=1)

    def draw(self, code: object) -> None:
        """Put an indicateur in the charts, or take it out."""
        if self.table is None or not isinstance(code, str) or code not in self.table.index:
            return
        self.drawn = tuple(one for one in self.drawn if one != code) if code in self.drawn else (*self.drawn, code)

    def undraw(self) -> None:
        """Go back to the charts of the key figures."""
        self.drawn = ()

    def charts(self) -> list[dict[str, Any]]:
        """Return the charts, as plotly reads them: the indicateurs drawn, or else the key figures."""
        if self.table is None or not len(self.table.columns):
            return []
        from workbench.reports import charts

        if self.drawn:
            figures = charts.theme_charts(self.table.loc[list(self.drawn)])
        else:
            figures = (charts.key_charts(self.table) or charts.theme_charts(self.table))[:MOST_CHARTS]
        return [shown_chart(figure) for figure in figures]

    def documents(self) -> list[dict[str, str]]:
        """Return the files that can be taken away."""
        if self.table is None:
            return []
        files = [
            ("rapport", "Télécharger le tableau (Excel)", "Les indicateurs, et le périmètre"),
            ("csv", "Télécharger le tableau (CSV)", "Les chiffres du tableau, pour un tableur ou un programme"),
            ("comparaison", "Télécharger la comparaison (Excel)", "La collectivité, sa strate et ses semblables"),
            ("balance", "Télécharger la balance (Excel)", "Tous les comptes de la période"),
            ("pdf", "Télécharger la page (PDF)", "Ce que la page montre, pour l'imprimer ou le joindre"),
        ]
        shown = [each for each in files if each[0] != "comparaison" or self.situation.found is not None]
        return [{"value": value, "label": label, "description": description} for value, label, description in shown]

    def document(self, name: object) -> Document | None:
        """Write a file; None when it is not one of `documents`."""
        if self.table is None or self.collectivite is None or self.debut is None or self.fin is None:
            return None
        if not self.visible.sees(self.collectivite.siret):
            raise unknown_choice("Collectivité", self.collectivite.siret)
        from workbench.dashboards import collectivite_files as files

        stem = f"{self.collectivite.siret}_{self.debut}-{self.fin}"
        code = self.trame.code if self.montants == "total" else f"{self.trame.code}_par_habitant"
        match name:
            case "rapport":
                model = modele_path(self.trame, self._summary.path) if self.montants == "total" else None
                return files.workbook(self.table, model, f"{code}_{stem}.xlsx")
            case "csv":
                return files.figures_csv(self.table, f"{code}_{stem}.csv")
            case "comparaison" if (found := self.situation.found) is not None:
                return files.comparison(found, self.situation.exercice, f"comparaison_{self.trame.code}_{stem}.xlsx")
            case "balance":
                years = range(self.debut, self.fin + 1)
                return files.balance(self._base, self.collectivite.siret, years, f"balance_{stem}.xlsx")
            case "pdf":
                return files.page_pdf(self, f"{code}_{stem}.pdf")
        return None
