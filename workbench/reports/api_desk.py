"""What the routes of the reports work with: who logs in, what is kept, what is shown to whom. It knows no HTTP."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from workbench.errors import WorkbenchError
from workbench.formules import check_formule, format_diagnostic
from workbench.identity.actor import Actor
from workbench.identity.issuing import Issuer
from workbench.identity.tokens import TokenVerifier
from workbench.registry import Registry, new_identifier
from workbench.reports.api_catalogue import Catalogue, number_of, shown_text
from workbench.reports.api_numbers import name_of, numbers_of
from workbench.reports.api_requests import checked_text, frame_code, shown_job
from workbench.reports.jobs import Job, Wanted, jobs_of, submit

__all__ = ["Desk"]

TOKEN = timedelta(hours=12)
"""A script logs in once and waits for a night."""

LONGEST_FORMULE = 100_000


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
    ) -> None:
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

    def keep(self, actor: Actor, wanted: Wanted) -> int:
        """Keep a request; return its number."""
        identifier = new_identifier()
        day = datetime.now().astimezone().date().isoformat()
        submit(self.registry, [replace(wanted, id=identifier)], author=actor.email, folder=self.folder / day)
        return numbers_of(self.registry, "report", [identifier])[identifier]

    def job(self, actor: Actor, given: str) -> Job:
        """Return a request of who asks; another person's is as absent."""
        number = number_of(given)
        identifier = name_of(self.registry, "report", number) if number is not None else None
        found = jobs_of(self.registry, actor.email, identifiers=[identifier]) if identifier else []
        if not found:
            raise WorkbenchError("api_rapport_absent", identifiant=shown_text(given))
        return found[0]

    def jobs(self, actor: Actor, limit: int | None, offset: int) -> list[dict[str, Any]]:
        """List the requests of who asks, the last ones first."""
        return self.shown(jobs_of(self.registry, actor.email, limit=limit, offset=offset))

    def shown(self, jobs: list[Job]) -> list[dict[str, Any]]:
        """Return requests as their author reads them."""
        numbers = numbers_of(self.registry, "report", [job.id for job in jobs])
        frames = self.catalogue.frame_numbers({frame_code(job.spec) for job in jobs})
        return [shown_job(job, numbers[job.id], frames.get(frame_code(job.spec))) for job in jobs]

    def checked(self, given: object) -> list[dict[str, str]]:
        """Return what is to be said of a formule, whose indicateurs may be of any trame."""
        texte = checked_text(given, "original_equation", LONGEST_FORMULE)
        codes = {code for kept in self.catalogue.trames.values() for code in kept.trame.codes}
        return [
            {"severity": each.severity, "code": each.code, "message": format_diagnostic(texte, each)}
            for each in check_formule(texte, known_indicateurs=codes)
        ]
