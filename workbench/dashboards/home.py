"""The first page: who one is, what one may do in words, what one may open, the data, comments on the application.

It is a page of the server and needs no kernel: it shows at once and weighs nothing. This is its state, without HTTP.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from workbench import __version__
from workbench.dashboards.listing import Dashboard
from workbench.dashboards.notices import notice, notice_of
from workbench.dashboards.welcome import DUTIES, Duties, Welcome
from workbench.dgfip import BaseInfo, base_info, connect
from workbench.discussion import ROOM as DISCUSSION
from workbench.discussion import Comment, add_comment, comments, delete_comment
from workbench.errors import WorkbenchError
from workbench.identity.actor import Actor
from workbench.numbers import format_number
from workbench.registry import Registry, open_registry
from workbench.signaux_faibles.publication.territories import DEPARTEMENTS, FORMER_REGIONS, FRANCE, REGIONS
from workbench.store import open_store
from workbench.store.usage import PARIS

__all__ = ["Home", "rights_in_words"]

KEPT_SECONDS = 30.0
"""How long what is said of the data is kept: an import shows after that."""

MOST_COMMENTS = 100

SHEET = "etablissement.ipynb"
"""The page of a company's établissement, opened by its SIRET."""

_SOURCES = {
    "balances": "Balances des données ouvertes",
    "cci": "Balances des bases CCI",
    "population": "Populations",
}
"""Imports that date the figures, by the name that the base gives them."""


def rights_in_words(actor: Actor | None, email: str, *, is_open: bool = True) -> list[str]:
    """Say in French what a person may do.

    Parameters
    ----------
    actor
        Who logged in; None where nobody does.
    email
        What is done is signed with, where nobody logs in.
    is_open
        Whether the base holds open data only; otherwise badges open its budgets.

    Examples
    --------
    >>> rights_in_words(None, "anne@exemple.fr")[0]
    'Personne ne se connecte ici : ce serveur ne répond qu’à cette machine.'
    """
    if actor is None:
        return [
            "Personne ne se connecte ici : ce serveur ne répond qu’à cette machine.",
            f"Les rapports et les commentaires sont signés {email}.",
        ]
    badges = sorted(actor.badges)
    read = "Vous lisez les rapports publiés pour tous"
    if len(badges) == 1:
        read += f", et ceux qu’ouvre votre badge : {badges[0]}"
    elif badges:
        read += f", et ceux qu’ouvrent vos badges : {', '.join(badges)}"
    seen = "de toutes les collectivités de la base" if is_open else "des collectivités que vos badges ouvrent"
    said = [
        f"Vous consultez les comptes {seen}.",
        "Vous demandez des rapports, que personne d’autre ne voit tant que vous ne les publiez pas.",
        f"{read}.",
        "Vous commentez ; vous ne retirez que vos commentaires.",
    ]
    said += _of_companies(actor.badges)
    if not badges:
        said.append("Vous n’avez aucun badge : la personne qui tient ce serveur les donne.")
    if "manager" in actor.badges:
        said.append("Vous tenez les droits d’accès du magasin (badge manager).")
    if actor.space:
        said.append(f"Vous déposez des fichiers dans l’espace {actor.space}.")
    return said


def _of_companies(badges: Collection[str]) -> list[str]:
    """Say what a person's badges open of companies in difficulty.

    Examples
    --------
    >>> _of_companies({"detection", "Bretagne", "59"})
    ['Vous consultez les listes de détection (Bretagne, Nord (59)), sans niveau de risque ni donnée confidentielle.']
    """
    if "detection" not in badges:
        return []
    zones = [FRANCE] if FRANCE in badges else [each for each in (*REGIONS, *FORMER_REGIONS) if each in badges]
    if not zones or zones != [FRANCE]:
        zones += [f"{name} ({code})" for code, name in DEPARTEMENTS.items() if code in badges]
    where = ", ".join(zones) or "aucune zone : seules les entreprises que vous suivez"
    opened = [said for badge, said in _OPENED.items() if badge in badges]
    what = f"avec {', '.join(opened)}" if opened else "sans niveau de risque ni donnée confidentielle"
    return [f"Vous consultez les listes de détection ({where}), {what}."]


_OPENED = {
    "score": "les niveaux de risque et leurs raisons",
    "urssaf": "les données de l’Urssaf",
    "dgefp": "l’activité partielle",
    "bdf": "les ratios de la Banque de France",
}
"""What each confidential badge opens."""


@dataclass(frozen=True)
class _Data:
    lines: tuple[tuple[str, str], ...]
    problem: Mapping[str, str] | None = None
    is_open: bool = True


class Home:
    """What the first page shows; threads share it.

    Parameters
    ----------
    dashboards
        Those that are served.
    base
        Path or URL of the accounting base.
    email
        Who works here, where nobody logs in.
    registry
        Where comments are; that of the settings by default.
    """

    def __init__(self, dashboards: Mapping[str, Dashboard], base: str, email: str, registry: str | None = None) -> None:
        self._dashboards = dashboards
        self._base = base
        self._email = email
        self._address = registry
        self._lock, self._opening = threading.Lock(), threading.Lock()
        self._known: tuple[float, str, _Data] | None = None
        self._registry: Registry | None = None
        self._welcome: Welcome | None = None

    def page(self, actor: Actor | None) -> dict[str, Any]:
        """Return what the page shows a person; None where nobody logs in."""
        data = self._data()
        found, problem = self._comments(actor)
        return {
            "person": None if actor is None else {"name": actor.name, "email": actor.email},
            "rights": rights_in_words(actor, self._email, is_open=data.is_open),
            "dashboards": self.open_to(actor),
            "data": data.lines,
            "data_problem": data.problem,
            "comments": [_shown(each, self._author(actor)) for each in found],
            "comments_problem": problem,
            "sheet": SHEET if SHEET in {each.name for each in self.open_to(actor)} else "",
            **self._found(actor),
            "version": __version__,
        }

    def open_to(self, actor: Actor | None) -> list[Dashboard]:
        """List the dashboards that a person may open."""
        return [each for each in self._dashboards.values() if actor is None or each.opens_to(actor.badges)]

    # --- what she finds in the store

    def duties(self, actor: Actor | None) -> Duties | None:
        """Return what a person has to give her word for before anything else; None when there is nothing.

        Raises
        ------
        WorkbenchError
            Those of the store: without it, nothing is shown to those who must give their word.
        """
        if actor is None or not self._welcomed().must_promise(actor, datetime.now(UTC)):
            return None
        return DUTIES

    def promise(self, actor: Actor) -> None:
        """Keep the word of a person."""
        self._welcomed().promise(actor)

    def read_news(self, actor: Actor, until: str) -> None:
        """Note that a person read the news until a day, as the page wrote it; another text notes nothing."""
        try:
            day = date.fromisoformat(until)
        except ValueError:
            return
        self._welcomed().read_news(actor, day)

    def _found(self, actor: Actor | None) -> dict[str, Any]:
        if actor is None:
            return {"news": None, "lists": [], "follows": None}
        try:
            welcome = self._welcomed()
            return {"news": welcome.news(actor), "lists": welcome.lists(actor), "follows": welcome.follows(actor)}
        except WorkbenchError as error:
            return {"news": None, "lists": [], "follows": None, "store_problem": notice_of(error)}

    def _welcomed(self) -> Welcome:
        with self._opening:
            if self._welcome is None:
                self._welcome = Welcome(open_store(self._address))
            return self._welcome

    def comment(self, actor: Actor | None, text: str) -> None:
        """Write a comment on the application.

        Raises
        ------
        WorkbenchError
            ``commentaire_vide``, ``commentaire_long``; those of the registry.
        """
        add_comment(text, author=self._author(actor), registry=self._opened())

    def remove(self, actor: Actor | None, identifier: str) -> None:
        """Remove a comment of hers.

        Raises
        ------
        WorkbenchError
            ``commentaire_absent``; those of the registry.
        """
        delete_comment(identifier, author=self._author(actor), registry=self._opened())

    def close(self) -> None:
        """Close the registry and the store."""
        with self._opening:
            if self._welcome is not None:
                self._welcome.close()
            if self._registry is not None:
                self._registry.close()

    def _author(self, actor: Actor | None) -> str:
        return actor.email if actor is not None else self._email

    def _opened(self) -> Registry:
        with self._opening:
            if self._registry is None:
                self._registry = open_registry(self._address, rooms=[DISCUSSION])
            return self._registry

    def _comments(self, actor: Actor | None) -> tuple[list[Comment], Mapping[str, str] | None]:
        try:
            return comments(author=self._author(actor), registry=self._opened(), limit=MOST_COMMENTS), None
        except WorkbenchError:
            said = "Les commentaires ne sont pas disponibles pour le moment."
            return [], notice(said, "Réessayez dans un instant ; si cela dure, signalez-le.", "avertissement")

    def _data(self) -> _Data:
        with self._lock:
            now = time.monotonic()
            if self._known is None or now - self._known[0] > KEPT_SECONDS:
                self._known = (now, *self._read())
            return self._known[2]

    def _read(self) -> tuple[str, _Data]:
        """Read the figures of the base again when it has another snapshot: they take seconds on a large one."""
        try:
            with connect(self._base) as base:
                if self._known is not None and self._known[1] == base.snapshot:
                    return self._known[1:]
                return base.snapshot, _facts(base_info(base))
        except WorkbenchError as error:
            return "", _Data((), notice_of(error))


def _facts(info: BaseInfo) -> _Data:
    years = f"{info.exercices[0]} à {info.exercices[-1]}" if info.exercices else "aucun"
    lines = [
        ("Exercices", years),
        ("Budgets", f"{format_number(info.sirets)}, soit {format_number(info.budgets)} balances annuelles"),
        ("Nomenclatures", ", ".join(name for name in info.nomenclatures if name)),
        ("État de la base", f"{info.snapshot}, du {info.date:%d/%m/%Y}"),
    ]
    last = {str(source): str(date) for source, date in info.imports.groupby("source")["date"].max().items()}
    lines += [
        (libelle, f"importées le {datetime.fromisoformat(last[source]):%d/%m/%Y}")
        for source, libelle in _SOURCES.items()
        if source in last
    ]
    return _Data(tuple(lines), is_open="cci" not in last)


def _shown(comment: Comment, reader: str) -> dict[str, Any]:
    return {
        "id": comment.id,
        "author": comment.author,
        "date": f"{comment.created.astimezone(PARIS):%d/%m/%Y à %H:%M}" + (", modifié" if comment.edited else ""),
        "text": comment.text,
        "mine": comment.author == reader,
    }
