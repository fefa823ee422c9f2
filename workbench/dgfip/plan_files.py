"""Files of charts of accounts: read whole, every cell checked, before anything is kept.

Rows come out as an Arrow table of the columns of `workbench.dgfip.schema`; a wrong file is an error that lists its
wrong cells, each with file, line, column and value.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv, parquet
from sqlalchemy import SmallInteger, Table

from workbench.dgfip.bad_rows import SHOWN, BadRow, bad_rows_error
from workbench.dgfip.layouts_plans import PLANS, TOTEM_NOTICE
from workbench.dgfip.schema import plan_chapitres, plan_comptes, plan_fonctions
from workbench.dgfip.source_files import SourceFile, expand_paths, open_source, record_lines
from workbench.errors import WorkbenchError, require_kind

__all__ = ["TABLES", "PlanFile", "plan_paths", "read_plan_file"]

TABLES: dict[str, Table] = {"comptes": plan_comptes, "fonctions": plan_fonctions, "chapitres": plan_chapitres}
"""The table of each kind of file, in the order in which headers are tried."""

_KEY = ("nomenclature", "variante", "exercice")
_FLAGS = frozenset({"totalise", "supprime"})
_SUFFIXES = (".csv", ".csv.gz", ".parquet")
_ADVICE = {
    "nomenclature": "une nomenclature s'écrit en capitales et en chiffres : M14, M57",
    "exercice": "un exercice est une année entre 1900 et 2100",
    "libelle": "un libellé est attendu",
    "parent": "ce parent n'est pas dans le plan, ou n'est pas le début du numéro",
    "section": "une section est F (fonctionnement) ou I (investissement)",
}
_CODES = {
    "comptes": "un compte s'écrit en chiffres, vingt au plus",
    "fonctions": "une fonction s'écrit en chiffres, ou en lettres et en chiffres",
    "chapitres": "un chapitre s'écrit en chiffres, ou en lettres et en chiffres",
}


@dataclass(frozen=True)
class PlanFile:
    """A file of charts that is right.

    Parameters
    ----------
    source
        The file.
    nature
        ``comptes``, ``fonctions`` or ``chapitres``.
    rows
        Its rows, without ``import_id``.
    licence
        What goes with what is taken from it; empty when nothing is known.
    """

    source: SourceFile
    nature: str
    rows: pa.Table
    licence: str


def plan_paths(paths: str | Path | Iterable[str | Path]) -> list[Path]:
    """Return the files that paths name; a folder stands for its files in .csv, .csv.gz and .parquet."""
    require_kind(paths, (str, Path, Iterable), "path", "un chemin ou une liste de chemins")
    found: list[str | Path] = []
    for each in [paths] if isinstance(paths, str | Path) else paths:
        folder = Path(each)
        if folder.is_dir():
            inside = sorted(one for one in folder.iterdir() if one.name.lower().endswith(_SUFFIXES))
            if not inside:
                raise WorkbenchError("fichier_absent", fichier=f"{folder}/*.csv")
            found += inside
        else:
            found.append(each)
    return expand_paths(found)


def read_plan_file(
    path: Path, work: Path, nomenclature: str | None = None, exercices: Iterable[int] | None = None
) -> PlanFile:
    """Read a file of charts.

    Parameters
    ----------
    path
        TOTEM's, or a CSV with a header: ``compte`` (or ``fonction``, or ``chapitre``), ``libelle``, and
        ``nomenclature``, ``exercice``, ``variante``, ``parent`` where it has them.
    work
        A folder for a copy in UTF-8.
    nomenclature, exercices
        What the file does not say.

    Raises
    ------
    WorkbenchError
        ``lignes_refusees``, ``colonnes_absentes``, ``fichier_sans_ligne`` and those of files that cannot be read.
    """
    source, nature = _opened(path, work)
    given = _cells(source)
    if not given.num_rows:
        raise WorkbenchError("fichier_sans_ligne", fichier=source.name)
    totem = _is_totem(source)
    table = TABLES[nature]
    columns: dict[str, Any] = {}
    for column in table.columns:
        if column.name != "import_id":
            position = source.positions.get("code" if column.name == table.info["code"] else column.name)
            columns[column.name] = (
                pa.array([""] * given.num_rows, pa.string()) if position is None else given.column(position)
            )
    if totem:
        columns["nomenclature"] = pc.list_element(pc.split_pattern(columns["variante"], "_"), 0)
    elif nomenclature is not None and "nomenclature" not in source.positions:
        columns["nomenclature"] = pa.array([nomenclature] * given.num_rows)
    years = None if "exercice" in source.positions else sorted(set(exercices or ()))
    for name, needed in (("nomenclature", "NOMENCLATURE"), ("exercice", "EXERCICE")):
        if name not in source.positions and not (nomenclature if name == "nomenclature" else years):
            raise WorkbenchError("plan_sans_precision", fichier=source.name, colonne=needed, parametre=name)
    if years is not None:
        columns["exercice"] = pa.array([str(years[0])] * given.num_rows)
    _Check(source, nature, columns).run()
    rows = pa.table(_typed(table, columns))
    if nature == "comptes" and "parent" not in source.positions:
        rows = rows.set_column(rows.column_names.index("parent"), "parent", _parents(rows))
    if years is not None and len(years) > 1:
        rows = pa.concat_tables([_of_year(rows, year) for year in years])
    return PlanFile(source, nature, rows, TOTEM_NOTICE if totem else "")


def _is_totem(source: SourceFile) -> bool:
    return any(name.strip().lower() == "declinaison" for name in source.header)


def _opened(path: Path, work: Path) -> tuple[SourceFile, str]:
    refusal: WorkbenchError | None = None
    for nature in TABLES:
        try:
            return open_source(path, PLANS[nature], work), nature
        except WorkbenchError as error:
            if error.code != "colonnes_absentes":
                raise
            refusal = refusal or error
    assert refusal is not None  # noqa: S101 - every layout refused
    raise refusal


def _cells(source: SourceFile) -> pa.Table:
    """Return the cells as trimmed text, empty for none."""
    if source.file.kind == "parquet":
        given = parquet.read_table(source.path)
        given = pa.table([column.cast(pa.string()) for column in given.columns], names=source.file.columns)
    else:
        names = list(source.file.columns)
        read = csv.ReadOptions(column_names=names, skip_rows=1 if source.file.header else 0)
        parse = csv.ParseOptions(
            delimiter=source.file.delimiter, quote_char=source.file.quote or False, newlines_in_values=True
        )
        convert = csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False, quoted_strings_can_be_null=False
        )
        try:
            # pyarrow sees a .gz by its name alone.
            with (
                pa.CompressedInputStream(pa.OSFile(str(source.file.path)), "gzip")
                if source.file.gzip
                else pa.OSFile(str(source.file.path))
            ) as stream:
                given = csv.read_csv(stream, read, parse, convert)
        except pa.ArrowInvalid as error:
            raise _misshapen(source) or WorkbenchError(
                "fichier_illisible", fichier=source.name, detail=str(error).partition("\n")[0][:200]
            ) from None
    return pa.table(
        [pc.utf8_trim_whitespace(pc.fill_null(column, "")) for column in given.columns], names=given.column_names
    )


def _misshapen(source: SourceFile) -> WorkbenchError | None:
    expected = len(source.file.columns)
    found = [
        BadRow(source.name, line, "", "", f"{expected} colonnes attendues, {len(cells)} lues")
        for line, cells in record_lines(source)
        if len(cells) != expected
    ]
    return bad_rows_error(found[:SHOWN]) if found else None


def _typed(table: Table, columns: dict[str, Any]) -> dict[str, Any]:
    typed: dict[str, Any] = {}
    for name, values in columns.items():
        if name in _FLAGS:
            typed[name] = pc.cast(pc.equal(values, "1"), pa.int16())
        else:
            typed[name] = pc.cast(values, pa.int16()) if isinstance(table.c[name].type, SmallInteger) else values
    return typed


def _of_year(rows: pa.Table, year: int) -> pa.Table:
    place = rows.column_names.index("exercice")
    return rows.set_column(place, "exercice", pa.array([year] * rows.num_rows, pa.int16()))


def _parents(rows: pa.Table) -> pa.Array:
    """Find the parent of each compte: the longest other one that its number starts with."""
    keys = _records(rows, (*_KEY, "compte"))
    known = set(keys)

    def parent(key: tuple[str, ...]) -> str:
        numero = key[-1]
        return next((numero[:end] for end in range(len(numero) - 1, 0, -1) if (*key[:-1], numero[:end]) in known), "")

    return pa.array([parent(key) for key in keys], pa.string())


def _joined(charts: Any, codes: Any) -> Any:
    return pc.binary_join_element_wise(charts, codes, "|")


def _records(rows: Any, names: Iterable[str]) -> list[tuple[Any, ...]]:
    return list(zip(*(rows[name].to_pylist() for name in names), strict=True))


class _Check:
    """Looks for wrong cells: whole columns first, one by one only where something is wrong."""

    def __init__(self, source: SourceFile, nature: str, columns: dict[str, Any]) -> None:
        self.source = source
        self.nature = nature
        self.columns = columns
        self.code = TABLES[nature].info["code"]
        self.bad: list[tuple[int, str, str, str]] = []

    def run(self) -> None:
        code = r"^[0-9]{1,20}$" if self.nature == "comptes" else r"^[0-9A-Za-z.-]{1,20}$"
        self._pattern(self.code, code, _CODES[self.nature])
        self._pattern("nomenclature", r"^[A-Z][A-Z0-9]{0,9}$", _ADVICE["nomenclature"])
        self._pattern("exercice", r"^(19[0-9]{2}|20[0-9]{2}|2100)$", _ADVICE["exercice"])
        self._pattern("libelle", r"\S", _ADVICE["libelle"])
        if self.nature == "chapitres":
            self._pattern("section", r"^[FI]?$", _ADVICE["section"])
        if not self.bad:
            self.bad += self._hierarchy()
        if self.bad:
            raise self._error()

    def _pattern(self, name: str, pattern: str, advice: str) -> None:
        right = pc.match_substring_regex(self.columns[name], pattern)
        if not pc.all(right, min_count=0).as_py():
            wrong = pc.indices_nonzero(pc.invert(right)).to_pylist()[:SHOWN]
            self.bad += [(rank, name, self.columns[name][rank].as_py(), advice) for rank in wrong]

    def _hierarchy(self) -> Iterator[tuple[int, str, str, str]]:
        """Look for what is given twice, and for parents that are not there; rows are compared one by one only then."""
        names = (*_KEY, *(("section",) if self.nature == "chapitres" else ()))
        charts = pc.binary_join_element_wise(*(self.columns[name] for name in names), "|")
        keys = _joined(charts, self.columns[self.code])
        if pc.count_distinct(keys).as_py() < len(keys):
            first: dict[str, int] = {}
            for rank, key in enumerate(keys.to_pylist()):
                if first.setdefault(key, rank) != rank:
                    line = _lines(self.source, [first[key]])[first[key]]
                    chart = " ".join(part for part in key.split("|")[:-1] if part)
                    yield rank, self.code, key.rpartition("|")[2], f"déjà donné à la ligne {line} pour {chart}"
        if "parent" not in self.columns:
            return
        parents, codes = self.columns["parent"], self.columns[self.code]
        known = pc.is_in(_joined(charts, parents), value_set=keys)
        # A chart of comptes is read by the beginnings of their numbers: a parent that is none would be no parent.
        wrong = pc.and_(pc.not_equal(parents, ""), pc.or_(pc.invert(known), pc.equal(parents, codes)))
        ranks = set(pc.indices_nonzero(wrong).to_pylist())
        if self.nature == "comptes":
            pairs = enumerate(zip(parents.to_pylist(), codes.to_pylist(), strict=True))
            ranks |= {rank for rank, (parent, code) in pairs if not code.startswith(parent)}
        for rank in sorted(ranks)[:SHOWN]:
            yield rank, "parent", parents[rank].as_py(), _ADVICE["parent"]

    def _error(self) -> WorkbenchError:
        shown = sorted(self.bad)[:SHOWN]
        lines = _lines(self.source, [rank for rank, *_ in shown])
        return bad_rows_error(
            [
                BadRow(self.source.name, lines[rank], self._column(name), value, advice)
                for rank, name, value, advice in shown
            ]
        )

    def _column(self, name: str) -> str:
        own = "code" if name == self.code else name
        if own == "nomenclature" and _is_totem(self.source):
            own = "variante"
        return self.source.column_name(own) if own in self.source.positions else name.upper()


def _lines(source: SourceFile, records: Iterable[int]) -> dict[int, int]:
    """Return the line of each record, both from zero for the first record."""
    wanted = set(records)
    if source.file.kind != "csv":
        return {record: record + 1 for record in wanted}
    return {record: line for record, (line, _) in enumerate(record_lines(source)) if record in wanted}
