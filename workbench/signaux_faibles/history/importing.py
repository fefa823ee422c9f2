"""Reading the files of a batch into a history, where their tuples wait to be compacted.

Everything is read into the next snapshot, published whole at the end: an import that is interrupted, however it is,
leaves the history as it was. A file imported again replaces what of it still waits.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
from sqlalchemy import Table, Text, and_, column, delete, insert, select, table

from workbench.engines import Writer, work_folder
from workbench.signaux_faibles.batches import Batch
from workbench.signaux_faibles.check import BatchCheck, batch_files, batch_perimetre
from workbench.signaux_faibles.execution import ParsedFile
from workbench.signaux_faibles.history import schema
from workbench.signaux_faibles.history.base import History
from workbench.signaux_faibles.history.compaction import Compaction, merge
from workbench.signaux_faibles.history.hashing import content_hash
from workbench.signaux_faibles.history.order import Deliveries, Delivery
from workbench.signaux_faibles.history.progress import Progress
from workbench.signaux_faibles.kinds import constant
from workbench.signaux_faibles.reading import Dates, parsed_files
from workbench.signaux_faibles.recognition import FILTER
from workbench.signaux_faibles.report import FileReport
from workbench.signaux_faibles.sources import source_named, sources

__all__ = ["BatchImport", "import_batch"]


@dataclass(frozen=True)
class BatchImport:
    """What an import did.

    Parameters
    ----------
    batch
        Key.
    reports
        One a file.
    unknown_types
        Types of the descriptor that no source reads.
    incomplete
        Complete types of which a file could not be read: nothing will be removed on their account.
    compaction
        What became of it, when it was compacted at once.
    """

    batch: str
    reports: tuple[FileReport, ...]
    unknown_types: tuple[str, ...] = ()
    incomplete: tuple[str, ...] = ()
    compaction: Compaction | None = None

    @property
    def is_right(self) -> bool:
        """Whether every file was read and no line rejected."""
        return self._check.is_right and not self.unknown_types

    @property
    def _check(self) -> BatchCheck:
        return BatchCheck(self.reports, self.unknown_types, self.batch)

    def journal(self) -> list[dict[str, Any]]:
        """Return the entries of the journal (specification 3.1)."""
        entries = self._check.journal()
        return [{**each, "reportType": each["reportType"].replace("CheckBatch", "ImportBatch")} for each in entries]

    def __str__(self) -> str:
        lines = [str(self._check)]
        lines += [
            f"{type_} : un fichier est illisible, le type n'est pas tenu pour complet." for type_ in self.incomplete
        ]
        if self.compaction is not None:
            lines.append(str(self.compaction))
        return "\n".join(lines)


def import_batch(
    history: History,
    batch: Batch,
    root: str | Path,
    *,
    types: Iterable[str] = (),
    no_filter: bool = False,
    temporary: bool = True,
    compacted: bool = False,
    progress: Progress | None = None,
) -> BatchImport:
    """Read the files of a batch into a history; `compact` then makes facts of them.

    Parameters
    ----------
    history
        Open for writing.
    batch
        Its descriptor, in which nothing is left to confirm.
    root
        Folder of all batches.
    types
        Types to read; all by default.
    no_filter
        Whether to read without a perimeter.
    temporary
        Whether the provisional SIRET of the URSSAF are kept.
    compacted
        Whether to make facts of them at once, with all else that waits: one snapshot is written instead of two.
    progress
        Told of each file before it is read; may raise to stop.

    Returns
    -------
    BatchImport
        A file that cannot be read does not stop the others; when its type is a complete one, the type then only adds.

    Raises
    ------
    WorkbenchError
        ``batch_a_confirmer``, ``base_lecture_seule``, ``import_en_cours``, ``filtre_absent``, ``filtre_siren``,
        ``source_inconnue`` for a type asked for by name, ``batch_chemin``. Nothing is then imported.
    """
    history.require_writable()
    files = batch_files(batch.confirmed(), Path(root))
    asked = tuple(types)
    for type_ in asked:
        source_named(type_)
    perimetre = batch_perimetre(files, no_filter=no_filter)
    unknown = tuple(type_ for type_ in files if type_ not in sources() and type_ != FILTER)
    read = {type_: paths for type_, paths in files.items() if type_ in sources()}
    wanted = {type_: paths for type_, paths in read.items() if not asked or type_ in asked}
    tables = [*schema.batch_tables(), *(each for type_ in wanted for each in schema.type_tables(type_))]
    compaction = None
    with work_folder(prefix="workbench-sources-") as work, history.write(tables) as writer:
        reader = _Reader(writer, Deliveries(history.deliveries()), batch, progress, sum(map(len, wanted.values())))
        reader.note_batch(perimetre)
        dates = Dates(batch.key, batch.start, batch.end, temporary=temporary)
        reader.read(parsed_files(writer, read, dates, perimetre, work, only=asked or None))
        deliveries = reader.note_deliveries(batch)
        if compacted:
            writer.loaded()
            compaction = merge(writer, deliveries, progress=progress)
        else:
            reader.step("publication")
    return BatchImport(batch.key, tuple(reader.reports), unknown, tuple(reader.incomplete), compaction)


def _names(batch: Batch) -> dict[str, str]:
    """Return the name of each file in the descriptor by the end of its path, which no folder changes."""
    return {path.removeprefix("gzip:").lstrip("/"): path for paths in batch.files.values() for path in paths}


class _Reader:
    """Puts what files hold where it waits."""

    def __init__(
        self, writer: Writer, deliveries: Deliveries, batch: Batch, progress: Progress | None, total: int
    ) -> None:
        self._writer = writer
        self._batch = batch.key
        self._known_batch = batch
        self._names = _names(batch)
        self._progress = progress
        self._total = total + 2
        self._done = 0
        self._deliveries = deliveries
        self.reports: list[FileReport] = []
        self.incomplete: list[str] = []

    def step(self, name: str) -> None:
        """Tell that a step begins."""
        if self._progress is not None:
            self._progress(self._done, self._total, name)
        self._done += 1

    def note_batch(self, perimetre: list[str] | None) -> None:
        """Write what is known of the batch."""
        self.step("descripteur")
        batch = self._known_batch
        for each in (schema.batches, schema.perimetres):
            self._writer.execute(delete(each).where(each.c.batch == batch.key))
        self._writer.execute(
            insert(schema.batches).values(
                batch=batch.key,
                name=batch.name,
                start=batch.start,
                end=batch.end,
                effectif_end=batch.effectif_end,
                with_perimetre=perimetre is not None,
                imported=datetime.now(UTC).replace(tzinfo=None, microsecond=0),
            )
        )
        if perimetre is not None:
            rows = pa.table({"siren": pa.array(sorted(set(perimetre)), pa.string())})
            given = table("donnes", column("siren"))
            chosen = select(constant(batch.key).cast(Text), given.c.siren)
            self._writer.execute(insert(schema.perimetres).from_select(["batch", "siren"], chosen), {"donnes": rows})

    def read(self, files: Iterator[ParsedFile]) -> None:
        """Read files one after another."""
        while True:
            self.step(f"fichier {len(self.reports) + 1}")
            parsed = next(files, None)
            if parsed is None:
                self._done -= 1
                return
            self._keep(parsed)

    def _keep(self, parsed: ParsedFile) -> None:
        type_ = parsed.source.type
        name = self._name(parsed.report.path)
        report = replace(parsed.report, path=name)
        self.reports.append(report)
        for each in (schema.reports, schema.rejected_rows):
            same = and_(each.c.batch == self._batch, each.c.type == type_, each.c.file == name)
            self._writer.execute(delete(each).where(same))
        self._writer.execute(insert(schema.reports).values(_report_row(report)))
        if parsed.rejected is not None and report.lines_rejected:
            refused = parsed.rejected.order_by(None).subquery("refused")
            chosen = select(
                refused.c.ligne.label("line"),
                refused.c.colonne.label("field"),
                refused.c.valeur.label("value"),
                refused.c.motif.label("reason"),
            )
            self._insert(schema.rejected_rows, {"batch": self._batch, "type": type_, "file": name}, chosen)
        if parsed.tuples is None:
            return
        waiting = schema.imported(type_)
        self._writer.execute(delete(waiting).where(and_(waiting.c.batch == self._batch, waiting.c.file == name)))
        given = parsed.tuples.order_by(None).subquery("given")
        fields = {field: (given.c[field], kind) for field, kind in schema.stored_fields(type_)}
        key = given.c[parsed.source.scope.key]
        said: list[Any] = [key, content_hash(fields).label("hash"), *(value for value, _ in fields.values())]
        self._insert(waiting, {"batch": self._batch, "file": name}, select(*said))

    def _insert(self, target: Table, constants: Mapping[str, str], rows: Any) -> None:
        given = rows.subquery("rows_given")
        fixed = [constant(value).cast(Text) for value in constants.values()]
        statement = insert(target).from_select([*constants, *given.c.keys()], select(*fixed, *given.c))
        self._writer.execute(statement)

    def _name(self, path: str) -> str:
        """Return how the descriptor calls a file: a history must not remember the folders of a machine."""
        bare = path.removeprefix("gzip:")
        return next((name for end, name in self._names.items() if bare.endswith(f"/{end}")), Path(bare).name)

    def note_deliveries(self, batch: Batch) -> Deliveries:
        """Say what waits of each type; return all that the history then knows of deliveries."""
        at = schema.deliveries
        every = {(each.batch, each.type): each for each in self._deliveries.every}
        for type_ in dict.fromkeys(each.type for each in self.reports):
            own = [each for each in self.reports if each.type == type_]
            complete = type_ in batch.complete_types
            if complete and any(each.is_fatal for each in own):
                self.incomplete.append(type_)
                complete = False
            if all(each.is_fatal for each in own):
                continue
            known = every.get((batch.key, type_), Delivery(batch.key, type_, complete=False, compacted=False))
            said = replace(known, pending=True, pending_complete=complete)
            every[batch.key, type_] = said
            self._writer.execute(delete(at).where(and_(at.c.batch == batch.key, at.c.type == type_)))
            self._writer.execute(insert(at).values(asdict(said)))
        return Deliveries(every.values())


def _report_row(report: FileReport) -> dict[str, Any]:
    return {
        "batch": report.batch,
        "type": report.type,
        "file": report.path,
        "started": report.start.replace(tzinfo=None),
        "ended": report.date.replace(tzinfo=None),
        "era": report.era,
        "sha256": report.sha256,
        "fatal": " ; ".join(report.fatal_errors),
        "lines_parsed": report.lines_parsed,
        "lines_rejected": report.lines_rejected,
        "lines_skipped": report.lines_skipped,
        "lines_valid": report.lines_valid,
        "lines_partial": report.lines_partial,
        "tuples": report.tuples,
        "summary": report.summary,
    }
