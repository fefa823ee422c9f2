"""Taking things out of a history: batches since one of them, companies outside of a perimeter, imports that wait."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Text, delete, func, null, select, union, update

from workbench.engines import Writer
from workbench.errors import WorkbenchError
from workbench.signaux_faibles.batches import check_key
from workbench.signaux_faibles.history import schema
from workbench.signaux_faibles.history.base import History
from workbench.signaux_faibles.history.order import Deliveries
from workbench.signaux_faibles.history.progress import Progress
from workbench.signaux_faibles.kinds import constant
from workbench.signaux_faibles.sources import source_named, sources

__all__ = ["Pruning", "forget", "prune", "purge", "purge_waiting"]


def purge(history: History, since: str, *, progress: Progress | None = None) -> list[str]:
    """Take out all that a batch and those after it said, and what they imported.

    Parameters
    ----------
    history
        Open for writing.
    since
        First batch to take out. States as of earlier ones stay what they were.
    progress
        Told of each type before it is done; may raise to stop.

    Returns
    -------
    list of str
        The batches taken out.

    Raises
    ------
    WorkbenchError
        ``batch_cle``, ``base_lecture_seule``, ``import_en_cours``.
    """
    check_key(since)
    history.require_writable()
    if not any(each.key >= since for each in history.batches()):
        return []
    with history.write() as writer:
        writer.loaded()
        gone = [each.key for each in history.batches() if each.key >= since]
        deliveries = Deliveries(history.deliveries())
        types = [*filter(history.has, sources())]
        for done, type_ in enumerate(types):
            if progress is not None:
                progress(done, len(types), type_)
            forget(writer, type_, deliveries.of(type_).before(since), since)
        for each in (schema.batches, schema.deliveries, schema.perimetres, schema.reports, schema.rejected_rows):
            writer.execute(delete(each).where(each.c.batch >= since))
    return gone


def forget(writer: Writer, type_: str, last: str | None, since: str) -> None:
    """Take out of one type what batches said since one of them; ``last`` is the delivery before it."""
    rows, waiting = schema.facts(type_), schema.imported(type_)
    writer.execute(delete(waiting).where(waiting.c.batch >= since))
    writer.execute(delete(rows).where(rows.c.added >= since))
    nothing: ColumnElement[Any] = null().cast(Text)
    if last is not None:
        # A run that reaches the delivery that is now the latest is open again.
        writer.execute(update(rows).where(rows.c.seen >= last).values(seen=nothing))
    writer.execute(update(rows).where(rows.c.following >= since).values(following=nothing))


def purge_waiting(history: History) -> list[str]:
    """Take out what was imported and not compacted; return the batches concerned.

    A batch of which nothing else is known is forgotten.
    """
    history.require_writable()
    at = schema.deliveries
    if not any(each.pending for each in history.deliveries()):
        return []
    with history.write() as writer:
        writer.loaded()
        waiting = [each for each in history.deliveries() if each.pending]
        for type_ in sorted({each.type for each in waiting}):
            writer.execute(delete(schema.imported(type_)))
        writer.execute(delete(at).where(at.c.pending, ~at.c.compacted))
        writer.execute(update(at).where(at.c.pending).values(pending=constant(False), pending_complete=constant(False)))
        kept = {each.batch for each in history.deliveries() if each.compacted}
        for batch in sorted({each.batch for each in waiting} - kept):
            for each in (schema.batches, schema.perimetres, schema.reports, schema.rejected_rows):
                writer.execute(delete(each).where(each.c.batch == batch))
    return sorted({each.batch for each in waiting})


@dataclass(frozen=True)
class Pruning:
    """What pruning takes out.

    Parameters
    ----------
    batch
        Whose filter says what stays.
    entities
        SIREN and SIRET outside of it.
    rows
        Rows of each type about them.
    done
        Whether they were taken out.
    """

    batch: str
    entities: int
    rows: dict[str, int]
    done: bool

    def journal(self) -> dict[str, Any]:
        """Return the entry of the journal."""
        return {"batchKey": self.batch, "reportType": "PruneEntities", "priority": "info", "count": self.entities}


def prune(history: History, batch: str, *, remove: bool = False) -> Pruning:
    """Count the entities outside of the filter of a batch, and take them out when asked.

    Parameters
    ----------
    history
        Open for writing when ``remove`` is true.
    batch
        One that was imported with a filter.
    remove
        Whether to take them out of all batches; else they are only counted.

    Raises
    ------
    WorkbenchError
        ``batch_inconnu``, ``batch_sans_perimetre``, ``base_lecture_seule``.

    Notes
    -----
    Older snapshots keep them until `History.prune_snapshots`.
    """
    found = {each.key: each for each in history.batches()}
    if check_key(batch) not in found:
        raise WorkbenchError("batch_inconnu", batch=batch, connus=", ".join(found) or "aucun")
    if not found[batch].with_perimetre:
        raise WorkbenchError("batch_sans_perimetre", batch=batch)
    if remove:
        history.require_writable()
    rows: dict[str, int] = {}
    keys = []
    for type_ in filter(history.has, sources()):
        at, outside = schema.facts(type_), _outside(type_, batch)
        count = history.fetch(select(func.count().label("n")).select_from(at).where(outside))
        rows[type_] = int(count["n"][0].as_py())
        keys.append(select(at.c[source_named(type_).scope.key].label("key")).where(outside))
    total = 0
    if keys:
        entities = history.fetch(select(func.count().label("n")).select_from(union(*keys).subquery("keys")))
        total = int(entities["n"][0].as_py())
    if remove and total:
        with history.write() as writer:
            writer.loaded()
            for type_ in filter(history.has, sources()):
                writer.execute(delete(schema.facts(type_)).where(_outside(type_, batch)))
    return Pruning(batch, total, {type_: count for type_, count in rows.items() if count}, remove)


def _outside(type_: str, batch: str) -> ColumnElement[bool]:
    at = schema.perimetres
    key = schema.facts(type_).c[source_named(type_).scope.key]
    kept = select(at.c.siren).where(at.c.batch == batch)
    return func.left(key, constant(9), type_=Text()).not_in(kept)
