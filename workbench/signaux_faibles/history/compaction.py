"""Making facts of what was imported: runs are begun, prolonged, cut and joined, by statements over whole tables.

A delivery says what it says whatever came before or comes after it, and runs keep that exactly. So batches may be
compacted in any order, a late one between two others included: the states of all of them are those of the files.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    Text,
    and_,
    delete,
    except_,
    exists,
    false,
    func,
    insert,
    null,
    or_,
    select,
    update,
)

from workbench.engines import Writer
from workbench.errors import WorkbenchError
from workbench.signaux_faibles.batches import check_key
from workbench.signaux_faibles.declaration import Source
from workbench.signaux_faibles.history import schema
from workbench.signaux_faibles.history.base import History
from workbench.signaux_faibles.history.compacted import Change, Compaction
from workbench.signaux_faibles.history.order import Deliveries, TypeDeliveries
from workbench.signaux_faibles.history.progress import Progress
from workbench.signaux_faibles.history.states import alive_at
from workbench.signaux_faibles.kinds import constant
from workbench.signaux_faibles.sources import source_named

__all__ = ["Change", "Compaction", "changes", "compact", "merge"]


def compact(history: History, since: str | None = None, *, progress: Progress | None = None) -> Compaction:
    """Make facts of what was imported.

    Parameters
    ----------
    history
        Open for writing.
    since
        First batch to take; all that wait by default. What is earlier goes on waiting.
    progress
        Told of each batch and type before it is done; may raise to stop.

    Raises
    ------
    WorkbenchError
        ``batch_inconnu`` when the history has no such batch, ``base_lecture_seule``, ``import_en_cours``. Nothing then
        changes.
    """
    history.require_writable()
    if since is not None:
        known = [each.key for each in history.batches()]
        if check_key(since) not in known:
            raise WorkbenchError("batch_inconnu", batch=since, connus=", ".join(known) or "aucun")
    if not any(each.pending for each in history.deliveries()):
        return Compaction(())
    with history.write() as writer:
        writer.loaded()
        return merge(writer, Deliveries(history.deliveries()), since, progress=progress)


def merge(
    writer: Writer, deliveries: Deliveries, since: str | None = None, *, progress: Progress | None = None
) -> Compaction:
    """Make facts of what waits, by a writer that has loaded.

    Parameters
    ----------
    writer
        Of a history.
    deliveries
        Those of the history, what waits included.
    since, progress
        See `compact`.
    """
    waiting = [each for each in deliveries.every if each.pending]
    taken = [each for each in waiting if since is None or each.batch >= since]
    left = tuple(sorted({each.batch for each in waiting} - {each.batch for each in taken}))
    known_of = {each.type: deliveries.of(each.type) for each in taken}
    done_so_far: list[Change] = []
    for done, each in enumerate(taken):
        if progress is not None:
            progress(done, len(taken) + 1, f"{each.batch} {each.type}")
        source = source_named(each.type)
        _Merger(writer, source, known_of[each.type], each.batch).apply()
        known_of[each.type] = known_of[each.type].with_one(each.batch, each.pending_complete)
        done_so_far.append(measured(writer, source, known_of[each.type], each.batch))
        _settle(writer, each.batch, each.type, each.pending_complete)
    if progress is not None:
        progress(len(taken), len(taken) + 1, "publication")
    return Compaction(tuple(done_so_far), left)


def _settle(writer: Writer, batch: str, type_: str, complete: bool) -> None:
    at, waiting = schema.deliveries, schema.imported(type_)
    writer.execute(delete(waiting).where(waiting.c.batch == batch))
    writer.execute(delete(at).where(and_(at.c.batch == batch, at.c.type == type_)))
    writer.execute(
        insert(at).values(
            batch=batch, type=type_, complete=complete, compacted=True, pending=False, pending_complete=False
        )
    )


class _Merger:
    """Merges one delivery of one type into its runs.

    Parameters
    ----------
    writer
        Past its loading.
    source
        The type.
    known
        The deliveries that the history knows of it, this one included or not.
    batch
        The delivery.
    """

    def __init__(self, writer: Writer, source: Source, known: TypeDeliveries, batch: str) -> None:
        self._writer = writer
        self._key = source.scope.key
        self._rows = schema.facts(source.type)
        self._waiting = schema.imported(source.type)
        self._fields = [name for name, _ in schema.stored_fields(source.type)]
        self._known = known
        self._batch = batch
        self._before, self._after = known.before(batch), known.after(batch)
        self._end: ColumnElement[Any] = null().cast(Text) if self._after is None else constant(batch).cast(Text)

    def apply(self) -> None:
        """Merge."""
        if self._batch not in self._known:
            self._cut()
        if self._before is not None and self._after is not None:
            self._join()
        if self._before is not None and (self._after is not None or self._batch in self._known):
            # A new delivery after all others finds the runs that reach the one before it open.
            self._prolong()
        if self._after is not None:
            self._advance()
        self._begin()
        self._follow()

    def _same(self, left: Any, right: Any) -> ColumnElement[bool]:
        return and_(left.c[self._key] == right.c[self._key], left.c.hash == right.c.hash)

    def _identity(self, rows: Any) -> list[ColumnElement[Any]]:
        return [rows.c[self._key], rows.c.hash]

    def _said_tuples(self) -> Select[Any]:
        """Return what the delivery says, to be compared with whole tables: engines then make no subquery a row."""
        waiting = self._waiting
        return select(*self._identity(waiting)).where(waiting.c.batch == self._batch)

    def _said(self, rows: Any) -> ColumnElement[bool]:
        """Whether the delivery says the tuple of a row."""
        waiting = self._waiting
        return exists(select(waiting.c.hash).where(waiting.c.batch == self._batch, self._same(waiting, rows)))

    def _covers(self, rows: Any) -> ColumnElement[bool]:
        return covers(rows, self._batch)

    def _cut(self) -> None:
        """End the runs that this new delivery does not go on saying; one that later ones say goes on after it."""
        if self._before is None:
            return
        rows, known = self._rows, self._rows.alias("known_run")
        before = select(*self._identity(known)).where(known.c.added < self._batch, self._covers(known))
        gone = except_(before, self._said_tuples()).subquery("gone")
        cut = and_(rows.c.added < self._batch, self._covers(rows), self._same(gone, rows))
        if self._after is not None:
            rest = [
                rows.c.seen,
                rows.c.following,
                rows.c[self._key],
                rows.c.hash,
                *(rows.c[each] for each in self._fields),
            ]
            names = ["added", "seen", "following", self._key, "hash", *self._fields]
            chosen = select(constant(self._after).cast(Text).label("added"), *rest).where(cut)
            self._writer.execute(insert(rows).from_select(names, chosen))
            values = {"seen": constant(self._before).cast(Text), "following": constant(self._after).cast(Text)}
        else:
            values = {"seen": constant(self._before).cast(Text)}
        self._writer.execute(update(rows).where(cut).values(values))

    def _join(self) -> None:
        """Make one run of two that this delivery says the middle of."""
        rows, right = self._rows, self._rows.alias("right_run")
        meets = and_(self._same(right, rows), right.c.added == self._after)
        seen = select(right.c.seen).where(meets).scalar_subquery()
        following = select(right.c.following).where(meets).scalar_subquery()
        both = and_(rows.c.seen == self._before, exists(select(right.c.hash).where(meets)), self._said(rows))
        self._writer.execute(update(rows).where(both).values(seen=seen, following=following))
        left = self._rows.alias("left_run")
        over = and_(self._same(left, rows), left.c.added < self._batch, self._covers(left))
        self._writer.execute(
            delete(rows).where(and_(rows.c.added == self._after, exists(select(left.c.hash).where(over))))
        )

    def _prolong(self) -> None:
        rows = self._rows
        self._writer.execute(
            update(rows).where(and_(rows.c.seen == self._before, self._said(rows))).values(seen=self._end)
        )

    def _advance(self) -> None:
        """Have runs that begin at the next delivery begin at this one."""
        rows, over = self._rows, self._rows.alias("covering_run")
        covered = exists(select(over.c.hash).where(self._same(over, rows), self._covers(over)))
        begins = and_(rows.c.added == self._after, self._said(rows), ~covered)
        self._writer.execute(update(rows).where(begins).values(added=constant(self._batch).cast(Text)))

    def _begin(self) -> None:
        """Begin runs for the tuples that none covers."""
        rows, later = self._rows, self._rows.alias("later_run")
        first = self._before is None and self._after is None and self._batch not in self._known
        said = self._each_once() if first else self._each_new_once()
        following: ColumnElement[Any] = null().cast(Text)
        if self._after is not None:
            following = (
                select(func.min(later.c.added, type_=Text()))
                .where(self._same(later, said), later.c.added > self._batch)
                .scalar_subquery()
            )
        own = [said.c[self._key], said.c.hash, *(said.c[each] for each in self._fields)]
        names = ["added", "seen", "following", self._key, "hash", *self._fields]
        chosen = select(
            constant(self._batch).cast(Text).label("added"), self._end.label("seen"), following.label("following"), *own
        )
        if first:
            # A table that is filled at once is laid out by key, which makes looking a company up quick.
            chosen = chosen.order_by(said.c[self._key])
        self._writer.execute(insert(rows).from_select(names, chosen))

    def _each_new_once(self) -> Any:
        """Return the tuples of the delivery that no run covers, each once."""
        waiting, over = self._waiting, self._rows.alias("covering_run")
        covered = select(*self._identity(over)).where(self._covers(over))
        new = except_(self._said_tuples(), covered).subquery("new")
        place = func.row_number().over(partition_by=self._identity(waiting), order_by=waiting.c.file)
        found: Any = (
            select(waiting, place.label("place"))
            .join_from(waiting, new, self._same(new, waiting))
            .where(waiting.c.batch == self._batch)
            .subquery("found")
        )
        return select(found).where(found.c.place == constant(1)).subquery("said")

    def _each_once(self) -> Any:
        """Return the tuples of the delivery; files may say one several times."""
        waiting = self._waiting
        own = select(waiting).where(waiting.c.batch == self._batch)
        again = (
            select(waiting.c.hash)
            .where(waiting.c.batch == self._batch)
            .group_by(waiting.c[self._key], waiting.c.hash)
            .having(func.count() > constant(1))
            .limit(1)
        )
        if not self._writer.fetch(again).num_rows:
            return own.subquery("said")
        same = [waiting.c[self._key], waiting.c.hash]
        place = func.row_number().over(partition_by=same, order_by=waiting.c.file)
        numbered = select(waiting, place.label("place")).where(waiting.c.batch == self._batch).subquery("numbered")
        return select(numbered).where(numbered.c.place == constant(1)).subquery("said")

    def _follow(self) -> None:
        """Tell earlier runs of the tuples that begin here that they are said again."""
        rows = self._rows
        ended = and_(rows.c.added < self._batch, rows.c.seen < self._batch)
        unaware = or_(rows.c.following.is_(None), rows.c.following > self._batch)
        said = self._said(rows)
        if self._after is None:
            # A run that goes on is what earlier ones know of already: only those that begin are new to them.
            begun = self._rows.alias("begun_run")
            said = exists(select(begun.c.hash).where(begun.c.added == self._batch, self._same(begun, rows)))
        self._writer.execute(
            update(rows).where(and_(ended, unaware, said)).values(following=constant(self._batch).cast(Text))
        )


def changes(history: History, type_: str, batch: str) -> Change:
    """Return what a batch that the history knows changed of a type.

    Raises
    ------
    WorkbenchError
        ``source_inconnue``, ``batch_inconnu`` when the batch brought nothing of the type.
    """
    known = history.deliveries_of(source_named(type_).type)
    if batch not in known:
        raise WorkbenchError("batch_inconnu", batch=batch, connus=", ".join(known.keys) or "aucun")
    return measured(history, source_named(type_), known, batch)


def covers(rows: Any, batch: str) -> ColumnElement[bool]:
    """Whether the delivery of a batch says the tuple of a run."""
    return and_(rows.c.added <= batch, or_(rows.c.seen.is_(None), rows.c.seen >= batch))


def measured(base: Writer | History, source: Source, known: TypeDeliveries, batch: str) -> Change:
    """Count what a delivery changed, from the runs alone."""
    rows = schema.facts(source.type)
    before = known.before(batch)
    alive = alive_at(rows, known, batch)
    lived = false() if before is None else alive_at(rows, known, before)

    def count(*conditions: ColumnElement[bool]) -> ColumnElement[int]:
        return func.count().filter(and_(*conditions))

    statement = select(
        count(covers(rows, batch)).label("given"),
        count(alive).label("alive"),
        count(lived).label("lived"),
        count(lived, alive).label("both"),
        # A tuple may have been alive by one run and be alive now by the next one.
        count(lived, rows.c.following == batch).label("taken_over"),
    ).select_from(rows)
    found = base.fetch(statement).to_pylist()[0]
    kept = found["both"] + found["taken_over"]
    return Change(
        batch,
        source.type,
        batch in known.complete_keys,
        found["given"],
        found["alive"] - kept,
        found["lived"] - kept,
        found["lived"],
        found["alive"],
    )
