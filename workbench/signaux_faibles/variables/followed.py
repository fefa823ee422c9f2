"""What établissements have every month, workforce and contributions, followed by one pass of windows.

These families hold every cell of the output: they are its rows, which others are joined to.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import CTE, func, select

from workbench.signaux_faibles.variables.context import Context, entites
from workbench.signaux_faibles.variables.cotisations import COTISATIONS, called_by_month, compared, debt_values, year_of
from workbench.signaux_faibles.variables.declaration import INTEGER
from workbench.signaux_faibles.variables.effectif import EFFECTIF, PAST, as_known, declared, stands
from workbench.signaux_faibles.variables.expressions import before, monthly, number

__all__ = ["CELLS", "followed_cells"]

CELLS = (EFFECTIF, COTISATIONS)
_MARGIN = max(PAST)


def followed_cells(context: Context, codes: frozenset[str]) -> CTE:
    """Return every cell of the output, with the variables of some of `CELLS`.

    Parameters
    ----------
    context
        The plan.
    codes
        Of the families that are asked, or that others read.

    Returns
    -------
    sqlalchemy.CTE
        ``numero``, ``mois``, ``siren_numero``, the variables; with a workforce ``paquet`` besides, see `as_known`.
    """
    followed = _followed(context, codes)
    rows: Any = followed.join(entites, entites.c.numero == followed.c.numero)
    values: dict[str, Any] = {}
    if EFFECTIF.code in codes:
        values["paquet"] = followed.c.paquet
        values["effectif"], values["effectif_reporte"] = stands(context, followed)
        values |= {f"effectif_past_{n}": followed.c[f"past_{n}"] for n in PAST}
    if COTISATIONS.code in codes:
        owed = compared(context, followed)
        rows = rows.outerjoin(owed, context.on_grid(followed, owed))
        values |= debt_values(context, followed, owed)
    return (
        select(
            followed.c.numero,
            followed.c.mois,
            entites.c.siren_numero,
            *(value.label(name) for name, value in values.items()),
        )
        .select_from(rows)
        .cte("cellules")
    )


def _followed(context: Context, codes: frozenset[str]) -> CTE:
    """Return, every month, what is carried and summed over the months before it; the margin serves lags only."""
    grid = context.grid(_MARGIN if EFFECTIF.code in codes else 0)
    window = monthly(grid)
    rows: Any = grid
    values: list[Any] = []
    if EFFECTIF.code in codes:
        known = as_known(context, declared(context, "effectif"), _MARGIN)
        rows = rows.outerjoin(known, context.on_grid(grid, known))
        values += [
            func.max(known.c.paquet, type_=INTEGER).over(**window).label("paquet"),
            *(before(known.c.propre, n, window).label(f"past_{n}") for n in PAST),
        ]
    if COTISATIONS.code in codes:
        dues = called_by_month(context)
        rows = rows.outerjoin(dues, context.on_grid(grid, dues))
        values += year_of(dues, window)
    found = select(grid.c.numero, grid.c.mois, *values).select_from(rows).subquery("mois_suivis")
    return select(found).where(found.c.mois >= number(context.setting.first)).cte("suivi")
