"""What the modules of variables build upon: entities, months and facts, all keyed by small numbers.

Three tables are given to the statement: the entities asked (``variables_entites``), the months
(``variables_mois``) and, for each length, the months of a span (``variables_rangs``). Everything between them and the
facts is made of joins on whole numbers and of windows over the months of one entity.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pyarrow as pa
from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    Date,
    FromClause,
    Integer,
    Select,
    Subquery,
    Text,
    and_,
    column,
    false,
    func,
    null,
    select,
    table,
    type_coerce,
)
from sqlalchemy.types import TypeEngine

from workbench.signaux_faibles.comptes import COMPTES
from workbench.signaux_faibles.declaration import Scope as SourceScope
from workbench.signaux_faibles.sources import source_named
from workbench.signaux_faibles.variables.declaration import Family, Scope, Setting
from workbench.signaux_faibles.variables.expressions import number

__all__ = ["MARGIN", "Attached", "Context", "entity_tables", "fields_of", "first_day", "month_tables"]

MARGIN = 48
"""Months before the first one that lags may read."""

entites = table(
    "variables_entites",
    column("numero", Integer),
    column("siret", Text),
    column("siren", Text),
    column("siren_numero", Integer),
)
mois = table(
    "variables_mois",
    column("mois", Integer),
    column("periode", Date),
    column("annee", Integer),
    column("jour", BigInteger),
    column("jours", Integer),
)
rangs = table("variables_rangs", column("longueur", Integer), column("rang", Integer))


def first_day(month: int) -> date:
    """Return the first day of a month by its number."""
    return date(month // 12, month % 12 + 1, 1)


def month_tables(setting: Setting) -> dict[str, pa.Table]:
    """Return the months that a plan reads: their number, first day, year, the number of that day, their length."""
    span = range(setting.first - MARGIN, setting.after)
    days = [first_day(each) for each in span]
    whole = setting.after - setting.first + MARGIN
    lengths = [(length, rank) for length in range(1, whole + 1) for rank in range(length)]
    return {
        mois.name: pa.table(
            {
                "mois": pa.array(span, pa.int32()),
                "periode": pa.array(days, pa.date32()),
                "annee": pa.array([each.year for each in days], pa.int32()),
                "jour": pa.array([each.toordinal() - 1 for each in days], pa.int64()),
                "jours": pa.array(
                    [(first_day(each + 1) - day).days for each, day in zip(span, days, strict=True)], pa.int32()
                ),
            }
        ),
        rangs.name: pa.table(
            {
                "longueur": pa.array([length for length, _ in lengths], pa.int32()),
                "rang": pa.array([rank for _, rank in lengths], pa.int32()),
            }
        ),
    }


def entity_tables(keys: list[str], scope: Scope) -> dict[str, pa.Table]:
    """Return the table of the entities that a plan computes, numbered.

    Parameters
    ----------
    keys
        SIRETs or SIRENs.
    scope
        Which of the two.
    """
    sirens = [each[:9] for each in keys]
    numbers = {each: rank for rank, each in enumerate(dict.fromkeys(sirens))}
    return {
        entites.name: pa.table(
            {
                "numero": pa.array(range(len(keys)), pa.int32()),
                "siret": pa.array(keys if scope is Scope.ETABLISSEMENT else [None] * len(keys), pa.string()),
                "siren": pa.array(sirens, pa.string()),
                "siren_numero": pa.array([numbers[each] for each in sirens], pa.int32()),
            }
        )
    }


def fields_of(type_: str) -> dict[str, TypeEngine[Any]]:
    """Return the key of a source and its fields, with their types."""
    source = source_named(type_)
    found: dict[str, TypeEngine[Any]] = {source.scope.key: Text()}
    if type_ == COMPTES.type:
        return {**found, "numero_compte": Text(), "periode": Date()}
    found |= {each.name: each.type for each in source.fields}
    if source.months is not None:
        found |= {"periode": Date(), source.months.field: source.months.kind.type}
    return found


@dataclass(frozen=True)
class Attached:
    """The output being assembled.

    Parameters
    ----------
    cells
        Its rows: ``numero``, ``mois``, ``siren_numero``.
    rows
        What is selected from, ``cells`` among them.
    columns
        Expression of each variable so far.
    """

    cells: FromClause
    rows: FromClause
    columns: Mapping[str, ColumnElement[Any]]


@dataclass
class Context:
    """A plan in the making.

    Parameters
    ----------
    setting
        Months and definition.
    relations
        Type of a source to the facts alive: its key, then its fields. A source that is absent has no facts.
    scope
        What rows of the output are about.
    wanted
        Codes that the output will hold.
    """

    setting: Setting
    relations: Mapping[str, Select[Any]]
    scope: Scope
    wanted: frozenset[str]
    _built: dict[str, CTE] = field(default_factory=dict)

    def hold(self, cells: CTE, families: Iterable[Family]) -> None:
        """Say that the cells of the output hold the variables of some families."""
        self._built |= {each.code: cells for each in families}

    def rows(self, family: Family) -> CTE:
        """Return the rows of a family, made once however many others read them."""
        if family.code not in self._built:
            assert family.rows is not None  # noqa: S101 - asked only of those that have rows
            self._built[family.code] = family.rows(self).cte(f"famille_{family.code}")
        return self._built[family.code]

    def shared(self, name: str, statement: Any) -> CTE:
        """Return a part that several families read, made once."""
        if name not in self._built:
            self._built[name] = statement().cte(name)
        return self._built[name]

    @property
    def by_siret(self) -> bool:
        """Whether rows of the output are établissements."""
        return self.scope is Scope.ETABLISSEMENT

    def companies(self) -> CTE:
        """Return the numbers of the entreprises: ``siren_numero``, ``siren``."""

        def made() -> Select[Any]:
            return select(entites.c.siren_numero, entites.c.siren).distinct()

        return self.shared("compagnies", made)

    def facts(self, type_: str, *, company: bool = False) -> Subquery:
        """Return the facts of a source about the entities asked: ``numero``, then its fields.

        Parameters
        ----------
        type_
            The source.
        company
            Whether ``numero`` counts entreprises, in an output of établissements.
        """
        columns = fields_of(type_)
        given = self.relations.get(type_)
        if given is None:
            own = select(*(null().cast(kind).label(name) for name, kind in columns.items())).where(false())
        else:
            own = given
        raw = own.subquery(f"faits_{type_}")
        named = source_named(type_).scope
        if named is SourceScope.ETABLISSEMENT and self.by_siret and not company:
            whose, condition = entites, entites.c.siret == raw.c.siret
            key = entites.c.numero
        else:
            siren = raw.c.siren if named is SourceScope.ENTREPRISE else func.left(raw.c.siret, number(9), type_=Text())
            # In an output of entreprises both numbers are the same one.
            whose = self.companies() if self.by_siret else entites  # type: ignore[assignment]
            condition, key = whose.c.siren == siren, whose.c.siren_numero
        fields = [
            (type_coerce(raw.c[name], kind) if name in raw.c else null().cast(kind)).label(name)
            for name, kind in columns.items()
        ]
        return select(key.label("numero"), *fields).select_from(raw.join(whose, condition)).subquery(f"dits_{type_}")

    def grid(self, margin: int = 0) -> CTE:
        """Return every entity in every month: ``numero``, ``mois``; some months before the first one if asked."""
        return self.shared(f"grille_{margin}", lambda: self._grid(entites.c.numero, margin))

    def company_grid(self, margin: int = 0) -> CTE:
        """Return every entreprise in every month: ``numero``, ``mois``."""
        if not self.by_siret:
            return self.grid(margin)
        companies = self.companies()
        return self.shared(f"grille_compagnies_{margin}", lambda: self._grid(companies.c.siren_numero, margin))

    def _grid(self, key: ColumnElement[Any], margin: int) -> Select[Any]:
        return select(key.label("numero"), mois.c.mois).where(mois.c.mois >= number(self.setting.first - margin))

    def some(self, rows: FromClause, name: str) -> CTE:
        """Return the months of the entities that have facts only."""
        who = select(rows.c.numero).distinct().subquery(f"qui_{name}")
        return select(who.c.numero, mois.c.mois).where(mois.c.mois >= number(self.setting.first)).cte(f"grille_{name}")

    def spread(
        self,
        rows: Select[Any],
        name: str,
        *,
        margin: int = 0,
    ) -> Subquery:
        """Return one row a month of spans: those of ``rows``, with ``mois`` besides.

        Parameters
        ----------
        rows
            With ``debut`` and ``fin``, numbers of months, the second excluded; a span without a month gives nothing.
        name
            Of the result.
        margin
            Months kept before the first one.
        """
        first, after = number(self.setting.first - margin), number(self.setting.after)
        spans = rows.subquery(f"durees_{name}")
        start, end = (
            func.greatest(spans.c.debut, first, type_=Integer()),
            func.least(spans.c.fin, after, type_=Integer()),
        )
        clamped = select(*spans.c, start.label("de"), (end - start).label("longueur")).subquery(f"bornes_{name}")
        kept = [each for each in clamped.c if each.name not in {"de", "longueur"}]
        # Equality on the length makes a hash join; a comparison would read every length for every span.
        joined = clamped.join(rangs, rangs.c.longueur == clamped.c.longueur)
        return select(*kept, (clamped.c.de + rangs.c.rang).label("mois")).select_from(joined).subquery(name)

    def on_grid(self, grid: FromClause, rows: FromClause) -> ColumnElement[bool]:
        """Whether a row is of a cell of a grid."""
        return and_(rows.c.numero == grid.c.numero, rows.c.mois == grid.c.mois)
