"""Reading every file of a batch without writing anything, and saying what is wrong."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.atomic import replacing
from workbench.engines import scratch_writer, work_folder
from workbench.errors import WorkbenchError
from workbench.signaux_faibles.batches import Batch
from workbench.signaux_faibles.perimetre import read_filter
from workbench.signaux_faibles.reading import Dates, parsed_files
from workbench.signaux_faibles.recognition import FILTER
from workbench.signaux_faibles.report import FileReport, unknown_type
from workbench.signaux_faibles.sources import sources

__all__ = ["BatchCheck", "batch_files", "batch_perimetre", "check_batch"]

_COLUMNS = ("fichier", "ligne", "colonne", "valeur", "motif")


@dataclass(frozen=True)
class BatchCheck:
    """What reading a batch found.

    Parameters
    ----------
    reports
        One a file.
    unknown_types
        Types of the descriptor that no source reads.
    """

    reports: tuple[FileReport, ...]
    unknown_types: tuple[str, ...] = ()
    batch: str = ""

    @property
    def is_right(self) -> bool:
        """Whether no file is unreadable and no line rejected."""
        return not any(each.is_fatal or each.lines_rejected for each in self.reports)

    def journal(self) -> list[dict[str, Any]]:
        """Return the entries of the journal."""
        entries = [each.journal() for each in self.reports]
        return entries + [unknown_type(type_, self.batch) for type_ in self.unknown_types]

    def __str__(self) -> str:
        lines = [str(each) for each in self.reports]
        lines += [f"Type de fichier non reconnu : {type_}" for type_ in self.unknown_types]
        fatal = sum(each.is_fatal for each in self.reports)
        rejected = sum(each.lines_rejected for each in self.reports)
        lines.append(f"{len(self.reports)} fichier(s), {fatal} illisible(s), {rejected} ligne(s) rejetée(s).")
        return "\n".join(lines)


def batch_files(batch: Batch, root: Path) -> dict[str, list[str]]:
    """Return the files of a batch under the folder of all batches.

    Raises
    ------
    WorkbenchError
        ``batch_chemin`` for a path that leaves the folder.
    """
    found: dict[str, list[str]] = {}
    for type_, paths in batch.files.items():
        for path in paths:
            mark = "gzip:" if path.startswith("gzip:") else ""
            relative = Path(path.removeprefix("gzip:").lstrip("/"))
            if ".." in relative.parts:
                raise WorkbenchError("batch_chemin", chemin=path)
            found.setdefault(type_, []).append(f"{mark}{root / relative}")
    return found


def batch_perimetre(files: dict[str, list[str]], *, no_filter: bool) -> list[str] | None:
    """Return the SIREN of the filters of a batch; None when all companies are asked for.

    Raises
    ------
    WorkbenchError
        ``filtre_absent`` and what `read_filter` raises.
    """
    if no_filter:
        return None
    if FILTER not in files:
        raise WorkbenchError("filtre_absent")
    return [siren for path in files[FILTER] for siren in read_filter(path)]


def check_batch(
    batch: Batch,
    root: str | Path,
    *,
    types: Iterable[str] = (),
    no_filter: bool = False,
    rejected: Path | None = None,
    progress: Callable[[int, int, str], None] | None = None,
) -> BatchCheck:
    """Read every file of a batch without writing anything to a base.

    Parameters
    ----------
    batch
        Its descriptor.
    root
        Folder of all batches.
    types
        Types to read; all by default.
    no_filter
        Whether to read without a perimeter.
    rejected
        A CSV file to keep every rejected row in.
    progress
        Told (done, total, file).

    Returns
    -------
    BatchCheck
        One report a file; a file that cannot be read does not stop the others.

    Raises
    ------
    WorkbenchError
        ``filtre_absent``, ``filtre_siren``, ``source_inconnue`` for a type asked for by name, ``batch_chemin``.
    """
    files = batch_files(batch, Path(root))
    asked = tuple(types)
    for type_ in asked:
        if type_ not in sources():
            raise WorkbenchError("source_inconnue", type=type_, connus=", ".join(sources()))
    perimetre = batch_perimetre(files, no_filter=no_filter)
    unknown = tuple(type_ for type_ in files if type_ not in sources() and type_ != FILTER)
    read = {type_: paths for type_, paths in files.items() if type_ in sources()}
    total = sum(len(paths) for type_, paths in read.items() if not asked or type_ in asked)
    reports: list[FileReport] = []
    dates = Dates(batch.key, batch.start, batch.end)
    with work_folder(prefix="workbench-sources-") as work, scratch_writer(work) as writer:
        kept = work / "refus.csv"
        with kept.open("w", encoding="utf-8", newline="") as stream:
            table = csv.writer(stream, lineterminator="\n")
            table.writerow(_COLUMNS)
            for parsed in parsed_files(writer, read, dates, perimetre, work, only=asked or None):
                if parsed.rejected is not None and rejected is not None and parsed.report.lines_rejected:
                    rows = writer.fetch(parsed.rejected)
                    table.writerows(zip(*(rows[name].to_pylist() for name in _COLUMNS), strict=True))
                reports.append(parsed.report)
                if progress is not None:
                    progress(len(reports), total, parsed.report.type)
        if rejected is not None:
            with replacing(rejected) as partial:
                partial.write_bytes(kept.read_bytes())
    return BatchCheck(tuple(reports), unknown, batch.key)
