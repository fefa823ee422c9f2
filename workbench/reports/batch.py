"""Reports by the thousand: from a list to a folder of files, a log and an index.

A batch is jobs of the registry: `submit_batch` keeps them, `run_batch` has them made by workers of this machine and
can be called again after any interruption, `conclude_batch` writes what they became.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from workbench.config import settings
from workbench.dgfip import connect
from workbench.errors import WorkbenchError
from workbench.machine import processors
from workbench.registry import Registry
from workbench.reports.batch_index import write_index
from workbench.reports.batch_list import read_batch_list
from workbench.reports.excel_files import open_folder, open_model
from workbench.reports.excel_list import write_log
from workbench.reports.jobs import Batch, Wanted, counts, ended_batches, jobs_of, submit
from workbench.reports.jobs_leases import LEASE_SECONDS
from workbench.reports.jobs_pool import pool
from workbench.reports.jobs_spec import JobSpec, stored_base
from workbench.reports.jobs_tables import ENDED, JobState
from workbench.reports.jobs_worker import PASSING, PATIENCE_SECONDS, sweep
from workbench.reports.parameters import read_parameters
from workbench.reports.request import find_notebook
from workbench.trames import find_trame_file, load_trame, modele_path

__all__ = ["BatchResult", "conclude_batch", "conclude_shared", "run_batch", "submit_batch"]

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.25

SHOWN = 6
"""Indicateurs that an index shows when none is chosen: the first ones of the trame."""


@dataclass(frozen=True)
class BatchResult:
    """What became of a batch.

    Parameters
    ----------
    counts
        Jobs by state.
    log, index
        The workbook and the page that say it, line by line.
    """

    counts: Mapping[JobState, int]
    log: Path
    index: Path

    @property
    def ended(self) -> bool:
        """Whether nothing is left to make."""
        return not any(number for state, number in self.counts.items() if state not in ENDED)


def submit_batch(
    registry: Registry,
    path: str | Path,
    *,
    trame: str | Path,
    to: str | Path,
    author: str,
    base: str | Path | None = None,
    formats: Sequence[str] = ("excel",),
    model: str | Path | None = None,
    notebook: str | Path | None = None,
    nomenclature: str | None = None,
    prefix: str = "",
    shown: Sequence[str] = (),
    shared: bool = False,
    timeout: float = 600,
    also: Callable[[Connection, str], None] | None = None,
) -> Batch:
    """Keep the reports that a list asks for; nothing runs yet.

    Parameters
    ----------
    registry
        Opened with `workbench.reports.jobs_tables.ROOM`.
    path
        The list: see `workbench.reports.batch_list`.
    trame
        Path or code; every line is a report of it.
    to
        Folder of the files.
    author
        E-mail of the person who asks.
    base, model, notebook, nomenclature, timeout
        As for `workbench.run_report`. Workbooks are made from the snapshot of this moment.
    formats
        Some of ``excel, notebook, html, pdf``.
    prefix
        What the names of files begin with.
    shown
        Codes of the indicateurs that the index shows; the first ones of the trame by default.
    shared
        Whether workers of other machines may take these jobs.
    also
        As for `workbench.reports.jobs.submit`.

    Raises
    ------
    WorkbenchError
        Before anything is kept: ``liste_refusee`` and the other refusals of lists, of trames, of bases, of models;
        ``indicateur_inconnu``, ``dossier_non_inscriptible``.
    """
    wanted = read_batch_list(path)
    found_path = find_trame_file(trame)
    found = load_trame(found_path)
    chosen_model = model or modele_path(found, found_path)
    if chosen_model is not None:
        open_model(chosen_model)
    if set(formats) != {"excel"}:
        read_parameters(find_notebook(notebook))
    known = [indicateur.code for indicateur in found.indicateurs]
    for code in shown:
        if code not in known:
            raise WorkbenchError("indicateur_absent", indicateur=code, trame=found.code)
    with connect(base or settings().base) as opened:
        snapshot = opened.snapshot
    folder = Path(to).absolute()
    open_folder(folder)
    shared_spec: dict[str, Any] = {
        "base": stored_base(base),
        "snapshot": snapshot,
        "trame": str(found_path.absolute()),
        "nomenclature": nomenclature,
        "formats": tuple(formats),
        "model": None if model is None else str(Path(model).absolute()),
        "notebook": None if notebook is None else str(find_notebook(notebook)),
        "timeout": timeout,
    }
    batch = submit(
        registry,
        [
            Wanted(
                JobSpec("report", line.exercices, sirets=(line.siret,), **shared_spec),
                [*([prefix] if prefix else []), "Etat", found.code, line.siret, *line.exercices]
                + ([line.libelle] if line.libelle else []),
                line.row,
            )
            for line in wanted.lines
        ],
        author=author,
        folder=folder,
        name=wanted.name,
        columns=wanted.columns,
        shown=tuple(shown) or known[:SHOWN],
        shared=shared,
        also=also,
    )
    assert batch is not None  # noqa: S101 - a batch that has a name is one
    return batch


def run_batch(
    registry: Registry,
    batch: Batch,
    *,
    workers: int | None = None,
    kernel: str | None = None,
    lease: float = LEASE_SECONDS,
    progress: Callable[[Mapping[JobState, int]], None] | None = None,
) -> BatchResult:
    """Have the jobs of a batch made by workers of this machine, those that were interrupted included.

    Parameters
    ----------
    registry, batch
        Where, and which.
    workers
        How many processes; one a processor by default.
    kernel
        Name of the kernelspec that executes notebooks; a kernel of this interpreter by default.
    lease
        Seconds after which the jobs of a silent worker are given to others.
    progress
        Told the number of jobs by state, a few times a second.

    Returns
    -------
    BatchResult
        Interrupted (KeyboardInterrupt), it stops the workers in good order, writes the log, and raises again.
    """
    now = _counts(registry, batch)
    left = sum(number for state, number in now.items() if state not in ENDED)
    try:
        if left:
            size = min(workers or processors(), left)
            with pool(registry, batch.id, size, kernel, lease) as running:
                while left:
                    time.sleep(LOOK_SECONDS)
                    running.mend()
                    now = _counts(registry, batch)
                    left = sum(number for state, number in now.items() if state not in ENDED)
                    if progress is not None:
                        progress(now)
    except KeyboardInterrupt:
        conclude_batch(registry, batch)
        raise
    sweep(registry, batch.folder)
    return conclude_batch(registry, batch)


def _counts(registry: Registry, batch: Batch) -> dict[JobState, int]:
    """Count, and wait for a registry that does not answer."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return counts(registry, batch.id)
        except WorkbenchError as error:
            if error.code not in PASSING or time.monotonic() > deadline:
                raise
            log.warning("%s", error.message)
            time.sleep(1)


def conclude_batch(registry: Registry, batch: Batch) -> BatchResult:
    """Write the log and the index of a batch as it stands; again at will."""
    found = jobs_of(registry, batch=batch.id)
    lines = []
    for job in found:
        files = [job.files[kind] for kind in ("excel", "html", "pdf", "notebook", "echec") if kind in job.files]
        added = (job.id, job.state.libelle, ", ".join(files), job.cause, " ".join(job.warnings))
        lines.append(([job.row.get(name) for name in batch.columns], added, files[0] if files else None))
    to = write_log(batch.columns, lines, batch.folder / f"{batch.log}.xlsx")
    index = write_index(batch, found, batch.folder / f"{batch.log.replace('Log_Résultat', 'Index', 1)}.html")
    number = {state: sum(job.state is state for job in found) for state in JobState}
    return BatchResult(number, to, index)


def conclude_shared(registry: Registry) -> None:
    """Write the log and the index of the shared batches that have ended and have none yet."""
    for batch in ended_batches(registry):
        if batch.folder.is_dir() and not (batch.folder / f"{batch.log}.xlsx").exists():
            sweep(registry, batch.folder)
            conclude_batch(registry, batch)
