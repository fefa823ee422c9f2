"""The ministry's open-data portal: its catalogue, its query language, its manners.

The portal speaks the Explore API v2.1 of Opendatasoft. Three of its routes are used:

* ``catalog/datasets`` lists the datasets, a hundred at most a page: *which balances exist is data
  of the portal, not a constant here*. `KNOWN` serves where the catalogue names none.
* ``catalog/datasets/{dataset}/records?limit=0`` counts the rows of a query.
* ``catalog/datasets/{dataset}/exports/csv`` streams them all; it has neither pages nor ranges, so
  an interrupted export starts again from its first byte. (``records`` stops at offset + limit =
  10 000, hence it serves for counting only.)

Values enter a query through `quoted`, after their form was checked: nothing is pasted.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import httpx

from workbench.errors import WorkbenchError

__all__ = ["KNOWN", "CutError", "Dataset", "Portal", "one_of", "parse_dataset", "quoted"]

ATTEMPTS = 6
"""Attempts a request, the first included."""
PATIENCE = 900.0
"""Longest wait, in seconds, that a portal's quota may ask for; quotas last a minute or a day."""
PAGE = 100
"""Datasets a page of the catalogue, the most that the API gives."""
DEPTH = 10_000
"""Most that offset + limit may reach."""

_NAME = re.compile(r"balances-comptables-des?-(?P<family>.+?)-(?:(?P<word>depuis|en)-)?(?P<year>\d{4})")
_ADVICE = {
    400: "La requête ne convient pas à ce jeu de données : ses colonnes ont peut-être changé.",
    401: "La clé d'API est refusée : vérifiez WORKBENCH_OPENDATA_KEY.",
    403: "L'accès est réservé : donnez une clé d'API qui y a droit (WORKBENCH_OPENDATA_KEY).",
    404: "Ce jeu de données n'existe pas ou plus : laissez le choix au catalogue du portail.",
}

_sleep: Callable[[float], None] = time.sleep


class CutError(Exception):
    """A transfer that stopped before its end; the file has to be fetched again."""


@dataclass(frozen=True)
class Dataset:
    """A dataset of balances, as its identifier and its sheet describe it.

    Parameters
    ----------
    identifier
        Name on the portal.
    family
        Bodies concerned, as in the identifier: ``communes``, ``groupements-a-fiscalite-propre``…;
        empty when the identifier does not tell.
    first, last
        First and last exercices covered; a ``last`` of None means up to now, a ``first`` of None
        that the identifier does not tell.
    by_fonction
        True for the presentation nature × fonction, which repeats the same budgets.
    modified
        Date of the data, as the portal writes it; empty when unknown.
    columns
        Type of each column (``text``, ``int``, ``date``…); empty when unknown.
    """

    identifier: str
    family: str = ""
    first: int | None = None
    last: int | None = None
    by_fonction: bool = False
    modified: str = ""
    columns: Mapping[str, str] = field(default_factory=dict, compare=False)

    @property
    def one_exercice(self) -> bool:
        """True when the dataset is one millésime, so that its rows need no filter on the exercice."""
        return self.first is not None and self.first == self.last

    def covers(self, exercice: int) -> bool:
        """Tell whether rows of ``exercice`` may be there."""
        return (self.first is None or self.first <= exercice) and (self.last is None or exercice <= self.last)

    def filter_exercice(self, exercice: int) -> str:
        """Write the condition that keeps one exercice, by the type of the column ``exer``."""
        kind = self.columns.get("exer", "text")
        if kind in {"date", "datetime"}:
            return f"exer>=date'{exercice:04d}-01-01' and exer<date'{exercice + 1:04d}-01-01'"
        return f"exer={exercice:d}" if kind in {"int", "double"} else f"exer={quoted(str(exercice))}"


def parse_dataset(identifier: str, *, columns: Mapping[str, str] | None = None, modified: str = "") -> Dataset:
    """Recognise the family and the exercices of a dataset from its identifier.

    Examples
    --------
    >>> dataset = parse_dataset("balances-comptables-des-communes-en-2024")
    >>> dataset.family, dataset.first, dataset.last
    ('communes', 2024, 2024)
    >>> parse_dataset("balances-comptables-des-groupements-a-fiscalite-propre-depuis-2010").covers(2019)
    True
    >>> parse_dataset("qualite-de-l-air").family
    ''
    """
    known = dict(columns or {})
    found = _NAME.fullmatch(identifier)
    if not found:
        return Dataset(identifier, columns=known, modified=modified)
    year = int(found["year"])
    return Dataset(
        identifier,
        family=found["family"],
        first=year,
        last=None if found["word"] == "depuis" else year,
        by_fonction="fonction" in known or "etablissements-publics-locaux" in found["family"],
        modified=modified,
        columns=known,
    )


KNOWN: tuple[Dataset, ...] = (
    *(parse_dataset(f"balances-comptables-des-communes-en-{year}") for year in range(2010, 2026)),
    parse_dataset("balances-comptables-des-groupements-a-fiscalite-propre-depuis-2010"),
    parse_dataset("balances-comptables-des-collectivites-et-des-etablissements-publics-locaux-2022"),
)
"""Datasets whose identifiers were verified on the portal."""


def quoted(value: str) -> str:
    r"""Write a text of the query language.

    Examples
    --------
    >>> print(quoted('a"b\\'))
    "a\"b\\"
    """
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def one_of(column: str, values: Iterable[str]) -> str:
    """Write the condition that keeps some values of a column.

    Examples
    --------
    >>> one_of("ndept", ["033"]), one_of("siren", ["999000001", "999000002"])
    ('ndept="033"', 'siren in ("999000001","999000002")')
    """
    texts = [quoted(value) for value in values]
    return f"{column}={texts[0]}" if len(texts) == 1 else f"{column} in ({','.join(texts)})"


class Portal:
    """A patient client of one portal.

    Answers 429 are waited for as their headers say, cut connections and answers 5xx are tried
    again, other refusals are explained. A key goes to this portal only, in a header, and redirections are not
    followed.

    Parameters
    ----------
    url
        ``https://host``, without the path of the API.
    api_key
        Key of an account of the portal, or None.
    progress
        Told, in French, of every wait.

    Raises
    ------
    WorkbenchError
        ``portail_adresse``; and, by the methods, ``portail_injoignable``, ``portail_quota``,
        ``portail_refus``, ``portail_reponse``.
    """

    def __init__(self, url: str, *, api_key: str | None, progress: Callable[[str], None]) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
            raise WorkbenchError("portail_adresse", valeur=url)
        self.host = parts.hostname
        self._progress = progress
        self._client = httpx.Client(
            base_url=f"{url.rstrip('/')}/api/explore/v2.1/",
            headers={"Authorization": f"Apikey {api_key}"} if api_key else {},
            timeout=httpx.Timeout(60.0, connect=15.0),
        )

    def __enter__(self) -> Portal:
        return self

    def __exit__(self, *exception: object) -> None:
        self._client.close()

    def catalogue(self) -> list[Dataset]:
        """List the portal's datasets of balances, in the order of their identifiers."""
        found: dict[str, Dataset] = {}
        where = f"search({quoted('balances-comptables')})"
        for offset in range(0, DEPTH, PAGE):
            page = self._json("catalog/datasets", {"where": where, "limit": PAGE, "offset": offset})
            results, total = page.get("results"), page.get("total_count")
            if not isinstance(results, list) or not isinstance(total, int):
                raise WorkbenchError("portail_reponse", hote=self.host, cause="catalogue illisible")
            listed = (_dataset(sheet) for sheet in results)
            found |= {dataset.identifier: dataset for dataset in listed if dataset.family}
            if offset + PAGE >= total or not results:
                break
        return [found[identifier] for identifier in sorted(found)]

    def dataset(self, identifier: str) -> Dataset:
        """Read the sheet of one dataset."""
        return _dataset(self._json(f"catalog/datasets/{identifier}", {}))

    def count(self, dataset: str, where: str) -> int:
        """Count the rows of a query."""
        total = self._json(f"catalog/datasets/{dataset}/records", {"where": where, "limit": 0}).get("total_count")
        if not isinstance(total, int):
            raise WorkbenchError("portail_reponse", hote=self.host, cause="nombre de lignes absent")
        return total

    def export(self, dataset: str, where: str) -> Iterator[bytes]:
        """Stream the rows of a query as CSV, semicolon separated, columns by their names.

        Raises
        ------
        CutError
            When the connection is lost before the end; what was given is then worthless.
        """
        parameters: dict[str, Any] = {"where": where, "delimiter": ";", "use_labels": "false", "with_bom": "false"}
        request = self._client.build_request("GET", f"catalog/datasets/{dataset}/exports/csv", params=parameters)
        response = self._send(request, stream=True)
        try:
            yield from response.iter_bytes()
        except httpx.RequestError as error:
            raise CutError(_cause(error)) from error
        finally:
            response.close()

    def wait(self, attempt: int, why: str, seconds: float | None = None) -> None:
        """Wait before attempt ``attempt + 1``, longer each time unless ``seconds`` is imposed."""
        delay = float(2**attempt) / 2 if seconds is None else seconds
        self._progress(f"{why} : nouvel essai dans {delay:.0f} s ({attempt + 1}/{ATTEMPTS}).")
        _sleep(delay)

    def _json(self, path: str, parameters: dict[str, Any]) -> dict[str, Any]:
        response = self._send(self._client.build_request("GET", path, params=parameters), stream=False)
        try:
            body = response.json()
        except ValueError:
            body = None
        if not isinstance(body, dict):
            raise WorkbenchError("portail_reponse", hote=self.host, cause="le texte reçu n'est pas du JSON")
        return body

    def _send(self, request: httpx.Request, *, stream: bool) -> httpx.Response:
        for attempt in range(1, ATTEMPTS + 1):
            imposed = None
            try:
                response = self._client.send(request, stream=stream)
            except httpx.RequestError as error:
                cause = _cause(error)
            else:
                if response.status_code == httpx.codes.OK:
                    return response
                response.read()
                response.close()
                cause = f"réponse {response.status_code}"
                if response.status_code == httpx.codes.TOO_MANY_REQUESTS:
                    cause, imposed = "quota atteint", _asked_delay(response.headers)
                    if imposed is not None and imposed > PATIENCE:
                        raise self._quota(imposed)
                elif response.status_code < httpx.codes.INTERNAL_SERVER_ERROR:
                    raise self._refusal(response)
            if attempt < ATTEMPTS:
                self.wait(attempt, f"Le portail {self.host} : {cause}", imposed)
        raise WorkbenchError("portail_injoignable", hote=self.host, essais=ATTEMPTS, cause=cause)

    def _quota(self, seconds: float) -> WorkbenchError:
        until = datetime.fromtimestamp(time.time() + seconds, UTC).astimezone()
        return WorkbenchError("portail_quota", hote=self.host, date=until.strftime("%d/%m/%Y à %H:%M"))

    def _refusal(self, response: httpx.Response) -> WorkbenchError:
        try:
            body = response.json()
        except ValueError:
            body = None
        told = body.get("message") or body.get("error") if isinstance(body, dict) else None
        advice = _ADVICE.get(response.status_code, "Vérifiez l'adresse du portail (WORKBENCH_OPENDATA).")
        return WorkbenchError(
            "portail_refus",
            hote=self.host,
            statut=response.status_code,
            message=str(told or response.reason_phrase).rstrip("."),
            conseil=advice,
        )


def _dataset(sheet: Any) -> Dataset:
    """Read a dataset's sheet; keys that a portal leaves out are taken as unknown."""
    content = sheet if isinstance(sheet, dict) else {}
    columns = {str(each.get("name")).lower(): str(each.get("type")) for each in content.get("fields") or ()}
    metas = (content.get("metas") or {}).get("default") or {}
    modified = str(metas.get("data_processed") or metas.get("modified") or "")
    return parse_dataset(str(content.get("dataset_id", "")), columns=columns, modified=modified)


def _cause(error: httpx.RequestError) -> str:
    if isinstance(error, httpx.TimeoutException):
        return "délai dépassé"
    if isinstance(error, httpx.ConnectError):
        return "connexion impossible"
    return "connexion coupée"


def _asked_delay(headers: Mapping[str, str]) -> float | None:
    """Read how long, in seconds, an answer 429 asks to wait; None when it does not say."""
    for name in ("retry-after", "x-ratelimit-reset"):
        text = headers.get(name, "").strip()
        delay = _delay(text) if text else None
        if delay is not None:
            return max(0.0, delay)
    return None


def _delay(text: str) -> float | None:
    """Seconds from now to a number of seconds, an epoch, an ISO 8601 or an HTTP date."""
    if re.fullmatch(r"\d+(\.\d+)?", text):
        number = float(text)
        # A number beyond some thirty years can only be a date counted from 1970.
        return number - time.time() if number > 1e9 else number
    for parse in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            moment = parse(text)
        except ValueError:
            continue
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return aware.timestamp() - time.time()
    return None
