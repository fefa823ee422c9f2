"""Facts of companies as a test writes them, in the tables of an engine."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import pyarrow as pa
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    Double,
    MetaData,
    Numeric,
    Select,
    Table,
    Text,
    cast,
    insert,
    select,
)

from workbench.engines import Engine, open_store
from workbench.signaux_faibles.variables import Computation, Definition, Scope, Setting, compute_variables
from workbench.signaux_faibles.variables.context import fields_of

SIRET = "01234567800011"
Facts = Mapping[str, Sequence[Mapping[str, Any]]]


def day(text: str) -> dt.date:
    """A date, ``2018-02`` being the first of February."""
    return dt.date.fromisoformat(text if len(text) == 10 else f"{text}-01")


def setting(start: str, end: str, effectif_end: str | None = None, definition: str = "corrige") -> Setting:
    """A setting; the workforce of the last month is known by default."""
    after = day(end)
    known = day(effectif_end) if effectif_end else (after - dt.timedelta(days=1)).replace(day=1)
    return Setting(day(start), after, known, Definition(definition))


def _kind(type_: Any) -> pa.DataType:
    if isinstance(type_, Date):
        return pa.date32()
    if isinstance(type_, Boolean):
        return pa.bool_()
    if isinstance(type_, BigInteger):
        return pa.int64()
    if isinstance(type_, Numeric) and not isinstance(type_, Double):
        return pa.decimal128(18, 2)
    return pa.float64() if isinstance(type_, Double) else pa.string()


def _value(type_: Any, given: Any) -> Any:
    if isinstance(type_, Date) and isinstance(given, str):
        return day(given)
    if given is not None and pa.types.is_decimal(_kind(type_)):
        return pa.scalar(round(given * 100) / 100).cast(pa.decimal128(18, 2), safe=False).as_py()
    return given


def filled(facts: Facts) -> dict[str, pa.Table]:
    """The tables of facts; a key that is not written is `SIRET`'s."""
    found = {}
    for type_, rows in facts.items():
        kinds = fields_of(type_)
        key = next(iter(kinds))
        whole = [{key: SIRET[: 14 if key == "siret" else 9], **row} for row in rows]
        for row in whole:
            assert set(row) <= set(kinds), (type_, set(row) - set(kinds))
        found[type_] = pa.table(
            {
                name: pa.array([_value(kind, row.get(name)) for row in whole], _kind(kind))
                for name, kind in kinds.items()
            }
        )
    return found


def tables_of(types: Sequence[str], plain: bool = False) -> dict[str, Table]:
    """Tables that hold facts; plain ones have texts for dates, floats for amounts."""
    metadata = MetaData()
    return {
        type_: Table(
            f"faits_de_{type_}",
            metadata,
            *(Column(name, _plain(kind) if plain else kind) for name, kind in fields_of(type_).items()),
            info={"sorted_by": tuple(fields_of(type_))[:1]},
        )
        for type_ in types
    }


def _plain(kind: Any) -> Any:
    if isinstance(kind, Date):
        return Text()
    return Double() if isinstance(kind, Numeric) else kind


@contextmanager
def engine_with(url: str, facts: Facts) -> Iterator[tuple[Engine, dict[str, Select[Any]]]]:
    """An engine whose base holds facts, and the relations that read them."""
    # A Spark base holds neither dates nor decimals.
    plain = url.startswith("spark")
    tables = tables_of(list(facts), plain)
    store = open_store(url)
    with store.lock(), store.write() as writer:
        writer.create(tables.values())
        for type_, rows in filled(facts).items():
            kinds = {each.name: each.type for each in tables[type_].columns}
            given = Table("donnees", MetaData(), *(Column(name, kind) for name, kind in kinds.items()))
            chosen = select(*(cast(each, kinds[each.name]) for each in given.columns))
            writer.execute(insert(tables[type_]).from_select(list(kinds), chosen), {"donnees": rows})
    engine, _ = store.open()
    try:
        relations = {
            type_: select(*(cast(tables[type_].c[name], kind).label(name) for name, kind in fields_of(type_).items()))
            for type_ in facts
        }
        yield engine, relations
    finally:
        engine.close()


class Given:
    """A reader that is given its facts with each statement: nothing is written."""

    def __init__(self, engine: Engine, facts: Facts) -> None:
        self._engine = engine
        self._tables = {f"faits_de_{type_}": rows for type_, rows in filled(facts).items()}
        self.relations = {type_: select(table) for type_, table in tables_of(list(facts)).items()}

    def fetch(self, statement: Any, tables: Mapping[str, pa.Table] | None = None) -> pa.Table:
        return self._engine.fetch(statement, {**self._tables, **(tables or {})})


def computed(
    reader: Any,
    relations: Mapping[str, Select[Any]],
    given: Setting,
    codes: Sequence[str] = (),
    scope: Scope = Scope.ETABLISSEMENT,
    naf: pa.Table | None = None,
) -> list[dict[str, Any]]:
    """The rows of variables, in the order of entities and months."""
    work = Computation(reader, relations, given, scope, tuple(codes), naf=naf)
    rows = [row for table in compute_variables(work) for row in table.to_pylist()]
    return sorted(rows, key=lambda row: (row.get("siret") or row["siren"], row["periode"]))
