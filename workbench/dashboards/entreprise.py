"""What the sheet of a company shows one person, and what she does there, without a widget."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench.dashboards.chosen_budget import unknown_choice
from workbench.dashboards.dates import read_day
from workbench.dashboards.documents import Document
from workbench.dashboards.etablissement import chips, outside_links
from workbench.dashboards.presentation import spaced_siret
from workbench.dashboards.sheet_blocks import (
    activity_block,
    contributions_block,
    history_block,
    identity_block,
    map_block,
    paydex_block,
    procedures_block,
    spaced_siren,
)
from workbench.dashboards.sheet_case import Case
from workbench.dashboards.sheet_charts import HOURS
from workbench.dashboards.sheet_explanation import explanation_block
from workbench.dashboards.sheet_files import sheet_docx, sheet_name, sheet_pdf
from workbench.dashboards.sheet_finances import bank_block, finances_block, finoscope_block
from workbench.dashboards.sheet_items import Block, Item, block, cell, empty, euros, table, text
from workbench.dashboards.sheet_reading import Subject, read_entreprise, read_siren
from workbench.numbers import NO_BREAK, format_number
from workbench.store import StoreDoor

__all__ = ["ORDERS", "EntrepriseView"]

ORDERS = {"effectif": "Effectif", "activite_partielle": "Activité partielle", "dette": "Dette sociale"}
"""What établissements are sorted by."""

MOST = 200
"""Établissements in the table; the others are counted."""


class EntrepriseView:
    """The sheet of a company.

    Parameters
    ----------
    door
        The store, as the person who reads.
    siren
        As the address of the page gives it.

    Raises
    ------
    WorkbenchError
        ``siren_malforme``, ``entreprise_inconnue`` for what is not visible, whether it exists or not; the store's.
    """

    def __init__(self, door: StoreDoor, siren: object) -> None:
        self.siren = read_siren(siren)
        self._door = door
        self.case = Case(door, self.siren)
        self.order = "effectif"
        self.read()

    def read(self) -> None:
        """Read it again: rights may have changed."""
        self._follows = self.case.follows()
        self.subject = read_entreprise(self._door, self.siren, followed=bool(self._follows))

    @property
    def siege(self) -> str:
        """The SIRET of the head office, or of the first établissement that is known."""
        known = self.subject.etablissements
        return str(known[0]["siret"]) if known else str(self.subject.identity.get("siret") or "")

    def head(self) -> dict[str, Any]:
        """Return the name, the marks, the links, the follow."""
        one = self.subject.identity
        where = " ".join(str(each) for each in (one.get("code_postal"), one.get("commune")) if each)
        count = len(self.subject.etablissements)
        known = f"{count} établissement{'s' if count > 1 else ''}" if count else ""
        links = [{"text": "Fiche du siège", "address": f"etablissement.ipynb?siret={self.siege}"}] if self.siege else []
        return {
            "name": self.subject.name,
            "line": " · ".join(each for each in (f"SIREN {spaced_siren(self.siren)}", where, known) if each),
            "chips": chips(self.subject),
            "links": links,
            "outside": outside_links(self.siren),
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
            self.etablissements(),
            explanation_block(subject),
            activity_block(subject.company, access),
            contributions_block(subject.company, access),
            finances_block(subject.company, access),
            finoscope_block(subject.company, access),
            bank_block(subject.company, access),
        ]
        return [each for each in found if each is not None]

    def choose(self, order: object) -> None:
        """Sort the établissements otherwise.

        Raises
        ------
        WorkbenchError
            ``choix_inconnu``; then nothing has changed.
        """
        if not isinstance(order, str) or order not in ORDERS:
            raise unknown_choice("Tri", str(order))
        self.order = order

    def etablissements(self) -> Block:
        """Return the table of the établissements, each with its link, by what was chosen."""
        subject = self.subject
        months = _last_months(subject)
        rows = [(one, _figures(subject, one, months)) for one in subject.etablissements]

        def rank(row: tuple[Mapping[str, Any], Mapping[str, float | None]]) -> tuple[float, str]:
            value = row[1][self.order]
            return (1.0 if value is None else -value, str(row[0]["siret"]))

        rows.sort(key=rank)
        lines = []
        for one, figures in rows[:MOST]:
            siret = str(one["siret"])
            lines.append(
                [
                    cell(spaced_siret(siret), "", f"etablissement.ipynb?siret={siret}"),
                    "Siège" if one.get("siege") else "",
                    f"{one.get('commune') or ''} ({one.get('departement') or '?'})".strip(),
                    "Fermé" if one.get("etat_administratif") == "F" else "",
                    _shown(figures["effectif"], format_number(figures["effectif"])),
                    _shown(
                        figures["activite_partielle"], f"{format_number(figures['activite_partielle'], 1)}{NO_BREAK}ETP"
                    ),
                    _shown(figures["dette"], euros(figures["dette"])),
                ]
            )
        heads = ["SIRET", "", "Commune", "État", "Effectif", "Activité partielle", "Dette sociale"]
        items: list[Item | None] = [
            table(f"Par {ORDERS[self.order].lower()}", heads, lines) or empty("Aucun établissement n'est connu.")
        ]
        if len(rows) > MOST:
            items.append(text(f"{MOST} établissements sont affichés sur {len(rows)}.", "note"))
        if lines and all(figures["dette"] is None for _, figures in rows):
            refusal = subject.access.refusal("urssaf")
            items.append(text(refusal, "closed") if refusal else None)
        found = block(
            "etablissements",
            "Établissements",
            items,
            "Dernier effectif et dernière dette connus ; activité partielle moyenne des douze derniers mois, en ETP.",
            wide=True,
        )
        found["orders"] = [{"value": value, "label": label} for value, label in ORDERS.items()]
        found["order"] = self.order
        return found

    def follow(self, category: object, reason: object) -> None:
        """Follow by the head office, then read again."""
        self.case.follow(self.siege, category, reason)
        self.read()

    def unfollow(self, category: object, reason: object) -> None:
        """Follow no longer, then read again."""
        self.case.unfollow(category, reason)
        self.read()

    def document(self, kind: object) -> Document | None:
        """Return the sheet as a file, ``docx`` or ``pdf``; None for anything else."""
        name = sheet_name("ENTREPRISE", self.subject.name, self.siren)
        if kind == "docx":
            return sheet_docx(f"{name}.docx", self.head(), self.blocks(), [])
        return sheet_pdf(f"{name}.pdf", self.head(), self.blocks(), []) if kind == "pdf" else None


def _shown(value: float | None, words: str) -> dict[str, str]:
    return cell("n/c", "absent") if value is None else cell(words)


def _rows_of(rows: object) -> list[Mapping[str, Any]]:
    return [row for row in rows if isinstance(row, Mapping)] if isinstance(rows, list) else []


def _last_months(subject: Subject) -> frozenset[str]:
    """Return the last twelve months of which anything is known of the company."""
    known = [subject.company, subject.detail, *subject.details.values()]
    names = ("effectif", "debit", "cotisation", "apconso")
    last = max(
        (str(row.get("periode"))[:7] for each in known for name in names for row in _rows_of(each.get(name))),
        default="",
    )
    found = read_day(last)
    if found is None:
        return frozenset()
    end = 12 * found.year + found.month
    return frozenset(f"{number // 12}-{number % 12 + 1:02}" for number in range(end - 12, end))


def _figures(subject: Subject, one: Mapping[str, Any], months: frozenset[str]) -> dict[str, float | None]:
    """Return what an établissement is sorted by; None for what is not known or not seen."""
    detail = subject.details.get(str(one["siret"]), {})
    staff, debt = _last(detail.get("effectif"), "effectif"), None
    parts = [_last(detail.get("debit"), name) for name in ("part_patronale", "part_ouvriere")]
    if any(each is not None for each in parts):
        debt = sum(each or 0.0 for each in parts)
    hours = detail.get("apconso")
    partial = None
    if isinstance(hours, list):
        rows = (row for row in _rows_of(hours) if str(row.get("periode"))[:7] in months)
        partial = sum(float(row.get("heures") or 0.0) for row in rows) / 12 / HOURS
    return {"effectif": staff, "activite_partielle": partial, "dette": debt}


def _last(rows: object, name: str) -> float | None:
    found = max(_rows_of(rows), key=lambda row: str(row.get("periode")), default={}).get(name)
    return float(found) if isinstance(found, int | float) and not isinstance(found, bool) else None
