"""A collectivité among its like, as the page shows it: what may be chosen, and rows ready to read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from workbench.dashboards.chosen_budget import MOST_CHARACTERS, unknown_choice
from workbench.dashboards.presentation import proposal_detail, shown_chart
from workbench.dgfip import Base, connect, libelle_type_etablissement
from workbench.dgfip.strates import NO_STRATE, UNKNOWN_POPULATION
from workbench.errors import WorkbenchError
from workbench.reports.numbers import format_number, typeset, unite_of
from workbench.reports.series import name_of
from workbench.reports.situation import Situation, peers_like, situation
from workbench.reports.visible_budgets import FEWEST, VisibleBudgets
from workbench.trames import Indicateur, Trame

__all__ = ["MOST_PEERS", "SituationView"]

MOST_PEERS = 5
"""Peers that are shown beside a collectivité."""

MOST_PROPOSALS = 20
MOST_KEPT = 8
"""Comparisons kept at hand, for who goes back to a choice."""

NONE = "–"

Key = tuple[str, str, tuple[int, ...], str | None, tuple[str, ...]]


class SituationView:
    """What is compared, one for each visitor.

    Parameters
    ----------
    base
        The accounting base, open read-only.
    visible
        What the visitor may see of it.
    """

    def __init__(self, base: Base, visible: VisibleBudgets) -> None:
        self._base = base
        self._visible = visible
        self._beside: Base | None = None
        self._subject: tuple[Trame, str, tuple[int, ...], str | None] | None = None
        self._kept: dict[Key, Situation] = {}
        self.peers: tuple[str, ...] = ()
        self._names: dict[str, str] = {}
        self.exercice: int | None = None
        self.found: Situation | None = None
        self.drawn: tuple[str, ...] = ()

    def about(
        self,
        trame: Trame | None = None,
        siret: str = "",
        exercices: Sequence[int] = (),
        nomenclature: str | None = None,
    ) -> None:
        """Say what is compared; nothing when there are no exercices. What was found of something else is dropped."""
        former = self._subject
        self._subject = (trame, siret, tuple(exercices), nomenclature) if trame is not None and exercices else None
        self.peers = tuple(each for each in self.peers if each != siret)
        if self.exercice not in exercices:
            self.exercice = exercices[-1] if exercices else None
        if former is None or self._subject is None or former[0].code != self._subject[0].code:
            self.drawn = ()
        self.found = None

    # What is computed, beside the kernel's thread

    def job(self) -> Callable[[], Situation] | None:
        """Return what computes the comparison, for another thread; None when there is nothing to compare."""
        if self._subject is None:
            return None
        trame, siret, exercices, nomenclature = self._subject
        # A right may have been withdrawn since they were chosen.
        peers = tuple(each for each in self.peers if self._visible.sees(each))
        key = (trame.code, siret, exercices, nomenclature, peers)

        def compute() -> Situation:
            known = self._kept.pop(key, None)
            if known is None:
                if self._beside is None:
                    # A connection serves one thread at a time.
                    self._beside = connect(self._base.url, snapshot=self._base.snapshot)
                known = situation(
                    trame,
                    self._beside,
                    siret,
                    exercices,
                    nomenclature=nomenclature,
                    peers=peers,
                    tells=self._visible.tells,
                )
            self._kept[key] = known
            while len(self._kept) > MOST_KEPT:
                del self._kept[next(iter(self._kept))]
            return known

        return compute

    def take(self, found: Situation) -> None:
        """Show what was computed."""
        self.found = found
        self._names |= found.comparison.names

    # What is chosen

    def search(self, text: object) -> list[dict[str, str]]:
        """Propose peers for a text being typed: value, label and detail of each."""
        if not isinstance(text, str):
            return []
        asked = text[:MOST_CHARACTERS].strip()
        if asked and not any(letter.isalnum() for letter in asked):
            return []
        found = self._visible.find(asked, MOST_PROPOSALS)
        rows: list[dict[Any, Any]] = found.to_dict("records")
        return [
            {"value": str(one["siret"]), "label": str(one["libelle"]), "detail": proposal_detail(one)} for one in rows
        ]

    def add_peer(self, siret: object) -> None:
        """Show another collectivité beside this one.

        Raises
        ------
        WorkbenchError
            ``choix_inconnu`` for what is not a budget that the visitor may see, ``collectivites_trop_nombreuses``.
        """
        shown = siret if isinstance(siret, str) and len(siret) == 14 and siret.isascii() and siret.isalnum() else ""
        found = self._visible.find(shown, 1) if shown and self._visible.sees(shown) else None
        if self._subject is None or found is None or not len(found) or found["siret"].iloc[0] != shown:
            raise unknown_choice("Collectivité", str(siret))
        if shown == self._subject[1] or shown in self.peers:
            return
        if len(self.peers) >= MOST_PEERS:
            raise WorkbenchError("collectivites_trop_nombreuses", limite=MOST_PEERS)
        self._names[shown] = str(found["libelle"].iloc[0])
        self.peers = (*self.peers, shown)

    def remove_peer(self, siret: object) -> None:
        """Take a peer away; nothing happens when it is none."""
        self.peers = tuple(each for each in self.peers if each != siret)

    def propose_peers(self) -> None:
        """Take as peers the nearest of the same strate, as many as there is room for."""
        if self._subject is None or self.exercice is None:
            return
        for siret in peers_like(self._base, self._subject[1], self._subject[2][-1], self._visible.sirets):
            if len(self.peers) < MOST_PEERS:
                self.add_peer(siret)

    def choose_exercice(self, exercice: object) -> None:
        """Compare in another exercice; raise WorkbenchError (``choix_inconnu``) for one that is not shown."""
        years = self._subject[2] if self._subject else ()
        chosen = next((year for year in years if str(year) == exercice), None)
        if chosen is None:
            raise unknown_choice("Exercice", str(exercice))
        self.exercice = chosen

    def draw(self, code: object) -> None:
        """Put an indicateur in the charts of the comparison, or take it out."""
        known = {one.code for _, one in self.found.comparison.indicateurs} if self.found else set()
        if isinstance(code, str) and code in known:
            self.drawn = tuple(one for one in self.drawn if one != code) if code in self.drawn else (*self.drawn, code)

    # What is shown

    def shown(self) -> dict[str, Any] | None:
        """Return the comparison for the reader; ``pending`` while it is being made, None when there is none."""
        if self._subject is None:
            return None
        peers = [{"value": siret, "label": self._names.get(siret, siret)} for siret in self.peers]
        state: dict[str, Any] = {
            "pending": self.found is None,
            "peers": peers,
            "most": MOST_PEERS,
            "exercices": [{"value": str(year), "label": str(year)} for year in self._subject[2]],
            "exercice": str(self.exercice or ""),
        }
        if self.found is None or self.exercice is None:
            return state
        return {**state, **self._answer(self.found, self.exercice)}

    def _answer(self, found: Situation, exercice: int) -> dict[str, Any]:
        themes: dict[str, list[dict[str, Any]]] = {}
        for theme, one in found.comparison.indicateurs:
            themes.setdefault(theme, []).append(self._row(found, one, exercice))
        ranked = found.comparison.ranked.items()
        own = (row["strate"] for (_, siret, year), row in ranked if (siret, year) == (found.siret, exercice))
        strate = next(own, "")
        return {
            "name": found.comparison.names.get(found.siret, found.siret),
            "strate": "" if strate in (NO_STRATE, UNKNOWN_POPULATION) else strate,
            "departement": found.departement_name,
            "columns": [found.comparison.names.get(siret, self._names.get(siret, siret)) for siret in self.peers],
            "groups": [{"theme": theme if len(themes) > 1 else "", "rows": rows} for theme, rows in themes.items()],
            "notes": [typeset(note) for note in self._notes(found, exercice, strate)],
        }

    def _row(self, found: Situation, one: Indicateur, exercice: int) -> dict[str, Any]:
        key = (one.code, found.siret, exercice)
        strate, departement = found.comparison.ranked.get(key), found.in_departement.get(key)
        return {
            "code": one.code,
            # The unit says it, beside.
            "libelle": name_of(one).removesuffix(" par habitant"),
            "unite": unite_of(one.unite).suffix.strip(),
            "value": _figure(_value(found, one, found.siret, exercice), one),
            "median": _figure(None if strate is None else strate["median"], one),
            "quartiles": _quartiles(strate, one),
            "percentile": None if strate is None else round(float(strate["percentile"]), 1),
            "rank": _rank(strate),
            "departement": _figure(None if departement is None else departement["median"], one),
            "departement_rank": _rank(departement),
            "peers": [_figure(_value(found, one, siret, exercice), one) for siret in self.peers],
        }

    def _notes(self, found: Situation, exercice: int, strate: str) -> list[str]:
        kind = libelle_type_etablissement(found.strate.type_etablissement) or "inconnu"
        notes = []
        if strate == UNKNOWN_POPULATION:
            notes.append(
                f"La population de {exercice} n'est pas connue : la strate non plus, et rien n'est dit par habitant."
            )
        elif strate:
            named = "toutes populations" if strate == NO_STRATE else strate
            notes.append(
                f"Strate : {named}, nomenclature et type ({kind}) de la collectivité, budgets principaux, "
                f"exercice {exercice}. Montants en euros par habitant."
            )
        elif not found.untold and exercice in found.exercices:
            notes.append("Ce budget n'a pas de strate : seuls les budgets principaux se comparent à leurs semblables.")
        notes.append(
            "La médiane est la valeur que la moitié des collectivités ne dépasse pas, les quartiles celles que "
            "le quart et les trois quarts ne dépassent pas. Rang 1 : la valeur la plus élevée, qui n'est pas toujours "
            "la meilleure."
        )
        if found.untold:
            notes.append(
                f"Un groupe de moins de {FEWEST} collectivités n'est pas montré : vous ne voyez pas tous leurs comptes."
            )
        if exercice in found.provisional:
            notes.append(f"Les comptes de {exercice} sont provisoires.")
        if found.comparison.absents:
            names = ", ".join(self._names.get(siret, siret) for siret in found.comparison.absents)
            notes.append(f"Sans comptes dans cette nomenclature sur la période : {names}.")
        return [*notes, *found.comparison.strates.avertissements]

    def charts(self) -> list[dict[str, Any]]:
        """Return the charts of the comparison, as plotly reads them: the indicateurs drawn, or else key ones."""
        if self.found is None or not self.found.comparison.tables:
            return []
        from workbench.reports.comparative_charts import comparative_charts

        return [shown_chart(chart.figure) for chart in comparative_charts(self.found.comparison, self.drawn)]


def _value(found: Situation, one: Indicateur, siret: str, exercice: int) -> float | None:
    """The figure; None without accounts, and per inhabitant without inhabitants."""
    return found.comparison.value(one.code, siret, exercice) if siret in found.comparison.tables else None


def _figure(value: float | None, one: Indicateur) -> str:
    rule = unite_of(one.unite)
    return NONE if value is None else format_number(value * rule.factor, rule.decimals)


def _quartiles(row: Mapping[str, Any] | None, one: Indicateur) -> str:
    return NONE if row is None else f"{_figure(row['quartile_1'], one)} à {_figure(row['quartile_3'], one)}"


def _rank(row: Mapping[str, Any] | None) -> str:
    return NONE if row is None else f"{format_number(row['rank'])} sur {format_number(row['count'])}"
