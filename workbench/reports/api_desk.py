"""What the routes of the reports work with: who logs in, what is kept, what is shown to whom. It knows no HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, and_, func, select

from workbench.config import settings
from workbench.dgfip import Base, connect, select_budgets
from workbench.errors import WorkbenchError
from workbench.formules import check_formule, format_diagnostic
from workbench.identity.actor import Actor
from workbench.identity.alone import AloneVerifier
from workbench.identity.issuing import Issuer
from workbench.identity.tokens import TokenVerifier
from workbench.registry import Registry
from workbench.reports.api_catalogue import Catalogue, number_of, shown_text
from workbench.reports.api_numbers import name_of, new_number, numbers_of
from workbench.reports.api_requests import checked_text, frame_code, shown_job
from workbench.reports.jobs import Job, Wanted, cancel, jobs_of, submit
from workbench.reports.jobs_tables import JobState, jobs
from workbench.reports.publishing import publish_job
from workbench.reports.visible_budgets import VisibleBudgets, open_data_only
from workbench.store import Desk as StoreDesk
from workbench.store import Store, open_store

__all__ = ["Desk"]

TOKEN = timedelta(hours=12)
"""A script logs in once and waits for a night."""

LONGEST_FORMULE = 100_000

MOST_WAITING = 20_000
"""Requests of a person that are still to be made: several campaigns, and not what a loop by mistake asks for."""


class Desk:
    """What the routes work with."""

    def __init__(
        self,
        registry: Registry,
        catalogue: Catalogue,
        issuer: Issuer | None,
        verifier: TokenVerifier,
        base: str,
        folder: Path,
        store: Store | None = None,
    ) -> None:
        self.store = store
        self.registry = registry
        self.catalogue = catalogue
        self.issuer = issuer
        self.verifier = verifier
        self.base = base
        self.folder = folder

    def log_in(self, username: str, password: str, address: str) -> str:
        """Return a token for an e-mail and a password."""
        if self.issuer is None:
            raise WorkbenchError("api_mot_de_passe", emetteur=self.verifier.rules.issuer)
        person = self.issuer.people.authenticate(username, password, address)
        return self.issuer.token_for(person.email, TOKEN)

    def check(self, actor: Actor) -> None:
        """Refuse at once a person of the embedded issuer who was removed: her token lasts for hours."""
        if self.issuer is None:
            return
        try:
            same = self.issuer.people.get(actor.email).subject == actor.subject
        except WorkbenchError as error:
            if error.code != "personne_inconnue":
                raise
            same = False
        if not same:
            raise WorkbenchError("jeton_refuse", raison="cette personne a été retirée")

    def visible(self, actor: Actor, base: Base) -> VisibleBudgets:
        """Return what a person may see of a base: all of it where nobody logs in, or where it is open data."""
        if isinstance(self.verifier, AloneVerifier) or open_data_only(base):
            return VisibleBudgets(base)

        @contextmanager
        def door() -> Iterator[StoreDesk]:
            with self._opened_store() as store:
                yield StoreDesk(store, actor)

        return VisibleBudgets(base, door)

    def _opened_store(self) -> AbstractContextManager[Store]:
        return nullcontext(self.store) if self.store is not None else open_store()

    def keep(self, actor: Actor, wanted: Wanted) -> int:
        """Keep a request, of which what its author may not see is no part; return its number."""
        spec = wanted.spec.checked()
        with connect(spec.base or settings().base) as base:
            visible = self.visible(actor, base)
            if visible.sirets is not None:
                seen = select_budgets(base, visible.narrow(spec.perimetre()), spec.years)["siret"].to_pylist()
                wanted = replace(wanted, spec=replace(spec, among=tuple(sorted(set(seen)))))
        given: list[int] = []

        def number(connection: Connection, identifier: str) -> None:
            mine = and_(jobs.c.author == actor.email, jobs.c.state.in_([JobState.PENDING, JobState.RUNNING]))
            waiting = connection.execute(select(func.count()).select_from(jobs).where(mine)).scalar_one()
            if waiting >= MOST_WAITING:
                raise WorkbenchError("api_trop_de_demandes", limite=MOST_WAITING)
            given.append(new_number(connection, "report", identifier))

        day = datetime.now().astimezone().date().isoformat()
        submit(self.registry, [wanted], author=actor.email, folder=self.folder / day, also=number)
        return given[0]

    def job(self, actor: Actor, given: str) -> Job:
        """Return a request of who asks; another person's is as absent."""
        number = number_of(given)
        identifier = name_of(self.registry, "report", number) if number is not None else None
        found = jobs_of(self.registry, actor.email, identifiers=[identifier]) if identifier else []
        if not found:
            raise WorkbenchError("api_rapport_absent", identifiant=shown_text(given))
        return found[0]

    def cancel(self, actor: Actor, given: str) -> Job:
        """Cancel a request of who asks, if it has not ended; return it as it then is."""
        cancel(self.registry, actor.email, job=self.job(actor, given).id)
        return self.job(actor, given)

    def publish(self, actor: Actor, given: str, badges: object, release: object) -> dict[str, Any]:
        """Publish the report of a request of who asks, under badges that she chooses."""
        if badges is not None and not (isinstance(badges, list) and all(isinstance(each, str) for each in badges)):
            raise WorkbenchError("api_champ", champ="badges", attendu="une liste de badges, ou rien")
        if release is not None:
            release = checked_text(release, "release", 40)
        job = self.job(actor, given)
        with self._opened_store() as store:
            made = publish_job(job, badges=badges, release=release, store=StoreDesk(store, actor))
        return {"name": made.name, "version": made.version, "author": made.author}

    def requests(
        self, actor: Actor, limit: int | None, offset: int, sort: str | None = None, descending: bool = True
    ) -> tuple[list[dict[str, Any]], int]:
        """List requests of who asks, the last ones first unless they are sorted, and count them all."""
        found = jobs_of(
            self.registry, actor.email, limit=limit, offset=offset, sort=sort or "number", descending=descending
        )
        asked = select(func.count()).select_from(jobs).where(jobs.c.author == actor.email)
        with self.registry.read() as connection:
            total = connection.execute(asked).scalar_one()
        return self.shown(found), total

    def shown(self, found: list[Job]) -> list[dict[str, Any]]:
        """Return requests as their author reads them."""
        numbers = numbers_of(self.registry, "report", [job.id for job in found])
        frames = self.catalogue.frame_numbers({frame_code(job.spec) for job in found})
        return [shown_job(job, numbers[job.id], frames.get(frame_code(job.spec))) for job in found]

    def checked(self, given: object) -> list[dict[str, str]]:
        """Return what is to be said of a formule, whose indicateurs may be of any trame."""
        texte = checked_text(given, "original_equation", LONGEST_FORMULE)
        codes = {code for kept in self.catalogue.trames.values() for code in kept.trame.codes}
        return [
            {"severity": each.severity, "code": each.code, "message": format_diagnostic(texte, each)}
            for each in check_formule(texte, known_indicateurs=codes)
        ]
