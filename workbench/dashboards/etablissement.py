"""What the sheet of an établissement shows one person, and what she does there, without a widget.

Everything read comes from the store under her rights, and everything written goes through its policies. Messages come
from a browser: each value is checked before it is written.
"""

from __future__ import annotations

from typing import Any

from workbench.dashboards.documents import Document
from workbench.dashboards.presentation import spaced_siret
from workbench.dashboards.sheet_blocks import (
    activity_block,
    contributions_block,
    history_block,
    identity_block,
    level_of,
    map_block,
    paydex_block,
    procedures_block,
    state_of,
)
from workbench.dashboards.sheet_case import Case
from workbench.dashboards.sheet_discussion import Discussion
from workbench.dashboards.sheet_explanation import explanation_block
from workbench.dashboards.sheet_files import sheet_docx, sheet_name, sheet_pdf
from workbench.dashboards.sheet_finances import bank_block, finances_block, finoscope_block
from workbench.dashboards.sheet_items import Block
from workbench.dashboards.sheet_reading import Subject, read_etablissement, read_siret
from workbench.store import StoreDoor

__all__ = ["EtablissementView", "chips"]


def chips(subject: Subject) -> list[dict[str, str]]:
    """Return the marks beside the name: level, procedure, closed."""
    found = []
    current = subject.current
    if current is not None and "alert" in current[1]:
        tone, words = level_of(current[1].get("alert"))
        found.append({"text": words, "tone": tone})
        if current[1].get("premiere_alerte"):
            found.append({"text": "Première alerte", "tone": "note"})
    state = current[1].get("etat_procol") if current is not None else None
    if state and state != "in_bonis":
        found.append({"text": state_of(state), "tone": "fort"})
    if subject.identity.get("etat_administratif") in ("F", "C"):
        found.append({"text": "Fermé" if subject.siret else "Siège fermé", "tone": "ferme"})
    return found


class EtablissementView:
    """The sheet of an établissement.

    Parameters
    ----------
    door
        The store, as the person who reads.
    siret
        As the address of the page gives it.

    Raises
    ------
    WorkbenchError
        ``siret_malforme``, ``etablissement_inconnu`` for what is not visible, whether it exists or not; the store's.
    """

    def __init__(self, door: StoreDoor, siret: object) -> None:
        self.siret = read_siret(siret)
        self._door = door
        self.case = Case(door, self.siret[:9])
        self.discussion = Discussion(door, self.siret)
        self.read()

    def read(self) -> None:
        """Read it again: rights may have changed."""
        self._follows = self.case.follows()
        self.subject = read_etablissement(self._door, self.siret, followed=bool(self._follows))

    def head(self) -> dict[str, Any]:
        """Return the name, the marks, the links, the follow."""
        one = self.subject.identity
        where = " ".join(str(each) for each in (one.get("code_postal"), one.get("commune")) if each)
        kind = "Siège" if one.get("siege") else "Établissement secondaire"
        return {
            "name": self.subject.name,
            "line": " · ".join(each for each in (kind, f"SIRET {spaced_siret(self.siret)}", where) if each),
            "chips": chips(self.subject),
            "links": [
                {"text": "Fiche de l'entreprise", "address": f"entreprise.ipynb?siren={self.subject.siren}"},
            ],
            "outside": outside_links(self.subject.siren),
            "follow": self.case.shown(self._follows),
        }

    def blocks(self) -> list[Block]:
        """Return the blocks, as far as the reader's rights go."""
        subject, access = self.subject, self.subject.access
        found = [
            identity_block(subject),
            history_block(subject),
            procedures_block(subject, subject.detail),
            map_block(subject),
            paydex_block(subject.company, access),
            explanation_block(subject),
            activity_block(subject.detail, access),
            contributions_block(subject.detail, access),
            finances_block(subject.company, access),
            finoscope_block(subject.company, access),
            bank_block(subject.company, access),
        ]
        return [each for each in found if each is not None]

    def comments(self) -> list[dict[str, Any]]:
        """Return the threads."""
        return self.discussion.threads()

    def opinion(self) -> dict[str, Any] | None:
        """Return what is asked of the detection; None where nothing is."""
        return self.case.judged(self.subject)

    def follow(self, category: object, reason: object) -> None:
        """Follow, then read again: what is confidential may open at once."""
        self.case.follow(self.siret, category, reason)
        self.read()

    def unfollow(self, category: object, reason: object) -> None:
        """Follow no longer, then read again."""
        self.case.unfollow(category, reason)
        self.read()

    def judge(self, useful: object, reasons: object, comment: object) -> None:
        """Say whether the detection was useful."""
        self.case.judge(self.subject, useful, reasons, comment)

    def document(self, kind: object) -> Document | None:
        """Return the sheet as a file, ``docx`` or ``pdf``; None for anything else."""
        name = sheet_name("ETABLISSEMENT", self.subject.name, self.siret)
        head, blocks, threads = self.head(), self.blocks(), self.comments()
        if kind == "docx":
            return sheet_docx(f"{name}.docx", head, blocks, threads)
        return sheet_pdf(f"{name}.pdf", head, blocks, threads) if kind == "pdf" else None


def outside_links(siren: str) -> list[dict[str, str]]:
    """Return addresses on public sites, which open elsewhere."""
    return [
        {
            "text": "Annonces BODACC",
            "address": f"https://www.bodacc.fr/pages/annonces-commerciales/?q.registre=registre:{siren}",
        },
        {
            "text": "Annuaire des entreprises",
            "address": f"https://annuaire-entreprises.data.gouv.fr/entreprise/{siren}",
        },
    ]
