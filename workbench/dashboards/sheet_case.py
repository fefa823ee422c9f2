"""What an agent does with a company: follow it, which may open what is confidential, and judge its detection.

Both are objects of hers in the store, whose policies say what a follow opens; nothing is decided here.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from workbench.dashboards.dates import day_done
from workbench.dashboards.sheet_reading import Subject, seen
from workbench.errors import WorkbenchError
from workbench.signaux_faibles.publication.objects import FOLLOW, OPINION
from workbench.signaux_faibles.publication.rights import AUTHOR
from workbench.store import StoreDoor

__all__ = ["CATEGORIES", "REASONS", "Case"]

CATEGORIES: Mapping[str, str] = {
    "source_interne": "Signalement interne à mon service",
    "source_externe": "Signalement d'un partenaire ou de l'entreprise",
    "detection": "Liste de détection",
    "autre": "Autre",
}
"""Why a company is followed, or no longer is."""

REASONS: Mapping[str, str] = {
    "difficultes_confirmees": "Difficultés confirmées",
    "difficultes_inconnues": "Difficultés que j'ignorais",
    "suivi_engage": "Suivi engagé",
    "sans_difficulte": "L'entreprise n'a pas de difficulté",
    "deja_connue": "Entreprise déjà suivie ou en procédure",
    "donnees_fausses": "Données inexactes ou trop anciennes",
}
"""Why a detection was useful (the first three) or not."""

USEFUL = tuple(REASONS)[:3]

LONGEST = 1000


class Case:
    """What one person does with a company.

    Parameters
    ----------
    door
        The store, as her.
    siren
        Which company.
    """

    def __init__(self, door: StoreDoor, siren: str) -> None:
        self._door = door
        self.siren = siren

    def _mine(self, bucket: str, **pairs: str) -> list[dict[str, Any]]:
        return seen(self._door, bucket, {"siren": self.siren, "author": self._door.email, **pairs})

    def follows(self) -> list[dict[str, Any]]:
        """Return her follows of the company that are active, the latest first."""
        found = [one for one in self._mine(FOLLOW) if one["value"].get("actif") is True]
        return sorted(found, key=lambda one: str(one["value"].get("date")), reverse=True)

    def shown(self, follows: list[dict[str, Any]]) -> dict[str, Any]:
        """Return what the page says of the follow."""
        last = follows[0]["value"] if follows else {}
        return {
            "followed": bool(follows),
            "since": day_done(last.get("date")),
            "category": CATEGORIES.get(str(last.get("categorie")), ""),
            "reason": str(last.get("motif") or ""),
            "categories": [{"value": value, "label": label} for value, label in CATEGORIES.items()],
        }

    def follow(self, siret: str, category: object, reason: object) -> None:
        """Follow the company by one of its établissements.

        Raises
        ------
        WorkbenchError
            ``suivi_deja``, ``categorie_inconnue``, ``motif_manquant``, ``motif_long``; the store's.
        """
        if self.follows():
            raise WorkbenchError("suivi_deja")
        self._put(siret, active=True, category=category, reason=reason)

    def unfollow(self, category: object, reason: object) -> None:
        """Follow it no longer: every follow of hers ends.

        Raises
        ------
        WorkbenchError
            ``suivi_absent``, and those of `follow`.
        """
        follows = self.follows()
        if not follows:
            raise WorkbenchError("suivi_absent")
        for one in follows:
            self._put(str(one["key"]["siret"]), active=False, category=category, reason=reason)

    def _put(self, siret: str, *, active: bool, category: object, reason: object) -> None:
        if not isinstance(category, str) or category not in CATEGORIES:
            raise WorkbenchError("categorie_inconnue")
        value = {"actif": active, "categorie": category, "motif": _reason(reason), "date": _now()}
        key = {"siret": siret, "siren": self.siren, "author": self._door.email}
        self._door.put(FOLLOW, [{"key": key, "scope": [AUTHOR], "value": value}])

    def judged(self, subject: Subject) -> dict[str, Any] | None:
        """Return what the page says of her opinion; None where there is none to give.

        One is given on a head office of the newest list, in alert, as the reader sees it.
        """
        batch = self._judgeable(subject)
        if batch is None:
            return None
        found = self._mine(OPINION, siret=subject.siret, batch=batch)
        value = found[0]["value"] if found else {}
        return {
            "useful": value.get("utile"),
            "chosen": [each for each in REASONS if each in (value.get("motifs") or [])],
            "comment": str(value.get("commentaire") or ""),
            "when": day_done(value.get("date")),
            "reasons": [{"value": name, "label": label, "useful": name in USEFUL} for name, label in REASONS.items()],
        }

    def _judgeable(self, subject: Subject) -> str | None:
        current = subject.current
        if not subject.siret or not subject.identity.get("siege") or current is None:
            return None
        return current[0].batch if current[1].get("alert") in ("Alerte seuil F1", "Alerte seuil F2") else None

    def judge(self, subject: Subject, useful: object, reasons: object, comment: object = "") -> None:
        """Say whether a detection was useful.

        Raises
        ------
        WorkbenchError
            ``avis_impossible``, ``avis_incomplet``, ``motif_long``; the store's.
        """
        batch = self._judgeable(subject)
        if batch is None:
            raise WorkbenchError("avis_impossible")
        if not isinstance(useful, bool) or not isinstance(reasons, list):
            raise WorkbenchError("avis_incomplet")
        known = [each for each in REASONS if each in reasons and (each in USEFUL) == useful]
        words = str(comment or "").strip()
        if len(words) > LONGEST:
            raise WorkbenchError("motif_long", limite=LONGEST)
        key = {"siret": subject.siret, "siren": self.siren, "batch": batch, "author": self._door.email}
        value = {"utile": useful, "motifs": known, "commentaire": words, "date": _now()}
        # Hers, and what those who keep statistics read.
        self._door.put(OPINION, [{"key": key, "scope": [scope], "value": value} for scope in (AUTHOR, "stats")])


def _reason(reason: object) -> str:
    words = reason.strip() if isinstance(reason, str) else ""
    if not words:
        raise WorkbenchError("motif_manquant")
    if len(words) > LONGEST:
        raise WorkbenchError("motif_long", limite=LONGEST)
    return words


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
