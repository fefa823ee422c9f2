"""From what is asked to one statement, the same on every engine.

The output is every entity in every month, to which each family that holds a code asked is joined. The months of the
margin are read by lags and never given.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from sqlalchemy import CTE, Boolean, ColumnElement, FromClause, Select, and_, cast, false, func, or_, select, true

from workbench.errors import WorkbenchError
from workbench.signaux_faibles.variables.activite_partielle import ACTIVITE_PARTIELLE
from workbench.signaux_faibles.variables.bilans import BILANS
from workbench.signaux_faibles.variables.cible import CIBLE
from workbench.signaux_faibles.variables.context import Attached, Context, entites, mois
from workbench.signaux_faibles.variables.cotisations import COTISATIONS
from workbench.signaux_faibles.variables.declaration import Definition, Family, Level, Scope, Setting, Variable
from workbench.signaux_faibles.variables.delais import DELAIS
from workbench.signaux_faibles.variables.effectif import EFFECTIF, EFFECTIF_ENT
from workbench.signaux_faibles.variables.entreprise import PAYDEX, SOMMES, UNITE_LEGALE
from workbench.signaux_faibles.variables.etablissement import CCSF, COMPTE, LIEU, ORDRE
from workbench.signaux_faibles.variables.expressions import number, text, when
from workbench.signaux_faibles.variables.followed import CELLS, followed_cells
from workbench.signaux_faibles.variables.procedures import PROCEDURES
from workbench.signaux_faibles.variables.siege import ENTREPRISE_SIEGE
from workbench.signaux_faibles.variables.siren import ENTREPRISE_BILANS, ENTREPRISE_CIBLE, ENTREPRISE_MOIS

__all__ = ["FAMILIES", "KEYS", "chosen", "families", "variables_of", "variables_statement"]

FAMILIES: tuple[Family, ...] = (
    EFFECTIF,
    COTISATIONS,
    PROCEDURES,
    DELAIS,
    ACTIVITE_PARTIELLE,
    COMPTE,
    ORDRE,
    CCSF,
    LIEU,
    EFFECTIF_ENT,
    UNITE_LEGALE,
    PAYDEX,
    BILANS,
    SOMMES,
    CIBLE,
    ENTREPRISE_SIEGE,
    ENTREPRISE_MOIS,
    ENTREPRISE_BILANS,
    ENTREPRISE_CIBLE,
)
KEYS = {
    Scope.ETABLISSEMENT: ("siret", "siren", "periode"),
    Scope.ENTREPRISE: ("siren", "periode"),
}
"""What rows of the output are named by, before its variables."""


@cache
def families(scope: Scope = Scope.ETABLISSEMENT) -> tuple[Family, ...]:
    """Return the families of an output."""
    return tuple(each for each in FAMILIES if each.scope is scope)


def variables_of(
    scope: Scope = Scope.ETABLISSEMENT, definition: Definition = Definition.CORRIGE
) -> dict[str, Variable]:
    """Return the variables of an output by their code, in its order.

    Examples
    --------
    >>> variables_of()["ratio_dette"].formule
    '(montant_part_ouvriere + montant_part_patronale) / cotisation_moy12m'
    """
    return {each.code: each for family in families(scope) for each in family.variables if each.defined_in(definition)}


def chosen(
    codes: Iterable[str] | None, scope: Scope, definition: Definition, family_codes: Iterable[str] | None = None
) -> tuple[str, ...]:
    """Return codes in the order of the output; all of them, or all of some families, when none is named.

    Raises
    ------
    WorkbenchError
        ``variable_inconnue``, ``variables_famille``.
    """
    known = variables_of(scope, definition)
    by_name = {each.code: each for each in families(scope)}
    asked = set(codes or ())
    for name in family_codes or ():
        if name not in by_name:
            raise WorkbenchError("variables_famille", famille=name, connues=", ".join(by_name))
        asked |= {each.code for each in by_name[name].variables if each.defined_in(definition)}
    for code in sorted(asked):
        if code not in known:
            raise WorkbenchError("variable_inconnue", variable=code, definition=definition.value)
    return tuple(code for code in known if not asked or code in asked)


def variables_statement(
    setting: Setting,
    relations: Mapping[str, Select[Any]],
    *,
    scope: Scope = Scope.ETABLISSEMENT,
    codes: tuple[str, ...],
    months: Iterable[int] | None = None,
) -> Select[Any]:
    """Return the statement that computes variables.

    Parameters
    ----------
    setting
        Months and definition.
    relations
        Type of a source to the facts alive: its key, then its fields.
    scope
        What rows are about.
    codes
        Variables, in the order of the output.
    months
        Numbers of the months to give; all by default.

    Returns
    -------
    sqlalchemy.Select
        `KEYS`, then the variables. It names the tables that `workbench.signaux_faibles.variables.context` makes, and
        `workbench.signaux_faibles.variables.naf.LABELS`.
    """
    context = Context(setting, relations, scope, frozenset(codes))
    cells = _cells(context)
    output = _Output(context, cells)
    for family in families(scope):
        output.join(family)
    keys = {"siret": entites.c.siret, "siren": entites.c.siren, "periode": mois.c.periode}
    known = variables_of(scope, setting.definition)
    values = [output.value(known[code]).label(code) for code in codes]
    asked = [] if months is None else [cells.c.mois.in_([number(each) for each in sorted(months)])]
    return select(*(keys[name].label(name) for name in KEYS[scope]), *values).select_from(output.rows).where(*asked)


def _cells(context: Context) -> CTE:
    """Return the rows of the output: every entity in every month, with the families that hold them all."""
    asked = [each for each in families(context.scope) if each.holds(context.wanted)]
    read = {
        family.code
        for each in asked
        for family in (each, *each.reads, *(far for near in each.reads for far in near.reads))
    }
    held = [each for each in CELLS if each.code in read]
    if held and not context.setting.compat:
        cells = followed_cells(context, frozenset(each.code for each in held))
        context.hold(cells, held)
        return cells
    grid = context.grid()
    return (
        select(grid.c.numero, grid.c.mois, entites.c.siren_numero)
        .select_from(grid.join(entites, entites.c.numero == grid.c.numero))
        .cte("cellules")
    )


class _Output:
    """The output being assembled: what is selected from, and the expression of each code."""

    def __init__(self, context: Context, cells: FromClause) -> None:
        self._context = context
        self._cells = cells
        self.rows: FromClause = cells.join(mois, mois.c.mois == cells.c.mois).join(
            entites, entites.c.numero == cells.c.numero
        )
        self._columns: dict[str, ColumnElement[Any]] = {}
        self._masked: set[str] = set()

    def join(self, family: Family) -> None:
        """Join the rows of a family, if some code of it is asked."""
        masks = self._context.setting.compat and any(
            each.of_company and each.holds(self._context.wanted) for each in families(self._context.scope)
        )
        if not family.holds(self._context.wanted) and not (masks and family.code == BILANS.code):
            return
        if family.of_company:
            self._masked |= {each.code for each in family.variables}
        if family.attach is not None:
            attached = family.attach(self._context, Attached(self._cells, self.rows, self._columns))
            self.rows, self._columns = attached.rows, dict(attached.columns)
            return
        rows = self._context.rows(family)
        if rows is not self._cells:
            self.rows = self.rows.outerjoin(rows, self._same(family.level, rows))
        for each in family.variables:
            if each.code not in self._context.wanted:
                continue
            made = each.expression
            self._columns[each.code] = rows.c[each.code] if made is None else made(self._context.setting, rows, mois)

    def _same(self, level: Level, rows: FromClause) -> ColumnElement[bool]:
        cells = self._cells
        company = level in {Level.COMPANY, Level.COMPANY_MONTH}
        key = "siren_numero" if company else "numero"
        own = rows.c[key if key in rows.c else "numero"]
        conditions = [own == cells.c[key]]
        if level in {Level.MONTH, Level.COMPANY_MONTH}:
            conditions.append(rows.c.mois == cells.c.mois)
        return and_(*conditions)

    def value(self, variable: Variable) -> ColumnElement[Any]:
        """Return the value of a variable in its declared type."""
        found = self._columns[variable.code]
        compat = self._context.setting.compat
        default = variable.default_compat if compat else variable.default
        if compat and variable.code in self._masked:
            stands = or_(
                self._columns["arrete_bilan_bdf"].is_not(None), self._columns["arrete_bilan_diane"].is_not(None)
            )
            found = when(stands, found)
        if default is not None:
            given = text(default) if isinstance(default, str) else true() if default else false()
            found = func.coalesce(found, given, type_=variable.type)
        # Booleans are never cast: engines write a boolean as a number otherwise.
        return found if isinstance(variable.type, Boolean) else cast(found, variable.type)
