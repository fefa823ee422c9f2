"""The figures of a balance that is published: comptes of all its budgets added up, exercice by exercice, in cents."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd
import pyarrow as pa

from workbench.dgfip import Base, sum_comptes
from workbench.dgfip.schema import AMOUNTS

__all__ = ["balance_figures", "read_balance"]


def balance_figures(base: Base, budgets: pa.Table) -> bytes:
    """Write the comptes of budgets as JSON, cents as the base has them.

    Parameters
    ----------
    base
        An open base.
    budgets
        Rows of `workbench.dgfip.select_budgets`.
    """
    one = pa.array([0] * budgets.num_rows, pa.int64())
    cells = sum_comptes(base, pa.table({"siret": budgets["siret"], "exercice": budgets["exercice"], "groupe": one}))
    columns = ["exercice", "compte", *AMOUNTS]
    rows = zip(*(cells[name].to_pylist() for name in columns), strict=True)
    sirets = sorted(set(budgets["siret"].to_pylist()))
    content = {"sirets": sirets, "colonnes": columns, "comptes": [list(row) for row in rows]}
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def read_balance(content: dict[str, Any]) -> pd.DataFrame:
    """Return figures as a table: one row an exercice and compte, one column an amount of the base, in euros.

    Examples
    --------
    >>> table = read_balance({"colonnes": ["exercice", "compte", "debit_1"], "comptes": [[2024, "706", 1250]]})
    >>> float(table.loc[(2024, "706"), "debit_1"])
    12.5
    """
    table = pd.DataFrame(content["comptes"], columns=content["colonnes"]).set_index(["exercice", "compte"])
    return table / 100
