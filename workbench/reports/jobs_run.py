"""What a worker makes of the jobs that it holds: files in a folder of work, and an outcome for each.

Nothing of what goes wrong with one job is an exception here: it is the outcome of that job, in words that its author
can read, and the others go on.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

from workbench.config import settings
from workbench.dgfip import Base, connect, select_budgets
from workbench.errors import WorkbenchError, reason
from workbench.evaluation import OF_THE_TRAME, IndicateurTable, evaluate, evaluate_apart
from workbench.evaluation.evaluate import NomenclatureFilter
from workbench.reports.excel import write_excel
from workbench.reports.excel_balance import write_balance
from workbench.reports.jobs import Job
from workbench.reports.jobs_leases import Outcome
from workbench.reports.jobs_spec import JobSpec
from workbench.reports.jobs_tables import JobState
from workbench.reports.report import State, run_report
from workbench.reports.request import ALL_NOMENCLATURES
from workbench.trames import Trame, find_trame_file, load_trame, modele_path

__all__ = ["run_jobs"]

log = logging.getLogger(__name__)

EMPTY_ERRORS = frozenset({"rapport_vide"})

PASSING_ERRORS = frozenset(
    {"serveur_injoignable", "base_occupee", "registre_inaccessible", "registre_occupe", "dossier_non_inscriptible"}
)
"""Errors after which another attempt may do better."""

PASSING_STOPS = frozenset({"DeadKernelError", "RuntimeError"})
"""Ends of a notebook after which another attempt may do better: its kernel died, or did not start."""

KEY_FIGURES = 400
"""Indicateurs whose last value a job remembers, for the index of its batch."""


def run_jobs(jobs: Sequence[Job], work: Path, kernel: str | None = None, memory: int = 0) -> Iterator[Outcome]:
    """Make what jobs ask for.

    Parameters
    ----------
    jobs
        One, or several of one `JobSpec.grouping`, which one plan evaluates before any file is written.
    work
        Folder for the files, on the file system of their destination.
    kernel, memory
        What executes notebooks, and the bytes it may use; see `workbench.reports.notebook.execute_notebook`.

    Yields
    ------
    Outcome
        One a job, in no order; its files are in ``work``.
    """
    left = {job.id: job for job in jobs}
    started = time.monotonic()
    try:
        for outcome in _outcomes(jobs, work, kernel, memory):
            del left[outcome.job]
            yield replace(outcome, seconds=round(time.monotonic() - started, 3))
            started = time.monotonic()
    except Exception as error:  # noqa: BLE001 - becomes the cause that authors read
        for job in left.values():
            yield _failure(job, error)


def _outcomes(jobs: Sequence[Job], work: Path, kernel: str | None, memory: int) -> Iterator[Outcome]:
    if jobs[0].spec.grouping is not None:
        yield from _grouped(jobs, work)
        return
    for job in jobs:
        try:
            yield _alone(job, work, kernel, memory)
        except Exception as error:  # noqa: BLE001 - as above
            yield _failure(job, error)


def _failure(job: Job, error: Exception) -> Outcome:
    if isinstance(error, WorkbenchError):
        if error.code in EMPTY_ERRORS:
            return Outcome(job.id, JobState.EMPTY, cause=error.message)
        return Outcome(job.id, JobState.FAILED, cause=str(error), again=error.code in PASSING_ERRORS)
    identifier = uuid4().hex[:8]
    log.error("job %s failed, identifier %s", job.id, identifier, exc_info=error)
    if isinstance(error, OSError):
        cause = f"Le système a refusé une opération ({reason(error)}), identifiant {identifier}."
        return Outcome(job.id, JobState.FAILED, cause=cause, again=True)
    if isinstance(error, MemoryError):
        return Outcome(job.id, JobState.FAILED, cause="La mémoire de la machine n'a pas suffi.", again=True)
    cause = f"Erreur inattendue (identifiant {identifier}, dont le journal de la machine garde le détail)."
    return Outcome(job.id, JobState.FAILED, cause=cause)


def _open(spec: JobSpec) -> Base:
    return connect(spec.base or settings().base, snapshot=spec.snapshot or None)


def _trame(spec: JobSpec) -> tuple[Trame, Path]:
    path = find_trame_file(spec.trame)
    return load_trame(path), path


def _nomenclature(spec: JobSpec) -> NomenclatureFilter:
    if spec.nomenclature is None:
        return OF_THE_TRAME
    return None if spec.nomenclature == ALL_NOMENCLATURES else spec.nomenclature


def _grouped(jobs: Sequence[Job], work: Path) -> Iterator[Outcome]:
    """Evaluate all jobs in one plan, then write their workbooks."""
    spec = jobs[0].spec
    trame, path = _trame(spec)
    model = spec.model or modele_path(trame, path)
    wanted = replace(spec.perimetre(), sirets=tuple(job.spec.sirets[0] for job in jobs))
    with _open(spec) as base:
        tables = dict(evaluate_apart(trame, base, wanted, spec.years, nomenclature=_nomenclature(spec)))
    for job in jobs:
        table = tables.get(job.spec.sirets[0])
        if table is None:
            yield Outcome(job.id, JobState.EMPTY, cause=_empty(job.spec, trame).message)
            continue
        try:
            yield _workbook(job, table, model, work)
        except Exception as error:  # noqa: BLE001 - as in `run_jobs`
            yield _failure(job, error)


def _workbook(job: Job, table: IndicateurTable, model: str | Path | None, work: Path) -> Outcome:
    remarks: list[str] = []
    to = write_excel(table, model, work / f"{job.id}.xlsx", remarks=remarks)
    warnings = (*table.provenance.avertissements, *remarks)
    return Outcome(job.id, JobState.DONE, {"excel": to}, warnings=warnings, facts=_facts(table))


def _facts(table: IndicateurTable) -> dict[str, Any]:
    provenance = table.provenance
    latest = provenance.budgets.sort_by([("exercice", "descending")]).slice(0, 1).to_pylist()[0]
    last = table.columns[-1]
    values = table[last].head(KEY_FIGURES)
    return {
        "snapshot": provenance.snapshot,
        "libelle": latest["libelle"] or "",
        "population": latest["population"],
        "exercice": int(last),
        "indicateurs": {str(code): float(value) for code, value in values.items()},
    }


def _empty(spec: JobSpec, trame: Trame | None) -> WorkbenchError:
    first, last = spec.exercices
    named = [*spec.sirets, *spec.sirens, *spec.finess]
    kept = spec.nomenclature or (trame.nomenclature if trame else None)
    shown = ", ".join(named[:5]) + (f"… ({len(named)} identifiants)" if len(named) > 5 else "")
    return WorkbenchError(
        "rapport_vide",
        perimetre=shown or "les critères donnés",
        exercices=f"exercice {first}" if first == last else f"exercices {first} à {last}",
        nomenclature=f", nomenclature {kept}" if kept and kept != ALL_NOMENCLATURES else "",
    )


def _alone(job: Job, work: Path, kernel: str | None, memory: int) -> Outcome:
    spec = job.spec
    if spec.kind == "balance":
        with _open(spec) as base:
            # One kind of identifiers is what the workbook's name is made of.
            budgets = select_budgets(base, spec.perimetre(), spec.years)
            sirets = sorted(set(budgets["siret"].to_pylist()))
            if not sirets:
                raise _empty(spec, None)
            to = write_balance(base, sirets, spec.years, work / f"{job.id}.xlsx")
            return Outcome(job.id, JobState.DONE, {"excel": to}, facts={"snapshot": base.snapshot})
    if spec.formats == ("excel",):
        trame, path = _trame(spec)
        with _open(spec) as base:
            table = evaluate(
                trame, base, exercices=spec.years, perimetre=spec.perimetre(), nomenclature=_nomenclature(spec)
            )
        if not len(table.columns):
            if spec.kind == "aggregate":
                cause = "Il n'y a pas de SIRET pour les critères donnés."
                return Outcome(job.id, JobState.EMPTY, cause=cause)
            raise _empty(spec, trame)
        return _workbook(job, table, spec.model or modele_path(trame, path), work)
    return _notebook(job, work, kernel, memory)


def _notebook(job: Job, work: Path, kernel: str | None, memory: int) -> Outcome:
    spec = job.spec
    trame, path = _trame(spec)
    sirets: Sequence[str] = spec.sirets
    if spec.sirens or spec.finess or spec.among is not None:
        with _open(spec) as base:
            budgets = select_budgets(base, spec.perimetre(), spec.years)
        sirets = sorted(set(budgets["siret"].to_pylist()))
        if not sirets:
            raise _empty(spec, trame)
    result = run_report(
        trame=path if path.suffix else spec.trame,
        sirets=sirets,
        exercices=spec.years,
        to=work / f"{job.id}.ipynb",
        base=spec.base or None,
        notebook=spec.notebook,
        excel="excel" in spec.formats,
        html="html" in spec.formats,
        pdf="pdf" in spec.formats,
        model=spec.model,
        nomenclature=spec.nomenclature,
        title=spec.title,
        parameters=spec.parameters,
        timeout=spec.timeout,
        kernel=kernel,
        memory=memory,
    )
    state = {State.DONE: JobState.DONE, State.EMPTY: JobState.EMPTY, State.FAILED: JobState.FAILED}[result.state]
    made = {kind: path for kind, path in result.files.items() if kind != "notebook" or "notebook" in spec.formats}
    again = state is JobState.FAILED and result.error in PASSING_STOPS
    facts: dict[str, Any] = {}
    if state is JobState.DONE:
        with _open(spec) as base:
            facts = _facts(evaluate(trame, base, sirets=sirets, exercices=spec.years, nomenclature=_nomenclature(spec)))
    return Outcome(job.id, state, made, cause=result.message, warnings=result.warnings, facts=facts, again=again)
