"""The list of a batch: one line a report, in a workbook or a CSV file, read and checked before anything runs.

Columns, whatever their order, capitals and accents: IDENTIFIANT (a SIRET), EXERCICE_MIN and EXERCICE_MAX, which a list
must have; CODE_DEPARTEMENT and LIBELLE_DE_BUDGET, which it may have; any other is kept for the log.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from workbench.dgfip import perimetre
from workbench.errors import WorkbenchError

__all__ = ["BatchList", "Line", "read_batch_list"]

NEEDED = ("IDENTIFIANT", "EXERCICE_MIN", "EXERCICE_MAX")
KNOWN = (*NEEDED, "CODE_DEPARTEMENT", "LIBELLE_DE_BUDGET")

MOST_LINES = 100_000
SHOWN = 20
"""Problems told at once; a file with more is wrong as a whole."""


@dataclass(frozen=True)
class Line:
    """A line of a list.

    Parameters
    ----------
    number
        Its number in the file, from 1.
    siret
        Fourteen characters.
    exercices
        First and last.
    libelle
        LIBELLE_DE_BUDGET; empty for none.
    row
        All its values by column, as JSON can hold them.
    """

    number: int
    siret: str
    exercices: tuple[int, int]
    libelle: str
    row: Mapping[str, Any]


@dataclass(frozen=True)
class BatchList:
    """A list that can be run.

    Parameters
    ----------
    name
        The name of its file.
    columns
        Its columns, as it writes them.
    lines
        Its lines that are not blank.
    """

    name: str
    columns: tuple[str, ...]
    lines: tuple[Line, ...]


def read_batch_list(path: str | Path) -> BatchList:
    """Read a list.

    Parameters
    ----------
    path
        ``.xlsx`` (its first sheet), or ``.csv`` in UTF-8 or Windows-1252, separated by semicolons, commas or tabs.

    Raises
    ------
    WorkbenchError
        ``liste_absente``, ``liste_illisible``; ``liste_refusee`` with every problem: line, column, what to write.
    """
    file = Path(path)
    if not file.is_file():
        raise WorkbenchError("liste_absente", fichier=file)
    if file.suffix.lower() == ".xlsx":
        from workbench.reports.excel_list import read_list

        source = read_list(file)
    elif file.suffix.lower() in (".csv", ".txt", ".tsv"):
        source = _csv(file)
    else:
        raise WorkbenchError("liste_illisible", fichier=file.name, cause="son extension n'est ni .xlsx ni .csv")
    rows = ((number, values) for number, values in source if any(_text(value) for value in values))
    heading, names = next(rows, (1, []))
    columns = [_text(name) for name in names]
    while columns and not columns[-1]:
        columns.pop()
    places = {_plain(name): place for place, name in reversed(list(enumerate(columns))) if name}
    absent = [name for name in NEEDED if name not in places]
    if absent:
        found = ", ".join(name for name in columns if name) or "aucune"
        said = [f"ligne {heading} : il manque la colonne {name}. Colonnes lues : {found}." for name in absent]
        raise _refused(file, said)
    columns = [name or f"COLONNE_{place + 1}" for place, name in enumerate(columns)]
    if len(set(columns)) < len(columns):
        twice = sorted({name for name in columns if columns.count(name) > 1})
        raise _refused(file, [f"ligne {heading} : la colonne {name} est écrite deux fois." for name in twice])
    lines: list[Line] = []
    problems: list[str] = []
    for number, values in rows:
        if len(lines) + len(problems) >= MOST_LINES:
            problems.append(f"ligne {number} : une liste a au plus {MOST_LINES} lignes. Coupez-la en plusieurs.")
            break
        line = _line(number, [*values, *[None] * (len(columns) - len(values))], columns, places, problems)
        if line is not None:
            lines.append(line)
    if not lines and not problems:
        problems.append(f"ligne {heading + 1} : aucune ligne sous les titres. Écrivez-en une par rapport.")
    if problems:
        raise _refused(file, problems)
    return BatchList(file.name, tuple(columns), tuple(lines))


def _refused(file: Path, problems: Sequence[str]) -> WorkbenchError:
    count = "une erreur" if len(problems) == 1 else f"{len(problems)} erreurs"
    shown = [f"  - {problem}" for problem in problems[:SHOWN]]
    if len(problems) > SHOWN:
        shown.append(f"  - … et {len(problems) - SHOWN} autres.")
    return WorkbenchError("liste_refusee", fichier=file.name, nombre=count, liste="\n".join(shown))


def _csv(file: Path) -> Iterator[tuple[int, list[Any]]]:
    content = file.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", errors="replace")
    if "\0" in text:
        raise WorkbenchError("liste_illisible", fichier=file.name, cause="ce n'est pas un fichier de texte")
    first = next((line for line in text.splitlines() if line.strip()), "")
    separator = max(";,\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        for values in reader:
            yield reader.line_num, values
    except csv.Error as error:
        cause = f"ligne {reader.line_num}, {error}"
        raise WorkbenchError("liste_illisible", fichier=file.name, cause=cause) from error


def _plain(name: str) -> str:
    """Write the name of a column as the specification does."""
    letters = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Z0-9]+", "_", letters.upper()).strip("_")


def _text(value: Any) -> str:
    """Write a cell as a person reads it: a whole number has no decimals."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return unicodedata.normalize("NFC", str(value)).replace("\u00a0", " ").strip()


def _line(
    number: int, values: Sequence[Any], columns: Sequence[str], places: Mapping[str, int], problems: list[str]
) -> Line | None:
    found: list[str] = []

    def wrong(column: str, what: str) -> None:
        found.append(f"ligne {number}, colonne {columns[places[column]]} : {what}")

    given = {name: values[place] for name, place in places.items() if name in KNOWN}
    siret = _siret(given["IDENTIFIANT"], lambda what: wrong("IDENTIFIANT", what))
    years = []
    for column in ("EXERCICE_MIN", "EXERCICE_MAX"):
        text = _text(given[column])
        if re.fullmatch(r"(19|20|21)\d\d", text):
            years.append(int(text))
        elif isinstance(given[column], date | datetime):
            wrong(column, f"c'est une date. Écrivez l'année seule : {given[column].year}.")
        else:
            wrong(
                column, f"« {text} » n'est pas une année. Écrivez quatre chiffres : 2018." if text else "elle est vide."
            )
    if len(years) == 2 and years[0] > years[1]:
        wrong("EXERCICE_MAX", f"{years[1]} vient avant EXERCICE_MIN, {years[0]}. Échangez-les.")
    departement = _text(given.get("CODE_DEPARTEMENT"))
    if departement:
        try:
            perimetre(departements=departement)
        except WorkbenchError:
            wrong("CODE_DEPARTEMENT", f"« {departement} » n'est pas un département. Écrivez 031, 31 ou 02A.")
    if found or siret is None:
        problems.extend(found)
        return None
    row = {name: _json(value) for name, value in zip(columns, values, strict=False)}
    return Line(number, siret, (years[0], years[1]), _text(given.get("LIBELLE_DE_BUDGET")), row)


def _siret(value: Any, wrong: Any) -> str | None:
    text = re.sub(r"[\s.]", "", _text(value)).upper()
    if not text:
        wrong("elle est vide. Écrivez un SIRET de quatorze chiffres.")
    elif isinstance(value, int | float) and re.fullmatch(r"[0-9]{12,14}", text):
        return text.zfill(14)  # a number loses the zeros it begins with
    elif re.fullmatch(r"[0-9]{14}", text):
        return text
    elif re.search(r"[0-9]E\+?[0-9]", text):
        wrong(f"« {text} » est un nombre arrondi. Mettez la colonne au format Texte, puis écrivez le SIRET.")
    elif re.fullmatch(r"[0-9]{9}", text):
        wrong(f"« {text} » est un SIREN. Écrivez le SIRET du budget, quatorze chiffres.")
    else:
        wrong(f"« {text} » n'est pas un SIRET : il a {len(text)} caractères. Écrivez quatorze chiffres.")
    return None


def _json(value: Any) -> Any:
    if isinstance(value, date | datetime):
        return value.isoformat()
    return value if isinstance(value, int | str | None) else _text(value)
