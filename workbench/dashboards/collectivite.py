"""What the page of a collectivité shows and what its visitor may choose, without a widget.

A choice goes down: the nomenclature decides the trames offered, the collectivité the exercices, and all four the
table. Each choice comes from a browser, so each is checked against what is offered at that moment; nothing else
is believed.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.dashboards.presentation import figure_rows, proposal_detail, validity
from workbench.dgfip import Base, base_info, find_collectivites, keeps_nomenclature, perimetre, select_budgets
from workbench.errors import WorkbenchError
from workbench.evaluation import Explanation, evaluate, explain
from workbench.evaluation.results import IndicateurTable
from workbench.reports.numbers import format_value
from workbench.reports.series import exercices_of, name_of
from workbench.trames import Trame, TrameSummary, list_trames, load_trame, modele_path
from workbench.widgets.explanations import explanation_tree, node_at, unites_of

__all__ = ["CollectiviteView", "Document"]

MOST_EXERCICES = 8
"""Exercices shown at first, the latest; the period can be widened."""

MOST_PROPOSALS = 20
"""Proposals of the type-ahead."""

MOST_CHARACTERS = 80
"""Characters of a search that are read."""

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


MOST_CHARTS = 6
"""Charts shown at once."""


@dataclass(frozen=True)
class Collectivite:
    """A budget that was chosen.

    Parameters
    ----------
    siret
        Fourteen characters.
    libelle
        Its latest label.
    exercices
        Exercices that have comptes, ascending, by nomenclature.
    """

    siret: str
    libelle: str
    exercices: Mapping[str, tuple[int, ...]]


@dataclass(frozen=True)
class Document:
    """A file for the visitor.

    Parameters
    ----------
    name
        ASCII name of the file.
    content
        Its bytes.
    media_type
        MIME type.
    """

    name: str
    content: bytes
    media_type: str = XLSX


class CollectiviteView:
    """The state of the page, one for each visitor.

    Parameters
    ----------
    base
        The accounting base, open read-only.
    folder
        Folder of the trames.

    Raises
    ------
    WorkbenchError
        ``base_sans_comptes``, or ``trames_absentes`` when no trame suits the base.
    """

    def __init__(self, base: Base, folder: Path) -> None:
        self._base = base
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
        self.table: IndicateurTable | None = None
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
        found = find_collectivites(self._base, asked, limit=MOST_PROPOSALS)
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
            "about": self._summary.description.strip(),
        }

    # What is chosen

    def choose(self, field: object, value: object) -> None:
        """Take a choice of the visitor and compute the table again.

        Parameters
        ----------
        field
            ``nomenclature``, ``trame``, ``collectivite`` (a SIRET), ``debut`` or ``fin``.
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
                raise _unknown("Nomenclature", value)
            same = self._summary.code
            self.nomenclature = value
            self._summary = next((one for one in self._offered[value] if one.code == same), self._offered[value][0])
            self._open_period()
        elif field == "trame":
            summary = next((one for one in self._offered[self.nomenclature] if one.code == value), None)
            if summary is None:
                raise _unknown("Trame", value)
            self._summary = summary
        elif field == "collectivite":
            self.collectivite = _collectivite(self._base, value)
            self._open_period()
        elif field in ("debut", "fin"):
            self._choose_exercice(field, value)
        else:
            raise _unknown("Choix", field)
        self.evaluate()

    def _choose_exercice(self, field: str, value: str) -> None:
        exercice = next((one for one in self.exercices if str(one) == value), None)
        if exercice is None or self.debut is None or self.fin is None:
            raise _unknown("Exercice", value)
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
        self.table = self._explained = None
        self.drawn = ()
        if self.collectivite is None:
            return
        if self.debut is None or self.fin is None:
            others = ", ".join(self.collectivite.exercices)
            raise WorkbenchError(
                "comptes_absents",
                collectivite=self.collectivite.libelle,
                nomenclature=self.nomenclature,
                autres=others or "aucune nomenclature",
            )
        self.table = evaluate(
            self.trame,
            self._base,
            sirets=[self.collectivite.siret],
            exercices=range(self.debut, self.fin + 1),
            nomenclature=self.nomenclature,
        )

    # What is shown

    def notices(self) -> list[dict[str, str]]:
        """Return what the reader must know: the warnings of the table, and the trames that cannot be read."""
        warnings = self.table.provenance.avertissements if self.table is not None else ()
        return [
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
        indicateur = self.trame[code]
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
            "tree": explanation_tree(self._explained, unites_of(self.trame)),
        }

    def expansion(self, path: object) -> dict[str, Any] | None:
        """Return one more level of the figure being explained, at a path; None when there is none."""
        if self._explained is None or not isinstance(path, list):
            return None
        node = node_at(self._explained, path)
        return None if node is None else explanation_tree(node, unites_of(self.trame), levels=1)

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
        return [
            {**(bundle := charts.bundle(figure))[charts.PLOTLY_MIME], "alternative": bundle["text/plain"]}
            for figure in figures
        ]

    def documents(self) -> list[dict[str, str]]:
        """Return the files that can be taken away."""
        if self.table is None:
            return []
        return [
            {
                "value": "rapport",
                "label": "Télécharger le tableau (Excel)",
                "description": "Les indicateurs, et le périmètre",
            },
            {
                "value": "balance",
                "label": "Télécharger la balance (Excel)",
                "description": "Tous les comptes de la période",
            },
        ]

    def document(self, name: object) -> Document | None:
        """Write a file; None when it is not one of `documents`."""
        if self.table is None or self.collectivite is None or self.debut is None or self.fin is None:
            return None
        from workbench.reports import write_balance, write_excel

        stem = f"{self.collectivite.siret}_{self.debut}-{self.fin}.xlsx"
        with tempfile.TemporaryDirectory() as folder:
            if name == "rapport":
                path = Path(folder) / f"{self.trame.code}_{stem}"
                write_excel(self.table, model=modele_path(self.trame, self._summary.path), to=path)
            elif name == "balance":
                path = Path(folder) / f"balance_{stem}"
                write_balance(self._base, [self.collectivite.siret], range(self.debut, self.fin + 1), path)
            else:
                return None
            return Document(path.name, path.read_bytes())


def _collectivite(base: Base, siret: str) -> Collectivite:
    """Read a budget and its exercices; the SIRET comes from a browser."""
    found: list[dict[str, Any]] = []
    if siret.isalnum() and siret.isascii() and len(siret) == 14:
        found = select_budgets(base, perimetre(sirets=[siret])).to_pylist()
    if not found:
        raise _unknown("Collectivité", siret)
    exercices: dict[str, list[int]] = {}
    for budget in found:
        exercices.setdefault(budget["nomenclature"] or "", []).append(budget["exercice"])
    return Collectivite(siret, found[-1]["libelle"], {name: tuple(years) for name, years in exercices.items()})


def _unknown(field: str, value: str) -> WorkbenchError:
    return WorkbenchError("choix_inconnu", champ=field, valeur=value[:MOST_CHARACTERS])
