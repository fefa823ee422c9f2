"""The end of an operator's month, as its notebook shows it: the list planned, or published."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING

from workbench.config import settings
from workbench.signaux_faibles.history.base import History
from workbench.signaux_faibles.publication.directory import publish_directory
from workbench.signaux_faibles.publication.objects import WRITER
from workbench.signaux_faibles.publication.publishing import COUNTED, KINDS_SAID, publish
from workbench.store import Reader, open_store
from workbench.store.policies import MANAGER

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["month_directory", "month_publication"]


def month_publication(
    history: History, source: str = "", *, really: bool = False, registry: str | None = None
) -> pd.DataFrame:
    """Publish the list of a month, or say what it would change.

    Parameters
    ----------
    history
        Of the month, open.
    source
        Path of the list (parquet); empty when there is none yet: nothing is done.
    really
        False to write nothing.
    registry
        Of the store; that of the settings by default.

    Returns
    -------
    pandas.DataFrame
        A row a kind of object: how many are new, changed, withdrawn, and the same.

    Raises
    ------
    WorkbenchError
        Those of `workbench.signaux_faibles.publication.publish`.
    """
    import pandas as pd

    columns = ["Objets", *(word.capitalize() for word in COUNTED.values())]
    if not source:
        return pd.DataFrame(columns=columns)
    with open_store(registry) as store:
        found = publish(store, _publisher(), source, history, dry_run=not really)
    rows = [
        [said, *(found.replaced.by_type[name][each] for each in COUNTED)]
        for name, said in KINDS_SAID.items()
        if name in found.replaced.by_type
    ]
    return pd.DataFrame(rows, columns=columns)


def month_directory(
    history: History, *, asked: bool = False, really: bool = False, registry: str | None = None
) -> pd.DataFrame:
    """Publish the directory of a month for searches, or say what it would change.

    Parameters
    ----------
    history
        Of the month, open.
    asked
        False to do nothing.
    really
        False to write nothing.
    registry
        Of the store; that of the settings by default.

    Returns
    -------
    pandas.DataFrame
        One row: how many établissements are new, changed, withdrawn, and the same.

    Raises
    ------
    WorkbenchError
        Those of `workbench.signaux_faibles.publication.publish_directory`.
    """
    import pandas as pd

    columns = [word.capitalize() for word in COUNTED.values()]
    if not asked:
        return pd.DataFrame(columns=columns)
    with open_store(registry) as store:
        found = publish_directory(store, _publisher(), history, dry_run=not really)
    return pd.DataFrame([[found.by_change[each] for each in COUNTED]], columns=columns, index=["établissements"])


def _publisher() -> Reader:
    return SimpleNamespace(email=settings().email.lower(), badges=frozenset({WRITER, MANAGER}))
