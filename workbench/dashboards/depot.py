"""What the upload page shows: where files go, and what became of those that were sent.

Files never pass by the kernel: the browser gives them to the upload service itself. The kernel asks the service for the
list, with the token of its agent, and writes it in French.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx

from workbench.errors import WorkbenchError
from workbench.identity.kernel_token import kernel_token
from workbench.identity.keys import is_local

__all__ = ["Depot", "DepotView", "open_depot"]

LABELS = {
    "arriving": "Inachevé",
    "finishing": "En cours de contrôle",
    "quarantined": "En quarantaine",
    "published": "Transmis",
}

SENTENCES = {
    "depot_quarantaine": "Ce fichier est arrivé en entier mais reste en quarantaine ; l'exploitant en est averti.",
    "depot_echec": "Ce fichier est arrivé en entier mais reste en quarantaine ; l'exploitant en est averti.",
    "depot_occupe": "Cet envoi est en cours d'écriture ou de contrôle. Réessayez dans un instant.",
}
"""What a browser says of an answer that has no body, by its code."""

SECONDS = 30


@dataclass(frozen=True)
class Depot:
    """Where the upload service is, for a kernel.

    Parameters
    ----------
    files
        Address of the service, as browsers know it.
    arrivals
        Address of the list of one's own uploads.
    """

    files: str
    arrivals: str


def open_depot() -> Depot:
    """Return where the upload service of this server is.

    Raises
    ------
    WorkbenchError
        ``depot_non_servi``: this server has none, or asks nobody who she is.
    """
    files, arrivals = os.environ.get("WORKBENCH_UPLOADS", ""), os.environ.get("WORKBENCH_ARRIVALS", "")
    if not files or not arrivals:
        raise WorkbenchError("depot_non_servi")
    return Depot(files, arrivals)


class DepotView:
    """The uploads of an agent's space.

    Parameters
    ----------
    depot
        Where the service is.
    transport
        How requests travel; for tests in one process.
    """

    def __init__(self, depot: Depot, transport: httpx.BaseTransport | None = None) -> None:
        self._depot = depot
        self._transport = transport
        self._known: Mapping[str, Any] = {}

    def refresh(self) -> None:
        """Ask the service again.

        Raises
        ------
        WorkbenchError
            ``jeton_absent``; ``depot_liste``, with the words of the service.
        """
        trusts_proxies = not is_local(urlsplit(self._depot.arrivals).hostname or "")
        try:
            with httpx.Client(timeout=SECONDS, transport=self._transport, trust_env=trusts_proxies) as web:
                answer = web.get(f"{self._depot.arrivals}/", headers={"Authorization": f"Bearer {kernel_token()}"})
            content = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise WorkbenchError("depot_liste", cause="le service du dépôt ne répond pas.") from error
        if answer.status_code != httpx.codes.OK:
            raise WorkbenchError("depot_liste", cause=str(content.get("detail", answer.status_code)))
        self._known = content

    def place(self) -> dict[str, Any]:
        """Return what a browser must know to send files; nothing while no list was read."""
        if not self._known:
            return {}
        path = urlsplit(self._depot.files).path
        return {
            "endpoint": f"{path}/",
            "login": f"{path.rpartition('/')[0]}/login",
            "space": self._known["space"],
            "largest": self._known["largest"],
            "sentences": SENTENCES,
        }

    def arrivals(self) -> dict[str, Any]:
        """Return the uploads, the last first: ``rows`` ready to read, and how many ``more`` there are."""
        rows = [_row(upload) for upload in self._known.get("uploads", []) if upload["state"] in LABELS]
        return {"rows": rows, "more": self._known.get("more", 0)}


def _row(upload: Mapping[str, Any]) -> dict[str, Any]:
    metadata, state = upload["metadata"], upload["state"]
    label, detail = LABELS[state], ""
    if state == "arriving":
        size, arrived = upload["size"], upload["arrived"]
        if size and arrived is not None:
            # Never the whole while something is missing.
            label = f"{label}, {100 * arrived // size}\N{NO-BREAK SPACE}%"
        detail = "Choisissez de nouveau ce fichier pour reprendre son envoi."
    elif state == "quarantined":
        detail = f"{upload['reason'][:1].upper()}{upload['reason'][1:]}. L'exploitant en est averti."
    return {
        "id": upload["identifier"],
        "name": metadata.get("filename") or "(sans nom)",
        "date": upload["created"],
        "size": upload["size"],
        "private": metadata.get("private") == "true",
        "sender": metadata.get("email", ""),
        "state": state,
        "label": label,
        "detail": detail,
    }
