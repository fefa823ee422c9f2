"""A demonstration base ready to read, for tutorials: nothing to download, nothing left behind."""

from __future__ import annotations

import atexit
import tempfile
from functools import cache
from pathlib import Path

from workbench.dgfip.balances_import import import_balances
from workbench.dgfip.base import Base, connect
from workbench.dgfip.comptes_import import import_comptes
from workbench.dgfip.demonstration import write_demonstration
from workbench.dgfip.plan_import import import_plan_comptes
from workbench.dgfip.population_import import import_population

__all__ = ["open_demonstration"]

CHARTS = range(2017, 2025)
"""The exercices of the demonstration, which its chart of comptes serves."""


def open_demonstration(to: str | Path | None = None, *, communes: int = 12) -> Base:
    """Open a base of fictitious communes, made when it is not there.

    Parameters
    ----------
    to
        Folder of the base; a temporary one, removed at the end of the session, by default.
    communes
        How many, from 1 to 500, when the base is to be made.

    Returns
    -------
    Base
        Open for reading: balances from 2017 to 2024, populations, comptes and their chart. Names, numbers and amounts
        are invented, and the same each time.

    Raises
    ------
    WorkbenchError
        ``demonstration_parametre``.

    Examples
    --------
    >>> import workbench as wb
    >>> base = wb.open_demonstration(communes=2)
    >>> len(wb.find_collectivites(base, nomenclature="M57"))
    2
    """
    folder = Path(_temporary(communes) if to is None else to)
    path = folder / "base.duckdb"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        # Beside, then moved: a base that was interrupted is made again, not read half full.
        with tempfile.TemporaryDirectory(prefix=".partiel-", dir=folder) as name:
            written = write_demonstration(folder / "sources", communes=communes)
            work = Path(name) / path.name
            with connect(work, read_only=False) as base:
                import_balances(base, written.balances)
                import_population(base, written.population)
                import_comptes(base, written.comptes)
                import_plan_comptes(base, written.comptes, exercices=CHARTS)
            work.with_name(f"{path.name}.d").replace(folder / f"{path.name}.d")
            work.replace(path)
    return connect(path)


@cache
def _temporary(communes: int) -> str:
    folder = tempfile.TemporaryDirectory(prefix=f"workbench-demonstration-{communes}-", ignore_cleanup_errors=True)
    atexit.register(folder.cleanup)
    return folder.name
