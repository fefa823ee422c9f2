"""The part of ``workbench demo`` about companies: a list made from files, published, and people to look at it.

The people are of the demonstration alone: their passwords are known to all, and a server of anything else refuses to
start with them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.errors import WorkbenchError

if TYPE_CHECKING:
    from workbench.signaux_faibles.demonstration_list import FictitiousList
    from workbench.signaux_faibles.publication import Publication

__all__ = ["PEOPLE", "REGISTRY", "Shown", "add_people", "has_demonstration_people", "list_of_companies"]

REGISTRY = "registre.sqlite"
"""The registry of the demonstration, in its folder."""


@dataclass(frozen=True)
class DemonstrationPerson:
    """Somebody who does not exist, and whose password everybody knows."""

    email: str
    given_name: str
    password: str
    badges: tuple[str, ...]
    sees: str


PEOPLE = (
    DemonstrationPerson(
        "claire@demonstration.invalid",
        "Claire",
        "une liste sans secret",
        ("detection", "Hauts-de-France"),
        "la liste des Hauts-de-France, sans niveau ni donnée confidentielle",
    ),
    DemonstrationPerson(
        "karim@demonstration.invalid",
        "Karim",
        "le nord et ses raisons",
        ("detection", "score", "urssaf", "dgefp", "Hauts-de-France"),
        "les mêmes entreprises, leurs niveaux et leurs raisons, la dette sociale, l'activité partielle",
    ),
    DemonstrationPerson(
        "nadia@demonstration.invalid",
        "Nadia",
        "toute la france fictive",
        ("detection", "score", "urssaf", "dgefp", "bdf", "pge", "stats", "France entière"),
        "tout, partout, et les statistiques d'usage",
    ),
)
"""Three people with different rights; the domain can have no address (RFC 2606)."""


@dataclass(frozen=True)
class Shown:
    """What there is to say of the list."""

    made: FictitiousList
    publication: Publication

    def lines(self) -> Iterator[str]:
        """Say it in French."""
        from workbench.numbers import format_number

        yield from self.publication.lines()[:1]
        if self.made.remark:
            yield self.made.remark
        area = format_number(self.made.evaluation.value("roc_auc"), 2)
        yield f"Sur des entreprises que le modèle n'a jamais vues, aire sous la courbe ROC : {area}."
        yield from self._first()

    def _first(self) -> Iterator[str]:
        from workbench.numbers import format_number
        from workbench.signaux_faibles.detection.sentences import sentences

        alerts = self.made.alerts
        if not len(alerts.explained):
            return
        named = {each.siren: each for each in self.made.companies}
        row = int(alerts.explanation.probabilities.argmax())
        siren = str(alerts.explanation.entities[row])
        risk = format_number(100 * float(alerts.explanation.probabilities[row]), 0)
        yield f"La plus exposée, {named[siren].name} (SIREN {siren}), à {risk} % :"
        yield from (f"  {each}" for each in sentences(alerts.explanation, row))


def list_of_companies(folder: Path, step: Callable[[str], AbstractContextManager[None]]) -> Shown:
    """Make a list of fictitious companies in a folder and publish it in the registry of the demonstration."""
    from workbench.registry import open_registry
    from workbench.signaux_faibles.demonstration_list import fictitious_list
    from workbench.signaux_faibles.detection.registered import ROOM as LISTS
    from workbench.signaux_faibles.history import open_history
    from workbench.signaux_faibles.publication import publish
    from workbench.signaux_faibles.publication.demonstration import PUBLISHER
    from workbench.store import open_store

    with open_registry(folder / REGISTRY, rooms=[LISTS]) as registry:
        made = fictitious_list(folder / "entreprises", step=step, registry=registry)
    with (
        step("Publication de la liste, selon les badges"),
        open_store(folder / REGISTRY) as store,
        open_history(str(made.history)) as history,
    ):
        return Shown(made, publish(store, PUBLISHER, made.alerts, history, card=made.facts))


def add_people(folder: Path) -> None:
    """Give the demonstration its people, as they are said to be even if somebody changed them."""
    from workbench.identity.people import People
    from workbench.identity.tables import ROOM
    from workbench.registry import open_registry

    with open_registry(folder / REGISTRY, rooms=[ROOM]) as registry:
        people = People(registry)
        for each in PEOPLE:
            try:
                people.add(
                    each.email, each.password, given_name=each.given_name, family_name="Fictive", held=each.badges
                )
            except WorkbenchError as error:
                if error.code != "personne_existante":
                    raise
                people.set_badges(each.email, each.badges)
                people.set_password(each.email, each.password)


def has_demonstration_people() -> bool:
    """Say whether the registry of the settings knows somebody of the demonstration."""
    from workbench.config import settings
    from workbench.identity.embedded import has_people
    from workbench.identity.people import People
    from workbench.identity.tables import ROOM
    from workbench.registry import open_registry

    if not has_people():
        return False
    with open_registry(settings().registry, rooms=[ROOM], migrate=False) as registry:
        known = {each.email for each in People(registry).all()}
    return bool(known & {each.email for each in PEOPLE})
