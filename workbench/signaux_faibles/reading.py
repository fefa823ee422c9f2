"""Reading files of partners outside of any base: what a file holds, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa

from workbench.engines import Writer, scratch_writer, work_folder
from workbench.errors import WorkbenchError
from workbench.signaux_faibles.comptes import COMPTES, load_comptes
from workbench.signaux_faibles.comptes_months import parse_comptes
from workbench.signaux_faibles.declaration import Era, Source
from workbench.signaux_faibles.execution import Context, ParsedFile, parse_file
from workbench.signaux_faibles.perimetre import load_perimetre, read_filter
from workbench.signaux_faibles.report import FileReport
from workbench.signaux_faibles.sources import source_named

__all__ = ["FileContent", "parsed_files", "read_source", "tuple_values"]


@dataclass(frozen=True)
class FileContent:
    """What a file holds.

    Parameters
    ----------
    report
        Counters and messages.
    tuples
        One row a tuple: ``siret`` or ``siren``, then the fields; amounts in the units of the source's declaration.
    rejected
        One row a refused cell or line: ``fichier, ligne, colonne, valeur, motif``; ``ligne`` is 1 for the first line
        of data.
    """

    report: FileReport
    tuples: pa.Table
    rejected: pa.Table


_REJECTED = pa.schema(
    {"fichier": pa.string(), "ligne": pa.int64(), "colonne": pa.string(), "valeur": pa.string(), "motif": pa.string()}
)


def read_source(
    type_: str,
    path: str | Path,
    *,
    perimetre: Iterable[str] | str | Path | None = None,
    comptes: Iterable[str | Path] = (),
    start: date = date(2016, 1, 1),
    end: date | None = None,
    era: str | None = None,
    batch: str = "",
) -> FileContent:
    r"""Read one file of a partner.

    Parameters
    ----------
    type_
        Kind of file: ``debit``, ``effectif``… (see `workbench.signaux_faibles.sources`).
    path
        The file; gzip when it is named ``.gz`` or ``gzip:…``.
    perimetre
        SIREN to keep, or the filter file that lists them; None keeps all.
    comptes
        Files of accounts, for files that name accounts instead of SIRET.
    start, end
        Months of the batch, ``end`` excluded; only the file of accounts needs them.
    era
        ``H21`` or ``NOW``; by default what the header tells.
    batch
        Key of the batch, for the report.

    Returns
    -------
    FileContent
        A file that cannot be read at all gives no row, and a report whose ``is_fatal`` is true.

    Raises
    ------
    WorkbenchError
        ``source_inconnue``, and what a wrong filter raises.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "paydex.csv"
    >>> text = "SIREN;NB_JOURS;NB_JOURS_LIB;DATE_VALEUR\n000000001;2;2 jours;15/12/2018\n000000001;x;;1/1/19\n"
    >>> _ = path.write_text(text)
    >>> content = read_source("paydex", path)
    >>> content.report.lines_valid, content.tuples.to_pylist()
    (1, [{'siren': '000000001', 'date_valeur': datetime.date(2018, 12, 15), 'nb_jours': 2}])
    >>> content.rejected["motif"].to_pylist()[0]
    'DATE_VALEUR : « 1/1/19 » n'est pas une date de la forme 31/01/2020'
    """
    sirens = read_filter(perimetre) if isinstance(perimetre, str | Path) else perimetre
    files = {type_: [path]}
    if type_ != COMPTES.type and (given := list(comptes)):
        files[COMPTES.type] = given
    with work_folder(prefix="workbench-sources-") as work, scratch_writer(work) as writer:
        context = Dates(batch, start, end, Era(era) if era else None)
        for parsed in parsed_files(writer, files, context, sirens, work, only=[type_]):
            return FileContent(
                parsed.report,
                pa.table({}) if parsed.tuples is None else writer.fetch(parsed.tuples),
                _REJECTED.empty_table() if parsed.rejected is None else writer.fetch(parsed.rejected),
            )
    raise AssertionError(type_)  # pragma: no cover - one file gives one content


@dataclass(frozen=True)
class Dates:
    """What a batch says to its files, before anything is loaded.

    Parameters
    ----------
    batch
        Its key.
    start, end
        Its months, ``end`` excluded.
    era
        Rules imposed, or None.
    """

    batch: str = ""
    start: date = date(2016, 1, 1)
    end: date | None = None
    era: Era | None = None


def parsed_files(
    writer: Writer,
    files: Mapping[str, Iterable[str | Path]],
    dates: Dates,
    perimetre: Iterable[str] | None,
    work: Path,
    *,
    only: Collection[str] | None = None,
) -> Iterator[ParsedFile]:
    """Read the files of a batch one after another; each one's rows are there until the next is asked for.

    Parameters
    ----------
    writer
        A DuckDB writer that still loads: rows can go from its tables to others of its own by statements.
    files
        Type to files. The type ``filter`` is passed over; the accounts serve the files that need them.
    dates
        Key and months of the batch.
    perimetre
        SIREN to keep; None keeps all.
    work
        A folder for copies.
    only
        Types, to read their files alone.

    Yields
    ------
    ParsedFile
        In the order of ``files``.
    """
    with ExitStack() as stack:
        kept = stack.enter_context(load_perimetre(writer, perimetre))
        given = [str(path) for path in files.get(COMPTES.type, ())]
        comptes, failure = None, None
        if given:
            try:
                comptes = stack.enter_context(load_comptes(writer, given, work))
            except WorkbenchError as error:
                failure = error
        context = Context(dates.batch, kept, comptes, dates.start, dates.end, dates.era)
        for type_, paths in files.items():
            if type_ == "filter" or (only is not None and type_ not in only):
                continue
            source = source_named(type_)
            if type_ == COMPTES.type:
                if comptes is not None:
                    with parse_comptes(writer, comptes, context) as parsed:
                        yield parsed
                elif failure is not None:
                    report = FileReport.fatal(type_, " ".join(given), dates.batch, failure)
                    yield ParsedFile(source, report)
                continue
            for path in paths:
                with parse_file(writer, source, path, context, work) as parsed:
                    yield parsed


def tuple_values(source: Source, row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a tuple in its JSON form: periods as ``{start, end}``, dates as ISO 8601.

    Examples
    --------
    >>> row = {"siret": "01234567891011", "periode_debut": date(2018, 2, 1), "periode_fin": date(2018, 3, 1), "du": 1.5}
    >>> tuple_values(source_named("cotisation"), row)["periode"]
    {'start': '2018-02-01T00:00:00Z', 'end': '2018-03-01T00:00:00Z'}
    """
    paths = {each.name: each.path or (each.name,) for each in source.fields}
    found: dict[str, Any] = {}
    for name, value in row.items():
        *above, last = paths.get(name, (name,))
        place = found
        for each in above:
            place = place.setdefault(each, {})
        place[last] = f"{value.isoformat()}T00:00:00Z" if isinstance(value, date) else value
    return found
