"""Variables of what a history knew as of a batch."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import Select

from workbench.errors import WorkbenchError
from workbench.signaux_faibles.history import History
from workbench.signaux_faibles.history.sampling import random_orders
from workbench.signaux_faibles.sources import sources
from workbench.signaux_faibles.variables.compute import ENTITIES
from workbench.signaux_faibles.variables.declaration import Definition, Setting

__all__ = ["relations_of", "setting_of"]


def relations_of(history: History, as_of: str | None = None) -> Mapping[str, Select[Any]]:
    """Return the facts alive as of a batch, by source, and the établissements that have variables.

    Parameters
    ----------
    history
        An open history.
    as_of
        Key of a batch; the latest one by default.
    """
    found = {type_: history.state(type_, as_of) for type_ in sources() if history.has(type_)}
    batch = history.batch(as_of)
    if batch.start is not None and batch.end is not None:
        found["reporder"] = random_orders(history, as_of)
    return {**found, ENTITIES: history.indexed(as_of)}


def setting_of(
    history: History,
    as_of: str | None = None,
    definition: Definition = Definition.CORRIGE,
    *,
    start: date | None = None,
    effectif_end: date | None = None,
) -> Setting:
    """Return the months of a batch, and its last known workforce.

    Parameters
    ----------
    history, as_of
        The batch.
    definition
        Whose rules are followed.
    start, effectif_end
        Instead of those of the batch.

    Raises
    ------
    WorkbenchError
        ``historique_vide``; ``variables_dates`` when the batch does not tell its dates.
    """
    batch = history.batch(as_of)
    first, last = start or batch.start, effectif_end or batch.effectif_end
    if first is None or batch.end is None or last is None:
        raise WorkbenchError("variables_dates", batch=batch.key)
    return Setting(first, batch.end, last, definition)
