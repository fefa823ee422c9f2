"""Bases of other versions: what an older one lacks reads as empty, a newer one is refused.

A version is a number in the base (`workbench.dgfip.schema.VERSION`). Tables and columns are only
ever added, so an older snapshot is read by statements in which what it lacks stands as no row or as
null, and a writer that opens the next snapshot completes it.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any

from sqlalchemy import Executable, FromClause, Table, cast, false, func, insert, null, select
from sqlalchemy.sql.visitors import iterate, replacement_traverse

from workbench.dgfip.schema import REQUIRED, VERSION, derived, metadata, versions
from workbench.engines import Engine, Writer
from workbench.errors import WorkbenchError

__all__ = ["complete", "missing_tables", "standing_in", "version_of", "write_version"]


def version_of(engine: Engine, present: Mapping[str, Set[str]], url: str) -> int:
    """Return the version of a snapshot's tables.

    Raises
    ------
    WorkbenchError
        ``base_plus_recente`` when this program is older than the base.
    """
    if versions.name not in present:
        return 1
    found = engine.fetch(select(func.max(versions.c.version).label("version")))["version"][0].as_py() or 1
    if found > VERSION:
        raise WorkbenchError("base_plus_recente", chemin=url, version=found, connue=VERSION)
    return int(found)


def missing_tables(present: Mapping[str, Set[str]], url: str) -> dict[str, FromClause]:
    """Return, for each table that is absent or incomplete, what stands in its place.

    Raises
    ------
    WorkbenchError
        ``base_etrangere`` when what is missing is no later addition.
    """
    absent = sorted(REQUIRED - set(present))
    found: dict[str, FromClause] = {}
    for table in metadata.sorted_tables:
        if table.name not in present:
            empty = select(*(cast(null(), each.type).label(each.name) for each in table.columns)).where(false())
            found[table.name] = empty.subquery(table.name)
            continue
        own = present[table.name]
        lacking = [each for each in table.columns if each.name not in own]
        absent += [f"{table.name}.{each.name}" for each in lacking if not each.nullable]
        if lacking:
            columns = [cast(null(), each.type).label(each.name) if each in lacking else each for each in table.columns]
            found[table.name] = select(*columns).select_from(table).subquery(table.name)
    if absent:
        raise WorkbenchError("base_etrangere", chemin=url, tables=", ".join(absent))
    return found


def standing_in(statement: Executable, missing: Mapping[str, FromClause]) -> Any:
    """Return a statement with what stands in for the tables that the base lacks.

    Examples
    --------
    >>> from workbench.dgfip.schema import references
    >>> present = {each.name: set(each.c.keys()) for each in metadata.sorted_tables if each is not references}
    >>> statement = select(references.c.code).where(references.c.nature == "operation")
    >>> str(standing_in(statement, missing_tables(present, "base.duckdb"))).split()[:5]
    ['SELECT', '"references".code', 'FROM', '(SELECT', 'CAST(NULL']
    """
    own: Any = statement
    named = {each.name for each in iterate(own) if isinstance(each, Table)}
    if not named & set(missing):
        return statement

    def replaced(element: Any, **_: Any) -> Any:
        if isinstance(element, Table) and element.name in missing:
            return missing[element.name]
        table = getattr(element, "table", None)
        if isinstance(table, Table) and table.name in missing:
            return missing[table.name].c[element.name]
        return None

    return replacement_traverse(own, {}, replaced)


def complete(writer: Writer) -> None:
    """Create the tables and columns that the next snapshot lacks."""
    writer.create([*metadata.sorted_tables, *(derived.sorted_tables if writer.remote else [])])


def write_version(writer: Writer, known: int) -> None:
    """Note that the base is of this version, when it was of an older one."""
    if known < VERSION:
        writer.execute(insert(versions).values(version=VERSION))
