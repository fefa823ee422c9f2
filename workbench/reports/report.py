"""A report from beginning to end: parameters checked, notebook run, files put in place, manifest written.

Everything that can be refused is refused before a kernel starts. Files are made in a folder beside
their destination and renamed into place at the end; the manifest, a JSON file, is written last and
is the only record of the state: papermill's says completed where a kernel died.
"""

from __future__ import annotations

import errno
import json
import platform
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from workbench.atomic import replacing
from workbench.dgfip import Base
from workbench.errors import WorkbenchError, reason
from workbench.reports.comments import enumerate_words
from workbench.reports.excel_files import open_folder
from workbench.reports.html import export_html
from workbench.reports.notebook import Execution, Progress, execute_notebook
from workbench.reports.pdf import export_pdf
from workbench.reports.request import (
    ALL_NOMENCLATURES,
    COMPARATIVE_NOTEBOOK,
    REPORT_NOTEBOOK,
    ReportRequest,
    checked_request,
    find_notebook,
)
from workbench.reports.sections import EmptyReportError
from workbench.reports.warm import KNOW_TRAME
from workbench.trames.digest import trame_digest

__all__ = ["ReportResult", "State", "run_report"]

REFUSED_WRITES = frozenset({errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT})

LIBRARIES = ("workbench", "papermill", "nbclient", "ipykernel", "plotly", "duckdb", "pandas", "numpy")


class State(StrEnum):
    """How a report ended."""

    DONE = "DONE"
    FAILED = "FAILED"
    EMPTY = "EMPTY"


@dataclass(frozen=True)
class ReportResult:
    """What a report left behind.

    Parameters
    ----------
    state
        ``DONE``, ``FAILED`` or ``EMPTY``: the base has no account of the perimetre.
    files
        Path by kind: ``notebook``, ``html``, ``pdf``, ``excel``; those of a report that is DONE,
        or the ``echec`` notebook of one that FAILED.
    manifest
        Path of the JSON manifest.
    message
        Why it is not DONE, in French; empty otherwise.
    warnings
        French sentences: what was asked for and could not be made.
    seconds
        Duration.
    error
        Name of the exception that stopped it; empty otherwise.
    """

    state: State
    files: Mapping[str, Path]
    manifest: Path
    message: str = ""
    warnings: tuple[str, ...] = ()
    seconds: float = 0.0
    error: str = ""


def run_report(
    *,
    trame: Path | str,
    sirets: Iterable[str],
    exercices: Iterable[int],
    to: Path | str,
    base: Base | Path | str | None = None,
    notebook: Path | str | None = None,
    excel: bool = True,
    html: bool = True,
    pdf: bool = False,
    model: Path | str | None = None,
    nomenclature: str | None = None,
    title: str | None = None,
    parameters: Mapping[str, Any] | None = None,
    compare: bool = False,
    timeout: float = 600,
    progress: Progress | None = None,
    kernel: str | None = None,
    memory: int = 0,
) -> ReportResult:
    """Make a report on the accounts of one or several budgets, taken together or side by side.

    Parameters
    ----------
    trame
        Path of the trame, or its code in the folder of trames.
    sirets
        SIRET of the budgets, 14 digits each.
    exercices
        The period, from its first exercice to its last.
    to
        Folder of the files, named after the trame, the SIRET and the period; or the path of one
        of them, ``rapports/avignon.html``, which names them all.
    base
        An accounting base, its path or its URL; that of the settings by default. A password in an
        URL reaches the kernel by its environment and is written nowhere.
    notebook
        The report model; ``40_rapport_collectivite.ipynb`` of the folder of notebooks by default, or
        ``45_rapport_comparatif.ipynb`` when budgets are compared.
    excel, html, pdf
        What to make beside the executed notebook. Without Chromium, a PDF gives a warning.
    model
        Excel model workbook; the trame's own, or a plain table, by default.
    nomenclature
        Budgets of this nomenclature only; ``"toutes"`` for no filter; the trame's by default.
    title
        Title of the report; the name of the collectivité by default.
    parameters
        Other parameters of the notebook.
    compare
        Put the budgets side by side, with the medians of their strates, instead of adding them up.
    timeout
        Seconds that the notebook may take.
    progress
        Called at each cell with cells done, cells in all, and the heading.
    kernel, memory
        What executes the notebook, and the bytes it may use; see `workbench.reports.notebook.execute_notebook`.

    Returns
    -------
    ReportResult
        State, files, manifest. What goes wrong inside the notebook is a state, not an exception:
        the notebook is kept as ``<name>.echec.ipynb`` with the failing cell marked.

    Raises
    ------
    ParametersError
        ``parametres_refuses``, with every problem, before anything runs or is written: unknown
        parameter, wrong type, malformed SIRET, period upside down, absent trame, base or model.
    WorkbenchError
        ``notebook_absent``, ``notebook_illisible``, ``notebook_sans_parametres``, ``extra_absent``;
        ``dossier_non_inscriptible`` before anything runs, or when the disk is full before the end.
    """
    started = time.monotonic()
    source = find_notebook(notebook, COMPARATIVE_NOTEBOOK if compare else REPORT_NOTEBOOK)
    wanted = {
        "trame": trame, "base": base, "sirets": sirets, "exercices": exercices, "modele": model,
        "nomenclature": nomenclature, "titre": title, "compare": compare,
    }  # fmt: skip
    request, present = checked_request(source, wanted, parameters or {}, Path(to).absolute())
    with _written(request.folder):
        if not present:
            error = _empty(request, nomenclature)
            return _concluded(request, State.EMPTY, {}, error.message, "EmptyReportError", None, started)
        with tempfile.TemporaryDirectory(prefix=f".{request.stem}.", suffix=".partiel", dir=request.folder) as name:
            work = Path(name)
            if excel:
                request.parameters["excel"] = str(work / f"{request.stem}.xlsx")
            execution = execute_notebook(
                source,
                request.parameters,
                folder=work,
                environment={"WORKBENCH_BASE": request.secret_base} if request.secret_base else {},
                timeout=timeout,
                progress=progress,
                kernel=kernel,
                memory=memory,
                known=[(KNOW_TRAME, request.parameters["trame"], trame_digest(request.trame))],
            )
            request.warnings.extend(execution.warnings)
            _write_notebook(request, execution, work / f"{request.stem}.ipynb")
            if execution.failed:
                return _failed(request, work, execution, started)
            made = {"notebook": work / f"{request.stem}.ipynb"}
            if excel and (work / f"{request.stem}.xlsx").is_file():
                made["excel"] = work / f"{request.stem}.xlsx"
            elif excel:
                request.warnings.append(f"Le notebook {source.name} n'a pas écrit le classeur demandé.")
            if html or pdf:
                page = export_html(made["notebook"], work / f"{request.stem}.html")
                if pdf:
                    _add_pdf(request, page, work, made)
                if html:
                    made["html"] = page
            files = {kind: _in_place(path, request.folder) for kind, path in made.items()}
        (request.folder / f"{request.stem}.echec.ipynb").unlink(missing_ok=True)
        return _concluded(request, State.DONE, files, "", "", None, started)


@contextmanager
def _written(folder: Path) -> Iterator[None]:
    """Say of a folder that it cannot be written, before anything runs or when the disk fills up meanwhile."""
    open_folder(folder)
    try:
        yield
    except OSError as error:
        if error.errno not in REFUSED_WRITES:
            raise
        raise WorkbenchError("dossier_non_inscriptible", dossier=folder, cause=reason(error)) from error


def _empty(request: ReportRequest, nomenclature: str | None) -> EmptyReportError:
    given = request.parameters
    first, last, sirets = given["exercice_min"], given["exercice_max"], given["sirets"]
    kept = None if nomenclature == ALL_NOMENCLATURES else nomenclature or request.trame.nomenclature
    return EmptyReportError(
        "rapport_vide",
        perimetre=f"le SIRET {sirets[0]}" if len(sirets) == 1 else f"les SIRET {enumerate_words(sirets)}",
        exercices=f"exercice {first}" if first == last else f"exercices {first} à {last}",
        nomenclature=f", nomenclature {kept}" if kept else "",
    )


def _add_pdf(request: ReportRequest, page: Path, work: Path, made: dict[str, Path]) -> None:
    try:
        made["pdf"] = export_pdf(page, work / f"{request.stem}.pdf")
    except WorkbenchError as error:
        request.warnings.append(str(error))


def _in_place(path: Path, folder: Path) -> Path:
    return path.replace(folder / path.name)


def _write_notebook(request: ReportRequest, execution: Execution, path: Path) -> None:
    """Write the executed notebook; the files it made are called by their names, not by their paths of the moment."""
    text = json.dumps(execution.notebook, ensure_ascii=False, indent=1, allow_nan=False)
    work = json.dumps(str(path.parent), ensure_ascii=False)[1:-1]
    path.write_text(request.discreet(text.replace(f"{work}/", "")) + "\n", encoding="utf-8")


def _failed(request: ReportRequest, work: Path, execution: Execution, started: float) -> ReportResult:
    if execution.error == EmptyReportError.__name__:
        return _concluded(request, State.EMPTY, {}, execution.cause, execution.error, execution.cell, started)
    kept = (work / f"{request.stem}.ipynb").replace(request.folder / f"{request.stem}.echec.ipynb")
    message = "\n".join(filter(None, [execution.cause, execution.place]))
    return _concluded(request, State.FAILED, {"echec": kept}, message, execution.error, execution.cell, started)


def _concluded(
    request: ReportRequest,
    state: State,
    files: Mapping[str, Path],
    message: str,
    error: str,
    cell: int | None,
    started: float,
) -> ReportResult:
    """Write the manifest, the last thing done."""
    seconds = round(time.monotonic() - started, 3)
    manifest = request.folder / f"{request.stem}.json"
    content = {
        "etat": state,
        "message": request.discreet(message),
        "erreur": error,
        "cellule": cell,
        "avertissements": request.warnings,
        "parametres": {name: value for name, value in request.parameters.items() if name != "excel"},
        "trame": {
            "code": request.trame.code,
            "libelle": request.trame.libelle,
            "version": trame_digest(request.trame),
        },
        "comparatif": request.compare,
        "instantane": request.snapshot,
        "notebook": {"nom": request.notebook.name, "sha256": _digest(request.notebook)},
        "fichiers": {
            kind: {"nom": path.name, "octets": path.stat().st_size, "sha256": _digest(path)}
            for kind, path in files.items()
        },
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "secondes": seconds,
        "versions": {"python": platform.python_version(), **_versions()},
    }
    with replacing(manifest) as partial:
        partial.write_text(json.dumps(content, ensure_ascii=False, indent=2, allow_nan=False) + "\n", encoding="utf-8")
    said = request.discreet(message)
    return ReportResult(state, dict(files), manifest, said, tuple(request.warnings), seconds, error)


def _digest(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()


def _versions() -> dict[str, str]:
    found = {}
    for library in LIBRARIES:
        try:
            found[library] = version(library)
        except PackageNotFoundError:
            continue
    return found
