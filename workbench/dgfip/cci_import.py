"""Import of CCI dumps: long rows of operations, their collectivités and their comptes.

The rows of ``execution_2010`` hold one operation each; they are pivoted into one row a (exercice,
siret, fonction, compte, etat). Where a dump bears the same key and operation twice the amounts add
up, as they always did in a formule, and the key is written in ``doublons``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    MetaData,
    SmallInteger,
    Table,
    Text,
    and_,
    case,
    func,
    insert,
    literal,
    null,
    select,
    true,
)

from workbench.dgfip.bad_rows import find_bad_rows
from workbench.dgfip.base import Base
from workbench.dgfip.comptes_import import load_comptes
from workbench.dgfip.control_report import controls
from workbench.dgfip.import_report import ImportReport
from workbench.dgfip.layouts_cci import COLLECTIVITE, COMPTES, EXECUTION
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
from workbench.dgfip.schema import AMOUNTS, OPERATIONS, balances, collectivites, doublons
from workbench.dgfip.source_files import SourceFile, expand_paths, open_source
from workbench.dgfip.values import Columns, checked, constant
from workbench.engines import Writer
from workbench.errors import WorkbenchError

__all__ = ["import_cci"]

_KINDS = {
    "exercice": "exercice",
    "siret": "siret",
    "operation": "operation",
    "debit": "montant",
    "credit": "montant",
    "etat": "etat",
    "population": "population",
}
_KEY = ("exercice", "siret", "fonction", "compte", "etat")
_WIDTHS = {
    "finess": 9,
    "insee": 3,
    "region": 3,
    "type_budget": 1,
    "type_etablissement": 3,
    "sous_type": 2,
    "activite": 2,
    "siren_epci": 9,
}

_pivot = Table(
    "pivot",
    MetaData(),
    Column("exercice", SmallInteger, nullable=False),
    Column("siret", Text, nullable=False),
    Column("fonction", Text, nullable=False),
    Column("compte", Text),
    Column("etat", Text, nullable=False),
    *(Column(name, BigInteger, nullable=False) for name in AMOUNTS),
    Column("lignes", BigInteger, nullable=False),
    Column("codes", BigInteger, nullable=False, doc="One bit an operation met"),
    prefixes=["TEMPORARY"],
)


def import_cci(
    base: Base,
    execution: str | Path | Iterable[str | Path],
    collectivite: str | Path | Iterable[str | Path],
    comptes: str | Path | None = None,
    *,
    progress: Progress | bool = False,
) -> ImportReport:
    r"""Import dumps of the CCI base, all of them or none.

    Parameters
    ----------
    base
        Opened with ``read_only=False``; it sees the new snapshot afterwards.
    execution
        Files or patterns of ``execution_2010``: CSV with a header, or PostgreSQL COPY text (tabs, ``\N``,
        no header), gzip or not.
    collectivite
        Files or patterns of ``collectivite``, in the same forms.
    comptes
        File of ``comptes``: labels of the comptes; they replace the labels imported before.
    progress
        True for a bar on stderr, or a function called with a sentence and the fraction done.

    Returns
    -------
    ImportReport
        What was read, what changed, and the controls of the imported budgets. Files that the base
        already holds change nothing; a budget and exercice that it holds from another file is
        replaced whole.

    Raises
    ------
    WorkbenchError
        ``lignes_refusees`` (a `BadRowsError`) with file, line, column and value, ``colonnes_absentes``,
        ``nombre_colonnes``, ``budget_double``, ``import_en_cours``, and those of files that cannot be
        read. The base is then as it was.
    """
    groups = {
        "cci": (EXECUTION, expand_paths(execution)),
        "cci_collectivites": (COLLECTIVITE, expand_paths(collectivite)),
        "cci_comptes": (COMPTES, expand_paths(comptes) if comptes is not None else []),
    }
    with begin(base) as work, progress_reporter(progress) as report:
        report("Lecture des en-têtes", 0.0)
        sources = [
            (kind, open_source(path, layout, work)) for kind, (layout, paths) in groups.items() for path in paths
        ]
        names = tuple(source.name for _, source in sources)
        known = [current_budgets(base, source.sha256, kind) for kind, source in sources]
        if None not in known:
            held = sum(count or 0 for count, (kind, _) in zip(known, sources, strict=True) if kind == "cci")
            return ImportReport(names, budgets_unchanged=held, snapshot=base.snapshot)
        first = next_import_id(base)
        rows = 0
        with base.write() as writer:
            for number, (kind, source) in enumerate(sources):
                report(f"Lecture de {source.name}", number / len(sources))
                read = _load(writer, kind, source, first + number)
                rows += read if kind == "cci" else 0
            report("Remplacement des budgets", 1.0)
            writer.loaded()
            _refuse_shared_descriptions(writer, first)
            files = {first + number: source.name for number, (_, source) in enumerate(sources)}
            published = publish(writer, first, files)
        base.refresh()
    return ImportReport(
        files=names,
        rows=rows,
        budgets_new=published.new,
        budgets_replaced=published.replaced,
        exercices=published.exercices,
        ignored_columns=tuple(dict.fromkeys(each for _, source in sources for each in source.ignored)),
        notes=tuple(
            f"{source.name} n'est pas en UTF-8 : il a été lu comme un fichier Windows (cp1252)."
            for _, source in sources
            if source.encoding != "utf-8"
        ),
        snapshot=base.snapshot,
        controls=controls(base, import_id=first),
    )


def _load(writer: Writer, kind: str, source: SourceFile, import_id: int) -> int:
    load = {"cci": _load_execution, "cci_collectivites": _load_collectivites, "cci_comptes": _load_comptes}[kind]
    try:
        rows, count = load(writer, source, import_id)
    except WorkbenchError as error:
        raise (find_bad_rows(writer, source, _KINDS) or error) from None
    if not rows:
        raise WorkbenchError("fichier_sans_ligne", fichier=source.name)
    record_import(writer, import_id, source, kind, rows, count)
    return rows


def _load_execution(writer: Writer, source: SourceFile, import_id: int) -> tuple[int, int]:
    columns = Columns(source, writer.source(source.file))
    key = _key(columns)
    movements = select(
        *(value.label(name) for name, value in key.items()),
        checked(columns.operation()).label("operation"),
        checked(columns.cents("debit")).label("debit"),
        checked(columns.cents("credit")).label("credit"),
    ).subquery()
    amounts = [
        func.coalesce(
            func.sum(case((movements.c.operation == constant(operation), movements.c[side]), else_=null())), constant(0)
        )
        .cast(BigInteger)
        .label(f"{side}_{operation}")
        for operation in OPERATIONS
        for side in ("debit", "credit")
    ]
    keys = [movements.c[name] for name in _KEY]
    bit = constant(1).op("<<")(movements.c.operation.cast(BigInteger))
    pivoted = select(*keys, *amounts, func.count(), func.bit_or(bit)).group_by(*keys)
    writer.drop([_pivot])
    writer.create([_pivot])
    writer.execute(insert(_pivot).from_select(list(_pivot.c.keys()), pivoted))
    require_sirets(writer, _pivot.c.siret, true(), source)
    names = list(balances.c.keys())
    known = {column.name: column for column in _pivot.columns}
    values = [known.get(name, literal(import_id) if name == "import_id" else null()) for name in names]
    writer.execute(insert(balances).from_select(names, select(*values).order_by(_pivot.c.siret, _pivot.c.exercice)))
    _pivot.c.lignes - func.bit_count(_pivot.c.codes)
    repeated = _pivot.c.lignes - func.bit_count(_pivot.c.codes)
    total = writer.fetch(
        select(
            func.coalesce(func.sum(_pivot.c.lignes), 0).cast(BigInteger).label("lignes"),
            func.coalesce(func.sum(repeated), 0).cast(BigInteger).label("repeated"),
        )
    ).to_pylist()[0]
    if total["repeated"]:
        _record_duplicates(writer, source, import_id)
    writer.drop([_pivot])
    return total["lignes"], add_budgets(writer, import_id)


def _record_duplicates(writer: Writer, source: SourceFile, import_id: int) -> None:
    columns = Columns(source, writer.source(source.file))
    long = select(
        *(value.label(name) for name, value in _key(columns).items()), columns.operation().label("operation")
    ).subquery()
    names = [*_KEY, "operation"]
    key = [long.c[name] for name in names]
    repeated = (
        select(literal(import_id), literal("balances"), *key, func.count()).group_by(*key).having(func.count() > 1)
    )
    writer.execute(insert(doublons).from_select(["import_id", "source", *names, "lignes"], repeated))


def _key(columns: Columns) -> dict[str, Any]:
    etat = func.upper(columns.text("etat"))
    return {
        "exercice": checked(columns.exercice()),
        "siret": checked(columns.siret()),
        "fonction": func.coalesce(columns.text("fonction"), constant("")),
        "compte": columns.text("compte"),
        "etat": checked(case((etat.in_([constant("D"), constant("P")]), etat), else_=null())),
    }


def _load_collectivites(writer: Writer, source: SourceFile, import_id: int) -> tuple[int, int]:
    # In the file's order, so that the first of two rows for one budget is the one kept.
    columns = Columns(source, writer.source(replace(source.file, ordered=True)))
    plain: dict[str, Any] = {
        column.name: columns.text(column.name) for column in collectivites.columns if columns.has(column.name)
    }
    plain |= {name: columns.code(name, width) for name, width in _WIDTHS.items() if columns.has(name)}
    plain |= {"exercice": checked(columns.exercice()), "siret": checked(columns.siret(strict=True))}
    if columns.has("departement"):
        plain["departement"] = columns.departement()
    if columns.has("population"):
        plain["population"] = columns.population()
    rows = select(
        *(value.label(name) for name, value in plain.items()), func.row_number().over().label("record")
    ).subquery()
    key = (rows.c.exercice, rows.c.siret)
    ranked = select(
        *rows.c,
        func.row_number().over(partition_by=key, order_by=rows.c.record).label("rang"),
        func.count().over(partition_by=key).label("fois"),
    ).subquery()
    values: dict[str, Any] = {name: ranked.c[name] for name in plain}
    values["siren"] = func.left(ranked.c.siret, 9)
    values["libelle"] = func.coalesce(ranked.c.libelle, "")
    values["nomenclature"] = func.upper(ranked.c.nomenclature)
    detail = ranked.c.nomenclature_detail if "nomenclature_detail" in plain else ranked.c.nomenclature
    values["nomenclature_detail"] = func.upper(func.coalesce(detail, ranked.c.nomenclature))
    values["import_id"] = literal(import_id)
    kept = select(*(value.label(name) for name, value in values.items())).where(ranked.c.rang == 1)
    kept = kept.order_by(ranked.c.siret, ranked.c.exercice)
    count = writer.execute(insert(collectivites).from_select(list(values), kept))
    repeated = select(
        literal(import_id), literal("collectivites"), ranked.c.exercice, ranked.c.siret, ranked.c.fois
    ).where(and_(ranked.c.rang == 1, ranked.c.fois > 1))
    writer.execute(insert(doublons).from_select(["import_id", "source", "exercice", "siret", "lignes"], repeated))
    total = writer.fetch(select(func.count().label("n")).select_from(columns.rows))
    return int(total.column("n")[0].as_py()), count


def _refuse_shared_descriptions(writer: Writer, first: int) -> None:
    repeated = (
        select(collectivites.c.exercice, collectivites.c.siret)
        .where(collectivites.c.import_id >= first)
        .group_by(collectivites.c.exercice, collectivites.c.siret)
        .having(func.count() > 1)
        .order_by(collectivites.c.siret, collectivites.c.exercice)
    )
    shared = writer.fetch(repeated).to_pylist()
    if shared:
        raise WorkbenchError("collectivite_double", nombre=len(shared), **shared[0])


def _load_comptes(writer: Writer, source: SourceFile, _import_id: int) -> tuple[int, int]:
    return load_comptes(writer, source), 0
