"""A report from beginning to end: parameters checked, notebook run, files put in place, manifest written.

Everything that can be refused is refused before a kernel starts. Files are made in a folder beside
their destination and renamed into place at the end; the manifest, a JSON file, is written last and
is the only record of the state: papermill's says completed where a kernel died.
"""

from __future__ import annotations

import json
import platform
import re
import tempfile
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from workbench.config import settings
from workbench.dgfip import Base, connect, perimetre, select_budgets
from workbench.errors import WorkbenchError
from workbench.reports.files import replacing
from workbench.reports.html import export_html
from workbench.reports.notebook import Execution, Progress, execute_notebook
from workbench.reports.parameters import ParametersError, check_parameters, plain, read_parameters
from workbench.reports.pdf import export_pdf
from workbench.reports.sections import EmptyReportError
from workbench.trames import Trame, find_trame, list_trames, load_trame, modele_path

__all__ = ["REPORT_NOTEBOOK", "ReportResult", "State", "find_notebook", "run_report"]

REPORT_NOTEBOOK = "40_rapport_collectivite.ipynb"

SIRET = re.compile(r"[0-9]{14}")

LIBRARIES = ("workbench", "papermill", "nbclient", "ipykernel", "plotly", "duckdb", "pandas", "numpy")

ALL_NOMENCLATURES = "toutes"


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
        ``DONE``, ``FAILED`` or ``EMPTY``: the base has no account of the perimeter.
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
    """

    state: State
    files: Mapping[str, Path]
    manifest: Path
    message: str = ""
    warnings: tuple[str, ...] = ()
    seconds: float = 0.0


@dataclass
class _Request:
    """A report whose parameters are right."""

    notebook: Path
    parameters: dict[str, Any]
    folder: Path
    stem: str
    trame: Trame
    snapshot: str
    secret_base: str = ""
    warnings: list[str] = field(default_factory=list)


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
    timeout: float = 600,
    progress: Progress | None = None,
) -> ReportResult:
    """Make a report on the accounts of one or several budgets, taken together.

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
        The report model; ``40_rapport_collectivite.ipynb`` of the folder of notebooks by default.
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
    timeout
        Seconds that the notebook may take.
    progress
        Called at each cell with cells done, cells in all, and the heading.

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
        ``notebook_absent``, ``notebook_illisible``, ``notebook_sans_parametres``, ``extra_absent``.
    """
    started = time.monotonic()
    source = find_notebook(notebook)
    wanted = {
        "trame": trame, "base": base, "sirets": sirets, "exercices": exercices, "modele": model,
        "nomenclature": nomenclature, "titre": title,
    }  # fmt: skip
    request, present = _checked(source, wanted, parameters or {}, Path(to))
    if not present:
        error = EmptyReportError(
            "rapport_vide",
            perimetre="les SIRET " + ", ".join(request.parameters["sirets"]),
            exercices=f"exercices {request.parameters['exercice_min']} à {request.parameters['exercice_max']}",
            nomenclature="" if nomenclature == ALL_NOMENCLATURES else f", nomenclature {_kept(request, nomenclature)}",
        )
        return _concluded(request, State.EMPTY, {}, error.message, "EmptyReportError", None, started)
    request.folder.mkdir(parents=True, exist_ok=True)
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
        )
        _write_notebook(execution, work / f"{request.stem}.ipynb")
        if execution.failed:
            return _failed(request, work, execution, started)
        made = {"notebook": work / f"{request.stem}.ipynb"}
        if excel and (work / f"{request.stem}.xlsx").is_file():
            made["excel"] = work / f"{request.stem}.xlsx"
        if html or pdf:
            page = export_html(made["notebook"], work / f"{request.stem}.html")
            if pdf:
                _add_pdf(request, page, work, made)
            if html:
                made["html"] = page
        files = {kind: _in_place(path, request.folder) for kind, path in made.items()}
    (request.folder / f"{request.stem}.echec.ipynb").unlink(missing_ok=True)
    return _concluded(request, State.DONE, files, "", "", None, started)


def find_notebook(notebook: Path | str | None = None, default: str = REPORT_NOTEBOOK) -> Path:
    """Return the path of a report model: as given, or found by name in the folder of notebooks.

    Without a setting, that folder is ``notebooks`` in the current one, or beside the package in a
    checkout.
    """
    name = Path(notebook or default)
    beside_package = Path(__file__).resolve().parents[2] / "notebooks"
    for candidate in (name, settings().notebooks / name, beside_package / name):
        if candidate.is_file():
            return candidate.resolve()
    raise WorkbenchError("notebook_absent", chemin=name)


def _checked(source: Path, wanted: Mapping[str, Any], others: Mapping[str, Any], to: Path) -> tuple[_Request, bool]:
    """Check everything; return the request and whether the base has accounts for it."""
    declared = read_parameters(source)
    problems: list[WorkbenchError] = []
    sirets = _sirets(wanted["sirets"], problems)
    first, last = _period(wanted["exercices"], problems)
    trame_path, trame = _trame(wanted["trame"], problems)
    url, snapshot, budgets = _base(wanted["base"], trame, wanted["nomenclature"], sirets, (first, last), problems)
    secret = _has_password(url)
    given = {
        "base": "" if secret else url,
        "trame": str(trame_path),
        "sirets": sirets,
        "exercice_min": first,
        "exercice_max": last,
        "nomenclature": wanted["nomenclature"],
        "modele": _model(wanted["modele"], trame, trame_path, problems),
        "titre": wanted["titre"],
        **others,
    }
    given = {name: value for name, value in given.items() if value is not None or name in others}
    values, found = check_parameters(declared, given)
    if problems or found:
        raise ParametersError.of([*problems, *found])
    assert trame is not None  # noqa: S101 - an absent trame is a problem, raised above
    folder, stem = _names(to, trame, sirets, first, last)
    return _Request(source, values, folder, stem, trame, snapshot, url if secret else ""), budgets > 0


def _sirets(given: Any, problems: list[WorkbenchError]) -> list[str]:
    try:
        sirets = [given] if isinstance(given, str) else [str(siret) for siret in plain(list(given))]
    except (TypeError, ValueError):
        sirets = [repr(given)]
    problems.extend(WorkbenchError("siret_malforme", siret=siret) for siret in sirets if not SIRET.fullmatch(siret))
    if not sirets:
        problems.append(WorkbenchError("sirets_vides"))
    return list(dict.fromkeys(sirets))


def _period(given: Any, problems: list[WorkbenchError]) -> tuple[int, int]:
    """Return the first and last exercice; a range that goes down is upside down, not empty."""
    years: list[Any]
    if isinstance(given, range) and given.step == 1 and given.start >= given.stop:
        years = [given.start, given.stop - 1]
    else:
        try:
            years = plain([given] if isinstance(given, int | str) else list(given))
        except (TypeError, ValueError):
            years = [repr(given)]
    wrong = [year for year in years if isinstance(year, bool) or not isinstance(year, int) or not 1900 < year < 2200]
    problems.extend(WorkbenchError("exercice_impossible", exercice=year) for year in wrong)
    if not years:
        problems.append(WorkbenchError("exercices_vides"))
    if wrong or not years:
        return 0, 0
    if len(years) == 2 and years[0] > years[1]:
        problems.append(WorkbenchError("exercices_inverses", debut=years[0], fin=years[1]))
    return min(years), max(years)


def _trame(given: Any, problems: list[WorkbenchError]) -> tuple[Path, Trame | None]:
    path = Path(given)
    try:
        if not path.suffix and not path.exists():
            find_trame(str(given))  # refuses an unknown code, with the nearest one
            path = next(one.path for one in list_trames() if one.code == str(given))
        path = path.resolve()
        return path, load_trame(path)
    except WorkbenchError as error:
        problems.append(error)
        return path, None


def _base(
    given: Any,
    trame: Trame | None,
    nomenclature: str | None,
    sirets: list[str],
    period: tuple[int, int],
    problems: list[WorkbenchError],
) -> tuple[str, str, int]:
    """Open the base; return its address, its snapshot and how many budgets the report will hold."""
    try:
        base = given if isinstance(given, Base) else connect(_address(given))
    except WorkbenchError as error:
        problems.append(error)
        return str(given), "", 0
    try:
        if problems or trame is None:
            return base.url, base.snapshot, 0
        kept = None if nomenclature == ALL_NOMENCLATURES else nomenclature or trame.nomenclature
        chosen = perimetre(sirets=sirets, nomenclature=kept)
        budgets = select_budgets(base, chosen, range(period[0], period[1] + 1))
        return base.url, base.snapshot, budgets.num_rows
    finally:
        if base is not given:
            base.close()


def _address(given: Any) -> str:
    address = str(given or settings().base)
    return address if "://" in address else str(Path(address).resolve())


def _has_password(url: str) -> bool:
    try:
        return "://" in url and make_url(url).password is not None
    except ArgumentError:
        return False


def _model(given: Any, trame: Trame | None, trame_path: Path, problems: list[WorkbenchError]) -> str | None:
    try:
        path = Path(given).resolve() if given is not None else trame and modele_path(trame, trame_path)
    except WorkbenchError as error:
        problems.append(error)
        return None
    if path is not None and not path.is_file():
        problems.append(WorkbenchError("modele_absent", chemin=path))
    return None if path is None else str(path)


def _names(to: Path, trame: Trame, sirets: list[str], first: int, last: int) -> tuple[Path, str]:
    if to.suffix in {".ipynb", ".html", ".pdf", ".xlsx"}:
        return to.parent, to.stem
    who = sirets[0] if len(sirets) == 1 else f"{len(sirets)}-budgets"
    return to, re.sub(r"[^\w.-]+", "-", f"{trame.code}_{who}_{first}_{last}")


def _kept(request: _Request, nomenclature: str | None) -> str:
    return nomenclature or request.trame.nomenclature or ALL_NOMENCLATURES


def _add_pdf(request: _Request, page: Path, work: Path, made: dict[str, Path]) -> None:
    try:
        made["pdf"] = export_pdf(page, work / f"{request.stem}.pdf")
    except WorkbenchError as error:
        request.warnings.append(str(error))


def _in_place(path: Path, folder: Path) -> Path:
    return path.replace(folder / path.name)


def _write_notebook(execution: Execution, path: Path) -> None:
    """Write the executed notebook; the files it made are called by their names, not by their paths of the moment."""
    text = json.dumps(execution.notebook, ensure_ascii=False, indent=1, allow_nan=False)
    work = json.dumps(str(path.parent), ensure_ascii=False)[1:-1]
    path.write_text(text.replace(f"{work}/", "") + "\n", encoding="utf-8")


def _failed(request: _Request, work: Path, execution: Execution, started: float) -> ReportResult:
    if execution.error == EmptyReportError.__name__:
        return _concluded(request, State.EMPTY, {}, execution.cause, execution.error, execution.cell, started)
    kept = (work / f"{request.stem}.ipynb").replace(request.folder / f"{request.stem}.echec.ipynb")
    return _concluded(request, State.FAILED, {"echec": kept}, execution.cause, execution.error, execution.cell, started)


def _concluded(
    request: _Request,
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
        "message": message,
        "erreur": error,
        "cellule": cell,
        "avertissements": request.warnings,
        "parametres": {name: value for name, value in request.parameters.items() if name != "excel"},
        "trame": {"code": request.trame.code, "libelle": request.trame.libelle},
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
    return ReportResult(state, dict(files), manifest, message, tuple(request.warnings), seconds)


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
