"""The store: one object that answers readers and takes what is published, whatever the database.

It is one module because it is one door: each method opens a transaction, asks what the person may do, does it, and
writes the journal before anything is answered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any

from sqlalchemy import Connection, func, select, text

from workbench.errors import WorkbenchError
from workbench.registry import Registry, open_registry
from workbench.store import journal
from workbench.store.browsing import Browsing, Views, browsed, browsing, meaning, read_view, stamp
from workbench.store.files import StoredFile, content_of
from workbench.store.first_policies import FIRST, NOBODY, protection, publish_first, unknown_policies
from workbench.store.item import Item, item
from workbench.store.keys import SYSTEM, Reader, checked_bucket, checked_moment, checked_text
from workbench.store.lending import access_now
from workbench.store.overlay import Overlay, lent_values, shared_access
from workbench.store.policies import MANAGER, Access, access
from workbench.store.policies_stored import StoredPolicies
from workbench.store.purge import PUBLICATION_LOCK, purge
from workbench.store.question import Question, question
from workbench.store.reading import Eyes, found_objects, seen, seen_file
from workbench.store.replacing import REPLACING_LOCK, Replaced, Replacing, scoped_items
from workbench.store.searching import MOST_FOUND, Search, found_by_words, search
from workbench.store.tables import ROOM
from workbench.store.usage import check_period, counted
from workbench.store.view import View
from workbench.store.why import explained
from workbench.store.writing import check_rights, publish

__all__ = ["MOST_ENTRIES", "Store", "open_store"]

MOST_ENTRIES = 10_000
"""Entries of the journal read at once."""


def open_store(address: str | Path | None = None, *, manager: str = MANAGER) -> Store:
    """Open the store of a registry, making its tables and its first policies when they are not there.

    Parameters
    ----------
    address
        Path of a SQLite file or URL of a PostgreSQL database; ``WORKBENCH_REGISTRE`` by default.
    manager
        The badge that the first policy asks of those who read and write the policies.

    Raises
    ------
    WorkbenchError
        Those of `workbench.registry.open_registry`.

    Examples
    --------
    >>> import tempfile
    >>> from types import SimpleNamespace
    >>> agent = SimpleNamespace(email="agent@exemple.fr", badges={"bfc"})
    >>> with open_store(Path(tempfile.mkdtemp()) / "registre.sqlite") as store:
    ...     sheet = {"key": {"siren": "012345678"}, "scope": ["bfc"], "value": {"effectif": 12}}
    ...     store.put(agent, "public", [sheet])
    ...     store.get(agent, "public", {"siren": "012345678"})[0]["value"]
    1
    {'effectif': 12}
    """
    registry = open_registry(address, rooms=[ROOM])
    try:
        store = Store(registry)
        store.protect(manager, only_if_open=True)
        store.install(FIRST)
    except BaseException:
        registry.close()
        raise
    return store


def _interpret(connection: Connection) -> None:
    """Have statements of this transaction run as they are.

    A page is costed as if it were read to its end, a rule by its many badges: compiling either takes seconds, and
    saves none.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL jit = off"))


class Store:
    """Objects with badges; threads may share it.

    Parameters
    ----------
    registry
        Where it is kept; closed with the store.
    clock
        What tells the time; the registry's clock by default.
    """

    def __init__(self, registry: Registry, clock: Callable[[], datetime] | None = None) -> None:
        self.registry = registry
        self._clock = clock
        self._policies = StoredPolicies()
        self._views = Views()

    def _now(self, connection: Connection) -> datetime:
        return self._clock() if self._clock is not None else self.registry.now(connection)

    @contextmanager
    def _one_state(self) -> Iterator[Connection]:
        """Open a transaction that sees one state of the store and adds to the journal."""
        with self.registry.write() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
            _interpret(connection)
            yield connection

    def _access(self, connection: Connection, reader: Reader, bucket: str, now: datetime) -> Access:
        return access_now(connection, self._policies.at(connection, now), bucket, reader, now)

    def get(
        self,
        reader: Reader,
        bucket: str,
        key: Mapping[str, str] | None = None,
        *,
        date: datetime | str | None = None,
        filter: Iterable[Mapping[str, Any]] | None = None,  # noqa: A002 - the interface's word
        sort: Iterable[Mapping[str, Any]] | None = None,
        limit: int | None = None,
        offset: int | None = None,
    ) -> list[dict[str, Any]]:
        """Read what one person may see of a bucket.

        Parameters
        ----------
        reader
            Who asks: an e-mail address and badges.
        bucket
            Where.
        key
            Pairs that the objects must have; none for all the bucket.
        date
            As of when; a date to come is now.
        filter
            Conditions ``{field, operator, value}``, all of which must pass; operators ``= != < <= > >= in``
            and ``not in``. A property that is absent, hidden, null, or of another kind for an order, never passes.
        sort
            One criterion ``{field, order}``: 1 ascending, -1 descending; equal values in the order of their
            publication, objects without it last. Without it, an order that depends on keys alone.
        limit, offset
            The page.

        Returns
        -------
        list of dict
            ``key`` (with the bucket), ``value``, ``addDate``.

        Raises
        ------
        WorkbenchError
            ``sans_donnees`` (404) when nothing is visible, be it there or not; ``seau_invalide``, ``cle_invalide``,
            ``date_invalide``, ``question_invalide`` (400); ``journal_impossible`` (500).
        """
        filters, order = (None if each is None else list(each) for each in (filter, sort))
        asked = {"key": key, "date": date, "filter": filters, "sort": order, "limit": limit, "offset": offset}
        return self.answer(reader, bucket, question(asked))

    def answer(self, reader: Reader, bucket: str, asked: Question) -> list[dict[str, Any]]:
        """Answer a question already read; see `get`."""
        bucket = checked_bucket(bucket)
        with self._one_state() as connection:
            now = self._now(connection)
            date = now if asked.date is None else min(asked.date, now)
            eyes = Eyes(self._access(connection, reader, bucket, now), bucket, date)
            answer = seen(connection, eyes, found_objects(connection, eyes, asked))
            journal.record(connection, reader, now, "get", bucket, _shown(asked), str(len(answer)))
        if not answer:
            raise WorkbenchError("sans_donnees")
        return answer

    def browse(self, reader: Reader, bucket: str, **asked: Any) -> dict[str, Any]:
        """Read a page of a long list, and count it: what is asked again and again of one key.

        Parameters
        ----------
        reader
            Who asks.
        bucket
            Where.
        **asked
            ``key``, required; ``filter``, ``sort``, ``limit`` and ``offset`` as in `get`, where a field ``key.name`` is
            a pair of the key; ``text``, ``{value, fields}``: words that one of these fields has; ``columns``, the
            properties wanted; ``counts``, fields whose values are counted.

        Returns
        -------
        dict
            ``objects``: ``{key, value}`` each. ``total``: how many pass. ``counts``: by field, pairs of a value and
            how many have it. ``badges``: those that this person has for the whole bucket, lent ones among them.

        Raises
        ------
        WorkbenchError
            ``question_invalide``, ``cle_invalide``, ``seau_invalide`` (400); ``journal_impossible`` (500). Nothing
            visible is no error.
        """
        given = {name: value for name, value in asked.items() if value is not None}
        return self.browsed(reader, bucket, browsing(given))

    def browsed(self, reader: Reader, bucket: str, asked: Browsing) -> dict[str, Any]:
        """Answer a question already read; see `browse`."""
        bucket = checked_bucket(bucket)
        self._prepare(reader, bucket, asked)
        with self._one_state() as connection:
            now = self._now(connection)
            allowed = self._access(connection, reader, bucket, now)
            answer = browsed(self._view(connection, allowed, bucket, asked.key, now), asked)
            answer["badges"] = sorted(allowed.granted)
            journal.record(connection, reader, now, "browse", bucket, _shown(asked), str(answer["total"]))
        return answer

    def _prepare(self, reader: Reader, bucket: str, asked: Browsing) -> None:
        """Read a view that is not kept, without holding the only place of who writes."""
        with self.registry.read() as connection:
            now = self._now(connection)
            at = stamp(connection, bucket, asked.key, now)
            allowed = self._access(connection, reader, bucket, now)
            names = [meaning(each, bucket, asked.key) for each in (shared_access(allowed), allowed)]
        for name in dict.fromkeys(names):
            if self._views.kept(name, at) is None:
                # One reads, the others wait for it without holding a connection.
                with self._views.turn(name), self.registry.read() as connection:
                    _interpret(connection)
                    now = self._now(connection)
                    self._view(connection, self._access(connection, reader, bucket, now), bucket, asked.key, now)

    def _view(
        self, connection: Connection, allowed: Access, bucket: str, key: Mapping[str, str], now: datetime
    ) -> View | Overlay:
        at = stamp(connection, bucket, key, now)

        def kept(ours: Access, among: Mapping[str, frozenset[str]] | None) -> View:
            name = meaning(ours, bucket, key)
            view = self._views.kept(name, at)
            if view is None:
                view = read_view(connection, Eyes(ours, bucket, now), key, among)
                self._views.keep(name, at, view)
            return view

        lent = lent_values(allowed)
        shared = kept(shared_access(allowed), None)
        return Overlay(shared, kept(allowed, lent), lent) if lent else shared

    def search(self, reader: Reader, bucket: str, **asked: Any) -> list[dict[str, Any]]:
        """Find objects by their words, a page at a time; empty when nothing is found.

        Parameters
        ----------
        reader
            Who asks.
        bucket
            Where.
        **asked
            ``text``, required; ``key``, ``filter``, ``limit`` (20) and ``offset`` as in `get`.

        Returns
        -------
        list of dict
            As `get`: those whose text begins by what is asked, then those that hold its words.

        Raises
        ------
        WorkbenchError
            ``recherche_courte``, ``question_invalide``, ``cle_invalide``, ``seau_invalide`` (400);
            ``journal_impossible`` (500).
        """
        return self.searched(reader, bucket, search({name: each for name, each in asked.items() if each is not None}))

    def searched(self, reader: Reader, bucket: str, asked: Search) -> list[dict[str, Any]]:
        """Answer a search already read; see `search`."""
        with self._searching(reader, bucket, asked, "search") as (connection, eyes, outcome):
            objects = found_by_words(connection, eyes, asked, asked.offset + asked.limit)[:MOST_FOUND]
            answer = seen(connection, eyes, objects[asked.offset : asked.offset + asked.limit])
            outcome.append(str(len(answer)))
        return answer

    def total(self, reader: Reader, bucket: str, asked: Search) -> dict[str, Any]:
        """Count what a search finds: ``total``, and ``more`` when it is more than a thousand, which are not counted."""
        with self._searching(reader, bucket, asked, "total") as (connection, eyes, outcome):
            count = len(found_by_words(connection, eyes, asked, MOST_FOUND + 1))
            outcome.append(str(count))
        return {"total": min(count, MOST_FOUND), "more": count > MOST_FOUND}

    @contextmanager
    def _searching(
        self, reader: Reader, bucket: str, asked: Search, action: str
    ) -> Iterator[tuple[Connection, Eyes, list[str]]]:
        bucket = checked_bucket(bucket)
        outcome: list[str] = []
        with self._one_state() as connection:
            now = self._now(connection)
            yield connection, Eyes(self._access(connection, reader, bucket, now), bucket, now), outcome
            journal.record(connection, reader, now, action, bucket, _shown(asked), outcome[0])

    def file(
        self,
        reader: Reader,
        bucket: str,
        key: Mapping[str, str],
        property: str,  # noqa: A002 - the interface's word
        *,
        date: datetime | str | None = None,
    ) -> StoredFile:
        """Read a file: who sees the property that holds it reads it.

        Parameters
        ----------
        reader
            Who asks.
        bucket, key
            Which object: the key must leave one that this person sees.
        property
            The property that is the file.
        date
            As of when.

        Raises
        ------
        WorkbenchError
            ``sans_donnees`` (404) when nothing is visible there, or no file; ``question_invalide`` when several
            objects are; those of `get`.
        """
        bucket = checked_bucket(bucket)
        asked = question({"key": key, "date": date, "limit": 2})
        name = checked_text(property, "property")
        with self._one_state() as connection:
            now = self._now(connection)
            moment = now if asked.date is None else min(asked.date, now)
            eyes = Eyes(self._access(connection, reader, bucket, now), bucket, moment)
            objects = found_objects(connection, eyes, asked)
            found = seen_file(connection, eyes, objects[0], name) if len(objects) == 1 else None
            given = {**_shown(asked), "property": name}
            journal.record(connection, reader, now, "file", bucket, given, str(int(found is not None)))
        if len(objects) > 1:
            raise WorkbenchError("question_invalide", cause="cette clé laisse plusieurs objets")
        if found is None:
            raise WorkbenchError("sans_donnees")
        facts, packed = found
        return StoredFile(facts["name"], facts["type"], content_of(packed))

    def put(self, reader: Reader, bucket: str, sheets: Iterable[Mapping[str, Any]]) -> int:
        """Publish sheets, all of them or none.

        Parameters
        ----------
        reader
            Who publishes.
        bucket
            Where.
        sheets
            ``{key, scope, value, releaseDate, expires, search}`` each; the last three are optional. A property that
            `workbench.store.file_property` wrote is a file; ``search`` is the text by which who reads the sheet finds
            its object. A stream is read as it comes, in one transaction.

        Returns
        -------
        int
            How many sheets were published.

        Raises
        ------
        WorkbenchError
            ``ecriture_interdite``, ``valeur_interdite`` (403); ``objet_invalide``, ``cle_invalide``,
            ``badges_invalides``, ``date_invalide``, ``politique_invalide`` (400); ``fichier_trop_long`` (413);
            ``journal_impossible`` (500).
        """
        bucket = checked_bucket(bucket)
        refused: WorkbenchError | None = None
        count = 0
        with self.registry.write() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(select(func.pg_advisory_xact_lock_shared(PUBLICATION_LOCK)))
            now = self._now(connection)
            allowed = self._access(connection, reader, bucket, now)
            try:
                with connection.begin_nested():
                    count = publish(connection, allowed, _items(bucket, sheets), reader.email, now)
            except WorkbenchError as error:
                refused = error
            outcome = str(count) if refused is None else refused.code
            journal.record(connection, reader, now, "put", bucket, {}, outcome)
        if refused is not None:
            raise refused
        return count

    def replace(
        self,
        reader: Reader,
        contents: Mapping[str, Iterable[Mapping[str, Any]]],
        *,
        within: Mapping[str, Iterable[Mapping[str, str]]] | None = None,
        released: datetime | str | None = None,
        dry_run: bool = False,
        whole: bool = True,
    ) -> Replaced:
        """Make what some keys hold be what is given: write what differs, withdraw what is not given, all or nothing.

        Who may is who may write an object of type ``replace`` in the bucket ``system``, besides writing the objects:
        what is counted tells of sheets that one may not read.

        Parameters
        ----------
        reader
            Who publishes.
        contents
            Sheets by bucket, as `put` takes them, or with ``scopes``, a list of lists, for one that is written under
            several scopes. The sheets of an object follow one another, and are all of it.
        within
            By bucket, keys: an object that has one of them and is not given is withdrawn.
        released
            When what is withdrawn is; at once by default.
        dry_run
            Only say what would change.
        whole
            False to leave the sheets of an object under other scopes than those given as they are.

        Returns
        -------
        Replaced
            How many objects are ``new``, ``changed``, ``withdrawn`` and the ``same``, and the ``sheets`` written.

        Raises
        ------
        WorkbenchError
            ``acces_interdit`` (403); those of `put`.
        """
        moment = None if released is None else checked_moment(released, "released")
        asked = {checked_bucket(bucket): [dict(key) for key in keys] for bucket, keys in (within or {}).items()}
        everything = Replaced()
        refused: WorkbenchError | None = None
        with self.registry.write() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(select(func.pg_advisory_xact_lock_shared(PUBLICATION_LOCK)))
                connection.execute(select(func.pg_advisory_xact_lock(REPLACING_LOCK)))
            now = self._now(connection)
            journal.check_may(self._access(connection, reader, SYSTEM, now), "replace", write=True)
            try:
                with connection.begin_nested():
                    for bucket in {**contents, **asked}:
                        allowed = self._access(connection, reader, checked_bucket(bucket), now)
                        part = Replacing(connection, bucket, now, everything, whole=whole)
                        sheets = scoped_items(bucket, contents.get(bucket, ()))
                        found = part.differences(sheets, asked.get(bucket, ()), moment)
                        if dry_run:
                            for number, each in enumerate(found):
                                check_rights(allowed, each, number)
                        else:
                            publish(connection, allowed, found, reader.email, now)
            except WorkbenchError as error:
                refused = error
            outcome = everything.said if refused is None else refused.code
            action = "replace?" if dry_run else "replace"
            journal.record(connection, reader, now, action, " ".join(sorted({*contents, *asked})), asked, outcome)
        if refused is not None:
            raise refused
        return everything

    def journal(
        self,
        reader: Reader,
        *,
        since: datetime | str | None = None,
        until: datetime | str | None = None,
        email: str | None = None,
        bucket: str | None = None,
        limit: int = 1000,
    ) -> list[dict[str, Any]]:
        """Read the journal, the last entries first; this reading is in it afterwards.

        Who may is who may read an object of type ``journal`` in the bucket ``system``.

        Parameters
        ----------
        reader
            Who asks.
        since, until
            The first moment, and the one after the last.
        email, bucket
            Only the entries of a person, of a bucket.
        limit
            Entries at most, 10 000 at the most.

        Returns
        -------
        list of dict
            ``at, reader, action, bucket, query, outcome``; the outcome is how many objects, or why not.

        Raises
        ------
        WorkbenchError
            ``acces_interdit`` (403), ``date_invalide``, ``question_invalide`` (400).
        """
        if isinstance(limit, bool) or not isinstance(limit, int) or not 1 <= limit <= MOST_ENTRIES:
            raise WorkbenchError("question_invalide", cause=f"limit doit être un entier de 1 à {MOST_ENTRIES}")
        begins, ends = (
            None if moment is None else checked_moment(moment, name)
            for moment, name in ((since, "since"), (until, "until"))
        )
        for name, value in (("email", email), ("bucket", bucket)):
            if value is not None:
                checked_text(value, name)
        asked = {"since": begins, "until": ends, "reader": email, "bucket": bucket}
        with self._asking(reader, "journal") as (connection, now):
            found = journal.entries(connection, since=begins, until=ends, reader=email, bucket=bucket, limit=limit)
            given = {name: str(value) for name, value in asked.items() if value is not None}
            journal.record(connection, reader, now, "journal", SYSTEM, given, str(len(found)))
        return found

    def usage(self, reader: Reader, since: datetime | str, until: datetime | str) -> list[dict[str, Any]]:
        """Count what was asked, by day, person and kind of thing; this asking is in the journal too.

        Who may is who may read an object of type ``usage`` in the bucket ``system``: the badge ``stats`` opens it.

        Parameters
        ----------
        reader
            Who asks.
        since, until
            The first moment, and the one after the last.

        Returns
        -------
        list of dict
            ``day, reader, action, bucket, kind, count``; see `workbench.store.usage.counted`.

        Raises
        ------
        WorkbenchError
            ``acces_interdit`` (403), ``date_invalide``, ``question_invalide`` (400).
        """
        begins, ends = checked_moment(since, "since"), checked_moment(until, "until")
        check_period(begins, ends)
        with self._asking(reader, "usage") as (connection, now):
            given = {"since": str(begins), "until": str(ends)}
            journal.record(connection, reader, now, "usage", SYSTEM, given, "ok")
        # Counting is long: nobody waits for it to write.
        with self.registry.read() as connection:
            return counted(connection, begins, ends)

    def why(
        self,
        reader: Reader,
        bucket: str,
        key: Mapping[str, str] | None = None,
        *,
        of: Reader | None = None,
        date: datetime | str | None = None,
    ) -> list[dict[str, Any]]:
        """Explain which sheets and policies make objects visible to a person, and which badges she lacks.

        Who may ask is who may read an object of type ``why`` in the bucket ``system``.

        Parameters
        ----------
        reader
            Who asks.
        bucket, key
            Which objects; a hundred at most are explained.
        of
            For whom; for the one who asks by default.
        date
            As of when.

        Returns
        -------
        list of dict
            See `workbench.store.why.explained`; no value is shown.

        Raises
        ------
        WorkbenchError
            ``acces_interdit`` (403); those of a question (400).
        """
        bucket = checked_bucket(bucket)
        asked = question({"key": key, "date": date})
        subject = reader if of is None else of
        checked_text(subject.email, "of.email")
        with self._asking(reader, "why") as (connection, now):
            date = now if asked.date is None else min(asked.date, now)
            answer = explained(connection, self._access(connection, subject, bucket, now), bucket, asked.key, date)
            given = _shown(asked) | {"of": subject.email, "badges": sorted(subject.badges)}
            journal.record(connection, reader, now, "why", bucket, given, str(len(answer)))
        return answer

    def purge(self, reader: Reader, delay: timedelta) -> Mapping[str, int]:
        """Delete what expired longer ago than a delay; see `workbench.store.purge`.

        Who may is who may write an object of type ``purge`` in the bucket ``system``.

        Parameters
        ----------
        reader
            Who orders it.
        delay
            How long the law lets keep what has expired.

        Returns
        -------
        mapping
            How many ``properties``, ``sheets``, ``objects`` and ``files`` are gone.

        Raises
        ------
        WorkbenchError
            ``acces_interdit`` (403); ``question_invalide`` (400) for a negative delay.
        """
        if delay < timedelta(0):
            raise WorkbenchError("question_invalide", cause="le délai de purge est négatif")
        with self.registry.write() as connection:
            now = self._now(connection)
            journal.check_may(self._access(connection, reader, SYSTEM, now), "purge", write=True)
            gone = purge(connection, now - delay)
            query = {"days": delay / timedelta(days=1)}
            outcome = " ".join(f"{name}={count}" for name, count in gone.items())
            journal.record(connection, reader, now, "purge", "", query, outcome)
        return gone

    @contextmanager
    def _asking(self, reader: Reader, right: str) -> Iterator[tuple[Connection, datetime]]:
        with self._one_state() as connection:
            now = self._now(connection)
            journal.check_may(self._access(connection, reader, SYSTEM, now), right)
            yield connection, now

    def protect(self, manager: str = MANAGER, *, only_if_open: bool = False) -> None:
        """Publish the policy that protects the policies; for those who hold the database.

        Parameters
        ----------
        manager
            The badge that reading and writing policies takes.
        only_if_open
            Do nothing when policies already protect them.
        """
        with self.registry.write() as connection:
            now = self._now(connection)
            if not only_if_open or access(self._policies.at(connection, now), SYSTEM, NOBODY).closed:
                publish_first(connection, [protection(manager)], now, "protect", {"manager": manager})

    def install(self, policies: Mapping[str, Mapping[str, Any]]) -> None:
        """Publish policies, by name, that were never published, be it to be retired; for those who hold the database.

        Parameters
        ----------
        policies
            Value of each, by its name.
        """
        with self.registry.write() as connection:
            new = unknown_policies(connection, policies)
            if new:
                publish_first(connection, new, self._now(connection), "install", {"policies": sorted(policies)})

    def close(self) -> None:
        """Close the registry."""
        self.registry.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _items(bucket: str, sheets: Iterable[Any]) -> Iterator[Item]:
    if isinstance(sheets, Mapping | str | bytes) or not isinstance(sheets, Iterable):
        raise WorkbenchError("objet_invalide", endroit="[]", cause="une liste d'objets est attendue")
    for number, written in enumerate(sheets):
        yield item(bucket, written, number)


def _shown(asked: Question | Browsing | Search) -> dict[str, Any]:
    """Write a question for the journal: what was given, no more."""
    shown = {name: value for name, value in asdict(asked).items() if value not in (None, (), 0, {}, "")}
    if "date" in shown:
        shown["date"] = shown["date"].isoformat()
    return shown
