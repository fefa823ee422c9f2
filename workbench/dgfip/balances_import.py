"""Import of the DGFIP's open-data balances.

Each file is read twice, as a stream: once for its amounts, once for what it says of its budgets,
which is the same on every row of one. Both go straight into the next snapshot; a value that is
refused stops the statement and the snapshot is thrown away.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Integer,
    MetaData,
    Select,
    SmallInteger,
    Table,
    Text,
    case,
    func,
    insert,
    literal,
    null,
    select,
)

from workbench.dgfip.bad_rows import find_bad_rows
from workbench.dgfip.base import Base
from workbench.dgfip.control_report import controls
from workbench.dgfip.import_report import ImportReport
from workbench.dgfip.layouts import BALANCES
from workbench.dgfip.publication import (
    Progress,
    add_budgets,
    begin,
    current_budgets,
    next_import_id,
    progress_reporter,
    publish,
    record_import,
    require_sirets,
)
from workbench.dgfip.reference import nomenclatures_repliees
from workbench.dgfip.schema import AMOUNTS, balances, budgets, collectivites, doublons
from workbench.dgfip.source_files import SourceFile, expand_paths, open_source
from workbench.dgfip.values import Columns, checked, constant
from workbench.engines import Writer
from workbench.errors import WorkbenchError

__all__ = ["import_balances"]

_SOLDES = ("solde_debit", "solde_credit")
_KINDS = {
    "exercice": "exercice",
    "siret": "siret",
    **dict.fromkeys((*AMOUNTS, *_SOLDES), "montant"),
}
_DESCRIPTION = tuple(
    column.name
    for column in collectivites.columns
    if column.name not in {"exercice", "siret", "commune", "population", "nomenclature", "siren_epci", "import_id"}
)

_described = Table(
    "described",
    MetaData(),
    Column("exercice", SmallInteger),
    Column("siret", Text),
    *(Column(name, Text) for name in _DESCRIPTION),
    Column("rang", Integer),
    Column("descriptions", Integer),
    prefixes=["TEMPORARY"],
)


def import_balances(
    base: Base, paths: str | Path | Iterable[str | Path], *, progress: Progress | bool = False
) -> ImportReport:
    """Import open-data balances of the DGFIP, all of them or none.

    Parameters
    ----------
    base
        Opened with ``read_only=False``; it sees the new snapshot afterwards.
    paths
        Files or patterns: CSV with ``;``, ``,`` or tabs, gzip or not, or parquet; with or without FONCTION;
        decimals with a comma or a dot.
    progress
        True for a bar on stderr, or a function called with a sentence and the fraction done.

    Returns
    -------
    ImportReport
        What was read, what changed, and the controls of the imported budgets. A file that the base
        already holds changes nothing; a budget and exercice that it holds from another file is
        replaced whole.

    Raises
    ------
    WorkbenchError
        ``lignes_refusees`` (a `BadRowsError`) with file, line, column and value, ``colonnes_absentes``,
        ``budget_double`` when two files carry the same budget, ``import_en_cours``, and those of files
        that cannot be read. The base is then as it was.

    Notes
    -----
    Operations: 1 from BE, 2 from OBNET (net of annulations), 3 from ONB, 6 from OOB. The rows are
    kept as they are, duplicates included; `controls` names them.
    """
    files = expand_paths(paths)
    with begin(base) as work, progress_reporter(progress) as report:
        report("Lecture des en-têtes", 0.0)
        sources = [open_source(path, BALANCES, work) for path in files]
        known = {source.name: current_budgets(base, source.sha256, "balances") for source in sources}
        fresh = [source for source in sources if known[source.name] is None]
        unchanged = sum(count or 0 for count in known.values())
        names = tuple(source.name for source in sources)
        if not fresh:
            return ImportReport(names, budgets_unchanged=unchanged, snapshot=base.snapshot)
        first = next_import_id(base)
        rows = 0
        with base.write() as writer:
            for number, source in enumerate(fresh):
                report(f"Lecture de {source.name}", number / len(fresh))
                rows += _load(writer, source, first + number)
            report("Remplacement des budgets", 1.0)
            writer.loaded()
            published = publish(writer, first, {first + n: source.name for n, source in enumerate(fresh)})
        base.refresh()
    return ImportReport(
        files=names,
        rows=rows,
        budgets_new=published.new,
        budgets_replaced=published.replaced,
        budgets_unchanged=unchanged,
        exercices=published.exercices,
        ignored_columns=tuple(dict.fromkeys(each for source in fresh for each in source.ignored)),
        notes=tuple(note for source in fresh for note in _notes(source)),
        snapshot=base.snapshot,
        controls=controls(base, import_id=first),
    )


def _load(writer: Writer, source: SourceFile, import_id: int) -> int:
    columns = Columns(source, writer.source(source.file))
    try:
        rows = writer.execute(insert(balances).from_select(list(balances.c.keys()), _amounts(columns, import_id)))
        count = add_budgets(writer, import_id)
        require_sirets(writer, budgets.c.siret, budgets.c.import_id == import_id, source)
        _describe(writer, columns, import_id)
    except WorkbenchError as error:
        raise (find_bad_rows(writer, source, _KINDS) or error) from None
    if not rows:
        raise WorkbenchError("fichier_sans_ligne", fichier=source.name)
    record_import(writer, import_id, source, "balances", rows, count)
    return rows


def _amounts(columns: Columns, import_id: int) -> Select[Any]:
    values: dict[str, ColumnElement[Any]] = {
        "exercice": checked(columns.exercice()),
        "siret": checked(columns.siret()),
        "fonction": func.coalesce(columns.text("fonction"), constant("")),
        "compte": columns.text("compte"),
        "etat": _etat(columns),
        "import_id": constant(import_id),
    }
    for name in AMOUNTS:
        values[name] = checked(columns.cents(name)) if columns.has(name) else constant(0)
    for name in _SOLDES:
        values[name] = (
            case((columns.is_blank(name), null()), else_=checked(columns.cents(name)))
            if columns.has(name)
            else null().cast(BigInteger)
        )
    ordered = [values[column.name].label(column.name) for column in balances.columns]
    # Sorted by budget, one collectivité is a look-up in a few blocks of the table.
    return select(*ordered).order_by("siret", "exercice")


def _etat(columns: Columns) -> ColumnElement[Any]:
    if not columns.has("etat"):
        return constant("D")
    return case((func.upper(columns.text("etat")) == constant("DEF"), constant("D")), else_=constant("P"))


def _describe(writer: Writer, columns: Columns, import_id: int) -> None:
    """Write one row a budget; when a file describes one in several ways, say so and keep one."""
    writer.drop([_described])
    writer.create([_described])
    # The cells as written come first: they are the same on the hundreds of rows of a budget.
    named = [name for name in ("exercice", "siret", *_DESCRIPTION) if columns.has(name)]
    written = select(*(columns.raw(name).label(columns.raw(name).name) for name in named)).distinct().subquery()
    columns = Columns(columns.source, written)
    plain = {name: columns.text(name) for name in _DESCRIPTION}
    plain |= {name: columns.code(name, width) for name, width in _WIDTHS.items()}
    plain |= {"departement": columns.departement(), "exercice": columns.exercice(), "siret": columns.siret(strict=True)}
    distinct = select(*(value.label(name) for name, value in plain.items())).distinct().subquery()
    key = (distinct.c.exercice, distinct.c.siret)
    ranked = select(
        *distinct.c,
        func.row_number().over(partition_by=key, order_by=list(distinct.c)),
        func.count().over(partition_by=key),
    )
    writer.execute(insert(_described).from_select([*plain, "rang", "descriptions"], ranked))
    detail = func.upper(_described.c.nomenclature_detail)
    values: dict[str, Any] = {name: _described.c[name] for name in plain}
    values["siren"] = func.coalesce(_described.c.siren, func.left(_described.c.siret, 9))
    values["libelle"] = func.coalesce(_described.c.libelle, "")
    values["nomenclature_detail"] = detail
    values["nomenclature"] = case(nomenclatures_repliees(), value=detail, else_=detail)
    values["import_id"] = literal(import_id)
    kept = select(*(value.label(name) for name, value in values.items())).where(_described.c.rang == 1)
    kept = kept.order_by(_described.c.siret, _described.c.exercice)
    writer.execute(insert(collectivites).from_select(list(values), kept))
    several = select(
        literal(import_id),
        literal("collectivites"),
        _described.c.exercice,
        _described.c.siret,
        _described.c.descriptions,
    ).where(_described.c.rang == 1, _described.c.descriptions > 1)
    writer.execute(insert(doublons).from_select(["import_id", "source", "exercice", "siret", "lignes"], several))
    writer.drop([_described])


_WIDTHS = {
    "siren": 9,
    "finess": 9,
    "insee": 3,
    "region": 3,
    "type_budget": 1,
    "type_etablissement": 3,
    "sous_type": 2,
    "activite": 2,
}


def _notes(source: SourceFile) -> list[str]:
    notes = []
    if "etat" not in source.positions:
        notes.append(f"{source.name} ne dit pas l'état des balances : elles sont tenues pour définitives.")
    if "solde_debit" not in source.positions or "solde_credit" not in source.positions:
        notes.append(f"{source.name} ne donne pas les soldes : leur contrôle ne porte pas sur ce fichier.")
    if source.encoding != "utf-8":
        notes.append(f"{source.name} n'est pas en UTF-8 : il a été lu comme un fichier Windows (cp1252).")
    return notes
