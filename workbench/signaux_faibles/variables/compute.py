"""Variables of all companies, some thousands at a time: memory is bounded by what one part holds.

Companies are independent of one another, so any cut of their list gives the same values.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Protocol

import pyarrow as pa
from sqlalchemy import Executable, Select, Text, func, select

from workbench.engines import Mapper, Task
from workbench.errors import WorkbenchError
from workbench.signaux_faibles.variables.context import entity_tables, first_day, month_tables
from workbench.signaux_faibles.variables.declaration import Scope, Setting, month_index
from workbench.signaux_faibles.variables.expressions import number
from workbench.signaux_faibles.variables.naf import naf_tables
from workbench.signaux_faibles.variables.plan import KEYS, chosen, variables_of, variables_statement

__all__ = ["AT_ONCE", "ENTITIES", "Computation", "Progress", "Reader", "compute_variables", "output_schema"]

ENTITIES = "etablissements"
"""Among relations, the SIRETs that have variables (``siret``), where they are not those of the workforce alive."""
_CELLS = 40_000_000
"""Values of the parts that are computed at the same time, about eight bytes each, several times over meanwhile."""
AT_ONCE = 2
"""Parts that a reader of several threads computes at the same time: one is written while another is computed."""
_WAITING = 1
"""Parts that are begun besides: who computes does not stop while several parts are written at once."""
Progress = Callable[[int, int, str], None]


class Reader(Protocol):
    """What reads facts: an engine, or an open history."""

    def fetch(self, statement: Executable, tables: Mapping[str, pa.Table] | None = None) -> pa.Table:
        """Run a statement that reads; see `workbench.engines.Engine.fetch`."""
        ...


@dataclass(frozen=True)
class Computation:
    """What to compute, checked.

    Parameters
    ----------
    reader
        Where facts are.
    relations
        Type of a source to the facts alive as of the batch; ``effectif``, or `ENTITIES`, names the établissements.
    setting
        Months and definition.
    scope
        What rows are about.
    codes
        Variables, in the order of the output; see `chosen`.
    sirens
        Companies, all those that have a workforce by default.
    months
        First days of the months to give; all by default.
    naf
        Labels of activities; see `workbench.signaux_faibles.variables.naf.read_naf`.
    at_once
        Parts of the companies computed at the same time; more than one asks for a reader that serves several threads,
        as engines and histories that are read do.

    Raises
    ------
    WorkbenchError
        ``variable_inconnue``; ``variables_mois`` for a month out of the setting; ``siren_malforme``.
    """

    reader: Reader
    relations: Mapping[str, Select[Any]]
    setting: Setting
    scope: Scope = Scope.ETABLISSEMENT
    codes: tuple[str, ...] = ()
    sirens: Sequence[str] | None = None
    months: Iterable[date] | None = None
    naf: pa.Table | None = None
    at_once: int = 1
    _months: tuple[int, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "codes", chosen(self.codes, self.scope, self.setting.definition))
        every = range(self.setting.first, self.setting.after)
        asked = every if self.months is None else sorted({month_index(each) for each in self.months})
        for each in asked:
            if each not in every:
                raise WorkbenchError(
                    "variables_mois",
                    mois=first_day(each).isoformat()[:7],
                    debut=self.setting.start.isoformat(),
                    fin=self.setting.end.isoformat(),
                )
        for siren in self.sirens or ():
            if not re.fullmatch("[0-9]{9}", siren):
                raise WorkbenchError("siren_malforme", siren=siren)
        object.__setattr__(self, "_months", tuple(asked))

    @property
    def asked_months(self) -> tuple[int, ...]:
        """Numbers of the months to give."""
        return self._months

    @property
    def schema(self) -> pa.Schema:
        """Columns of the output: `KEYS`, then the variables."""
        return output_schema(self.scope, self.codes, self.setting)

    def entities(self) -> list[str]:
        """Return the SIRETs, or the SIRENs, of the output in their order: those that have declared a workforce."""
        types = ["effectif"] if self.scope is Scope.ETABLISSEMENT else ["effectif", "effectif_ent"]
        if ENTITIES in self.relations:
            types = [ENTITIES, *types[1:]]
        digits = 14 if self.scope is Scope.ETABLISSEMENT else 9
        found: set[str] = set()
        for type_ in types:
            if type_ not in self.relations:
                continue
            rows = self.relations[type_].subquery("declares")
            key = rows.c.siret if "siret" in rows.c else rows.c.siren
            statement = select(func.left(key, number(digits), type_=Text()).label("entite")).distinct()
            if self.sirens is not None:
                statement = statement.where(func.left(key, number(9), type_=Text()).in_(list(self.sirens)))
            found |= set(self.reader.fetch(statement)["entite"].to_pylist())
        return sorted(found)

    def parts(self, entities: Sequence[str]) -> Iterator[Sequence[str]]:
        """Cut a list of entities in parts; the établissements of a company are never parted."""
        rows = max(len(self._months), 1) * (len(self.codes) + 3)
        most = max(_CELLS // (rows * self.at_once), 1)
        start = 0
        while start < len(entities):
            end = min(start + most, len(entities))
            while end < len(entities) and entities[end][:9] == entities[end - 1][:9]:
                end += 1
            yield entities[start:end]
            start = end

    def part(self, entities: Sequence[str]) -> Task:
        """Return what computes the rows of some entities, consecutive ones."""
        first, last = entities[0][:9], entities[-1][:9]
        narrowed = {type_: _between(rows, first, last) for type_, rows in self.relations.items()}
        months = None if len(self._months) == self.setting.after - self.setting.first else self._months
        statement = variables_statement(self.setting, narrowed, scope=self.scope, codes=self.codes, months=months)
        tables = {**entity_tables(list(entities), self.scope), **month_tables(self.setting), **naf_tables(self.naf)}
        # A SIREN comes before its SIRETs.
        return Task(statement, tables, first, last + "9" * 5)


def _between(rows: Select[Any], first: str, last: str) -> Select[Any]:
    """Narrow facts to a span of companies: a sorted table is then read in part."""
    given = rows.subquery("faits")
    if "siret" in given.c:
        return select(given).where(given.c.siret.between(first + "0" * 5, last + "9" * 5))
    return select(given).where(given.c.siren.between(first, last))


def output_schema(scope: Scope, codes: Iterable[str], setting: Setting) -> pa.Schema:
    """Return the columns of the output, those of the variables bearing their unit and formula."""
    known = variables_of(scope, setting.definition)
    keys = [pa.field(name, pa.date32() if name == "periode" else pa.string(), nullable=False) for name in KEYS[scope]]
    kinds = {"boolean": pa.bool_(), "date": pa.date32(), "big_integer": pa.int64(), "double": pa.float64()}
    fields = []
    for code in codes:
        each = known[code]
        kind = kinds.get(each.type.__visit_name__, pa.string())
        fields.append(pa.field(code, kind, metadata={"unite": each.unit, "formule": each.formule}))
    return pa.schema(keys + fields)


def compute_variables(work: Computation, progress: Progress | None = None) -> Iterator[pa.Table]:
    """Compute variables, part after part of the companies.

    Parameters
    ----------
    work
        What to compute.
    progress
        Called with (entities done, entities in all, words).

    Yields
    ------
    pyarrow.Table
        `KEYS` then the variables, one row an entity and month, in no order; companies are whole in a table.

    Raises
    ------
    WorkbenchError
        ``variables_sans_effectif`` when no company asked has a workforce.
    """
    entities = work.entities()
    if not entities:
        raise WorkbenchError("variables_sans_effectif")
    done = 0
    if progress is not None:
        progress(done, len(entities), f"{done} sur {len(entities)}")
    for size, table in _computed(work, entities):
        yield table
        done += size
        if progress is not None:
            progress(done, len(entities), f"{done} sur {len(entities)}" if done < len(entities) else "")


def _computed(work: Computation, entities: Sequence[str]) -> Iterator[tuple[int, pa.Table]]:
    """Compute parts in their order, some at the same time; each is begun when there is room for it."""
    parts = list(work.parts(entities))
    sizes = [len(each) for each in parts]
    tasks = map(work.part, parts)

    def fetched(task: Task) -> pa.Table:
        return work.reader.fetch(task.statement, task.tables)

    if isinstance(work.reader, Mapper):
        found = work.reader.map_statements(tasks)
    elif work.at_once == 1:
        found = map(fetched, tasks)
    else:
        found = _ahead(fetched, tasks, work.at_once)
    for size, table in zip(sizes, found, strict=True):
        yield size, table.cast(work.schema)


def _ahead(fetched: Callable[[Task], pa.Table], tasks: Iterator[Task], at_once: int) -> Iterator[pa.Table]:
    """Fetch tasks by threads, a few ahead of who reads."""
    waiting: deque[Future[pa.Table]] = deque()
    pool = ThreadPoolExecutor(at_once, thread_name_prefix="workbench-variables")
    try:
        for each in tasks:
            waiting.append(pool.submit(fetched, each))
            if len(waiting) > at_once + _WAITING:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
