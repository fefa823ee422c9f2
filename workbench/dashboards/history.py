"""The reports of a person as Production shows them: what she asked for, sorted and by pages, and what is published.

Nothing is kept here but what the services last said: whose each report is, and who reads it, is theirs to decide.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from workbench.dashboards.presentation import spaced_siret
from workbench.errors import WorkbenchError
from workbench.reports.client import ReportsClient
from workbench.reports.published import PublishedReport, published_reports
from workbench.store import StoredFile, StoreDoor
from workbench.store.usage import PARIS

__all__ = ["RequestsView", "published_rows"]

SIZES = (5, 10, 50)
MOST_IDENTIFIERS = 4
"""Beyond this many identifiers, their number is shown in their place."""

MOST_PUBLISHED = 50

_ALIVE = ("PENDING",)

SORTS = ("number", "state", "trame", "identifiers", "years", "date")

FILES = {"classeur": "Classeur", "page": "Page", "pdf": "PDF"}


class RequestsView:
    """Her requests, the last ones first until she sorts them; the service sorts them and gives a page at a time.

    Parameters
    ----------
    client
        The service of reports.
    """

    def __init__(self, client: ReportsClient) -> None:
        self._client = client
        self._rows: list[dict[str, Any]] = []
        self._total = 0
        self._listed: set[int] = set()
        self._sort = "number"
        self._descending = True
        self._size = SIZES[1]
        self._page = 0
        self.badges: tuple[str, ...] = ()
        self.email = ""

    def meet(self) -> None:
        """Ask the service who she is.

        Raises
        ------
        WorkbenchError
            What `ReportsClient` raises.
        """
        person = self._client.person()
        self.badges, self.email = tuple(person["badges"]), str(person["email"])

    def refresh(self) -> None:
        """Read the page again; same errors as `meet`."""
        self._read(self._sort, self._descending, self._size, self._page)

    def _read(self, sort: str, descending: bool, size: int, page: int) -> None:
        """Read a page, the last one when there are fewer; nothing has changed when the service does not answer."""
        rows, total = self._client.requests(size, page * size, sort, descending)
        last = max(0, -(-total // size) - 1)
        if page > last:
            page = last
            rows, total = self._client.requests(size, page * size, sort, descending)
        self._rows, self._total = rows, total
        self._sort, self._descending, self._size, self._page = sort, descending, size, page
        self._listed.update(row["id"] for row in rows)

    @property
    def _pages(self) -> int:
        return max(1, -(-self._total // self._size))

    def sort(self, column: object) -> None:
        """Sort by a column; again, the other way round. What is no column changes nothing; same errors as `meet`."""
        if not isinstance(column, str) or column not in SORTS:
            return
        descending = not self._descending if column == self._sort else column in ("number", "date")
        self._read(column, descending, self._size, 0)

    def turn(self, page: object) -> None:
        """Show another page, counted from 0; same errors as `meet`."""
        if isinstance(page, int) and not isinstance(page, bool) and 0 <= page < self._pages:
            self._read(self._sort, self._descending, self._size, page)

    def resize(self, size: object) -> None:
        """Show 5, 10 or 50 requests a page; same errors as `meet`."""
        if size in SIZES and isinstance(size, int):
            self._read(self._sort, self._descending, size, self._page * self._size // size)

    def table(self) -> dict[str, Any]:
        """Return what the page shows."""
        return {
            "rows": [_shown(row) for row in self._rows],
            "sort": self._sort,
            "descending": self._descending,
            "page": self._page,
            "pages": self._pages,
            "size": self._size,
            "sizes": list(SIZES),
            "total": self._total,
            "alive": any(row["state"] in _ALIVE for row in self._rows),
            "badges": list(self.badges),
        }

    def download(self, number: object) -> tuple[str, bytes, str] | None:
        """Return a file: its name, its bytes, its media type; None for what is not one of her requests.

        Raises
        ------
        WorkbenchError
            What `ReportsClient.download` raises.
        """
        found = self._known(number)
        return self._client.download(found) if found is not None else None

    def cancel(self, number: object) -> None:
        """Cancel a request that has not ended, and read them again."""
        found = self._known(number)
        if found is not None:
            self._client.cancel(found)
            self.refresh()

    def publish(self, number: object, badges: object, release: object) -> str:
        """Publish a report; return what is said of it.

        Parameters
        ----------
        number
            Of the request.
        badges
            What reading it takes, all of them; an empty list opens it to all who have an account.
        release
            The day when its readers see it, as ISO 8601 writes it; empty for at once.

        Raises
        ------
        WorkbenchError
            ``choix_inconnu``; what `ReportsClient.publish` raises.
        """
        found = self._known(number)
        chosen = _badges(badges)
        if found is None or chosen is None:
            raise WorkbenchError("choix_inconnu", champ="Publication", valeur=str(number)[:20])
        day = _day(release)
        self._client.publish(found, chosen, f"{day.isoformat()}T00:00:00+00:00" if day is not None else None)
        readers = "tous ceux qui ont un compte" if not chosen else "qui détient " + " et ".join(chosen)
        when = f", à partir du {day:%d/%m/%Y}" if day is not None else ""
        return f"Le rapport n° {found} est publié pour {readers}{when}."

    def _known(self, number: object) -> int | None:
        """One of the requests that the service listed: another page may be shown since."""
        if isinstance(number, bool) or not isinstance(number, int):
            return None
        return number if number in self._listed else None


def _shown(row: Mapping[str, Any]) -> dict[str, Any]:
    idents = [each for each in row["identifier"].split(", ") if each]
    said = f"{len(idents)} identifiants" if len(idents) > MOST_IDENTIFIERS else ", ".join(map(_spaced, idents))
    moment = datetime.fromisoformat(row["date"]).astimezone(PARIS)
    done = row["state"] == "DONE"
    first, last = row["year_min"], row["year_max"]
    return {
        "number": row["id"],
        "state": row["state"],
        "step": row["step"],
        "cause": row["cause"],
        "warnings": row["warnings"],
        "trame": row["frame_name"],
        "identifiers": said if row["identifier_type"] else row["identifier"],
        "years": _years(first, last),
        "date": f"{moment:%d/%m/%Y %H:%M}",
        "file": row["name"] if done else "",
        "alive": row["state"] in _ALIVE,
        # What a publication needs: figures that can be computed again.
        "publishable": done and (row["frame"] is not None or row["kind"] == "balance"),
    }


def _years(first: object, last: object) -> str:
    return str(first) if first == last else f"{first} à {last}"


def _spaced(ident: str) -> str:
    return spaced_siret(ident) if len(ident) == 14 else ident


def _badges(given: object) -> list[str] | None:
    if not isinstance(given, list) or not all(isinstance(each, str) for each in given):
        return None
    return list(dict.fromkeys(each.strip() for each in given if each.strip()))


def _day(given: object) -> date | None:
    if given in ("", None):
        return None
    try:
        return date.fromisoformat(str(given)[:10])
    except ValueError as error:
        raise WorkbenchError("choix_inconnu", champ="Date de diffusion", valeur=str(given)[:20]) from error


def published_rows(door: StoreDoor) -> tuple[list[dict[str, Any]], Sequence[PublishedReport]]:
    """Return the published reports that a person sees, the last ones first: as shown, and themselves.

    Raises
    ------
    WorkbenchError
        Those of the store.
    """
    found = published_reports(limit=MOST_PUBLISHED, store=door)
    rows = [
        {
            "title": each.title,
            "author": each.author,
            "trame": str(each.card.get("trame_libelle") or each.card.get("trame") or ""),
            "years": _years(each.card.get("exercice_min"), each.card.get("exercice_max")),
            "date": f"{each.added.astimezone(PARIS):%d/%m/%Y}",
            "files": [{"value": name, "label": FILES[name]} for name in each.files if name in FILES],
        }
        for each in found
    ]
    return rows, found


def published_file(found: Sequence[PublishedReport], place: object, name: object) -> StoredFile | None:
    """Read a file of a published report, from its place in the list; None for what is not there."""
    if isinstance(place, bool) or not isinstance(place, int) or not 0 <= place < len(found):
        return None
    return found[place].file(name) if isinstance(name, str) and name in FILES and name in found[place].files else None
