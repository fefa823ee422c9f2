"""Fetch balances of chosen collectivités from the ministry's open-data portal.

Each (dataset, exercice, selection) is one CSV file of a name that depends on nothing else, with a
manifest beside it (``….json``: dataset, query, rows, SHA-256, date, licence). A file is written as
``….csv.part`` and takes its name only once its rows were counted and agree with the portal's own
count; so a file with its name and its manifest is complete, and a second run leaves it alone
unless the portal's data changed. An export has no ranges: an interrupted file is fetched again
whole.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from workbench.config import settings
from workbench.dgfip import opendata
from workbench.dgfip.download_request import Selection, dataset_names, select, years
from workbench.dgfip.opendata import KNOWN, CutError, Dataset, Portal
from workbench.errors import WorkbenchError

__all__ = ["DownloadReport", "DownloadedFile", "download_balances"]

ATTRIBUTION = "Direction générale des finances publiques (DGFIP), Licence Ouverte 2.0"
NEEDED = frozenset({"exer", "ident", "siren", "compte", "obnetdeb", "obnetcre", "sd", "sc"})
"""Columns without which a file is no balance."""


@dataclass(frozen=True)
class DownloadedFile:
    """One complete file.

    Parameters
    ----------
    path
        The CSV file; its manifest has the suffix ``.json``.
    dataset, exercice, query
        What was asked of the portal.
    rows
        Rows of the file, header apart, equal to the portal's count.
    sha256
        Of the file.
    fetched
        False when the file was there already, complete and current.
    """

    path: Path
    dataset: str
    exercice: int
    query: str
    rows: int
    sha256: str
    fetched: bool


@dataclass(frozen=True)
class DownloadReport:
    """What a download brought.

    Parameters
    ----------
    files
        Complete files, fetched now or before, by exercice.
    missing
        (Identifier or département, exercice) pairs asked for and found in no dataset.
    """

    files: tuple[DownloadedFile, ...]
    missing: tuple[tuple[str, int], ...]

    @property
    def paths(self) -> list[Path]:
        """The CSV files, ready for `import_balances`."""
        return [file.path for file in self.files]

    @property
    def rows(self) -> int:
        """Rows of all files."""
        return sum(file.rows for file in self.files)

    def __str__(self) -> str:
        fetched = sum(file.fetched for file in self.files)
        before = len(self.files) - fetched
        lines = [f"Fichiers téléchargés : {fetched}, déjà présents : {before}, lignes : {self.rows}."]
        lines += [f"Aucune balance pour {identifier} en {exercice}." for identifier, exercice in self.missing]
        return "\n".join(lines)


@dataclass(frozen=True)
class _Target:
    """A file to have."""

    dataset: Dataset
    exercice: int
    selection: Selection
    folder: Path

    @property
    def query(self) -> str:
        condition = self.selection.where()
        return (
            condition if self.dataset.one_exercice else f"{condition} and {self.dataset.filter_exercice(self.exercice)}"
        )

    @property
    def path(self) -> Path:
        year = "" if self.dataset.one_exercice else f"-exercice-{self.exercice}"
        return self.folder / f"{self.dataset.identifier}{year}-{self.selection.name()}.csv"

    @property
    def part(self) -> Path:
        return self.path.with_suffix(".csv.part")

    @property
    def manifest(self) -> Path:
        return self.path.with_suffix(".json")


@dataclass(frozen=True)
class _Content:
    """What a CSV file holds."""

    rows: int
    identifiers: frozenset[str]


def download_balances(
    *,
    sirets: Iterable[str] | None = None,
    sirens: Iterable[str] | None = None,
    departements: Iterable[str] | None = None,
    exercices: Iterable[int] | int,
    to: Path | str,
    datasets: Iterable[str] | None = None,
    url: str | None = None,
    api_key: str | None = None,
    progress: Callable[[str], None] | None = None,
) -> DownloadReport:
    """Fetch the balances of chosen collectivités for chosen exercices.

    Parameters
    ----------
    sirets, sirens
        Budgets (14 digits) and legal persons (9 digits, all their budgets); both add up.
    departements
        ``31``, ``031``, ``2A``, ``974``…; alone, every budget of the département; with sirets or
        sirens, only those of them that are there.
    exercices
        Years.
    to
        Folder of the files, made if need be.
    datasets
        Identifiers of the portal's datasets; by default all those of the catalogue that cover the
        exercices, except the presentation by fonction, which repeats the same budgets.
    url, api_key
        The portal and an account's key; by default `workbench.config.settings`. Without a key calls
        are limited in number; the limit is waited for.
    progress
        Told, in French, of each file and each wait.

    Returns
    -------
    DownloadReport
        Files by exercice, and what the portal does not have.

    Raises
    ------
    WorkbenchError
        ``telechargement_…`` for a wrong request or a file that cannot be had whole,
        ``portail_…`` for the portal's refusals. Files complete before the error stay.

    Notes
    -----
    Source: balances comptables of the DGFIP, Licence Ouverte 2.0: name the DGFIP and the date where figures
    are quoted; both are in each manifest.

    Examples
    --------
    >>> download_balances(sirens=["21330063"], exercices=[2019], to="balances")
    Traceback (most recent call last):
    ...
    workbench.errors.WorkbenchError: ...
    """
    tell = progress or (lambda _message: None)
    selection, asked_years, names = select(sirets, sirens, departements), years(exercices), dataset_names(datasets)
    configured = settings()
    folder = Path(to)
    with Portal(url or configured.opendata, api_key=api_key or configured.opendata_key, progress=tell) as portal:
        chosen = _datasets(portal, asked_years, names, tell)
        folder.mkdir(parents=True, exist_ok=True)
        files: list[DownloadedFile] = []
        found: set[tuple[str, int]] = set()
        for exercice in asked_years:
            for dataset in chosen:
                if not dataset.covers(exercice):
                    continue
                for each in selection.batches():
                    target = _Target(dataset, exercice, each, folder)
                    file, content = _fetch(portal, target, tell)
                    found |= {(identifier, exercice) for identifier in content.identifiers}
                    if file:
                        files.append(file)
    asked = (*selection.sirens, *selection.sirets) or selection.departements
    missing = tuple(
        (identifier, year) for year in asked_years for identifier in asked if (identifier, year) not in found
    )
    return DownloadReport(tuple(files), missing)


def _datasets(
    portal: Portal, asked: Sequence[int], names: Collection[str] | None, tell: Callable[[str], None]
) -> list[Dataset]:
    if names is not None:
        chosen = [portal.dataset(name) for name in names]
    else:
        listed = portal.catalogue()
        if not listed:
            tell("Le catalogue du portail ne nomme aucune balance : les identifiants connus servent.")
            listed = [each if each.one_exercice else portal.dataset(each.identifier) for each in KNOWN]
        chosen = [dataset for dataset in listed if not dataset.by_fonction]
    if not any(dataset.covers(year) for dataset in chosen for year in asked):
        published = sorted({dataset.first for dataset in chosen if dataset.first is not None})
        raise WorkbenchError(
            "telechargement_non_publie",
            exercices=", ".join(map(str, asked)),
            publies=", ".join(map(str, published)) or "aucun",
        )
    return chosen


def _fetch(portal: Portal, target: _Target, tell: Callable[[str], None]) -> tuple[DownloadedFile | None, _Content]:
    announced = portal.count(target.dataset.identifier, target.query)
    if not announced:
        return None, _Content(0, frozenset())
    present = _present(target, announced)
    if present:
        tell(f"{target.path.name} : déjà complet ({announced} lignes).")
        return _file(target, present[1], fetched=False), present[0]
    content, sha256 = _stream(portal, target)
    if content.rows != announced:
        # The portal may have published a new version between its count and its export.
        announced = portal.count(target.dataset.identifier, target.query)
    if content.rows != announced:
        raise WorkbenchError(
            "telechargement_lignes",
            fichier=target.path.name,
            recues=content.rows,
            annoncees=announced,
            partiel=target.part.name,
        )
    manifest = {
        "dataset": target.dataset.identifier,
        "exercice": target.exercice,
        "query": target.query,
        "portal": portal.host,
        "rows": content.rows,
        "sha256": sha256,
        "modified": target.dataset.modified,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "attribution": ATTRIBUTION,
    }
    # The file before its manifest: a stop between the two leaves a file that is fetched again.
    target.manifest.unlink(missing_ok=True)
    target.part.replace(target.path)
    pending = target.manifest.with_suffix(".json.part")
    pending.write_text(json.dumps(manifest, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    pending.replace(target.manifest)
    tell(f"{target.path.name} : {content.rows} lignes.")
    return _file(target, manifest, fetched=True), content


def _stream(portal: Portal, target: _Target) -> tuple[_Content, str]:
    """Write the part until it is whole; return what it holds and its SHA-256."""
    for attempt in range(1, opendata.ATTEMPTS + 1):
        try:
            digest = hashlib.sha256()
            with target.part.open("wb") as part:
                for block in portal.export(target.dataset.identifier, target.query):
                    digest.update(block)
                    part.write(block)
            return _read(target.part, target), digest.hexdigest()
        except CutError as cut:
            if attempt == opendata.ATTEMPTS:
                raise WorkbenchError(
                    "telechargement_tronque",
                    fichier=target.path.name,
                    essais=attempt,
                    cause=str(cut),
                    partiel=target.part.name,
                ) from cut
            portal.wait(attempt, f"{target.path.name} : {cut}")
    raise AssertionError  # pragma: no cover - the loop returns or raises


def _read(path: Path, target: _Target) -> _Content:
    """Count the rows of a CSV file and gather its identifiers.

    Raises
    ------
    CutError
        When the text stops inside a row, which a transfer without length does not tell.
    """
    with path.open("rb") as file:
        file.seek(0, 2)
        size = file.tell()
        file.seek(max(0, size - 1))
        if file.read(1) != b"\n":
            raise CutError("fichier tronqué" if size else "fichier vide")
    identifiers: set[str] = set()
    rows = 0
    with path.open(encoding="utf-8-sig", newline="") as text:
        reader = csv.reader(text, delimiter=";", strict=True)
        try:
            header = [name.strip().lower() for name in next(reader)]
            absent = sorted(NEEDED - set(header))
            if absent:
                raise _foreign(target, 1, f"colonnes absentes : {', '.join(absent)}")
            places = [header.index(name) for name in ("siren", "ident", "ndept") if name in header]
            for row in reader:
                if len(row) != len(header):
                    raise _foreign(target, reader.line_num, f"{len(row)} colonnes au lieu de {len(header)}")
                identifiers.update([row[place] for place in places])
                rows += 1
        except (csv.Error, UnicodeDecodeError) as error:
            raise _foreign(target, reader.line_num, "texte illisible") from error
    return _Content(rows, frozenset(identifiers))


def _foreign(target: _Target, line: int, cause: str) -> WorkbenchError:
    return WorkbenchError(
        "telechargement_contenu",
        fichier=target.path.name,
        ligne=line,
        cause=cause,
        partiel=target.part.name,
        jeu=target.dataset.identifier,
    )


def _present(target: _Target, announced: int) -> tuple[_Content, dict[str, Any]] | None:
    """Tell whether the file is there, whole, and what the portal would give again."""
    try:
        manifest = json.loads(target.manifest.read_text(encoding="utf-8"))
        with target.path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    except (OSError, ValueError):
        return None
    if not isinstance(manifest, dict):
        return None
    wanted = {
        "query": target.query,
        "rows": announced,
        "sha256": sha256,
        "modified": target.dataset.modified,
    }
    if any(manifest.get(key) != value for key, value in wanted.items()):
        return None
    return _read(target.path, target), manifest


def _file(target: _Target, manifest: dict[str, Any], *, fetched: bool) -> DownloadedFile:
    return DownloadedFile(
        path=target.path,
        dataset=target.dataset.identifier,
        exercice=target.exercice,
        query=target.query,
        rows=manifest["rows"],
        sha256=manifest["sha256"],
        fetched=fetched,
    )
