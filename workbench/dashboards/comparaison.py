"""What the page that compares many collectivités shows and what its visitor may choose, without a widget.

The perimeter is chosen as in the assisted query, by the same words and the same checks. It is narrowed to what the
visitor may see before anything is evaluated. Each choice comes from a browser, so each is checked against what is
offered at that moment; a refused one changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from workbench.dashboards.chosen_budget import MOST_CHARACTERS, unknown_choice
from workbench.dashboards.comparaison_answer import Answer, answer, distribution_table, notes_of, perimetre_text
from workbench.dashboards.documents import Document
from workbench.dashboards.notices import ASK_FOR_BADGES, NOTHING_OPENED
from workbench.dashboards.presentation import proposal_detail, shown_chart
from workbench.dgfip import Base, Perimetre, base_info, connect, keeps_nomenclature
from workbench.errors import WorkbenchError
from workbench.reports.comparative import HABITANT, with_population
from workbench.reports.numbers import typeset
from workbench.reports.panorama import Panorama, panorama
from workbench.reports.series import NO_THEME, name_of
from workbench.reports.visible_budgets import VisibleBudgets, visible_budgets
from workbench.trames import Indicateur, Trame, TrameSummary, list_trames, load_trame
from workbench.widgets.query_choices import QueryChoices
from workbench.widgets.query_view import QueryPanelView

__all__ = ["ComparaisonView"]

PERIMETRE = frozenset({"departements", "types", "nomenclature", "population", "sirets", "epci"})
"""The fields of the assisted query that choose budgets."""

MONTANTS = ("habitant", "total")
CARTES = ("departement", "commune")
COMMUNE = "101"
MOST_FOLLOWED = 5
MOST_PROPOSALS = 20
MOST_KEPT = 6

Key = tuple[str, str, str, Perimetre]


class ComparaisonView:
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
        self._beside: Base | None = None
        self.visible = visible or visible_budgets(base)
        present = [name for name in base_info(base).nomenclatures if name]
        if not present:
            raise WorkbenchError("base_sans_comptes")
        self._trames: dict[str, TrameSummary] = {
            one.code: one
            for one in list_trames(folder)
            if not one.errors
            and (one.nomenclature is None or any(keeps_nomenclature(one.nomenclature, each) for each in present))
        }
        if not self._trames:
            raise WorkbenchError("trames_absentes", dossier=folder.name, nomenclatures=", ".join(present))
        self._loaded: dict[str, Trame] = {}
        self.panel = QueryPanelView(base)
        self.panel.choices = QueryChoices(base, lambda: self.visible.sirets)
        self.montants = MONTANTS[0]
        self.exercice: int | None = None
        self._exercices: tuple[int, ...] = ()
        self.followed: dict[str, str] = {}
        self.order, self.page = "desc", 0
        self.carte = CARTES[0]
        self.found: Panorama | None = None
        self._kept: dict[Key, Panorama] = {}
        # A serie goes on when budgets change their nomenclature.
        self._trame = next(
            (code for code, one in self._trames.items() if "+" in (one.nomenclature or "")), next(iter(self._trames))
        )
        self.indicateur, self.autre = self._first(), ""
        if COMMUNE in {each["value"] for each in self.lists()["types"]}:
            # Communes and syndicats are not alike.
            self.panel.change("types", [COMMUNE])

    # What is offered

    @property
    def trame(self) -> Trame:
        """The trame chosen, read from its file when first needed, with its amounts per inhabitant."""
        if self._trame not in self._loaded:
            self._loaded[self._trame] = with_population(load_trame(self._trames[self._trame].path))
        return self._loaded[self._trame]

    @property
    def _offered(self) -> list[Indicateur]:
        """The indicateurs that may be chosen: what is per inhabitant is said apart."""
        known = self.trame
        return [
            one
            for one in known.indicateurs
            if not (one.code.endswith(HABITANT) and one.code.removesuffix(HABITANT) in known)
        ]

    def _first(self) -> str:
        offered = self._offered
        usual = ("_EPARGNE_BRUTE", "_CAF", "_CAF_BRUTE", "_ENCOURS_DETTE")
        return next((one.code for end in usual for one in offered if one.code.endswith(end)), offered[0].code)

    def lists(self) -> dict[str, list[dict[str, Any]]]:
        """Return the lists of the perimeter, which do not change."""
        wanted = ("departements", "types", "nomenclatures")
        return {name: choices for name, choices in self.panel.lists().items() if name in wanted}

    def form(self) -> dict[str, Any]:
        """Return the choices and what is chosen, for the form; those of the perimeter as in the assisted query."""
        themes: dict[str, list[dict[str, str]]] = {}
        for one in self._offered:
            themes.setdefault(one.theme or NO_THEME, []).append({"value": one.code, "label": name_of(one)})
        asked = self.panel.form()
        return {
            **{name: asked[name] for name in (*PERIMETRE, "others")},
            "trames": [{"value": code, "label": one.libelle or code} for code, one in self._trames.items()],
            "trame": self._trame,
            "themes": [{"theme": theme, "indicateurs": ones} for theme, ones in themes.items()],
            "indicateur": self.indicateur,
            "autre": self.autre,
            "montants": self.montants,
            "exercices": [{"value": str(year), "label": str(year)} for year in reversed(self._exercices)],
            "exercice": str(self.exercice or ""),
            "description": self.trame[self.indicateur].description.strip(),
        }

    def search(self, what: object, text: object) -> list[dict[str, Any]]:
        """Propose what completes a text: ``sirets``, ``epci``, or ``followed``, a collectivité to point at."""
        if what == "followed":
            if not isinstance(text, str):
                return []
            found = self.visible.find(text[:MOST_CHARACTERS].strip(), MOST_PROPOSALS)
            rows: list[dict[Any, Any]] = found.to_dict("records")
            return [
                {"value": str(one["siret"]), "label": str(one["libelle"]), "detail": proposal_detail(one)}
                for one in rows
            ]
        return self.panel.search(what, text) if what in ("sirets", "epci") else []

    # What is chosen

    def choose(self, field: object, value: object) -> bool:
        """Take a choice of the visitor.

        Parameters
        ----------
        field
            ``trame``, ``indicateur``, ``autre`` (empty for none), ``montants``, ``exercice``, ``order``, ``page``,
            ``carte``, ``follow``, ``unfollow``, or a field of the perimeter.
        value
            As a browser sends it.

        Returns
        -------
        bool
            Whether there is something to compute again.

        Raises
        ------
        WorkbenchError
            ``choix_inconnu``, those of the assisted query, ``collectivites_trop_nombreuses``; then nothing has changed.
        """
        if isinstance(field, str) and field in PERIMETRE:
            self._choose_perimetre(field, value)
            return True
        if not isinstance(field, str) or not isinstance(value, str):
            raise unknown_choice("Choix", "?")
        match field:
            # While a comparison is made, the exercices of the former one stay: the one chosen is kept if it has it.
            case "exercice" if value in map(str, self._exercices):
                self.exercice, self.page = int(value), 0
                return False
            case "order" if value in ("asc", "desc"):
                self.order, self.page = value, 0
                return False
            case "carte" if value in CARTES:
                self.carte = value
                return False
            case "page" if value.isascii() and value.isdecimal() and len(value) < 7:
                self.page = int(value)
                return False
            case "follow":
                self._follow(value)
                return False
            case "unfollow":
                self.followed.pop(value, None)
                return False
        self._choose_indicateur(field, value)
        return True

    def _choose_perimetre(self, field: str, value: object) -> None:
        if (
            field == "sirets"
            and isinstance(value, list)
            and not all(isinstance(one, str) and self.visible.sees(one) for one in value)
        ):
            raise unknown_choice("Collectivité", "?")
        own = self.trame.nomenclature
        if (
            field == "nomenclature"
            and value
            and own
            and not (isinstance(value, str) and keeps_nomenclature(own, value))
        ):
            raise unknown_choice("Nomenclature", str(value))
        self.panel.change(field, value)
        self.page = 0

    def _choose_indicateur(self, field: str, value: str) -> None:
        offered = {one.code for one in self._offered}
        if field == "trame" and value in self._trames:
            former = self._trame
            self._trame = value
            try:
                self.indicateur = self.indicateur if self.indicateur in self.trame else self._first()
            except WorkbenchError:
                self._trame = former
                raise
            self.autre = self.autre if self.autre in self.trame else ""
            asked, own = self.panel.query.spec.perimetre.nomenclature, self.trame.nomenclature
            if asked and own and not keeps_nomenclature(own, asked):
                self.panel.change("nomenclature", "")
        elif field == "indicateur" and value in offered:
            self.indicateur = value
        elif field == "autre" and (not value or value in offered):
            self.autre = value
        elif field == "montants" and value in MONTANTS:
            self.montants = value
        else:
            raise unknown_choice({"trame": "Trame", "exercice": "Exercice"}.get(field, "Choix"), value)
        self.page = 0

    def _follow(self, siret: str) -> None:
        known = len(siret) == 14 and siret.isascii() and siret.isalnum() and self.visible.sees(siret)
        found = self.visible.find(siret, 1) if known else None
        if found is None or not len(found) or found["siret"].iloc[0] != siret:
            raise unknown_choice("Collectivité", siret)
        if siret not in self.followed and len(self.followed) >= MOST_FOLLOWED:
            raise WorkbenchError("collectivites_trop_nombreuses", limite=MOST_FOLLOWED)
        self.followed[siret] = str(found["libelle"].iloc[0])

    def _shown(self, code: str) -> str:
        """The code of what is shown of an indicateur: an amount may be per inhabitant."""
        habitant = code + HABITANT
        return habitant if self.montants == "habitant" and code and self.trame[code].unite == "euros" else code

    # What is computed, beside the kernel's thread

    def job(self) -> Callable[[], Panorama]:
        """Return what computes the comparison, for another thread."""
        trame, code = self.trame, self._shown(self.indicateur)
        other = self._shown(self.autre) if self.autre != self.indicateur else ""
        # Narrowed here and now: what goes on beside never asks for more.
        perimetre = self.visible.narrow(self.panel.query.spec.perimetre)
        key = (self._trame, code, other, perimetre)
        self.found = None

        def compute() -> Panorama:
            known = self._kept.pop(key, None)
            if known is None:
                if self._beside is None:
                    # A connection serves one thread at a time.
                    self._beside = connect(self._base.url, snapshot=self._base.snapshot)
                known = panorama(trame, self._beside, perimetre, code, other)
            self._kept[key] = known
            while len(self._kept) > MOST_KEPT:
                del self._kept[next(iter(self._kept))]
            return known

        return compute

    def take(self, found: Panorama) -> None:
        """Show what was computed."""
        self.found, self._exercices = found, found.exercices
        if self.exercice not in found.exercices:
            self.exercice = found.exercices[-1] if found.exercices else None

    # What is shown

    def shown(self) -> Answer:
        """Return the comparison for the reader: summary, map, ranking, notes; ``pending`` while it is being made."""
        if self.found is None:
            return {"pending": True}
        if self.exercice is None:
            if self.visible.nothing:
                return {"pending": False, "empty": f"{NOTHING_OPENED} {ASK_FOR_BADGES}"}
            return {
                "pending": False,
                "empty": "Aucun budget principal du périmètre n'a de comptes dans cette nomenclature.",
            }
        descending = self.order == "desc"
        said = answer(self.found, self.exercice, self.followed, descending=descending, page=self.page, carte=self.carte)
        self.page = said["ranking"]["page"]
        return said

    def charts(self) -> list[dict[str, Any]]:
        """Return the charts, as plotly reads them: distribution, evolution, and the second indicateur if any."""
        if self.found is None or self.exercice is None:
            return []
        from workbench.reports import panorama_charts as charts

        drawn = [
            charts.distribution_chart(self.found, self.exercice, self.followed),
            charts.evolution_chart(self.found, self.followed),
            charts.scatter_chart(self.found, self.exercice, self.followed),
        ]
        figures = [shown_chart(chart.figure) for chart in drawn if chart is not None]
        figures[0]["rows"] = distribution_table(self.found, self.exercice)
        return figures

    def notes(self) -> list[str]:
        """Return what must be known of the comparison: perimeter, definitions, what is left out."""
        if self.found is None or self.exercice is None:
            return []
        criteria = perimetre_text(self.panel.form())
        return [typeset(note) for note in (criteria, *notes_of(self.found, self.exercice))]

    def documents(self) -> list[dict[str, str]]:
        """Return the files that can be taken away."""
        if self.found is None or self.exercice is None:
            return []
        files = [
            ("excel", "Télécharger la comparaison (Excel)", "Classement, départements et évolution"),
            ("csv", "Télécharger le classement (CSV)", "Une ligne par collectivité"),
            ("pdf", "Télécharger la page (PDF)", "Ce que la page montre, pour l'imprimer ou le joindre"),
        ]
        return [{"value": value, "label": label, "description": description} for value, label, description in files]

    def document(self, name: object) -> Document | None:
        """Write a file; None when it is not one of `documents`."""
        if self.found is None or self.exercice is None:
            return None
        from workbench.dashboards import comparaison_files as files

        stem = f"comparaison_{self._shown(self.indicateur)}_{self.exercice}"
        match name:
            case "excel":
                return files.workbook(self.found, self.exercice, self.notes(), f"{stem}.xlsx")
            case "csv":
                return files.ranking_csv(self.found, self.exercice, f"{stem}.csv")
            case "pdf":
                title = f"{name_of(self.found.indicateur)}, {self.exercice}"
                return files.page_pdf(self.found, self.exercice, title, self.notes(), self.charts(), f"{stem}.pdf")
        return None
